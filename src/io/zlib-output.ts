// Space for what zlib gives, whose size nobody knows beforehand: it grows with what has come out, never with what is
// announced, and never beyond a limit.

import { setImmediate as nextTurn } from 'node:timers/promises';

/** Fresh memory takes half a millisecond per MiB to fill: after so much the others have a turn. */
const GATHERED_IN_A_TURN = 8 * 1024 * 1024;

/** One more than this is never asked for at once. */
const MAX_PIECE_BYTES = 512 * 1024;
const FIRST_PIECE_BYTES = 64 * 1024;

/** What zlib writes to on the calling thread; what came out is copied at once, as most messages are small. */
let scratch: Uint8Array | undefined;

export class ZlibOutput {
  /** How many bytes came out. */
  length = 0;

  readonly #maxBytes: number;
  readonly #pieces: Uint8Array[] = [];
  #isOneCopy = false;

  /** @param maxBytes the caller stops once `length` is above */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How much of a space may be filled: enough to notice that the limit is passed. */
  room(space: Uint8Array): number {
    return Math.min(space.length, this.#maxBytes - this.length + 1);
  }

  /** Space on the calling thread, good until the next call of any function here. */
  sharedSpace(): Uint8Array {
    scratch ??= Buffer.allocUnsafeSlow(FIRST_PIECE_BYTES);
    return scratch;
  }

  /** Space that is nobody else's, and larger each time. */
  ownSpace(): Uint8Array {
    const size = Math.min(Math.max(FIRST_PIECE_BYTES, this.length), MAX_PIECE_BYTES);
    return Buffer.allocUnsafeSlow(Math.min(size, this.#maxBytes - this.length + 1));
  }

  /** Takes in the first `count` bytes of a space. */
  take(space: Uint8Array, count: number): void {
    if (count === 0) return;
    this.length += count;
    const bytes = space.subarray(0, count);
    this.#pieces.push(space === scratch ? Buffer.from(bytes) : bytes);
    this.#isOneCopy = space === scratch && this.#pieces.length === 1;
  }

  /** The first `length` bytes of all, in memory that is the caller's and not larger than needed. */
  bytes(length = this.length): Uint8Array {
    if (this.#isOneCopy)
      return length === this.length ? this.#pieces[0]! : this.#pieces[0]!.subarray(0, length);
    return Buffer.concat(this.#pieces, length);
  }

  /** The same for what came out in the thread pool: much of it is put together in several turns of the event loop. */
  async gather(length = this.length): Promise<Uint8Array> {
    if (length <= GATHERED_IN_A_TURN) return this.bytes(length);
    const all = Buffer.allocUnsafeSlow(length);
    let end = 0;
    let pause = GATHERED_IN_A_TURN;
    for (const piece of this.#pieces) {
      all.set(piece.length <= length - end ? piece : piece.subarray(0, length - end), end);
      end = Math.min(length, end + piece.length);
      if (end < pause) continue;
      pause += GATHERED_IN_A_TURN;
      await nextTurn();
    }
    return all;
  }
}
