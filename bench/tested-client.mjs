// The process that is measured when it is a client: one library, some connections to the load generator, which
// listens and sends the first block. Every library is driven alike: it answers a block, and gets the next one when the
// answer is in, so none can run away from its own backpressure. With --lib bun it is Bun that runs this file.
//   node --cpu-prof bench/tested-client.mjs --lib hawser --case client-send-64 --port PORT
import { parseArgs } from 'node:util';
import { CASE_OPTIONS, caseFromArguments } from './cases.mjs';
import { buildExchange, messagesOf, SIGNAL } from './frames.mjs';
import { answer, sampleProcess } from './ipc.mjs';
import { loadPeer } from './peers.mjs';

const { values } = parseArgs({
  options: {
    ...CASE_OPTIONS,
    lib: { type: 'string', default: 'hawser' },
    port: { type: 'string' },
    'no-addons': { type: 'boolean', default: false },
  },
});
const spec = caseFromArguments(values);
const messages = messagesOf(spec);

/** @param {unknown} error @returns {never} */
function stop(error) {
  console.error(`bench: ${values.lib}: ${error instanceof Error ? error.message : error}`);
  process.exit(2);
}

/** @returns {import('./peers.mjs').Peer} */
function loadPeerOrStop() {
  try {
    return loadPeer(values.lib, { needsAddons: !values['no-addons'] });
  } catch (error) {
    stop(error);
  }
}

const peer = loadPeerOrStop();
let open = 0;
let verifies = false;

/** @param {unknown} data what the library gave to the user @param {number} index */
function verify(data, index) {
  const expected = spec.client === 'send' ? SIGNAL : /** @type {Buffer} */ (messages[index]);
  if (typeof data === 'string' || !expected.equals(Buffer.from(/** @type {Buffer} */ (data))))
    stop(`message ${index} is not what was sent`);
}

/**
 * What the application does with a message.
 *
 * @param {(data: any) => void} send
 * @returns {(data: any) => void}
 */
function application(send) {
  let index = 0;
  const perBlock = spec.client === 'send' ? 1 : messages.length;
  const next = () => {
    index = index + 1 === perBlock ? 0 : index + 1;
    return index === 0;
  };
  if (spec.client === 'receive') {
    return (data) => {
      if (verifies) verify(data, index);
      if (next()) send(SIGNAL);
    };
  }
  if (spec.client === 'send') {
    return (data) => {
      if (verifies) verify(data, index);
      for (const message of messages) send(message);
    };
  }
  return (data) => {
    if (verifies) verify(data, index);
    next();
    send(data);
  };
}

/** `ws` and what looks like it. @param {string} url @returns {Promise<void>} */
function connectWs(url) {
  const socket = new peer.library.WebSocket(url, { perMessageDeflate: false });
  socket.on(
    'message',
    application((data) => socket.send(data)),
  );
  socket.on('close', () => stop('the connection was closed'));
  return new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
}

/** The WebSocket of browsers, which undici and Bun have. @param {any} WebSocket @param {string} url */
function connectWeb(WebSocket, url) {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const receive = application((data) => socket.send(data));
  socket.onmessage = (/** @type {any} */ event) => receive(event.data);
  socket.onclose = () => stop('the connection was closed');
  return new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
}

/** The package `websocket`. @param {string} url */
function connectWebsocket(url) {
  const client = new peer.library.client();
  return new Promise((resolve, reject) => {
    client.on('connectFailed', reject);
    client.on('connect', (/** @type {any} */ connection) => {
      const receive = application((data) => connection.sendBytes(data));
      connection.on('message', (/** @type {any} */ message) => receive(message.binaryData));
      connection.on('close', () => stop('the connection was closed'));
      resolve(undefined);
    });
    client.connect(url);
  });
}

/** The package `faye-websocket`. @param {string} url */
function connectFaye(url) {
  const socket = new peer.library.Client(url);
  const receive = application((data) => socket.send(data));
  socket.on('message', (/** @type {any} */ event) => receive(event.data));
  return new Promise((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject);
    socket.on('close', () => stop('the connection was closed'));
  });
}

/** @returns {Promise<(url: string) => Promise<unknown>>} */
async function connector() {
  if (peer.face === 'raw') {
    const { connectRaw } = await import('./raw-client.mjs');
    const exchange = await buildExchange(spec);
    return (url) => connectRaw(url, exchange, () => stop('the connection was closed'));
  }
  if (peer.face === 'bun') return (url) => connectWeb(globalThis.WebSocket, url);
  if (peer.face === 'undici') return (url) => connectWeb(peer.library.WebSocket, url);
  if (peer.face === 'websocket') return connectWebsocket;
  return peer.face === 'ws' ? connectWs : connectFaye;
}

/** @param {number} port @param {number} count */
async function openAll(port, count) {
  const connect = await connector();
  for (; open < count; open++) await connect(`ws://127.0.0.1:${port}/bench`);
}

if (process.send === undefined) await openAll(Number(values.port), spec.connections);
else {
  answer({
    describe: () => ({ label: peer.label, description: peer.description }),
    connect: ({ port, count }) => openAll(port, count),
    verifying: ({ on }) => {
      verifies = on;
    },
    sample: () => ({ ...sampleProcess(), rss: process.memoryUsage.rss(), connections: open }),
  });
}
