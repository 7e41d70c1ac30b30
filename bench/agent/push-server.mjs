// The process that has something to say: a feed for each subscriber, handed out over one transport. Tells what CPU time and
// how many bytes that took. Every transport here can be resumed by number, except the plain WebSocket.
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { answer, sampleProcess } from '../ipc.mjs';
import { loadSessions, loadSockets, OWN_BUILD } from './builds.mjs';
import { transportNamed } from './transports.mjs';

const { values } = parseArgs({
  options: {
    transport: { type: 'string', default: 'websocket' },
    subscribers: { type: 'string', default: '10' },
    size: { type: 'string', default: '200' },
  },
});
const transport = transportNamed(values.transport);
const subscribers = Number(values.subscribers);
const padding = 'x'.repeat(Number(values.size));

/** What one subscriber is to be told, numbered from 1. */
class Feed {
  published = 0;
  /** Tells it at once, where the transport can. @type {((text: string, number: number) => void) | undefined} */
  push;
  /** What was published and is not known to have arrived, where the client has to ask for it. @type {string[]} */
  #unread = [];
  /** Answers the request that is held. @type {(() => void) | undefined} */
  #wake;

  /** @param {string} text */
  publish(text) {
    this.published++;
    if (this.push !== undefined) return this.push(text, this.published);
    this.#unread.push(text);
    this.#wake?.();
    this.#wake = undefined;
  }

  /**
   * Answers a request for what came after number `after`, at once or, if there is nothing yet, when there is.
   *
   * @param {number} after
   * @param {(body: string) => void} respond
   */
  answer(after, respond) {
    this.#unread.splice(0, after - (this.published - this.#unread.length));
    const reply = () => respond(`{"last":${this.published},"messages":[${this.#unread.join()}]}`);
    if (this.#unread.length === 0 && transport.isHeld) this.#wake = reply;
    else reply();
  }
}

const feeds = Array.from({ length: subscribers }, () => new Feed());
if (transport.face === 'none') for (const feed of feeds) feed.push = () => {};
const feedOf = (/** @type {string | undefined} */ url) =>
  /** @type {Feed} */ (feeds[Number(new URL(url ?? '', 'http://feed').pathname.slice(1))]);

/** @type {Set<import('node:net').Socket>} */ const sockets = new Set();
/** Of connections that are gone. */
const bytes = { fromClients: 0, toClients: 0 };

const server = createServer((request, response) => {
  const feed = feedOf(request.url);
  if (transport.face === 'sse') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.flushHeaders();
    feed.push = (text, number) => response.write(`id: ${number}\ndata: ${text}\n\n`);
    return;
  }
  const after = Number(new URL(request.url ?? '', 'http://feed').searchParams.get('after'));
  feed.answer(after, (body) => {
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      'Content-Length': Buffer.byteLength(body),
    });
    response.end(body);
  });
});
server.on('connection', (socket) => {
  sockets.add(socket);
  socket.on('close', () => {
    sockets.delete(socket);
    bytes.fromClients += socket.bytesRead;
    bytes.toClients += socket.bytesWritten;
  });
});
if (transport.face === 'websocket') {
  const wss = new (loadSockets(OWN_BUILD).WebSocketServer)({ server });
  wss.on('connection', (/** @type {any} */ socket, /** @type {any} */ request) => {
    feedOf(request.url).push = (text) => socket.send(text);
  });
}
if (transport.face === 'session') {
  const sessions = new (loadSessions(OWN_BUILD).SessionServer)({ server });
  sessions.on('session', (/** @type {any} */ session, /** @type {any} */ request) => {
    feedOf(request.url).push = (text) => void session.send(text);
  });
}
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));

// The publisher

const stop = new SharedArrayBuffer(4);
/** @type {Worker | undefined} */ let worker;
/** How long after it was due each message was published, in this window. @type {number[]} */ let lateness =
  [];

/** @param {{ subscriber: number, dueMs: number }} event */
function publish({ subscriber, dueMs }) {
  const event = { type: 'status', dueMs, state: 'working', text: '' };
  event.text = padding.slice(JSON.stringify(event).length);
  lateness.push(Number(process.hrtime.bigint()) / 1e6 - dueMs);
  /** @type {Feed} */ (feeds[subscriber]).publish(JSON.stringify(event));
}

function sample() {
  let { fromClients, toClients } = bytes;
  for (const socket of sockets) {
    fromClients += socket.bytesRead;
    toClients += socket.bytesWritten;
  }
  const published = feeds.reduce((sum, feed) => sum + feed.published, 0);
  return { ...sampleProcess(), published, fromClients, toClients };
}

answer({
  describe: () => ({ port: /** @type {any} */ (server.address()).port }),
  start: ({ ratePerSecond, seed }) => {
    const workerData = { subscribers, ratePerSecond, seed, stop };
    worker = new Worker(new URL('publisher.mjs', import.meta.url), { workerData });
    worker.on('message', publish);
    // Its first thoughts are no part of the server's work.
    return new Promise((resolve) => worker?.once('online', () => resolve(undefined)));
  },
  /** What the publisher has said until then has arrived here when this is answered. */
  stop: () => {
    const gone = new Promise((resolve) => worker?.once('exit', () => resolve(undefined)));
    const stopped = new Int32Array(stop);
    Atomics.store(stopped, 0, 1);
    Atomics.notify(stopped, 0);
    return gone;
  },
  sample,
  beginWindow: () => {
    lateness = [];
    return sample();
  },
  lateness: () => lateness,
});
