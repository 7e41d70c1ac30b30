// Both ends of a connection in one process: streams are opened, read a little and cancelled, and then nothing of them may be
// left, neither in what the peers know nor in memory. Needs --expose-gc.
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { answer } from '../ipc.mjs';
import { loadRpc, loadSessions, loadSockets, OWN_BUILD } from './builds.mjs';

const { values } = parseArgs({ options: { layer: { type: 'string', default: 'rpc' } } });
const { RpcPeer } = loadRpc(OWN_BUILD);
const { connectSession, SessionServer, debug } = loadSessions(OWN_BUILD);
const { WebSocket, WebSocketServer } = loadSockets(OWN_BUILD);

/** At once; a peer allows 256. */
const OPEN_AT_ONCE = 100;

/** Generators that have begun, and whose `finally` has run. */
const generators = { begun: 0, ended: 0 };

async function* numbers() {
  generators.begun++;
  try {
    for (let i = 0; ; i++) yield i;
  } finally {
    generators.ended++;
  }
}

const server = createServer();
/** Both ends. @type {any[]} */ const peers = [];
/** @param {any} connection */
const serve = (connection) => peers.push(new RpcPeer(connection, { handlers: { numbers } }));
const isSession = values.layer === 'session-rpc';
if (isSession) new SessionServer({ server }).on('session', serve);
else new WebSocketServer({ server }).on('connection', serve);
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
const url = `ws://127.0.0.1:${/** @type {any} */ (server.address()).port}`;
const client = new RpcPeer(isSession ? connectSession(url) : new WebSocket(url));
peers.push(client);

async function openAndCancel() {
  for await (const _ of await client.call('numbers')) break;
}

/** Of all peers. */
const inFlight = () =>
  peers.reduce((sum, peer) => {
    const { callsOut, callsIn, streamsOut, streamsIn } = peer.stats();
    return sum + callsOut + callsIn + streamsOut + streamsIn;
  }, 0);

/** Memory after everything that can be collected has been. */
async function settledHeap() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await delay(50);
  }
  return process.memoryUsage().heapUsed;
}

/** @param {{ streams: number }} plan */
async function churn({ streams }) {
  const before = { ...generators };
  for (let opened = 0; opened < streams; opened += OPEN_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(OPEN_AT_ONCE, streams - opened) }, openAndCancel));
  }
  // The last cancellations are on their way.
  for (let i = 0; i < 100 && inFlight() > 0; i++) await delay(10);
  return {
    begun: generators.begun - before.begun,
    ended: generators.ended - before.ended,
    inFlight: inFlight(),
    active: debug.active().length,
    heapBytes: await settledHeap(),
  };
}

answer({ churn });
