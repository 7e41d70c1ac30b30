// Cuts a stream of bytes into frames (RFC 6455 §5.2) and removes the mask (§5.3). It knows where a frame begins and
// ends, not whether it is allowed: that is its handler's question, asked as soon as the header is complete.
//
// A frame that lies whole in the bytes at hand is passed on as a range of them. Of any other frame the parts are passed
// on as they come, so that nothing is kept here but a header of at most 14 bytes.

import { applyMask, readMaskingKey, rotateMaskingKey, wordsOf } from './mask.js';
import { unmaskFrames } from './mask-simd.js';

export interface FrameHandler {
  /**
   * A header is complete.
   *
   * @param first FIN, RSV1-3 and the opcode, as on the wire
   * @param second MASK and the 7-bit length, as on the wire; tells which form carried the length
   * @param payloadLength in bytes; from 2^53 on only approximate
   * @returns false to stop: the frame is refused
   */
  onHeader(first: number, second: number, payloadLength: number): boolean;
  /** The whole payload, unmasked: `bytes[start, end)`. */
  onPayload(bytes: Uint8Array, start: number, end: number): void;
  /**
   * A part of the payload. There is always a last part, possibly empty, behind which 0 bytes remain.
   *
   * @param key still masks the part, with its lowest byte at `start`; 0 when there is nothing to remove. Whoever copies
   *   the part removes the mask on the way
   * @param remaining bytes of the payload that are still to come
   */
  onPayloadPart(bytes: Uint8Array, start: number, end: number, key: number, remaining: number): void;
}

/** Makes a copy of `bytes[start, end)` that may be kept. */
export type CopyBytes = (bytes: Uint8Array, start: number, end: number) => Uint8Array;

const MAX_HEADER_BYTES = 14;

/** From this many bytes on a payload is worth memory of its own, when it cannot stay where it was read. */
const LARGE_PAYLOAD_BYTES = 4096;

const NOTHING: Uint8Array = new Uint8Array(0);

export class FrameParser {
  readonly #handler: FrameHandler;
  /** Set by the handler to make `push` return after the frame at hand. */
  isStopped = false;
  /** Start of a header that has not arrived whole. */
  #stash: Uint8Array | undefined;
  #stashLength = 0;
  /** Payload bytes still to come of a frame whose parts are being passed on; the key fits the next one. */
  #remaining = 0;
  #key = 0;
  /** What `push` is at work on, and how far it has come; right also when the handler throws. */
  #bytes: Uint8Array = NOTHING;
  #offset = 0;
  /** Present while `#bytes` are lent. */
  #copy: CopyBytes | undefined;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** True inside a frame: the peer owes us the rest of a header or of a payload. */
  get isMidFrame(): boolean {
    return this.#remaining > 0 || this.#stashLength > 0;
  }

  /**
   * What the last `push` left, because the handler stopped it or threw, in memory that may be kept; `undefined` for
   * nothing.
   */
  takeRest(): Uint8Array | undefined {
    const bytes = this.#bytes;
    const start = this.#offset;
    this.#bytes = NOTHING;
    this.#offset = 0;
    if (start >= bytes.length) return undefined;
    return this.#copy === undefined ? bytes.subarray(start) : this.#copy(bytes, start, bytes.length);
  }

