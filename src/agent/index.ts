// `hawser/agent` for Node: sessions, of which both ends are here. `browser.ts` is what browsers load.

import { WebSocket } from '../ws/websocket.js';
import type { Address } from './client-options.js';
import type { ClientSession } from './client-session.js';
import { type ConnectSessionOptions, connectSessionWith } from './connect-session.js';
import type { WebSocketClass } from './socket-link.js';

export * from './exports.js';
export type {
  DrainOptions,
  DrainResult,
  SessionServerEvents,
  SessionServerOptions,
  SessionServerStats,
} from './server-options.js';
export type { ServerSession, ServerState } from './server-session.js';
export { SessionServer } from './session-server.js';
export { type Drainable, type ShutdownOptions, shutdownOn } from './shutdown.js';

/**
 * Begins a session with a `SessionServer`. It connects at once, and again whenever the connection is lost; what is sent
 * meanwhile waits in a bounded queue.
 *
 * @param address of the server, with the scheme ws or wss; a function is called for each attempt
 * @throws TypeError when the address is no URL
 * @example
 * ```ts
 * await using session = connectSession('wss://agents.example/session', {
 *   headers: async () => ({ Authorization: `Bearer ${await freshToken()}` }),
 * });
 * await session.send('hello');
 * for await (const message of session) console.log(message);
 * ```
 */
export function connectSession(address: Address, options: ConnectSessionOptions = {}): ClientSession {
  return connectSessionWith(WebSocket as unknown as WebSocketClass, address, options);
}
