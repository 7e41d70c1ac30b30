// The command line of `npm run bench:rpc`: what do calls and streams cost over the messages that carry them, how long do tool
// calls take far away, and is anything left of what was cancelled? See README.md for the method.
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Child } from '../ipc.mjs';
import { writeResults } from '../outcome.mjs';
import { Progress } from '../progress.mjs';
import { buildIfNeeded } from '../session.mjs';
import { OWN_BUILD } from './builds.mjs';
import { formatRpcReport, summarizeRpc } from './rpc-report.mjs';
import { measureWindow } from './window.mjs';

const FULL = {
  rounds: 7,
  seconds: 2,
  warmup: 1,
  repeats: 3,
  toolCalls: 20,
  churned: 10_000,
  jsonCalls: 500_000,
};
const QUICK = {
  rounds: 1,
  seconds: 0.4,
  warmup: 0.3,
  repeats: 1,
  toolCalls: 5,
  churned: 1000,
  jsonCalls: 50_000,
};
const RTTS_MS = [0, 40, 120];
const WAYS = ['session', 'keep-alive', 'new-connection'];
const PARTS = ['calls', 'tools', 'streams', 'tokens', 'crowd', 'churn'];

const USAGE = `Usage: npm run bench:rpc -- [options]

What calls and streams of hawser/rpc cost, and how they compare with requests over HTTP.

  --part A,B      (default: all) ${PARTS.join(', ')}
  --quick         one short round of everything: to see that it runs, not to be believed
  --rounds N      of calls (default: ${FULL.rounds}); everything else has ${FULL.repeats}
  --seconds S     that are measured (default: ${FULL.seconds})
  --dist FOLDER   another build, for calls, streams, tokens and crowd
  --out FILE      where the JSON goes (default: bench/results/rpc.json; with --quick: nowhere)
  --report [FILE] measure nothing; print the tables of that file as Markdown
  --help          this text`;

/**
 * @typedef {typeof FULL & { dist: string }} Plan
 *
 * @typedef {{ part: string, layer: string, round: number, work: string, depth: number, handlerMs: number }} Step of rpc-end.mjs
 * @typedef {Step & { messages: number, serverUs: number, clientUs: number, perSecond: number, p50Ms?: number,
 *   p99Ms?: number, tail?: number }} Measurement CPU times for each message; `tail` is p99 to p50 of a crowd by itself
 * @typedef {{ way: string, rttMs: number, isSecure: boolean, times: number[] }} ToolRun when each call had its result
 */

/** @param {string} name @param {string} file @param {string[]} args @param {string[]} [execArgv] */
const newChild = (name, file, args = [], execArgv = []) =>
  new Child(name, new URL(file, import.meta.url), args, { execArgv });

/** What is measured with rpc-end.mjs, in the order of it. @param {string[]} parts @param {Plan} plan @returns {Step[]} */
function stepsOf(parts, { rounds, repeats }) {
  /** @type {Step[]} */ const steps = [];
  /** @param {string} part @param {number} times @param {string[]} layers @param {{ work: string, depth?: number, handlerMs?: number }} what */
  const add = (part, times, layers, { work, depth = 1, handlerMs = 0 }) => {
    if (!parts.includes(part)) return;
    for (let round = 0; round < times; round++) {
      // They take turns in who begins.
      const turns = layers.map((_, i) => /** @type {string} */ (layers[(i + round) % layers.length]));
      for (const layer of turns) steps.push({ part, layer, round, work, depth, handlerMs });
    }
  };
  const all = ['json', 'echo', 'rpc', 'session-echo', 'session-rpc'];
  for (const depth of [1, 64]) add('calls', rounds, all, { work: 'calls', depth });
  for (const work of ['numbers', 'objects']) add('streams', repeats, ['rpc', 'session-rpc'], { work });
  add('tokens', repeats, ['echo', 'rpc', 'session-echo', 'session-rpc'], { work: 'tokens' });
  for (const handlerMs of [0, 20]) {
    add('crowd', repeats, ['rpc', 'session-rpc'], { work: 'crowd', depth: 1000, handlerMs });
  }
  return steps;
}

/** One layer in processes of its own. @param {Step} step @param {Plan} plan @returns {Promise<Measurement>} */
async function measureStep(step, plan) {
  const { layer, work, depth, handlerMs } = step;
  const args = ['--layer', layer, '--work', work, '--depth', `${depth}`, '--handler-ms', `${handlerMs}`];
  const ends = ['server', 'client'].map((name) =>
    newChild(`${layer} ${name}`, 'rpc-end.mjs', [...args, '--dist', plan.dist]),
  );
  const [server, client] = /** @type {[Child, Child]} */ (ends);
  try {
    const { costs } = await measureWindow(server, client, plan);
    return { ...step, ...costs, ...(await client.ask('percentiles')) };
  } finally {
    await Promise.all([server.kill(), client.kill()]);
  }
}

/** The JSON of a call, both ends together. @param {Step} step @param {Plan} plan @returns {Promise<Measurement>} */
async function measureJson(step, { jsonCalls, dist }) {
  const child = newChild('json', 'rpc-end.mjs', ['--dist', dist]);
  try {
    await child.ask('json', { calls: jsonCalls / 5 });
    const clientUs = await child.ask('json', { calls: jsonCalls });
    return { ...step, messages: jsonCalls, serverUs: 0, clientUs, perSecond: 1e6 / clientUs };
  } finally {
    await child.kill();
  }
}

