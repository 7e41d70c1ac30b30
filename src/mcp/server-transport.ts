// The transport over what has come in: a session, or one connection. It is an SDK's server that is served there, or an SDK's
// client, when it is the MCP server that dialled.

import type { IncomingMessage } from 'node:http';
import { type Environment, environment as machine } from '../agent/environment.js';
import type { Link } from '../agent/link.js';
import type { LivenessOptions } from '../agent/liveness.js';
import type { ServerSession } from '../agent/server-session.js';
import { linkOf, type NodeWebSocket, type StandardWebSocket } from '../agent/socket-link.js';
import type { Carrier } from './carrier.js';
import { PlainCarrier } from './plain-carrier.js';
import { extraOf } from './request-info.js';
import { SessionCarrier } from './session-carrier.js';
import { McpTransport } from './transport.js';

export interface ServerTransportOptions {
  /** Who the client is, in the SDK's terms; for handlers. */
  authInfo?: object;
  /** By which the client came; for handlers. */
  request?: IncomingMessage;
  /** Largest message to send, in bytes; 32 MiB by default. What is taken is the WebSocket's to limit. */
  maxMessageBytes?: number;
  /** Of a plain connection: milliseconds between Pings, and of silence after one; 25,000 and 20,000 by default. */
  heartbeat?: LivenessOptions;
}

/**
 * For sockets that come from elsewhere; {@link serveMcp} makes these itself.
 *
 * @example
 * ```ts
 * webSocketServer.on('connection', (socket, request) =>
 *   createMcpServer().connect(new WebSocketServerTransport(socket, { request })),
 * );
 * ```
 */
export class WebSocketServerTransport extends McpTransport {
  protected override carrier: Carrier;

  /**
   * @param connection open; its messages are taken from now on
   * @param environment time and randomness; only tests bring their own
   */
  constructor(
    connection: ServerSession | NodeWebSocket | StandardWebSocket | Link,
    options: ServerTransportOptions = {},
    environment: Environment = machine,
  ) {
    super(options.maxMessageBytes, extraOf(options.request, options.authInfo));
    this.carrier = carrierOf(connection, options, environment);
  }

  protected async open(): Promise<Carrier> {
    return this.carrier;
  }
}

function carrierOf(
  connection: ServerSession | NodeWebSocket | StandardWebSocket | Link,
  { heartbeat, maxMessageBytes }: ServerTransportOptions,
  environment: Environment,
): Carrier {
  if ('principal' in connection) return new SessionCarrier(connection);
  const link = 'release' in connection ? connection : linkOf(connection);
  return new PlainCarrier(link, heartbeat, environment, maxMessageBytes);
}
