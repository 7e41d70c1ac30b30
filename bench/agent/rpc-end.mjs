// One end of a connection on which calls, streams or tokens travel, as calls of `hawser/rpc` or as plain messages: the server,
// or the client that asks. It tells its CPU time, what it has had, and how long that took. Runs alone, too, for a profiler:
//   node --cpu-prof bench/agent/rpc-end.mjs --layer rpc --work calls
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { answer, sampleProcess } from '../ipc.mjs';
import { loadRpc, loadSessions, loadSockets, OWN_BUILD } from './builds.mjs';
import { percentile } from './push-report.mjs';

const { values } = parseArgs({
  options: {
    /** Over a socket: `echo`, `rpc`; over a session: `session-echo`, `session-rpc`. */
    layer: { type: 'string', default: 'rpc' },
    /** `calls`, `numbers`, `objects`, `tokens`, `crowd`. */
    work: { type: 'string', default: 'calls' },
    depth: { type: 'string', default: '64' },
    'handler-ms': { type: 'string', default: '0' },
    seconds: { type: 'string', default: '5' },
    dist: { type: 'string', default: OWN_BUILD },
  },
});
const isSession = values.layer.startsWith('session-');
const isRpc = values.layer.endsWith('rpc');
const depth = Number(values.depth);
const handlerMs = Number(values['handler-ms']);

/** What calls of `add` look like on the wire, without making it. No two are alike, because a text that is sent twice in a row is encoded once. */
const REQUESTS = Array.from(
  { length: depth },
  (_, i) => `{"jsonrpc":"2.0","id":${100_000 + i},"method":"add","params":{"a":1,"b":${i}}}`,
);
const ANSWERS = REQUESTS.map((_, i) => `{"jsonrpc":"2.0","id":${100_000 + i},"result":${i + 1}}`);

const TOKEN_EVERY_MS = 5;
const OBJECT = { id: 1234, name: 'a part', state: 'working', text: 'x'.repeat(50) };

/** Milliseconds on the machine's clock, which all processes share. */
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

// The server

async function* tokens() {
  for (;;) {
    await delay(TOKEN_EVERY_MS);
    yield { at: nowMs(), text: ' word' };
  }
}

const handlers = {
  add: (/** @type {{ a: number, b: number }} */ { a, b }) => a + b,
  wait: () => (handlerMs === 0 ? 0 : delay(handlerMs, 0)),
  async *numbers() {
    for (let i = 0; ; i++) yield i;
  },
  async *objects() {
    for (;;) yield OBJECT;
  },
  tokens,
};

/** Says the same with plain messages. @param {any} connection a socket or a session */
function servePlain(connection) {
  let answered = 0;
  connection.on('message', async (/** @type {string | Buffer} */ data) => {
    // A program that takes text wants a string; a session hands one over, a socket a Buffer.
    const text = data.toString();
    if (text !== 'tokens') return connection.send(ANSWERS[answered++ % depth]);
    for await (const token of tokens()) connection.send(JSON.stringify(token));
  });
}

async function listen() {
  const server = createServer();
  const serve = isRpc
    ? (/** @type {any} */ connection) => new (loadRpc(values.dist).RpcPeer)(connection, { handlers })
    : servePlain;
  if (isSession) new (loadSessions(values.dist).SessionServer)({ server }).on('session', serve);
  else new (loadSockets(values.dist).WebSocketServer)({ server }).on('connection', serve);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  return /** @type {any} */ (server.address()).port;
}

// The client

/** Answers, items or tokens that have come. */
let messages = 0;
/** In milliseconds. @type {number[]} */ let latencies = [];
/** p99 to p50 of each crowd by itself. @type {number[]} */ let tails = [];

/** @param {number} port */
async function connect(port) {
  const url = `ws://127.0.0.1:${port}`;
  if (isSession) {
    const session = loadSessions(values.dist).connectSession(url);
    await session.ready;
    return session;
  }
  const socket = new (loadSockets(values.dist).WebSocket)(url);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return socket;
}

