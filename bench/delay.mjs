// How long does one connection keep the others waiting? While huge messages come and go on one connection, another one
// asks for small echoes at fixed times. A reply counts from when it was due (see README.md, Latency), and the event loop
// of the server tells how late its timers were.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client } from './client.mjs';
import { ReplyCounter } from './frames.mjs';
import { Child } from './ipc.mjs';
import { formatRows, writeResults } from './outcome.mjs';
import {
  BINARY,
  COMPRESSED_BINARY,
  COMPRESSED_TEXT,
  clientFrame,
  compressedFrame,
  KiB,
  largePayload,
  MiB,
  TEXT,
} from './workloads.mjs';

/** The least that a server may be late: half the time after which people notice. */
const LIMIT_MS = 50;
const PROBE_INTERVAL_MS = 2;
const PROBE = clientFrame(BINARY, Buffer.alloc(64, 1));

/**
 * @typedef {object} Scenario
 * @property {string} about
 * @property {(scale: number) => Promise<Buffer> | Buffer} [request] what the heavy connection sends
 * @property {{ by: 'server' | 'client', kind: string, bytes: number }} [sends] what the library sends
 * @property {number} [level] of compression
 */

/** @param {number} first @param {string} kind */
const plain = (first, kind) => (/** @type {number} */ scale) =>
  clientFrame(first, /** @type {Buffer} */ (largePayload(kind, 64 * MiB * scale)));

/** Messages of 270 bytes that inflate to 240 KiB each. @param {number} scale */
async function bombs(scale) {
  const one = await compressedFrame(COMPRESSED_BINARY, Buffer.alloc(240 * KiB));
  return Buffer.concat(Array.from({ length: Math.ceil((512 * KiB * scale) / one.length) }, () => one));
}

/** Hundreds of compressed messages, each of them small before and after. @param {number} scale */
async function smallCompressed(scale) {
  const one = await compressedFrame(COMPRESSED_TEXT, /** @type {Buffer} */ (largePayload('json', 8 * KiB)));
  return Buffer.concat(Array.from({ length: Math.ceil((4 * MiB * scale) / one.length) }, () => one));
}

/** @type {Record<string, Scenario>} */
export const SCENARIOS = {
  idle: { about: 'nothing but the small echoes', request: () => Buffer.alloc(0) },
  'receive-binary': { about: '64 MiB of binary data arrive', request: plain(BINARY, 'binary') },
  'receive-ascii': { about: '64 MiB of text arrive, ASCII', request: plain(TEXT, 'ascii') },
  'receive-umlauts': { about: '64 MiB of text arrive, not ASCII', request: plain(TEXT, 'umlauts') },
  'send-binary': {
    about: '64 MiB of binary data leave',
    sends: { by: 'server', kind: 'binary', bytes: 64 * MiB },
  },
  'send-string': {
    about: 'a string of 64 MiB leaves',
    sends: { by: 'server', kind: 'string', bytes: 64 * MiB },
  },
  'client-binary': {
    about: 'a client sends 64 MiB, masked',
    sends: { by: 'client', kind: 'binary', bytes: 64 * MiB },
  },
  'client-string': {
    about: 'a client sends a string of 64 MiB',
    sends: { by: 'client', kind: 'string', bytes: 64 * MiB },
  },
  'inflate-text': {
    about: '64 MiB of JSON arrive, compressed',
    request: (scale) =>
      compressedFrame(COMPRESSED_TEXT, /** @type {Buffer} */ (largePayload('json', 64 * MiB * scale))),
  },
  'inflate-many': { about: 'compressed messages of 8 KiB arrive, 4 MiB of them', request: smallCompressed },
  'inflate-bombs': { about: '512 KiB arrive: 2,000 messages that inflate to 240 KiB each', request: bombs },
  'deflate-9': {
    about: '16 MiB of JSON leave, compressed at level 9',
    sends: { by: 'server', kind: 'json', bytes: 16 * MiB },
    level: 9,
  },
};

/** Asks for an echo every other millisecond, and notes how long after it was due each came. */
class Probe {
  /** @type {number[]} */ latencies = [];
  /** @type {number[]} */ #due = [];
  #bytes = 0;
  #client;
  /** @type {NodeJS.Timeout | undefined} */ #timer;

  /** @param {Client} client */
  constructor(client) {
    this.#client = client;
    client.receive = (_bytes, length) => {
      const now = performance.now();
      for (this.#bytes += length; this.#bytes >= 66; this.#bytes -= 66) {
        this.latencies.push(now - /** @type {number} */ (this.#due.shift()));
      }
    };
  }

  start() {
    let due = performance.now();
    this.#timer = setInterval(() => {
      for (const now = performance.now(); due <= now; due += PROBE_INTERVAL_MS) {
        this.#due.push(due);
        this.#client.socket.write(PROBE);
      }
    }, 1);
  }

