// Does memory come back? What a server weighs after a million messages of mixed size, compared with what it weighed after
// the first tenth of them; and how much memory stays alive for the sake of small messages that the application keeps.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client } from './client.mjs';
import { ReplyCounter } from './frames.mjs';
import { Child } from './ipc.mjs';
import { formatRows, writeResults } from './outcome.mjs';
import {
  BINARY,
  COMPRESSED_TEXT,
  clientFrame,
  compressedFrame,
  KiB,
  largePayload,
  MiB,
  MixedTraffic,
  TEXT,
} from './workloads.mjs';

/** What the collector leaves differs from time to time by as much; malloc keeps pages for the next burst. The soak tells
 * whether that ends. */
const HEAP_SLACK = 2 * MiB;
const RSS_SLACK = 64 * MiB;
/** A kept message may pin so many times the memory that it pins with `ws`. */
const PIN_LIMIT = 2;

/** @param {string} lib @param {boolean} needsAddons */
function subject(lib, needsAddons) {
  const args = ['--lib', lib, ...(needsAddons ? [] : ['--no-addons'])];
  return new Child(`subject (${lib})`, new URL('subject.mjs', import.meta.url), args, {
    execArgv: ['--expose-gc'],
  });
}

/** @typedef {{ rss: number, heapUsed: number, external: number, arrayBuffers: number, kept: number, connections: number }} Memory */

/** Memory when all connections are gone. @param {Child} server @returns {Promise<Memory>} */
export async function emptyMemory(server) {
  for (let i = 0; i < 500 && (await server.ask('sample')).connections > 0; i++) await delay(10);
  return server.ask('settledMemory');
}

/**
 * @param {string} lib
 * @param {{ messages: number, connections: number, needsAddons: boolean }} options
 */
async function measureReturn(lib, { messages, connections, needsAddons }) {
  const server = subject(lib, needsAddons);
  try {
    const { port } = await server.ask('describe');
    const before = await emptyMemory(server);
    const traffic = new MixedTraffic();
    await traffic.run(port, connections, messages / 10);
    const baseline = await emptyMemory(server);
    await traffic.run(port, connections, messages);
    const after = await emptyMemory(server);
    return { messages: traffic.messages, before, baseline, after };
  } finally {
    await server.kill();
  }
}

/** @param {{ baseline: Memory, after: Memory }} result */
export function hasReturned({ baseline, after }) {
  return (
    after.heapUsed - baseline.heapUsed <= HEAP_SLACK &&
    after.external - baseline.external <= HEAP_SLACK &&
    after.rss - baseline.rss <= RSS_SLACK
  );
}

// What kept messages pin

const SMALL = Buffer.alloc(64, 'k');

/**
 * How the kept messages arrive; `perWrite` of them in one write.
 *
 * @type {Record<string, { about: string, perWrite: number, deflates?: boolean, request: () => Buffer | Promise<Buffer> }>}
 */
export const ARRIVALS = {
  alone: { about: '64 B, one in a segment', perWrite: 1, request: () => clientFrame(BINARY, SMALL) },
  text: { about: '64 B of text, one in a segment', perWrite: 1, request: () => clientFrame(TEXT, SMALL) },
  pipelined: {
    about: '64 B, 64 in a segment',
    perWrite: 64,
    request: () => repeat(64, clientFrame(BINARY, SMALL)),
  },
  tail: {
    about: '64 B behind 60 KiB that are not kept',
    perWrite: 1,
    request: () => Buffer.concat([large(60 * KiB), clientFrame(BINARY, SMALL)]),
  },
  front: {
    about: '64 B in front of 60 KiB that are not kept',
    perWrite: 1,
    request: () => Buffer.concat([clientFrame(BINARY, SMALL), large(60 * KiB)]),
  },
  'one of 512': {
    about: '64 B, one is kept, and 511 of 1,025 B with it are not',
    perWrite: 1,
    request: () => Buffer.concat([clientFrame(BINARY, SMALL), repeat(55, large(1025))]),
  },
  fragments: {
    about: '64 B in two fragments',
    perWrite: 1,
    request: () =>
      Buffer.concat([clientFrame(0x02, SMALL.subarray(32)), clientFrame(0x80, SMALL.subarray(32))]),
  },
  compressed: {
    about: '1 KiB of JSON, compressed, one in a segment',
    perWrite: 1,
    deflates: true,
    request: () => compressedFrame(COMPRESSED_TEXT, /** @type {Buffer} */ (largePayload('json', KiB))),
  },
  'compressed 16': {
    about: '1 KiB of JSON, compressed, 16 in a segment',
    perWrite: 16,
    deflates: true,
    request: async () =>
      repeat(16, await compressedFrame(COMPRESSED_TEXT, /** @type {Buffer} */ (largePayload('json', KiB)))),
  },
};

const large = (/** @type {number} */ bytes) =>
  clientFrame(BINARY, /** @type {Buffer} */ (largePayload('binary', bytes)));

/** @param {number} times @param {Buffer} bytes */
const repeat = (times, bytes) => Buffer.concat(Array.from({ length: times }, () => bytes));

