// What rpc.mjs measured: medians, ratios within a round, and Markdown.
import { median } from '../outcome.mjs';

/** @typedef {import('./rpc.mjs').Measurement} Measurement */
/** @typedef {import('./rpc.mjs').ToolRun} ToolRun */
/** @typedef {Omit<import('./rpc.mjs').Plan, 'dist'>} Plan */
/** @typedef {{ layer: string, begun: number, ended: number, inFlight: number, active: number[], heapBytes: number }} Churn */
/** @typedef {ReturnType<typeof summarizeRpc>} Summary */

const rounded = (/** @type {number} */ value) => Math.round(value * 10_000) / 10_000;

/** Median, least and most. @param {number[]} values */
const spread = (values) => [median(values), Math.min(...values), Math.max(...values)].map(rounded);

/** In the order in which the keys first came. @template T @param {T[]} items @param {(item: T) => string} keyOf @returns {T[][]} */
function groupBy(items, keyOf) {
  /** @type {Map<string, T[]>} */ const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups.values()];
}

/** @param {Measurement} measurement */
const cpuUs = ({ serverUs, clientUs }) => serverUs + clientUs;

/** @param {Measurement} measurement */
const byRound = ({ round }, /** @type {Measurement} */ other) => round - other.round;

/**
 * Calls against the messages that carry them and the JSON in them, within each round.
 *
 * @param {Measurement[]} measurements those of one depth
 */
function summarizeCalls(measurements) {
  const of = (/** @type {string} */ layer) =>
    measurements.filter((measurement) => measurement.layer === layer).sort((a, b) => byRound(a, b));
  const json = of('json');
  const { depth } = /** @type {Measurement} */ (measurements[0]);
  const carriers = [
    { carrier: 'socket', echo: of('echo'), rpc: of('rpc') },
    { carrier: 'session', echo: of('session-echo'), rpc: of('session-rpc') },
  ];
  return carriers.map(({ carrier, echo, rpc }) => {
    const middle = (/** @type {Measurement[]} */ layer) => rounded(median(layer.map(cpuUs)));
    const floor = echo.map((one, i) => cpuUs(one) + cpuUs(/** @type {Measurement} */ (json[i])));
    const p50 = (/** @type {Measurement[]} */ layer) =>
      layer[0]?.p50Ms === undefined
        ? {}
        : { us: rounded(1000 * median(layer.map(({ p50Ms = 0 }) => p50Ms))) };
    return {
      carrier,
      depth,
      echoUs: middle(echo),
      jsonUs: middle(json),
      rpcUs: middle(rpc),
      ratio: spread(rpc.map((one, i) => cpuUs(one) / (floor[i] ?? Number.NaN))),
      rpcServerUs: rounded(median(rpc.map(({ serverUs }) => serverUs))),
      rpcClientUs: rounded(median(rpc.map(({ clientUs }) => clientUs))),
      perSecond: Math.round(median(rpc.map(({ perSecond }) => perSecond))),
      p50Us: [p50(echo).us, p50(rpc).us],
    };
  });
}

/** @param {Measurement[]} rounds of one layer and one kind of item */
function summarizeStream(rounds) {
  const { layer, work } = /** @type {Measurement} */ (rounds[0]);
  return {
    layer,
    items: work,
    perSecond: spread(rounds.map(({ perSecond }) => perSecond)).map(Math.round),
    serverUs: rounded(median(rounds.map(({ serverUs }) => serverUs))),
    clientUs: rounded(median(rounds.map(({ clientUs }) => clientUs))),
    /** Of a core that does the work of both ends. */
    perCoreSecond: spread(rounds.map((one) => 1e6 / cpuUs(one))).map(Math.round),
  };
}

/** @param {Measurement[]} rounds of one layer */
function summarizeLatency(rounds) {
  const { layer, handlerMs, depth } = /** @type {Measurement} */ (rounds[0]);
  const of = (/** @type {'p50Ms' | 'p99Ms' | 'tail'} */ key) =>
    spread(rounds.map((round) => round[key] ?? Number.NaN));
  return { layer, handlerMs, depth, p50Ms: of('p50Ms'), p99Ms: of('p99Ms'), tail: of('tail') };
}

