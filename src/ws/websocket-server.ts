// The server: takes upgrades from an HTTP server of its own, from the user's, or by hand, and makes WebSockets of them
// (RFC 6455 §4.2). The checks and their order are in `protocol/server-handshake.ts`.

import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { isDriven } from '../io/driver.js';
import { sha1Base64 } from '../io/handshake-crypto.js';
import { takeUpgrades } from '../io/listen.js';
import { platform } from '../io/platform.js';
import { UpgradeRequest } from '../io/upgrade-request.js';
import { acceptKey } from '../protocol/accept-key.js';
import { Broadcast } from '../protocol/broadcast.js';
import { LIMITS } from '../protocol/limits.js';
import { buildOffer } from '../protocol/permessage-deflate.js';
import {
  type AcceptedRequest,
  buildResponse,
  checkRequest,
  checkSubprotocols,
  type ExtraHeaders,
  type HandshakeRequest,
  type Rejection,
  rejection,
  serializeRejection,
  serializeResponse,
  UNACCEPTABLE_EXTENSIONS,
} from '../protocol/server-handshake.js';
import { chooseSubprotocol } from '../protocol/subprotocol.js';
import { formatExtensions, parseExtensions } from '../wire/extension-header.js';
import { OPEN } from './constants.js';
import { checkHeartbeat } from './heartbeat.js';
import type { SocketOptions } from './options.js';
import { checkCloseCode, checkReason, EMPTY, toBytes } from './payload.js';
import { PerMessageDeflate, type PerMessageDeflateOptions } from './permessage-deflate.js';
import { WebSocket } from './websocket.js';

interface ClientInfo {
  origin: string | undefined;
  secure: boolean;
  req: IncomingMessage;
}

type Verdict = (isVerified: boolean, code?: number, message?: string, headers?: ExtraHeaders) => void;

export interface ServerOptions extends SocketOptions {
  backlog?: number | null | undefined;
  clientTracking?: boolean | undefined;
  handleProtocols?: ((protocols: Set<string>, request: IncomingMessage) => string | false) | null | undefined;
  host?: string | null | undefined;
  noServer?: boolean | undefined;
  path?: string | null | undefined;
  perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
  port?: number | null | undefined;
  server?: Server | HttpsServer | null | undefined;
  verifyClient?: ((info: ClientInfo, verdict: Verdict) => unknown) | null | undefined;
  WebSocket?: typeof WebSocket | undefined;
}

export interface BroadcastOptions {
  /** Which of the open clients get it; all by default. */
  filter?: (client: WebSocket) => boolean;
  binary?: boolean;
  compress?: boolean;
}

export interface CloseOptions {
  /** Status code for the clients; 1001 (going away) by default. */
  code?: number;
  reason?: string | Uint8Array;
  /** How long clients have to answer before they are cut off; 10 seconds by default. */
  timeoutMs?: number;
}

type OnUpgraded = (webSocket: WebSocket, request: IncomingMessage) => void;
type State = 'running' | 'closing' | 'closed';

const EXTENSION = PerMessageDeflate.extensionName;

export class WebSocketServer extends EventEmitter {
  /** Read at every handshake, so that changes take effect. */
  options: ServerOptions & { WebSocket: typeof WebSocket };
  /** The open and closing connections; absent without `clientTracking`. */
  clients?: Set<WebSocket>;
  _server: Server | HttpsServer | null = null;

