// How does the cost of one unit change when there are more of them? From one connection to twenty thousand, from one byte
// to 64 MiB in a message, from one frame to 64 in a segment, and one byte at a time. Names every step at which a library
// becomes dearer than one step before, and more so than bare sockets do.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { measure } from './measure.mjs';
import { formatRows, median, writeResults } from './outcome.mjs';
import { lineChart } from './svg.mjs';
import { KiB, MiB } from './workloads.mjs';

/** A step may make a unit so many times dearer, beside what it does to bare sockets. */
const CLIFF = 1.5;
/** Open files of a process that are no connections. */
const OTHER_FILES = 100;
/** Longer than this nobody waits for one message; what takes longer has no number. */
const FEED_TIMEOUT_MS = 10_000;

/** @typedef {{ connections?: number, depth?: number, payloadBytes?: number }} Overrides */

/**
 * @typedef {object} Series
 * @property {string} about
 * @property {string} x what grows
 * @property {string} unit what is measured
 * @property {number[]} at
 * @property {(x: number) => { name: string, overrides: Overrides, units: number }} [load] over sockets; `units` in a message
 * @property {'frame' | 'fragments'} [feed] in memory
 */

/** @type {Record<string, Series>} */
export const SERIES = {
  connections: {
    about: '64 B echoed, one message in flight on each connection',
    x: 'connections',
    unit: 'CPU µs per message',
    at: [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 20_000],
    load: (connections) => ({ name: 'echo-64-single', overrides: { connections }, units: 1 }),
  },
  size: {
    about: 'binary messages echoed on 4 connections, up to 64 KiB in flight on each',
    x: 'bytes in a message',
    unit: 'CPU ns per byte',
    at: [1, 4, 16, 64, 125, 126, 512, 2 * KiB, 8 * KiB, 32 * KiB, 65_535, 65_536, 256 * KiB].concat(
      [1, 4, 16, 64].map((mib) => mib * MiB),
    ),
    load: (payloadBytes) => ({
      name: 'echo-64',
      overrides: {
        connections: 4,
        payloadBytes,
        depth: Math.max(1, Math.min(64, Math.floor((64 * KiB) / payloadBytes))),
      },
      units: payloadBytes / 1000,
    }),
  },
  segment: {
    about: '64 B echoed on 50 connections, so many frames in each write',
    x: 'frames in a segment',
    unit: 'CPU µs per message',
    at: [1, 2, 4, 8, 16, 32, 64],
    load: (depth) => ({ name: 'echo-64', overrides: { depth }, units: 1 }),
  },
  frame: {
    about: 'one frame fed one byte at a time, in memory',
    x: 'bytes in the frame',
    unit: 'ns per byte',
    at: [64 * KiB, 256 * KiB, MiB, 4 * MiB],
    feed: 'frame',
  },
  fragments: {
    about: 'one message in fragments of one byte, 64 KiB at a time, in memory',
    x: 'fragments',
    unit: 'ns per fragment',
    at: [64 * KiB, 256 * KiB, MiB, 4 * MiB],
    feed: 'fragments',
  },
};

/** @typedef {{ x: number, cost: number }} Point */

/**
 * The steps at which a unit becomes more than `limit` times as dear, and not because sockets do.
 *
 * @param {Point[]} points
 * @param {Point[]} floor the same of bare sockets
 */
export function cliffs(points, floor, limit = CLIFF) {
  const found = [];
  const costAt = new Map(floor.map(({ x, cost }) => [x, cost]));
  for (let i = 1; i < points.length; i++) {
    const [from, to] = /** @type {[Point, Point]} */ (points.slice(i - 1, i + 1));
    const growth = to.cost / from.cost;
    const ofFloor = /** @type {number} */ (costAt.get(to.x)) / /** @type {number} */ (costAt.get(from.x));
    // Where sockets were not measured, or become cheaper, a unit is expected to cost the same.
    const expected = Math.max(ofFloor || 1, 1);
    if (growth > limit * expected) found.push({ from: from.x, to: to.x, growth, ofFloor });
  }
  return found;
}

/** How many connections the limit on open files leaves. */
function mostConnections() {
  const { open_files: limit } = /** @type {any} */ (process.report.getReport()).userLimits;
  return limit.hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit.hard) - OTHER_FILES;
}

/** @param {number[]} at @param {number} most */
export function within(at, most) {
  return at.map((x) => Math.min(x, most)).filter((x, i, all) => all.indexOf(x) === i);
}

/** Nanoseconds per byte, in a process of its own. @param {string} lib @param {string} what @param {number} bytes */
async function feed(lib, what, bytes) {
  const args = [join(import.meta.dirname, 'feed.mjs'), '--lib', lib, '--what', what, '--bytes', `${bytes}`];
  const options = { timeout: FEED_TIMEOUT_MS, killSignal: /** @type {const} */ ('SIGKILL') };
  const { stdout } = await promisify(execFile)(process.execPath, args, options).catch((error) => {
    throw error.killed ? new Error(`takes more than ${FEED_TIMEOUT_MS / 1000} s`) : error;
  });
  return JSON.parse(stdout);
}

/**
 * @param {Series} series
 * @param {string[]} libs
 * @param {{ rounds: number, seconds: number, warmup: number, needsAddons: boolean }} options
 * @param {number[]} at
 */
