// JUnit's XML, as build servers read it: a test suite for each agent and group, a test for each case that ran.

import type { CaseResult } from '../result.js';
import { isPass, overallVerdict } from '../verdict.js';
import {
  type AgentInfo,
  type CaseInfo,
  groupTitle,
  labelOf,
  lookupOf,
  type ReportData,
} from './report-data.js';
import { verdictText } from './verdict-table.js';

interface Suite {
  agent: AgentInfo;
  group: CaseInfo['group'];
  tests: { info: CaseInfo; result: CaseResult }[];
}

export function renderJUnit(data: ReportData): string {
  const suites = suitesOf(data).filter(({ tests }) => tests.length > 0);
  const all = suites.flatMap(({ tests }) => tests);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: data.generator, ...countsOf(all), timestamp: data.createdAt })}>`,
    ...suites.flatMap((suite) => suiteLines(suite, labelOf(suite.agent, data.agents), data)),
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}

function suitesOf(data: ReportData): Suite[] {
  const lookup = lookupOf(data.results);
  const groups = [...new Set(data.cases.map(({ group }) => group))];
  return data.agents.flatMap((agent) =>
    groups.map((group): Suite => {
      const cases = data.cases.filter((info) => info.group === group);
      const tests = cases.flatMap((info) => {
        const result = lookup(agent, info.id);
        return result === undefined ? [] : [{ info, result }];
      });
      return { agent, group, tests };
    }),
  );
}

function suiteLines({ agent, group, tests }: Suite, label: string, data: ReportData): string[] {
  const suite = {
    name: `${label}: ${groupTitle(group)}`,
    ...countsOf(tests),
    timestamp: tests[0]?.result.startedAt ?? data.createdAt,
  };
  return [
    `  <testsuite${attributes(suite)}>`,
    `    <properties>`,
    `      <property${attributes({ name: 'agent', value: agent.name })}/>`,
    `      <property${attributes({ name: 'subject', value: agent.subject })}/>`,
    `    </properties>`,
    ...tests.flatMap(({ info, result }) => testLines(info, result, `${label}.${group}`)),
    '  </testsuite>',
  ];
}

function testLines(info: CaseInfo, result: CaseResult, classname: string): string[] {
  const time = seconds(result.durationMs);
  const properties = [
    ['verdict', result.behavior],
    ['close', result.behaviorClose],
    ['section', info.section],
    ...info.requirements.map((id) => ['requirement', id] as const),
  ] as const;
  return [
    `    <testcase${attributes({ classname, name: `${info.id} ${info.title}`, time })}>`,
    '      <properties>',
    ...properties.map(([name, value]) => `        <property${attributes({ name, value })}/>`),
    '      </properties>',
    ...outcomeLines(info, result),
    '    </testcase>',
  ];
}

function outcomeLines(info: CaseInfo, result: CaseResult): string[] {
  if (!isPass(result)) {
    const text = `${result.finding}\nRule (${info.section}): ${info.rule}\nExpected: ${info.expectation}`;
    const message = `${verdictText(result)}: ${result.finding}`;
    return [
      `      <failure${attributes({ message, type: overallVerdict(result) })}>${escapeXml(text)}</failure>`,
    ];
  }
  if (result.behavior === 'UNIMPLEMENTED') {
    return [`      <skipped${attributes({ message: result.finding })}/>`];
  }
  if (result.behavior === 'OK') return [];
  return [`      <system-out>${escapeXml(`${verdictText(result)}: ${result.finding}`)}</system-out>`];
}

function countsOf(tests: readonly { result: CaseResult }[]) {
  const results = tests.map(({ result }) => result);
  return {
    tests: results.length,
    failures: results.filter((result) => !isPass(result)).length,
    errors: 0,
    skipped: results.filter((result) => isPass(result) && result.behavior === 'UNIMPLEMENTED').length,
    time: seconds(results.reduce((sum, { durationMs }) => sum + durationMs, 0)),
  };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function attributes(values: Record<string, string | number>): string {
  const pairs = Object.entries(values);
  return pairs.map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`).join('');
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text for an element or an attribute. XML 1.0 has no way at all to write some characters: a � stands for those. */
function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\u{fffd}')
    .replace(/[&<>"]/g, (character) => ENTITIES[character]!)
    .replace(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
