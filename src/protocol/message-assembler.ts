// Gathers the payload of a message that arrives in more than one piece. One buffer grows with the bytes that have come: an
// announced length is granted up to 16 KiB, 1 MiB behind 32 KiB, and sixteen times what is there. It holds nothing per
// fragment: a million one-byte fragments cost a megabyte.

import { copyMasked } from '../wire/mask.js';
import { LIMITS } from './limits.js';

/** Space for `length` bytes; the content does not matter. */
export type Allocate = (length: number) => Uint8Array;

const EMPTY = new Uint8Array(0);

export class MessageAssembler {
  readonly #allocate: Allocate;
  #buffer: Uint8Array | undefined;
  #length = 0;
  /** The buffer was once made to end with the frame. */
  #wasFitted = false;

  constructor(allocate: Allocate) {
    this.#allocate = allocate;
  }

  /** Bytes gathered so far. */
  get length(): number {
    return this.#length;
  }

  /**
   * Copies `bytes[start, end)` behind what is there, and removes their mask.
   *
   * @param key the masking key, its lowest byte for `bytes[start]`; 0 when there is no mask
   * @param announced bytes of the same frame that are still to come: a wish, granted as far as bytes have arrived
   */
  append(bytes: Uint8Array, start: number, end: number, key: number, announced: number): void {
    const length = this.#length + (end - start);
    if (this.#buffer === undefined || length > this.#buffer.length) this.#grow(length, announced);
    if (key !== 0) copyMasked(bytes, start, end, this.#buffer!, this.#length, key);
    else
      this.#buffer!.set(
        start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end),
        this.#length,
      );
    this.#length = length;
  }

  /** What has been gathered; valid until the next `append`. */
  get bytes(): Uint8Array {
    return this.#buffer ?? EMPTY;
  }

  /** The message, which the caller owns from now on; the assembler is empty again. */
  take(): Uint8Array {
    const buffer = this.#buffer ?? this.#allocate(0);
    const length = this.#length;
    this.clear();
    if (length === buffer.length) return buffer;
    // A message that the application keeps shall not pin much more memory than it has bytes.
    if (length > buffer.length >> 1) return buffer.subarray(0, length);
    const exact = this.#allocate(length);
    exact.set(buffer.subarray(0, length));
    return exact;
  }

  /** Drops what was gathered. */
  clear(): void {
    this.#buffer = undefined;
    this.#length = 0;
    this.#wasFitted = false;
  }

  #grow(length: number, announced: number): void {
    // Sixteen times what has arrived, so that a peer which announces gigabytes and sends ten bytes gets 16 KiB, and at
    // least 1 MiB once a good part of a read has come: every growth costs a copy and fresh pages.
    const least = length >= LIMITS.assemblyLeapFromBytes ? LIMITS.assemblyLeapBytes : LIMITS.assemblyBytes;
    const trusted = Math.max(least, 16 * length);
    const whole = length + announced;
    // What is too long for that gets space until a sixteenth has come, when all of it may be had: so that 4 MiB of 64 are
    // copied, not 16.
    const wanted = whole <= trusted ? whole : Math.min(trusted, Math.max(least, Math.ceil(whole / 16)));
    // Doubled at least, whatever is announced; only once may it be just what the rest of a frame needs. Else fragments
    // that arrive in several reads would have all that is there copied for each of them.
    const isFitted = announced > 0 && wanted === whole;
    const capacity = isFitted && !this.#wasFitted ? wanted : Math.max(wanted, 2 * this.#length);
    this.#wasFitted ||= isFitted;
    const grown = this.#allocate(capacity);
    if (this.#length > 0) grown.set(this.#buffer!.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
