// What inflating and deflating the messages of a connection have in common: at most one at a time, perhaps in the
// thread pool, and an end that does not wait for it.

import { runJob } from './zlib-jobs.js';

export abstract class Codec {
  readonly #work: string;
  #isClosed = false;
  #abort: ((error: Error) => void) | undefined;

  /** @param work what an error says about the data, such as 'compressed' */
  constructor(work: string) {
    this.#work = work;
  }

  /** Frees the memory; a promise that is pending is rejected. */
  close(): void {
    this.#isClosed = true;
    this.discard();
    this.#abort?.(this.#closedError());
  }

  /** Forgets the context: the connection is closed, or zlib has failed. */
  protected abstract discard(): void;

  /** @throws Error where a message cannot be worked on now */
  protected begin(): void {
    if (this.#isClosed) throw this.#closedError();
    if (this.#abort !== undefined) throw new Error('The message before this one is still being worked on');
  }

  /** Does `work`, which uses the thread pool, as soon as that is allowed. */
  protected inBackground(work: () => Promise<Uint8Array>): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#abort = reject;
      const job = runJob(() => (this.#isClosed ? Promise.reject(this.#closedError()) : work()));
      job.then(
        (bytes) => {
          this.#abort = undefined;
          resolve(bytes);
        },
        (error) => {
          this.#abort = undefined;
          this.discard();
          reject(error);
        },
      );
    });
  }

  #closedError(): Error {
    return new Error(`The socket was closed while data was being ${this.#work}`);
  }
}