async function measureSeries(series, libs, { rounds, seconds, warmup, needsAddons }, at) {
  /** @type {{ lib: string, x: number, costs: number[], note: string }[]} */
  const rows = at.flatMap((x) => libs.map((lib) => ({ lib, x, costs: [], note: '' })));
  for (let round = 0; round < rounds; round++) {
    for (const row of rows) {
      // What failed once will again, and so will more of it.
      const hasFailed = (/** @type {typeof row} */ { lib, x, costs, note }) =>
        lib === row.lib && x <= row.x && note !== '' && costs.length === 0;
      if (rows.some(hasFailed)) continue;
      try {
        if (series.feed !== undefined) {
          const { nsPerByte, note } = await feed(row.lib, series.feed, row.x);
          row.costs.push(nsPerByte);
          row.note = note;
        } else {
          const { name, overrides, units } = /** @type {NonNullable<Series['load']>} */ (series.load)(row.x);
          const plan = { rounds, seconds, warmup, overrides, needsAddons };
          const { numbers } = await measure(name, row.lib, plan);
          row.costs.push(/** @type {number} */ (numbers.cpuUs) / units);
        }
      } catch (error) {
        row.note = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
      }
    }
  }
  return rows.map((row) => ({ ...row, cost: median(row.costs) }));
}

/** @param {Awaited<ReturnType<typeof measureSeries>>} rows @param {string} lib @returns {Point[]} */
const pointsOf = (rows, lib) =>
  rows.filter((row) => row.lib === lib && Number.isFinite(row.cost)).map(({ x, cost }) => ({ x, cost }));

/** @param {Series} series @param {string[]} libs @param {Awaited<ReturnType<typeof measureSeries>>} rows */
function table(series, libs, rows) {
  const number = (/** @type {number} */ value) => (Number.isFinite(value) ? value.toPrecision(3) : '-');
  const lines = [...new Set(rows.map(({ x }) => x))].map((x) => {
    const ofX = libs.map((lib) => rows.find((row) => row.x === x && row.lib === lib));
    const notes = ofX.flatMap((row) =>
      row === undefined || row.note === '' ? [] : [`${row.lib}: ${row.note}`],
    );
    return [
      x.toLocaleString('en-US'),
      ...ofX.map((row) => number(row?.cost ?? Number.NaN)),
      notes.join('; '),
    ];
  });
  return `${series.about}; ${series.unit}\n${formatRows([[series.x, ...libs, ''], ...lines])}`;
}

/** @param {string} name @param {Series} series @param {string[]} libs @param {Awaited<ReturnType<typeof measureSeries>>} rows */
function chart(name, series, libs, rows) {
  return lineChart({
    title: `Cost of growth: ${name}`,
    subtitle: series.about,
    x: { label: series.x, log: true },
    y: { label: series.unit, log: true },
    series: libs.map((lib) => ({
      label: lib,
      points: pointsOf(rows, lib).map(({ x, cost }) => /** @type {[number, number]} */ ([x, cost])),
    })),
  });
}

async function main() {
  const { values } = parseArgs({
    options: {
      series: { type: 'string', default: Object.keys(SERIES).join(',') },
      lib: { type: 'string', default: 'hawser,ws,raw' },
      at: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '1' },
      warmup: { type: 'string', default: '0.5' },
      out: { type: 'string', default: join(import.meta.dirname, 'results', 'growth.json') },
      'no-addons': { type: 'boolean', default: false },
    },
  });
  const libs = values.lib.split(',');
  const options = {
    rounds: Math.max(1, Math.min(100, Math.trunc(Number(values.rounds)))),
    seconds: Math.min(60, Number(values.seconds)),
    warmup: Math.min(60, Number(values.warmup)),
    needsAddons: !values['no-addons'],
  };
  /** What other runs have found about other series stays. @type {Record<string, unknown>} */
  const results = existsSync(values.out) ? JSON.parse(readFileSync(values.out, 'utf8')).series : {};
  mkdirSync(dirname(values.out), { recursive: true });
  for (const name of values.series.split(',')) {
    const series = SERIES[name];
    if (series === undefined)
      throw new Error(`no series is called ${name}; there are ${Object.keys(SERIES)}`);
    const most = name === 'connections' ? mostConnections() : Number.POSITIVE_INFINITY;
    const wanted = values.at === undefined ? series.at : values.at.split(',').map(Number);
    const at = within(wanted, most);
    if (wanted.some((x) => x > most)) console.log(`ulimit -n allows ${most} connections`);
    const rows = await measureSeries(series, libs, options, at);
    const found = libs.map((lib) => ({ lib, cliffs: cliffs(pointsOf(rows, lib), pointsOf(rows, 'raw')) }));
    console.log(`\n${table(series, libs, rows)}`);
    for (const { lib, cliffs: ofLib } of found) {
      for (const { from, to, growth, ofFloor } of ofLib)
        console.log(`  cliff: ${lib}, ${from} to ${to}: ${growth.toFixed(2)}x (raw ${ofFloor.toFixed(2)}x)`);
    }
    results[name] = { ...series, at, rows, cliffs: found };
    writeFileSync(values.out.replace(/(\.json)?$/, `-${name}.svg`), chart(name, series, libs, rows));
    if (found.some(({ lib, cliffs: ofLib }) => lib === libs[0] && ofLib.length > 0)) process.exitCode = 1;
  }
  writeResults('growth', { series: results }, values.out);
}

if (process.argv[1] === import.meta.filename) await main();
