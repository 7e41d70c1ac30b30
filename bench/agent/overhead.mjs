// The command line of `npm run bench:session`: what does the session layer cost over a plain hawser socket? CPU time,
// round-trip time, bytes, memory, and round trips until a session goes on. See README.md for the method.
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Child } from '../ipc.mjs';
import { writeResults } from '../outcome.mjs';
import { Progress } from '../progress.mjs';
import { buildIfNeeded } from '../session.mjs';
import { OWN_BUILD } from './builds.mjs';
import { formatOverheadReport, summarizeMessages } from './overhead-report.mjs';
import { percentile } from './push-report.mjs';
import { measureWindow } from './window.mjs';

/** @typedef {{ name: string, kind: 'binary' | 'text', size: number, depth: number }} Case */

/** Echoes; `depth` of them in flight. @type {Case[]} */
const CASES = [
  { name: 'binary-64', kind: 'binary', size: 64, depth: 64 },
  { name: 'text-64', kind: 'text', size: 64, depth: 64 },
  { name: 'binary-1k', kind: 'binary', size: 1024, depth: 64 },
  { name: 'text-1k', kind: 'text', size: 1024, depth: 64 },
  { name: 'lone-64', kind: 'binary', size: 64, depth: 1 },
];
const LAYERS = ['plain', 'session'];
const DEFAULTS = { rounds: 7, seconds: 2, warmup: 1, sessions: 10_000, resumes: 20 };
const RESUME_RTT_MS = 40;
/** The server keeps no more sessions than 10,000 whose clients are gone. These were there before the others are weighed. */
const SESSIONS_BEFORE = 100;

const USAGE = `Usage: npm run bench:session -- [options]

What the session layer costs over a plain hawser socket.

  --part A,B      (default: all) messages, memory, resume
  --case A,B      of the messages (default: all): ${CASES.map(({ name }) => name).join(', ')}
  --rounds N      of each case, in which both layers take turns (default: ${DEFAULTS.rounds})
  --seconds S     that are measured (default: ${DEFAULTS.seconds})
  --warmup S      before that (default: ${DEFAULTS.warmup})
  --sessions N    without a connection, that are weighed (default: ${DEFAULTS.sessions})
  --resumes N     times that a connection is cut (default: ${DEFAULTS.resumes})
  --dist FOLDER   another build
  --out FILE      where the JSON goes (default: bench/results/session.json)
  --report [FILE] measure nothing; print the tables of that file as Markdown
  --help          this text`;

/**
 * @typedef {{ case: string, layer: string, round: number, messages: number, serverUs: number, clientUs: number,
 *   bytes: number, perSecond: number, p50Ms?: number, p99Ms?: number }} Measurement the first three numbers for each message
 * @typedef {{ rounds: number, seconds: number, warmup: number, sessions: number, resumes: number, dist: string }} Plan
 */

/** @param {string} name @param {string} file @param {string[]} args @param {string[]} [execArgv] */
const newChild = (name, file, args, execArgv = []) =>
  new Child(name, new URL(file, import.meta.url), args, { execArgv });

/**
 * One layer in one case: a server and a client in processes of their own.
 *
 * @param {Case} spec
 * @param {string} layer
 * @param {Plan} plan
 * @param {number} round
 * @returns {Promise<Measurement>}
 */
async function measureMessages(spec, layer, plan, round) {
  const args = ['--layer', layer, '--kind', spec.kind, '--size', `${spec.size}`, '--depth', `${spec.depth}`];
  const [server, client] = ['server', 'client'].map((name) =>
    newChild(`${layer} ${name}`, 'session-end.mjs', [...args, '--dist', plan.dist]),
  );
  if (server === undefined || client === undefined) throw new Error('unreachable');
  try {
    const { costs, difference } = await measureWindow(server, client, plan);
    const numbers = { ...costs, bytes: difference(0, 'bytes') / costs.messages };
    if (spec.depth > 1) return { case: spec.name, layer, round, ...numbers };
    const latencies = await client.ask('latencies');
    const at = (/** @type {number} */ share) => percentile(latencies, share);
    return { case: spec.name, layer, round, ...numbers, p50Ms: at(0.5), p99Ms: at(0.99) };
  } finally {
    await Promise.all([server.kill(), client.kill()]);
  }
}

/** Both layers take turns in each round, and each begins as often. @param {Case[]} cases @param {Plan} plan */
async function measureAllMessages(cases, plan) {
  /** @type {Measurement[]} */ const measurements = [];
  const progress = new Progress(cases.length * plan.rounds * 2, plan.seconds + plan.warmup + 0.5);
  for (const spec of cases) {
    for (let round = 0; round < plan.rounds; round++) {
      for (const layer of round % 2 === 0 ? LAYERS : LAYERS.toReversed()) {
        progress.begin(spec.name, `round ${round + 1} ${layer}`);
        measurements.push(await measureMessages(spec, layer, plan, round));
        progress.end();
      }
    }
  }
  progress.clear();
  return measurements;
}

