// Judges every peer with `hawser conform` and compares with what is recorded, or records it. See README.md.
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isPageFresh, writePage } from './page.mjs';
import { commandOf, DIST, PEERS } from './peers.mjs';
import {
  compareIds,
  isOk,
  readRecorded,
  readVerdicts,
  reasonFor,
  unstableOf,
  verdictFile,
  verdictText,
  writeRecorded,
  writeVerdicts,
} from './verdicts.mjs';

const USAGE = `Usage: npm run conform:peers -- [options]

  --only NAMES    some of ${PEERS.map(({ name }) => name).join(', ')}; commas separate
  --role ROLE     only server, or only client
  --cases IDS     only these cases, as in 1.*,masking.*
  --exclude IDS   without these
  --record        write what is found to conformance/verdicts/, and docs/peers.md
  --runs N        with --record: judge so many times, and record only verdicts that are the same each time (default 2)
  --jobs N        cases at a time against a server (default 4)
  --reports DIR   where logs and reports go (default conformance/reports)
  --explain       judge nothing: put what reasons.mjs says into the recorded verdicts, and write docs/peers.md
  --check-page    only see whether docs/peers.md says what the recorded verdicts say
  --help          this text`;

const here = dirname(fileURLToPath(import.meta.url));
const cli = join(DIST, 'cli/main.js');
/** Cases of chapter 9 whose durations are recorded. */
const TIMED = ['9.1.6', '9.2.6', '9.3.4', '9.5.1', '9.7.6', '9.8.1'];
const START_LIMIT_MS = 15_000;

/** Where logs and reports go. */
let reports = '';

function parseOptions() {
  const text = /** @type {const} */ ({ type: 'string' });
  const flag = /** @type {const} */ ({ type: 'boolean', default: false });
  const { values } = parseArgs({
    options: {
      only: text,
      role: text,
      cases: text,
      exclude: text,
      record: flag,
      runs: { type: 'string', default: '2' },
      jobs: { type: 'string', default: '4' },
      reports: { type: 'string', default: join(here, 'reports') },
      explain: flag,
      'check-page': flag,
      help: flag,
    },
  });
  reports = values.reports;
  const names = values.only?.split(',');
  const unknown = names?.find((name) => !PEERS.some((peer) => peer.name === name));
  if (unknown !== undefined) throw new Error(`there is no peer ${JSON.stringify(unknown)}`);
  if (values.role !== undefined && values.role !== 'server' && values.role !== 'client') {
    throw new Error(`--role is server or client, not ${JSON.stringify(values.role)}`);
  }
  if (!(Number(values.runs) >= 1))
    throw new Error(`--runs is a number from 1 on, not ${JSON.stringify(values.runs)}`);
  return { ...values, names };
}

/** Whether the peer is there; says so if not. @throws Error where its absence is a failure */
function isInstalled(/** @type {import('./peers.mjs').Peer} */ peer) {
  if (peer.version() !== undefined) return true;
  const message = `${peer.name} is missing (${peer.installation})`;
  if (peer.requirement === undefined) throw new Error(message);
  if (process.env.HAWSER_REQUIRE?.split(',').includes(peer.requirement)) {
    throw new Error(`HAWSER_REQUIRE: ${message}`);
  }
  console.warn(`\n!!! SKIPPED: ${message}\n`);
  return false;
}

/** Starts an echo server; it says its URL in its first line. @returns {Promise<{ url: string, stop: () => void }>} */
function startServer(/** @type {string[]} */ [program, ...args]) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env: environment() });
  return new Promise((resolve, reject) => {
    const stop = () => void child.kill('SIGKILL');
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`${args[0]} said no URL within ${START_LIMIT_MS / 1000} s`));
    }, START_LIMIT_MS);
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
      if (!said.includes('\n')) return;
      clearTimeout(timer);
      resolve({ url: said.split('\n')[0].trim(), stop });
    });
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`${args[0]} ended with ${code}`)));
  });
}

/** Without native addons: what is judged is the package itself. */
function environment() {
  return { ...process.env, WS_NO_BUFFER_UTIL: '1', HAWSER_DIST: DIST };
}

/** Runs `hawser conform`; each case is a line in a log. @returns {Promise<number | null>} the exit code */
function conform(/** @type {string[]} */ args, /** @type {string} */ log) {
  mkdirSync(reports, { recursive: true });
  const child = spawn(process.execPath, [cli, 'conform', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(),
  });
  const file = createWriteStream(join(reports, `${log}.log`));
  child.stderr.pipe(file, { end: false });
  child.stdout.pipe(file, { end: false });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => file.end(() => resolve(code)));
  });
}

