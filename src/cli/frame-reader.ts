// Cuts one direction of a connection into frames, however its bytes are chunked (RFC 6455 §5.2), for people to look at.
// Judges nothing and keeps at most `captureLimit` bytes of a payload. The endpoints' own reader is elsewhere.
import { type FrameHeader, parseFrameHeader } from '../wire/frame-header.js';

const LONGEST_HEADER = 14;

export interface CapturedFrame {
  header: FrameHeader;
  headerBytes: Uint8Array;
  /** The payload as it crossed the wire, up to the capture limit. */
  wirePayload: Uint8Array;
  /** The same bytes unmasked; the same array when the frame is not masked. */
  payload: Uint8Array;
  /** False when `payload` lacks bytes: beyond the limit, or never received. */
  isComplete: boolean;
}

export class FrameReader {
  readonly #captureLimit: number;
  readonly #onFrame: (frame: CapturedFrame) => void;
  readonly #headerBytes = new Uint8Array(LONGEST_HEADER);
  #headerFilled = 0;
  #header: FrameHeader | undefined;
  #payload = new Uint8Array(0);
  #payloadFilled = 0;
  /** Payload bytes of the current frame that are still to come: the wire's 64 bits need a bigint. */
  #remaining = 0n;
  #wasReported = false;

  constructor(captureLimit: number, onFrame: (frame: CapturedFrame) => void) {
    this.#captureLimit = captureLimit;
    this.#onFrame = onFrame;
  }

  /** Takes the next bytes. They are copied where they are kept, so the caller may change them afterwards. */
  push(bytes: Uint8Array): void {
    let offset = 0;
    while (offset < bytes.length) {
      offset +=
        this.#header === undefined ? this.#pushHeader(bytes, offset) : this.#pushPayload(bytes, offset);
    }
  }

  /** Says that no byte follows: reports the frame that was cut off, and returns header bytes that are not a header. */
  end(): Uint8Array {
    if (this.#header !== undefined) this.#finishFrame();
    return this.#headerBytes.slice(0, this.#headerFilled);
  }

  #pushHeader(bytes: Uint8Array, offset: number): number {
    const before = this.#headerFilled;
    const taken = Math.min(LONGEST_HEADER - before, bytes.length - offset);
    this.#headerBytes.set(bytes.subarray(offset, offset + taken), before);
    const header = parseFrameHeader(this.#headerBytes.subarray(0, before + taken));
    if (header === undefined) {
      this.#headerFilled = before + taken;
      return taken;
    }
    this.#headerFilled = header.headerLength;
    this.#header = header;
    this.#remaining = header.payloadLength;
    // The declared length is not trusted beyond the limit.
    const capture =
      header.payloadLength < BigInt(this.#captureLimit) ? Number(header.payloadLength) : this.#captureLimit;
    this.#payload = new Uint8Array(capture);
    if (this.#remaining === 0n) this.#finishFrame();
    return header.headerLength - before;
  }

  #pushPayload(bytes: Uint8Array, offset: number): number {
    const available = bytes.length - offset;
    const taken = this.#remaining < BigInt(available) ? Number(this.#remaining) : available;
    const kept = Math.min(taken, this.#payload.length - this.#payloadFilled);
    this.#payload.set(bytes.subarray(offset, offset + kept), this.#payloadFilled);
    this.#payloadFilled += kept;
    this.#remaining -= BigInt(taken);
    if (this.#remaining === 0n) this.#finishFrame();
    // A long frame is reported as soon as there is nothing more of it to show.
    else if (this.#payloadFilled === this.#payload.length) this.#report();
    return taken;
  }

  #finishFrame(): void {
    this.#report();
    this.#header = undefined;
    this.#headerFilled = 0;
    this.#payload = new Uint8Array(0);
    this.#payloadFilled = 0;
    this.#remaining = 0n;
    this.#wasReported = false;
  }

  #report(): void {
    const header = this.#header;
    if (header === undefined || this.#wasReported) return;
    this.#wasReported = true;
    const wirePayload = this.#payload.subarray(0, this.#payloadFilled);
    this.#onFrame({
      header,
      headerBytes: this.#headerBytes.slice(0, header.headerLength),
      wirePayload,
      payload: unmask(wirePayload, header.maskingKey),
      isComplete: BigInt(wirePayload.length) === header.payloadLength,
    });
  }
}

/** §5.3: octet i is XORed with octet i mod 4 of the masking key; without a key the bytes are returned as they are. */
function unmask(bytes: Uint8Array, key: Uint8Array | undefined): Uint8Array {
  if (key === undefined) return bytes;
  return bytes.map((byte, index) => byte ^ key[index & 3]!);
}
