// Memory for what a TLS socket is given to write. It reports each write later, even where it has long encrypted the bytes, and
// until then they must not change. Out of the shared output block they are copied here, so that the block can be used
// again at once: else each write would eat a part of a block that has to be allocated anew (1 KiB messages: 11 % CPU).

import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { WriteCallback } from '../protocol/message-sender.js';

/** Larger writes keep their part of the block. One TLS record holds as much. */
const BYTES = 16 * 1024;
/** So many pieces are kept for later, 1 MiB. */
const MOST_SPARE = 64;

const TLS_SOCKET: unknown = TLSSocket;
const TLS_WRITE: unknown = TLSSocket.prototype.write;
const spare: LentMemory[] = [];

/**
 * Copies `bytes` for one write.
 *
 * @returns `undefined` where the bytes are too many, or where a callback would not say that nobody looks at them any more:
 *   a stream in memory may have handed them on
 */
export function lendCopy(bytes: Uint8Array, socket: Duplex): LentMemory | undefined {
  if (bytes.length > BYTES || socket.constructor !== TLS_SOCKET || socket.write !== TLS_WRITE)
    return undefined;
  const memory = spare.pop() ?? new LentMemory();
  memory.fill(bytes, socket);
  return memory;
}

export class LentMemory {
  /** What is to be written. */
  bytes: Uint8Array;
  /** Who else wants to hear of the end of the write. */
  listener: WriteCallback | undefined;

  readonly #space = Buffer.allocUnsafeSlow(BYTES);
  #socket: Duplex | undefined;

  constructor() {
    this.bytes = this.#space;
  }

  fill(bytes: Uint8Array, socket: Duplex): void {
    this.#space.set(bytes);
    this.bytes = this.#space.subarray(0, bytes.length);
    this.#socket = socket;
  }

  /** To be called at the end of the write. After a failure somebody may still look: then the memory is given up. */
  readonly callback: WriteCallback = (error) => {
    const { listener } = this;
    const isFree = error == null && !this.#socket!.destroyed && spare.length < MOST_SPARE;
    this.listener = undefined;
    this.#socket = undefined;
    if (isFree) spare.push(this);
    listener?.(error);
  };
}
