// A call that the peer made: what its handler is given to work with, and the streams that belong to it.

import type { IncomingStream } from './incoming-stream.js';
import type { Id } from './message.js';
import type { Sender } from './outbox.js';

/** What a handler is given beside the params. */
export interface CallContext<Peer = unknown> {
  /** The peer's name for the call; undefined for a notification. */
  readonly id: Id | undefined;
  readonly method: string;
  /** Aborted when the caller gives up, when a streamed result is cancelled, and when the connection is lost for good. */
  readonly signal: AbortSignal;
  /** The caller's name for the work, if it gave one. */
  readonly idempotencyKey: string | undefined;
  /** It can be called in turn; where the session has moved since, that reaches the new server. */
  readonly peer: Peer;
  /**
   * Tells the caller how far it has come. Values that do not rise are left out, and while the connection has no room only
   * the newest is kept.
   *
   * @throws TypeError for what is no number
   */
  progress(progress: number, total?: number, message?: string): void;
}

export interface IncomingCallOwner<Peer> {
  readonly peer: Peer;
  sendProgress(
    call: IncomingCall<Peer>,
    progress: number,
    total: number | undefined,
    message: string | undefined,
  ): void;
  /** Its answer has left, or it gets none. */
  onOver(call: IncomingCall<Peer>): void;
}

export class IncomingCall<Peer = unknown> implements CallContext<Peer>, Sender {
  readonly id: Id | undefined;
  readonly method: string;
  readonly idempotencyKey: string | undefined;
  /** On the clock of the environment; 0 where nobody wants to know. */
  readonly startedAt: number;
  /** Whether an answer is of use to anybody. */
  isAwaited = true;
  /** Streams among its params. */
  readonly streams: readonly IncomingStream[];
  readonly #owner: IncomingCallOwner<Peer>;
  /** Made when somebody asks: most handlers never do, and one costs more than all else of a small call. */
  #controller: AbortController | undefined;
  #abortReason: unknown;
  #isAborted = false;
  #progress = Number.NEGATIVE_INFINITY;

  constructor(
    id: Id | undefined,
    method: string,
    idempotencyKey: string | undefined,
    owner: IncomingCallOwner<Peer>,
    startedAt: number,
    streams: readonly IncomingStream[],
  ) {
    this.id = id;
    this.method = method;
    this.idempotencyKey = idempotencyKey;
    this.startedAt = startedAt;
    this.streams = streams;
    this.#owner = owner;
  }

  get peer(): Peer {
    return this.#owner.peer;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** A function of its own, because handlers take it out of the context. */
  get progress(): CallContext['progress'] {
    return (progress, total, message) => this.#report(progress, total, message);
  }

  /** @param reason that of the signal, and what its streams end with */
  abort(reason: Error): void {
    this.isAwaited = false;
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
    for (const stream of this.streams) stream.abandon(reason);
  }

  /** What the handler has not read of its streams is of no use any more. */
  cancelStreams(): void {
    for (const stream of this.streams) stream.cancel();
  }

  onSent(): void {
    this.#owner.onOver(this);
  }

  onLost(): void {
    this.#owner.onOver(this);
  }

  #report(progress: number, total: number | undefined, message: string | undefined): void {
    if (!Number.isFinite(progress) || !(total === undefined || Number.isFinite(total))) {
      throw new TypeError(`progress: finite numbers were expected, got ${progress} of ${total}`);
    }
    if (!this.isAwaited || this.id === undefined || !(progress > this.#progress)) return;
    this.#progress = progress;
    this.#owner.sendProgress(this, progress, total, message);
  }
}
