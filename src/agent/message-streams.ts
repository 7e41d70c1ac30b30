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
  return socketStreams(source);
}

function socketStreams(socket: StreamableSocket): MessageStreams {
  const opened = quietDeferred<OpenedStreams>();
  const closed = quietDeferred<Required<CloseInfo>>();
  let reader!: ReadableStreamDefaultController<Data>;
  let writer!: WritableStreamDefaultController;
  let isCancelled = false;
  let failure: Error | undefined;
  let cause: Error | undefined;

  const readable = new ReadableStream<Data>({
    start: (controller) => {
      reader = controller;
    },
    pull: () => {
      // What had come before the failure has been read now.
      if (failure !== undefined) reader.error(failure);
      else if (socket.isPaused) socket.resume();
    },
    cancel: (reason) => {
      isCancelled = true;
      closeBecause(socket, reason);
      // For the peer's Close frame; messages before it are dropped.
      socket.resume();
    },
  });
  const writable = new WritableStream<Data>({
    start: (controller) => {
      writer = controller;
    },
    write: (chunk) => write(socket, chunk),
    close: async () => {
      socket.close();
      await closed.promise;
    },
    abort: (reason) => closeBecause(socket, reason),
  });

  const onOpen = (): void => {
    const { protocol, extensions } = socket;
    opened.resolve({ readable, writable, protocol, extensions });
  };
  const onMessage = (data: Uint8Array, isBinary: boolean): void => {
    if (isCancelled) return;
    reader.enqueue(isBinary ? data : utf8.decode(data));
    if (reader.desiredSize! <= 0 && !socket.isPaused) socket.pause();
  };
  const onError = (error: Error): void => {
    cause = error;
  };
  const onClose = (code: number, reasonBytes: Uint8Array): void => {
    for (const [name, listener] of Object.entries(listeners)) socket.off(name, listener);
    const reason = utf8.decode(reasonBytes);
    // RFC 6455 §7.1.5: 1006 is for connections that end without the peer's Close frame.
    if (code === 1006 || cause !== undefined) {
      failure = new WebSocketError(
        cause?.message ?? 'The connection was lost',
        { closeCode: code, reason },
        cause,
      );
      opened.reject(failure);
      closed.reject(failure);
      if (reader.desiredSize! > 0) reader.error(failure);
      writer.error(failure);
    } else {
      closed.resolve({ closeCode: code, reason });
      if (!isCancelled) reader.close();
      writer.error(notWritable());
    }
  };
  const listeners = { open: onOpen, message: onMessage, error: onError, close: onClose };

  for (const [name, listener] of Object.entries(listeners)) socket.on(name, listener);
  // The other forms of binary messages are none that a stream can promise.
  socket.binaryType = 'nodebuffer';
  if (socket.readyState === OPEN) onOpen();
  else if (socket.readyState === CLOSED) onClose(1006, new Uint8Array());
  return {
    url: socket.url ?? '',
    opened: opened.promise,
    closed: closed.promise,
    close: (info) => closeSocket(socket, info),
  };
}

/** Not text from the start of which a byte order mark is taken: a message is handed over as it is. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

async function write(socket: StreamableSocket, chunk: Data): Promise<void> {
  if (socket.readyState !== OPEN) throw notWritable();
  await new Promise<void>((resolve, reject) => {
    socket.send(chunk, (error) => (error ? reject(error) : resolve()));
    // Small messages need not wait for each other: they leave together.
    if (socket.bufferedAmount <= WRITE_AHEAD_BYTES) resolve();
  });
}

function closeSocket(socket: StreamableSocket, { closeCode, reason = '' }: CloseInfo = {}): void {
  // A Close frame has no reason without a code (RFC 6455 §5.5.1).
  if (closeCode === undefined && reason === '') socket.close();
  else socket.close(closeCode ?? 1000, reason);
}

/** Closes with the code of a WebSocketError, ours or the platform's, and without one for any other reason. */
function closeBecause(socket: StreamableSocket, reason: unknown): void {
  const { closeCode, reason: text } = (reason ?? {}) as Partial<WebSocketError>;
  try {
    if (typeof closeCode === 'number') closeSocket(socket, { closeCode, reason: String(text ?? '') });
  } catch {
    // A code that must not be sent.
  }
  socket.close();
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
  return {
    url: String(session.url ?? ''),
    opened: opened.promise,
    closed: closed.promise,
    close,
  };
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
