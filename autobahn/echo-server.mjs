// The server under test: sends every message back. `node echo-server.mjs hawser|ws PORT`
import { createRequire } from 'node:module';

const [, , agent, port] = process.argv;
const { WebSocketServer } = createRequire(import.meta.url)(agent === 'ws' ? 'ws' : '../dist/index.js');

const wss = new WebSocketServer({ host: '127.0.0.1', port: Number(port), perMessageDeflate: true });
wss.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
wss.on('listening', () => console.log(`${agent} listens on ${wss.address().port}`));
