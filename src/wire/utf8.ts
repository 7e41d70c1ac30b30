// UTF-8 as RFC 3629 defines it, checked while the bytes arrive (RFC 6455 §5.6, §8.1): a code point may straddle frames
// and reads, and the first byte that cannot continue a valid sequence ends the matter, before the rest has come.
//
// Overlong forms, surrogates (U+D800-DFFF) and values above U+10FFFF are excluded by narrowing the range of the second
// byte after E0, ED, F0 and F4; every other continuation byte is 80-BF.

/** A native check of a whole buffer, such as `isUtf8` of `node:buffer`. */
export type IsUtf8 = (bytes: Uint8Array) => boolean;

/** From this many bytes on the call into native code pays. */
const NATIVE_FROM_BYTES = 32;

export class Utf8Validator {
  readonly #isUtf8: IsUtf8 | undefined;
  /** Continuation bytes still to come, and the range that the next one must lie in. */
  #needed = 0;
  #lower = 0x80;
  #upper = 0xbf;

  /** @param isUtf8 checks long stretches faster than the loop here; leave it out for the plain validator */
  constructor(isUtf8?: IsUtf8) {
    this.#isUtf8 = isUtf8;
  }

  /** True when no sequence is left unfinished: the text may end here. */
  get isComplete(): boolean {
    return this.#needed === 0;
  }

  /** Forgets an unfinished sequence, for the next message. */
  reset(): void {
    this.#needed = 0;
    this.#lower = 0x80;
    this.#upper = 0xbf;
  }

  /** Takes `bytes[start, end)`; false as soon as one of them cannot stand where it does. */
  push(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
    let from = start;
    if (this.#isUtf8 !== undefined && end - start >= NATIVE_FROM_BYTES) {
      while (this.#needed > 0 && from < end) {
        if (!this.#step(bytes[from++]!)) return false;
      }
      const boundary = lastBoundary(bytes, from, end);
      if (!this.#isUtf8(bytes.subarray(from, boundary))) return false;
      from = boundary;
    }
    for (; from < end; from++) {
      const byte = bytes[from]!;
      if (byte < 0x80 && this.#needed === 0) continue;
      if (!this.#step(byte)) return false;
    }
    return true;
  }

  #step(byte: number): boolean {
    if (this.#needed === 0) return this.#lead(byte);
    if (byte < this.#lower || byte > this.#upper) return false;
    this.#needed--;
    this.#lower = 0x80;
    this.#upper = 0xbf;
    return true;
  }

  #lead(byte: number): boolean {
    if (byte < 0x80) return true;
    if (byte < 0xc2 || byte > 0xf4) return false;
    if (byte < 0xe0) {
      this.#needed = 1;
    } else if (byte < 0xf0) {
      this.#needed = 2;
      if (byte === 0xe0) this.#lower = 0xa0;
      if (byte === 0xed) this.#upper = 0x9f;
    } else {
      this.#needed = 3;
      if (byte === 0xf0) this.#lower = 0x90;
      if (byte === 0xf4) this.#upper = 0x8f;
    }
    return true;
  }
}

/** Where the last sequence begins if it does not end within `[start, end)`; else `end`. */
function lastBoundary(bytes: Uint8Array, start: number, end: number): number {
  for (let i = end - 1; i >= start && i >= end - 3; i--) {
    const byte = bytes[i]!;
    if (byte < 0x80) return end;
    if (byte >= 0xc0) {
      const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      return i + length > end ? i : end;
    }
  }
  return end;
}

/** True when all of `bytes` is UTF-8: the plain check, byte by byte. */
export function isValidUtf8(bytes: Uint8Array): boolean {
  const validator = new Utf8Validator();
  return validator.push(bytes) && validator.isComplete;
}
