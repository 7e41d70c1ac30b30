// A session as a pair of WHATWG streams. Backpressure is the session's own: what nobody reads is not acknowledged, and a
// write lasts as long as `send()`. Reconnecting shows nowhere, the loss of the session ends the streams.

import { closedError, lostError } from './errors.js';
import type { Data } from './link.js';
import { quietDeferred } from './quiet.js';
import { type CloseInfo, type MessageStreams, notWritable, type OpenedStreams } from './stream-view.js';

/** What is needed of a session, the client's or the server's. */
export interface StreamableSession {
  readonly state: string;
  /** A server's session is open from the start. */
  readonly ready?: Promise<unknown>;
  readonly url?: string | URL;
  send(data: Data): Promise<unknown>;
  close(): Promise<unknown>;
  [Symbol.asyncIterator](): AsyncIterator<Data>;
  on(event: 'close', listener: (end: SessionEnd) => void): unknown;
  on(event: 'sessionlost', listener: (lost: { reason: string }) => void): unknown;
  off(event: 'close', listener: (end: SessionEnd) => void): unknown;
  off(event: 'sessionlost', listener: (lost: { reason: string }) => void): unknown;
}

interface SessionEnd {
  code: number;
  reason: string;
  error?: Error | undefined;
}

export class SessionStreams implements MessageStreams {
  readonly url: string;
  readonly #opened = quietDeferred<OpenedStreams>();
  readonly opened = this.#opened.promise;
  readonly #closed = quietDeferred<Required<CloseInfo>>();
  readonly closed = this.#closed.promise;

  readonly #session: StreamableSession;
  readonly #messages: AsyncIterator<Data>;
  #reader!: ReadableStreamDefaultController<Data>;
  #writer!: WritableStreamDefaultController;

  constructor(session: StreamableSession) {
    this.#session = session;
    this.#messages = session[Symbol.asyncIterator]();
    this.url = String(session.url ?? '');
    session.on('close', this.#onClose);
    session.on('sessionlost', this.#onLost);
    const streams = { readable: this.#makeReadable(), writable: this.#makeWritable() };
    if (session.state === 'closed') this.#onClose({ code: 1006, reason: '', error: closedError() });
    Promise.resolve(session.ready).then(
      () => this.#opened.resolve({ ...streams, protocol: '', extensions: '' }),
      this.#opened.reject,
    );
  }

  /** Not awaited by who calls it: the end shows in `closed`. */
  close(): void {
    this.#session.close().catch(() => {});
  }

  #makeReadable(): ReadableStream<Data> {
    return new ReadableStream<Data>(
      {
        start: (controller) => {
          this.#reader = controller;
        },
        pull: async (controller) => {
          const { done, value } = await this.#messages.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: () => {
          this.close();
          // Not awaited: behind a message that is being waited for it settles with the session.
          this.#messages.return?.().catch(() => {});
        },
      },
      // Nothing is read ahead: what the session has handed over is acknowledged, and lost if nobody takes it.
      { highWaterMark: 0 },
    );
  }

  #makeWritable(): WritableStream<Data> {
    return new WritableStream<Data>({
      start: (controller) => {
        this.#writer = controller;
      },
      write: async (chunk) => {
        await this.#session.send(chunk);
      },
      close: async () => {
        await this.#session.close();
      },
      abort: () => this.close(),
    });
  }

  readonly #onClose = ({ code, reason, error }: SessionEnd): void => {
    this.#forget();
    if (error === undefined) this.#closed.resolve({ closeCode: code, reason });
    else this.#closed.reject(error);
    this.#opened.reject(error ?? closedError());
    // What has come can still be read: the iterator tells the reader how it ended.
    this.#writer.error(error ?? notWritable());
  };

  /** A stream has no gaps: the new session is none of its business. */
  readonly #onLost = ({ reason }: { reason: string }): void => {
    this.#forget();
    const error = lostError(reason);
    this.#closed.reject(error);
    this.#reader.error(error);
    this.#writer.error(error);
    this.close();
  };

  #forget(): void {
    this.#session.off('close', this.#onClose);
    this.#session.off('sessionlost', this.#onLost);
  }
}