  #state: State = 'running';
  #closesWithLastClient = false;
  #removeListeners: () => void = () => {};
  /** [RFC6455-7.2.2-1] Ends connections to our own server that have not become WebSockets. */
  #dropHandshakes: () => void = () => {};
  /** Those whose request waits for the user's verdict. */
  readonly #undecided = new Set<Duplex>();
  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
    this.handleUpgrade(request, socket, head, this.#onUpgraded);
  /** One listener for all clients, which it is called on. */
  readonly #onClientClose: (this: WebSocket) => void;
  readonly #onUpgraded: OnUpgraded = (webSocket, request) => this.emit('connection', webSocket, request);

  /**
   * @param options exactly one of `port`, `server` and `noServer`
   * @param callback added as a listener of 'listening', where the server is our own
   * @throws TypeError without such an option, or with more than one
   */
  constructor(options?: ServerOptions, callback?: () => void) {
    super();
    this.options = {
      allowSynchronousEvents: true,
      autoPong: true,
      maxBufferedChunks: LIMITS.maxBufferedChunks,
      maxFragments: LIMITS.maxFragments,
      maxPayload: LIMITS.maxPayload,
      maxPendingAutoPongs: LIMITS.maxPendingAutoPongs,
      skipUTF8Validation: false,
      perMessageDeflate: false,
      handleProtocols: null,
      clientTracking: true,
      closeTimeout: LIMITS.closeTimeoutMs,
      verifyClient: null,
      noServer: false,
      backlog: null,
      server: null,
      host: null,
      path: null,
      port: null,
      WebSocket,
      ...(options as Omit<ServerOptions, 'WebSocket'>),
    };
    const { port, server, noServer, host, backlog } = this.options;
    if (Number(port != null) + Number(Boolean(server)) + Number(Boolean(noServer)) !== 1) {
      throw new TypeError(
        'One and only one of the "port", "server", or "noServer" options must be specified',
      );
    }
    // DIFFERS(ws): a limit that is given as `undefined` is the default, not none.
    if (this.options.maxPayload === undefined) this.options.maxPayload = LIMITS.maxPayload;
    if (this.options.perMessageDeflate === true) this.options.perMessageDeflate = {};
    // What cannot be is said here, not when the first client comes.
    if (this.options.heartbeat) checkHeartbeat(this.options.heartbeat);
    if (this.options.perMessageDeflate) {
      buildOffer({ ...(this.options.perMessageDeflate as PerMessageDeflateOptions) });
    }
    if (this.options.clientTracking) this.clients = new Set();
    const untrack = (client: WebSocket): void => this.#untrack(client);
    this.#onClientClose = function () {
      untrack(this);
    };
    if (server) {
      this._server = server;
      this.#listenTo(server);
    } else if (port != null) {
      const own = createServer(answerUpgradeRequired);
      const dropSilent = takeUpgrades(own, this.#onUpgrade);
      this.#dropHandshakes = () => {
        dropSilent();
        own.closeAllConnections();
      };
      this._server = own;
      this.#listenTo(own);
      own.listen(port, host as string, backlog as number, callback);
    }
  }

  /**
   * The address that the server listens on, `null` when it does not.
   *
   * @throws Error in `noServer` mode
   */
  address(): AddressInfo | string | null {
    if (this.options.noServer) throw new Error('The server is operating in "noServer" mode');
    return this._server?.address() ?? null;
  }

  /**
   * Stops taking connections. With a callback, or nothing, as in `ws`: clients are left alone, and 'close' comes when the
   * last of them is gone. With an options object clients are closed too, and the promise is kept once all is over.
   *
   * @param options the callback, or how to close the clients
   */
  close(callback?: (error?: Error) => void): void;
  close(options: CloseOptions): Promise<void>;
  close(options?: CloseOptions | ((error?: Error) => void)): Promise<void> | undefined {
    if (typeof options === 'object' && options !== null) return this.#closeAll(options);
    this.#stop(options ?? undefined);
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeAll({});
  }

  /**
   * Sends one message to every open client, encoded once (and compressed once, where clients keep no context).
   *
   * @param data as for `WebSocket#send`, but for Blobs
   * @returns how many clients it was sent to
   */
  broadcast(data: unknown, { filter, binary, compress = true }: BroadcastOptions = {}): number {
    const isText = typeof data === 'string' || typeof data === 'number';
    const payload = isText ? String(data) : toBytes(data || EMPTY);
    const message = new Broadcast(payload, binary ?? !isText, compress, platform);
    let count = 0;
    for (const client of this.clients ?? []) {
      if (client.readyState !== OPEN || (filter !== undefined && !filter(client))) continue;
      client._sendBroadcast(message);
      count++;
    }
    return count;
  }

