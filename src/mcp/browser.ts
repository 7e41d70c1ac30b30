// `hawser/mcp` for browsers: the client's transport, on the browser's own WebSocket.

import type { Address } from '../agent/client-options.js';
import type { WebSocketClass } from '../agent/socket-link.js';
import { ClientTransport, type ClientTransportOptions } from './client-transport.js';

export type { ClientTransportOptions } from './client-transport.js';
export type { JsonRpcMessage, RequestId } from './message.js';
export type { MessageExtra } from './transport.js';

/** Connects an SDK's client to an MCP server, as in Node, on the browser's WebSocket. */
export class WebSocketClientTransport extends ClientTransport {
  constructor(address: Address, options: ClientTransportOptions = {}) {
    super(globalThis.WebSocket as unknown as WebSocketClass, address, options);
  }
}
