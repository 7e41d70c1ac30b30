// The process that is measured: one server, one library, one case. It does nothing but serve, and tells its
// CPU time and memory when it is asked. Also runs alone, for a profiler:
//   node --cpu-prof bench/server.mjs --lib hawser --case echo-64
// With --lib bun it is Bun that runs this file.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CASE_OPTIONS, caseFromArguments } from './cases.mjs';
import { createCertificate } from './certificate.mjs';
import { buildExchange } from './frames.mjs';
import { answer, sampleProcess } from './ipc.mjs';
import { loadPeer } from './peers.mjs';

const { values } = parseArgs({
  options: {
    ...CASE_OPTIONS,
    lib: { type: 'string', default: 'hawser' },
    'no-addons': { type: 'boolean', default: false },
  },
});
const spec = caseFromArguments(values);

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

/**
 * The server of each face, loaded only where it is wanted: Bun has no business with those for Node.
 *
 * @typedef {{ port: number, connections: () => number }} Running
 * @returns {Promise<Running>}
 */
async function serve() {
  const tls = spec.tls ? createCertificate() : null;
  if (peer.face === 'raw') {
    const { startRawServer } = await import('./raw-server.mjs');
    return startRawServer(spec, await buildExchange(spec), tls);
  }
  if (peer.face === 'bun') return (await import('./bun-server.mjs')).startBunServer(spec, tls);
  if (peer.face === 'uws') return (await import('./uws-server.mjs')).startUwsServer(peer.library, spec);
  const servers = await import('./library-servers.mjs');
  return servers.startLibraryServer(peer, spec, tls);
}

const { port, connections } = await serve();

/** Memory after everything that can be collected has been. Needs --expose-gc in Node. */
async function settledMemory() {
  for (let i = 0; i < 4; i++) {
    if (globalThis.Bun !== undefined) globalThis.Bun.gc(true);
    else globalThis.gc?.();
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
