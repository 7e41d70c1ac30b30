import { describe, expect, it } from 'vitest';
import { indexOf } from '../../../src/conform/report/autobahn-json.js';
import {
  baselineOf,
  checkBaseline,
  formatDifferences,
  parseBaseline,
  serializeBaseline,
} from '../../../src/conform/report/baseline.js';
import { sampleData, sampleResult } from './sample.js';

const OK = { behavior: 'OK', behaviorClose: 'OK' };
const results = [
  sampleResult('1.1.1'),
  sampleResult('1.1.2', { behavior: 'FAILED', finding: 'Nothing came back.' }),
  sampleResult('1.10.1', { behavior: 'NON-STRICT' }),
];

describe('a baseline', () => {
  it('made of results fits them, before and after it was written to a file', () => {
    const baseline = baselineOf([...results].reverse());
    expect([...baseline.keys()]).toEqual(['1.1.1', '1.1.2', '1.10.1']);
    const read = parseBaseline(JSON.parse(serializeBaseline(baseline)));
    expect(read).toEqual(baseline);
    expect(checkBaseline(read, results)).toEqual([]);
    expect(formatDifferences([])).toBe('Every verdict is as the baseline expects.\n');
    expect(serializeBaseline(baseline).split('\n')).toHaveLength(6);
    expect(serializeBaseline(new Map())).toBe('{}\n');
  });

  it('finds every difference: worse, better, stale and missing', () => {
    const baseline = parseBaseline({
      '1.1.1': { behavior: 'FAILED', behaviorClose: 'OK', reason: 'known' },
      '1.1.2': OK,
      '9.1.1': OK,
    });
    const differences = checkBaseline(baseline, results);
    expect(differences.map(({ id, kind }) => [id, kind])).toEqual([
      ['1.1.1', 'better'],
      ['1.1.2', 'worse'],
      ['1.10.1', 'missing'],
      ['9.1.1', 'stale'],
    ]);
    expect(formatDifferences(differences)).toBe(
      [
        '1.1.1: unexpected pass: OK, expected was FAILED (known): update the baseline',
        '1.1.2: FAILED, expected was OK: Nothing came back.',
        '1.10.1: NON-STRICT, but does not stand in the baseline: add the entry',
        '9.1.1: stands in the baseline, but has no result: remove the entry',
        '',
      ].join('\n'),
    );
  });

  it('judges the end too, and a better one as well', () => {
    const baseline = parseBaseline({ '1.1.1': { behavior: 'OK', behaviorClose: 'UNCLEAN' } });
    expect(checkBaseline(baseline, [sampleResult('1.1.1')])).toMatchObject([{ kind: 'better' }]);
    const informational = [sampleResult('1.1.1', { behavior: 'INFORMATIONAL' })];
    expect(checkBaseline(parseBaseline({ '1.1.1': OK }), informational)).toMatchObject([{ kind: 'worse' }]);
  });

  it('does not judge entries of cases that were not selected', () => {
    const baseline = parseBaseline({ '1.1.1': OK, '2.1': OK, '1.9': OK });
    const differences = checkBaseline(baseline, [sampleResult('1.1.1')], (id) => id.startsWith('1.'));
    expect(differences).toMatchObject([{ id: '1.9', kind: 'stale' }]);
  });

  it('judges each role of an agent by itself', () => {
    const both = [
      sampleResult('1.1.1', { behavior: 'FAILED' }),
      sampleResult('1.1.1', { subject: 'client' }),
    ];
    expect(checkBaseline(parseBaseline({ '1.1.1': OK }), both)).toMatchObject([
      { agent: 'alpha (server)', kind: 'worse' },
    ]);
  });

  it('is not fulfilled by a run without results', () => {
    expect(checkBaseline(parseBaseline({ '1.1.1': OK }), [])).toMatchObject([{ kind: 'stale' }]);
  });

  it('keeps its reasons where the verdict stays, and drops them where it changed', () => {
    const earlier = parseBaseline({
      '1.1.1': { behavior: 'FAILED', behaviorClose: 'OK', reason: 'gone' },
      '1.1.2': { behavior: 'FAILED', behaviorClose: 'OK', reason: 'still so' },
    });
    const baseline = baselineOf(results, earlier);
    expect(baseline.get('1.1.1')).toEqual(OK);
    expect(baseline.get('1.1.2')!.reason).toBe('still so');
  });

  it('keeps what an earlier one says of cases that exist and did not run', () => {
    const earlier = parseBaseline({
      '1.1.1': { behavior: 'FAILED', behaviorClose: 'OK' },
      '1.1.2': { behavior: 'NON-STRICT', behaviorClose: 'OK' },
      '1.1.3': { behavior: 'OK', behaviorClose: 'OK' },
    });
    const now = baselineOf([sampleResult('1.1.1')], earlier, new Set(['1.1.1', '1.1.2']));
    expect([...now].map(([id, { behavior }]) => [id, behavior])).toEqual([
      ['1.1.1', 'OK'],
      ['1.1.2', 'NON-STRICT'],
    ]);
  });

  it('is of one agent', () => {
    expect(() => baselineOf([...results, sampleResult('1.1.1', { agent: 'beta' })])).toThrow(
      'a baseline is of one agent; these results are of "alpha (server)", "beta (server)"',
    );
  });

  it('may be an index.json: of its only agent, or of the one that has the name', () => {
    const index = indexOf(sampleData());
    expect(parseBaseline({ ws: index['beta 8.23'] }).size).toBe(parseBaseline(index, 'beta 8.23').size);
    expect(() => parseBaseline(index)).toThrow(
      'several agents ("alpha (server)", "beta 8.23", "alpha (client)")',
    );
    expect(() => parseBaseline(index, 'gamma')).toThrow('none of them is the one that was judged');
  });
});
