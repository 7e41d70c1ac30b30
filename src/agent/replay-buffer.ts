// The numbered messages of one direction that the peer has not acknowledged: what a resumed connection sends again.

import type { Data } from './link.js';

/** Bytes up to this size are copied behind each other into a block, which costs less than a buffer for each. */
const SMALL_BYTES = 4096;
const BLOCK_BYTES = 16 * 1024;

const NOTHING = new Uint8Array(0);

/** A ring of messages `acked + 1` to `seq`. */
export class ReplayBuffer {
  /** The highest number that the peer has acknowledged. */
  acked = 0;
  /** The highest number that was given to a message. */
  seq = 0;
  /** Bytes of the messages that are kept. */
  bytes = 0;

  /** Message n is in slot `n & #mask`: text, a buffer of its own, or the block that it lies in. */
  #held: Data[] = [];
  #offsets: number[] = [];
  #sizes: number[] = [];
  #mask = -1;
  #block = NOTHING;
  #blockEnd = 0;

  get count(): number {
    return this.seq - this.acked;
  }

  /**
   * Keeps a message under the next number.
   *
   * @param size in bytes, text as UTF-8
   * @param isOwned false when the caller may change the bytes later, so that they have to be copied
   */
  push(data: Data, size: number, isOwned: boolean): void {
    if (this.count > this.#mask) this.#grow();
    const slot = ++this.seq & this.#mask;
    this.bytes += size;
    this.#sizes[slot] = size;
    if (typeof data === 'string' || isOwned) {
      this.#held[slot] = data;
      this.#offsets[slot] = 0;
    } else if (size > SMALL_BYTES) {
      this.#held[slot] = new Uint8Array(data);
      this.#offsets[slot] = 0;
    } else {
      if (this.#blockEnd + size > this.#block.length) {
        this.#block = new Uint8Array(BLOCK_BYTES);
        this.#blockEnd = 0;
      }
      this.#held[slot] = this.#block;
      this.#offsets[slot] = this.#blockEnd;
      this.#block.set(data, this.#blockEnd);
      this.#blockEnd += size;
    }
  }

  /** Forgets messages up to `number`, which must lie in `[acked, seq]`. */
  prune(number: number): void {
    for (let n = this.acked + 1; n <= number; n++) {
      const slot = n & this.#mask;
      this.bytes -= this.#sizes[slot]!;
      this.#held[slot] = NOTHING;
    }
    this.acked = number;
    // Nobody points into the block any more.
    if (number === this.seq) this.#blockEnd = 0;
  }

  /** Message `number`, which must be kept. */
  get(number: number): Data {
    const slot = number & this.#mask;
    const held = this.#held[slot]!;
    if (typeof held === 'string') return held;
    const offset = this.#offsets[slot]!;
    return held.subarray(offset, offset + this.#sizes[slot]!);
  }

  /** All kept messages, in order. */
  list(): Data[] {
    return Array.from({ length: this.count }, (_, i) => this.get(this.acked + 1 + i));
  }

  /** Gives back what is allocated beyond the messages themselves, for the time without a connection. */
  compact(): void {
    const sizes = Array.from(
      { length: this.count },
      (_, i) => this.#sizes[(this.acked + 1 + i) & this.#mask]!,
    );
    const kept = this.list().map((data) => (typeof data === 'string' ? data : new Uint8Array(data)));
    this.#held = [];
    this.#offsets = [];
    this.#sizes = [];
    this.#mask = -1;
    this.#block = NOTHING;
    this.#blockEnd = 0;
    this.seq = this.acked;
    this.bytes = 0;
    for (const [i, data] of kept.entries()) this.push(data, sizes[i]!, true);
  }

  #grow(): void {
    const capacity = Math.max(8, 2 * this.#held.length);
    const held: Data[] = new Array(capacity).fill(NOTHING);
    const offsets: number[] = new Array(capacity).fill(0);
    const sizes: number[] = new Array(capacity).fill(0);
    for (let n = this.acked + 1; n <= this.seq; n++) {
      const from = n & this.#mask;
      const to = n & (capacity - 1);
      held[to] = this.#held[from]!;
      offsets[to] = this.#offsets[from]!;
      sizes[to] = this.#sizes[from]!;
    }
    this.#held = held;
    this.#offsets = offsets;
    this.#sizes = sizes;
    this.#mask = capacity - 1;
  }
}
