// What changed between two runs: case by case, the verdicts that differ, the cases that came, and those that went.

import type { Verdict } from '../verdict.js';
import {
  compareCaseIds,
  isBetter,
  isSameVerdict,
  quote,
  type VerdictTable,
  verdictText,
} from './verdict-table.js';

export interface Change {
  /** The agent of the later run, or of the earlier one if it is gone. */
  agent: string;
  id: string;
  kind: 'better' | 'worse' | 'new' | 'gone';
  before?: Verdict;
  after?: Verdict;
}

/**
 * Agents are matched by name. Where both runs have just one agent, those two are compared whatever they are called, so
 * that two versions of a program can be, and a run with a baseline.
 */
export function compareResults(before: VerdictTable, after: VerdictTable): Change[] {
  if (before.size === 1 && after.size === 1) {
    const [[, earlier]] = before as unknown as [[string, ReadonlyMap<string, Verdict>]];
    const [[agent, later]] = after as unknown as [[string, ReadonlyMap<string, Verdict>]];
    return compareCases(agent, earlier, later);
  }
  const none: ReadonlyMap<string, Verdict> = new Map();
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((agent) =>
    compareCases(agent, before.get(agent) ?? none, after.get(agent) ?? none),
  );
}

function compareCases(
  agent: string,
  before: ReadonlyMap<string, Verdict>,
  after: ReadonlyMap<string, Verdict>,
): Change[] {
  const ids = [...new Set([...before.keys(), ...after.keys()])].sort(compareCaseIds);
  return ids.flatMap((id): Change[] => {
    const [earlier, later] = [before.get(id), after.get(id)];
    if (earlier === undefined) return [{ agent, id, kind: 'new', after: later! }];
    if (later === undefined) return [{ agent, id, kind: 'gone', before: earlier }];
    if (isSameVerdict(earlier, later)) return [];
    const kind = isBetter(earlier, later) ? 'better' : 'worse';
    return [{ agent, id, kind, before: earlier, after: later }];
  });
}

/** The changes as text, a line for each, under the name of each agent. Ends with a newline. */
export function formatChanges(changes: readonly Change[]): string {
  if (changes.length === 0) return 'No verdict changed.\n';
  const agents = [...new Set(changes.map(({ agent }) => agent))];
  return agents
    .map((agent) =>
      formatAgent(
        agent,
        changes.filter((each) => each.agent === agent),
      ),
    )
    .join('\n');
}

function formatAgent(agent: string, changes: readonly Change[]): string {
  const counts = (['worse', 'better', 'new', 'gone'] as const)
    .map((kind) => [kind, changes.filter((change) => change.kind === kind).length] as const)
    .filter(([, count]) => count > 0);
  const head = `${agent === '' ? '' : `${quote(agent).slice(1, -1)}: `}${counts.map(([kind, count]) => `${count} ${kind}`).join(', ')}`;
  const width = Math.max(...changes.map(({ id }) => id.length));
  const lines = changes.map(({ id, kind, before, after }) => {
    const verdicts = [before, after].filter((verdict) => verdict !== undefined).map(verdictText);
    return `  ${kind.padEnd(6)} ${id.padEnd(width)}  ${verdicts.join(' -> ')}`;
  });
  return `${[head, ...lines].join('\n')}\n`;
}
