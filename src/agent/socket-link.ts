// Makes links of WebSockets: of those with the face of `ws` (hawser's own), which tell more, and of those with the standard's
// face (a browser's, Node's, undici's), which tell less.

import { parseRetryAfter } from './backoff.js';
import type { Connect, Data, Link, LinkEnd, LinkHandler } from './link.js';

/** What is used of a WebSocket with the face of `ws`. */
export interface NodeWebSocket {
  binaryType: string;
  readonly protocol: string;
  readonly bufferedAmount: number;
  on(event: string, listener: (...args: never[]) => void): unknown;
  send(data: Data): void;
  ping(): void;
  pause(): void;
  resume(): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  /** Where the count of bytes is, if the connection is open. */
  readonly _socket?: { readonly bytesRead?: number } | null;
}

/** What is used of a WebSocket with the standard's face (WHATWG WebSockets §3). */
export interface StandardWebSocket {
  binaryType: string;
  readonly protocol: string;
  readonly bufferedAmount: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string | (Uint8Array & { buffer: ArrayBuffer })): void;
  close(code?: number, reason?: string): void;
}

/** The class of such WebSockets. */
export type WebSocketClass = new (
  url: string,
  protocols?: never,
  options?: never,
) => NodeWebSocket | StandardWebSocket;

/** A link over a WebSocket whose handshake is done, or under way. */
export function linkOf(socket: NodeWebSocket | StandardWebSocket): Link {
  return 'on' in socket ? new NodeLink(socket) : new StandardLink(socket);
}

/**
 * How to connect with a class of WebSockets.
 *
 * @param socketOptions for a class with the face of `ws`, handed on to its constructor
 */
export function connectWith(WebSocket: WebSocketClass, socketOptions: object = {}): Connect {
  const isNodeStyle = typeof (WebSocket.prototype as Partial<NodeWebSocket>).on === 'function';
  return ({ url, subprotocols, headers, timeoutMs, maxPayload }) => {
    const options = { maxPayload, ...socketOptions, headers, handshakeTimeout: timeoutMs };
    if (isNodeStyle) return linkOf(new WebSocket(url, subprotocols as never, options as never));
    if (Object.keys(headers).length === 0) return linkOf(new WebSocket(url, subprotocols as never));
    if (globalThis.process?.versions?.node === undefined) {
      throw new TypeError(
        'a browser sends no headers of ours with a WebSocket: put them into the URL or a cookie',
      );
    }
    // Node's own WebSocket, and undici's.
    return linkOf(new WebSocket(url, { protocols: subprotocols, headers } as never));
  };
}

class NodeLink implements Link {
  handler: LinkHandler | undefined;
  readonly #socket: NodeWebSocket;
  readonly #end: LinkEnd = { code: 1006, reason: '' };

  constructor(socket: NodeWebSocket) {
    this.#socket = socket;
    socket.binaryType = 'nodebuffer';
    socket.on('open', () => this.handler?.onOpen?.());
    socket.on('message', (data: Uint8Array, isBinary: boolean) => {
      // A Buffer, of which this is the text.
      this.handler?.onMessage(isBinary ? data : data.toString());
    });
    socket.on('drain', () => this.handler?.onDrain?.());
    socket.on('error', (error: Error) => {
      this.#end.error ??= error;
    });
    socket.on('unexpected-response', (_request: never, response: RefusedResponse) =>
      this.#onRefused(response),
    );
    socket.on('close', (code: number, reason: Uint8Array) => {
      const { handler } = this;
      this.handler = undefined;
      // Where we refused what came, the code that we sent: the same message would come again over every connection.
      const { closeCode = code } = (this.#end.error ?? {}) as { closeCode?: number };
      handler?.onEnd({ ...this.#end, code: closeCode, reason: reason.toString() });
    });
  }

  get subprotocol(): string {
    return this.#socket.protocol;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  /** Bytes and not messages: a large one that takes long to arrive is a sign of life, too, and so is a Pong. */
  get activity(): number {
    return this.#socket._socket?.bytesRead ?? 0;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  readonly ping = (): void => this.#socket.ping();

  send(data: Data): void {
    this.#socket.send(data);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  release(): void {
    this.handler = undefined;
    this.#socket.terminate();
  }

  #onRefused({ statusCode, headers }: RefusedResponse): void {
    const retryAfter = headers['retry-after'];
    const retryAfterMs = retryAfter === undefined ? undefined : parseRetryAfter(retryAfter, Date.now());
    if (statusCode !== undefined) this.#end.status = statusCode;
    if (retryAfterMs !== undefined) this.#end.retryAfterMs = retryAfterMs;
    this.#socket.terminate();
  }
}

/** What is used of an `http.IncomingMessage`. */
interface RefusedResponse {
  statusCode?: number;
  headers: Record<string, string | undefined>;
}

class StandardLink implements Link {
  handler: LinkHandler | undefined;
  readonly ping = undefined;
  /** Counts messages: nothing smaller is told. */
  activity = 0;
  readonly #socket: StandardWebSocket;
  #hasOpened = false;

  constructor(socket: StandardWebSocket) {
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.#hasOpened = true;
      this.handler?.onOpen?.();
    };
    socket.onmessage = ({ data }: { data: string | ArrayBuffer }) => {
      this.activity++;
      this.handler?.onMessage(typeof data === 'string' ? data : new Uint8Array(data));
    };
    // 'close' follows and tells as much; but in Node 22 nothing follows a handshake that failed.
    socket.onerror = () => {
      if (!this.#hasOpened) this.#end(1006, '');
    };
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => this.#end(code, reason);
  }

  get subprotocol(): string {
    return this.#socket.protocol;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: Data): void {
    this.#socket.send(data as Parameters<StandardWebSocket['send']>[0]);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  release(): void {
    this.handler = undefined;
    this.#socket.close();
  }

  #end(code: number, reason: string): void {
    const { handler } = this;
    this.handler = undefined;
    handler?.onEnd({ code, reason });
  }
}
