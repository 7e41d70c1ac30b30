// What every report is made from: agents, cases and results as plain data, and the few questions that several reports ask
// of it. An agent is a name in a role: the same name may stand once for a server and once for a client.

import type { BenchmarkRow } from '../bench/report.js';
import type { ConformanceCase, Group } from '../case.js';
import type { CaseResult, Subject } from '../result.js';
import { BEHAVIORS, type Behavior, CLOSE_BEHAVIORS, type CloseBehavior, overallVerdict } from '../verdict.js';

export interface AgentInfo {
  name: string;
  subject: Subject;
}

/** What a report says about a case beside its results. */
export type CaseInfo = Pick<
  ConformanceCase,
  'id' | 'group' | 'title' | 'rule' | 'section' | 'requirements' | 'expectation'
>;

export interface ReportData {
  /** The program that judged, and its version. */
  generator: string;
  /** ISO 8601. */
  createdAt: string;
  agents: readonly AgentInfo[];
  /** In the order of the suite. */
  cases: readonly CaseInfo[];
  /** In any order; an agent need not have run every case. */
  results: readonly CaseResult[];
  /** Rows with the same name and unit stand side by side. */
  benchmarks?: readonly BenchmarkRow[];
}

/** What a case of the suite is known by to people: the word for both verdicts, or that it was not run. */
export type Overall = Behavior | CloseBehavior;

/** The words that `overallVerdict()` may give, the good ones first. */
export const OVERALL_VERDICTS: readonly Overall[] = [...new Set<Overall>([...BEHAVIORS, ...CLOSE_BEHAVIORS])];

/** The result of an agent in a case, undefined where it did not run. */
export type ResultLookup = (agent: AgentInfo, caseId: string) => CaseResult | undefined;

export function lookupOf(results: readonly CaseResult[]): ResultLookup {
  const key = (name: string, subject: Subject, id: string) => `${subject} ${id} ${name}`;
  const found = new Map(results.map((result) => [key(result.agent, result.subject, result.id), result]));
  return ({ name, subject }, caseId) => found.get(key(name, subject, caseId));
}

/** The agents that results are of, in the order in which they first appear. */
export function agentsOf(results: readonly CaseResult[]): AgentInfo[] {
  const agents = results.map(({ agent: name, subject }): [string, AgentInfo] => [
    `${subject} ${name}`,
    { name, subject },
  ]);
  return [...new Map(agents).values()];
}

/** What an agent is called where a name has to be unique: by its name, and by its role too if both roles have it. */
export function labelOf(agent: AgentInfo, agents: readonly AgentInfo[]): string {
  const isInBothRoles = agents.some(({ name, subject }) => name === agent.name && subject !== agent.subject);
  return isInBothRoles ? `${agent.name} (${agent.subject})` : agent.name;
}

/** How many cases of an agent came to each word, only words that occur. */
export function totalsOf(results: Iterable<CaseResult>): Map<Overall, number> {
  const counts = new Map<Overall, number>(OVERALL_VERDICTS.map((word) => [word, 0]));
  for (const result of results) {
    const word = overallVerdict(result);
    counts.set(word, counts.get(word)! + 1);
  }
  return new Map([...counts].filter(([, count]) => count > 0));
}

export function resultsOf({ results }: Pick<ReportData, 'results'>, agent: AgentInfo): CaseResult[] {
  return results.filter(({ agent: name, subject }) => name === agent.name && subject === agent.subject);
}

/** A section of the matrix: a chapter of Autobahn's suite, or a group of ours. */
export interface CaseSection {
  key: string;
  title: string;
  cases: CaseInfo[];
}

const AUTOBAHN_CHAPTERS: Record<string, string> = {
  1: 'Framing',
  2: 'Pings and pongs',
  3: 'Reserved bits',
  4: 'Opcodes',
  5: 'Fragmentation',
  6: 'UTF-8 handling',
  7: 'Close handling',
  9: 'Limits and performance',
  10: 'Miscellaneous',
  12: 'WebSocket compression (different payloads)',
  13: 'WebSocket compression (different parameters)',
};

