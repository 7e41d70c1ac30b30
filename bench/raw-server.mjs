// The floor: what Node's sockets cost when nobody speaks WebSocket. It does the opening handshake by hand
// (RFC 6455 §4.2.2), never looks at a frame, and knows from the number of bytes that arrived which replies of
// the case are due.
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';
import { acceptValue } from './client.mjs';
import { listening } from './library-servers.mjs';

/** @param {string} key @param {import('./cases.mjs').Case} spec */
function upgradeResponse(key, spec) {
  const parameters =
    spec.deflate === 'fresh' ? '; server_no_context_takeover; client_no_context_takeover' : '';
  const extension =
    spec.deflate === false ? '' : `Sec-WebSocket-Extensions: permessage-deflate${parameters}\r\n`;
  const status = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
  return `${status}Sec-WebSocket-Accept: ${acceptValue(key)}\r\n${extension}\r\n`;
}

/**
 * Answers by arithmetic: frame i of the block has arrived when requestEnds[i] bytes have. What became due with one
 * piece of input leaves in one write, as it does from a server that takes care.
 *
 * @param {import('node:stream').Duplex} socket
 * @param {import('./frames.mjs').Exchange} exchange
 * @param {(bytes: Buffer) => void} write
 */
export function answerByArithmetic(socket, { requestEnds, replyEnds, reply }, write) {
  const blockBytes = /** @type {number} */ (requestEnds.at(-1));
  let received = 0;
  let answered = 0;
  let sent = 0;
  socket.on('data', (bytes) => {
    received += bytes.length;
    while (received > 0) {
      while (answered < requestEnds.length && /** @type {number} */ (requestEnds[answered]) <= received)
        answered++;
      if (answered === 0) return;
      const end = /** @type {number} */ (replyEnds[answered - 1]);
      if (end > sent) {
        write(reply.subarray(sent, end));
        sent = end;
      }
      if (received < blockBytes) return;
      received -= blockBytes;
      answered = 0;
      sent = 0;
    }
  });
}

/**
 * @param {import('./cases.mjs').Case} spec
 * @param {import('./frames.mjs').Exchange} exchange
 * @param {{ key: Buffer, cert: Buffer } | null} tls
 */
export async function startRawServer(spec, exchange, tls) {
  /** @type {Set<import('node:stream').Duplex>} */
  const open = new Set();

  /** @param {import('node:stream').Duplex} socket */
  function serve(socket) {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    const toAll = (/** @type {Buffer} */ due) => {
      for (const other of open) other.write(due);
    };
    answerByArithmetic(socket, exchange, spec.kind === 'broadcast' ? toAll : (due) => socket.write(due));
  }

  /** @param {import('node:net').Socket} socket */
  function greet(socket) {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    let head = '';
    socket.on('data', function onHead(/** @type {Buffer} */ bytes) {
      head += bytes.toString('latin1');
      if (!head.endsWith('\r\n\r\n')) return;
      socket.off('data', onHead);
      const at = head.indexOf('Sec-WebSocket-Key: ') + 19;
      socket.write(upgradeResponse(head.slice(at, at + 24), spec));
      serve(socket);
    });
  }

  const connections = () => open.size;
  if (spec.listener === 'own') return { port: await listening(createServer(greet), false), connections };
  const server = tls === null ? createHttpServer() : createHttpsServer(tls);
  server.on('upgrade', (request, socket) => {
    /** @type {import('node:net').Socket} */ (socket).setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.write(upgradeResponse(String(request.headers['sec-websocket-key']), spec));
    serve(socket);
  });
  return { port: await listening(server, false), connections };
}
