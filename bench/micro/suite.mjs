// What the micro benchmarks share: they measure single functions of dist/wire with npm `benchmark`, to see
// which of two ways of writing a function is faster. What a user feels is measured on the wire (../run.mjs),
// not here.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import Benchmark from 'benchmark';
import { short } from '../report.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    dist: { type: 'string', default: join(import.meta.dirname, '../../dist') },
    seconds: { type: 'string', default: '1' },
  },
});

const require = createRequire(import.meta.url);

/** The micro benchmarks that the command line names. */
export const wanted = positionals;

/** A module of a floor of dist/, or of the build that --dist names. @param {string} path @returns {any} */
export function loadBuilt(path) {
  return require(join(resolve(values.dist), `${path}.js`));
}

/** @param {string} name @returns {any} */
export const loadWire = (name) => loadBuilt(`wire/${name}`);

/** A peer's module if the peers are installed. @param {string} name @returns {any} */
export function loadOptional(name) {
  try {
    return require(name);
  } catch {
    return undefined;
  }
}

/** A file inside of `ws`, which it does not export, if the peers are installed. @param {string} name @returns {any} */
export function loadInsideWs(name) {
  return loadOptional(join(import.meta.dirname, '../node_modules/ws/lib', `${name}.js`));
}

/** Says what the lines that follow mean. @param {string} name @param {string} meaning */
export function explain(name, meaning) {
  console.log(`\n== ${name}\n${meaning}`);
}

/** Bytes that look random and are the same in every run. @param {number} size */
export function someBytes(size) {
  const bytes = Buffer.alloc(size);
  for (let i = 0, state = 1; i < size; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/**
 * Runs functions one after the other. A line has the time of one run, the bytes per second where a run has bytes, how many
 * times as long as the first line it takes, and the uncertainty of the mean.
 *
 * @param {string} title
 * @param {number} bytesPerRun 0 if the number would mean nothing
 * @param {Record<string, (() => unknown) | undefined>} functions those that are undefined are left out; a promise is
 *   waited for
 */
export async function compare(title, bytesPerRun, functions) {
  console.log(`\n${title}`);
  const suite = new Benchmark.Suite();
  for (const [name, run] of Object.entries(functions)) {
    if (run !== undefined) suite.add(name, await asBenchmark(run));
  }
  let first = 0;
  suite.on('cycle', (/** @type {Benchmark.Event} */ event) => {
    const { name, hz, stats, error } = /** @type {any} */ (event.target);
    if (error) throw error;
    first ||= hz;
    const rate = bytesPerRun === 0 ? '' : `${short((hz * bytesPerRun) / 1e6)} MB/s`;
    const cells = [
      String(name).padEnd(38),
      `${short(1e9 / hz)} ns`.padStart(12),
      rate.padStart(12),
      `${(first / hz).toFixed(2)}x`.padStart(9),
      `±${stats.rme.toFixed(1)}%`.padStart(8),
    ];
    console.log(`  ${cells.join(' ')}`);
  });
  await new Promise((resolve) => {
    suite.on('complete', resolve);
    suite.run({ async: false });
  });
}

/** @param {() => unknown} run */
async function asBenchmark(run) {
  const options = { maxTime: Number(values.seconds) };
  const result = run();
  if (!(result instanceof Promise)) return { ...options, fn: run };
  await result;
  const fn = (/** @type {{ resolve(): void }} */ deferred) => {
    /** @type {Promise<unknown>} */ (run()).then(() => deferred.resolve());
  };
  return { ...options, defer: true, fn };
}