/** Bytes of a session whose client is gone and that holds no message. @param {Plan} plan */
async function measureMemory({ sessions, dist }) {
  const server = newChild('server', 'session-subject.mjs', ['--dist', dist], ['--expose-gc']);
  const clients = newChild('clients', 'session-subject.mjs', ['--dist', dist]);
  const untilDetached = async (/** @type {number} */ count) => {
    for (let i = 0; i < 1000 && (await server.ask('detached')) < count; i++) await delay(10);
  };
  try {
    const port = await server.ask('listen');
    await clients.ask('openAndDropAll', { port, count: SESSIONS_BEFORE });
    await untilDetached(SESSIONS_BEFORE);
    const before = await server.ask('settledMemory');
    const count = sessions - SESSIONS_BEFORE;
    await clients.ask('openAndDropAll', { port, count });
    await untilDetached(sessions);
    const detached = await server.ask('detached');
    const after = await server.ask('settledMemory');
    const each = (/** @type {'rss' | 'heapUsed' | 'external'} */ key) => (after[key] - before[key]) / count;
    return { detached, heapBytes: each('heapUsed'), externalBytes: each('external'), rssBytes: each('rss') };
  } finally {
    await Promise.all([server.kill(), clients.kill()]);
  }
}

/** Round trips from TCP up to resumed, and to the first message that is replayed. @param {Plan} plan */
async function measureResume({ resumes, dist }) {
  const server = newChild('server', 'session-subject.mjs', ['--dist', dist]);
  const client = newChild('client', 'session-subject.mjs', ['--dist', dist]);
  const args = ['--port', `${await server.ask('listen')}`, '--rtt', `${RESUME_RTT_MS}`];
  const proxy = newChild('proxy', 'delay-proxy.mjs', args);
  /** @type {number[]} */ const resumed = [];
  /** @type {number[]} */ const replayed = [];
  try {
    await client.ask('connect', await proxy.ask('describe'));
    for (let i = 0; i < resumes; i++) {
      const before = await client.ask('times');
      await proxy.ask('cut');
      await server.ask('send', { text: 'missed' });
      let times = before;
      for (let waits = 0; times.resumedAtMs === before.resumedAtMs || times.replayedAtMs === 0; waits++) {
        if (waits > 3000) throw new Error('the session did not resume');
        await delay(10);
        times = await client.ask('times');
      }
      const acceptedAtMs = await proxy.ask('acceptedAtMs');
      resumed.push((times.resumedAtMs - acceptedAtMs) / RESUME_RTT_MS);
      replayed.push((times.replayedAtMs - acceptedAtMs) / RESUME_RTT_MS);
    }
    // Median, least and most, like the ratios.
    const spread = (/** @type {number[]} */ values) => [0.5, 0, 1].map((share) => percentile(values, share));
    return { rttMs: RESUME_RTT_MS, resumes, resumed: spread(resumed), replayed: spread(replayed) };
  } finally {
    await Promise.all([server.kill(), client.kill(), proxy.kill()]);
  }
}

function parseOptions() {
  const string = /** @type {const} */ ({ type: 'string' });
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      part: { ...string, default: 'messages,memory,resume' },
      case: { ...string, default: CASES.map(({ name }) => name).join() },
      rounds: string,
      seconds: string,
      warmup: string,
      sessions: string,
      resumes: string,
      dist: { ...string, default: OWN_BUILD },
      out: string,
      report: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const number = (
    /** @type {keyof typeof DEFAULTS} */ name,
    /** @type {number} */ least,
    /** @type {number} */ most,
  ) => {
    const value = Number(values[name] ?? DEFAULTS[name]);
    if (value >= least && value <= most) return value;
    throw new Error(`--${name} must be between ${least} and ${most}, not ${values[name]}`);
  };
  const plan = {
    rounds: Math.trunc(number('rounds', 1, 100)),
    seconds: number('seconds', 0.1, 600),
    warmup: number('warmup', 0, 600),
    sessions: Math.trunc(number('sessions', 200, 10_000)),
    resumes: Math.trunc(number('resumes', 1, 1000)),
    dist: values.dist,
  };
  const cases = values.case.split(',').map((name) => {
    const spec = CASES.find((known) => known.name === name);
    if (spec === undefined) throw new Error(`no case is called ${name}`);
    return spec;
  });
  return { ...values, parts: values.part.split(','), cases, file: positionals[0], plan };
}

async function main() {
  const { plan, cases, parts, ...options } = parseOptions();
  if (options.help) return console.log(USAGE);
  if (options.report) {
    const file = options.file ?? new URL('../results/session.json', import.meta.url);
    return console.log(formatOverheadReport(JSON.parse(readFileSync(file, 'utf8'))));
  }
  if (plan.dist === OWN_BUILD) buildIfNeeded();
  const { dist: _, ...measured } = plan;
  const load = loadavg()[0];
  const results = {
    plan: measured,
    load,
    ...(parts.includes('messages') && {
      messages: summarizeMessages(await measureAllMessages(cases, plan)),
    }),
    ...(parts.includes('memory') && { memory: await measureMemory(plan) }),
    ...(parts.includes('resume') && { resume: await measureResume(plan) }),
  };
  writeResults('session', results, options.out);
  console.log(formatOverheadReport(results));
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 2;
}
