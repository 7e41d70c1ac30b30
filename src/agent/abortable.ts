// Promises that wait among others, and can be given up with a signal.

import { offAbort, onAbort } from './abort-listeners.js';
import { abortError, type SessionError } from './errors.js';

/** What settles a promise; either way it waits no longer. */
export interface Waiting<T> {
  resolve(value: T): void;
  reject(error: SessionError): void;
}

/**
 * Adds an entry to those that wait, until it is settled or the signal is aborted.
 *
 * @param entry what is waited for
 */
export function waitAmong<Entry extends object, T>(
  waiting: Set<Entry & Waiting<T>>,
  entry: Entry,
  signal: AbortSignal | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      waiting.delete(waiter);
      if (signal !== undefined) offAbort(signal, abort);
    };
    const waiter = Object.assign(entry, {
      resolve(value: T) {
        leave();
        resolve(value);
      },
      reject(error: SessionError) {
        leave();
        reject(error);
      },
    });
    const abort = (): void => waiter.reject(abortError(signal!));
    if (signal !== undefined) onAbort(signal, abort);
    waiting.add(waiter);
  });
}
