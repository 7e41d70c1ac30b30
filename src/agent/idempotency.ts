// Work that is asked for more than once is done once: a key is claimed before the work and keeps the result after it.
// `MemoryIdempotencyStore` remembers in this process; `IdempotencyStore` is what a shared store (Redis, SQL) implements.
//
// What a crash means. A claim ends by itself after `claimTtlMs`. Who crashed between claim and completion leaves the key
// claimed until then; duplicates wait, and then one of them does the work again. So the work is done at least once, and
// at most once unless its process died, or it took longer than its claim lasts. What must never happen twice has to be
// made one transaction with the completion, inside the store.

import { type Environment, LONGEST_TIMEOUT_MS, environment as machine, type Timer } from './environment.js';
import { SessionError } from './errors.js';
import { quietDeferred } from './quiet.js';

/** What a claim finds. */
export type Claim =
  /** The key was free and is now the caller's, who does the work. The token proves it. */
  | { state: 'claimed'; token: string }
  /** Somebody else does the work; `outcome` says how it went, never rejects, and comes before the claim's time is over. */
  | { state: 'running'; outcome: Promise<Outcome> }
  | { state: 'done'; result: unknown };

export type Outcome =
  | { state: 'done'; result: unknown }
  | { state: 'failed'; error: unknown }
  /** The key is free again, and nobody knows more: the claim has expired, or the store does not pass errors on. */
  | { state: 'free' };

/** Where keys are claimed and results kept. Each method is atomic. Errors of the store reject. */
export interface IdempotencyStore {
  /** @throws SessionError `store-full` when there is no room for another key */
  claim(key: string): Promise<Claim>;
  /**
   * Keeps the result, for as long as the store remembers.
   *
   * @returns false when the claim was not `token`'s any more, in which case nothing is kept
   */
  complete(key: string, token: string, result: unknown): Promise<boolean>;
  /** Frees the key, unless the claim is not `token`'s any more. The error is for those who wait. */
  release(key: string, token: string, error: unknown): Promise<void>;
}

/**
 * Runs `run`, unless the store remembers the result of an earlier run under the same key. Concurrent duplicates run once
 * and share result or error. An error is not remembered: it frees the key, and the next call tries again.
 *
 * The key has to name everything for which the result holds. Keys that clients choose belong to them alone: without the
 * principal, one client could read another's result.
 *
 * @returns the result, the same object for all within one process: do not change it
 * @throws what `run` throws; what the store throws, which for `complete` means that the work is done and not remembered
 * @example
 * const key = JSON.stringify([session.principal, 'transfer', request.idempotencyKey]);
 * const receipt = await once(store, key, () => transfer(request));
 */
export async function once<Result>(
  store: IdempotencyStore,
  key: string,
  run: () => Result | Promise<Result>,
): Promise<Result> {
  for (;;) {
    const claim = await store.claim(key);
    if (claim.state === 'claimed') return runClaimed(store, key, claim.token, run);
    const outcome = claim.state === 'running' ? await claim.outcome : claim;
    if (outcome.state === 'done') return outcome.result as Result;
    if (outcome.state === 'failed') throw outcome.error;
  }
}

async function runClaimed<Result>(
  store: IdempotencyStore,
  key: string,
  token: string,
  run: () => Result | Promise<Result>,
): Promise<Result> {
  let result: Result;
  try {
    result = await run();
  } catch (error) {
    // Where the store fails as well, the claim ends by itself; what went wrong first is what the caller has to know.
    await store.release(key, token, error).catch(() => {});
    throw error;
  }
  await store.complete(key, token, result);
  return result;
}

export interface MemoryIdempotencyStoreOptions {
  /** How long a result is remembered; longer than any client tries again. 10 minutes by default. */
  ttlMs?: number;
  /** How long a run may take before its key is free again. 60 seconds by default. */
  claimTtlMs?: number;
  /** Running and remembered together; 10,000 by default. When full, the oldest result goes; what runs stays. */
  maxEntries?: number;
  environment?: Environment;
}

