// A session, or a plain socket of Node, as a pair of WHATWG streams in the shape of the platform's `WebSocketStream`: one
// chunk is one message, and backpressure holds both ways. A socket is paused while nobody reads, so that TCP holds the
// peer back; a session leaves that to its window, and reconnecting, like all else, to itself.

import { SessionError } from './errors.js';
import type { Data } from './link.js';

/** How a connection ended, or is to end. */
export interface CloseInfo {
  /** 1000 or 3000-4999. */
  closeCode?: number;
  /** At most 123 bytes of UTF-8. */
  reason?: string;
}

export interface OpenedStreams {
  readable: ReadableStream<Data>;
  writable: WritableStream<Data>;
  /** The subprotocol in use, or the empty string. */
  protocol: string;
  extensions: string;
}

export interface MessageStreams {
  readonly url: string;
  /** Rejects when the connection never came about. */
  readonly opened: Promise<OpenedStreams>;
  /** Resolves with the peer's Close frame; rejects, as the streams fail, when the connection ended without one. */
  readonly closed: Promise<Required<CloseInfo>>;
  /** @throws TypeError, RangeError for a code or reason that cannot be sent */
  close(info?: CloseInfo): void;
}

/** A connection that ended other than by a closing handshake. Has the shape of the platform's class of that name. */
export class WebSocketError extends Error {
  override readonly name = 'WebSocketError';
  /** RFC 6455 §7.1.5; as a reason to cancel or abort, the code to close with. */
  readonly closeCode: number | undefined;
  readonly reason: string;

  constructor(message = '', { closeCode, reason = '' }: CloseInfo = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.closeCode = closeCode;
    this.reason = reason;
  }
}

/** What is needed of a socket: hawser's and npm `ws`'s have it. */
export interface StreamableSocket {
  readonly readyState: number;
  readonly url?: string | undefined;
  readonly protocol: string;
  readonly extensions: string;
  readonly bufferedAmount: number;
  readonly isPaused: boolean;
  binaryType: string;
  send(data: Data, callback: (error?: Error | null) => void): void;
  close(code?: number, reason?: string): void;
  pause(): void;
  resume(): void;
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: each event has its own arguments
type Listener = (...args: any[]) => void;

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
  off(event: 'close', listener: (end: SessionEnd) => void): unknown;
}

interface SessionEnd {
  code: number;
  reason: string;
  error?: Error | undefined;
}

/** `readyState` of an open WebSocket, and of one that is gone. */
const OPEN = 1;
const CLOSED = 3;

/** Bytes that may wait for the operating system before `write()` makes the producer wait. */
const WRITE_AHEAD_BYTES = 65_536;

/**
 * Streams over a session or a socket; whoever makes them leaves its messages, and its end, to them.
 *
 * Make them before the first message can come: in the listener of 'connection', or right after `new WebSocket()`. A
 * session says neither code nor reason when it ends, so that `close()` ignores both there.
 *
 * @throws TypeError for a socket that cannot be paused, such as a browser's
 * @example
 * ```ts
 * const { readable, writable } = await messageStreams(session).opened;
 * await readable.pipeThrough(translation).pipeTo(writable);
 * ```
 */
export function messageStreams(source: StreamableSession | StreamableSocket): MessageStreams {
  if (!('readyState' in source)) return sessionStreams(source);
  if (typeof source.pause !== 'function' || typeof source.resume !== 'function') {
    throw new TypeError(
      'This WebSocket has no pause() and resume(), so its messages would pile up: use a session, whose window holds the peer back',
    );
  }
  return new SocketStreams(source);
}

class SocketStreams implements MessageStreams {
  readonly url: string;
  readonly #opened = quietDeferred<OpenedStreams>();
  readonly opened = this.#opened.promise;
  readonly #closed = quietDeferred<Required<CloseInfo>>();
  readonly closed = this.#closed.promise;

  readonly #socket: StreamableSocket;
  readonly #readable: ReadableStream<Data>;
  readonly #writable: WritableStream<Data>;
  #reader!: ReadableStreamDefaultController<Data>;
  #writer!: WritableStreamDefaultController;
  #isCancelled = false;
  #error: Error | undefined;
  /** Waits for the reader to have read what came before. */
  #failure: WebSocketError | undefined;

