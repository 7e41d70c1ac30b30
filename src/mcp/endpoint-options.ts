// What a user says of an MCP endpoint, and what it says of its clients and of itself.

import type { IncomingMessage } from 'node:http';
import type { UpgradeSource } from '../agent/entrance.js';
import type { SessionServerOptions, SessionServerStats } from '../agent/server-options.js';
import type { WebSocketServerTransport } from './server-transport.js';

/** Who a client is, or that it is refused. */
export type Verified = string | { principal: string; authInfo?: object } | undefined | false;

/** A client that has come in. */
export interface McpConnection {
  transport: WebSocketServerTransport;
  /** Of its first connection. */
  request: IncomingMessage;
  /** What `verify` said. */
  principal: string;
  authInfo: object | undefined;
}

/** What is used of an SDK's server, or client. */
export interface Connectable {
  connect(transport: never): Promise<unknown>;
}

export interface McpEndpointOptions
  extends Pick<
    SessionServerOptions,
    'windowMs' | 'maxDetached' | 'maxDetachedBytes' | 'heartbeat' | 'helloTimeoutMs' | 'path' | 'signal'
  > {
  /** Whose connections to take: an `http.Server`, or `https.Server`. */
  server?: UpgradeSource;
  /** Connections come through `handleUpgrade()`. */
  noServer?: boolean;
  /** Makes what is to be connected to a client's transport: an `McpServer` or `Server` of SDK 1.x or 2.x. */
  factory?: (connection: McpConnection) => Connectable | Promise<Connectable>;
  /** Instead of `factory`: connects the transport to whatever is to serve it, `serveStdio` of SDK 2.x for one. */
  connect?: (connection: McpConnection) => unknown;
  /**
   * Who the client is: a principal that is the same at each of its connections, and what handlers get as `authInfo`.
   * `undefined` or `false` refuses it with 401. Called in every handshake. By default everybody is the same principal.
   */
  verify?: (request: IncomingMessage) => Verified | Promise<Verified>;
  /**
   * Origins of web pages that may connect, as `https://app.example`; `*` is all. By default only pages from the same
   * address and port as this server, and of a server with a name not even those. Others are refused with 403.
   */
  origins?: string[];
  /** Largest message to take or to send, in bytes; 32 MiB by default. */
  maxMessageBytes?: number;
  /** What `factory` or `connect` threw; the client was closed with 1011. */
  onerror?: (error: Error, connection: McpConnection) => void;
}

export interface McpEndpointStats extends SessionServerStats {
  /** Connections that are not resumed. */
  plain: number;
}
