// Which requests have no response yet, in both directions: a transport that is to go away finishes what is in flight.

import type { JsonRpcMessage, RequestId } from './message.js';

/** A request that stays open, and no work in progress. */
const SUBSCRIPTION = 'subscriptions/listen';

/** The methods of requests, by their ids. */
type Requests = Map<RequestId, string>;

export class InFlight {
  readonly #ours: Requests = new Map();
  readonly #theirs: Requests = new Map();

  /** Whether nobody waits for anything but what a subscription may bring. */
  get isIdle(): boolean {
    return [...this.#ours.values(), ...this.#theirs.values()].every((method) => method === SUBSCRIPTION);
  }

  /** How many requests of the peer have no response yet. */
  get theirs(): number {
    return this.#theirs.size;
  }

  /** Whether a request of the peer with this id has no response yet. */
  isTheirs(id: RequestId): boolean {
    return this.#theirs.has(id);
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
function follow({ id, method, params }: JsonRpcMessage, asked: Requests, answered: Requests): void {
  if (id !== undefined) {
    if (method === undefined) answered.delete(id);
    else asked.set(id, method);
  } else if (method === 'notifications/cancelled') {
    // No response follows.
    asked.delete((params as { requestId: RequestId } | undefined)?.requestId as RequestId);
  }
}
