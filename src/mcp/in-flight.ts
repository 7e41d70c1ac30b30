// Which requests have no response yet, in both directions: a transport that is to go away finishes what is in flight.

import type { JsonRpcMessage, RequestId } from './message.js';

export class InFlight {
  readonly #ours = new Set<unknown>();
  readonly #theirs = new Set<unknown>();

  /** Whether nobody waits for anything. */
  get isIdle(): boolean {
    return this.#ours.size === 0 && this.#theirs.size === 0;
  }

  /** How many requests of the peer have no response yet. */
  get theirs(): number {
    return this.#theirs.size;
  }

  sent(message: JsonRpcMessage): void {
    follow(message, this.#ours, this.#theirs);
  }

  received(message: JsonRpcMessage): void {
    follow(message, this.#theirs, this.#ours);
  }
}

/**
 * @param asked requests of the end whose message it is
 * @param answered requests of the other end
 */
function follow({ id, method, params }: JsonRpcMessage, asked: Set<unknown>, answered: Set<unknown>): void {
  if (method === undefined) {
    answered.delete(id);
  } else if (id !== undefined) {
    // A subscription is a request that stays open, and no work in progress.
    if (method !== 'subscriptions/listen') asked.add(id);
  } else if (method === 'notifications/cancelled') {
    // No response follows.
    asked.delete((params as { requestId?: RequestId } | undefined)?.requestId);
  }
}
