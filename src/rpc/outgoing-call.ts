// A call that we made: its promise, its deadlines, the progress it is told of. What is sent is left to `caller.ts`.

import { offAbort, onAbort } from '../agent/abort-listeners.js';
import { quiet } from '../agent/quiet.js';
import { lostError, ofCall, RPC, RpcError } from './errors.js';
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
  /** On the clock of the environment; 0 where nobody wants to know. */
  readonly startedAt: number;
  /** The numbers of the streams among its params. */
  readonly streams: readonly number[];
  /** Whether its result is one. */
  hasStream = false;
  readonly #owner: OutgoingCallOwner;
  readonly #onProgress: CallOptions['onProgress'];
  readonly #timeoutMs: number;
  readonly #maxTotalMs: number;
  #resolve!: (result: unknown) => void;
  #reject!: (error: Error) => void;
  /** When nobody waits any more, and when not even for progress; on the clock of the environment. */
  #deadline: number;
  readonly #lastDeadline: number;
  #progress = Number.NEGATIVE_INFINITY;
  #isSent = false;
  #isSettled = false;

  constructor(
    id: number,
    method: string,
    owner: OutgoingCallOwner,
    options: CallOptions = NO_OPTIONS,
    nowMs: number,
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
    this.#maxTotalMs = maxTotalMs;
    this.#deadline = nowMs + timeoutMs;
    this.#lastDeadline = nowMs + maxTotalMs;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (signal !== undefined) onAbort(signal, this.#onAbort);
  }

  onSent(): void {
    this.#isSent = true;
  }

  onProgress({ progress, total, message }: Progress, nowMs: number): void {
    if (!(progress > this.#progress)) return;
    this.#progress = progress;
    this.#deadline = nowMs + this.#timeoutMs;
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

  reject(reason: Error): void {
    const error = ofCall(reason) as RpcError;
    if (!this.#settle(error.code)) return;
    // Here, and not for each call: a peer that goes away must not end the process by what nobody waits for.
    quiet(this.promise);
    this.#reject(error);
  }

  /** When it is to be looked at again: nobody waits longer. */
  get deadline(): number {
    return Math.min(this.#deadline, this.#lastDeadline);
  }

  /** Gives it up when its deadline has come. */
  expire(nowMs: number): void {
    if (nowMs < this.deadline) return;
    const ms = this.#deadline <= this.#lastDeadline ? this.#timeoutMs : this.#maxTotalMs;
    this.#giveUp('deadline', new RpcError(RPC.DEADLINE, `${this.method}: no result within ${ms} ms`));
  }

  /** The connection is gone, or the session lost. */
  lose(error: Error): void {
    this.reject(lostError(this.#isSent ? 'unknown' : 'not-sent', error));
  }

  /** @returns false when it was settled before, as while its result was validated */
  #settle(code: number | undefined): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    if (this.signal !== undefined) offAbort(this.signal, this.#onAbort);
    this.#owner.onSettled(this, code);
    return true;
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
