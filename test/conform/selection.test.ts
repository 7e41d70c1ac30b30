import { describe, expect, it } from 'vitest';
import type { ConformanceCase, Group } from '../../src/conform/case.js';
import type { Subject } from '../../src/conform/result.js';
import { SelectionError, selectCases } from '../../src/conform/selection.js';

function fake(id: string, group: Group, subjects: Subject[] = ['server', 'client']): ConformanceCase {
  return { id, group, subjects } as unknown as ConformanceCase;
}

const ALL = [
  fake('1.1.1', 'autobahn'),
  fake('1.2.1', 'autobahn'),
  fake('10.1.1', 'autobahn'),
  fake('masking.fresh-keys', 'masking', ['client']),
  fake('masking.every-length', 'masking'),
  fake('utf8.lone', 'utf8', ['server']),
  fake('robustness.flood', 'robustness'),
];

const idsOf = (selection: Omit<Parameters<typeof selectCases>[1], 'subject'>, subject: Subject = 'server') =>
  selectCases(ALL, { subject, ...selection }).map(({ id }) => id);

describe('a selection', () => {
  it.each([
    ['nothing: all but the attacks', {}, ['1.1.1', '1.2.1', '10.1.1', 'masking.every-length', 'utf8.lone']],
    ['one id', { cases: ['1.2.1'] }, ['1.2.1']],
    ['a number: what is below it, and no other number', { cases: ['1'] }, ['1.1.1', '1.2.1']],
    ['a number and a star', { cases: ['1.*'] }, ['1.1.1', '1.2.1']],
    ['a star without a dot: each that begins so', { cases: ['1*'] }, ['1.1.1', '1.2.1', '10.1.1']],
    ['a star in the middle', { cases: ['1*.1.1'] }, ['1.1.1', '10.1.1']],
    ['several, in the order of the suite', { cases: ['utf8.*', '1.1'] }, ['1.1.1', 'utf8.lone']],
    ['what is excluded', { exclude: ['1', 'utf8.*'] }, ['10.1.1', 'masking.every-length']],
    ['what is asked for and excluded', { cases: ['1'], exclude: ['1.2'] }, ['1.1.1']],
    ['groups', { groups: ['utf8', 'masking'] }, ['masking.every-length', 'utf8.lone']],
    ['the group of attacks', { groups: ['robustness'] }, ['robustness.flood']],
    ['an attack by name', { cases: ['robustness.*'] }, ['robustness.flood']],
    [
      'a group and a pattern: what is in both',
      { groups: ['autobahn'], cases: ['*.1.1'] },
      ['1.1.1', '10.1.1'],
    ],
  ] as const)('of %s', (_name, selection, ids) => {
    expect(idsOf(selection as Parameters<typeof idsOf>[0])).toEqual(ids);
  });

  it('takes a dot for a dot', () => {
    const all = [fake('1.2', 'autobahn'), fake('1x2', 'autobahn')];
    expect(selectCases(all, { subject: 'server', cases: ['1.2'] })).toEqual([all[0]]);
  });

  it('has only what can judge the subject', () => {
    expect(idsOf({ cases: ['masking'] }, 'client')).toEqual(['masking.fresh-keys', 'masking.every-length']);
    expect(idsOf({ cases: ['masking'] }, 'server')).toEqual(['masking.every-length']);
  });

  it.each([
    ['an id that is none', { cases: ['99.9'] }, '"99.9"'],
    ['an exclusion that excludes nothing', { exclude: ['nothing.*'] }, '"nothing.*"'],
    ['a case of the other subject', { cases: ['masking.fresh-keys'] }, 'for a server'],
    ['an empty pattern', { cases: [''] }, '""'],
    ['characters of regular expressions, which mean themselves', { cases: ['1.1.[1]'] }, '1.1.[1]'],
    ['a group that is none', { groups: ['bogus' as Group] }, '"bogus"'],
  ])('fails for %s, and says so', (_name, selection, words) => {
    expect(() => idsOf(selection)).toThrow(SelectionError);
    expect(() => idsOf(selection)).toThrow(words);
  });
});
