import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../../src/conform/report/html.js';
import { sampleData, sampleResult } from './sample.js';

describe('the HTML report', () => {
  const data = sampleData();
  const html = renderHtml(data);

  it('loads nothing: its policy allows its own script and style alone, by their digests', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)![1]!;
    expect(policy).not.toMatch(/unsafe|http|\*/);
    expect(policy).toContain("default-src 'none'");
    const [, script] = /<script>([\s\S]*?)<\/script>/.exec(html)!;
    const [, style] = /<style>([\s\S]*?)<\/style>/.exec(html)!;
    for (const text of [script!, style!]) {
      expect(policy).toContain(`'sha256-${createHash('sha256').update(text).digest('base64')}'`);
    }
    expect(() => new Function(script!)).not.toThrow();
    expect(html).not.toMatch(/<[^>]+ (?:style|on\w+)=|<(?:script|img|iframe)[^>]+src=|@import|url\(/);
  });

  it('has one element for its data, whatever the data says', () => {
    const finding = '</script><script>alert(1)</script><!--<script>';
    const results = [sampleResult('1.1.1', { finding, agent: finding })];
    const hostile = renderHtml({
      ...data,
      generator: finding,
      agents: [{ name: finding, subject: 'server' }],
      results,
    });
    expect(hostile.match(/<script/g)).toHaveLength(2);
    const [, json] = /id="data">([\s\S]*?)<\/script>/.exec(hostile)!;
    const parsed = JSON.parse(json!);
    expect(parsed.agents[0].label).toBe(finding);
    expect(parsed.cases[0].results[0].finding).toBe(finding);
  });

  it('stays below 15 MB with 900 cases of six agents and long logs, which lose their middle', () => {
    const agents = Array.from({ length: 6 }, (_, index) => ({
      name: `agent ${index}`,
      subject: 'server' as const,
    }));
    const cases = Array.from({ length: 900 }, (_, index) => ({ ...data.cases[0]!, id: `1.${index}` }));
    const frame = { ...sampleResult('').wire[3]!, payload: 'ab'.repeat(48) };
    const wire = [...Array.from({ length: 64 }, () => frame), { kind: 'gap', records: 500 } as const, frame];
    const results = agents.flatMap(({ name }) =>
      cases.map(({ id }) => sampleResult(id, { agent: name, wire })),
    );
    const large = renderHtml({ ...data, agents, cases, results });
    expect(large.length).toBeLessThan(15e6);
    const parsed = JSON.parse(/id="data">([\s\S]*?)<\/script>/.exec(large)![1]!);
    const log = parsed.cases[0].results[0].wire as number[][];
    const left = log.reduce((sum, record) => sum + (record[0] === 5 ? record[1]! : 1), 0);
    expect(left).toBe(64 + 500 + 1);
    expect(log.length).toBeLessThan(40);
  });

  it('can be made of nothing at all', () => {
    expect(renderHtml({ generator: '', createdAt: '', agents: [], cases: [], results: [] })).toContain(
      '</html>',
    );
  });
});
