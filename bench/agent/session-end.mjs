// One end of a connection, with or without the session layer: a server that echoes, or a client that asks for echoes. It
// tells its CPU time, the messages, and how long each took where one is in flight. Also runs alone, for a profiler:
//   node --cpu-prof bench/agent/session-end.mjs --role both --layer session
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { answer, sampleProcess } from '../ipc.mjs';
import { loadSessions, loadSockets, OWN_BUILD } from './builds.mjs';

const { values } = parseArgs({
  options: {
    role: { type: 'string', default: 'both' },
    layer: { type: 'string', default: 'session' },
    kind: { type: 'string', default: 'binary' },
    size: { type: 'string', default: '64' },
    depth: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
    dist: { type: 'string', default: OWN_BUILD },
  },
});
const isText = values.kind === 'text';
const depth = Number(values.depth);
const size = Number(values.size);
/** No two are alike, because a text that is sent twice in a row would be encoded once. @type {(string | Buffer)[]} */
const payloads = Array.from({ length: depth }, (_, i) => {
  const letters = String.fromCharCode(97 + (i % 26), 97 + Math.floor(i / 26)).repeat(size / 2);
  return isText ? letters : Buffer.from(letters);
});

// The server

/** @type {Set<import('node:net').Socket>} */ const connections = new Set();

/** @param {import('node:http').Server} server */
function echoWithSockets(server) {
  const wss = new (loadSockets(values.dist).WebSocketServer)({ server });
  wss.on('connection', (/** @type {any} */ socket) => {
    // A program that takes text wants a string; a session hands one over, a socket a Buffer.
    if (isText) socket.on('message', (/** @type {Buffer} */ data) => socket.send(data.toString()));
    else socket.on('message', (/** @type {Buffer} */ data) => socket.send(data));
  });
}

/** @param {import('node:http').Server} server */
function echoWithSessions(server) {
  const sessions = new (loadSessions(values.dist).SessionServer)({ server });
  sessions.on('session', (/** @type {any} */ session) => {
    session.on('message', (/** @type {string | Uint8Array} */ data) => void session.send(data));
  });
}

async function listen() {
  const server = createServer();
  server.on('connection', (socket) => connections.add(socket));
  if (values.layer === 'session') echoWithSessions(server);
  else echoWithSockets(server);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  return /** @type {any} */ (server.address()).port;
}

// The client

let messages = 0;
let isRunning = false;
/** Of single messages, in milliseconds. @type {number[]} */ let latencies = [];

/** Resolves to what sends a message. @param {number} port @param {(data: unknown) => void} onMessage */
async function connect(port, onMessage) {
  const url = `ws://127.0.0.1:${port}`;
  if (values.layer === 'session') {
    const session = loadSessions(values.dist).connectSession(url);
    session.on('message', onMessage);
    await session.ready;
    return (/** @type {string | Buffer} */ data) => void session.send(data);
  }
  const socket = new (loadSockets(values.dist).WebSocket)(url);
  socket.on('message', isText ? (/** @type {Buffer} */ data) => onMessage(data.toString()) : onMessage);
  await new Promise((resolve) => socket.once('open', resolve));
  return (/** @type {string | Buffer} */ data) => socket.send(data);
}

/** Sends `depth` messages, and again when all echoes are there. @param {number} port */
async function ask(port) {
  let waiting = 0;
  let sentAt = 0;
  const send = await connect(port, (data) => {
    if (/** @type {string | Buffer} */ (data).length !== size) throw new Error('a wrong echo');
    messages++;
    if (depth === 1) latencies.push(performance.now() - sentAt);
    if (--waiting === 0 && isRunning) sendAll();
  });
  const sendAll = () => {
    waiting = depth;
    sentAt = performance.now();
    for (const payload of payloads) send(payload);
  };
  isRunning = true;
  sendAll();
}

function sample() {
  let bytes = 0;
  for (const socket of connections) bytes += socket.bytesRead + socket.bytesWritten;
  return { ...sampleProcess(), messages, bytes };
}

if (process.send !== undefined) {
  answer({
    listen,
    ask: ({ port }) => ask(port),
    sample,
    beginWindow: () => {
      latencies = [];
      return sample();
    },
    latencies: () => latencies,
  });
} else {
  await ask(await listen());
  await delay(1000 * Number(values.seconds));
  const { userUs, systemUs } = sample();
  console.log(`${messages} messages, ${((userUs + systemUs) / messages).toFixed(3)} us each`);
  process.exit();
}
