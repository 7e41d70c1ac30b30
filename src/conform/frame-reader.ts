// Cuts what arrives into frames, with the plain header parser. Judges nothing but size: what a frame may look like is for
// the tester to say, so that it can go on reading behind a fault.

import { type FrameHeader, parseFrameHeader } from '../wire/frame-header.js';
import { applyMask, readMaskingKey } from '../wire/mask.js';

const FIRST_CAPACITY = 64 * 1024;
const EMPTY: Uint8Array = new Uint8Array(0);

export interface ReceivedFrame {
  header: FrameHeader;
  /** Unmasked; may be a view of what arrived. The reader does not touch it again. */
  payload: Uint8Array;
}

export class FrameReader {
  readonly #onFrame: (frame: ReceivedFrame) => void;
  readonly #onTooLong: (header: FrameHeader) => void;
  readonly #maxPayloadBytes: bigint;
  /** The bytes of a header that is not complete. */
  #pending = EMPTY;
  #header: FrameHeader | undefined;
  #payload = EMPTY;
  #filled = 0;
  #isStopped = false;

  /** @param onTooLong is called for a header that announces more than `maxPayloadBytes`; reading stops there */
  constructor(
    maxPayloadBytes: number,
    onFrame: (frame: ReceivedFrame) => void,
    onTooLong: (header: FrameHeader) => void,
  ) {
    this.#maxPayloadBytes = BigInt(maxPayloadBytes);
    this.#onFrame = onFrame;
    this.#onTooLong = onTooLong;
  }

  /** True while a frame has begun and is not complete. */
  get isMidFrame(): boolean {
    return this.#header !== undefined || this.#pending.length > 0;
  }

  /** No further byte is looked at. */
  stop(): void {
    this.#isStopped = true;
  }

  push(chunk: Uint8Array): void {
    let bytes = chunk;
    let at = 0;
    while (!this.#isStopped) {
      if (this.#header === undefined) {
        if (this.#pending.length > 0) {
          bytes = Buffer.concat([this.#pending, bytes.subarray(at)]);
          this.#pending = EMPTY;
          at = 0;
        }
        const header = parseFrameHeader(bytes, at);
        if (header === undefined) {
          this.#pending = Uint8Array.from(bytes.subarray(at));
          return;
        }
        at += header.headerLength;
        if (header.payloadLength > this.#maxPayloadBytes) {
          this.stop();
          this.#onTooLong(header);
          return;
        }
        const end = at + Number(header.payloadLength);
        if (!header.isMasked && end <= bytes.length) {
          // All there and in the clear, as most frames of a server are: nothing to copy.
          this.#onFrame({ header, payload: bytes.subarray(at, end) });
          at = end;
          continue;
        }
        this.#header = header;
        this.#payload = Buffer.allocUnsafeSlow(Math.min(Number(header.payloadLength), FIRST_CAPACITY));
      }
      at = this.#fill(this.#header, bytes, at);
      if (this.#filled < Number(this.#header.payloadLength)) return;
      this.#finish(this.#header);
    }
  }

  /** Copies what belongs to the frame; returns where the next one starts. */
  #fill(header: FrameHeader, bytes: Uint8Array, at: number): number {
    const length = Number(header.payloadLength);
    const end = Math.min(bytes.length, at + length - this.#filled);
    const needed = this.#filled + end - at;
    if (needed > this.#payload.length) {
      // The announced length is a claim: space grows with what arrives.
      const larger = Buffer.allocUnsafeSlow(Math.min(length, Math.max(needed, this.#payload.length * 4)));
      larger.set(this.#payload.subarray(0, this.#filled));
      this.#payload = larger;
    }
    this.#payload.set(bytes.subarray(at, end), this.#filled);
    this.#filled = needed;
    return end;
  }

  #finish(header: FrameHeader): void {
    const payload = this.#payload;
    if (header.maskingKey !== undefined)
      applyMask(payload, 0, payload.length, readMaskingKey(header.maskingKey, 0));
    this.#header = undefined;
    this.#payload = EMPTY;
    this.#filled = 0;
    this.#onFrame({ header, payload });
  }
}
