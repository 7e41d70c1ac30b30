// From measurements to numbers that one may quote: medians over rounds, ratios taken within each round, and a
// header that says on what machine, with which versions and how.
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** The commit that is checked out, if this is a repository. */
function commit() {
  try {
    const git = (/** @type {string[]} */ ...args) =>
      execFileSync('git', args, {
        cwd: import.meta.dirname,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    return (
      git('rev-parse', '--short', 'HEAD') +
      (git('status', '--porcelain', '--', '../src') === '' ? '' : ' + changes')
    );
  } catch {
    return 'unknown';
  }
}

/** @param {{ rounds: number, seconds: number, warmup: number }} options */
export function describeRun({ rounds, seconds, warmup }) {
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    machine: [
      `${processors.length} x ${processors[0]?.model.trim() ?? 'unknown'}`,
      `${Math.round(totalmem() / 2 ** 30)} GiB`,
      `${process.platform} ${release()}`,
    ].join(', '),
    node: process.version,
    v8: process.versions.v8,
    commit: commit(),
    loadAverage: loadavg()[0] ?? 0,
    method: [
      `${rounds} rounds, libraries in turn, fresh processes`,
      `${warmup} s warm-up, then ${seconds} s measured`,
      'CPU time of the server process',
    ].join('; '),
    /** @type {Record<string, string>} */
    peers: {},
  };
}

/**
 * @typedef {object} Measurement
 * @property {string} case
 * @property {string} kind
 * @property {string} lib
 * @property {number} round
 * @property {Record<string, number>} numbers
 */

const MAIN_NUMBER = {
  echo: 'cpuUs',
  latency: 'cpuUs',
  broadcast: 'cpuUs',
  handshake: 'cpuUs',
  client: 'cpuUs',
  idle: 'rssBytes',
};

/** @param {number} value */
function short(value) {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toPrecision(Math.abs(value) >= 1 ? 3 : 2);
}

const percent = (/** @type {number} */ cores) => `${Math.round(100 * cores)}%`;
const kib = (/** @type {number} */ bytes) => short(bytes / 1024);

/**
 * What each kind of case shows: heading, number, how it is written.
 *
 * @type {Record<string, [string, string, (value: number) => string][]>}
 */
const COLUMNS = {
  echo: [
    ['messages/s', 'perSecond', short],
    ['server', 'serverCores', percent],
    ['generator', 'generatorCores', percent],
  ],
  latency: [
    ['p50 µs', 'p50', short],
    ['p99 µs', 'p99', short],
    ['p99.9 µs', 'p999', short],
    ['sent late p99 µs', 'latenessP99', short],
    ['server', 'serverCores', percent],
  ],
  idle: [
    ['heap KiB', 'heapBytes', kib],
    ['external KiB', 'externalBytes', kib],
  ],
};

/**
 * One line per case and library: the median over the rounds of every number, and the median of the per-round
 * ratios to the reference library.
 *
 * @param {Measurement[]} measurements
 * @param {string} reference
 */
export function summarize(measurements, reference) {
  const lines = [];
  for (const name of new Set(measurements.map((one) => one.case))) {
    const ofCase = measurements.filter((one) => one.case === name);
    for (const lib of new Set(ofCase.map((one) => one.lib))) {
      const own = ofCase.filter((one) => one.lib === lib);
      const kind = /** @type {Measurement} */ (own[0]).kind;
      const main = MAIN_NUMBER[/** @type {keyof typeof MAIN_NUMBER} */ (kind)];
      const mains = own.map((one) => one.numbers[main] ?? Number.NaN);
      const ratios = own.flatMap((one) => {
        const other = ofCase.find(
          (candidate) => candidate.lib === reference && candidate.round === one.round,
        );
        return other === undefined
          ? []
          : [(one.numbers[main] ?? Number.NaN) / (other.numbers[main] ?? Number.NaN)];
      });
      const keys = Object.keys(/** @type {Measurement} */ (own[0]).numbers);
      lines.push({
        case: name,
        kind,
        lib,
        rounds: own.length,
        main,
        median: Object.fromEntries(
          keys.map((key) => [key, median(own.map((one) => one.numbers[key] ?? Number.NaN))]),
        ),
        least: Math.min(...mains),
        most: Math.max(...mains),
        ratio:
          ratios.length === 0
            ? null
            : { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) },
      });
    }
  }
  return lines;
}

/** @param {string[][]} rows the first is the heading */
function align(rows) {
  const widths = /** @type {string[]} */ (rows[0]).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param {ReturnType<typeof summarize>} lines @param {string} reference */
export function formatTables(lines, reference) {
  const shapeOf = (/** @type {string} */ kind) => (kind in COLUMNS ? kind : 'echo');
  return Object.keys(COLUMNS)
    .map((shape) => ({ shape, ofShape: lines.filter((line) => shapeOf(line.kind) === shape) }))
    .filter(({ ofShape }) => ofShape.length > 0)
    .map(({ shape, ofShape }) => formatTable(shape, ofShape, reference))
    .join('\n\n');
}

function formatTable(
  /** @type {string} */ kind,
  /** @type {ReturnType<typeof summarize>} */ lines,
  /** @type {string} */ reference,
) {
  const columns = COLUMNS[kind] ?? [];
  const write = kind === 'idle' ? kib : short;
  const heading = [
    'case',
    'lib',
    kind === 'idle' ? 'RSS KiB' : 'CPU µs',
    'least-most',
    ...columns.map(([name]) => name),
  ];
  const rows = lines.map((line) => [
    line.case,
    line.lib,
    write(line.median[line.main] ?? Number.NaN),
    `${write(line.least)}-${write(line.most)}`,
    ...columns.map(([, key, format]) => format(line.median[key] ?? Number.NaN)),
    line.ratio === null ? '' : `${short(line.ratio.median)}x`,
    line.ratio === null || line.rounds === 1 ? '' : `${short(line.ratio.least)}-${short(line.ratio.most)}`,
  ]);
  return align([[...heading, `/ ${reference}`, 'least-most'], ...rows]);
}
