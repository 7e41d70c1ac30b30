// A summary in Markdown, for a pull request or a terminal: totals, everything that is not OK, and how long chapter 9 took.

import type { CaseResult } from '../result.js';
import { overallVerdict } from '../verdict.js';
import {
  benchmarkTable,
  type CaseInfo,
  durationTable,
  labelOf,
  lookupOf,
  OVERALL_VERDICTS,
  type ReportData,
  resultsOf,
  type SpeedTable,
  totalsOf,
} from './report-data.js';
import { verdictText } from './verdict-table.js';

const MAX_FINDING_CHARACTERS = 400;

export function renderMarkdown(data: ReportData): string {
  const labels = data.agents.map((agent) => escapeMarkdown(labelOf(agent, data.agents)));
  const durations = data.agents.length > 1 ? durationTable(data) : undefined;
  const speed = [durations, benchmarkTable(data)].filter((figures) => figures !== undefined);
  const sections = [
    `# WebSocket conformance\n\n${escapeMarkdown(`${data.generator}, ${data.createdAt}`)}`,
    `## Totals\n\n${totals(data, labels)}`,
    `## Not OK\n\n${notOk(data, labels)}`,
    ...speed.map(
      (figures) => `## ${figures.title}

${speedTable(figures)}`,
    ),
  ];
  return `${sections.join('\n\n')}\n`;
}

function totals(data: ReportData, labels: string[]): string {
  const counts = data.agents.map((agent) => totalsOf(resultsOf(data, agent)));
  const words = OVERALL_VERDICTS.filter((word) => counts.some((count) => count.has(word)));
  const rows = data.agents.map((agent, index) => {
    const cells = words.map((word) => String(counts[index]!.get(word) ?? 0));
    return [labels[index]!, agent.subject, String(resultsOf(data, agent).length), ...cells];
  });
  return table(['Agent', 'Judged as', 'Cases', ...words], rows, 2);
}

function notOk(data: ReportData, labels: string[]): string {
  const lookup = lookupOf(data.results);
  const rows = data.cases.flatMap((info) =>
    data.agents.flatMap((agent, index) => {
      const result = lookup(agent, info.id);
      if (result === undefined || overallVerdict(result) === 'OK') return [];
      return [notOkRow(info, labels[index]!, result)];
    }),
  );
  if (rows.length === 0) return 'Every case is OK.';
  return table(['Case', 'Agent', 'Verdict', 'Section', 'What the tester does', 'Finding'], rows);
}

function notOkRow(info: CaseInfo, label: string, result: CaseResult): string[] {
  const { finding } = result;
  const short =
    finding.length > MAX_FINDING_CHARACTERS ? `${finding.slice(0, MAX_FINDING_CHARACTERS)}…` : finding;
  const texts = [info.section, info.title, short].map(escapeMarkdown);
  return [escapeMarkdown(info.id), label, verdictText(result), ...texts];
}

function speedTable({ agents, rows }: SpeedTable): string {
  const cells = rows.map(({ name, unit, values }) => [
    escapeMarkdown(name),
    escapeMarkdown(unit),
    ...agents.map((_, index) => formatFigure(values[index])),
  ]);
  return table(['Measured', 'Unit', ...agents.map(escapeMarkdown)], cells, 2);
}

/** Three digits are as much as a measurement is worth. */
function formatFigure(value: number | undefined): string {
  if (value === undefined) return '–';
  return Number(value >= 1000 ? value.toFixed(0) : value.toPrecision(3)).toLocaleString('en');
}

/** @param numbersFrom the first column that is aligned right */
function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numbersFrom = Infinity,
): string {
  const rule = head.map((_, index) => (index >= numbersFrom ? '--:' : '---'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Text that stays text in a cell of a table: no markup, no HTML, no new line. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/\p{Cs}/gu, '\u{fffd}')
    .replace(/[\\`*_{}[\]|~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