/** @param {ToolRun[]} runs of one way at one distance */
function summarizeTools(runs) {
  const { way, rttMs, isSecure, times } = /** @type {ToolRun} */ (runs[0]);
  const first = runs.map((run) => run.times[0] ?? Number.NaN);
  const total = runs.map((run) => run.times.at(-1) ?? Number.NaN);
  const later = runs.flatMap((run) => run.times.slice(1).map((time, i) => time - (run.times[i] ?? 0)));
  return {
    way,
    rttMs,
    isSecure,
    calls: times.length,
    totalMs: spread(total),
    firstMs: rounded(median(first)),
    laterMs: rounded(median(later)),
  };
}

/** @param {{ measurements: Measurement[], tools: ToolRun[], churn: Churn[] }} measured */
export function summarizeRpc({ measurements, tools, churn }) {
  const of = (/** @type {string} */ part, /** @type {(one: Measurement) => string} */ keyOf) =>
    groupBy(
      measurements.filter((measurement) => measurement.part === part),
      keyOf,
    );
  return {
    calls: of('calls', ({ depth }) => `${depth}`).flatMap(summarizeCalls),
    tools: groupBy(tools, ({ way, rttMs, isSecure }) => `${way} ${rttMs} ${isSecure}`).map(summarizeTools),
    streams: of('streams', ({ layer, work }) => `${layer} ${work}`).map(summarizeStream),
    tokens: of('tokens', ({ layer }) => layer).map(summarizeLatency),
    crowd: of('crowd', ({ layer, handlerMs }) => `${layer} ${handlerMs}`).map(summarizeLatency),
    churn,
  };
}

// Markdown

const number = (/** @type {number} */ value) => value.toFixed(Math.abs(value) < 10 ? 2 : 1);
const whole = (/** @type {number} */ value) => Math.round(value).toLocaleString('en-US');
/** @param {number[]} values @param {(value: number) => string} format */
const formatSpread = ([middle = Number.NaN, least = Number.NaN, most = Number.NaN], format) =>
  `${format(middle)} (${format(least)}-${format(most)})`;

