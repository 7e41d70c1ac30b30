// All cases of Autobahn against this library, in both roles, over TCP; the peer under test is a process of its own. The
// cases of chapters 12 and 13 move ten gigabytes and are bound by zlib at both ends: one test run takes those with short
// messages, and one that is cut into fragments, of each section. The full run is a script of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { CASES } from '../../src/conform/cases/index.js';
import { ClientJudge } from '../../src/conform/client-judge.js';
import type { CaseResult, Subject } from '../../src/conform/result.js';
import { selectCases } from '../../src/conform/selection.js';
import { judgeServer } from '../../src/conform/server-judge.js';
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js';
import { compiledSources } from '../support/compiled.js';

const LIMIT_MS = 300_000;
const CHAPTERS_1_TO_10 = ['1', '2', '3', '4', '5', '6', '7', '9', '10'];
const COMPRESSED = ['12', '13'].flatMap((chapter) => [1, 4, 11].map((n) => `${chapter}.*.${n}`));
const OVER_TLS = ['1', '2.*', '5.19', '7', '9.1.4', '9.3.4', '9.5.6', '12.4.4', '13.7.11'];
const INFORMATIONAL = ['7.1.6', '7.13.1', '7.13.2'];

const SERVER = `
const { createServer } = require(process.env.TLS ? 'node:https' : 'node:http');
const WebSocket = require(process.env.HAWSER);
const server = createServer(process.env.TLS ? JSON.parse(process.env.TLS) : {});
const wss = new WebSocket.Server({ server, perMessageDeflate: true });
wss.on('connection', (ws) => {
  ws.on('error', () => {});
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit()).resume();
`;

const CLIENT = `
const WebSocket = require(process.env.HAWSER);
const options = { rejectUnauthorized: false };
const runOne = (path, onMessage) =>
  new Promise((resolve) => {
    const ws = new WebSocket(process.env.URL + path, options);
    ws.on('error', () => {});
    ws.on('message', (data, isBinary) => onMessage(ws, data, isBinary));
    ws.on('close', resolve);
  });
(async () => {
  let count = 0;
  await runOne('/getCaseCount', (_, data) => { count = Number(data); });
  for (let n = 1; n <= count; n++) {
    await runOne('/runCase?case=' + n + '&agent=hawser', (ws, data, isBinary) => ws.send(data, { binary: isBinary }));
  }
  await runOne('/updateReports?agent=hawser', () => {});
})();
`;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill();
});

function start(program: string, env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, ['-e', program], {
    env: { ...process.env, NODE_OPTIONS: '', HAWSER: compiledSources(), ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

const chosen = (subject: Subject, patterns: string[]) => selectCases(CASES, { subject, cases: patterns });

async function runServer(patterns: string[], isSecure = false): Promise<CaseResult[]> {
  const server = start(
    SERVER,
    isSecure ? { TLS: JSON.stringify({ cert: CERTIFICATE, key: PRIVATE_KEY }) } : {},
  );
  const port = await new Promise((resolve) => server.stdout!.once('data', (text) => resolve(Number(text))));
  return judgeServer({
    url: new URL(`${isSecure ? 'wss' : 'ws'}://127.0.0.1:${port}/`),
    agent: 'hawser',
    cases: chosen('server', patterns),
    tls: { ca: CERTIFICATE },
  });
}

async function runClient(patterns: string[], isSecure = false): Promise<CaseResult[]> {
  let end = (): void => {};
  const updated = new Promise<void>((resolve) => {
    end = resolve;
  });
  const judge = new ClientJudge({
    cases: chosen('client', patterns),
    onUpdateReports: () => end(),
    ...(isSecure && { tls: { cert: CERTIFICATE, key: PRIVATE_KEY } }),
  });
  try {
    start(CLIENT, { URL: await judge.listen() });
    await updated;
    return judge.results;
  } finally {
    await judge.close();
  }
}

/** Every verdict that is not the best there can be. */
function blemishes(results: CaseResult[]): string[] {
  return results.flatMap(({ id, behavior, behaviorClose, finding }) => {
    const best = INFORMATIONAL.includes(id) ? 'INFORMATIONAL' : 'OK';
    return behavior === best && behaviorClose === best
      ? []
      : [`${id}: ${behavior}/${behaviorClose}. ${finding}`];
  });
}

describe.each([
  ['server', runServer],
  ['client', runClient],
] as const)('hawser as %s', (subject, run) => {
  it('passes all 301 cases of chapters 1 to 10', { timeout: LIMIT_MS }, async () => {
    const results = await run(CHAPTERS_1_TO_10);
    expect(blemishes(results)).toEqual([]);
    expect(results).toHaveLength(301);
  });

  it('passes cases 1, 4 and 11 of each section of chapters 12 and 13', { timeout: LIMIT_MS }, async () => {
    const results = await run(COMPRESSED);
    expect(blemishes(results)).toEqual([]);
    expect(results).toHaveLength(36);
  });

  it('passes a selection of cases over TLS', { timeout: LIMIT_MS }, async () => {
    const results = await run(OVER_TLS, true);
    expect(blemishes(results)).toEqual([]);
    expect(results.map(({ id }) => id)).toEqual(chosen(subject, OVER_TLS).map(({ id }) => id));
  });
});
