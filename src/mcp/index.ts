// `hawser/mcp` for Node: both transports, and an endpoint that serves whoever comes. `browser.ts` is what browsers load. Any
// SDK of MCP can be connected to them; none is imported.

import type { Address } from '../agent/client-options.js';
import type { WebSocketClass } from '../agent/socket-link.js';
import { WebSocket } from '../ws/websocket.js';
import { ClientTransport, type ClientTransportOptions } from './client-transport.js';
import { McpEndpoint } from './endpoint.js';
import type { McpEndpointOptions } from './endpoint-options.js';

export type { ClientTransportOptions } from './client-transport.js';
export type { McpEndpoint } from './endpoint.js';
export type {
  Connectable,
  McpConnection,
  McpEndpointOptions,
  McpEndpointStats,
  Verified,
} from './endpoint-options.js';
export type { JsonRpcMessage, RequestId } from './message.js';
export { type ServerTransportOptions, WebSocketServerTransport } from './server-transport.js';
export type { MessageExtra } from './transport.js';

/**
 * Connects an SDK's client to an MCP server, or an SDK's server to a host that listens.
 *
 * @example
 * ```ts
 * const client = new Client({ name: 'example', version: '1.0.0' });
 * await client.connect(new WebSocketClientTransport('wss://tools.example/mcp'));
 * ```
 */
export class WebSocketClientTransport extends ClientTransport {
  /**
   * @param address with the scheme ws or wss; a function is called for every connection
   * @throws TypeError when the address is given and is no URL
   */
  constructor(address: Address, options: ClientTransportOptions = {}) {
    super(WebSocket as unknown as WebSocketClass, address, options);
  }
}

/**
 * Serves MCP over WebSocket: resuming clients, plain ones, and those that offer no subprotocol.
 *
 * @throws TypeError unless exactly one of `server` and `noServer`, and one of `factory` and `connect` is given; RangeError
 *   for times that clients would refuse
 * @example
 * ```ts
 * serveMcp({ server, path: '/mcp', factory: ({ authInfo }) => createMcpServer(authInfo) });
 * // SDK 2.x, for clients of both its eras:
 * serveMcp({ server, path: '/mcp', connect: ({ transport }) => serveStdio(createMcpServer, { transport }) });
 * ```
 */
export function serveMcp(options: McpEndpointOptions): McpEndpoint {
  return new McpEndpoint(options);
}
