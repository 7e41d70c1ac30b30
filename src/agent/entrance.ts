// Where a session server's connections come from, and who may come in: origin, authentication, subprotocol.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from '../ws/websocket-server.js';
import { SUBPROTOCOL } from './control.js';
import { type Link, MAX_MESSAGE_BYTES } from './link.js';
import type { Principal } from './reception.js';
import { linkOf, type NodeWebSocket } from './socket-link.js';

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** What is used of an `http.Server`, or `https.Server`. */
export interface UpgradeSource {
  on(event: 'upgrade', listener: UpgradeListener): unknown;
  removeListener(event: 'upgrade', listener: UpgradeListener): unknown;
}

/** What is used of hawser's `WebSocketServer`. */
export interface ConnectionSource {
  handleUpgrade(...args: never[]): void;
  on(event: 'connection', listener: ConnectionListener): unknown;
  removeListener(event: 'connection', listener: ConnectionListener): unknown;
}

type ConnectionListener = (socket: NodeWebSocket, request: IncomingMessage) => void;

export interface EntranceOptions {
  /** Whose connections to take. With hawser's `WebSocketServer` all options of the handshake are that server's. */
  server?: UpgradeSource | ConnectionSource;
  /** Connections come through `handleUpgrade()`. */
  noServer?: boolean;
  /** Only requests for this path; not with a `WebSocketServer`. */
  path?: string;
  /**
   * Who the client is: a name that is the same at each of its connections. `undefined` or `false` refuses it (HTTP 401;
   * with a `WebSocketServer` close code 4401). Called for every connection. By default everybody is the same principal.
   */
  authenticate?: (request: IncomingMessage) => Principal | Promise<Principal>;
  /**
   * Origins of web pages that may connect (RFC 6454 §6.2), or who decides; by default all. Clients that are no browsers
   * send none.
   */
  origins?: string[] | ((origin: string, request: IncomingMessage) => boolean);
  /**
   * Subprotocols that mean a session, the preferred one first; `['hawser.v1']` by default. An empty name stands for clients
   * that offer none. Not with a `WebSocketServer`.
   */
  subprotocols?: string[];
  /** Largest message to take, in bytes; 16 MiB by default. Not with a `WebSocketServer`. */
  maxMessageBytes?: number;
}

/** Who stands behind the entrance. */
interface Host {
  /** While it is not, handshakes are answered with 503. */
  readonly isOpen: boolean;
  onLink(link: Link, principal: string | Promise<Principal>, request: IncomingMessage): void;
}

const RETRY_AFTER_SECONDS = 1;

export class Entrance {
  readonly #options: EntranceOptions;
  readonly #host: Host;
  readonly #webSocketServer: WebSocketServer | undefined;
  readonly #principals = new WeakMap<IncomingMessage, string>();
  readonly #stopListening: () => void;

  /** @throws TypeError unless exactly one of `server` and `noServer` is given */
  constructor(options: EntranceOptions, host: Host) {
    const { server, noServer = false } = options;
    if ((server !== undefined) === noServer) {
      throw new TypeError('one of the options `server` and `noServer` was expected');
    }
    this.#options = options;
    this.#host = host;
    if (server !== undefined && 'handleUpgrade' in server) {
      this.#stopListening = this.#takeConnections(server);
    } else {
      this.#webSocketServer = this.#createWebSocketServer();
      this.#stopListening = server === undefined ? () => {} : this.#takeUpgrades(server);
    }
  }

  /** @throws TypeError when a `WebSocketServer` does that */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#webSocketServer === undefined) {
      throw new TypeError('the WebSocketServer handles the upgrades of this session server');
    }
    this.#webSocketServer.handleUpgrade(request, socket, head, (webSocket) => {
      const link = linkOf(webSocket as unknown as NodeWebSocket);
      this.#host.onLink(link, this.#principals.get(request)!, request);
    });
  }

  async close(): Promise<void> {
    this.#stopListening();
    await this.#webSocketServer?.close({ timeoutMs: 1000 });
  }

  #takeConnections(server: ConnectionSource): () => void {
    const onConnection = (socket: NodeWebSocket, request: IncomingMessage): void =>
      this.#host.onLink(linkOf(socket), this.#identify(request), request);
    server.on('connection', onConnection);
    return () => server.removeListener('connection', onConnection);
  }

  #takeUpgrades(server: UpgradeSource): () => void {
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
      this.handleUpgrade(request, socket, head);
    server.on('upgrade', onUpgrade);
    return () => server.removeListener('upgrade', onUpgrade);
  }

  #createWebSocketServer(): WebSocketServer {
    const { path, maxMessageBytes = MAX_MESSAGE_BYTES, subprotocols = [SUBPROTOCOL] } = this.#options;
    return new WebSocketServer({
      noServer: true,
      ...(path !== undefined && { path }),
      maxPayload: maxMessageBytes,
      clientTracking: false,
      handleProtocols: (offered: Set<string>) => subprotocols.find((name) => offered.has(name)) ?? false,
      verifyClient: ({ req }: { req: IncomingMessage }, decide: Decide) => {
        this.#verify(req, decide);
      },
    });
  }

  async #verify(request: IncomingMessage, decide: Decide): Promise<void> {
    if (!this.#host.isOpen) {
      decide(false, 503, undefined, { 'Retry-After': String(RETRY_AFTER_SECONDS) });
      return;
    }
    if (!this.#isAllowed(request)) {
      decide(false, 403);
      return;
    }
    if (!this.#speaks(request)) {
      decide(false, 400);
      return;
    }
    try {
      const principal = await this.#authenticate(request);
      if (typeof principal === 'string') this.#principals.set(request, principal);
      decide(typeof principal === 'string', 401);
    } catch {
      decide(false, 500);
    }
  }

  /** For connections whose handshake nobody has looked at. */
  async #identify(request: IncomingMessage): Promise<Principal> {
    return this.#isAllowed(request) && this.#authenticate(request);
  }

  #authenticate(request: IncomingMessage): Principal | Promise<Principal> {
    const { authenticate = () => '' } = this.#options;
    return authenticate(request);
  }

  /** Whether a subprotocol is offered that means a session. */
  #speaks({ headers }: IncomingMessage): boolean {
    const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    return (this.#options.subprotocols ?? [SUBPROTOCOL]).some((name) => offered.includes(name));
  }

  #isAllowed(request: IncomingMessage): boolean {
    const { origins } = this.#options;
    const { origin } = request.headers;
    if (origins === undefined || origin === undefined) return true;
    return typeof origins === 'function' ? origins(origin, request) : origins.includes(origin);
  }
}

/** How a handshake is decided (the second parameter of `verifyClient`). */
type Decide = (
  isAccepted: boolean,
  status?: number,
  message?: string,
  headers?: Record<string, string>,
) => void;
