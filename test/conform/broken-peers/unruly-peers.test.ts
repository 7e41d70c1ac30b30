// The judge and peers that hang, flood, reset or speak something else: each case ends in time, with a verdict that says
// what happened, and never with an exception.

import { describe, expect, it } from 'vitest';
import type { ConformanceCase } from '../../../src/conform/case.js';
import { CASES } from '../../../src/conform/cases/index.js';
import { ClientJudge } from '../../../src/conform/client-judge.js';
import type { CaseResult } from '../../../src/conform/result.js';
import { judgeServer } from '../../../src/conform/server-judge.js';
import type { Role } from './peer.js';
import { runUnrulyClient, startUnrulyServer, UNRULY, type Unruly } from './unruly-peers.js';

/** Cases in which a peer has to echo or to answer, out of each group that has such ones. */
const NEED_AN_ANSWER = [
  '1.1.2',
  '2.2',
  '5.3',
  '6.2.1',
  'masking.every-length',
  'length.high-byte-first-258',
  'framing.many-frames-in-one-segment',
  'fragmentation.one-byte-fragments',
  'control.ping-of-every-byte',
  'utf8.boundary-code-points',
];
const NEED_A_HANDSHAKE = [
  'handshake.server-accepts-a-plain-request',
  'subprotocol.server-none-without-an-offer',
];
/** Cases of some kind or other are enough where each takes in all that the tester allows. */
const FOR_FLOODS = ['1.1.2', 'framing.many-frames-in-one-segment', 'control.ping-of-every-byte'];
/** For the rest: that there is a verdict at all. One of each group, with refusals among them. */
const ANY_VERDICT = [
  '7.1.1',
  '12.1.1',
  'closing.answered-empty',
  'close-code.1000-with-reason',
  'utf8.ff-alone',
];

const LIMIT_MS = 20_000;
const MAX_GROWTH = 300 << 20;

function casesFor(role: Role, ids: readonly string[]): ConformanceCase[] {
  return CASES.filter(({ id, subjects }) => ids.includes(id) && subjects.includes(role));
}

async function judgeUnruly(role: Role, unruly: Unruly, cases: ConformanceCase[]): Promise<CaseResult[]> {
  if (role === 'server') {
    const server = await startUnrulyServer(unruly);
    const results = await judgeServer({ url: server.url, agent: 'unruly', cases, jobs: cases.length });
    await server.close();
    return results;
  }
  const judge = new ClientJudge({ cases, agent: 'unruly' });
  const base = await judge.listen();
  await Promise.all(cases.map((_, at) => runUnrulyClient(new URL(`${base}/runCase?case=${at + 1}`), unruly)));
  while (judge.results.length < cases.length) await new Promise((resolve) => setImmediate(resolve));
  await judge.close();
  return judge.results;
}

const PEERS = UNRULY.flatMap((unruly) => unruly.roles.map((role) => ({ role, unruly })));
const isFlood = ({ unruly }: { unruly: Unruly }): boolean => unruly.name.startsWith('floods');
const TITLE = 'a $role that $unruly.name $unruly.begins gets a clear verdict from every case';

describe('peers that do nothing, or nothing useful', () => {
  it.concurrent.each(PEERS.filter((peer) => !isFlood(peer)))(
    `${TITLE}, in time`,
    { timeout: 60_000 },
    ({ role, unruly }) => {
      const wanted = unruly.begins === 'behind the handshake' ? [] : NEED_A_HANDSHAKE;
      return expectVerdicts(role, unruly, casesFor(role, [...NEED_AN_ANSWER, ...ANY_VERDICT, ...wanted]));
    },
  );
});

describe('peers that flood', () => {
  it.each(PEERS.filter(isFlood))(
    `${TITLE}, in time and in bounded memory`,
    { timeout: 60_000 },
    async ({ role, unruly }) => {
      const before = process.memoryUsage.rss();
      await expectVerdicts(role, unruly, casesFor(role, FOR_FLOODS));
      expect(process.memoryUsage.rss() - before).toBeLessThan(MAX_GROWTH);
    },
  );
});

async function expectVerdicts(role: Role, unruly: Unruly, cases: ConformanceCase[]): Promise<void> {
  const results = await judgeUnruly(role, unruly, cases);
  expect(results.map(({ id }) => id)).toEqual(cases.map(({ id }) => id));
  for (const { id, behavior, finding, durationMs } of results) {
    expect(finding, id).not.toMatch(/case itself broke|did not end within/);
    expect(durationMs, id).toBeLessThan(LIMIT_MS);
    if (ANY_VERDICT.includes(id)) continue;
    expect(`${id} ${behavior}: ${finding}`).toMatch(/^\S+ FAILED/);
    expect(finding, id).toMatch(unruly.says);
  }
}
