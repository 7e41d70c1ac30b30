// A session over connections that are cut, with any WebSocket as the client's socket: `node session.mjs <dist> hawser`,
// `global` for Node's own, or the path of a module that exports a class `WebSocket`. Prints both logs.
import { once } from 'node:events';
import http from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [dist, socketName] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(file).href);
const { connectSession, SessionServer } = await load(join(dist, 'agent', 'index.js'));
const { FaultProxy } = await load(join(dist, 'cli', 'fault-proxy.js'));

const COUNT = 300;
/** Cuts, one a connection, after so many bytes. */
const CUTS = [
  [60, 'out', 'rst'],
  [1000, 'both', 'fin'],
  [2000, 'both', 'rst'],
  [4000, 'both', 'fin'],
  [6000, 'both', 'rst'],
];

async function socketOptions() {
  if (socketName === 'hawser') return {};
  const { WebSocket } = socketName === 'global' ? globalThis : await load(socketName);
  return { WebSocket };
}

/** Text and bytes by turns, each with its number. */
async function sendAll(session) {
  for (let number = 1; number <= COUNT; number++) {
    const text = String(number).padEnd(100);
    await session.send(number % 2 === 0 ? text : Buffer.from(text));
  }
}

/** Collects numbers, and acknowledges only some, so that others come again after a cut. */
function collect(session) {
  const numbers = [];
  session.on('message', (data, number) => {
    numbers.push(Number(Buffer.from(data).toString()));
    if (number % 10 === 0) session.acknowledge(number);
  });
  return numbers;
}

const httpServer = http.createServer().listen(0, '127.0.0.1');
await once(httpServer, 'listening');
const server = new SessionServer({ server: httpServer, acknowledge: 'manual' });
const proxy = new FaultProxy({ port: httpServer.address().port });
await proxy.listen();
const cuts = CUTS.values();
const cutNext = () => {
  const { value } = cuts.next();
  if (value !== undefined) proxy.cutAfter(...value);
};
proxy.on('cut', cutNext);
cutNext();

const begun = new Promise((resolve) => server.once('session', resolve));
const client = connectSession(`ws://127.0.0.1:${proxy.address.port}/`, {
  acknowledge: 'manual',
  backoff: { baseMs: 1, capMs: 5 },
  ...(await socketOptions()),
});
const ends = new Set();
client.on('reconnecting', ({ code }) => ends.add(code));
const ofClient = collect(client);
const peer = await begun;
const ofServer = collect(peer);
// Where it stands, should it not end.
setTimeout(() => {
  console.error(
    client.stats(),
    peer.stats(),
    server.stats(),
    proxy.stats(),
    process.getActiveResourcesInfo(),
  );
  process.exit(1);
}, 50_000).unref();
await Promise.all([sendAll(client), sendAll(peer)]);
await Promise.all([client.flush(), peer.flush()]);
const { resumes } = client.stats();
await client.close();
await server.close();
await proxy.close();
httpServer.close();
console.log(
  JSON.stringify({ ofClient, ofServer, cut: proxy.stats().cut, ends: [...ends], hasResumed: resumes > 0 }),
);
