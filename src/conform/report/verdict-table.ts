// Verdicts by agent and case, read from what people have at hand: an index.json of Autobahn or of this suite, or a baseline.

import type { CaseResult } from '../result.js';
import { BEHAVIORS, CLOSE_BEHAVIORS, isPass, type Verdict } from '../verdict.js';
import { agentsOf, labelOf, resultsOf } from './report-data.js';

/** A verdict, and why it is expected, if a baseline says so. */
export interface ExpectedVerdict extends Verdict {
  reason?: string;
}

/** By agent, then by id of the case. */
export type VerdictTable = ReadonlyMap<string, ReadonlyMap<string, ExpectedVerdict>>;

/** Stands for the agent where a file names none, as in a baseline. */
export const ANY_AGENT = '';

/**
 * Reads an index.json or a baseline.
 *
 * @param value what `JSON.parse()` gave
 * @throws Error that says what is wrong, and where
 */
export function parseVerdicts(value: unknown): VerdictTable {
  const entries = Object.entries(objectAt(value, 'the file'));
  if (entries.length === 0) throw new Error('there are no verdicts in the file');
  const hasNoAgents = entries.some(([, entry]) => isObject(entry) && 'behavior' in entry);
  const agents: [string, unknown][] = hasNoAgents ? [[ANY_AGENT, value]] : entries;
  return new Map(agents.map(([agent, cases]) => [agent, parseCases(cases, agent)]));
}

function parseCases(value: unknown, agent: string): Map<string, ExpectedVerdict> {
  const where = agent === ANY_AGENT ? '' : `agent ${quote(agent)}, `;
  const cases = Object.entries(objectAt(value, where === '' ? 'the file' : where.slice(0, -2)));
  return new Map(cases.map(([id, entry]) => [id, parseVerdict(entry, `${where}case ${quote(id)}`)]));
}

function parseVerdict(value: unknown, where: string): ExpectedVerdict {
  const entry = objectAt(value, where);
  const verdict: ExpectedVerdict = {
    behavior: oneOf(BEHAVIORS, entry.behavior, `${where}: behavior`),
    behaviorClose: oneOf(CLOSE_BEHAVIORS, entry.behaviorClose, `${where}: behaviorClose`),
  };
  if (entry.reason === undefined) return verdict;
  if (typeof entry.reason !== 'string') throw new Error(`${where}: reason is not a string`);
  return { ...verdict, reason: entry.reason };
}

export function verdictsOf(results: readonly CaseResult[]): VerdictTable {
  const agents = agentsOf(results);
  return new Map(
    agents.map((agent) => {
      const own = resultsOf({ results }, agent);
      const cases = own.map(({ id, behavior, behaviorClose }) => [id, { behavior, behaviorClose }] as const);
      return [labelOf(agent, agents), new Map(cases)];
    }),
  );
}

export function isSameVerdict(one: Verdict, other: Verdict): boolean {
  return one.behavior === other.behavior && one.behaviorClose === other.behaviorClose;
}

/** Whether the second verdict is the better one. A pass is better than none; between passes the stricter one is. */
export function isBetter(before: Verdict, after: Verdict): boolean {
  return rank(after) < rank(before);
}

function rank(verdict: Verdict): number {
  const { behavior, behaviorClose } = verdict;
  return (
    (isPass(verdict) ? 0 : 100) + BEHAVIORS.indexOf(behavior) * 10 + CLOSE_BEHAVIORS.indexOf(behaviorClose)
  );
}

/** Both verdicts in a few words. */
export function verdictText({ behavior, behaviorClose }: Verdict): string {
  return behaviorClose === 'OK' ? behavior : `${behavior}, close ${behaviorClose}`;
}

/** Cases in the order in which people count: `1.2.1` before `1.10.1`, numbers before names. */
export function compareCaseIds(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectAt(value: unknown, where: string): Record<string, unknown> {
  if (!isObject(value)) throw new Error(`${where}: an object was expected`);
  return value;
}

function oneOf<T extends string>(words: readonly T[], value: unknown, where: string): T {
  const found = words.find((word) => word === value);
  if (found === undefined) throw new Error(`${where} is ${quote(value)}; it can be ${words.join(', ')}`);
  return found;
}

/** A value of a file in a message: short, and without characters that a terminal would obey. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  const plain = text.replace(/[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '\u{fffd}');
  return plain.length > 80 ? `${plain.slice(0, 80)}…` : plain;
}
