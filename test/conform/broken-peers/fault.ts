// A fault: the one rule that a peer breaks, how, and what has to come out when it is judged.

import { type OwnGroup, ownIds } from './judge-peer.js';
import type { Role } from './peer.js';
import type { Change } from './peer-opening.js';

/**
 * A pattern for ids of cases, as in `utf8.overlong-*`; the verdict stands behind it where it is not FAILED. With `!` the
 * cases are left out of those before.
 */
export type Expected = string;

export interface Consequence {
  cases?: readonly Expected[];
  /** In place of a list: every case whose finding is this, in these groups if they are given. */
  says?: RegExp;
  within?: readonly OwnGroup[];
  because: string;
}

export interface Fault {
  name: string;
  roles: readonly Role[];
  /** Id of docs/requirements.json; one for each role where the RFC says it to each of them. */
  breaks: string | Record<Role, string>;
  change: Change;
  /** The cases that are about the rule. */
  caughtBy: readonly Expected[];
  /** Cases about other rules that this fault makes fail too, and why that is no injustice. */
  alsoFails?: readonly Consequence[];
  /** Autobahn's cases that are about the rule. */
  autobahn?: readonly Expected[];
  /** Default: all of our own. */
  groups?: readonly OwnGroup[];
}

export const SERVER: readonly Role[] = ['server'];
export const CLIENT: readonly Role[] = ['client'];
export const BOTH: readonly Role[] = ['server', 'client'];

/** The cases that are to complain about a peer, with their verdicts. */
export function expectedOf(
  role: Role,
  expected: readonly Expected[],
  ids = ownIds(role),
): Record<string, string> {
  const verdicts: Record<string, string> = {};
  for (const one of expected) {
    const [pattern = '', verdict = 'FAILED'] = one.split(': ');
    const isExcluded = pattern.startsWith('!');
    const parts = pattern
      .slice(isExcluded ? 1 : 0)
      .split('*')
      .map((part) => part.replaceAll('.', '\\.'));
    const fits = new RegExp(`^${parts.join('.*')}$`);
    for (const id of ids) {
      if (!fits.test(id)) continue;
      if (isExcluded) delete verdicts[id];
      else verdicts[id] = verdict;
    }
  }
  return verdicts;
}

export const ruleOf = ({ breaks }: Fault, role: Role): string =>
  typeof breaks === 'string' ? breaks : breaks[role];
