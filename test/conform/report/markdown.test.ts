import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeMarkdown, renderMarkdown } from '../../../src/conform/report/markdown.js';
import type { ReportData } from '../../../src/conform/report/report-data.js';
import { sampleCase, sampleResult } from './sample.js';

const data: ReportData = {
  generator: 'hawser',
  createdAt: '2030-01-02',
  agents: [
    { name: 'alpha', subject: 'server' },
    { name: 'beta', subject: 'server' },
  ],
  cases: [sampleCase('1.1.1'), sampleCase('9.1.1')],
  results: [
    sampleResult('1.1.1'),
    sampleResult('1.1.1', { agent: 'beta', behaviorClose: 'UNCLEAN', finding: 'a | b\n<script>' }),
    sampleResult('9.1.1', { durationMs: 12345.6 }),
    sampleResult('9.1.1', { agent: 'beta', behavior: 'FAILED' }),
  ],
};

/** The cells of each row of the table under a heading. */
function tableUnder(heading: string, markdown: string): string[][] {
  const part = markdown.split(`## ${heading}\n\n`)[1]!.trimEnd().split('\n\n')[0]!;
  return part.split('\n').map((line) => line.slice(2, -2).split(/(?<!\\) \| /));
}

describe('the Markdown report', () => {
  const markdown = renderMarkdown(data);

  it('counts the verdicts of each agent', () => {
    expect(tableUnder('Totals', markdown)).toEqual([
      ['Agent', 'Judged as', 'Cases', 'OK', 'FAILED', 'UNCLEAN'],
      ['---', '---', '--:', '--:', '--:', '--:'],
      ['alpha', 'server', '2', '2', '0', '0'],
      ['beta', 'server', '2', '0', '1', '1'],
    ]);
  });

  it('lists everything that is not OK, with section and finding', () => {
    const rows = tableUnder('Not OK', markdown);
    expect(rows.slice(2).map((row) => [row[0], row[1], row[2], row[3], row[5]])).toEqual([
      ['1.1.1', 'beta', 'OK, close UNCLEAN', 'RFC 6455 §5.6', 'a \\| b &lt;script&gt;'],
      ['9.1.1', 'beta', 'FAILED', 'RFC 6455 §5.6', 'The message came back unchanged.'],
    ]);
    expect(renderMarkdown({ ...data, results: data.results.slice(0, 1) })).toContain('Every case is OK.');
  });

  it('compares durations where there are several agents, without those of failed cases', () => {
    const [, , row] = tableUnder('Durations of the cases of chapter 9', markdown);
    expect(row!.slice(1)).toEqual(['ms', '12,346', '–']);
    expect(renderMarkdown({ ...data, agents: data.agents.slice(0, 1) })).not.toContain('Durations');
  });

  it('has the benchmarks, if there are any', () => {
    const benchmarks = [
      { agent: 'alpha', name: '64 B', unit: 'messages/s', value: 98765, details: '' },
      { agent: 'gamma', name: '64 B', unit: 'messages/s', value: 0.12345, details: '' },
    ];
    expect(tableUnder('Benchmarks', renderMarkdown({ ...data, benchmarks }))).toEqual([
      ['Measured', 'Unit', 'alpha', 'gamma'],
      ['---', '---', '--:', '--:'],
      ['64 B', 'messages/s', '98,765', '0.123'],
    ]);
  });

  it('keeps each row on its line and in its columns, and makes no markup of a finding', () => {
    const text = fc.string({
      unit: fc.constantFrom('|', '\\', '\n', '\r', '\u2028', '<', '`', '[', '&', 'x', '\ud800'),
    });
    fc.assert(
      fc.property(text, (finding) => {
        const results = [sampleResult('1.1.1', { behavior: 'FAILED', finding })];
        const row = renderMarkdown({ ...data, results })
          .split('## Not OK\n\n')[1]!
          .trimEnd()
          .split('\n')[2]!;
        // A pipe counts unless an odd number of backslashes stands before it.
        expect(row.replace(/\\./g, '').match(/\|/g)).toHaveLength(7);
        expect(row).not.toMatch(/[<\r\u2028\ud800]/);
      }),
    );
    expect(escapeMarkdown('a_b *c* [d](e)')).toBe('a\\_b \\*c\\* \\[d\\](e)');
  });
});
