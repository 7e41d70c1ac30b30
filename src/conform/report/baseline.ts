// A baseline says which verdict each case is expected to have. Every difference counts, also a case that passes against
// expectation: a baseline that is looser than the truth would let the next fault in.

import type { CaseResult } from '../result.js';
import { isPass } from '../verdict.js';
import { agentsOf, labelOf, resultsOf } from './report-data.js';
import {
  ANY_AGENT,
  compareCaseIds,
  type ExpectedVerdict,
  isBetter,
  isSameVerdict,
  parseVerdicts,
  quote,
  verdictText,
} from './verdict-table.js';

/** By id of the case. */
export type Baseline = ReadonlyMap<string, ExpectedVerdict>;

export interface BaselineDifference {
  agent: string;
  id: string;
  /**
   * `stale`: the baseline has an entry for a case that has no result; `missing`: it has none for a case that has one.
   */
  kind: 'worse' | 'better' | 'stale' | 'missing';
  expected?: ExpectedVerdict;
  actual?: CaseResult;
}

/**
 * Reads a baseline, or takes an index.json for one: that of its only agent, or that of the agent with this name.
 *
 * @throws Error that says what is wrong, and where
 */
export function parseBaseline(value: unknown, agent?: string): Baseline {
  const table = parseVerdicts(value);
  const [only] = table.values();
  if (table.has(ANY_AGENT) || table.size === 1) return only!;
  const named = agent === undefined ? undefined : table.get(agent);
  if (named !== undefined) return named;
  const names = [...table.keys()].map(quote).join(', ');
  throw new Error(`the baseline has several agents (${names}), and none of them is the one that was judged`);
}

/** @param isSelected whether a case was to run; entries for others are not judged */
export function checkBaseline(
  expected: Baseline,
  results: readonly CaseResult[],
  isSelected: (id: string) => boolean = () => true,
): BaselineDifference[] {
  const agents = agentsOf(results);
  // Without any result every entry is stale.
  if (agents.length === 0) agents.push({ name: ANY_AGENT, subject: 'server' });
  const selected = [...expected.keys()].filter(isSelected);
  return agents.flatMap((each) => {
    const agent = labelOf(each, agents);
    const actual = new Map(resultsOf({ results }, each).map((result) => [result.id, result]));
    const ids = [...new Set([...selected, ...actual.keys()])].sort(compareCaseIds);
    return ids.flatMap((id) => differenceIn(agent, id, expected.get(id), actual.get(id)) ?? []);
  });
}

function differenceIn(
  agent: string,
  id: string,
  expected: ExpectedVerdict | undefined,
  actual: CaseResult | undefined,
): BaselineDifference | undefined {
  if (actual === undefined) return { agent, id, kind: 'stale', expected: expected! };
  if (expected === undefined) return { agent, id, kind: 'missing', actual };
  if (isSameVerdict(expected, actual)) return undefined;
  return { agent, id, kind: isBetter(expected, actual) ? 'better' : 'worse', expected, actual };
}

/** The differences as text, a line for each. Ends with a newline. */
export function formatDifferences(differences: readonly BaselineDifference[]): string {
  if (differences.length === 0) return 'Every verdict is as the baseline expects.\n';
  const lines = differences.map((difference) => `${difference.id}: ${describe(difference)}\n`);
  return lines.join('');
}

function describe({ kind, expected, actual }: BaselineDifference): string {
  if (kind === 'stale') return 'stands in the baseline, but has no result: remove the entry';
  if (kind === 'missing') return `${verdictText(actual!)}, but does not stand in the baseline: add the entry`;
  const change = `${verdictText(actual!)}, expected was ${verdictText(expected!)}`;
  const reason = expected!.reason === undefined ? '' : ` (${expected!.reason})`;
  if (kind === 'better') {
    const word = isPass(actual!) && !isPass(expected!) ? 'unexpected pass' : 'better than expected';
    return `${word}: ${change}${reason}: update the baseline`;
  }
  return `${change}${reason}: ${actual!.finding}`;
}

/**
 * A baseline of what is. Of an earlier one stay the reasons, where the verdict is still the same, and the cases that did
 * not run this time.
 *
 * @param cases the ids of all cases: what the earlier baseline says of others is dropped
 * @throws Error when the results are of several agents
 */
export function baselineOf(
  results: readonly CaseResult[],
  earlier: Baseline = new Map(),
  cases: ReadonlySet<string> = new Set(),
): Baseline {
  const agents = agentsOf(results);
  if (agents.length > 1) {
    const names = agents.map(({ name, subject }) => quote(`${name} (${subject})`)).join(', ');
    throw new Error(`a baseline is of one agent; these results are of ${names}`);
  }
  const entries = results.map(({ id, behavior, behaviorClose }): [string, ExpectedVerdict] => {
    const verdict = { behavior, behaviorClose };
    const known = earlier.get(id);
    return [id, known !== undefined && isSameVerdict(known, verdict) ? known : verdict];
  });
  const ran = new Set(results.map(({ id }) => id));
  const kept = [...earlier].filter(([id]) => cases.has(id) && !ran.has(id));
  return new Map([...entries, ...kept].sort(([one], [other]) => compareCaseIds(one, other)));
}

/** A baseline as JSON, a line for each case, so that changes read well. Ends with a newline. */
export function serializeBaseline(baseline: Baseline): string {
  const lines = [...baseline].map(([id, verdict]) => `  ${JSON.stringify(id)}: ${JSON.stringify(verdict)}`);
  return lines.length === 0 ? '{}\n' : `{\n${lines.join(',\n')}\n}\n`;
}