/** Keys are made by peers, in part. */
const LONGEST_KEY = 2048;

interface Running {
  token: string;
  outcome: Promise<Outcome>;
  settle: (outcome: Outcome) => void;
  expiry: Timer;
}

/** Remembers in this process: enough where all duplicates come to the same process, and none outlives it. */
export class MemoryIdempotencyStore implements IdempotencyStore {
  readonly #ttlMs: number;
  readonly #claimTtlMs: number;
  readonly #maxEntries: number;
  readonly #environment: Environment;
  readonly #running = new Map<string, Running>();
  /** In the order of completion, which is the order of expiry. */
  readonly #done = new Map<string, { result: unknown; expiresAt: number }>();
  #claimCount = 0;

  /** @throws RangeError when a number is not positive, or longer than a timer can be */
  constructor(options: MemoryIdempotencyStoreOptions = {}) {
    const { ttlMs = 600_000, claimTtlMs = 60_000, maxEntries = 10_000, environment = machine } = options;
    for (const [name, value] of Object.entries({ ttlMs, claimTtlMs, maxEntries })) {
      if (value > 0 && value <= LONGEST_TIMEOUT_MS) continue;
      throw new RangeError(
        `${name}: more than 0 and at most ${LONGEST_TIMEOUT_MS} was expected, got ${value}`,
      );
    }
    this.#ttlMs = ttlMs;
    this.#claimTtlMs = claimTtlMs;
    this.#maxEntries = maxEntries;
    this.#environment = environment;
  }

  /** Keys that run or are remembered. */
  get size(): number {
    this.#forgetExpired();
    return this.#running.size + this.#done.size;
  }

  /** @throws RangeError when the key has more than 2,048 characters */
  async claim(key: string): Promise<Claim> {
    if (key.length > LONGEST_KEY) {
      throw new RangeError(
        `idempotency key: at most ${LONGEST_KEY} characters were expected, got ${key.length}`,
      );
    }
    this.#forgetExpired();
    const done = this.#done.get(key);
    if (done !== undefined) return { state: 'done', result: done.result };
    const running = this.#running.get(key);
    if (running !== undefined) return { state: 'running', outcome: running.outcome };
    this.#makeRoom();
    const token = String(++this.#claimCount);
    this.#running.set(key, this.#start(key, token));
    return { state: 'claimed', token };
  }

  async complete(key: string, token: string, result: unknown): Promise<boolean> {
    if (!this.#end(key, token, { state: 'done', result })) return false;
    this.#done.set(key, { result, expiresAt: this.#environment.now() + this.#ttlMs });
    return true;
  }

  async release(key: string, token: string, error: unknown): Promise<void> {
    this.#end(key, token, { state: 'failed', error });
  }

  #start(key: string, token: string): Running {
    const { promise: outcome, resolve: settle } = quietDeferred<Outcome>();
    const expiry = this.#environment.setTimeout(
      () => this.#end(key, token, { state: 'free' }),
      this.#claimTtlMs,
    );
    return { token, outcome, settle, expiry };
  }

  /** Returns false when the key is not, or no longer, claimed with this token. */
  #end(key: string, token: string, outcome: Outcome): boolean {
    const running = this.#running.get(key);
    if (running?.token !== token) return false;
    this.#running.delete(key);
    this.#environment.clearTimeout(running.expiry);
    running.settle(outcome);
    return true;
  }

  #makeRoom(): void {
    if (this.#running.size + this.#done.size < this.#maxEntries) return;
    const oldest = this.#done.keys().next();
    if (oldest.done)
      throw new SessionError('store-full', `all ${this.#maxEntries} idempotency keys are in use`);
    this.#done.delete(oldest.value);
  }

  #forgetExpired(): void {
    const now = this.#environment.now();
    for (const [key, { expiresAt }] of this.#done) {
      if (expiresAt > now) return;
      this.#done.delete(key);
    }
  }
}
