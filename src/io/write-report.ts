// What becomes of a write, told to those who sent: in the order in which they sent, and so that what one of them throws
// is no concern of the others.

import type { Duplex } from 'node:stream';
import type { WriteCallback } from '../protocol/message-sender.js';

/** What one party throws must not take the turn of the others; the process hears of it all the same. */
export function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

/** Tells those who sent what became of one write, in the order in which they sent. */
export class WriteReport {
  /** Whether the operating system took all of it at once. */
  hasLeft = false;

  readonly #socket: Duplex;
  readonly #callbacks: WriteCallback[];

  constructor(socket: Duplex, callbacks: WriteCallback[]) {
    this.#socket = socket;
    this.#callbacks = callbacks;
  }

  readonly callback: WriteCallback = (error) => {
    // Node reports a write that was under way when its socket was destroyed as a success.
    const isLost = error == null && !this.hasLeft && this.#socket.destroyed;
    const outcome = isLost ? new Error('The socket was closed before the data was written') : error;
    for (const callback of this.#callbacks) attempt(() => callback(outcome));
  };
}