/**
 * Judges a peer once, in the groups that always run or in the one that holds the attacks.
 *
 * @param {import('./peers.mjs').Peer} peer
 * @param {'server' | 'client'} role
 * @param {{ isAttack: boolean, options: ReturnType<typeof parseOptions>, more: string[] }} how
 */
async function judge(peer, role, { isAttack, options, more }) {
  const key = `${peer.name}-${role}`;
  const log = isAttack ? `${key}-robustness` : key;
  const excluded = Object.keys(unstableOf(key)).filter((id) => id.startsWith('robustness.') === isAttack);
  const args = [
    '--agent',
    peer.name,
    '--out',
    join(reports, isAttack ? `${role}-robustness` : role),
    ...more,
  ];
  if (isAttack) args.push('--group', 'robustness');
  else if (options.cases !== undefined) args.push('--cases', options.cases);
  if (!isAttack && options.exclude !== undefined) excluded.push(options.exclude);
  if (excluded.length > 0) args.push('--exclude', excluded.join(','));
  const command = commandOf(peer, role);
  if (role === 'client') {
    return conform(['client', '--port', '0', ...args, '--', ...command, '{url}', peer.name], log);
  }
  const server = await startServer(command);
  try {
    return await conform(['server', server.url, '--jobs', options.jobs, ...args], log);
  } finally {
    server.stop();
  }
}

/** Whether it is a part of the cases that is run. */
function isPart(/** @type {ReturnType<typeof parseOptions>} */ { cases, exclude }) {
  return cases !== undefined || exclude !== undefined;
}

/** The runs that judge a peer: for some a second one, with the attacks. @returns whether each is that one */
function steps(
  /** @type {import('./peers.mjs').Peer} */ peer,
  /** @type {ReturnType<typeof parseOptions>} */ options,
) {
  return peer.isAttacked && !isPart(options) ? [false, true] : [false];
}

/** Compares with the recorded verdicts; says each difference. @returns {Promise<boolean>} whether there is none */
async function compare(
  /** @type {import('./peers.mjs').Peer} */ peer,
  /** @type {'server' | 'client'} */ role,
  /** @type {ReturnType<typeof parseOptions>} */ options,
) {
  const key = `${peer.name}-${role}`;
  const recorded = readRecorded()[key];
  if (recorded === undefined) {
    console.error(`${key}: nothing is recorded; run with --record`);
    return false;
  }
  if (recorded.version !== peer.version()) {
    console.warn(`${key}: recorded with version ${recorded.version}, this is ${peer.version()}`);
  }
  let isSame = true;
  for (const isAttack of steps(peer, options)) {
    const code = await judge(peer, role, { isAttack, options, more: ['--baseline', verdictFile(key)] });
    const log = join(reports, `${key}${isAttack ? '-robustness' : ''}.log`);
    if (code !== 0) console.error(summaryOf(log));
    console.log(
      `${key}${isAttack ? ', robustness' : ''}: ${code === 0 ? 'as recorded' : `DIFFERS (${log})`}`,
    );
    isSame &&= code === 0;
  }
  return isSame;
}

