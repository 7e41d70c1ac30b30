// `connectSession`, but for the WebSocket that it uses by default.

import type { Address, ClientSessionOptions } from './client-options.js';
import { ClientSession } from './client-session.js';
import { environment } from './environment.js';
import { connectWith, type WebSocketClass } from './socket-link.js';

export interface ConnectSessionOptions extends ClientSessionOptions {
  /** Another class of WebSockets, with the face of `ws` or of the standard: `globalThis.WebSocket`, undici's. */
  WebSocket?: WebSocketClass;
  /** For a class with the face of `ws`, handed on to its constructor: `ca`, `agent`, `perMessageDeflate` and the like. */
  socketOptions?: object;
}

/** @throws TypeError when the address is given and is no URL */
export function connectSessionWith(
  DefaultWebSocket: WebSocketClass,
  address: Address,
  options: ConnectSessionOptions,
): ClientSession {
  if (typeof address !== 'function') new URL(address);
  const { WebSocket = DefaultWebSocket, socketOptions, ...rest } = options;
  return new ClientSession(address, rest, connectWith(WebSocket, socketOptions), environment);
}
