// What push.mjs measured, as percentiles and as Markdown.
import { median } from '../outcome.mjs';
import { transportNamed } from './transports.mjs';

/** @typedef {import('./push.mjs').Measurement} Measurement */
/** @typedef {import('./push.mjs').Plan} Plan */
/** @typedef {ReturnType<typeof summarizePush>[number]} Summary */

/** The least of the values that at least this share of them does not exceed. @param {number[]} values @param {number} share */
export function percentile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** In the order in which the keys first came. @template T @param {T[]} items @param {(item: T) => string} keyOf @returns {T[][]} */
function groupBy(items, keyOf) {
  /** @type {Map<string, T[]>} */ const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

const rounded = (/** @type {number} */ value) => Math.round(value * 1000) / 1000;

/** One entry for each setting: percentiles over all rounds, the rest as medians of the rounds. @param {Measurement[]} measurements */
export function summarizePush(measurements) {
  const settings = groupBy(
    measurements,
    ({ transport, ratePerSecond, rttMs }) => `${transport} ${ratePerSecond} ${rttMs}`,
  );
  return settings.map((rounds) => {
    const { transport, ratePerSecond, rttMs } = /** @type {Measurement} */ (rounds[0]);
    const all = rounds.flatMap(({ latencies }) => latencies);
    const p50s = rounds.map(({ latencies }) => percentile(latencies, 0.5));
    const middle = (/** @type {'cpuUs' | 'fromClients' | 'toClients'} */ key) =>
      rounded(median(rounds.map((round) => round[key])));
    return {
      transport,
      ratePerSecond,
      rttMs,
      messages: all.length,
      p50Ms: rounded(percentile(all, 0.5)),
      p50RangeMs: [rounded(Math.min(...p50s)), rounded(Math.max(...p50s))],
      p90Ms: rounded(percentile(all, 0.9)),
      p99Ms: rounded(percentile(all, 0.99)),
      maxMs: rounded(percentile(all, 1)),
      publishedLateP99Ms: rounded(
        percentile(
          rounds.flatMap(({ lateness }) => lateness),
          0.99,
        ),
      ),
      cpuUs: middle('cpuUs'),
      bytesToClient: middle('toClients'),
      bytesFromClient: middle('fromClients'),
    };
  });
}

/** Milliseconds to two places, as far as those say something. @param {number} value */
const ms = (value) => (Number.isNaN(value) ? '' : value < 10 ? value.toFixed(2) : value.toFixed(1));
const whole = (/** @type {number} */ value) => Math.round(value).toLocaleString('en-US');

/** @param {Summary} row */
function formatRow(row) {
  const { label, face } = transportNamed(row.transport);
  if (face === 'none') return [label, '', '', '', '', '', '', whole(row.cpuUs)];
  const [least, most] = row.p50RangeMs;
  const times = [row.p90Ms, row.p99Ms, row.maxMs].map(ms);
  const costs = [row.bytesToClient, row.bytesFromClient, row.cpuUs].map(whole);
  return [label, `${ms(row.p50Ms)} (${ms(least ?? 0)}-${ms(most ?? 0)})`, ...times, ...costs];
}

const HEADINGS = [
  'transport',
  'p50 ms (rounds)',
  'p90',
  'p99',
  'max',
  'B to client',
  'B from client',
  'server CPU us',
];

/** @param {Summary[]} rows of one table */
function formatTable(rows) {
  const { ratePerSecond, rttMs } = /** @type {Summary} */ (rows[0]);
  const late = Math.max(...rows.map(({ publishedLateP99Ms }) => publishedLateP99Ms));
  const messages = Math.max(...rows.map(({ messages }) => messages));
  const lines = [HEADINGS, HEADINGS.map((_, i) => (i === 0 ? '---' : '---:')), ...rows.map(formatRow)];
  return [
    `**${ratePerSecond} a second, round-trip time ${rttMs} ms** (about ${whole(messages)} messages for each; published late by ${ms(late)} ms at p99, at worst)`,
    '',
    ...lines.map((cells) => `| ${cells.join(' | ')} |`),
  ].join('\n');
}

/** p50 of each transport at each rate and distance. @param {Summary[]} summary @returns {string} */
function formatOverview(summary) {
  const settings = groupBy(summary, ({ ratePerSecond, rttMs }) => `${ratePerSecond}/s, ${rttMs} ms`);
  const transports = groupBy(summary, ({ transport }) => transport).filter(
    ([first]) => transportNamed(/** @type {Summary} */ (first).transport).face !== 'none',
  );
  const headings = settings.map(([first]) => `${first?.ratePerSecond}/s, ${first?.rttMs} ms`);
  const rows = transports.map((ofOne) => {
    const { label } = transportNamed(/** @type {Summary} */ (ofOne[0]).transport);
    const p50s = settings.map((setting) => setting.find((one) => ofOne.includes(one))?.p50Ms ?? Number.NaN);
    return [label, ...p50s.map(ms)];
  });
  const lines = [['p50 in ms', ...headings], ['---', ...headings.map(() => '---:')], ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** @param {{ header?: { machine: string, node: string, date: string }, plan: Plan, load: number | undefined, summary: Summary[] }} results */
export function formatPushReport({ header, plan, load, summary }) {
  const tables = groupBy(summary, ({ ratePerSecond, rttMs }) => `${ratePerSecond} ${rttMs}`);
  const where =
    header === undefined ? '' : `${header.machine}, Node ${header.node}, ${header.date.slice(0, 10)}; `;
  const how = `${plan.subscribers} subscribers, messages of ${plan.size} B, ${plan.rounds} rounds of ${plan.seconds} s, load ${load?.toFixed(1)} before.`;
  return [`${where}${how}`, formatOverview(summary), ...tables.map(formatTable)].join('\n\n');
}
