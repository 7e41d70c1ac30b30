// Waiting until the peer has acknowledged what was sent so far.

import { type Waiting, waitAmong } from './abortable.js';
import type { Channel } from './channel.js';
import type { SessionError } from './errors.js';
import type { QueuedMessage } from './send-queue.js';

interface Wait {
  /** The last message at the time of the call, while it has no number yet. */
  last: QueuedMessage | undefined;
  /** Done when the peers of these channels have acknowledged these numbers. */
  readonly numbers: Map<Channel, number>;
}

/** For all who wait for nothing: a Set of its own takes 190 bytes, and a server may keep thousands of sessions. */
const NONE: Set<Wait & Waiting<void>> = new Set();

/** The pending `flush()` calls of one session. */
export class Flushes {
  #waits = NONE;

  get size(): number {
    return this.#waits.size;
  }

  /**
   * @param channels where messages were sent
   * @param last what was accepted last, if it has no number yet
   */
  add(channels: Channel[], last: QueuedMessage | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (this.#waits === NONE) this.#waits = new Set();
    const wait: Wait = { last, numbers: new Map(channels.map((channel) => [channel, channel.sent.seq])) };
    return waitAmong(this.#waits, wait, signal);
  }

  /**
   * Looks who is done.
   *
   * @param channel the one by which messages got their numbers since the last call
   * @param last what was accepted last, if it has no number yet
   */
  settle(channel: Channel, last: QueuedMessage | undefined): void {
    for (const wait of this.#waits) {
      const number = wait.last?.number ?? 0;
      if (number > 0) {
        wait.numbers.set(channel, number);
        wait.last = undefined;
      } else if (number < 0) {
        // It was dropped, and some before it may wait still.
        wait.last = last;
      }
      if (wait.last === undefined && isAcknowledged(wait.numbers)) wait.resolve();
    }
  }

  /** @param channel of which no more acknowledgements come; all of them by default */
  reject(error: SessionError, channel?: Channel): void {
    for (const wait of this.#waits) {
      if (channel === undefined || channel.sent.acked < (wait.numbers.get(channel) ?? 0)) wait.reject(error);
    }
  }
}

function isAcknowledged(numbers: Map<Channel, number>): boolean {
  for (const [{ sent }, number] of numbers) if (sent.acked < number) return false;
  return true;
}
