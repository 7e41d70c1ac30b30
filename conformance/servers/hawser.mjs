// An echo server on hawser; `HAWSER_DIST` names another build of it.
import { createRequire } from 'node:module';

const { WebSocketServer } = createRequire(import.meta.url)(process.env.HAWSER_DIST ?? '../../dist');

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: true });
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.on('listening', () => console.log(`ws://127.0.0.1:${server.address().port}/`));
