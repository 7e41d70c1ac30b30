// The floor of the client cases: a node:net socket that opens by hand (RFC 6455 §4.1), never looks at a frame, and
// knows from the number of bytes which part of a block, masked beforehand, is due.
import { connect } from 'node:net';
import { answerByArithmetic } from './raw-server.mjs';

/**
 * @param {string} url
 * @param {import('./frames.mjs').Exchange} exchange
 * @param {() => void} lost
 * @returns {Promise<void>}
 */
export function connectRaw(url, exchange, lost) {
  const { port, hostname, host, pathname } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, noDelay: true });
  socket.on('error', lost);
  socket.on('close', lost);
  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n${upgrade}\r\n\r\n`);
  let head = '';
  return new Promise((resolve) => {
    socket.on('data', function onHead(bytes) {
      head += bytes.toString('latin1');
      if (!head.endsWith('\r\n\r\n')) return;
      socket.off('data', onHead);
      answerByArithmetic(socket, exchange, (due) => socket.write(due));
      resolve();
    });
  });
}
