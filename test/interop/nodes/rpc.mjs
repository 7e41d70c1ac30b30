// Calls and streams both ways over any class of WebSocket as the client's: `node rpc.mjs <dist> hawser`, `global` for Node's
// own, or the path of a module that exports a class `WebSocket`. Prints what came of it.
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [dist, socketName] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(file).href);
const { RpcPeer } = await load(join(dist, 'rpc', 'index.js'));
const { default: hawser } = await load(join(dist, 'index.js'));
const { WebSocket } =
  socketName === 'hawser' ? hawser : socketName === 'global' ? globalThis : await load(socketName);

/** More than one window. */
const COUNT = 500;

async function* numbers() {
  for (let number = 1; number <= COUNT; number++) yield number;
}

async function sum({ items }) {
  let total = 0;
  for await (const item of items) total += item;
  return total;
}

async function use(peer) {
  const echoed = [];
  for await (const item of await peer.call('echo', { items: numbers() })) echoed.push(item);
  const left = [];
  for await (const item of await peer.call('numbers')) if (left.push(item) === 3) break;
  return {
    added: await peer.call('add', { a: 1, b: 2 }),
    sum: await peer.call('sum', { items: numbers() }),
    echoed: echoed.length,
    isInOrder: echoed.every((item, i) => item === i + 1),
    left,
    missing: await peer.call('missing').catch(({ code }) => code),
  };
}

const handlers = {
  add: ({ a, b }) => a + b,
  numbers,
  sum,
  echo: ({ items }) => items,
};

const server = new hawser.WebSocketServer({ port: 0, host: '127.0.0.1' });
await once(server, 'listening');
const ofServer = new Promise((resolve) => {
  server.on('connection', (socket) => resolve(new RpcPeer(socket, { handlers })));
});
const client = new RpcPeer(new WebSocket(`ws://127.0.0.1:${server.address().port}/`), { handlers });
const results = await Promise.all([use(client), ofServer.then(use)]);
const closed = ofServer.then((peer) => new Promise((resolve) => peer.on('close', resolve)));
const stats = [client.stats(), (await ofServer).stats()];
await client.close();
const { error } = await closed;
server.close();
console.log(JSON.stringify({ results, stats, error: error?.message ?? null }));