  constructor(socket: StreamableSocket) {
    this.#socket = socket;
    this.url = socket.url ?? '';
    this.#readable = new ReadableStream<Data>({
      start: (controller) => {
        this.#reader = controller;
      },
      pull: () => this.#pull(),
      cancel: (reason) => this.#cancel(reason),
    });
    this.#writable = new WritableStream<Data>({
      start: (controller) => {
        this.#writer = controller;
      },
      write: (chunk) => write(socket, chunk),
      close: async () => {
        socket.close();
        await this.closed;
      },
      abort: (reason) => this.#closeBecause(reason),
    });
    this.#listen();
  }

  close({ closeCode, reason = '' }: CloseInfo = {}): void {
    // A Close frame has no reason without a code (RFC 6455 §5.5.1).
    if (closeCode === undefined && reason === '') this.#socket.close();
    else this.#socket.close(closeCode ?? 1000, reason);
  }

  #listen(): void {
    const socket = this.#socket;
    // The other forms of binary messages are none that a stream can promise.
    socket.binaryType = 'nodebuffer';
    for (const [name, listener] of Object.entries(this.#listeners)) socket.on(name, listener);
    if (socket.readyState === OPEN) this.#onOpen();
    else if (socket.readyState === CLOSED) this.#onClose(1006, new Uint8Array());
  }

  readonly #onOpen = (): void => {
    const { protocol, extensions } = this.#socket;
    this.#opened.resolve({ readable: this.#readable, writable: this.#writable, protocol, extensions });
  };

  readonly #onMessage = (data: Uint8Array, isBinary: boolean): void => {
    if (this.#isCancelled) return;
    this.#reader.enqueue(isBinary ? data : utf8.decode(data));
    if (this.#reader.desiredSize! <= 0 && !this.#socket.isPaused) this.#socket.pause();
  };

  readonly #onError = (error: Error): void => {
    this.#error = error;
  };

  readonly #onClose = (code: number, reasonBytes: Uint8Array): void => {
    for (const [name, listener] of Object.entries(this.#listeners)) this.#socket.off(name, listener);
    const reason = utf8.decode(reasonBytes);
    // RFC 6455 §7.1.5: 1006 is for connections that end without the peer's Close frame.
    if (code === 1006) {
      this.#fail(code, reason);
      return;
    }
    this.#closed.resolve({ closeCode: code, reason });
    if (!this.#isCancelled) this.#reader.close();
    this.#writer.error(notWritable());
  };

  readonly #listeners = {
    open: this.#onOpen,
    message: this.#onMessage,
    error: this.#onError,
    close: this.#onClose,
  };

  #fail(closeCode: number, reason: string): void {
    const message = this.#error?.message ?? 'The connection was lost';
    const failure = new WebSocketError(message, { closeCode, reason }, this.#error);
    this.#opened.reject(failure);
    this.#closed.reject(failure);
    this.#writer.error(failure);
    this.#failure = failure;
    if (this.#reader.desiredSize! > 0) this.#reader.error(failure);
  }

  /** The reader wants more, and nothing waits for it. */
  #pull(): void {
    if (this.#failure !== undefined) this.#reader.error(this.#failure);
    else if (this.#socket.isPaused) this.#socket.resume();
  }

  #cancel(reason: unknown): void {
    this.#isCancelled = true;
    this.#closeBecause(reason);
    // For the peer's Close frame; messages before it are dropped.
    this.#socket.resume();
  }

  /** With the code of a WebSocketError, ours or the platform's; without one for any other reason. */
  #closeBecause(reason: unknown): void {
    const { closeCode, reason: text } = (reason ?? {}) as Partial<WebSocketError>;
    try {
      this.close(typeof closeCode === 'number' ? { closeCode, reason: String(text ?? '') } : {});
    } catch {
      // A code that must not be sent.
      this.#socket.close();
    }
  }
}

/** Takes no byte order mark away: a message is handed over as it is. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

async function write(socket: StreamableSocket, chunk: Data): Promise<void> {
  if (socket.readyState !== OPEN) throw notWritable();
  await new Promise<void>((resolve, reject) => {
    socket.send(chunk, (error) => (error ? reject(error) : resolve()));
    // Small messages need not wait for each other: they leave together.
    if (socket.bufferedAmount <= WRITE_AHEAD_BYTES) resolve();
  });
}

function sessionStreams(session: StreamableSession): MessageStreams {
  const opened = quietDeferred<OpenedStreams>();
  const closed = quietDeferred<Required<CloseInfo>>();
  let writer!: WritableStreamDefaultController;
  /** For who does not wait for the end: it shows in `closed`. */
  const close = (): void => {
    session.close().catch(() => {});
  };

  const messages = session[Symbol.asyncIterator]();
  // Nothing is read ahead: what the session has handed over is acknowledged, and lost if nobody takes it.
  const readable = new ReadableStream<Data>(
    {
      pull: async (controller) => {
        const { done, value } = await messages.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => {
        close();
        // Not awaited: behind a message that is being waited for it settles with the session.
        messages.return?.().catch(() => {});
      },
    },
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<Data>({
    start: (controller) => {
      writer = controller;
    },
    write: async (chunk) => {
      await session.send(chunk);
    },
    close: async () => {
      await session.close();
    },
    abort: close,
  });

  const onClose = ({ code, reason, error }: SessionEnd): void => {
    session.off('close', onClose);
    if (error === undefined) closed.resolve({ closeCode: code, reason });
    else closed.reject(error);
    opened.reject(error ?? hasEnded());
    // What has come can still be read: the iterator tells the reader how it ended.
    writer.error(error ?? notWritable());
  };
  session.on('close', onClose);
  if (session.state === 'closed') onClose({ code: 1006, reason: '', error: hasEnded() });
  Promise.resolve(session.ready).then(
    () => opened.resolve({ readable, writable, protocol: '', extensions: '' }),
    opened.reject,
  );
  return { url: String(session.url ?? ''), opened: opened.promise, closed: closed.promise, close };
}

const hasEnded = (): Error => new SessionError('closed', 'The session has ended');

const notWritable = (): DOMException =>
  new DOMException('The connection is closed: it cannot be written to', 'InvalidStateError');

/** A promise that may be rejected without anybody having asked for it: a peer must not be able to end the process. */
function quietDeferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