  async stop() {
    clearInterval(this.#timer);
    for (let i = 0; i < 1000 && this.#due.length > 0; i++) await delay(10);
    const sorted = Float64Array.from(this.latencies).sort();
    const at = (/** @type {number} */ share) =>
      sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
    return { p50: at(0.5), p99: at(0.99), max: at(1), count: sorted.length };
  }
}

/** Resolves when `count` more messages have arrived. @param {Client} client @param {number} count @returns {Promise<void>} */
function replies(client, count) {
  const counter = new ReplyCounter(false);
  return new Promise((resolve, reject) => {
    client.receive = (bytes, length) => {
      try {
        count -= counter.count(bytes, length);
        if (count === 0) resolve();
      } catch (error) {
        reject(error);
      }
    };
  });
}

/** One thing that is heavy for the server, as often as it is called. */
async function heavyWork(
  /** @type {Scenario} */ { request, sends },
  /** @type {Child} */ subject,
  /** @type {Child} */ other,
  /** @type {Client} */ heavy,
  /** @type {number} */ scale,
) {
  if (request !== undefined) {
    const bytes = await request(scale);
    return async () => {
      // The small message behind it is answered when all of it has been dealt with.
      const answered = replies(heavy, 1);
      heavy.socket.write(bytes);
      heavy.socket.write(PROBE);
      await answered;
    };
  }
  const { by, kind, bytes } = /** @type {NonNullable<Scenario['sends']>} */ (sends);
  const size = bytes * scale;
  await subject.ask('prepare', { kind, bytes: size });
  if (by === 'server') {
    return async () => {
      const arrived = replies(heavy, 1);
      await subject.ask('sendFromServer', { kind, bytes: size });
      await arrived;
    };
  }
  const { port } = await other.ask('describe');
  await other.ask('echo', { which: 'small' });
  await subject.ask('connect', { port });
  return () => subject.ask('sendFromClient', { port, kind, bytes: size });
}

/**
 * @param {string} lib
 * @param {Scenario} scenario
 * @param {{ seconds: number, scale: number, needsAddons: boolean }} options
 */
async function measureDelay(lib, scenario, { seconds, scale, needsAddons }) {
  const file = new URL('subject.mjs', import.meta.url);
  const args = ['--lib', lib, '--level', `${scenario.level ?? 6}`, ...(needsAddons ? [] : ['--no-addons'])];
  const subject = new Child(`subject (${lib})`, file, args);
  const other = new Child(`far end (${lib})`, file, args);
  const lost = () => {};
  try {
    const { port } = await subject.ask('describe');
    await subject.ask('echo', { which: 'small' });
    const probing = Client.connect(port, false, lost);
    await probing.handshake(port, 'none');
    const heavy = Client.connect(port, false, lost);
    await heavy.handshake(port, 'fresh');
    const work = await heavyWork(scenario, subject, other, heavy, scale);
    await work();
    const probe = new Probe(probing);
    await subject.ask('beginDelay');
    probe.start();
    const began = performance.now();
    let times = 0;
    for (; times < 3 || performance.now() - began < 1000 * seconds; times++) {
      await work();
      if (scenario === SCENARIOS.idle) await delay(20);
    }
    const eachMs = (performance.now() - began) / times;
    const echo = await probe.stop();
    const loop = await subject.ask('endDelay');
    probing.close();
    heavy.close();
    return { times, eachMs, echo, loop };
  } finally {
    await Promise.all([subject.kill(), other.kill()]);
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      lib: { type: 'string', default: 'hawser,ws' },
      scenario: { type: 'string', default: Object.keys(SCENARIOS).join(',') },
      seconds: { type: 'string', default: '2' },
      scale: { type: 'string', default: '1' },
      out: { type: 'string' },
      'no-addons': { type: 'boolean', default: false },
    },
  });
  const options = {
    seconds: Math.min(60, Number(values.seconds)),
    scale: Math.min(1, Number(values.scale)),
    needsAddons: !values['no-addons'],
  };
  const measurements = [];
  for (const name of values.scenario.split(',')) {
    const scenario = SCENARIOS[name];
    if (scenario === undefined) throw new Error(`no scenario is called ${name}`);
    for (const lib of values.lib.split(',')) {
      const result = await measureDelay(lib, scenario, options);
      const isLate = result.echo.p99 > LIMIT_MS || result.loop.p99 > LIMIT_MS;
      measurements.push({ scenario: name, lib, isLate, ...result });
    }
  }
  const ms = (/** @type {number} */ value) => value.toFixed(1);
  console.log(
    formatRows([
      ['scenario', 'lib', 'each ms', 'echo p50', 'p99', 'max', 'loop p50', 'p99', 'max', ''],
      ...measurements.map(({ scenario, lib, eachMs, echo, loop, isLate }) => [
        scenario,
        lib,
        ...[eachMs, echo.p50, echo.p99, echo.max, loop.p50, loop.p99, loop.max].map(ms),
        isLate ? `above ${LIMIT_MS} ms` : '',
      ]),
    ]),
  );
  writeResults('delay', { limitMs: LIMIT_MS, measurements }, values.out);
  const first = values.lib.split(',')[0];
  if (measurements.some(({ lib, isLate }) => lib === first && isLate)) process.exitCode = 1;
}

if (process.argv[1] === import.meta.filename) await main();
