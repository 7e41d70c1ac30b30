// The floor: what Node's sockets cost when nobody speaks WebSocket. It does the opening handshake by hand
// (RFC 6455 §4.2.2), never looks at a frame, and knows from the number of bytes that arrived which replies of
// the case are due.
import { createHash } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** @param {string} key @param {import('./cases.mjs').Case} spec */
function upgradeResponse(key, spec) {
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  const parameters =
    spec.deflate === 'fresh' ? '; server_no_context_takeover; client_no_context_takeover' : '';
  const extension =
    spec.deflate === false ? '' : `Sec-WebSocket-Extensions: permessage-deflate${parameters}\r\n`;
  const status = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
  return `${status}Sec-WebSocket-Accept: ${accept}\r\n${extension}\r\n`;
}

/**
 * @param {import('./cases.mjs').Case} spec
 * @param {import('./frames.mjs').Exchange} exchange
 * @param {{ key: Buffer, cert: Buffer } | null} tls
 */
export function createRawServer(spec, exchange, tls) {
  /** @type {Set<import('node:stream').Duplex>} */
  const open = new Set();

  /**
   * Echoes by arithmetic: frame i of the block has arrived when requestEnds[i] bytes have.
   *
   * @param {import('node:stream').Duplex} socket
   */
  function serve(socket) {
    const { requestEnds, replyEnds, reply } = exchange;
    const blockBytes = /** @type {number} */ (requestEnds.at(-1));
    let received = 0;
    let answered = 0;
    let sent = 0;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('data', (bytes) => {
      received += bytes.length;
      while (received > 0) {
        while (answered < requestEnds.length && /** @type {number} */ (requestEnds[answered]) <= received)
          answered++;
        if (answered === 0) return;
        const end = /** @type {number} */ (replyEnds[answered - 1]);
        if (end > sent) {
          const due = reply.subarray(sent, end);
          if (spec.kind === 'broadcast') for (const other of open) other.write(due);
          else socket.write(due);
          sent = end;
        }
        if (received < blockBytes) return;
        received -= blockBytes;
        answered = 0;
        sent = 0;
      }
    });
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

  if (spec.listener === 'own') return { server: createServer(greet), connections: () => open.size };
  const server = tls === null ? createHttpServer() : createHttpsServer(tls);
  server.on('upgrade', (request, socket) => {
    /** @type {import('node:net').Socket} */ (socket).setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.write(upgradeResponse(String(request.headers['sec-websocket-key']), spec));
    serve(socket);
  });
  return { server, connections: () => open.size };
}
