// The transport that dials: a session where the server resumes them, one connection where it does not. It does so for an
// SDK's client, and just as well for an SDK's server whose host listens.

import { shouldRetry } from '../agent/backoff.js';
import type { Address, ClientSessionOptions, Provided } from '../agent/client-options.js';
import { ClientSession } from '../agent/client-session.js';
import { type Environment, environment as machine } from '../agent/environment.js';
import { abortError } from '../agent/errors.js';
import type { Connect, Link, LinkEnd } from '../agent/link.js';
import { connectWith, type WebSocketClass } from '../agent/socket-link.js';
import { type Carrier, MAX_MESSAGE_BYTES } from './carrier.js';
import { PlainCarrier } from './plain-carrier.js';
import { SessionCarrier } from './session-carrier.js';
import { connectByChoice, PLAIN, RESUMING } from './subprotocol.js';
import { McpTransport } from './transport.js';

export interface ClientTransportOptions {
  /** Whether to go on over another connection when one is lost, with servers that can; true by default. */
  resume?: boolean;
  /** Not in browsers, which send none. A function is called for every connection, so that a token can be fresh. */
  headers?: Provided<Record<string, string>>;
  /**
   * Instead of `mcp` and, to resume, `hawser.mcp.v1`. `[]` is for servers that know none; with WebSockets that tell why a
   * handshake failed, as hawser's and those of `ws` do, that is found out.
   */
  subprotocols?: string[];
  /** Another class of WebSockets, with the face of `ws` or of the standard: `globalThis.WebSocket`, undici's. */
  WebSocket?: WebSocketClass;
  /** For a class with the face of `ws`, handed on to its constructor: `ca`, `agent`, `perMessageDeflate` and the like. */
  socketOptions?: object;
  /** How to find out that a connection is lost, and when to connect again. */
  session?: Pick<ClientSessionOptions, 'backoff' | 'connectTimeoutMs' | 'heartbeat' | 'shouldRetry'>;
  /**
   * For how long to try to come back, in milliseconds; 120,000 by default, which is as long as servers keep a session by
   * default. Then it is over.
   */
  resumeWithinMs?: number;
  /** Largest message to take or to send, in bytes; 32 MiB by default. */
  maxMessageBytes?: number;
  /** Ends it when it is aborted. */
  signal?: AbortSignal;
}

const RESUME_WITHIN_MS = 120_000;

export class ClientTransport extends McpTransport {
  readonly #address: Address;
  readonly #options: ClientTransportOptions;
  readonly #connect: Connect;
  readonly #environment: Environment;
  #subprotocols: string[];
  #session: ClientSession | undefined;
  /** Undefined while there is a connection. */
  #lostAt: number | undefined;

  /** @throws TypeError when the address is given and is no URL */
  constructor(
    DefaultWebSocket: WebSocketClass,
    address: Address,
    options: ClientTransportOptions,
    environment: Environment = machine,
  ) {
    super(options.maxMessageBytes);
    if (typeof address !== 'function') new URL(address);
    const { WebSocket = DefaultWebSocket, socketOptions, resume = true } = options;
    this.#address = address;
    this.#options = options;
    this.#connect = connectWith(WebSocket, socketOptions);
    this.#environment = environment;
    // The plain one first: a server that does not look takes the first.
    this.#subprotocols = options.subprotocols ?? (resume ? [PLAIN, RESUMING] : [PLAIN]);
  }

  /** A session makes the first connection like all others; it ends here if that turns out to be plain. */
  protected open(): Promise<Carrier> {
    const { signal, session: { heartbeat } = {}, maxMessageBytes } = this.#options;
    if (signal?.aborted) return Promise.reject(abortError(signal));
    signal?.addEventListener('abort', this.#onAbort);
    return new Promise((resolve, reject) => {
      const takePlain = (link: Link): boolean => {
        // A session that has begun cannot go on over a plain connection.
        if (this.carrier !== undefined) return false;
        resolve(new PlainCarrier(link, heartbeat, this.#environment, maxMessageBytes));
        session.terminate();
        return true;
      };
      const connect = connectByChoice(this.#connect, takePlain);
      const session = new ClientSession(this.#address, this.#sessionOptions(), connect, this.#environment);
      this.#session = session;
      session.on('resumed', () => {
        this.#lostAt = undefined;
      });
      session.ready.then(() => resolve(new SessionCarrier(session)), reject);
    });
  }

  protected override abandon(): void {
    this.#session?.terminate();
  }

  protected override onOver(): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.close();
  };

  #sessionOptions(): ClientSessionOptions {
    const { session, headers, maxMessageBytes = MAX_MESSAGE_BYTES, signal } = this.#options;
    return {
      ...session,
      ...(headers !== undefined && { headers }),
      ...(signal !== undefined && { signal }),
      subprotocols: () => this.#subprotocols,
      queue: { maxBytes: maxMessageBytes },
      maxMessageBytes,
      // What the server knows of this client, no other one does.
      movesOnDrain: false,
      shouldRetry: (end) => this.#shouldRetry(end),
    };
  }

  #shouldRetry(end: LinkEnd): boolean {
    // An application that cannot connect wants to know; one that could is spared the drops.
    if (this.carrier === undefined) return this.#offerNone(end);
    const { session, resumeWithinMs = RESUME_WITHIN_MS } = this.#options;
    const now = this.#environment.now();
    this.#lostAt ??= now;
    if (this.isDraining || now - this.#lostAt >= resumeWithinMs) return false;
    return (session?.shouldRetry ?? shouldRetry)(end);
  }

  /** For servers that know no subprotocols, with which no handshake that offers one can succeed (RFC 6455 §4.1). */
  #offerNone({ error }: LinkEnd): boolean {
    if (error?.message !== 'Server sent no subprotocol' || this.#subprotocols.length === 0) return false;
    this.#subprotocols = [];
    return true;
  }
}
