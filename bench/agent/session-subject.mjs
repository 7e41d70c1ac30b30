// A server with sessions, to be weighed, and a client that loses its connection, to be timed. Which of the two this process
// is, is for who asks.
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { answer } from '../ipc.mjs';
import { loadSessions, loadSockets, OWN_BUILD } from './builds.mjs';

const { values } = parseArgs({ options: { dist: { type: 'string', default: OWN_BUILD } } });
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

// The server

/** @type {any} */ let sessions;
/** The session that came last. @type {any} */ let latest;

async function listen() {
  const server = createServer();
  sessions = new (loadSessions(values.dist).SessionServer)({ server });
  sessions.on('session', (/** @type {any} */ session) => {
    latest = session;
    // Nothing is asked of what arrives, but somebody takes it.
    session.on('message', () => {});
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  return /** @type {any} */ (server.address()).port;
}

/** Memory after everything that can be collected has been. Needs --expose-gc. */
async function settledMemory() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await delay(50);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heapUsed, external };
}

// The clients that come once and lose their connection

const HELLO =
  '\u0001{"t":"hello","v":1,"gen":1,"recv":0,"caps":{"messages":4096,"bytes":1048576,"ping":true}}';

/** Opens a session, and destroys its connection when the server has welcomed it. @param {number} port */
function openAndDrop(port) {
  const socket = new (loadSockets(values.dist).WebSocket)(`ws://127.0.0.1:${port}`, 'hawser.v1');
  socket.on('open', () => socket.send(HELLO));
  socket.on('message', () => socket.terminate());
  return new Promise((resolve, reject) => {
    socket.on('close', resolve);
    socket.on('error', reject);
  });
}

/** @param {{ port: number, count: number }} target */
async function openAndDropAll({ port, count }) {
  const some = 100;
  for (let opened = 0; opened < count; opened += some) {
    await Promise.all(Array.from({ length: Math.min(some, count - opened) }, () => openAndDrop(port)));
  }
}

// The client that resumes

let resumedAtMs = 0;
let replayedAtMs = 0;

/** @param {{ port: number }} target */
async function connect({ port }) {
  // However often the connection is cut: the delay before the attempt is not what is timed.
  const options = { backoff: { baseMs: 50, capMs: 50 } };
  const session = loadSessions(values.dist).connectSession(`ws://127.0.0.1:${port}`, options);
  session.on('resumed', () => {
    resumedAtMs = nowMs();
    replayedAtMs = 0;
  });
  session.on('message', () => {
    replayedAtMs ||= nowMs();
  });
  await session.ready;
}

answer({
  listen,
  settledMemory,
  detached: () => sessions.stats().detached,
  send: ({ text }) => void latest.send(text),
  openAndDropAll,
  connect,
  times: () => ({ resumedAtMs, replayedAtMs }),
});
