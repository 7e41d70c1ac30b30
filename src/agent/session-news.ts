// What one session tells to the channels of `diagnostics.ts`. Nothing is made where nobody listens.

import { type AboutSession, channels } from './diagnostics.js';
import type { Environment } from './environment.js';
import type { DroppedMessage } from './queue-options.js';

interface Subject {
  readonly id: string | undefined;
  readonly side: 'client' | 'server';
}

export class SessionNews {
  readonly #session: Subject;
  readonly #environment: Environment;
  /** Undefined while there is a connection. */
  #detachedAt: number | undefined;
  #isFull = false;

  constructor(session: Subject, environment: Environment) {
    this.#session = session;
    this.#environment = environment;
  }

  /** A connection carries the session. */
  attached(generation: number, isResumed: boolean, replayed: number): void {
    const now = this.#environment.now();
    const detachedMs = now - (this.#detachedAt ?? now);
    this.#detachedAt = undefined;
    if (channels.connect.hasSubscribers) channels.connect.publish({ ...this.#who(), generation, isResumed });
    if (isResumed && channels.resume.hasSubscribers) {
      channels.resume.publish({ ...this.#who(), replayed, detachedMs });
    }
  }

  /** The connection is gone, and the session waits for another. */
  detached(code: number, reason: string, error: Error | undefined, unsent: number, unacked: number): void {
    this.#detachedAt = this.#environment.now();
    if (!channels.close.hasSubscribers) return;
    channels.close.publish({ ...this.#who(), code, reason, isOver: false, unsent, unacked, error });
  }

  over(code: number, reason: string, error: Error | undefined, unsent: number, unacked: number): void {
    if (!channels.close.hasSubscribers) return;
    channels.close.publish({ ...this.#who(), code, reason, isOver: true, unsent, unacked, error });
  }

  /** @param sessionId of the session that is lost; by now another one may have begun */
  lost(sessionId: string | undefined, unsent: number, unacked: number, reason: string): void {
    if (channels.lost.hasSubscribers)
      channels.lost.publish({ ...this.#who(), sessionId, unsent, unacked, reason });
  }

  dropped({ reason, data, key }: DroppedMessage): void {
    if (!channels.drop.hasSubscribers) return;
    channels.drop.publish({ ...this.#who(), reason, key, bytes: data.length });
  }

  /** The queue has no room, as the peer does not keep up: told once, until half of it is free. */
  full(queuedMessages: number, queuedBytes: number, bufferedAmount: number): void {
    if (this.#isFull) return;
    this.#isFull = true;
    if (!channels.slow.hasSubscribers) return;
    channels.slow.publish({ ...this.#who(), queuedMessages, queuedBytes, bufferedAmount });
  }

  /** @param fullness of the queue, from 0 to 1 */
  room(fullness: number): void {
    if (fullness <= 0.5) this.#isFull = false;
  }

  #who(): AboutSession {
    return { session: this.#session, sessionId: this.#session.id, side: this.#session.side };
  }
}
