// From measurements to numbers that one may quote: medians over rounds, ratios taken within each round, and a
// header that says on what machine, with which versions and how.
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** @param {number[]} values */
export function median(values) {
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
      `${rounds} ${rounds === 1 ? 'round' : 'rounds'}, libraries in turn, fresh processes`,
      `${warmup} s warm-up, then ${seconds} s measured`,
      'CPU time of the process under test',
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

/** The number that a kind of case is about: CPU time, of idle connections memory. @param {string} kind */
const mainNumber = (kind) => (kind === 'idle' ? 'rssBytes' : 'cpuUs');

/** Three digits or so. @param {number} value */
export function short(value) {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toPrecision(Math.abs(value) >= 1 ? 3 : 2);
}

/** How many times as much. @param {number} value */
export function times(value) {
  return Number.isFinite(value) ? `${short(value)}x` : '-';
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
      const main = mainNumber(kind);
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

/** @param {string[][]} rows the first is the heading @param {number} names columns that hold names, not numbers */
function align(rows, names = 2) {
  const widths = /** @type {string[]} */ (rows[0]).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i < names ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param {ReturnType<typeof describeRun>} header */
export function formatHeader(header) {
  const busy = header.loadAverage > 0.5 ? '  <- the machine was not idle: measure again' : '';
  const width = Math.max(8, ...Object.keys(header.peers).map((label) => label.length));
  const entries = {
    machine: header.machine,
    node: `${header.node} (V8 ${header.v8})`,
    ...header.peers,
    commit: header.commit,
    date: header.date,
    method: header.method,
    load: `${header.loadAverage.toFixed(2)} before the start${busy}`,
  };
  return Object.entries(entries)
    .map(([name, value]) => `${name.padEnd(width)} ${value}`)
    .join('\n');
}

/** @typedef {ReturnType<typeof summarize>[number]} Line */

/**
 * Everything measured, then a row per case with the ratios alone.
 *
 * @param {Line[]} lines
 * @param {string} reference
 */
export function formatTables(lines, reference) {
  const shapeOf = (/** @type {string} */ kind) => (kind in COLUMNS ? kind : 'echo');
  const tables = Object.keys(COLUMNS)
    .map((shape) => ({ shape, ofShape: lines.filter((line) => shapeOf(line.kind) === shape) }))
    .filter(({ ofShape }) => ofShape.length > 0)
    .map(({ shape, ofShape }) => formatTable(shape, ofShape, reference));
  return [...tables, formatRatios(lines, reference)].filter((table) => table !== '').join('\n\n');
}

/** What the reference needs, and how many times that the others need. @param {Line[]} lines @param {string} reference */
export function formatRatios(lines, reference) {
  const others = [...new Set(lines.map((line) => line.lib))].filter((lib) => lib !== reference);
  if (others.length === 0) return '';
  const rows = [...new Set(lines.map((line) => line.case))].map((name) => {
    const find = (/** @type {string} */ lib) => lines.find((line) => line.case === name && line.lib === lib);
    const own = find(reference);
    const ratios = others.map((lib) => formatRatio(find(lib)));
    return [name, own === undefined ? '-' : formatMain(own), ...ratios];
  });
  const heading = ['in short', reference, ...others.map((lib) => `${lib} / ${reference}`)];
  return align([heading, ...rows], 1);
}

/** A ratio; with a tilde if the rounds do not agree on who needs less. @param {Line | undefined} line */
function formatRatio(line) {
  if (line === undefined || line.ratio === null) return '-';
  const { median: middle, least, most } = line.ratio;
  return `${line.rounds > 1 && least <= 1 && most >= 1 ? '~' : ''}${times(middle)}`;
}

/** A line's main number with its unit. @param {Pick<Line, 'main' | 'median'>} line */
export function formatMain({ main, median: numbers }) {
  const value = numbers[main] ?? Number.NaN;
  return main === 'rssBytes' ? `${kib(value)} KiB` : `${short(value)} µs`;
}

function formatTable(
  /** @type {string} */ kind,
  /** @type {Line[]} */ lines,
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
    ...columns.map(([, key, format]) => {
      // Where the generator was at its limit, the server could have done more.
      const isBound = key === 'perSecond' && (line.median.generatorBound ?? 0) > 0;
      return `${isBound ? '>= ' : ''}${format(line.median[key] ?? Number.NaN)}`;
    }),
    line.ratio === null ? '' : times(line.ratio.median),
    line.ratio === null || line.rounds === 1 ? '' : `${short(line.ratio.least)}-${short(line.ratio.most)}`,
  ]);
  return align([[...heading, `/ ${reference}`, 'least-most'], ...rows]);
}
