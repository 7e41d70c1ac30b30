// Full load for minutes: mixed messages over connections of every kind that come and go, and library clients that come and go
// in the process of the server. Every few seconds the load stops and memory is looked at. Exits with 1 when it grew.
//   npm run bench:soak -- --minutes 10
import { parseArgs } from 'node:util';
import { Child } from './ipc.mjs';
import { emptyMemory } from './memory.mjs';
import { formatRows, median, writeResults } from './outcome.mjs';
import { MiB, MixedTraffic } from './workloads.mjs';

/** What the last third of the samples may have more than the second one: the first is for caches that fill. */
const BOUNDS = {
  heapUsed: { share: 0.05, bytes: MiB },
  external: { share: 0.05, bytes: MiB },
  rss: { share: 0.05, bytes: 16 * MiB },
};
const LIBRARY_CLIENTS = 8;
const MESSAGES_PER_CLIENT = 50;
const MESSAGES_PER_ROUND = 5_000;

/** @typedef {{ heapUsed: number, external: number, rss: number }} Sample */

/**
 * What grew: the medians of the second and of the last third of the samples are compared.
 *
 * @param {Sample[]} samples
 */
export function growthOf(samples) {
  const third = Math.floor(samples.length / 3);
  const keys = /** @type {(keyof typeof BOUNDS)[]} */ (Object.keys(BOUNDS));
  return keys.map((key) => {
    const values = samples.map((sample) => sample[key]);
    const middle = median(values.slice(third, 2 * third));
    const last = median(values.slice(-third));
    const allowed = Math.max(BOUNDS[key].bytes, BOUNDS[key].share * middle);
    return { key, middle, last, allowed, hasGrown: !(last - middle <= allowed) };
  });
}

/**
 * @param {string} lib
 * @param {{ seconds: number, samples: number, connections: number, needsAddons: boolean }} options
 */
async function soak(lib, { seconds, samples: wanted, connections, needsAddons }) {
  const args = ['--lib', lib, ...(needsAddons ? [] : ['--no-addons'])];
  const server = new Child(`subject (${lib})`, new URL('subject.mjs', import.meta.url), args, {
    execArgv: ['--expose-gc'],
  });
  /** @type {(Sample & { atSeconds: number, messages: number, opened: number })[]} */ const samples = [];
  const began = performance.now();
  const traffic = new MixedTraffic();
  let opened = 0;
  try {
    const { port } = await server.ask('describe');
    for (let i = 1; i <= wanted; i++) {
      await server.ask('startChurn', { port, count: LIBRARY_CLIENTS, perConnection: MESSAGES_PER_CLIENT });
      const until = began + (1000 * seconds * i) / wanted;
      do {
        await traffic.run(port, connections, MESSAGES_PER_ROUND);
        opened += connections;
      } while (performance.now() < until);
      await server.ask('stopChurn');
      const memory = await emptyMemory(server);
      const { exchanged, churned } = await server.ask('sample');
      samples.push({
        ...memory,
        atSeconds: (performance.now() - began) / 1000,
        messages: traffic.messages + exchanged,
        opened: opened + churned,
      });
    }
    return samples;
  } finally {
    await server.kill();
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      lib: { type: 'string', default: 'hawser' },
      minutes: { type: 'string', default: '1' },
      samples: { type: 'string', default: '30' },
      connections: { type: 'string', default: '30' },
      out: { type: 'string' },
      'no-addons': { type: 'boolean', default: false },
    },
  });
  const samples = await soak(values.lib, {
    seconds: 60 * Math.min(600, Number(values.minutes)),
    samples: Math.max(6, Math.min(1000, Math.trunc(Number(values.samples)))),
    connections: Math.max(1, Math.min(1000, Math.trunc(Number(values.connections)))),
    needsAddons: !values['no-addons'],
  });
  const growth = growthOf(samples);
  const mib = (/** @type {number} */ bytes) => (bytes / MiB).toFixed(1);
  console.log(
    formatRows([
      ['seconds', 'messages', 'connections', 'heap MiB', 'external', 'RSS'],
      ...samples.map(({ atSeconds, messages, opened, heapUsed, external, rss }) => [
        atSeconds.toFixed(0),
        messages.toLocaleString('en-US'),
        opened.toLocaleString('en-US'),
        ...[heapUsed, external, rss].map(mib),
      ]),
    ]),
  );
  for (const { key, middle, last, allowed, hasGrown } of growth) {
    const verdict = hasGrown ? 'GREW' : 'did not grow';
    console.log(
      `${key} ${verdict}: ${mib(middle)} MiB, then ${mib(last)} MiB; ${mib(allowed)} MiB more are allowed`,
    );
  }
  writeResults('soak', { lib: values.lib, samples, growth }, values.out);
  if (growth.some(({ hasGrown }) => hasGrown)) process.exitCode = 1;
}

if (process.argv[1] === import.meta.filename) await main();