/** Sends `depth` requests, and again when all answers are there. @param {(onAnswer: () => void) => () => void} prepare */
function askAgainAndAgain(prepare) {
  let waiting = 0;
  let sentAt = 0;
  const askAll = prepare(() => {
    messages++;
    if (depth === 1) latencies.push(performance.now() - sentAt);
    if (--waiting === 0) begin();
  });
  const begin = () => {
    waiting = depth;
    sentAt = performance.now();
    askAll();
  };
  begin();
}

/** @param {any} connection @param {() => void} onAnswer */
function askPlain(connection, onAnswer) {
  connection.on('message', (/** @type {string | Buffer} */ data) => {
    const text = data.toString();
    if (!text.startsWith('{"jsonrpc"')) throw new Error(`a wrong answer: ${text}`);
    onAnswer();
  });
  return () => {
    for (const request of REQUESTS) connection.send(request);
  };
}

/** @param {any} peer @param {() => void} onAnswer */
function askByCalls(peer, onAnswer) {
  const onResult = (/** @type {number} */ sum) => {
    if (!(sum > 0)) throw new Error(`a wrong sum: ${sum}`);
    onAnswer();
  };
  return () => {
    for (let b = 0; b < depth; b++) peer.call('add', { a: 1, b }).then(onResult);
  };
}

/** @param {{ at: number }} token */
function onToken({ at }) {
  messages++;
  latencies.push(nowMs() - at);
}

/** All calls at once, and again when all are answered. @param {any} peer */
async function crowd(peer) {
  for (;;) {
    const calls = Array.from({ length: depth }, async () => {
      const began = performance.now();
      await peer.call('wait');
      messages++;
      return performance.now() - began;
    });
    const times = await Promise.all(calls);
    latencies.push(...times);
    tails.push(percentile(times, 0.99) / percentile(times, 0.5));
    await delay(10);
  }
}

/** @param {any} peer */
async function read(peer) {
  const onItem = values.work === 'tokens' ? onToken : () => messages++;
  for await (const item of await peer.call(values.work)) onItem(item);
}

/** @param {number} port */
async function ask(port) {
  const connection = await connect(port);
  const fail = (/** @type {Error} */ error) => {
    // Nothing can be measured any more: the process that asks is told so by our end.
    console.error(error);
    process.exit(1);
  };
  if (!isRpc) {
    if (values.work === 'calls') return askAgainAndAgain((onAnswer) => askPlain(connection, onAnswer));
    connection.on('message', (/** @type {string | Buffer} */ data) => onToken(JSON.parse(data.toString())));
    return connection.send('tokens');
  }
  const peer = new (loadRpc(values.dist).RpcPeer)(connection);
  peer.on('error', fail);
  if (values.work === 'calls') askAgainAndAgain((onAnswer) => askByCalls(peer, onAnswer));
  else (values.work === 'crowd' ? crowd : read)(peer).catch(fail);
}

// The JSON of a call, at both ends, and nothing else

/** Microseconds of CPU time. @param {{ calls: number }} plan */
function json({ calls }) {
  const before = process.cpuUsage();
  let length = 0;
  for (let i = 0; i < calls; i++) {
    const id = 100_000 + (i % 100_000);
    const request = JSON.stringify({ jsonrpc: '2.0', id, method: 'add', params: { a: 1, b: i % 64 } });
    const { a, b } = JSON.parse(request).params;
    const response = JSON.stringify({ jsonrpc: '2.0', id, result: a + b });
    length += JSON.parse(response).result;
  }
  const { user, system } = process.cpuUsage(before);
  if (length <= 0) throw new Error('unreachable');
  return (user + system) / calls;
}

const percentiles = () =>
  latencies.length === 0
    ? {}
    : {
        p50Ms: percentile(latencies, 0.5),
        p99Ms: percentile(latencies, 0.99),
        ...(tails.length > 0 && { tail: percentile(tails, 0.5) }),
      };

const sample = () => ({ ...sampleProcess(), messages });

if (process.send !== undefined) {
  answer({
    listen,
    ask: ({ port }) => ask(port),
    json,
    sample,
    beginWindow: () => {
      latencies = [];
      tails = [];
      return sample();
    },
    percentiles,
  });
} else {
  await ask(await listen());
  await delay(1000 * Number(values.seconds));
  const { userUs, systemUs } = sample();
  console.log(`${messages} messages, ${((userUs + systemUs) / messages).toFixed(3)} us each`);
  process.exit();
}
