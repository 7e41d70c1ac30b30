// What overhead.mjs measured, as medians and ratios within a round, and as Markdown.
import { median } from '../outcome.mjs';

/** @typedef {import('./overhead.mjs').Measurement} Measurement */
/** @typedef {import('./overhead.mjs').Plan} Plan */
/** @typedef {ReturnType<typeof summarizeMessages>[number]} Summary */

const rounded = (/** @type {number} */ value) => Math.round(value * 10_000) / 10_000;

/** Median, least and most. @param {number[]} values */
const spread = (values) => [median(values), Math.min(...values), Math.max(...values)].map(rounded);

/**
 * The two layers of one case against each other: medians of the rounds, and ratios within each round.
 *
 * @param {string} name
 * @param {Measurement[]} measurements
 */
function summarizeCase(name, measurements) {
  const rounds = (/** @type {string} */ layer) =>
    measurements.filter((measurement) => measurement.case === name && measurement.layer === layer);
  const plain = rounds('plain');
  const session = rounds('session');
  const cpuUs = (/** @type {Measurement} */ { serverUs, clientUs }) => serverUs + clientUs;
  /** @param {(measurement: Measurement) => number} numberOf */
  const ratio = (numberOf) =>
    spread(session.map((one, i) => numberOf(one) / numberOf(/** @type {Measurement} */ (plain[i]))));
  /** @param {(measurement: Measurement) => number} numberOf */
  const both = (numberOf) => [plain, session].map((layer) => rounded(median(layer.map(numberOf))));
  const isLone = plain[0]?.p50Ms !== undefined;
  const p50Ms = (/** @type {Measurement} */ one) => one.p50Ms ?? Number.NaN;
  return {
    case: name,
    cpuUs: both(cpuUs),
    cpuRatio: ratio(cpuUs),
    serverRatio: ratio(({ serverUs }) => serverUs),
    clientRatio: ratio(({ clientUs }) => clientUs),
    bytes: both(({ bytes }) => bytes),
    bytesRatio: ratio(({ bytes }) => bytes),
    ...(isLone && { p50Ms: both(p50Ms), p50Ratio: ratio(p50Ms) }),
  };
}

/** @param {Measurement[]} measurements */
export function summarizeMessages(measurements) {
  const names = new Set(measurements.map((measurement) => measurement.case));
  return [...names].map((name) => summarizeCase(name, measurements));
}

/** @param {number[]} ratio */
const formatRatio = ([middle = Number.NaN, least = Number.NaN, most = Number.NaN]) =>
  `${middle.toFixed(3)} (${least.toFixed(2)}-${most.toFixed(2)})`;

const CPU_HEADINGS = ['case', 'plain us', 'session us', 'both ends', 'server', 'client', 'bytes'];

/** @param {Summary[]} messages */
function formatMessages(messages) {
  const rows = messages.map((summary) => [
    summary.case,
    ...summary.cpuUs.map((us) => us.toFixed(us < 10 ? 2 : 1)),
    ...[summary.cpuRatio, summary.serverRatio, summary.clientRatio].map(formatRatio),
    `+${(100 * ((summary.bytesRatio[0] ?? Number.NaN) - 1)).toFixed(2)} %`,
  ]);
  const lines = [CPU_HEADINGS, CPU_HEADINGS.map((_, i) => (i === 0 ? '---' : '---:')), ...rows];
  const lone = messages
    .filter(({ p50Ms }) => p50Ms !== undefined)
    .map(({ case: name, p50Ms = [], p50Ratio = [] }) => {
      const [plain, session] = p50Ms.map((value) => (1000 * value).toFixed(1));
      return `\n\n${name}, round trip at p50: ${plain} us plain, ${session} us with a session, ratio ${formatRatio(p50Ratio)}`;
    });
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n') + lone.join('');
}

/** @param {{ detached: number, heapBytes: number, externalBytes: number, rssBytes: number }} memory */
const formatMemory = ({ detached, heapBytes, externalBytes, rssBytes }) =>
  `${detached.toLocaleString('en-US')} sessions without a connection: ${Math.round(heapBytes)} B of heap and ` +
  `${Math.round(externalBytes)} B of external memory each (RSS ${Math.round(rssBytes)} B)`;

/** @param {{ rttMs: number, resumes: number, resumed: number[], replayed: number[] }} resume */
const formatResume = ({ rttMs, resumes, resumed, replayed }) =>
  `${resumes} times cut at ${rttMs} ms: resumed ${formatRatio(resumed)} round trips after TCP was up, ` +
  `the first message that was missed there after ${formatRatio(replayed)}`;

/**
 * @param {{ header?: { machine: string, node: string, date: string }, plan: Omit<Plan, 'dist'>, load: number | undefined,
 *   messages?: Summary[], memory?: Parameters<typeof formatMemory>[0], resume?: Parameters<typeof formatResume>[0] }} results
 */
export function formatOverheadReport({ header, plan, load, messages, memory, resume }) {
  const where =
    header === undefined ? '' : `${header.machine}, Node ${header.node}, ${header.date.slice(0, 10)}; `;
  return [
    `${where}${plan.rounds} rounds of ${plan.seconds} s, load ${load?.toFixed(1)} before.`,
    ...(messages === undefined ? [] : [formatMessages(messages)]),
    ...(memory === undefined ? [] : [formatMemory(memory)]),
    ...(resume === undefined ? [] : [formatResume(resume)]),
  ].join('\n\n');
}
