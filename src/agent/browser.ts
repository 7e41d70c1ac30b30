// `hawser/agent` for browsers: the client's end of a session, on the browser's own WebSocket.

import type { Address } from './client-options.js';
import type { ClientSession } from './client-session.js';
import { type ConnectSessionOptions, connectSessionWith } from './connect-session.js';
import type { WebSocketClass } from './socket-link.js';

export * from './exports.js';

/** Begins a session with a `SessionServer`, as in Node, on the browser's WebSocket. */
export function connectSession(address: Address, options: ConnectSessionOptions = {}): ClientSession {
  return connectSessionWith(globalThis.WebSocket as unknown as WebSocketClass, address, options);
}
