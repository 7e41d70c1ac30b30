// The WebSocket class: the face of `ws`, and what its users have been asking for besides. A client's opening handshake is
// in `opening-handshake.ts`, a server's in `websocket-server.ts`; the protocol itself is below, in `protocol/`.
//
// Names with an underscore are private, and yet other packages read or write them; they mean what they mean in `ws`.

import { EventEmitter } from 'node:events';
import type { ClientRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { outputBlock, platform } from '../io/platform.js';
import type { Broadcast } from '../protocol/broadcast.js';
import { LIMITS } from '../protocol/limits.js';
import type { MessageOptions, WriteCallback } from '../protocol/message-sender.js';
import { ReceiverFace, SenderFace } from './compat.js';
import {
  BINARY_TYPES,
  type BinaryType,
  CLOSED,
  CLOSING,
  CONNECTING,
  OPEN,
  READY_STATES,
  type ReadyState,
} from './constants.js';
import {
  addEventListener,
  EVENT_TYPES,
  getAttributeHandler,
  removeEventListener,
  setAttributeHandler,
} from './event-target.js';
import { checkHeartbeat, type HeartbeatOptions, watch } from './heartbeat.js';
import { iterateMessages, type Message } from './message-iterator.js';
import { abortOpeningHandshake, type ClientOptions, startOpeningHandshake } from './opening-handshake.js';
import type { SocketOptions } from './options.js';
import {
  byteLengthOf,
  checkCloseCode,
  checkControlLength,
  checkReason,
  EMPTY,
  isBlob,
  maskingKeyFrom,
  readBlob,
  toBytes,
} from './payload.js';
import type { PerMessageDeflate } from './permessage-deflate.js';
import { SocketOwner } from './socket-owner.js';

export interface SendOptions {
  binary?: boolean;
  compress?: boolean;
  fin?: boolean;
  mask?: boolean;
}

const TEXT_MESSAGE: MessageOptions = { isBinary: false, isFinal: true, compress: true };
const BINARY_MESSAGE: MessageOptions = { isBinary: true, isFinal: true, compress: true };

export class WebSocket extends EventEmitter {
  declare static readonly CONNECTING: 0;
  declare static readonly OPEN: 1;
  declare static readonly CLOSING: 2;
  declare static readonly CLOSED: 3;
  /** Whether an 'error' that nobody listens to is thrown into the process, for sockets without the option. */
  declare static crashOnUnhandledError: boolean;

  declare readonly CONNECTING: 0;
  declare readonly OPEN: 1;
  declare readonly CLOSING: 2;
  declare readonly CLOSED: 3;

  _isServer: boolean;
  _autoPong: boolean;
  _closeTimeout: number | undefined;
  _maxPendingAutoPongs: number | undefined;
  _extensions: Record<string, PerMessageDeflate | undefined> = {};
  _protocol = '';
  _url: string | undefined;
  _req: ClientRequest | null = null;
  _redirects = 0;
  declare _originalIpc: boolean;
  declare _originalSecure: boolean;
  declare _originalHostOrSocketPath: string | undefined;

  /** CONNECTING, OPEN until the end, CLOSED; CLOSING is told by the connection where there is one. */
  #state: ReadyState = CONNECTING;
  #owner: SocketOwner | undefined;
  #binaryType: BinaryType = 'nodebuffer';
  #isPaused = false;
  #refusedBytes = 0;
  #maxPayload: number | undefined;
  readonly #maxPayloadOption: number;
  #crashes: boolean | undefined;
  #heartbeat: HeartbeatOptions | undefined;
  #unwatch: (() => void) | undefined;
  #senderFace: SenderFace | undefined;

  /**
   * Connects to a server.
   *
   * @param address URL with the scheme ws, wss, http, https or ws+unix; `null` makes the server's end of a connection
   * @param protocols subprotocols to offer, in order of preference; may be left out
   * @throws SyntaxError when the URL or a subprotocol is not valid
   */
  constructor(address: string | URL | null, protocols?: unknown, options?: ClientOptions) {
    super();
    const given = (isOptions(protocols) ? protocols : options) as ClientOptions | undefined;
    this._autoPong = given?.autoPong ?? true;
    this._closeTimeout = given?.closeTimeout;
    this._maxPendingAutoPongs = given?.maxPendingAutoPongs;
    this.#crashes = given?.crashOnUnhandledError;
    this.#heartbeat = given?.heartbeat;
    if (this.#heartbeat !== undefined) checkHeartbeat(this.#heartbeat);
    this.#maxPayloadOption = given?.maxPayload ?? LIMITS.maxPayload;
    this._isServer = address === null;
    if (address === null) return;
    startOpeningHandshake(this, address, isOptions(protocols) ? undefined : protocols, given ?? {});
  }

  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(type: BinaryType) {
    if (!BINARY_TYPES.includes(type)) return;
    this.#binaryType = type;
    if (this.#owner !== undefined)
      this.#owner.driver.connection.receiver.keepsFragments = type === 'fragments';
  }

  /** Bytes accepted by `send()` that have not left yet, and those that it refused. */
  get bufferedAmount(): number {
    return this.#refusedBytes + (this.#owner?.driver.bufferedBytes ?? 0);
  }

  /** The extensions in use, as one string. */
  get extensions(): string {
    return Object.keys(this._extensions).join();
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** The subprotocol in use, or the empty string. */
  get protocol(): string {
    return this._protocol;
  }

  get readyState(): ReadyState {
    if (this.#state === OPEN && !this.#owner!.driver.connection.isOpen) return CLOSING;
    return this.#state;
  }

  get url(): string | undefined {
    return this._url;
  }

  /** Largest message that is accepted, in bytes; 0 is no limit. Holds from the next frame on. */
  get maxPayload(): number {
    return this.#owner?.driver.connection.receiver.maxPayload ?? this.#maxPayload ?? this.#maxPayloadOption;
  }

  set maxPayload(bytes: number) {
    if (!(Number.isSafeInteger(bytes) && bytes >= 0)) {
      throw new RangeError(`maxPayload: a number of bytes was expected, got ${bytes}`);
    }
    this.#maxPayload = bytes;
    if (this.#owner !== undefined) this.#owner.driver.connection.receiver.maxPayload = bytes;
  }

  /** True once Close frames went both ways. */
  get wasClean(): boolean {
    return this.#owner?.driver.connection.wasClean ?? false;
  }

  /**
   * Puts the connection on a socket whose handshake is done. For servers, and for tests that bring their own stream.
   *
   * @param head what was read behind the handshake
   * @param options an object, or the largest message in bytes
   */
  setSocket(socket: Duplex, head: Uint8Array = EMPTY, options: SocketOptions | number = {}): void {
    const given: SocketOptions = typeof options === 'number' ? { maxPayload: options } : options;
    const deflate = this._extensions['permessage-deflate'];
    const role = this._isServer ? 'server' : 'client';
    this.#owner = new SocketOwner(
      this,
      socket,
      head,
      {
        role,
        platform,
        block: outputBlock,
        autoPong: this._autoPong,
        maxPendingAutoPongs: this._maxPendingAutoPongs,
        closeTimeoutMs: this._closeTimeout,
        maxPayload: this.#maxPayload ?? given.maxPayload ?? 0,
        maxFragments: given.maxFragments,
        maxBufferedChunks: given.maxBufferedChunks,
        skipUtf8Validation: given.skipUTF8Validation,
        // [RFC7692-5-16] as agreed, for both directions
        inflater: deflate?.createInflater(),
        deflater: deflate?.createDeflater(),
        compressFromBytes: deflate?.compressFromBytes,
        sharedCompression: deflate?.sharedCompression,
        maskingKey: given.generateMask && maskingKeyFrom(given.generateMask),
      },
      given.allowSynchronousEvents ?? true,
    );
    this.#owner.driver.connection.receiver.keepsFragments = this.#binaryType === 'fragments';
    this.#state = OPEN;
    if (this.#heartbeat !== undefined) this.#watch(this.#owner, this.#heartbeat);
    this.emit('open');
  }

  /**
   * Sends a message. A string or number goes as text, anything else as binary.
   *
   * @param callback gets an error, or null once the operating system has taken the bytes
   * @throws Error while CONNECTING; TypeError for data that has no bytes
   */
  send(data: unknown, options?: SendOptions | WriteCallback, callback?: WriteCallback): void {
    const done = typeof options === 'function' ? options : callback;
    if (this.readyState !== OPEN) {
      this.#refuse(data, done);
      return;
    }
    const isText = typeof data === 'string' || typeof data === 'number';
    const message =
      typeof options === 'object' && options !== null
        ? toMessageOptions(options, isText)
        : isText
          ? TEXT_MESSAGE
          : BINARY_MESSAGE;
    // The two usual kinds first: to find out whether something is a Blob takes longer than to send it.
    if (typeof data === 'string' || data instanceof Uint8Array) {
      this.#owner!.driver.connection.sender.sendMessage(data, message, done);
    } else {
      this.#sendOther(data, message, done);
    }
  }

  /** Pings the peer, with at most 125 bytes. */
  ping(data?: unknown, mask?: unknown, callback?: WriteCallback): void {
    this.#control('ping', data, mask, callback);
  }

  /** Sends a Pong that nobody asked for, with at most 125 bytes. */
  pong(data?: unknown, mask?: unknown, callback?: WriteCallback): void {
    this.#control('pong', data, mask, callback);
  }

  /**
   * Starts the closing handshake (RFC 6455 §7.1.2).
   *
   * @param code 1000-1003, 1007-1014 or 3000-4999; without one the Close frame is empty
   * @param reason at most 123 bytes of UTF-8
   * @throws TypeError, RangeError for what cannot be sent; the connection stays open then
   */
  close(code?: number, reason?: string | Uint8Array): void {
    const state = this.readyState;
    if (state === CLOSED) return;
    if (this.#owner === undefined) {
      if (state === CONNECTING) this.#abortHandshake();
      return;
    }
    if (state === CLOSING) return;
    this.#owner.driver.connection.close(
      checkCloseCode(code),
      code === undefined ? EMPTY : checkReason(reason),
    );
  }

  /** Drops the connection without a closing handshake; the peer and we see 1006. */
  terminate(): void {
    if (this.#owner !== undefined) {
      if (this.#state !== CLOSED) this.#owner.driver.connection.terminate();
    } else if (this.#state === CONNECTING) {
      this.#abortHandshake();
    }
  }

  /** Stops reading from the socket. Messages that were read already are still emitted. */
  pause(): void {
    if (this.#state === CONNECTING || this.#state === CLOSED) return;
    this.#isPaused = true;
    this.#owner!.driver.pause();
  }

  resume(): void {
    if (this.#state === CONNECTING || this.#state === CLOSED) return;
    this.#isPaused = false;
    this.#owner!.driver.resume();
  }

  // Beyond `ws`

  /** `send()` as a promise: settles when the operating system has taken the bytes. */
  sent(data: unknown, options?: SendOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.send(data, options, (error) => (error ? reject(error) : resolve()));
    });
  }

  /**
   * Pings the peer and waits for its Pong.
   *
   * @param data at most 125 bytes; by default a number that no other Ping of the process has
   * @returns round trip time in milliseconds; rejects when the connection ends first
   */
  async pinged(data: unknown = String(++pingCount)): Promise<number> {
    const sentAt = performance.now();
    const expected = Buffer.from(typeof data === 'string' ? data : toBytes(data));
    const { promise, resolve, reject } = withResolvers<number>();
    const onPong = (payload: Buffer): void => {
      if (expected.equals(payload)) resolve(performance.now() - sentAt);
    };
    const onClose = (): void => reject(new Error('The connection was closed before the Pong arrived'));
    this.on('pong', onPong);
    this.on('close', onClose);
    try {
      this.ping(data, undefined, (error) => {
        if (error) reject(error);
      });
      return await promise;
    } finally {
      this.off('pong', onPong);
      this.off('close', onClose);
    }
  }

  /**
   * `close()` as a promise: starts the closing handshake unless one is under way, and waits for the end.
   *
   * @returns what the 'close' event says
   */
  async closed(
    code?: number,
    reason?: string | Uint8Array,
  ): Promise<{ code: number; reason: string; wasClean: boolean }> {
    if (this.#state !== CLOSED) {
      const { promise, resolve } = withResolvers<void>();
      this.once('close', () => resolve());
      this.close(code, reason);
      await promise;
    }
    return {
      code: this.#owner?.closeCode ?? 1006,
      reason: String(this.#owner?.closeReason ?? ''),
      wasClean: this.wasClean,
    };
  }

  /** Messages, one at a time; the socket is not read while the consumer lags. Leaving the loop closes the connection. */
  [Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    return iterateMessages(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closed();
  }

  // Semi-private, as in `ws`

  /** Ends the life of the object: CLOSED, and the 'close' event. */
  emitClose(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#state = CLOSED;
    this.emit('close', this.#owner?.closeCode ?? 1006, this.#owner?.closeReason ?? EMPTY);
  }

  /** Emits 'error'. DIFFERS(ws): where nobody listens the process goes on, since a peer must not be able to end it. */
  _emitError(error: Error): void {
    if (this.listenerCount('error') === 0 && !(this.#crashes ?? WebSocket.crashOnUnhandledError)) return;
    this.emit('error', error);
  }

  _sendBroadcast(message: Broadcast): void {
    this.#owner?.driver.connection.sender.sendBroadcast(message);
  }

  /** The handshake failed: CLOSING until the 'close' event. */
  _startClosing(): void {
    this.#state = CLOSING;
  }

  get _readyState(): ReadyState {
    return this.readyState;
  }

  set _readyState(state: ReadyState) {
    this.#state = state;
  }

  get _socket(): Duplex | null {
    // Whoever writes to the socket past us expects what was sent before to be on its way.
    this.#owner?.driver.flush();
    return this.#owner?.driver.socket ?? null;
  }

  get _closeCode(): number {
    return this.#owner?.closeCode ?? 1006;
  }

  get _closeMessage(): Buffer {
    return this.#owner?.closeReason ?? EMPTY;
  }

  get _closeTimer(): NodeJS.Timeout | null {
    return this.#owner?.driver.deadline ?? null;
  }

  get _receiver(): ReceiverFace | null {
    if (this.#owner === undefined) return null;
    this.#owner.face ??= new ReceiverFace(this.#owner.driver.connection);
    return this.#owner.face;
  }

  get _sender(): SenderFace | null {
    if (this.#owner === undefined) return null;
    this.#senderFace ??= new SenderFace(this.#owner.driver);
    return this.#senderFace;
  }

  #control(kind: 'ping' | 'pong', data: unknown, mask: unknown, callback: WriteCallback | undefined): void {
    const done = [data, mask, callback].find((argument) => typeof argument === 'function') as
      | WriteCallback
      | undefined;
    let payload = typeof data === 'function' ? undefined : data;
    if (typeof payload === 'number') payload = String(payload);
    if (this.readyState !== OPEN) {
      this.#refuse(payload, done);
      return;
    }
    const isMasked =
      mask === undefined || typeof mask === 'function' || typeof data === 'function'
        ? undefined
        : Boolean(mask);
    const { connection } = this.#owner!.driver;
    if (isBlob(payload)) {
      checkControlLength(payload.size);
      connection[kind](() => readBlob(payload), done, isMasked);
      return;
    }
    const bytes = typeof payload === 'string' ? payload : toBytes(payload || EMPTY);
    checkControlLength(typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length);
    connection[kind](bytes, done, isMasked);
  }

  /** Sends what is neither a string nor a view of bytes already. */
  #sendOther(data: unknown, message: MessageOptions, callback: WriteCallback | undefined): void {
    const { sender } = this.#owner!.driver.connection;
    if (typeof data === 'number') sender.sendMessage(String(data), message, callback);
    else if (isBlob(data)) sender.sendMessage(() => readBlob(data), message, callback, data.size);
    else sender.sendMessage(toBytes(data || EMPTY), message, callback);
  }

  /**
   * Not open any more: the bytes count as buffered for ever, the callback gets an error.
   *
   * @throws Error while CONNECTING [RFC6455-4.1-33]: nothing is sent before the response has come, nor kept until then
   */
  #refuse(given: unknown, callback: WriteCallback | undefined): void {
    if (this.#state === CONNECTING) throw notOpen(CONNECTING);
    const data = typeof given === 'number' ? String(given) : given;
    if (data) this.#refusedBytes += byteLengthOf(data);
    if (callback !== undefined) process.nextTick(callback, notOpen(this.readyState));
  }

  #abortHandshake(): void {
    abortOpeningHandshake(this, 'WebSocket was closed before the connection was established');
  }

  #watch({ driver }: SocketOwner, options: HeartbeatOptions): void {
    this.#unwatch = watch(
      {
        takeActivity: () => {
          const { hasReceived } = driver;
          driver.hasReceived = false;
          // Who does not read cannot tell silence from what waits unread.
          return hasReceived || this.#isPaused;
        },
        ping: () => {
          if (driver.connection.isOpen) driver.connection.ping(EMPTY);
        },
        terminate: () => driver.connection.terminate(),
      },
      options,
    );
  }
}

/** The usual options are not worth an object for each message. */
function toMessageOptions({ binary, fin, compress, mask }: SendOptions, isText: boolean): MessageOptions {
  const isBinary = binary ?? !isText;
  if (fin === undefined && compress === undefined && mask === undefined) {
    return isBinary ? BINARY_MESSAGE : TEXT_MESSAGE;
  }
  return { isBinary, isFinal: fin ?? true, compress: compress ?? true, isMasked: mask };
}

let pingCount = 0;

function isOptions(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notOpen(state: ReadyState): Error {
  return new Error(`WebSocket is not open: readyState ${state} (${READY_STATES[state]})`);
}

function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

for (const [state, name] of READY_STATES.entries()) {
  const constant = { enumerable: true, value: state };
  Object.defineProperty(WebSocket, name, constant);
  Object.defineProperty(WebSocket.prototype, name, constant);
}

Object.defineProperty(WebSocket, 'crashOnUnhandledError', { value: false, writable: true });

for (const name of [
  'binaryType',
  'bufferedAmount',
  'extensions',
  'isPaused',
  'protocol',
  'readyState',
  'url',
]) {
  Object.defineProperty(WebSocket.prototype, name, { enumerable: true });
}

for (const type of EVENT_TYPES) {
  Object.defineProperty(WebSocket.prototype, `on${type}`, {
    enumerable: true,
    get(this: WebSocket) {
      return getAttributeHandler(this, type);
    },
    set(this: WebSocket, handler: unknown) {
      setAttributeHandler(this, type, handler);
    },
  });
}

Object.assign(WebSocket.prototype, { addEventListener, removeEventListener });
