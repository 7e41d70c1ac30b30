// A socket of Node as a pair of WHATWG streams. While nobody reads the socket is paused, so that TCP holds the peer back; while
// it has much to write, the writer waits.

import type { Data } from './link.js';
import { quietDeferred } from './quiet.js';
import {
  type CloseInfo,
  type MessageStreams,
  notWritable,
  type OpenedStreams,
  WebSocketError,
} from './stream-view.js';

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

/** `readyState` of an open WebSocket, and of one that is gone. */
const OPEN = 1;
const CLOSED = 3;

/** Bytes that may wait for the operating system before `write()` makes the producer wait. */
const WRITE_AHEAD_BYTES = 65_536;

export class SocketStreams implements MessageStreams {
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
