// Feeds one message to a server's connection in the smallest pieces there are, without a kernel between: the connection is
// a stream in memory. Tells what a byte costs. A process of its own, because a library that is not linear may not come back.
import { createHash } from 'node:crypto';
import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadPeer } from './peers.mjs';
import { clientFrame, KiB } from './workloads.mjs';

const BINARY_UNFINISHED = 0x02;
const CONTINUATION = 0x00;
const LAST_CONTINUATION = 0x80;
/** As much as Node.js reads from a socket at once. */
const READ_BYTES = 64 * KiB;

/** The far end takes everything and says nothing. */
class Memory extends Duplex {
  _read() {}
  /** @param {unknown} _chunk @param {string} _encoding @param {() => void} callback */
  _write(_chunk, _encoding, callback) {
    callback();
  }
}

/** The chunks in which the message arrives. @param {string} what @param {number} bytes */
export function chunksOf(what, bytes) {
  if (what === 'frame') {
    const frame = clientFrame(0x82, Buffer.alloc(bytes, 'x'));
    return Array.from({ length: frame.length }, (_, i) => frame.subarray(i, i + 1));
  }
  const one = Buffer.from('x');
  const middle = clientFrame(CONTINUATION, one);
  const all = Buffer.alloc(bytes * middle.length, middle);
  all.set(clientFrame(BINARY_UNFINISHED, one), 0);
  all.set(clientFrame(LAST_CONTINUATION, one), all.length - middle.length);
  const chunks = [];
  // Memory of its own for each, as from a socket.
  for (let at = 0; at < all.length; at += READ_BYTES)
    chunks.push(Buffer.from(all.subarray(at, at + READ_BYTES)));
  return chunks;
}

/** A connection of the library's over memory. @param {any} library @param {object} limits @returns {{ stream: Memory, socket: any }} */
function connect(library, limits) {
  const stream = new Memory();
  const wss = new library.WebSocketServer({ noServer: true, perMessageDeflate: false, ...limits });
  const request = {
    method: 'GET',
    url: '/',
    headers: {
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
      'sec-websocket-key': createHash('md5').update('key').digest('base64'),
    },
  };
  /** @type {any} */ let socket;
  wss.handleUpgrade(request, stream, Buffer.alloc(0), (/** @type {any} */ opened) => {
    socket = opened;
  });
  return { stream, socket };
}

/**
 * Nanoseconds per byte of the message until the library has handed it over.
 *
 * @param {any} library null for a stream that nobody parses
 * @param {string} what
 * @param {number} bytes
 * @param {object} limits
 */
export async function nsPerByte(library, what, bytes, limits = {}) {
  const chunks = chunksOf(what, bytes);
  const { stream, socket } =
    library === null ? { stream: new Memory(), socket: null } : connect(library, limits);
  let received = 0;
  const arrived = new Promise((resolve, reject) => {
    if (socket === null) {
      const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      stream.on('data', (chunk) => {
        received += chunk.length;
        if (received === total) resolve(undefined);
      });
    } else {
      socket.on('error', reject);
      socket.on('message', (/** @type {Buffer} */ data) => {
        if (data.length === bytes) resolve(undefined);
        else reject(new Error(`${data.length} bytes came out`));
      });
    }
  });
  arrived.catch(() => {});
  const began = performance.now();
  for (let i = 0; i < chunks.length; i++) {
    stream.emit('data', chunks[i]);
    if (i % 8192 === 8191) await nextTurn();
  }
  await arrived;
  return (1e6 * (performance.now() - began)) / bytes;
}

async function main() {
  const { values } = parseArgs({
    options: {
      lib: { type: 'string', default: 'hawser' },
      what: { type: 'string', default: 'frame' },
      bytes: { type: 'string', default: '1048576' },
    },
  });
  const { library } = loadPeer(values.lib, { needsAddons: false });
  const bytes = Number(values.bytes);
  // Compiled by then.
  for (let i = 0; i < 4; i++) await nsPerByte(library, values.what, 16 * KiB);
  let note = '';
  const limits = { maxPayload: 0 };
  const cost = await nsPerByte(library, values.what, bytes, limits).catch((error) => {
    note = `refuses it (${error.code}); measured without limits`;
    return nsPerByte(library, values.what, bytes, { ...limits, maxFragments: 0, maxBufferedChunks: 0 });
  });
  // A connection that was refused may linger.
  process.stdout.write(JSON.stringify({ nsPerByte: cost, note }), () => process.exit(0));
}

if (process.argv[1] === import.meta.filename) await main();
