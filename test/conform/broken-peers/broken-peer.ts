// The test of one role: each broken peer is judged by all of our own cases, and what they complain of is compared with
// the table of faults, case by case.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CASES } from '../../../src/conform/cases/index.js';
import type { CaseResult } from '../../../src/conform/result.js';
import { type Expected, expectedOf, type Fault, ruleOf } from './fault.js';
import { FAULTS } from './faults.js';
import { complaintOf, complaintsOf, idsLike, judgePeer, ownIds } from './judge-peer.js';
import type { Role } from './peer.js';

const { requirements } = JSON.parse(readFileSync('docs/requirements.json', 'utf8')) as {
  requirements: { id: string }[];
};

const JOBS = 12;
const LIMIT_MS = 60_000;

export function testBrokenPeers(role: Role): void {
  const faults = FAULTS.filter(({ roles }) => roles.includes(role));

  describe(`a ${role} that`, () => {
    it.concurrent.each(faults.map((fault, index) => ({ ...fault, index })))(
      '$name is caught, and blamed for nothing else',
      { timeout: LIMIT_MS },
      (fault) => testFault(role, fault, fault.index),
    );
  });

  describe(`the table of faults of a ${role}`, () => {
    it('has at least 22', () => {
      expect(faults.length).toBeGreaterThanOrEqual(22);
    });

    it.each(faults)('names a requirement and a case that bears on it: $name', (fault) => {
      const rule = ruleOf(fault, role);
      expect(requirements.map(({ id }) => id)).toContain(rule);
      const catching = Object.keys(expectedOf(role, fault.caughtBy));
      expect(CASES.filter(({ id }) => catching.includes(id)).flatMap((one) => one.requirements)).toContain(
        rule,
      );
    });
  });
}

const expectedOfFault = (role: Role, { caughtBy, alsoFails = [] }: Fault): Record<string, string> =>
  expectedOf(role, [...alsoFails.flatMap(({ cases = [] }) => cases), ...caughtBy]);

/**
 * All cases of the groups in which something is expected. Of the others, to save time, a sixth: another one for each
 * fault, so that every case sees many peers that are broken in something else.
 */
function casesFor(role: Role, fault: Fault, index: number): string[] {
  const ids = ownIds(role, fault.groups);
  const groupOf = (id: string): string => id.slice(0, id.indexOf('.'));
  const concerned = new Set(Object.keys(expectedOfFault(role, fault)).map(groupOf));
  return ids.filter((id, at) => concerned.has(groupOf(id)) || (at + index) % 6 === 0);
}

async function testFault(role: Role, fault: Fault, index: number): Promise<void> {
  const { caughtBy, alsoFails = [], autobahn = [] } = fault;
  const ids = casesFor(role, fault, index);
  const expected = expectedOfFault(role, fault);
  const results = await judgeTwice(role, ids, fault, expected);
  const isExplained = ({ id, finding }: CaseResult): boolean =>
    alsoFails.some(
      ({ says, within }) =>
        says?.test(finding) === true && within?.some((group) => id.startsWith(`${group}.`)) !== false,
    );
  const unexplained = results.filter((one) => one.id in expected || !isExplained(one));
  expect(complaintsOf(unexplained)).toEqual(expected);
  expect(Object.keys(expectedOf(role, caughtBy, ids)).length).toBeGreaterThan(0);
  if (autobahn.length > 0) await testAutobahn(role, fault, autobahn);
}

/** On a machine that is busy a case may run out of time: those that come out otherwise than expected have another try. */
async function judgeTwice(
  role: Role,
  ids: readonly string[],
  { change }: Fault,
  expected: Record<string, string>,
): Promise<CaseResult[]> {
  const results = await judgePeer(role, ids, change, JOBS);
  const odd = results.filter((one) => complaintOf(one) !== expected[one.id]).map(({ id }) => id);
  if (odd.length === 0 || odd.length > 20) return results;
  const again = new Map((await judgePeer(role, odd, change, 4)).map((one) => [one.id, one]));
  return results.map((one) => again.get(one.id) ?? one);
}

async function testAutobahn(role: Role, { change }: Fault, autobahn: readonly Expected[]): Promise<void> {
  const ids = idsLike(
    role,
    autobahn.map((one) => one.split(': ')[0]!),
  );
  const results = await judgePeer(role, ids, change, JOBS);
  expect(complaintsOf(results)).toEqual(expectedOf(role, autobahn, ids));
}
