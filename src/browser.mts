// What bundlers take for browsers, for `import`: the object of `browser.ts` with its names as exports.
// DIFFERS(ws): there are named exports, so bundlers find them.

import WebSocket from './browser.js';

export default WebSocket;
export const {
  createWebSocketStream,
  extension,
  PerMessageDeflate,
  Receiver,
  Sender,
  Server,
  subprotocol,
  WebSocketServer,
} = WebSocket;
export { WebSocket };
