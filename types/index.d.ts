// The types of hawser, CommonJS form: what `require('hawser')` returns. `index.d.mts` is the same for `import`.
// Written by hand. Every program that compiles against @types/ws 8.18 compiles against these unchanged; comments that
// begin with `Compat:` say where a plainer type would have broken one.

/// <reference types="node" />

import { EventEmitter } from 'events';
import {
  Agent,
  ClientRequest,
  ClientRequestArgs,
  Server as HTTPServer,
  IncomingMessage,
  OutgoingHttpHeaders,
} from 'http';
import { Server as HTTPSServer } from 'https';
import { createConnection } from 'net';
import { Duplex, DuplexOptions, Writable } from 'stream';
import { SecureContextOptions } from 'tls';
import { URL } from 'url';
import { ZlibOptions } from 'zlib';

/** What `send()` takes: text, bytes in any container, and objects that `Buffer.from()` understands. */
type Sendable =
  | string
  | number
  | Buffer
  | Uint8Array
  | ArrayBufferView
  | DataView
  | ArrayBuffer
  | SharedArrayBuffer
  | Blob
  | readonly number[]
  | readonly any[]
  | { valueOf(): ArrayBuffer }
  | { valueOf(): SharedArrayBuffer }
  | { valueOf(): Uint8Array }
  | { valueOf(): readonly number[] }
  | { valueOf(): string }
  | { [Symbol.toPrimitive](hint: string): string };

/**
 * One WebSocket connection (RFC 6455), seen from either end. Clients construct it; servers get it from
 * {@link WebSocket.Server}. It is an `EventEmitter`; {@link WebSocket.Events} lists the events.
 *
 * @example
 * ```ts
 * const socket = new WebSocket('ws://127.0.0.1:8787/echo');
 * socket.on('open', () => socket.send('hello'));
 * socket.on('message', (data, isBinary) => console.log(isBinary ? data : data.toString()));
 * ```
 */
declare class WebSocket extends EventEmitter {
  /** `readyState` until the opening handshake is done. */
  static readonly CONNECTING: 0;
  /** `readyState` while messages can be sent. */
  static readonly OPEN: 1;
  /** `readyState` once the closing handshake has begun, by either side. */
  static readonly CLOSING: 2;
  /** `readyState` after the end; also when the connection never came about. */
  static readonly CLOSED: 3;

  /**
   * What happens when a connection fails and nobody listens to its `'error'` event. `false` (the default): the failure
   * shows in `'close'` and nowhere else. `true`: the process gets an uncaught exception, as it does with npm `ws`.
   * Each connection reads it when it fails, unless its own option of the same name was given.
   */
  static crashOnUnhandledError: boolean;

  /** Same as {@link WebSocket.CONNECTING}. */
  readonly CONNECTING: 0;
  /** Same as {@link WebSocket.OPEN}. */
  readonly OPEN: 1;
  /** Same as {@link WebSocket.CLOSING}. */
  readonly CLOSING: 2;
  /** Same as {@link WebSocket.CLOSED}. */
  readonly CLOSED: 3;

  /** Bytes handed to `send()`, `ping()`, `pong()` or `close()` that have not reached the operating system yet. */
  readonly bufferedAmount: number;
  /** Names of the extensions in use, separated by commas: `''` or `'permessage-deflate'`. */
  readonly extensions: string;
  /** True between {@link WebSocket.pause} and {@link WebSocket.resume}. */
  readonly isPaused: boolean;
  /** The subprotocol that the server selected (RFC 6455 §1.9), `''` when there is none. */
  readonly protocol: string;
  /** Where the connection stands: 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState:
    | typeof WebSocket.CONNECTING
    | typeof WebSocket.OPEN
    | typeof WebSocket.CLOSING
    | typeof WebSocket.CLOSED;
  /** The URL of the connection, after redirects; `undefined` at run time on the server's side. */
  readonly url: string;

  /**
   * Size in bytes above which an incoming message is refused with status code 1009; 0 means no limit. May be set at any
   * time, for instance raised once a peer has authenticated; it holds from the next frame on.
   *
   * @throws RangeError when it is set to anything but a whole number that is not negative
   */
  maxPayload: number;
  /** True once Close frames went both ways (RFC 6455 §7.1.4). */
  readonly wasClean: boolean;

  /** Handler of `'open'` in the manner of browsers; only functions are accepted, anything else clears it. */
  onopen: ((event: WebSocket.Event) => void) | null;
  /** Handler of `'error'` in the manner of browsers. */
  onerror: ((event: WebSocket.ErrorEvent) => void) | null;
  /** Handler of `'close'` in the manner of browsers. */
  onclose: ((event: WebSocket.CloseEvent) => void) | null;
  /** Handler of `'message'` in the manner of browsers; text arrives as a string here. */
  onmessage: ((event: WebSocket.MessageEvent) => void) | null;

