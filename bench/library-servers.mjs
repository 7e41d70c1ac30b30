// The servers of the libraries for Node, each as a user would write it who has read its documentation. Defaults
// stay, except where they make a case impossible; then a comment says so.
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';

/** What `ws` takes as `perMessageDeflate`; the threshold is 0 so that every library compresses every reply. */
const DEFLATE_OPTIONS = {
  fresh: { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
  takeover: { threshold: 0 },
};

/** @typedef {import('./cases.mjs').Case} Case */

/** The face of `ws`. @param {any} library @param {Case} spec @param {any} httpServer null: it listens itself */
function serveWs(library, spec, httpServer) {
  const wss = new library.WebSocketServer({
    ...(httpServer === null ? { host: '127.0.0.1', port: 0 } : { server: httpServer }),
    perMessageDeflate: spec.deflate === false ? false : DEFLATE_OPTIONS[spec.deflate],
  });
  const broadcasts = spec.usesBroadcastMethod && typeof wss.broadcast === 'function';

  /** @param {any} data @param {boolean} isBinary */
  function toAll(data, isBinary) {
    const message = spec.sendsString ? data.toString() : data;
    const options = { binary: isBinary };
    if (broadcasts) wss.broadcast(message, options);
    else for (const client of wss.clients) client.send(message, options);
  }

  wss.on('connection', (/** @type {any} */ socket) => {
    socket.on('error', () => {});
    if (spec.kind === 'broadcast') {
      socket.on('message', toAll);
    } else {
      socket.on('message', (/** @type {any} */ data, /** @type {boolean} */ isBinary) => {
        socket.send(data, { binary: isBinary });
      });
    }
  });
  return { server: wss, connections: () => wss.clients.size };
}

/** The package `websocket`. @param {any} library @param {Case} spec @param {any} httpServer */
function serveWebsocket(library, spec, httpServer) {
  const wss = new library.server({
    httpServer,
    // The defaults refuse messages of more than 64 KiB, and cut replies of more than 16 KiB into pieces.
    maxReceivedFrameSize: 128 * 1024 * 1024,
    maxReceivedMessageSize: 128 * 1024 * 1024,
    fragmentOutgoingMessages: false,
  });
  wss.on('request', (/** @type {any} */ request) => {
    const connection = request.accept(null, request.origin);
    connection.on('error', () => {});
    connection.on('message', (/** @type {any} */ message) => {
      const reply = (/** @type {any} */ to) => {
        if (message.type === 'utf8') to.sendUTF(message.utf8Data);
        else to.sendBytes(message.binaryData);
      };
      if (spec.kind !== 'broadcast') reply(connection);
      else if (spec.usesBroadcastMethod && message.type === 'utf8') wss.broadcastUTF(message.utf8Data);
      else for (const other of wss.connections) reply(other);
    });
  });
  return { connections: () => wss.connections.length };
}

/** The package `faye-websocket`. @param {any} Socket @param {Case} spec @param {any} httpServer */
function serveFaye(Socket, spec, httpServer) {
  const open = new Set();
  httpServer.on(
    'upgrade',
    (/** @type {any} */ request, /** @type {any} */ stream, /** @type {any} */ head) => {
      // The default refuses messages of 64 MiB and more.
      const socket = new Socket(request, stream, head, null, { maxLength: 128 * 1024 * 1024 });
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      socket.on('message', (/** @type {any} */ event) => {
        if (spec.kind === 'broadcast') for (const other of open) other.send(event.data);
        else socket.send(event.data);
      });
    },
  );
  return { connections: () => open.size };
}

/**
 * @param {import('./peers.mjs').Peer} peer
 * @param {Case} spec
 * @param {{ key: Buffer, cert: Buffer } | null} tls
 */
export async function startLibraryServer({ face, library }, spec, tls) {
  const listensItself = face === 'ws' && spec.listener === 'own';
  const httpServer = listensItself ? null : tls === null ? createHttpServer() : createHttpsServer(tls);
  const serve = face === 'ws' ? serveWs : face === 'websocket' ? serveWebsocket : serveFaye;
  const running = serve(library, spec, httpServer);
  const server = httpServer ?? /** @type {any} */ (running).server;
  return { port: await listening(server, listensItself), connections: running.connections };
}

/** @param {any} server @param {boolean} listensItself @returns {Promise<number>} */
export async function listening(server, listensItself) {
  await new Promise((resolve, reject) => {
    server.on('error', reject);
    if (server.address() !== null) resolve(undefined);
    else server.on('listening', () => resolve(undefined));
    if (!listensItself) server.listen(0, '127.0.0.1', 4096);
  });
  return server.address().port;
}