const GROUP_TITLES: Record<Group, string> = {
  autobahn: 'Other cases of Autobahn',
  handshake: 'Opening handshake',
  subprotocol: 'Subprotocol negotiation',
  extension: 'Extension negotiation',
  masking: 'Masking',
  length: 'Payload lengths',
  framing: 'Base framing',
  fragmentation: 'Fragmentation, beyond Autobahn',
  control: 'Control frames',
  utf8: 'UTF-8, beyond Autobahn',
  closing: 'Closing handshake',
  'close-code': 'Close codes',
  deflate: 'permessage-deflate',
  robustness: 'Robustness against attacks',
};

export function groupTitle(group: Group): string {
  return GROUP_TITLES[group] ?? group;
}

/** The cases by section, each section where its first case stands. */
export function sectionsOf(cases: readonly CaseInfo[]): CaseSection[] {
  const sections = new Map<string, CaseSection>();
  for (const info of cases) {
    const chapter = /^(\d+)\./.exec(info.id)?.[1];
    const key = chapter ?? info.group;
    const title =
      chapter === undefined ? groupTitle(info.group) : `${chapter} ${AUTOBAHN_CHAPTERS[chapter] ?? ''}`;
    const section = sections.get(key);
    if (section === undefined) sections.set(key, { key, title: title.trim(), cases: [info] });
    else section.cases.push(info);
  }
  return [...sections.values()];
}

/** Figures side by side: a column for each agent. */
export interface SpeedTable {
  title: string;
  agents: string[];
  rows: SpeedRow[];
}

/** What was measured, and for each agent of the table the value and what else was seen, if there is any. */
export interface SpeedRow {
  name: string;
  unit: string;
  isLessBetter: boolean;
  values: (number | undefined)[];
  details: (string | undefined)[];
}

/** How long the cases of chapter 9 took, undefined if none ran. A case that was failed says nothing about speed. */
export function durationTable(data: ReportData): SpeedTable | undefined {
  const lookup = lookupOf(data.results);
  const rows = data.cases
    .filter(({ id }) => id.startsWith('9.'))
    .map(({ id, title }): SpeedRow => {
      const values = data.agents.map((agent) => {
        const result = lookup(agent, id);
        return result?.behavior === 'OK' ? result.durationMs : undefined;
      });
      return { name: `${id} ${title}`, unit: 'ms', isLessBetter: true, values, details: [] };
    })
    .filter(({ values }) => values.some((value) => value !== undefined));
  const agents = data.agents.map((agent) => labelOf(agent, data.agents));
  return rows.length === 0 ? undefined : { title: 'Durations of the cases of chapter 9', agents, rows };
}

/** Units of which a smaller number is the better one: times and sizes. */
const LESS_IS_BETTER = /^(?:[nµum]?s|[KMG]i?B|B|bytes)$/;

/** The benchmarks, undefined if there are none. */
export function benchmarkTable({ benchmarks = [] }: ReportData): SpeedTable | undefined {
  if (benchmarks.length === 0) return undefined;
  const agents = [...new Set(benchmarks.map(({ agent }) => agent))];
  const rows = new Map<string, SpeedRow>();
  for (const { agent, name, unit, value, details } of benchmarks) {
    const key = JSON.stringify([name, unit]);
    const none = agents.map(() => undefined);
    const row = rows.get(key) ?? {
      name,
      unit,
      isLessBetter: LESS_IS_BETTER.test(unit),
      values: [...none],
      details: [...none],
    };
    row.values[agents.indexOf(agent)] = value ?? undefined;
    row.details[agents.indexOf(agent)] = details;
    rows.set(key, row);
  }
  return { title: 'Benchmarks', agents, rows: [...rows.values()] };
}
