// The process that is measured: one server, one library, one case. It does nothing but serve, and tells its
// CPU time and memory when it is asked. Also runs alone, for a profiler:
//   node --cpu-prof bench/server.mjs --lib hawser --case echo-64
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { caseNamed } from './cases.mjs';
import { createCertificate } from './certificate.mjs';
import { buildExchange } from './frames.mjs';
import { answer, sampleProcess } from './ipc.mjs';
import { loadPeer } from './peers.mjs';
import { createRawServer } from './raw-server.mjs';

const { values } = parseArgs({
  options: {
    lib: { type: 'string', default: 'hawser' },
    case: { type: 'string', default: 'echo-64' },
    connections: { type: 'string' },
    depth: { type: 'string' },
    rate: { type: 'string' },
    'no-addons': { type: 'boolean', default: false },
  },
});

const spec = caseNamed(values.case, {
  connections: values.connections === undefined ? undefined : Number(values.connections),
  depth: values.depth === undefined ? undefined : Number(values.depth),
});

/** What `ws` takes as `perMessageDeflate`; the threshold is 0 so that every library compresses every reply. */
const DEFLATE_OPTIONS = {
  fresh: { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
  takeover: { threshold: 0 },
};

/**
 * A server written as a user of `ws` would write it.
 *
 * @param {any} library
 * @param {{ key: Buffer, cert: Buffer } | null} tls
 */
function createLibraryServer(library, tls) {
  const own = spec.listener === 'own';
  const httpServer = own ? null : tls === null ? createHttpServer() : createHttpsServer(tls);
  const wss = new library.WebSocketServer({
    ...(own ? { host: '127.0.0.1', port: 0 } : { server: httpServer }),
    perMessageDeflate: spec.deflate === false ? false : DEFLATE_OPTIONS[spec.deflate],
  });
  const broadcasts = spec.usesBroadcastMethod && typeof wss.broadcast === 'function';

  /** @param {any} data @param {boolean} isBinary */
  function toAll(data, isBinary) {
    const options = { binary: isBinary };
    if (broadcasts) wss.broadcast(data, options);
    else for (const client of wss.clients) client.send(data, options);
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
  return { server: httpServer ?? wss, listensItself: own, connections: () => wss.clients.size };
}

/** @returns {import('./peers.mjs').Peer} */
function loadPeerOrExit() {
  try {
    return loadPeer(values.lib, { needsAddons: !values['no-addons'] });
  } catch (error) {
    console.error(`bench: cannot load ${values.lib}: ${error instanceof Error ? error.message : error}`);
    process.exit(2);
  }
}

const peer = loadPeerOrExit();
const tls = spec.tls ? createCertificate() : null;
const { server, listensItself, connections } =
  peer.library === null
    ? { listensItself: false, ...createRawServer(spec, await buildExchange(spec), tls) }
    : createLibraryServer(peer.library, tls);

await new Promise((resolve, reject) => {
  server.on('error', reject);
  if (server.address() !== null) resolve(undefined);
  else server.on('listening', () => resolve(undefined));
  if (!listensItself) server.listen(0, '127.0.0.1', 4096);
});
const { port } = server.address();

/** Memory after everything that can be collected has been. Needs --expose-gc. */
async function settledMemory() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await delay(50);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heapUsed, external };
}

if (process.send === undefined) console.log(`${peer.description}: ${values.case} on 127.0.0.1 port ${port}`);
else {
  answer({
    describe: () => ({ port, label: peer.label, description: peer.description }),
    sample: () => ({ ...sampleProcess(), rss: process.memoryUsage.rss(), connections: connections() }),
    settledMemory,
  });
}
