// Promises whose rejection may go unnoticed: a peer must not be able to end the process by what nobody waits for.

import { SessionError, type SessionErrorCode } from './errors.js';

export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

/** A promise, and what settles it. */
export function quietDeferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise: quiet(promise), resolve, reject };
}

/** The same promise; who awaits it still gets the rejection. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** What the events of a session tell already; the other codes are about what the program did. */
const ENDS: ReadonlySet<SessionErrorCode> = new Set<SessionErrorCode>([
  'closed',
  'lost',
  'unauthorized',
  'superseded',
  'protocol',
  'refused',
  'aborted',
]);

/**
 * For what an async listener returned: that it could not go on because the session is over is no reason to end the
 * process, or any client could by staying away. All else that it throws is an unhandled rejection as ever.
 */
export function forgiveEnd(result: unknown): void {
  if (!(result instanceof Promise)) return;
  result.catch((error: unknown) => {
    if (!(error instanceof SessionError && ENDS.has(error.code))) throw error;
  });
}
