// The package as `require` sees it: the WebSocket class, with everything else as its properties, as in `ws`.

import { parseSubprotocols } from './protocol/subprotocol.js';
import { formatExtensions, parseExtensions } from './wire/extension-header.js';
import { PerMessageDeflate } from './ws/permessage-deflate.js';
import { Receiver } from './ws/receiver.js';
import { Sender } from './ws/sender.js';
import { createWebSocketStream } from './ws/stream.js';
import { WebSocket } from './ws/websocket.js';
import { WebSocketServer } from './ws/websocket-server.js';

export = Object.assign(WebSocket, {
  createWebSocketStream,
  extension: { format: formatExtensions, parse: parseExtensions },
  PerMessageDeflate,
  Receiver,
  Sender,
  Server: WebSocketServer,
  subprotocol: { parse: parseSubprotocols },
  WebSocket,
  WebSocketServer,
});
