import { describe, expect, it } from 'vitest';
import { compareResults, formatChanges } from '../../../src/conform/report/compare.js';
import { parseVerdicts, verdictsOf } from '../../../src/conform/report/verdict-table.js';
import { sampleResult } from './sample.js';

const OK = { behavior: 'OK', behaviorClose: 'OK' };
const LATE = { behavior: 'NON-STRICT', behaviorClose: 'OK' };
const UNCLEAN = { behavior: 'OK', behaviorClose: 'UNCLEAN' };
const FAILED = { behavior: 'FAILED', behaviorClose: 'OK' };

function compare(before: unknown, after: unknown) {
  return compareResults(parseVerdicts(before), parseVerdicts(after));
}

describe('a comparison of two runs', () => {
  it('lists what became worse or better, what is new and what is gone, in the order of the suite', () => {
    const before = { a: { '1.10.1': OK, '1.2.1': LATE, '2.1': OK, '3.1': UNCLEAN, '4.1': OK } };
    const after = { a: { '1.10.1': FAILED, '1.2.1': OK, '2.1': UNCLEAN, '3.1': UNCLEAN, 'x.y': OK } };
    const changes = compare(before, after);
    expect(changes.map(({ id, kind }) => `${id} ${kind}`)).toEqual([
      '1.2.1 better',
      '1.10.1 worse',
      '2.1 worse',
      '4.1 gone',
      'x.y new',
    ]);
    expect(formatChanges(changes)).toBe(
      [
        'a: 2 worse, 1 better, 1 new, 1 gone',
        '  better 1.2.1   NON-STRICT -> OK',
        '  worse  1.10.1  OK -> FAILED',
        '  worse  2.1     OK -> OK, close UNCLEAN',
        '  gone   4.1     OK',
        '  new    x.y     OK',
        '',
      ].join('\n'),
    );
  });

  it('matches agents by name, and compares two single agents whatever they are called', () => {
    expect(compare({ a: { 1: OK }, b: { 1: OK } }, { b: { 1: FAILED }, c: { 1: OK } })).toMatchObject([
      { agent: 'a', kind: 'gone' },
      { agent: 'b', kind: 'worse' },
      { agent: 'c', kind: 'new' },
    ]);
    expect(compare({ 'ws 8.22': { 1: FAILED } }, { 'ws 8.23': { 1: OK } })).toMatchObject([
      { agent: 'ws 8.23', kind: 'better' },
    ]);
    expect(compare({ 1: OK }, { 'ws 8.23': { 1: OK } })).toEqual([]);
  });

  it('takes results as well as files', () => {
    const changes = compareResults(verdictsOf([sampleResult('1.1.1')]), parseVerdicts({ '1.1.1': FAILED }));
    expect(changes).toMatchObject([{ id: '1.1.1', kind: 'worse', before: OK, after: FAILED }]);
  });

  it('keeps the two roles of an agent apart', () => {
    const results = [sampleResult('1.1.1'), sampleResult('1.1.1', { subject: 'client', behavior: 'FAILED' })];
    const changes = compareResults(verdictsOf(results), verdictsOf([...results].reverse()));
    expect(changes).toEqual([]);
    expect([...verdictsOf(results).keys()]).toEqual(['alpha (server)', 'alpha (client)']);
  });

  it('says so when nothing changed', () => {
    expect(formatChanges([])).toBe('No verdict changed.\n');
  });

  it('writes no control characters of a name to the terminal', () => {
    const text = formatChanges(compare({ a: { 1: OK }, b: {} }, { '\x1b[2J\u202e': { 1: OK }, b: {} }));
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
  });
});

describe('a file of verdicts', () => {
  it.each([
    ['no object', null, 'the file: an object was expected'],
    ['empty', {}, 'there are no verdicts in the file'],
    ['of numbers', { a: 1 }, 'agent "a": an object was expected'],
    ['with a case that is none', { a: { '1.1.1': 1 } }, 'agent "a", case "1.1.1": an object was expected'],
    ['without behaviorClose', { '1.1.1': { behavior: 'OK' } }, 'case "1.1.1": behaviorClose is missing'],
    ['with another reason', { '1.1.1': { ...OK, reason: 1 } }, 'case "1.1.1": reason is not a string'],
    [
      'with a long word',
      { '1.1.1': { ...OK, behavior: 'x'.repeat(1e5) } },
      /behavior is "x{79}…; it can be OK/,
    ],
  ])('is refused where it is %s', (_, value, message) => {
    expect(() => parseVerdicts(value)).toThrow(message);
  });
});