/**
 * Bytes that stay alive per kept message.
 *
 * @param {string} lib
 * @param {keyof typeof ARRIVALS} arrival
 * @param {{ kept: number, needsAddons: boolean }} options
 */
async function measurePinned(lib, arrival, { kept, needsAddons }) {
  const { perWrite, deflates, request } = /** @type {typeof ARRIVALS[string]} */ (ARRIVALS[arrival]);
  const server = subject(lib, needsAddons);
  try {
    const { port } = await server.ask('describe');
    await server.ask('echo', { which: 'small' });
    const client = Client.connect(port, false, () => {});
    await client.handshake(port, deflates ? 'fresh' : 'none');
    const bytes = await request();
    const exchange = async (/** @type {number} */ writes) => {
      const counter = new ReplyCounter(false);
      for (let i = 0; i < writes; i++) {
        let left = perWrite;
        const answered = new Promise((resolve, reject) => {
          client.receive = (reply, length) => {
            try {
              left -= counter.count(reply, length);
            } catch (error) {
              reject(error);
            }
            if (left === 0) resolve(undefined);
          };
        });
        client.socket.write(bytes);
        await answered;
      }
    };
    await exchange(1000);
    const before = await server.ask('settledMemory');
    await server.ask('keep', { on: true });
    await exchange(Math.ceil(kept / perWrite));
    const after = await server.ask('settledMemory');
    client.close();
    await once(client.socket, 'close');
    const each = (/** @type {'rss' | 'heapUsed' | 'external'} */ key) =>
      (after[key] - before[key]) / after.kept;
    return { kept: after.kept, heap: each('heapUsed'), external: each('external'), rss: each('rss') };
  } finally {
    await server.kill();
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      lib: { type: 'string', default: 'hawser,ws' },
      messages: { type: 'string', default: '1000000' },
      connections: { type: 'string', default: '30' },
      kept: { type: 'string', default: '10000' },
      part: { type: 'string', default: 'return,pinned' },
      out: { type: 'string' },
      'no-addons': { type: 'boolean', default: false },
    },
  });
  const libs = values.lib.split(',');
  const parts = values.part.split(',');
  const options = {
    messages: Math.min(1e8, Number(values.messages)),
    connections: Math.min(1000, Number(values.connections)),
    kept: Math.min(1e6, Number(values.kept)),
    needsAddons: !values['no-addons'],
  };
  const returns = [];
  if (parts.includes('return')) {
    for (const lib of libs) returns.push({ lib, ...(await measureReturn(lib, options)) });
    console.log(formatRows(returnRows(returns)));
  }
  const pinned = [];
  if (parts.includes('pinned')) {
    for (const arrival of Object.keys(ARRIVALS)) {
      for (const lib of libs) pinned.push({ arrival, lib, ...(await measurePinned(lib, arrival, options)) });
    }
    console.log(`\n${formatRows(pinnedRows(pinned))}`);
  }
  writeResults('memory', { returns, pinned }, values.out);
  const first = libs[0];
  const hasGrown = returns.some((one) => one.lib === first && !hasReturned(one));
  if (hasGrown || pinned.some((one) => one.lib === first && pinRatio(one, pinned) > PIN_LIMIT)) {
    process.exitCode = 1;
  }
}

/** @param {({ lib: string } & Awaited<ReturnType<typeof measureReturn>>)[]} returns */
function returnRows(returns) {
  const mib = (/** @type {number} */ bytes) => (bytes / MiB).toFixed(1);
  const rows = [['lib', 'MiB', 'heap', 'external', 'RSS', '']];
  for (const result of returns) {
    const { lib, messages, before, baseline, after } = result;
    const row = (/** @type {string} */ when, /** @type {Memory} */ memory, verdict = '') =>
      rows.push([lib, when, mib(memory.heapUsed), mib(memory.external), mib(memory.rss), verdict]);
    row('at the start', before);
    row('after a tenth', baseline);
    row(`after ${messages.toLocaleString('en-US')}`, after, hasReturned(result) ? 'returned' : 'GREW');
  }
  return rows;
}

/** @typedef {{ arrival: string, lib: string, kept: number, heap: number, external: number, rss: number }} Pinned */

/** What a message pins, divided by what it pins with `ws`. @param {Pinned} one @param {Pinned[]} all */
export function pinRatio({ arrival, heap, external }, all) {
  const peer = all.find((other) => other.lib === 'ws' && other.arrival === arrival);
  return peer === undefined ? Number.NaN : (heap + external) / (peer.heap + peer.external);
}

/** @param {Pinned[]} pinned */
function pinnedRows(pinned) {
  return [
    ['arrival', 'lib', 'heap B', 'external B', 'RSS B', '/ ws'],
    ...pinned.map((one) => [
      one.arrival,
      one.lib,
      ...[one.heap, one.external, one.rss].map((bytes) => bytes.toFixed(0)),
      `${pinRatio(one, pinned).toFixed(2)}x${pinRatio(one, pinned) > PIN_LIMIT ? ' TOO MUCH' : ''}`,
    ]),
  ];
}

if (process.argv[1] === import.meta.filename) await main();
