// The peers of these tests, as long as nothing is broken in them, pass: so what breaks is the fault. And what a case comes
// to does not depend on how many run beside it.

import { describe, expect, it } from 'vitest';
import { complaintsOf, idsLike, judgePeer, ownIds } from './judge-peer.js';
import type { Role } from './peer.js';

const AUTOBAHN = ['1', '2', '3', '4', '5', '6', '7', '10'];
const SAMPLE = [
  '9.1.1',
  '9.2.1',
  '9.3.3',
  '9.5.5',
  '9.7.1',
  '12.1.1',
  '12.2.4',
  '12.5.2',
  '13.1.1',
  '13.4.2',
  '13.6.1',
];
const JOBS = 16;
const LIMIT_MS = 60_000;

/** Ids of the cases that came to that behavior. */
async function idsOf(role: Role, patterns: readonly string[], behavior: string): Promise<string[]> {
  const results = await judgePeer(role, idsLike(role, patterns), undefined, JOBS);
  return results.filter((one) => one.behavior === behavior).map(({ id }) => id);
}

describe.concurrent.each(['server', 'client'] as const)('a right %s', (role) => {
  it('passes all of our own cases', { timeout: LIMIT_MS }, async () => {
    expect(complaintsOf(await judgePeer(role, ownIds(role), undefined, JOBS))).toEqual({});
  });

  it('passes the cases 1 to 7 and 10 of Autobahn', { timeout: LIMIT_MS }, async () => {
    expect(complaintsOf(await judgePeer(role, idsLike(role, AUTOBAHN), undefined, JOBS))).toEqual({});
  });

  it('passes a sample of the cases 9, 12 and 13 of Autobahn', { timeout: LIMIT_MS }, async () => {
    expect(complaintsOf(await judgePeer(role, idsLike(role, SAMPLE), undefined, 4))).toEqual({});
  });

  it('has permessage-deflate, so that no case about it is passed by leaving it out', {
    timeout: LIMIT_MS,
  }, async () => {
    expect(await idsOf(role, ['12.1.1', '13.1.1', '13.3.1'], 'UNIMPLEMENTED')).toEqual([]);
    const hints = await idsOf(role, ['deflate', 'extension'], 'UNIMPLEMENTED');
    // What a peer may refuse to promise: this server wants the tester to keep to what it hinted at.
    expect(hints.filter((id) => !/^deflate\.hint-/.test(id))).toEqual([]);
  });

  it('gets the same verdicts one case at a time and sixteen', { timeout: 2 * LIMIT_MS }, async () => {
    const ids = [...ownIds(role), ...idsLike(role, AUTOBAHN.slice(0, 7))];
    const verdicts = async (jobs: number): Promise<string[]> =>
      (await judgePeer(role, ids, undefined, jobs)).map(
        ({ id, behavior, behaviorClose }) => `${id}: ${behavior}, ${behaviorClose}`,
      );
    const alone = await verdicts(1);
    expect(await verdicts(16)).toEqual(alone);
  });
});
