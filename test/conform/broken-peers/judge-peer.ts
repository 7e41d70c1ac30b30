// Runs cases against a peer of these tests, in either role, and sorts what comes out.

import { GROUPS, type Group } from '../../../src/conform/case.js';
import { CASES } from '../../../src/conform/cases/index.js';
import { ClientJudge } from '../../../src/conform/client-judge.js';
import type { CaseResult } from '../../../src/conform/result.js';
import { selectCases } from '../../../src/conform/selection.js';
import { judgeServer } from '../../../src/conform/server-judge.js';
import type { Role } from './peer.js';
import { type Change, runClient, startServer } from './peer-opening.js';

export type OwnGroup = Exclude<Group, 'autobahn' | 'robustness'>;

export const OWN_GROUPS = GROUPS.filter(
  (group): group is OwnGroup => group !== 'autobahn' && group !== 'robustness',
);

/** The ids of a role's cases that fit one of the patterns. */
export function idsLike(role: Role, patterns: readonly string[]): string[] {
  return patterns.length === 0
    ? []
    : selectCases(CASES, { subject: role, cases: patterns }).map(({ id }) => id);
}

export const ownIds = (role: Role, groups: readonly OwnGroup[] = OWN_GROUPS): string[] =>
  selectCases(CASES, { subject: role, groups }).map(({ id }) => id);

export async function judgePeer(
  role: Role,
  ids: readonly string[],
  change?: Change,
  jobs = 32,
): Promise<CaseResult[]> {
  const wanted = new Set(ids);
  const cases = CASES.filter(({ id, subjects }) => wanted.has(id) && subjects.includes(role));
  return role === 'server' ? judgeAsServer(cases, change, jobs) : judgeAsClient(cases, change, jobs);
}

type Cases = Parameters<typeof judgeServer>[0]['cases'];

async function judgeAsServer(cases: Cases, change: Change | undefined, jobs: number): Promise<CaseResult[]> {
  const server = await startServer(change);
  const results = await judgeServer({ url: server.url, agent: 'peer', cases, jobs });
  await server.close();
  return results;
}

async function judgeAsClient(cases: Cases, change: Change | undefined, jobs: number): Promise<CaseResult[]> {
  const judge = new ClientJudge({ cases, agent: 'peer' });
  const base = await judge.listen();
  const left = cases.map((_, at) => at + 1);
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      await runClient(new URL(`${base}/runCase?case=${next}&agent=peer`), change);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  while (judge.results.length < cases.length) await new Promise((resolve) => setImmediate(resolve));
  await judge.close();
  return judge.results;
}

/** In one word what a result that is not simply right comes to; undefined where there is nothing to say. */
export function complaintOf({ behavior, behaviorClose }: CaseResult): string | undefined {
  if (behavior === 'FAILED' || behavior === 'NON-STRICT') return behavior;
  return behaviorClose === 'OK' || behaviorClose === 'INFORMATIONAL' ? undefined : behaviorClose;
}

export function complaintsOf(results: readonly CaseResult[]): Record<string, string> {
  return Object.fromEntries(
    results.flatMap((one) => {
      const complaint = complaintOf(one);
      return complaint === undefined ? [] : [[one.id, complaint]];
    }),
  );
}