  /**
   * Makes an object for a server's side that has no connection yet. `setSocket`, which is private, gives it one.
   */
  constructor(address: null);
  /**
   * Starts to connect (RFC 6455 §4.1). The result shows in `'open'`, or in `'error'` and `'close'`.
   *
   * @param address `ws:`, `wss:`, `http:`, `https:` or `ws+unix:` URL
   * @throws SyntaxError when the URL or a subprotocol is malformed
   * @throws RangeError when `protocolVersion` is neither 8 nor 13
   */
  constructor(address: string | URL, options?: WebSocket.ClientOptions | ClientRequestArgs);
  /**
   * Starts to connect and offers subprotocols.
   *
   * @param protocols names in order of preference (RFC 6455 §1.9)
   */
  constructor(
    address: string | URL,
    protocols?: string | string[],
    options?: WebSocket.ClientOptions | ClientRequestArgs,
  );

  /**
   * Starts the closing handshake (RFC 6455 §7.1.2). While connecting it gives the attempt up. A peer that does not
   * answer within `closeTimeout` is cut off. Use {@link WebSocket.closed} to wait for the end.
   *
   * @param code 1000-1003, 1007-1014 or 3000-4999; without it the Close frame is empty and the peer sees 1005
   * @param data reason, at most 123 bytes as UTF-8
   * @throws TypeError for a code outside those ranges; RangeError for a reason that is too long
   */
  close(code?: number, data?: string | Uint8Array): void;
  /**
   * Sends a Ping frame (RFC 6455 §5.5.2). {@link WebSocket.pinged} also waits for the answer.
   *
   * @param data at most 125 bytes
   * @param mask whether the frame is masked; leave it out: clients mask and servers do not (§5.1)
   * @param cb called when the frame was written or could not be; on success its argument is `null` at run time
   * @throws Error while connecting; RangeError for more than 125 bytes
   */
  ping(cb: (err: Error) => void): void;
  // Compat: one signature for both positions of the callback, so that subclasses may override the three-argument form.
  ping(data?: any, mask?: boolean | ((err: Error) => void), cb?: (err: Error) => void): void;
  /**
   * Sends a Pong frame without having been asked (RFC 6455 §5.5.3). Answers to Pings are sent by themselves unless
   * `autoPong` is off. Arguments and errors as in {@link WebSocket.ping}.
   */
  pong(cb: (err: Error) => void): void;
  pong(data?: any, mask?: boolean | ((err: Error) => void), cb?: (err: Error) => void): void;
  /**
   * Sends one message. Strings and numbers become text; everything else becomes binary unless `options.binary` says
   * otherwise. Bytes are not copied: leave them alone until the callback.
   *
   * @param cb called once the message was handed to the operating system, or with the error that prevented it; on success
   *   the argument is `null` at run time (`undefined` in this type, because programs were written against that)
   * @throws Error while connecting; TypeError for data that has no bytes, such as `true` or `{}`
   */
  send(data: Sendable, cb?: (err?: Error) => void): void;
  send(data: Sendable, options: WebSocket.SendOptions, cb?: (err?: Error) => void): void;
  /** Cuts the connection without a closing handshake; `'close'` follows with code 1006. Prefer `close()`. */
  terminate(): void;
  /**
   * Stops reading from the peer, whose TCP window then fills. Messages that were received already may still be emitted.
   * Does nothing while connecting or after the end.
   */
  pause(): void;
  /** Undoes {@link WebSocket.pause}. */
  resume(): void;

  /**
   * Sends one message like {@link WebSocket.send} and resolves when it was handed to the operating system.
   *
   * @returns a promise that rejects with what `send()` would throw or hand to its callback
   * @example
   * ```ts
   * for (const row of rows) await socket.sent(JSON.stringify(row)); // never more than one message buffered
   * ```
   */
  sent(data: Sendable, options?: WebSocket.SendOptions): Promise<void>;
  /**
   * Sends a Ping and waits for its Pong (RFC 6455 §5.5.3).
   *
   * @param data at most 125 bytes; without it a payload is chosen that tells this Ping from others
   * @returns the round trip in milliseconds; rejects when the connection ends first or was not open
   */
  pinged(data?: string | Uint8Array): Promise<number>;
  /**
   * Does what {@link WebSocket.close} does, and waits for the end of the connection, however it comes. Resolves at once
   * when the connection is closed already.
   *
   * @returns how the connection ended; rejects only where `close()` would throw
   */
  closed(code?: number, reason?: string | Uint8Array): Promise<WebSocket.CloseResult>;
  /**
   * Adds a listener in the manner of browsers. The other events exist only for `on()`.
   *
   * @param options `once` removes the listener after its first call
   */
  addEventListener<K extends keyof WebSocket.WebSocketEventMap>(
    type: K,
    listener:
      | ((event: WebSocket.WebSocketEventMap[K]) => void)
      | { handleEvent(event: WebSocket.WebSocketEventMap[K]): void },
    options?: WebSocket.EventListenerOptions,
  ): void;
  /** Removes what `addEventListener()` added. */
  removeEventListener<K extends keyof WebSocket.WebSocketEventMap>(
    type: K,
    listener:
      | ((event: WebSocket.WebSocketEventMap[K]) => void)
      | { handleEvent(event: WebSocket.WebSocketEventMap[K]): void },
  ): void;

