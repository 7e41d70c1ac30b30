// Which sessions a server has, and how long it keeps those without a connection: for a while, so many, and so many bytes.

import type { TimerWheel, WheelTimer } from './timer-wheel.js';

/** What is known of a session here. */
export interface RegisteredSession {
  readonly id: string;
  /** Length of the messages that are in memory because of it. */
  readonly retainedBytes: number;
  /** The session is forgotten; `reason` is for its 'close' event. */
  expire(reason: string): void;
}

export interface RegistryOptions {
  /** How long a session waits for its client, in milliseconds. */
  windowMs: number;
  /** The most sessions that wait. */
  maxDetached: number;
  /** The most payload bytes that waiting sessions hold together. */
  maxDetachedBytes: number;
}

interface Detached {
  timer: WheelTimer;
  bytes: number;
}

export class SessionRegistry<S extends RegisteredSession> {
  readonly #options: RegistryOptions;
  readonly #wheel: TimerWheel;
  readonly #sessions = new Map<string, S>();
  /** The one that has waited longest comes first. */
  readonly #detached = new Map<S, Detached>();
  #detachedBytes = 0;
  #evicted = 0;

  constructor(options: RegistryOptions, wheel: TimerWheel) {
    this.#options = options;
    this.#wheel = wheel;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get detachedCount(): number {
    return this.#detached.size;
  }

  get detachedBytes(): number {
    return this.#detachedBytes;
  }

  /** How many had to go before their time. */
  get evicted(): number {
    return this.#evicted;
  }

  add(session: S): void {
    this.#sessions.set(session.id, session);
  }

  find(id: string): S | undefined {
    return this.#sessions.get(id);
  }

  all(): S[] {
    return [...this.#sessions.values()];
  }

  /** The session is over. */
  remove(session: S): void {
    this.attached(session);
    this.#sessions.delete(session.id);
  }

  /** The session has a connection again. */
  attached(session: S): void {
    const detached = this.#detached.get(session);
    if (detached === undefined) return;
    this.#wheel.cancel(detached.timer);
    this.#detachedBytes -= detached.bytes;
    this.#detached.delete(session);
  }

  /** The session has lost its connection. */
  detached(session: S): void {
    const timer = this.#wheel.schedule(this.#options.windowMs, () => session.expire('expired'));
    this.#detached.set(session, { timer, bytes: 0 });
    this.retainedBytesChanged(session);
  }

  /** A session without a connection holds more than before, or less. */
  retainedBytesChanged(session: S): void {
    const detached = this.#detached.get(session);
    if (detached === undefined) return;
    this.#detachedBytes += session.retainedBytes - detached.bytes;
    detached.bytes = session.retainedBytes;
    const { maxDetached, maxDetachedBytes } = this.#options;
    while (this.#detached.size > maxDetached || this.#detachedBytes > maxDetachedBytes) {
      const [oldest] = this.#detached.keys();
      this.#evicted++;
      oldest!.expire('evicted');
    }
  }
}
