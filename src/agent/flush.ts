// Waiting until the peer has acknowledged what was sent so far.

import type { Channel } from './channel.js';
import { abortError, type SessionError } from './errors.js';
import type { QueuedMessage } from './send-queue.js';

interface Wait {
  channel: Channel;
  /** The last message at the time of the call, while it has no number yet. */
  last: QueuedMessage | undefined;
  /** Done when the channel's peer has acknowledged this one. */
  number: number;
  resolve(): void;
  reject(error: SessionError): void;
}

/** The pending `flush()` calls of one session. */
export class Flushes {
  readonly #waits = new Set<Wait>();

  get size(): number {
    return this.#waits.size;
  }

  /** @param last what was accepted last, if it has no number yet */
  add(channel: Channel, last: QueuedMessage | undefined, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waits.delete(wait);
        signal?.removeEventListener('abort', onAbort);
      };
      const wait: Wait = {
        channel,
        last,
        number: channel.sent.seq,
        resolve() {
          leave();
          resolve();
        },
        reject(error) {
          leave();
          reject(error);
        },
      };
      const onAbort = (): void => wait.reject(abortError(signal!));
      signal?.addEventListener('abort', onAbort);
      this.#waits.add(wait);
    });
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
        wait.number = number;
        wait.channel = channel;
        wait.last = undefined;
      } else if (number < 0) {
        // It was dropped, and some before it may wait still.
        wait.last = last;
      }
      if (wait.last === undefined && wait.channel.sent.acked >= wait.number) wait.resolve();
    }
  }

  rejectAll(error: SessionError): void {
    for (const wait of this.#waits) wait.reject(error);
  }
}