  /** Whether a request is for this server: by default, whether its path is `options.path`. May be replaced. */
  shouldHandle(request: IncomingMessage): boolean | Promise<boolean> {
    const { path } = this.options;
    // DIFFERS(ws): [RFC6455-4.2.1-2] the target may be an absolute URI.
    return !path || (request.url ?? '').replace(/^\w+:\/\/[^/?]*/, '').split('?', 1)[0] === path;
  }

  /**
   * Answers an upgrade request, whatever server it came to.
   *
   * @param socket any Duplex
   * @param head what was read behind the request
   * @param callback gets the WebSocket; 'connection' is not emitted
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, callback: OnUpgraded): void {
    socket.on('error', destroyOnError);
    const verdict = checkRequest(UpgradeRequest.handshakeOf(request));
    if (!verdict.ok) {
      this.#refuse(request, socket, verdict);
      return;
    }
    const isOurs = this.shouldHandle(request);
    if (isOurs === true) {
      this.#acceptUpgrade(request, socket, head, verdict, callback);
      return;
    }
    this.#undecided.add(socket);
    // DIFFERS(ws): a promise is waited for, as its types say.
    whenSettled(
      isOurs,
      (isOurs) => {
        if (isOurs) this.#acceptUpgrade(request, socket, head, verdict, callback);
        // [RFC6455-4.2.2-8] 400, as in `ws`
        else this.#abort(socket, rejection(400));
      },
      (error) => this.#refuse(request, socket, rejection(500), error),
    );
  }

  #acceptUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    verdict: AcceptedRequest,
    callback: OnUpgraded,
  ): void {
    const handshake = UpgradeRequest.handshakeOf(request);
    const subprotocols = checkSubprotocols(handshake);
    const extensions = this.#negotiate(handshake);
    if (!subprotocols.ok || extensions === undefined) {
      this.#refuse(request, socket, subprotocols.ok ? UNACCEPTABLE_EXTENSIONS : subprotocols);
      return;
    }
    const { verifyClient } = this.options;
    if (!verifyClient) {
      this.completeUpgrade(extensions, verdict.key, subprotocols.offer, request, socket, head, callback);
      return;
    }
    this.#undecided.add(socket);
    // [RFC6455-4.2.2-5] [RFC6455-10.2-1] The origin is there for `verifyClient` to look at.
    const info: ClientInfo = {
      origin: verdict.origin,
      secure: Boolean((request.socket as TLSSocket)?.authorized || (request.socket as TLSSocket)?.encrypted),
      req: request,
    };
    this.#verify(verifyClient, info, socket, () =>
      this.completeUpgrade(extensions, verdict.key, subprotocols.offer, request, socket, head, callback),
    );
  }

  /** Sends the response and makes the WebSocket. Called by `handleUpgrade()`; public because `ws` has it. */
  completeUpgrade(
    extensions: Record<string, PerMessageDeflate | undefined>,
    key: string,
    protocols: Set<string>,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    callback: OnUpgraded,
  ): void {
    this.#undecided.delete(socket);
    if (!socket.readable || !socket.writable) {
      socket.destroy();
      return;
    }
    if (isDriven(socket)) {
      throw new Error(
        'server.handleUpgrade() was called more than once with the same socket, possibly due to a misconfiguration',
      );
    }
    if (this.#state !== 'running') {
      abort(socket, rejection(503));
      return;
    }
    const webSocket = new this.options.WebSocket(null, undefined, this.options as object);
    const { handleProtocols } = this.options;
    const choice =
      handleProtocols && protocols.size > 0
        ? handleProtocols.call(this.options, protocols, request)
        : undefined;
    let protocol: string | undefined;
    try {
      protocol = chooseSubprotocol(protocols, handleProtocols && (() => choice));
    } catch (error) {
      // The choice may come from what the request says, and cannot stand in the response.
      this.#refuse(request, socket, rejection(500), error);
      return;
    }
    // [RFC7692-5-14] Absent where no offer was accepted.
    const deflate = extensions[EXTENSION];
    if (protocol !== undefined) webSocket._protocol = protocol;
    if (deflate !== undefined) webSocket._extensions = extensions;
    const lines = buildResponse(
      acceptKey(key, sha1Base64),
      protocol,
      deflate && formatExtensions({ [EXTENSION]: [deflate.params!] }),
    );
    this.emit('headers', lines, request);
    let response: string;
    try {
      response = serializeResponse(lines);
    } catch (error) {
      // A listener added what a request said, and that would have broken out of its line.
      this.#refuse(request, socket, rejection(500), error);
      return;
    }
    // [RFC6455-4.2.2-1]
    socket.write(response, 'latin1');
    socket.removeListener('error', destroyOnError);
    webSocket.setSocket(socket, head, this.options);
    if (this.clients !== undefined) {
      this.clients.add(webSocket);
      webSocket.on('close', this.#onClientClose);
    }
    callback(webSocket, request);
  }

  #listenTo(server: Server | HttpsServer): void {
    const listeners: [event: string, listener: (...args: never[]) => void][] = [
      ['listening', () => this.emit('listening')],
      ['error', (error: Error) => this.emit('error', error)],
      ['upgrade', this.#onUpgrade],
    ];
    for (const [event, listener] of listeners) server.on(event, listener as () => void);
    this.#removeListeners = () => {
      for (const [event, listener] of listeners) server.removeListener(event, listener as () => void);
    };
  }