  on<E extends keyof WebSocket.Events>(
    event: E,
    listener: (this: WebSocket, ...args: WebSocket.Events[E]) => void,
  ): this;
  on(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;
  once<E extends keyof WebSocket.Events>(
    event: E,
    listener: (this: WebSocket, ...args: WebSocket.Events[E]) => void,
  ): this;
  once(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;
  off<E extends keyof WebSocket.Events>(
    event: E,
    listener: (this: WebSocket, ...args: WebSocket.Events[E]) => void,
  ): this;
  off(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;
  addListener<E extends keyof WebSocket.Events>(
    event: E,
    listener: (this: WebSocket, ...args: WebSocket.Events[E]) => void,
  ): this;
  addListener(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;
  removeListener<E extends keyof WebSocket.Events>(
    event: E,
    listener: (this: WebSocket, ...args: WebSocket.Events[E]) => void,
  ): this;
  removeListener(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;
}

// Compat: inherited, because `import * as WebSocket` under esModuleInterop loses members of its own that symbols name.
interface Asynchronous {
  /**
   * Reads messages one at a time. While the loop's body runs, the peer is held back through TCP, so a slow reader costs
   * no memory. The loop ends with the connection and throws its error if it failed; leaving the loop early closes it.
   * Do not mix with `'message'` listeners that must see everything.
   *
   * @example
   * ```ts
   * for await (const { data, isBinary } of socket) await store(data, isBinary);
   * ```
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<WebSocket.Message>;
  /** Closes the connection and waits for its end, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

// Compat: in an interface, so that a subclass may still declare `binaryType` as a property.
interface WebSocket extends Asynchronous {
  /**
   * The form in which `'message'` hands out binary messages: `'nodebuffer'` (the default) one Buffer, `'arraybuffer'`,
   * `'fragments'` one Buffer for each frame of the message, `'blob'`. Text is a Buffer in any case.
   */
  get binaryType(): 'nodebuffer' | 'arraybuffer' | 'fragments';
  // Compat: 'blob' can be set; reading does not name it, because exhaustive programs know three values.
  set binaryType(type: 'nodebuffer' | 'arraybuffer' | 'fragments' | 'blob');
}

declare const WebSocketAlias: typeof WebSocket;
interface WebSocketAlias extends WebSocket {}

declare namespace WebSocket {
  /**
   * Payload of a message as `'message'` hands it out. A listener that set `binaryType = 'blob'` may declare its
   * parameter as `RawData | Blob`.
   */
  type RawData = Buffer | ArrayBuffer | Buffer[];

  /** Payload of a message in a {@link MessageEvent}, where text is a string. */
  type Data = string | Buffer | ArrayBuffer | Buffer[];

  /** Certificate or key material. */
  type CertMeta = string | string[] | Buffer | Buffer[];

  /** The events of a connection and what their listeners get. */
  interface Events {
    /** The opening handshake is done; messages can be sent. */
    open: [];
    /** A whole message came. Text is a Buffer with `isBinary` false; its UTF-8 has been checked (RFC 6455 §8.1). */
    message: [data: RawData, isBinary: boolean];
    /**
     * The connection is over; always the last event. `code` is the peer's (RFC 6455 §7.1.5): 1005 when its Close frame had
     * none, 1006 when there was no Close frame.
     */
    close: [code: number, reason: Buffer];
    /**
     * The attempt to connect failed, or the peer broke a rule; `'close'` follows. Errors that a peer caused carry a
     * `code` that begins with `WS_ERR_`.
     */
    error: [error: Error];
    /** A Ping came; the Pong has been sent already unless `autoPong` is off. */
    ping: [data: Buffer];
    /** A Pong came. */
    pong: [data: Buffer];
    /** The socket had more to write than it wants to buffer, and has written it: time to send more. */
    drain: [];
    /** Client: the response to the handshake came, nothing of it has been checked yet. */
    upgrade: [response: IncomingMessage];
    /** Client: a redirect is about to be followed. */
    redirect: [url: string, request: ClientRequest];
    /**
     * Client: the server did not answer with status 101. With a listener the response is the listener's business, and
     * the connection stays in CONNECTING until the request is aborted.
     */
    'unexpected-response': [request: ClientRequest, response: IncomingMessage];
  }

  /** One message, as a `for await` loop gets it. */
  interface Message {
    /** The payload in the form that `binaryType` names; a Buffer of UTF-8 for text. */
    data: RawData;
    /** False for text. */
    isBinary: boolean;
  }

  /** How a connection ended. */
  interface CloseResult {
    /** Status code of the peer's Close frame; 1005 when it had none, 1006 when there was none. */
    code: number;
    /** Reason in the peer's Close frame, `''` when there is none. */
    reason: string;
    /** True when Close frames went both ways (RFC 6455 §7.1.4). */
    wasClean: boolean;
  }

  /** How one message is framed. */
  interface SendOptions {
    /** Opcode of the message: true binary, false text. Without it the type of the data decides. */
    binary?: boolean | undefined;
    /** Compress if permessage-deflate is in use; true unless set. */
    compress?: boolean | undefined;
    /** False when more fragments of the same message follow (RFC 6455 §5.4); true unless set. */
    fin?: boolean | undefined;
    /** Mask the payload; leave it out: clients mask and servers do not (RFC 6455 §5.1). */
    mask?: boolean | undefined;
  }

  /** Finds peers that are gone without having said so: Pings, and an end to the connection when nothing comes back. */
  interface HeartbeatOptions {
    /** Milliseconds between two Pings (RFC 6455 §5.5.2). */
    intervalMs: number;
    /**
     * Milliseconds after a Ping in which some byte of the peer has to arrive, or else it is cut off and `'close'` says
     * 1006; `intervalMs` unless set.
     */
    timeoutMs?: number | undefined;
  }

  /**
   * Decides whether a handshake is accepted. An `async` function works too: its promise is waited for. (In npm `ws` any
   * promise is a yes.)
   */
  type VerifyClientCallbackSync<Request extends IncomingMessage = IncomingMessage> = (info: {
    /** The `Origin` header field (`Sec-WebSocket-Origin` in version 8). */
    origin: string;
    /** True when the request came over TLS. */
    secure: boolean;
    req: Request;
  }) => boolean;

  /**
   * Decides whether a handshake is accepted, and says so through `callback`. The number of parameters of the function
   * tells it from the other form: declare both.
   */
  type VerifyClientCallbackAsync<Request extends IncomingMessage = IncomingMessage> = (
    info: { origin: string; secure: boolean; req: Request },
    /** `code` is the HTTP status of a refusal, 401 unless given. */
    callback: (res: boolean, code?: number, message?: string, headers?: OutgoingHttpHeaders) => void,
  ) => void;

  /** Last touch on the handshake request. It must call `request.end()`, now or later. */
  type FinishRequestCallback = (request: ClientRequest, websocket: WebSocket) => void;

  /** Options of a client. What is not named here goes to `http.request()` or `https.request()`. */
  interface ClientOptions extends SecureContextOptions {
    /** Ignored; the URL's scheme decides. Kept because programs set it. */
    protocol?: string | undefined;
    /** Subprotocols, when the constructor's argument of that name is left out. */
    protocols?: string | string[] | undefined;
    /** Follow redirects (RFC 6455 §4.1); false unless set. */
    followRedirects?: boolean | undefined;
    /** Fills the 4 bytes of a masking key. Must be unpredictable (RFC 6455 §10.3); only for tests. */
    generateMask?(mask: Buffer): void;
    /** Milliseconds for the opening handshake; a redirect starts them anew. No limit unless set. */
    handshakeTimeout?: number | undefined;
    /** Milliseconds that the peer has to finish the closing handshake; 30000 unless set. */
    closeTimeout?: number | undefined;
    /** How many redirects are followed; 10 unless set. */
    maxRedirects?: number | undefined;
    /** Offer permessage-deflate (RFC 7692); true unless set. */
    perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
    localAddress?: string | undefined;
    /** `Sec-WebSocket-Version`: 13, or 8 for servers of 2011. */
    protocolVersion?: number | undefined;
    /** Additional header fields of the request. */
    headers?: { [key: string]: string } | undefined;
    /** Value of the `Origin` header field; not sent unless set. */
    origin?: string | undefined;
    agent?: Agent | undefined;
    host?: string | undefined;
    family?: number | undefined;
    checkServerIdentity?(servername: string, cert: CertMeta): boolean;
    rejectUnauthorized?: boolean | undefined;
    /** Emit all messages of one read in one tick; true unless set. False: one message in each turn of the event loop. */
    allowSynchronousEvents?: boolean | undefined;
    /** Answer Pings; true unless set. */
    autoPong?: boolean | undefined;
    /** Pongs that may wait to be written before the peer, which does not read them, is cut off; 60 unless set, 0: any. */
    maxPendingAutoPongs?: number | undefined;
    /** Largest message in bytes; 104857600 (100 MiB) unless set, 0: any size. See {@link WebSocket.maxPayload}. */
    maxPayload?: number | undefined;
    /** Most chunks that one message may arrive in; no limit unless set, because bytes are bounded already. */
    maxBufferedChunks?: number | undefined;
    /** Most frames that one message may have; no limit unless set, because bytes are bounded already. */
    maxFragments?: number | undefined;
    /** Do not check that text is UTF-8; false unless set. Breaks RFC 6455 §8.1. */
    skipUTF8Validation?: boolean | undefined;
    createConnection?: typeof createConnection | undefined;
    finishRequest?: FinishRequestCallback | undefined;
    /** Send Pings and cut off a peer that does not answer; off unless set. */
    heartbeat?: HeartbeatOptions | undefined;
    /** Aborting it gives up a connection that is not open yet: `'error'` with an AbortError, then `'close'` 1006. */
    signal?: AbortSignal | undefined;
    /** Overrides the static of the same name for this connection. */
    crashOnUnhandledError?: boolean | undefined;
  }

  /** permessage-deflate, both what is negotiated (RFC 7692 §7.1) and how it is done. */
  interface PerMessageDeflateOptions {
    /** The server starts each message with an empty window (§7.1.1.1). */
    serverNoContextTakeover?: boolean | undefined;
    /** The client starts each message with an empty window (§7.1.1.2). */
    clientNoContextTakeover?: boolean | undefined;
    /** Base-2 logarithm of the server's window, 8-15 (§7.1.2.1). */
    serverMaxWindowBits?: number | undefined;
    /** Base-2 logarithm of the client's window, 8-15 (§7.1.2.2). */
    clientMaxWindowBits?: number | undefined;
    /** Options of `zlib.createDeflateRaw()`. */
    zlibDeflateOptions?:
      | {
          flush?: number | undefined;
          finishFlush?: number | undefined;
          chunkSize?: number | undefined;
          windowBits?: number | undefined;
          level?: number | undefined;
          memLevel?: number | undefined;
          strategy?: number | undefined;
          dictionary?: Buffer | Buffer[] | DataView | undefined;
          info?: boolean | undefined;
        }
      | undefined;
    /** Options of `zlib.createInflateRaw()`. */
    zlibInflateOptions?: ZlibOptions | undefined;
    /** Messages below this size in bytes stay uncompressed where no context is kept; 1024 unless set. */
    threshold?: number | undefined;
    /** How many zlib jobs of the process may run in the thread pool at a time; 10 unless set, the first value counts. */
    concurrencyLimit?: number | undefined;
  }

  /** What `addEventListener()` listeners get for `'open'`. */
  interface Event {
    type: string;
    target: WebSocket;
  }

  /** What `addEventListener()` listeners get for `'error'`. */
  interface ErrorEvent {
    error: any;
    message: string;
    type: string;
    target: WebSocket;
  }

  /** What `addEventListener()` listeners get for `'close'`. */
  interface CloseEvent {
    /** True when Close frames went both ways. */
    wasClean: boolean;
    code: number;
    reason: string;
    type: string;
    target: WebSocket;
  }

  /** What `addEventListener()` listeners get for `'message'`. */
  interface MessageEvent {
    data: Data;
    type: string;
    target: WebSocket;
  }

  /** The events that `addEventListener()` knows. */
  interface WebSocketEventMap {
    open: Event;
    error: ErrorEvent;
    close: CloseEvent;
    message: MessageEvent;
  }

  interface EventListenerOptions {
    once?: boolean | undefined;
  }

  /** Options of a server. Exactly one of `port`, `server` and `noServer` must be given. */
  interface ServerOptions<
    U extends typeof WebSocket.WebSocket = typeof WebSocket.WebSocket,
    V extends typeof IncomingMessage = typeof IncomingMessage,
  > {
    /** Address to listen on, with `port`. */
    host?: string | undefined;
    /** Port to listen on; 0 lets the system choose. */
    port?: number | undefined;
    /** Length of the queue of connections that wait to be accepted, with `port`. */
    backlog?: number | undefined;
    /** A server of yours whose upgrade requests are taken; it is neither started nor closed. */
    server?: HTTPServer<V> | HTTPSServer<V> | undefined;
    /** Accept or refuse a handshake. Handling `'upgrade'` yourself with `noServer` is clearer. */
    verifyClient?:
      | VerifyClientCallbackAsync<InstanceType<V>>
      | VerifyClientCallbackSync<InstanceType<V>>
      | undefined;
    /** Select one of the subprotocols that the client offers, or none (`false`); the first unless set. */
    handleProtocols?: (protocols: Set<string>, request: InstanceType<V>) => string | false;
    /** Accept only this path; others are answered with status 400. */
    path?: string | undefined;
    /** Handshakes are handed in through `handleUpgrade()`. */
    noServer?: boolean | undefined;
    /** As in {@link ClientOptions.allowSynchronousEvents}. */
    allowSynchronousEvents?: boolean | undefined;
    /** As in {@link ClientOptions.autoPong}. */
    autoPong?: boolean | undefined;
    /** As in {@link ClientOptions.maxPendingAutoPongs}. */
    maxPendingAutoPongs?: number | undefined;
    /** Keep the open connections in `clients`; true unless set. */
    clientTracking?: boolean | undefined;
    /** Milliseconds that a client has to finish the closing handshake; 30000 unless set. */
    closeTimeout?: number | undefined;
    /** Accept permessage-deflate (RFC 7692); false unless set. */
    perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
    /** As in {@link ClientOptions.maxPayload}. */
    maxPayload?: number | undefined;
    /** As in {@link ClientOptions.maxBufferedChunks}. */
    maxBufferedChunks?: number | undefined;
    /** As in {@link ClientOptions.maxFragments}. */
    maxFragments?: number | undefined;
    /** As in {@link ClientOptions.skipUTF8Validation}. */
    skipUTF8Validation?: boolean | undefined;
    /** The class whose instances stand for connections; a subclass of {@link WebSocket}. */
    WebSocket?: U | undefined;
    /** Send Pings to every client and cut off the ones that do not answer; off unless set. */
    heartbeat?: HeartbeatOptions | undefined;
    /** Overrides the static of the same name for every connection of this server. */
    crashOnUnhandledError?: boolean | undefined;
  }

  interface AddressInfo {
    address: string;
    family: string;
    port: number;
  }

  /** How a message goes out to many clients. */
  interface BroadcastOptions<Client = WebSocket> {
    /** Which clients get the message; all that are open unless set. */
    filter?: ((client: Client) => boolean) | undefined;
    /** As in {@link SendOptions.binary}. */
    binary?: boolean | undefined;
    /** As in {@link SendOptions.compress}. */
    compress?: boolean | undefined;
  }

  /** How a server says goodbye. */
  interface ServerCloseOptions {
    /** Status code for the clients; 1001, going away, unless set. */
    code?: number | undefined;
    /** Reason for the clients, at most 123 bytes as UTF-8. */
    reason?: string | Uint8Array | undefined;
    /** Milliseconds after which clients that have not closed are cut off; 10000 unless set. */
    timeoutMs?: number | undefined;
  }

  /** The events of a server and what their listeners get. */
  interface ServerEvents<T extends typeof WebSocket.WebSocket, U extends typeof IncomingMessage> {
    /** A handshake is done. */
    connection: [websocket: InstanceType<T>, request: InstanceType<U>];
    /** The underlying server failed, for instance because the port is taken. */
    error: [error: Error];
    /** The response to a handshake is about to be sent; lines may be pushed to `headers`. */
    headers: [headers: string[], request: InstanceType<U>];
    /** A handshake broke a rule. With a listener, answering on `socket` is the listener's business. */
    wsClientError: [error: Error, socket: Duplex, request: InstanceType<U>];
    /** The server has closed. */
    close: [];
    /** The server accepts connections. */
    listening: [];
  }

  /**
   * A WebSocket server: one that listens itself, one on a `http` or `https` server of yours, or one that is handed
   * upgrade requests. The same class as `WebSocketServer`.
   *
   * @example
   * ```ts
   * const server = new WebSocketServer({ port: 8080 });
   * server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
   * ```
   */
  class Server<
    T extends typeof WebSocket.WebSocket = typeof WebSocket.WebSocket,
    U extends typeof IncomingMessage = typeof IncomingMessage,
  > extends EventEmitter {
    /** The options, defaults filled in. They are read at each handshake, so changes take effect. */
    options: ServerOptions<T, U>;
    /** Not set by the server; declared because programs set it. */
    path: string;
    /** The open connections; `undefined` at run time when `clientTracking` is false. */
    clients: Set<InstanceType<T>>;

    /**
     * @param callback called when the server listens; only with `port`
     * @throws TypeError unless exactly one of `port`, `server` and `noServer` is given
     */
    constructor(options?: ServerOptions<T, U>, callback?: () => void);

    /**
     * Where the server listens: an object, the path of a pipe or unix socket, or `null` when it does not.
     *
     * @throws Error with `noServer`
     */
    address(): AddressInfo | string | null;
    /**
     * Stops accepting handshakes. Connections stay open: close them yourself, or call `close({})` instead.
     *
     * @param cb called when the server has closed, with an error when it was not running
     */
    close(cb?: (err?: Error) => void): void;
    /**
     * Stops accepting handshakes, closes every connection, and waits until all have ended.
     *
     * @returns a promise that resolves when `'close'` is emitted; a client that does not close within `timeoutMs` is cut off
     */
    // Compat: subclasses override `close(cb)` alone, which the type parameter and the function in the union allow; the
    // signature that stands last is the one that `promisify()` and `Parameters<>` see.
    close<Done extends Promise<void> = Promise<void>>(
      options: ServerCloseOptions | ((err?: Error) => void) | undefined,
    ): Done;
    close(cb?: (err?: Error) => void): void;
    /**
     * Does the opening handshake (RFC 6455 §4.2) for a request that came elsewhere. It is answered here if refused.
     *
     * @param socket any duplex stream, usually the `socket` of an `'upgrade'` event
     * @param upgradeHead bytes that were read behind the request
     * @param callback gets the open connection; emitting `'connection'` is up to it
     * @throws Error when the same socket is handed in twice
     */
    handleUpgrade(
      request: InstanceType<U>,
      socket: Duplex,
      upgradeHead: Buffer,
      callback: (client: InstanceType<T>, request: InstanceType<U>) => void,
    ): void;
    /** Whether a request is for this server; compares the path. Override it for other rules. */
    shouldHandle(request: InstanceType<U>): boolean | Promise<boolean>;
    /**
     * Sends one message to every open client. It is framed once for all of them, which makes this much cheaper than a
     * loop over `clients`.
     *
     * @returns how many clients it was sent to
     * @throws TypeError as in {@link WebSocket.send}
     */
    broadcast(data: Exclude<Sendable, Blob>, options?: BroadcastOptions<InstanceType<T>>): number;
    /** Closes the server and its connections, for `await using`. */
    [Symbol.asyncDispose](): Promise<void>;

    on<E extends keyof ServerEvents<T, U>>(
      event: E,
      listener: (this: Server<T>, ...args: ServerEvents<T, U>[E]) => void,
    ): this;
    on(event: string | symbol, listener: (this: Server<T>, ...args: any[]) => void): this;
    once<E extends keyof ServerEvents<T, U>>(
      event: E,
      listener: (this: Server<T>, ...args: ServerEvents<T, U>[E]) => void,
    ): this;
    once(event: string | symbol, listener: (this: Server<T>, ...args: any[]) => void): this;
    off<E extends keyof ServerEvents<T, U>>(
      event: E,
      listener: (this: Server<T>, ...args: ServerEvents<T, U>[E]) => void,
    ): this;
    off(event: string | symbol, listener: (this: Server<T>, ...args: any[]) => void): this;
    addListener<E extends keyof ServerEvents<T, U>>(
      event: E,
      listener: (this: Server<T>, ...args: ServerEvents<T, U>[E]) => void,
    ): this;
    addListener(event: string | symbol, listener: (this: Server<T>, ...args: any[]) => void): this;
    removeListener<E extends keyof ServerEvents<T, U>>(
      event: E,
      listener: (this: Server<T>, ...args: ServerEvents<T, U>[E]) => void,
    ): this;
    removeListener(event: string | symbol, listener: (this: Server<T>, ...args: any[]) => void): this;
  }

  /** Same class as {@link Server}. */
  const WebSocketServer: typeof Server;
  interface WebSocketServer extends Server {}
  /** The class itself, for `const { WebSocket } = require('hawser')`. */
  const WebSocket: typeof WebSocketAlias;
  interface WebSocket extends WebSocketAlias {}

  /**
   * Wraps a connection in a duplex stream: messages are read as chunks, chunks are written as messages. Message
   * boundaries and the difference between text and binary are lost unless `readableObjectMode` is set; to keep them,
   * iterate over the connection instead.
   *
   * @param options `highWaterMark`, `encoding` and the like
   */
  function createWebSocketStream(websocket: WebSocket, options?: DuplexOptions): Duplex;

  // What follows is for libraries that frame messages themselves, such as the adapters of socket.io.

  /** Parameters of one extension: every value that was given for a name, `true` for a flag. */
  interface ExtensionParameters {
    [name: string]: Array<string | true>;
  }

  /** Extensions as `Sec-WebSocket-Extensions` lists them: each name with its offers, best first. */
  interface ExtensionOffers {
    [name: string]: ExtensionParameters[];
  }

  /** The `Sec-WebSocket-Extensions` header field (RFC 6455 §9.1). */
  const extension: {
    /** Writes the value of the header field. A parameter may be a single value instead of a list. */
    format(extensions: { [name: string]: ExtensionValues | ExtensionValues[] }): string;
    /** @throws SyntaxError for a value that does not follow the grammar; the message names the index. */
    parse(header: string): ExtensionOffers;
  };

  /** Parameters of one extension as {@link extension} writes them. */
  interface ExtensionValues {
    [name: string]: string | number | boolean | ReadonlyArray<string | number | boolean>;
  }

  /** The `Sec-WebSocket-Protocol` header field (RFC 6455 §11.3.4). */
  const subprotocol: {
    /** @throws SyntaxError for a value that does not follow the grammar, or names a subprotocol twice. */
    parse(header: string): Set<string>;
  };

  /** permessage-deflate for one connection (RFC 7692). */
  class PerMessageDeflate {
    static readonly extensionName: 'permessage-deflate';
    constructor(options?: PerMessageDeflateOptions & { isServer?: boolean; maxPayload?: number });
    /** The negotiated parameters, `null` before `accept()`. */
    params: { [name: string]: number | boolean } | null;
    /** The parameters that a client offers. */
    offer(): { [name: string]: number | boolean };
    /**
     * Takes the offers (server) or the response (client), and says what is agreed.
     *
     * @throws Error when they cannot be agreed to
     */
    accept(configurations: ExtensionParameters[]): { [name: string]: number | boolean };
    /** Compresses one frame's payload; `fin` as in the frame. */
    compress(
      data: Buffer | string,
      fin: boolean,
      callback: (err: Error | null, result?: Buffer) => void,
    ): void;
    /** Inflates one frame's payload, bounded by `maxPayload`; `fin` as in the frame. */
    decompress(data: Buffer, fin: boolean, callback: (err: Error | null, result?: Buffer) => void): void;
    /** Frees what zlib holds. */
    cleanup(): void;
  }

  /** A frame's header, as {@link Sender.frame} writes it. */
  interface FrameOptions {
    /** The opcode, 0-15 (RFC 6455 §5.2). */
    opcode: number;
    fin?: boolean | undefined;
    rsv1?: boolean | undefined;
    mask?: boolean | undefined;
    /** Fills the 4 bytes of the masking key. */
    generateMask?: ((mask: Buffer) => void) | undefined;
    /** Where the masking key is kept between frames. */
    maskBuffer?: Buffer | undefined;
    /** True when `data` must not be changed in place by masking. */
    readOnly?: boolean | undefined;
  }

  /** Writes frames to a stream. */
  class Sender {
    constructor(
      socket: Duplex,
      extensions?: { [name: string]: PerMessageDeflate },
      generateMask?: (mask: Buffer) => void,
    );
    /** Frames `data`: the header and the payload, or both in one Buffer. */
    static frame(data: Buffer | string, options: FrameOptions): Array<Buffer | string>;
    send(
      data: Sendable,
      options: { binary?: boolean; compress?: boolean; fin?: boolean; mask?: boolean },
      cb?: (err?: Error) => void,
    ): void;
    ping(data: Sendable, mask?: boolean, cb?: (err?: Error) => void): void;
    pong(data: Sendable, mask?: boolean, cb?: (err?: Error) => void): void;
    close(code?: number, data?: string | Uint8Array, mask?: boolean, cb?: (err?: Error) => void): void;
    /** Writes what {@link Sender.frame} made. */
    sendFrame(list: ReadonlyArray<Buffer | string>, cb?: (err?: Error) => void): void;
  }

  /** Reads frames: a writable stream that emits `'message'`, `'ping'`, `'pong'`, `'conclude'` and `'error'`. */
  class Receiver extends Writable {
    constructor(options?: {
      allowSynchronousEvents?: boolean;
      binaryType?: 'nodebuffer' | 'arraybuffer' | 'fragments' | 'blob';
      extensions?: { [name: string]: PerMessageDeflate };
      isServer?: boolean;
      /** 0, no limit, unless set; so are the next two. */
      maxPayload?: number;
      maxBufferedChunks?: number;
      maxFragments?: number;
      skipUTF8Validation?: boolean;
    });
  }
}

export = WebSocket;
