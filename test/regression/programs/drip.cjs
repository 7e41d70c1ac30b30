// One frame, handed over in chunks of one byte each, by a socket that shares no memory between chunks.
const { Duplex } = require('node:stream');
const { WebSocket, parameters, once, heldBytes, report } = require('./program.cjs');

(async () => {
  const { count } = parameters;
  const socket = new Duplex({ read() {}, write: (_bytes, _encoding, done) => done() });
  const webSocket = new WebSocket(null);
  webSocket.setSocket(socket, undefined, { maxPayload: 2 ** 30 });
  const before = await heldBytes();
  const header = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(count, 6);
  socket.push(header);
  for (let sent = 0; sent < count - 1; sent++) {
    socket.push(Buffer.alloc(1, 0x78));
    if (sent % 10_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const held = (await heldBytes()) - before;
  const message = once(webSocket, 'message');
  socket.push(Buffer.alloc(1, 0x78));
  const [data] = await message;
  report({ held, length: data.length });
})();