  /** The extensions to use, `undefined` when the client's offer is malformed or cannot be met. */
  #negotiate(request: HandshakeRequest): Record<string, PerMessageDeflate | undefined> | undefined {
    const header = request.headers['sec-websocket-extensions'];
    const options = this.options.perMessageDeflate;
    if (!options || header === undefined) return {};
    try {
      // [RFC6455-4.2.2-12] [RFC6455-9-2] [RFC6455-9-3] Of all that is asked for, the one that we have; [RFC7692-5-10]
      // so no other lays claim to RSV1.
      const offers = parseExtensions(String(header))[EXTENSION];
      if (offers === undefined) return {};
      const deflate = new PerMessageDeflate({
        ...(options as PerMessageDeflateOptions),
        isServer: true,
        maxPayload: this.options.maxPayload,
      });
      deflate.accept(offers);
      return { [EXTENSION]: deflate };
    } catch {
      return undefined;
    }
  }

  /** Asks the user's `verifyClient`: with two parameters it answers through the second, else by what it returns. */
  #verify(
    verifyClient: NonNullable<ServerOptions['verifyClient']>,
    info: ClientInfo,
    socket: Duplex,
    proceed: () => void,
  ): void {
    const decide: Verdict = (isVerified, code = 401, message, headers) => {
      if (isVerified) proceed();
      // [RFC6455-4.2.2-6] [RFC6455-10.2-2] 403 or any other status; [RFC6455-4.2.2-3] with WWW-Authenticate, or
      // [RFC6455-4.2.2-4] a Location.
      else this.#abort(socket, rejection(code || 401, message, headers));
    };
    if (verifyClient.length === 2) {
      verifyClient.call(this.options, info, decide);
      return;
    }
    const answer = verifyClient.call(this.options, info, decide);
    // DIFFERS(ws): a promise is waited for; there it is truthy, and lets everybody in.
    whenSettled(answer, decide, (error) => this.#refuse(info.req, socket, rejection(500), error));
  }

  /** Refuses a handshake, unless a 'wsClientError' listener takes that over. */
  #refuse(request: IncomingMessage, socket: Duplex, reason: Rejection, cause?: unknown): void {
    this.#undecided.delete(socket);
    if (this.listenerCount('wsClientError') > 0) {
      const error = new Error(reason.message, cause === undefined ? undefined : { cause });
      this.emit('wsClientError', error, socket, request);
    } else {
      abort(socket, reason);
    }
  }

  #abort(socket: Duplex, reason: Rejection): void {
    this.#undecided.delete(socket);
    abort(socket, reason);
  }

  #untrack(client: WebSocket): void {
    this.clients?.delete(client);
    if (this.#closesWithLastClient && this.clients?.size === 0) process.nextTick(() => this.#emitClose());
  }

  #stop(callback: ((error?: Error) => void) | undefined): void {
    if (this.#state === 'closed') {
      if (callback) this.once('close', () => callback(new Error('The server is not running')));
      process.nextTick(() => this.#emitClose());
      return;
    }
    if (callback) this.once('close', callback);
    if (this.#state === 'closing') return;
    this.#state = 'closing';
    const server = this._server;
    this.#removeListeners();
    this._server = null;
    if (server !== null && !this.options.server) {
      server.close(() => this.#emitClose());
    } else if (this.clients !== undefined && this.clients.size > 0) {
      this.#closesWithLastClient = true;
    } else {
      process.nextTick(() => this.#emitClose());
    }
  }

  async #closeAll({ code = 1001, reason, timeoutMs = 10_000 }: CloseOptions): Promise<void> {
    checkCloseCode(code);
    checkReason(reason);
    const clients = [...(this.clients ?? [])];
    const timer = setTimeout(() => {
      for (const client of clients) client.terminate();
      for (const socket of this.#undecided) socket.destroy();
      this.#undecided.clear();
      this.#dropHandshakes();
    }, timeoutMs);
    const ends = [this as EventEmitter, ...clients].map(
      (emitter) => new Promise((resolve) => emitter.once('close', resolve)),
    );
    if (this.#state !== 'closing') this.#stop(undefined);
    for (const client of clients) client.close(code, reason);
    await Promise.all(ends);
    clearTimeout(timer);
  }

  #emitClose(): void {
    this.#state = 'closed';
    this.emit('close');
  }
}

function answerUpgradeRequired(
  _request: IncomingMessage,
  response: import('node:http').ServerResponse,
): void {
  const body = STATUS_CODES[426] as string;
  // DIFFERS(ws): RFC 9110 §15.5.22: a 426 names what to upgrade to, and §7.8 wants that in Connection too.
  response.writeHead(426, {
    Upgrade: 'websocket',
    Connection: response.shouldKeepAlive ? 'Upgrade' : 'Upgrade, close',
    'Content-Length': body.length,
    'Content-Type': 'text/plain',
  });
  response.end(body);
}

/** [RFC6455-4.2.1-1] [RFC6455-10.7-4] An HTTP error, and the end: the connection is of no further use to anybody. */
function abort(socket: Duplex, reason: Rejection): void {
  let response: string;
  try {
    response = serializeRejection(reason, STATUS_CODES);
  } catch {
    // The status or the headers of a `verifyClient` cannot stand in a response.
    response = serializeRejection(rejection(500), STATUS_CODES);
  }
  socket.once('finish', () => socket.destroy());
  socket.end(response);
}

/** Goes on with an answer, or with what it turns out to be; listeners that throw do so into the process. */
function whenSettled(
  answer: unknown,
  proceed: (isYes: boolean) => void,
  fail: (error: unknown) => void,
): void {
  if (typeof (answer as PromiseLike<unknown> | undefined)?.then !== 'function') {
    proceed(Boolean(answer));
    return;
  }
  Promise.resolve(answer).then(
    (value) => process.nextTick(proceed, Boolean(value)),
    (error) => process.nextTick(fail, error),
  );
}

function destroyOnError(this: Duplex): void {
  this.destroy();
}
