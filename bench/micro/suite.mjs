// What the micro benchmarks share: they measure single functions of dist/wire with npm `benchmark`, to see
// which of two ways of writing a function is faster. What a user feels is measured on the wire (../run.mjs),
// not here.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import Benchmark from 'benchmark';

const { values } = parseArgs({
  options: {
    dist: { type: 'string', default: join(import.meta.dirname, '../../dist') },
    seconds: { type: 'string', default: '1' },
  },
});

const require = createRequire(import.meta.url);

/** A module of dist/wire, or of the build that --dist names. @param {string} name @returns {any} */
export function loadWire(name) {
  return require(join(resolve(values.dist), 'wire', `${name}.js`));
}

/** A peer's module if the peers are installed. @param {string} name @returns {any} */
export function loadOptional(name) {
  try {
    return require(name);
  } catch {
    return undefined;
  }
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
 * Runs functions one after the other and prints operations per second, and bytes per second where an operation has bytes.
 *
 * @param {string} title
 * @param {number} bytesPerRun 0 if the number would mean nothing
 * @param {Record<string, (() => unknown) | undefined>} functions those that are undefined are left out
 */
export function compare(title, bytesPerRun, functions) {
  console.log(`\n${title}`);
  const suite = new Benchmark.Suite();
  for (const [name, run] of Object.entries(functions)) {
    if (run !== undefined) suite.add(name, run, { maxTime: Number(values.seconds) });
  }
  suite.on('cycle', (/** @type {Benchmark.Event} */ event) => {
    const { name, hz, stats, error } = /** @type {any} */ (event.target);
    if (error) throw error;
    const rate = bytesPerRun === 0 ? '' : `${((hz * bytesPerRun) / 1e9).toFixed(2)} GB/s`.padStart(14);
    console.log(
      `  ${String(name).padEnd(34)} ${(1e9 / hz).toFixed(1).padStart(12)} ns ${rate}  ±${stats.rme.toFixed(1)}%`,
    );
  });
  suite.run({ async: false });
}
