// The command line: which cases, which libraries, how long; then a table on the terminal and a file in
// results/. See README.md for what the numbers mean.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { BOUNDS, CASES, caseNamed } from './cases.mjs';
import { DoesNotApply, measure } from './measure.mjs';
import { describeRun, formatTables, summarize } from './report.mjs';

const USAGE = `Usage: npm run bench -- [options]

  --case NAME         a case, a kind (echo, latency, broadcast, handshake, idle), a beginning such as deflate-*, or all;
                      several with commas (default: echo-64)
  --lib NAME          hawser, ws, raw, or label=path/to/index.js; several with commas (default: hawser,ws,raw);
                      the first is the one that the others are divided by
  --rounds N          how often each library gets its turn (default: 5)
  --seconds S         length of the measured window (default: 3)
  --warmup S          time under load before it (default: 1)
  --connections N     instead of the case's own number
  --depth N           frames in flight per connection, instead of the case's own number
  --rate N            messages a second in latency cases
  --no-addons         run ws without its native addons
  --out FILE          where the JSON goes (default: bench/results/DATE.json)
  --list              name the cases and stop
  --help              this text`;

function refuse(/** @type {string} */ message) {
  console.error(`bench: ${message}`);
  process.exit(2);
}

function parseOptions() {
  const string = /** @type {const} */ ({ type: 'string' });
  const { values } = parseArgs({
    options: {
      case: { type: 'string', multiple: true, default: ['echo-64'] },
      lib: { type: 'string', multiple: true, default: ['hawser,ws,raw'] },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      warmup: { type: 'string', default: '1' },
      connections: string,
      depth: string,
      rate: string,
      out: string,
      'no-addons': { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}

/** @param {string} name @param {string} text @param {number} least @param {number} most */
function numberIn(name, text, least, most) {
  const value = Number(text);
  if (!(value >= least && value <= most))
    throw new Error(`--${name} must be between ${least} and ${most}, not ${text}`);
  return value;
}

/** The cases that a list of names, kinds and beginnings stands for. @param {string[]} wanted */
function selectCases(wanted) {
  const names = new Set();
  for (const word of wanted) {
    const found = Object.keys(CASES).filter(
      (name) =>
        word === 'all' ||
        word === name ||
        (!(word in CASES) && CASES[name]?.kind === word) ||
        (word.endsWith('*') && name.startsWith(word.slice(0, -1))),
    );
    if (found.length === 0) throw new Error(`no case is called ${word}; try --list`);
    for (const name of found) names.add(name);
  }
  return /** @type {string[]} */ ([...names]);
}

/** One line that is written over on a terminal, and nothing elsewhere. @param {string} text */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}`);
}

/** @param {string[]} names @param {string[]} libs @param {import('./measure.mjs').Plan} plan */
async function runAll(names, libs, plan) {
  const header = describeRun(plan);
  /** @type {import('./report.mjs').Measurement[]} */ const measurements = [];
  /** @type {string[]} */ const failures = [];
  const broken = new Set();
  const total = names.length * plan.rounds * libs.length;
  let done = 0;
  for (const name of names) {
    for (let round = 0; round < plan.rounds; round++) {
      for (let turn = 0; turn < libs.length; turn++) {
        // Another library begins in each round, so that none always runs after the same one.
        const lib = /** @type {string} */ (libs[(round + turn) % libs.length]);
        progress(`${++done}/${total}  ${name}  round ${round + 1}  ${lib}`);
        if (broken.has(`${name} ${lib}`)) continue;
        try {
          const { label, description, numbers } = await measure(name, lib, plan);
          header.peers[label] = description;
          measurements.push({ case: name, kind: caseNamed(name).kind, lib: label, round, numbers });
        } catch (error) {
          broken.add(`${name} ${lib}`);
          if (error instanceof DoesNotApply) continue;
          failures.push(
            `${name}, ${lib}, round ${round + 1}: ${error instanceof Error ? error.message : error}`,
          );
        }
      }
    }
  }
  progress('');
  return { header, measurements, failures };
}

/** @param {ReturnType<typeof describeRun>} header */
function formatHeader(header) {
  const busy = header.loadAverage > 0.5 ? '  <- the machine was not idle: measure again' : '';
  return [
    `machine  ${header.machine}`,
    `node     ${header.node} (V8 ${header.v8})`,
    ...Object.entries(header.peers).map(([label, description]) => `${label.padEnd(8)} ${description}`),
    `commit   ${header.commit}`,
    `date     ${header.date}`,
    `method   ${header.method}`,
    `load     ${header.loadAverage.toFixed(2)} before the start${busy}`,
  ].join('\n');
}

async function main() {
  const values = parseOptions();
  if (values.help) return console.log(USAGE);
  if (values.list) {
    for (const [name, { about }] of Object.entries(CASES)) console.log(`${name.padEnd(26)} ${about}`);
    return;
  }
  const words = (/** @type {string[]} */ lists) =>
    lists.flatMap((list) => list.split(',')).filter((word) => word !== '');
  const whole = (/** @type {string | undefined} */ text) => (text === undefined ? undefined : Number(text));
  const libs = words(values.lib);
  const names = selectCases(words(values.case));
  /** @type {import('./measure.mjs').Plan} */
  const plan = {
    rounds: Math.trunc(numberIn('rounds', values.rounds, 1, BOUNDS.rounds)),
    seconds: numberIn('seconds', values.seconds, 0.05, BOUNDS.seconds),
    warmup: numberIn('warmup', values.warmup, 0, BOUNDS.seconds),
    overrides: {
      connections: whole(values.connections),
      depth: whole(values.depth),
      ratePerSecond: whole(values.rate),
    },
    needsAddons: !values['no-addons'],
  };
  for (const name of names) caseNamed(name, plan.overrides);

  const { header, measurements, failures } = await runAll(names, libs, plan);
  const reference = String(libs[0]).split('=')[0] ?? '';
  const summary = summarize(measurements, reference);
  console.log(`${formatHeader(header)}\n\n${formatTables(summary, reference)}`);
  const out =
    values.out ??
    join(import.meta.dirname, 'results', `${header.date.replaceAll(':', '-').slice(0, 19)}.json`);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify({ header, summary, measurements, failures }, null, 1)}\n`);
  for (const failure of failures) console.error(`failed: ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  refuse(error instanceof Error ? error.message : String(error));
}
