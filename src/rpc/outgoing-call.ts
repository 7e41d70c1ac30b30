// A call that we made: its promise, its deadlines, the progress it is told of. What is sent is left to `conversation.ts`.

import { quiet } from '../agent/quiet.js';
import type { TimerWheel, WheelTimer } from '../agent/timer-wheel.js';
import { lostError, RPC, RpcError } from './errors.js';
import type { Sender } from './outbox.js';

/** How far a call has come, in units of its handler. */
export interface Progress {
  /** Rises with every report. */
  progress: number;
  total?: number | undefined;
  message?: string | undefined;
}

export interface CallOptions {
  /** Gives the call up: its handler is told, and so is the producer of a streamed result. */
  signal?: AbortSignal;
  /** How long to wait for the result, or for the next progress, in milliseconds; 60,000 by default, Infinity for ever. */
  timeoutMs?: number;
  /** How long to wait for the result, whatever progress there is, in milliseconds; for ever by default. */
  maxTotalMs?: number;
  /** What it throws is an uncaught exception, and does not concern the call. */
  onProgress?: (progress: Progress) => void;
  /**
   * Names the work, so that a second call with the same key does not do it again but has the result of the first; 1 to
   * 1,024 characters. The peer has to have a store for them.
   */
  idempotencyKey?: string;
}

const TIMEOUT_MS = 60_000;
const NO_OPTIONS: CallOptions = {};

export interface OutgoingCallOwner {
  readonly wheel: TimerWheel;
  /** Nobody waits for it any more, and the peer has to know. */
  onGivenUp(call: OutgoingCall, reason: string): void;
  /** It is settled. `code` is that of the error. */
  onSettled(call: OutgoingCall, code: number | undefined): void;
}

export class OutgoingCall implements Sender {
  readonly id: number;
  readonly method: string;
  readonly signal: AbortSignal | undefined;
  readonly promise: Promise<unknown>;
  /** Begun on the clock of the environment, where somebody wants to know. */
  readonly startedAt: number;
  /** The numbers of the streams among its params. */
  readonly streams: readonly number[];
  readonly #owner: OutgoingCallOwner;
  readonly #onProgress: CallOptions['onProgress'];
  readonly #timeoutMs: number;
  #resolve!: (result: unknown) => void;
  #reject!: (error: Error) => void;
  #timer: WheelTimer | undefined;
  #totalTimer: WheelTimer | undefined;
  #progress = Number.NEGATIVE_INFINITY;
  #isSent = false;
  #isSettled = false;

  constructor(
    id: number,
    method: string,
    owner: OutgoingCallOwner,
    options: CallOptions = NO_OPTIONS,
    startedAt: number,
    streams: readonly number[],
  ) {
    const { signal, timeoutMs = TIMEOUT_MS, maxTotalMs = Number.POSITIVE_INFINITY, onProgress } = options;
    this.id = id;
    this.method = method;
    this.signal = signal;
    this.startedAt = startedAt;
    this.streams = streams;
    this.#owner = owner;
    this.#onProgress = onProgress;
    this.#timeoutMs = timeoutMs;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = this.#schedule(timeoutMs);
    this.#totalTimer = this.#schedule(maxTotalMs);
    signal?.addEventListener('abort', this.#onAbort);
  }

  onSent(): void {
    this.#isSent = true;
  }

  onProgress({ progress, total, message }: Progress): void {
    if (!(progress > this.#progress)) return;
    this.#progress = progress;
    if (this.#timer !== undefined) {
      this.#owner.wheel.cancel(this.#timer);
      this.#timer = this.#schedule(this.#timeoutMs);
    }
    try {
      this.#onProgress?.({ progress, total, message });
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  resolve(result: unknown): void {
    if (!this.#settle(undefined)) return;
    this.#resolve(result);
  }

  reject(error: RpcError): void {
    if (!this.#settle(error.code)) return;
    // Here, and not for each call: a peer that goes away must not end the process by what nobody waits for.
    quiet(this.promise);
    this.#reject(error);
  }

  /** The connection is gone, or the session lost. */
  lose(error: Error): void {
    this.reject(lostError(this.#isSent ? 'unknown' : 'not-sent', error));
  }

  /** @returns false when it was settled before, as while its result was validated */
  #settle(code: number | undefined): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    const { wheel } = this.#owner;
    if (this.#timer !== undefined) wheel.cancel(this.#timer);
    if (this.#totalTimer !== undefined) wheel.cancel(this.#totalTimer);
    this.signal?.removeEventListener('abort', this.#onAbort);
    this.#owner.onSettled(this, code);
    return true;
  }

  #schedule(ms: number): WheelTimer | undefined {
    if (ms === Number.POSITIVE_INFINITY) return undefined;
    return this.#owner.wheel.schedule(ms, () => {
      this.#giveUp('deadline', new RpcError(RPC.DEADLINE, `${this.method}: no result within ${ms} ms`));
    });
  }

  readonly #onAbort = (): void => {
    const cause = this.signal!.reason;
    this.#giveUp('aborted', new RpcError(RPC.CANCELLED, `${this.method}: the call was cancelled`, { cause }));
  };

  #giveUp(reason: string, error: RpcError): void {
    this.reject(error);
    this.#owner.onGivenUp(this, reason);
  }
}
