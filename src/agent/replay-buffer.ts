// The numbered messages of one direction that the peer has not acknowledged: what a resumed connection sends again.

import type { Data } from './link.js';

/** Bytes up to this size are copied behind each other into a block, which costs a fifth of a buffer for each. */
const SMALL_BYTES = 4096;
const BLOCK_BYTES = 16 * 1024;

/** Blocks that nobody uses, for all sessions together: to make one takes longer than to fill it. At most 1 MiB. */
const spareBlocks: Uint8Array[] = [];
const MAX_SPARE_BLOCKS = 64;

const NOTHING = new Uint8Array(0);
/** For buffers that hold nothing; four of their own take 128 bytes, and a server may keep thousands of sessions. */
const NO_SLOTS: never[] = [];

interface Block {
  readonly bytes: Uint8Array;
  end: number;
  /** The number of the last message in it. */
  last: number;
}

/** A ring of messages `acked + 1` to `seq`. */
export class ReplayBuffer {
  /** The highest number that the peer has acknowledged. */
  acked = 0;
  /** The highest number that was given to a message. */
  seq = 0;
  /** Bytes of the messages that are kept, of text UTF-16 units. */
  bytes = 0;

  /** Message n is in slot `n & #mask`: text, a buffer of its own, or the block that it is in. */
  #held: Data[] = NO_SLOTS;
  #offsets: number[] = NO_SLOTS;
  #sizes: number[] = NO_SLOTS;
  #mask = -1;
  /** Those that hold messages, in order; only the last has room. */
  #blocks: Block[] = NO_SLOTS;
  /** The last of them. */
  #tail: Block | undefined;

  get count(): number {
    return this.seq - this.acked;
  }

  /**
   * Keeps a message under the next number.
   *
   * @param isOwned false when the caller may change the bytes later, so that they have to be copied
   */
  push(data: Data, isOwned: boolean): void {
    if (this.count > this.#mask) this.#grow();
    const slot = ++this.seq & this.#mask;
    const size = data.length;
    this.bytes += size;
    this.#sizes[slot] = size;
    this.#offsets[slot] = 0;
    if (typeof data === 'string' || isOwned) this.#held[slot] = data;
    else if (size > SMALL_BYTES) this.#held[slot] = new Uint8Array(data);
    else this.#copy(data, slot);
  }

  /** Forgets messages up to `number`, which must lie in `[acked, seq]`. */
  prune(number: number): void {
    for (let n = this.acked + 1; n <= number; n++) {
      const slot = n & this.#mask;
      this.bytes -= this.#sizes[slot]!;
      this.#held[slot] = NOTHING;
    }
    this.acked = number;
    while (this.#blocks.length > 0 && this.#blocks[0]!.last <= number) {
      const { bytes } = this.#blocks.shift()!;
      if (spareBlocks.length < MAX_SPARE_BLOCKS) spareBlocks.push(bytes);
    }
    if (this.#blocks.length === 0) this.#tail = undefined;
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
    const kept = this.list().map((data) => (typeof data === 'string' ? data : new Uint8Array(data)));
    const { seq } = this;
    this.prune(seq);
    this.#held = NO_SLOTS;
    this.#offsets = NO_SLOTS;
    this.#sizes = NO_SLOTS;
    this.#mask = -1;
    this.seq = seq - kept.length;
    this.acked = this.seq;
    for (const data of kept) this.push(data, true);
  }

  #copy(data: Uint8Array, slot: number): void {
    const size = data.length;
    let block = this.#tail;
    if (block === undefined || block.end + size > BLOCK_BYTES) block = this.#nextBlock();
    this.#held[slot] = block.bytes;
    this.#offsets[slot] = block.end;
    block.bytes.set(data, block.end);
    block.end += size;
    block.last = this.seq;
  }

  #nextBlock(): Block {
    const block = { bytes: spareBlocks.pop() ?? new Uint8Array(BLOCK_BYTES), end: 0, last: 0 };
    if (this.#blocks.length === 0) this.#blocks = [block];
    else this.#blocks.push(block);
    this.#tail = block;
    return block;
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
