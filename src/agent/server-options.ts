// What a user says of a server of sessions, and what it says of itself.

import type { IncomingMessage } from 'node:http';
import type { EntranceOptions } from './entrance.js';
import type { LivenessOptions } from './liveness.js';
import type { ServerSession } from './server-session.js';
import type { SessionOptions } from './session.js';

export interface SessionServerOptions extends SessionOptions, EntranceOptions {
  /** How long a session waits for its client, in milliseconds; 120,000 by default. */
  windowMs?: number;
  /** The most sessions that wait for their clients; 10,000 by default. The one that has waited longest goes. */
  maxDetached?: number;
  /** The most payload bytes that such sessions hold together; 256 MiB by default. */
  maxDetachedBytes?: number;
  /** Milliseconds between Pings, and of silence after one; 25,000 and 20,000 by default. */
  heartbeat?: LivenessOptions;
  /** How long a client may take from the opening handshake to its hello, in milliseconds; 10,000 by default. */
  helloTimeoutMs?: number;
  /** Closes the server when it is aborted. */
  signal?: AbortSignal;
}

export interface SessionServerEvents {
  /** A client has begun a session. `request` is that of its first connection. */
  session: [session: ServerSession, request: IncomingMessage];
}

export interface DrainOptions {
  /** When the connections that are left are cut, in milliseconds; 30,000 by default. */
  deadlineMs?: number;
  /** Over how long clients are told, so that they do not all leave at once; 10,000 by default. */
  spreadMs?: number;
}

/** How many sessions went how: of themselves, because the client moved on, and because the deadline came. */
export interface DrainResult {
  moved: number;
  finished: number;
  cut: number;
}

export interface SessionServerStats {
  /** Sessions with a connection, and without. */
  attached: number;
  detached: number;
  /** Payload bytes held by those without. */
  detachedBytes: number;
  /** Connections that have not said hello. */
  pending: number;
  /** So far: sessions begun, connections that resumed one, attempts to resume that failed, sessions evicted. */
  created: number;
  resumed: number;
  refusedResumes: number;
  evicted: number;
}