  /**
   * Parses `bytes`; payloads are unmasked in place. Returns when all is consumed or the handler stopped it: then
   * `takeRest()` has the rest.
   *
   * @param copy given where the bytes are only lent and something else will stand there afterwards; without it they belong to
   *   the parser
   */
  push(bytes: Uint8Array, copy?: CopyBytes): void {
    this.#bytes = bytes;
    this.#offset = 0;
    this.#copy = copy;
    if (this.#remaining > 0) this.#continuePayload(bytes);
    if (this.#stashLength > 0 && !this.isStopped) this.#continueHeader(bytes);
    // What is lent lies where frames can be unmasked all at once; their keys are 0 then.
    if (copy !== undefined) unmaskFrames(bytes, this.#offset);
    this.#parseFrames();
    if (this.isStopped) return;
    if (this.#offset < this.#bytes.length) this.#stashHeader(this.#bytes);
    // What was read is not held on to while the connection is idle.
    this.#bytes = NOTHING;
    this.#offset = 0;
  }

  #parseFrames(): void {
    const handler = this.#handler;
    let bytes = this.#bytes;
    let end = bytes.length;
    let isLent = this.#copy !== undefined;
    /** One view for all frames of the chunk: its price is that of masking 100 bytes. */
    let words: Int32Array | undefined;

    // [RFC6455-6.2-1] The loop works on local variables and handles one frame a turn. What is rare stands elsewhere: V8
    // inlines up to a limit, and what is inlined here takes half the time.
    while (!this.isStopped) {
      const start = this.#offset;
      if (end - start < 2) break;
      const first = bytes[start]!;
      const second = bytes[start + 1]!;
      let length = second & 0x7f;
      let position = start + 2;
      if (length > 125) {
        position += length === 126 ? 2 : 8;
        if (position > end) break;
        length = readLongLength(bytes, start + 2, position);
      }
      let key = 0;
      if (second >= 0x80) {
        if (end - position < 4) break;
        key = readMaskingKey(bytes, position);
        position += 4;
      }
      this.#offset = position;
      if (!handler.onHeader(first, second, length)) {
        this.isStopped = true;
        return;
      }
      if (length > end - position) {
        this.#remaining = length;
        this.#key = key;
        this.#continuePayload(bytes);
        return;
      }
      if (isLent) {
        // The payload alone is copied where it is large or nothing follows; else all that follows, once for many frames.
        if (length >= LARGE_PAYLOAD_BYTES || position + length === end) {
          this.#offset = position + length;
          handler.onPayloadPart(bytes, position, position + length, key, 0);
          continue;
        }
        bytes = this.#own(position);
        end = bytes.length;
        position = 0;
        isLent = false;
      }
      // [RFC6455-6.2-7]
      if (key !== 0) {
        words ??= wordsOf(bytes);
        applyMask(bytes, position, position + length, key, words);
      }
      this.#offset = position + length;
      handler.onPayload(bytes, position, position + length);
    }
  }

  /** Goes on in a copy of what is lent, from `start` on. */
  #own(start: number): Uint8Array {
    this.#bytes = this.#copy!(this.#bytes, start, this.#bytes.length);
    this.#copy = undefined;
    return this.#bytes;
  }

  /** Passes on what has come of a payload that did not fit in one chunk. */
  #continuePayload(bytes: Uint8Array): void {
    const start = this.#offset;
    const end = Math.min(bytes.length, start + this.#remaining);
    const key = this.#key;
    this.#key = rotateMaskingKey(key, end - start);
    this.#offset = end;
    this.#remaining -= end - start;
    this.#handler.onPayloadPart(bytes, start, end, key, this.#remaining);
  }

  #stashHeader(bytes: Uint8Array): void {
    this.#stash ??= new Uint8Array(MAX_HEADER_BYTES);
    this.#stash.set(bytes.subarray(this.#offset));
    this.#stashLength = bytes.length - this.#offset;
    this.#offset = bytes.length;
  }

  /** Completes a header that began in earlier bytes. */
  #continueHeader(bytes: Uint8Array): void {
    const stash = this.#stash!;
    while (this.#stashLength < 2 || this.#stashLength < headerLength(stash[1]!)) {
      if (this.#offset === bytes.length) return;
      stash[this.#stashLength++] = bytes[this.#offset++]!;
    }
    const second = stash[1]!;
    const length7 = second & 0x7f;
    const length = length7 < 126 ? length7 : readLongLength(stash, 2, length7 === 126 ? 4 : 10);
    this.#key = second >= 0x80 ? readMaskingKey(stash, this.#stashLength - 4) : 0;
    this.#stashLength = 0;
    if (!this.#handler.onHeader(stash[0]!, second, length)) {
      this.isStopped = true;
      return;
    }
    this.#remaining = length;
    if (length === 0) this.#handler.onPayloadPart(bytes, this.#offset, this.#offset, 0, 0);
    else if (this.#offset < bytes.length) this.#continuePayload(bytes);
  }
}

/** Size of a header, told from its second byte. */
function headerLength(second: number): number {
  const length7 = second & 0x7f;
  return (length7 < 126 ? 2 : length7 === 126 ? 4 : 10) + (second >= 0x80 ? 4 : 0);
}

/** [RFC6455-5.2-7] The 16 or 64 bits of `bytes[start, end)`, in network byte order. */
function readLongLength(bytes: Uint8Array, start: number, end: number): number {
  return end - start === 2 ? (bytes[start]! << 8) | bytes[start + 1]! : readUint64(bytes, start);
}

function readUint64(bytes: Uint8Array, offset: number): number {
  const high = readUint32(bytes, offset);
  // From 2^53 on the low word is left out: rounding shall not carry 2^63 - 1 over to 2^63.
  return high * 2 ** 32 + (high < 2 ** 21 ? readUint32(bytes, offset + 4) : 0);
}

function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>>
    0
  );
}
