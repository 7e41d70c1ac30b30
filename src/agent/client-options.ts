// What a user says of a client's session.

import type { BackoffOptions } from './backoff.js';
import { SUBPROTOCOL } from './control.js';
import { LONGEST_TIMEOUT_MS } from './environment.js';
import { type ConnectRequest, type LinkEnd, MAX_MESSAGE_BYTES } from './link.js';
import type { LivenessOptions } from './liveness.js';
import type { SessionOptions } from './session.js';

/** A value, or where it comes from. Functions are called for every attempt, so that a token can be fresh. */
export type Provided<T> = T | (() => T | Promise<T>);

export type Address = Provided<string | URL>;

export interface ClientSessionOptions extends SessionOptions {
  /** `['hawser.v1']` by default; must hold one that the server takes for a session. */
  subprotocols?: Provided<string[]>;
  /** Not in browsers, which send none. */
  headers?: Provided<Record<string, string>>;
  backoff?: BackoffOptions;
  /** For DNS, TCP, TLS, the opening handshake and the welcome together; 10,000 by default. */
  connectTimeoutMs?: number;
  /** When the server's own heartbeat does not fit; milliseconds. */
  heartbeat?: LivenessOptions;
  /** Whether to connect again after this end. By default, what docs/session-protocol.md says. */
  shouldRetry?: (end: LinkEnd) => boolean;
  /**
   * Whether to move to another server, with a new session, when this one drains; true by default. Otherwise the session
   * stays until the connection is cut.
   */
  movesOnDrain?: boolean;
  /** Of a lost session, what the new one sends by itself; `unsent` and `all` risk what the names say. Nothing by default. */
  resend?: 'none' | 'unsent' | 'all';
  /** Largest message to take, in bytes; 16 MiB by default. */
  maxMessageBytes?: number;
  /** Ends the session when it is aborted. */
  signal?: AbortSignal;
}

export const CONNECT_TIMEOUT_MS = 10_000;

/** What the next attempt is made of. */
export async function requestOf(address: Address, options: ClientSessionOptions): Promise<ConnectRequest> {
  const { subprotocols = [SUBPROTOCOL], headers = {}, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  return {
    url: String(await provide(address)),
    subprotocols: await provide(subprotocols),
    headers: await provide(headers),
    timeoutMs: Math.min(connectTimeoutMs, LONGEST_TIMEOUT_MS),
    maxPayload: options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
  };
}

/** The value, asked for where there is a function. */
async function provide<T>(provided: Provided<T>): Promise<T> {
  return typeof provided === 'function' ? (provided as () => T | Promise<T>)() : provided;
}