/** @param {string[]} parts @param {Plan} plan */
async function measureSteps(parts, plan) {
  const steps = stepsOf(parts, plan);
  /** @type {Measurement[]} */ const measurements = [];
  const progress = new Progress(steps.length, plan.seconds + plan.warmup + 0.5);
  for (const step of steps) {
    progress.begin(`${step.part} ${step.work}`, `${step.layer}, round ${step.round + 1}`);
    measurements.push(await (step.layer === 'json' ? measureJson : measureStep)(step, plan));
    progress.end();
  }
  progress.clear();
  return measurements;
}

/** All ways take turns in each round. @param {Plan} plan */
async function measureTools({ repeats, toolCalls }) {
  /** @type {ToolRun[]} */ const runs = [];
  const client = newChild('client', 'rpc-tools.mjs');
  const children = [client];
  const progress = new Progress(repeats * RTTS_MS.length * 2 * WAYS.length, 4);
  try {
    for (const isSecure of [false, true]) {
      const server = newChild('server', 'rpc-tools.mjs');
      children.unshift(server);
      const { port, ca } = await server.ask('listen', { isSecure });
      for (const rttMs of RTTS_MS) {
        const near =
          rttMs === 0
            ? undefined
            : newChild('proxy', 'delay-proxy.mjs', [
                ...['--port', `${port}`, '--rtt', `${rttMs}`, '--handshake'],
              ]);
        if (near !== undefined) children.unshift(near);
        const target = { port: near === undefined ? port : (await near.ask('describe')).port, ca };
        // What is compiled for the first call is no round trip.
        for (const way of WAYS) await client.ask('run', { ...target, way, calls: 2 });
        for (let round = 0; round < repeats; round++) {
          for (const way of WAYS) {
            progress.begin('tools', `${way}, ${rttMs} ms, round ${round + 1}`);
            const times = await client.ask('run', { ...target, way, calls: toolCalls });
            runs.push({ way, rttMs, isSecure, times });
            progress.end();
          }
        }
      }
    }
    return runs;
  } finally {
    progress.clear();
    for (const child of children) await child.kill();
  }
}

/** @param {Plan} plan */
async function measureChurn({ churned }) {
  const results = [];
  for (const layer of ['rpc', 'session-rpc']) {
    const child = newChild('churn', 'rpc-churn.mjs', ['--layer', layer], ['--expose-gc']);
    try {
      // What is compiled and grown once is no part of it: it takes about two times as many to settle.
      await child.ask('churn', { streams: churned });
      const before = await child.ask('churn', { streams: churned });
      const after = await child.ask('churn', { streams: churned });
      const { begun, ended, inFlight, active } = after;
      const heapBytes = after.heapBytes - before.heapBytes;
      results.push({ layer, begun, ended, inFlight, active: [before.active, active], heapBytes });
    } finally {
      await child.kill();
    }
  }
  return results;
}

function parseOptions() {
  const string = /** @type {const} */ ({ type: 'string' });
  const boolean = /** @type {const} */ ({ type: 'boolean', default: false });
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      part: { ...string, default: PARTS.join() },
      quick: boolean,
      rounds: string,
      seconds: string,
      dist: { ...string, default: OWN_BUILD },
      out: string,
      report: boolean,
      help: boolean,
    },
  });
  const parts = values.part.split(',');
  const unknown = parts.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) throw new Error(`no part is called ${unknown}; there are ${PARTS.join(', ')}`);
  const preset = values.quick ? QUICK : FULL;
  const number = (
    /** @type {'rounds' | 'seconds'} */ name,
    /** @type {number} */ least,
    /** @type {number} */ most,
  ) => {
    const value = Number(values[name] ?? preset[name]);
    if (value >= least && value <= most) return value;
    throw new Error(`--${name} must be between ${least} and ${most}, not ${values[name]}`);
  };
  const rounds = Math.trunc(number('rounds', 1, 100));
  const plan = { ...preset, rounds, seconds: number('seconds', 0.1, 600), dist: values.dist };
  return { ...values, parts, file: positionals[0], plan };
}

async function main() {
  const { plan, parts, ...options } = parseOptions();
  if (options.help) return console.log(USAGE);
  if (options.report) {
    const file = options.file ?? new URL('../results/rpc.json', import.meta.url);
    return console.log(formatRpcReport(JSON.parse(readFileSync(file, 'utf8'))));
  }
  if (plan.dist === OWN_BUILD) buildIfNeeded();
  const { dist: _, ...measured } = plan;
  const load = loadavg()[0];
  const measurements = await measureSteps(parts, plan);
  const tools = parts.includes('tools') ? await measureTools(plan) : [];
  const churn = parts.includes('churn') ? await measureChurn(plan) : [];
  const results = { plan: measured, load, ...summarizeRpc({ measurements, tools, churn }) };
  if (!options.quick || options.out !== undefined) writeResults('rpc', results, options.out);
  console.log(formatRpcReport(results));
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 2;
}