/** The first column is words. @param {string[]} headings @param {string[][]} rows */
const formatTable = (headings, rows) =>
  [headings, headings.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');

/** @type {Record<string, string>} */ const LAYERS = {
  echo: 'messages over a socket',
  rpc: 'over a socket',
  'session-echo': 'messages over a session',
  'session-rpc': 'over a session',
};
/** @type {Record<string, string>} */ const WAYS = {
  session: 'calls over one session',
  'keep-alive': 'HTTP, one connection',
  'new-connection': 'HTTP, a new connection each',
};

/** @param {Summary['calls']} calls */
function formatCalls(calls) {
  const rows = calls.map(({ carrier, depth, echoUs, jsonUs, rpcUs, ratio, ...rest }) => [
    `${carrier}, ${depth} in flight`,
    ...[echoUs, jsonUs, rpcUs].map(number),
    formatSpread(ratio, (value) => value.toFixed(2)),
    ...[rest.rpcServerUs, rest.rpcClientUs].map(number),
    whole(rest.perSecond),
    rest.p50Us.map((us) => (us === undefined ? '' : us.toFixed(0))).join(' / '),
  ]);
  const headings = ['CPU us per call, both ends', 'echo', 'JSON', 'call', 'call to echo + JSON'];
  return formatTable([...headings, 'server', 'client', 'calls/s', 'p50 us echo / call'], rows);
}

/** @param {Summary['tools']} tools */
function formatTools(tools) {
  const calls = tools[0]?.calls ?? 0;
  return [false, true]
    .filter((isSecure) => tools.some((one) => one.isSecure === isSecure))
    .map((isSecure) => {
      const some = tools.filter((one) => one.isSecure === isSecure);
      const rtts = [...new Set(some.map(({ rttMs }) => rttMs))];
      const rows = groupBy(some, ({ way }) => way).map((ofOne) => {
        const at = rtts.map((rtt) => ofOne.find(({ rttMs }) => rttMs === rtt));
        return [
          WAYS[ofOne[0]?.way ?? ''] ?? '',
          ...at.map((one) => whole(one?.totalMs[0] ?? Number.NaN)),
          ...at.map((one) => `${number(one?.firstMs ?? Number.NaN)} / ${number(one?.laterMs ?? Number.NaN)}`),
        ];
      });
      const title = `${calls} calls, one after the other, ${isSecure ? 'with TLS' : 'without TLS'}`;
      const headings = [
        title,
        ...rtts.map((rtt) => `ms at ${rtt} ms`),
        ...rtts.map((rtt) => `first / later at ${rtt} ms`),
      ];
      return formatTable(headings, rows);
    })
    .join('\n\n');
}

/** @param {Summary['streams']} streams */
const formatStreams = (streams) =>
  formatTable(
    ['items', 'items/s, two processes', 'server us', 'client us', 'items/s of one core, both ends'],
    streams.map(({ layer, items, perSecond, serverUs, clientUs, perCoreSecond }) => [
      `${items} ${LAYERS[layer]}`,
      formatSpread(perSecond, whole),
      ...[serverUs, clientUs].map((us) => us.toFixed(2)),
      formatSpread(perCoreSecond, whole),
    ]),
  );

/** @param {Summary['tokens']} tokens */
const formatTokens = (tokens) =>
  formatTable(
    ['one token every 5 ms, ms until it is read', 'p50', 'p99'],
    tokens.map(({ layer, p50Ms, p99Ms }) => [
      LAYERS[layer] ?? layer,
      ...[p50Ms, p99Ms].map((spread) => formatSpread(spread, number)),
    ]),
  );

/** @param {Summary['crowd']} crowd */
const formatCrowd = (crowd) =>
  formatTable(
    [`${whole(crowd[0]?.depth ?? 0)} calls at once, ms each`, 'p50', 'p99', 'p99 / p50 in one crowd'],
    crowd.map(({ layer, handlerMs, p50Ms, p99Ms, tail }) => [
      `${LAYERS[layer]}, handler ${handlerMs} ms`,
      ...[p50Ms, p99Ms, tail].map((spread) => formatSpread(spread, number)),
    ]),
  );

/** @param {Churn[]} churn */
const formatChurn = (churn) =>
  churn
    .map(
      ({ layer, begun, ended, inFlight, active: [before = 0, after = 0], heapBytes }) =>
        `${whole(begun)} streams opened and cancelled ${LAYERS[layer]}: ${whole(ended)} generators ended, ${inFlight} calls ` +
        `and streams left, debug.active() ${before} before and ${after} after, heap ${heapBytes < 0 ? '' : '+'}${whole(heapBytes)} B in all`,
    )
    .join('\n\n');

/** @param {{ header?: { machine: string, node: string, date: string }, plan: Plan, load: number | undefined } & Summary} results */
export function formatRpcReport({ header, plan, load, ...summary }) {
  const where =
    header === undefined ? '' : `${header.machine}, Node ${header.node}, ${header.date.slice(0, 10)}; `;
  const { rounds, repeats, seconds } = plan;
  const { calls, tools, streams, tokens, crowd, churn } = summary;
  return [
    `${where}${rounds} rounds of calls, ${repeats} of the rest, ${seconds} s each, load ${load?.toFixed(1)} before.`,
    ...(calls.length > 0 ? [formatCalls(calls)] : []),
    ...(tools.length > 0 ? [formatTools(tools)] : []),
    ...(streams.length > 0 ? [formatStreams(streams)] : []),
    ...(tokens.length > 0 ? [formatTokens(tokens)] : []),
    ...(crowd.length > 0 ? [formatCrowd(crowd)] : []),
    ...(churn.length > 0 ? [formatChurn(churn)] : []),
  ].join('\n\n');
}
