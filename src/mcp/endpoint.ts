// Serves MCP to whoever comes. Who may come in is decided in the handshake; then it is a session, or one connection, and what
// serves it is the user's.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Entrance } from '../agent/entrance.js';
import { type Environment, LONGEST_TIMEOUT_MS, environment as machine } from '../agent/environment.js';
import { closeLink, type Link } from '../agent/link.js';
import type { DrainOptions, DrainResult } from '../agent/server-options.js';
import type { ServerSession } from '../agent/server-session.js';
import { SessionServer } from '../agent/session-server.js';
import { wheelOf } from '../agent/timer-wheel.js';
import { CLOSE_CODE, MAX_MESSAGE_BYTES } from './carrier.js';
import type { McpConnection, McpEndpointOptions, McpEndpointStats } from './endpoint-options.js';
import { isAllowedOrigin } from './origins.js';
import { WebSocketServerTransport } from './server-transport.js';
import { PLAIN, RESUMING } from './subprotocol.js';

const GONE = 'the server goes away';
const DRAIN_DEADLINE_MS = 30_000;

export class McpEndpoint {
  readonly #options: McpEndpointOptions;
  readonly #environment: Environment;
  readonly #sessions: SessionServer;
  readonly #entrance: Entrance;
  readonly #authInfos = new WeakMap<IncomingMessage, object>();
  readonly #plain = new Set<WebSocketServerTransport>();
  #isOpen = true;
  #closed: Promise<void> | undefined;

  /** @internal Users call `serveMcp`. */
  constructor(options: McpEndpointOptions, environment: Environment = machine) {
    const {
      factory,
      connect,
      verify,
      onerror,
      server,
      noServer,
      path,
      origins = [],
      signal,
      ...ofSessions
    } = options;
    if ((factory === undefined) === (connect === undefined)) {
      throw new TypeError('one of the options `factory` and `connect` was expected');
    }
    const { maxMessageBytes = MAX_MESSAGE_BYTES } = options;
    this.#options = options;
    this.#environment = environment;
    this.#entrance = new Entrance(
      {
        ...(server !== undefined && { server }),
        ...(noServer !== undefined && { noServer }),
        ...(path !== undefined && { path }),
        maxMessageBytes,
        // The empty name: clients that offer none.
        subprotocols: [RESUMING, PLAIN, ''],
        origins: (origin, { headers }) => isAllowedOrigin(origin, headers.host, origins),
        authenticate: (request) => this.#verify(request),
      },
      this,
    );
    const queue = { maxBytes: maxMessageBytes };
    try {
      this.#sessions = new SessionServer({ ...ofSessions, noServer: true, queue }, environment);
    } catch (error) {
      this.#entrance.close();
      throw error;
    }
    this.#sessions.on('session', (session, request) => this.#serve(session, session.principal, request));
    signal?.addEventListener('abort', this.#onAbort);
    if (signal?.aborted) this.close();
  }

  /** For `noServer`: takes the connection of an 'upgrade' event that was routed here. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#entrance.handleUpgrade(request, socket, head);
  }

  /** The sessions that there are, with a connection or without. */
  get sessions(): ServerSession[] {
    return this.#sessions.sessions;
  }

  stats(): McpEndpointStats {
    return { ...this.#sessions.stats(), plain: this.#plain.size };
  }

  /**
   * Before the server goes away: new connections are refused with 503, each client is left when nothing of it is in flight
   * any more, and cut off with 1012 at the deadline.
   */
  async drain(options: DrainOptions = {}): Promise<DrainResult> {
    this.#isOpen = false;
    const [sessions, plain] = await Promise.all([
      this.#sessions.drain(options),
      this.#drainPlain(options.deadlineMs ?? DRAIN_DEADLINE_MS),
    ]);
    return { ...sessions, finished: sessions.finished + plain.finished, cut: sessions.cut + plain.cut };
  }

  /** Forgets all sessions, and closes all connections with 1012. An `http.Server` goes on. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal While it is not, handshakes are answered with 503. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @internal A connection is there, and its client is known. */
  onLink(link: Link, principal: string, request: IncomingMessage): void {
    // It was let in before, and who it is took until now.
    if (!this.#isOpen) closeLink(link, CLOSE_CODE.RESTART, GONE, wheelOf(this.#environment));
    else if (link.subprotocol === RESUMING) this.#sessions.onLink(link, principal, request);
    else this.#serve(link, principal, request);
  }

  readonly #onAbort = (): void => {
    this.close();
  };

  async #verify(request: IncomingMessage): Promise<string | false> {
    const { verify = () => '' } = this.#options;
    const verified = await verify(request);
    if (typeof verified !== 'object') return verified ?? false;
    if (verified.authInfo !== undefined) this.#authInfos.set(request, verified.authInfo);
    return verified.principal;
  }

  async #serve(carrier: ServerSession | Link, principal: string, request: IncomingMessage): Promise<void> {
    const { factory, connect, maxMessageBytes, heartbeat, onerror } = this.#options;
    const authInfo = this.#authInfos.get(request);
    const transport = new WebSocketServerTransport(
      carrier,
      {
        request,
        ...(authInfo !== undefined && { authInfo }),
        ...(maxMessageBytes !== undefined && { maxMessageBytes }),
        ...(heartbeat !== undefined && { heartbeat }),
      },
      this.#environment,
    );
    if ('release' in carrier) {
      this.#plain.add(transport);
      transport.over.then(() => this.#plain.delete(transport));
    }
    const connection: McpConnection = { transport, request, principal, authInfo };
    try {
      if (factory === undefined) await connect!(connection);
      else await (await factory(connection)).connect(transport as never);
    } catch (error) {
      // Whoever went meanwhile has no part in it.
      if (transport.isOver) return;
      transport.end(CLOSE_CODE.INTERNAL_ERROR, 'internal error');
      onerror?.(error as Error, connection);
    }
  }

  async #drainPlain(deadlineMs: number): Promise<{ finished: number; cut: number }> {
    const transports = [...this.#plain];
    let cut = 0;
    const deadline = this.#environment.setTimeout(
      () => {
        cut = this.#plain.size;
        for (const transport of this.#plain) transport.end(CLOSE_CODE.RESTART, GONE);
      },
      Math.min(deadlineMs, LONGEST_TIMEOUT_MS),
      true,
    );
    for (const transport of transports) transport.drain();
    await Promise.all(transports.map(({ over }) => over));
    this.#environment.clearTimeout(deadline);
    return { finished: transports.length - cut, cut };
  }

  async #close(): Promise<void> {
    this.#isOpen = false;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    const closing = [...this.#plain].map((transport) => transport.end(CLOSE_CODE.RESTART, GONE));
    await Promise.all([this.#entrance.close(), this.#sessions.close(), ...closing]);
  }
}
