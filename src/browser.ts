// What bundlers take for browsers, which have a WebSocket of their own: loading it is harmless, using it says so.

function refuse(): never {
  throw new Error('hawser runs in Node.js: in a browser, use the native WebSocket');
}

export = Object.assign(refuse, {
  CONNECTING: 0,
  OPEN: 1,
  CLOSING: 2,
  CLOSED: 3,
  createWebSocketStream: refuse,
  extension: { format: refuse, parse: refuse },
  PerMessageDeflate: refuse,
  Receiver: refuse,
  Sender: refuse,
  Server: refuse,
  subprotocol: { parse: refuse },
  WebSocket: refuse,
  WebSocketServer: refuse,
});