/** What a run said at its end, without the lines for its cases. */
function summaryOf(/** @type {string} */ log) {
  const lines = readFileSync(log, 'utf8').split('\n');
  return lines
    .slice(lines.findIndex((line) => / passed \(/.test(line)))
    .join('\n')
    .trim();
}

/** Judges a peer several times and records what came out the same each time. @returns whether all of it can be recorded */
async function record(
  /** @type {import('./peers.mjs').Peer} */ peer,
  /** @type {'server' | 'client'} */ role,
  /** @type {ReturnType<typeof parseOptions>} */ options,
) {
  const key = `${peer.name}-${role}`;
  const problems = [];
  /** @type {import('./verdicts.mjs').Verdicts[]} */
  const runs = [];
  for (let run = 1; run <= Number(options.runs); run++) {
    /** @type {import('./verdicts.mjs').Verdicts} */
    let found = {};
    for (const isAttack of steps(peer, options)) {
      const file = join(reports, `${key}.found.json`);
      rmSync(file, { force: true });
      await judge(peer, role, { isAttack, options, more: ['--write-baseline', file] });
      found = { ...found, ...JSON.parse(readFileSync(file, 'utf8')) };
    }
    runs.push(found);
  }
  const [first] = runs;
  // Of a part of the cases only that part is new.
  const verdicts = isPart(options) ? earlierVerdicts(key, role) : {};
  for (const id of Object.keys(first).sort(compareIds)) {
    const words = runs.map((run) => (run[id] === undefined ? 'no result' : verdictText(run[id])));
    delete verdicts[id];
    if (new Set(words).size === 1) verdicts[id] = explained(key, id, first[id]);
    else problems.push(`${id} is not the same each time (${words.join(', ')}): not recorded`);
  }
  problems.push(...unexplained(verdicts));
  writeVerdicts(key, verdicts);
  note(peer, role);
  console.log(
    `${key}: ${Object.keys(first).length} verdicts recorded${problems.length === 0 ? '' : ', but'}`,
  );
  for (const problem of problems) console.error(`  ${problem}`);
  return problems.length === 0;
}

/** The recorded verdicts of cases that still exist. */
function earlierVerdicts(/** @type {string} */ key, /** @type {'server' | 'client'} */ role) {
  const lists = [[], ['--group', 'robustness']].map((group) => {
    const { stdout } = spawnSync(process.execPath, [cli, 'conform', role, '--list', ...group], {
      encoding: 'utf8',
    });
    return stdout.split('\n').map((line) => line.split(' ')[0]);
  });
  const ids = new Set(lists.flat());
  return Object.fromEntries(Object.entries(readVerdicts(key)).filter(([id]) => ids.has(id)));
}

/** The verdict with its reason, if it has or needs one. @returns {import('./verdicts.mjs').Verdict} */
function explained(
  /** @type {string} */ key,
  /** @type {string} */ id,
  /** @type {import('./verdicts.mjs').Verdict} */ { behavior, behaviorClose },
) {
  const verdict = { behavior, behaviorClose };
  const reason = isOk(verdict) ? undefined : reasonFor(key, id, verdict);
  return { ...verdict, ...(reason !== undefined && { reason }) };
}

/** What is missing in reasons.mjs, as sentences. */
function unexplained(/** @type {import('./verdicts.mjs').Verdicts} */ verdicts) {
  return Object.entries(verdicts)
    .filter(([, verdict]) => !isOk(verdict) && verdict.reason === undefined)
    .map(([id, verdict]) => `${id} is ${verdictText(verdict)}, and reasons.mjs does not say why`);
}

/** Puts the reasons into what is recorded already, takes out what varies, and writes the page. */
function explain() {
  for (const key of Object.keys(readRecorded())) {
    const known = Object.entries(readVerdicts(key)).filter(([id]) => unstableOf(key)[id] === undefined);
    const verdicts = Object.fromEntries(known.map(([id, verdict]) => [id, explained(key, id, verdict)]));
    writeVerdicts(key, verdicts);
    for (const problem of unexplained(verdicts)) console.error(`${key}: ${problem}`);
  }
  writePage();
}

/** Notes what the verdicts were recorded with. */
function note(/** @type {import('./peers.mjs').Peer} */ peer, /** @type {'server' | 'client'} */ role) {
  const key = `${peer.name}-${role}`;
  const all = readRecorded();
  const index = JSON.parse(readFileSync(join(reports, role, 'index.json'), 'utf8'));
  const cases = index[peer.name] ?? {};
  const durationsMs = { ...all[key]?.durationsMs };
  for (const id of TIMED) if (cases[id] !== undefined) durationsMs[id] = cases[id].duration;
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node.js ${process.version}`;
  writeRecorded({ ...all, [key]: { version: peer.version(), machine, durationsMs } });
}

async function main() {
  const options = parseOptions();
  if (options.help) return console.log(USAGE);
  if (options.explain) return explain();
  if (options['check-page']) {
    if (isPageFresh()) return;
    throw new Error('docs/peers.md is stale: run `npm run conform:peers -- --explain`');
  }
  let isFine = true;
  for (const peer of PEERS) {
    if (options.names?.includes(peer.name) === false || !isInstalled(peer)) continue;
    for (const role of peer.roles) {
      if (options.role !== undefined && options.role !== role) continue;
      isFine = (await (options.record ? record : compare)(peer, role, options)) && isFine;
    }
  }
  for (const role of ['server', 'client']) {
    if (options.role === undefined || options.role === role) {
      await conform(['report', join(reports, role), '--html', join(reports, `${role}.html`)], `html-${role}`);
    }
  }
  if (options.record) writePage();
  if (!isFine) process.exitCode = 1;
}

main().catch((error) => {
  console.error(`conform:peers: ${error.message}`);
  process.exitCode = 2;
});
