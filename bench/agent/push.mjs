// The command line of `npm run bench:push`: how long after something happened does a client know, and what does that cost?
// WebSocket, session, SSE, long-polling and polling, on this machine and 40 ms away. See README.md for the method.
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Child } from '../ipc.mjs';
import { writeResults } from '../outcome.mjs';
import { Progress } from '../progress.mjs';
import { buildIfNeeded } from '../session.mjs';
import { formatPushReport, summarizePush } from './push-report.mjs';
import { TRANSPORTS, transportNamed } from './transports.mjs';

const DEFAULTS = { rounds: 3, seconds: 6, warmup: 1, subscribers: 10, size: 200 };
/** Starting and ending the processes of one measurement. */
const OVERHEAD_SECONDS = 0.8;
const ARRIVAL_TIMEOUT_MS = 10_000;

const USAGE = `Usage: npm run bench:push -- [options]

How late a message is at the client's callback, from the moment when it was due.

  --transport A,B     which (default: all): ${Object.keys(TRANSPORTS).join(', ')}
  --rate A,B          messages a second for each subscriber (default: 1,20,200)
  --rtt A,B           round-trip times in milliseconds; 0 is without a proxy (default: 0,40)
  --subscribers N     each with a connection of its own (default: ${DEFAULTS.subscribers})
  --size N            bytes of a message, which is JSON (default: ${DEFAULTS.size})
  --rounds N          (default: ${DEFAULTS.rounds})
  --seconds S         that are measured (default: ${DEFAULTS.seconds})
  --warmup S          before that (default: ${DEFAULTS.warmup})
  --out FILE          where the JSON goes (default: bench/results/push.json)
  --report [FILE]     measure nothing; print the tables of that file as Markdown
  --help              this text`;

/**
 * @typedef {object} Setting
 * @property {string} transport
 * @property {number} ratePerSecond
 * @property {number} rttMs
 *
 * @typedef {{ subscribers: number, size: number, rounds: number, seconds: number, warmup: number }} Plan
 *
 * @typedef {Setting & {
 *   round: number, messages: number, latencies: number[], lateness: number[],
 *   cpuUs: number, fromClients: number, toClients: number,
 * }} Measurement the last three for each message
 */

/** @param {Child} client @param {number} published */
async function untilArrived(client, published) {
  for (const began = performance.now(); performance.now() - began < ARRIVAL_TIMEOUT_MS; await delay(20)) {
    const received = await client.ask('received');
    if (received === published) return;
    if (received > published) throw new Error(`${received} messages came, of ${published}`);
  }
  throw new Error(`not all of ${published} messages came`);
}

/**
 * One transport in processes of their own.
 *
 * @param {Setting} setting
 * @param {Plan} plan
 * @param {number} round
 * @returns {Promise<Measurement>}
 */
async function measurePush(setting, plan, round) {
  const { transport, ratePerSecond, rttMs } = setting;
  const args = ['--transport', transport, '--subscribers', `${plan.subscribers}`];
  const server = new Child('server', new URL('push-server.mjs', import.meta.url), [
    ...args,
    ...['--size', `${plan.size}`],
  ]);
  const client = new Child('client', new URL('push-client.mjs', import.meta.url), args);
  const children = [client, server];
  try {
    let { port } = await server.ask('describe');
    if (rttMs > 0) {
      const proxyArgs = ['--port', `${port}`, '--rtt', `${rttMs}`];
      const proxy = new Child('proxy', new URL('delay-proxy.mjs', import.meta.url), proxyArgs);
      children.push(proxy);
      port = (await proxy.ask('describe')).port;
    }
    await client.ask('subscribe', { port });
    await server.ask('start', { ratePerSecond, seed: round + 1 });
    await delay(1000 * plan.warmup);
    await client.ask('beginWindow');
    const before = await server.ask('beginWindow');
    await delay(1000 * plan.seconds);
    const after = await server.ask('sample');
    await server.ask('stop');
    const { published } = await server.ask('sample');
    if (transportNamed(transport).face !== 'none') await untilArrived(client, published);
    const messages = after.published - before.published;
    const each = (/** @type {string} */ key) => (after[key] - before[key]) / messages;
    return {
      ...setting,
      round,
      messages,
      latencies: await client.ask('latencies'),
      lateness: await server.ask('lateness'),
      cpuUs: each('userUs') + each('systemUs'),
      fromClients: each('fromClients'),
      toClients: each('toClients'),
    };
  } finally {
    // First the client, which would complain about being left.
    for (const child of children) await child.kill();
  }
}

/** The transports take turns in each round. @param {Setting[]} settings @param {Plan} plan */
async function measureAll(settings, plan) {
  /** @type {Measurement[]} */ const measurements = [];
  const steps = settings.length * plan.rounds;
  const progress = new Progress(steps, plan.seconds + plan.warmup + OVERHEAD_SECONDS);
  for (let round = 0; round < plan.rounds; round++) {
    for (const setting of settings) {
      const { transport, ratePerSecond, rttMs } = setting;
      progress.begin(transport, `${ratePerSecond}/s, ${rttMs} ms, round ${round + 1}`);
      measurements.push(await measurePush(setting, plan, round));
      progress.end();
    }
  }
  progress.clear();
  return measurements;
}

const list = (/** @type {string} */ text) => text.split(',').filter((word) => word !== '');

/** @param {string} name @param {string | undefined} text @param {number} most */
function numberFor(name, text, most) {
  const number = Number(text);
  if (!(number >= 0 && number <= most)) throw new Error(`--${name} must be at most ${most}, not ${text}`);
  return number;
}

function parseOptions() {
  const string = /** @type {const} */ ({ type: 'string' });
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      transport: { ...string, default: Object.keys(TRANSPORTS).join() },
      rate: { ...string, default: '1,20,200' },
      rtt: { ...string, default: '0,40' },
      subscribers: string,
      size: string,
      rounds: string,
      seconds: string,
      warmup: string,
      out: string,
      report: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const value = (/** @type {keyof typeof DEFAULTS} */ name, /** @type {number} */ most) =>
    numberFor(name, values[name] ?? `${DEFAULTS[name]}`, most);
  const plan = {
    subscribers: Math.max(1, value('subscribers', 1000)),
    size: value('size', 65_536),
    rounds: Math.max(1, value('rounds', 100)),
    seconds: Math.max(0.1, value('seconds', 600)),
    warmup: value('warmup', 600),
  };
  /** @type {Setting[]} */ const settings = [];
  for (const rtt of list(values.rtt)) {
    for (const rate of list(values.rate)) {
      for (const transport of list(values.transport)) {
        transportNamed(transport);
        const ratePerSecond = Math.max(0.01, numberFor('rate', rate, 2000));
        settings.push({ transport, ratePerSecond, rttMs: numberFor('rtt', rtt, 10_000) });
      }
    }
  }
  return { ...values, file: positionals[0], plan, settings };
}

async function main() {
  const { plan, settings, ...options } = parseOptions();
  if (options.help) return console.log(USAGE);
  if (options.report) {
    const file = options.file ?? new URL('../results/push.json', import.meta.url);
    return console.log(formatPushReport(JSON.parse(readFileSync(file, 'utf8'))));
  }
  buildIfNeeded();
  const load = loadavg()[0];
  const measurements = await measureAll(settings, plan);
  const results = { plan, load, summary: summarizePush(measurements) };
  writeResults('push', results, options.out);
  console.log(formatPushReport(results));
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 2;
}
