// The process whose memory and whose event loop are looked at: one library, one server that compresses, and library
// clients where they are asked for. It tells what it weighs and how late its event loop was.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { answer, sampleProcess } from './ipc.mjs';
import { loadPeer } from './peers.mjs';
import { clientMessages, deflateOptions, largePayload } from './workloads.mjs';

const { values } = parseArgs({
  options: {
    lib: { type: 'string', default: 'hawser' },
    level: { type: 'string', default: '6' },
    'no-addons': { type: 'boolean', default: false },
  },
});
/** What is larger is taken and not sent back, where only small messages are echoed. */
const SMALL_BYTES = 1024;

const peer = loadPeer(values.lib, { needsAddons: !values['no-addons'] });
const { WebSocket, WebSocketServer } = peer.library;
const wss = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: deflateOptions(Number(values.level)),
});

/** @type {'all' | 'small'} */ let echoes = 'all';
/** Small messages that the application keeps, while this is a list. @type {Buffer[] | null} */ let kept =
  null;
/** The largest message is kept out of the way of the collector by nobody but its sender. @type {any[]} */
const sockets = [];

wss.on('connection', (/** @type {any} */ socket) => {
  sockets.push(socket);
  socket.on('close', () => sockets.splice(sockets.indexOf(socket), 1));
  socket.on('error', () => {});
  socket.on('message', (/** @type {Buffer} */ data, /** @type {boolean} */ isBinary) => {
    if (data.length > SMALL_BYTES && echoes === 'small') return;
    if (kept !== null && data.length <= SMALL_BYTES) kept.push(data);
    socket.send(data, { binary: isBinary });
  });
});
await new Promise((resolve) => wss.on('listening', resolve));

/** Memory after everything that can be collected has been. Needs --expose-gc. */
async function settledMemory() {
  if (globalThis.gc === undefined) throw new Error('this process needs --expose-gc');
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await delay(30);
  }
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return { rss, heapUsed, external, arrayBuffers, kept: kept?.length ?? 0, connections: wss.clients.size };
}

// Event-loop delay

const histogram = monitorEventLoopDelay({ resolution: 1 });

function endDelay() {
  histogram.disable();
  const ms = (/** @type {number} */ ns) => ns / 1e6;
  return { p50: ms(histogram.percentile(50)), p99: ms(histogram.percentile(99)), max: ms(histogram.max) };
}

// Library clients

/** @type {Map<number, any>} */ const clients = new Map();
let exchanged = 0;
let churned = 0;
let runs = false;

/** @param {number} port @returns {Promise<any>} */
function connect(port) {
  const client = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: deflateOptions(6) });
  client.on('error', () => {});
  return new Promise((resolve, reject) => {
    client.on('open', () => resolve(client));
    client.on('close', () => reject(new Error('a client was refused')));
  });
}

/**
 * One client after the other, each of which exchanges some messages with the server here and closes.
 *
 * @param {number} port
 * @param {number} perConnection
 */
async function churn(port, perConnection) {
  const messages = clientMessages();
  while (runs) {
    const client = await connect(port);
    await new Promise((resolve) => {
      let sent = 0;
      const next = () => {
        if (!runs || sent++ === perConnection) return client.close();
        const { data, binary } = /** @type {any} */ (messages[sent % messages.length]);
        client.send(data, { binary });
      };
      client.on('message', () => {
        exchanged++;
        next();
      });
      client.on('close', resolve);
      next();
    });
    churned++;
  }
}

/** Sends one large message and waits until it has left. @param {any} socket @param {string} kind @param {number} bytes */
function sendLarge(socket, kind, bytes) {
  const data = largePayload(kind, bytes);
  const options = { binary: typeof data !== 'string', compress: kind === 'json' };
  return new Promise((resolve, reject) => {
    socket.send(data, options, (/** @type {Error | undefined} */ error) =>
      error ? reject(error) : resolve(undefined),
    );
  });
}

answer({
  describe: () => ({
    port: /** @type {any} */ (wss.address()).port,
    label: peer.label,
    description: peer.description,
  }),
  settledMemory,
  sample: () => ({ ...sampleProcess(), exchanged, churned, connections: wss.clients.size }),
  echo: ({ which }) => {
    echoes = which;
  },
  keep: ({ on }) => {
    kept = on ? [] : null;
  },
  beginDelay: () => {
    histogram.reset();
    histogram.enable();
  },
  endDelay,
  prepare: ({ kind, bytes }) => void largePayload(kind, bytes),
  /** To the connection that was opened last. */
  sendFromServer: ({ kind, bytes }) => sendLarge(sockets.at(-1), kind, bytes),
  connect: async ({ port }) => void clients.set(port, await connect(port)),
  sendFromClient: ({ port, kind, bytes }) => sendLarge(clients.get(port), kind, bytes),
  startChurn: ({ port, count, perConnection }) => {
    runs = true;
    for (let i = 0; i < count; i++) void churn(port, perConnection);
  },
  stopChurn: () => {
    runs = false;
  },
});
