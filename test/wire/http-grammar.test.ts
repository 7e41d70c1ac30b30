import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CHARACTER_CLASS,
  isFieldValue,
  isToken,
  listHasToken,
  parseQuotedString,
  splitList,
  TARGET_CHARACTER,
  TOKEN_CHARACTER,
  tokenEnd,
  trimWhitespace,
  VALUE_CHARACTER,
  whitespaceEnd,
} from '../../src/wire/http-grammar.js';
import { countingText } from '../support/counting.js';

const charactersOf = (characterClass: number) =>
  Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
    .filter((_, code) => (CHARACTER_CLASS[code]! & characterClass) !== 0)
    .join('');

describe('character table', () => {
  it('tokens are made of the 77 tchar of RFC 9110', () => {
    const expected = "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~";
    expect(charactersOf(TOKEN_CHARACTER)).toBe(expected);
    expect(expected).toHaveLength(77);
  });

  it('field values have no control character but the tab', () => {
    const values = charactersOf(VALUE_CHARACTER);
    expect(values).toHaveLength(256 - 32 - 1 + 1);
    for (const control of ['\0', '\r', '\n', '\x01', '\x1f', '\x7f']) expect(values).not.toContain(control);
    for (const allowed of ['\t', ' ', '~', '\x80', '\xff']) expect(values).toContain(allowed);
  });

  it('request targets are visible ASCII', () => {
    const targets = charactersOf(TARGET_CHARACTER);
    expect([targets[0], targets.at(-1), targets.length]).toEqual(['!', '~', 94]);
  });
});

describe('isToken', () => {
  it.each(['a', 'permessage-deflate', 'constructor', '__proto__', "!#$%&'*+-.^_`|~09azAZ"])(
    '%j is one',
    (text) => {
      expect(isToken(text)).toBe(true);
    },
  );

  it.each([
    '',
    ' ',
    'a b',
    'a,b',
    'a;b',
    'a=b',
    '"a"',
    'a/b',
    '(a)',
    '<a>',
    '@',
    '[',
    '\\',
    '{',
    '\r',
    'é',
    '\u0100',
    '😀',
  ])('%j is none', (text) => {
    expect(isToken(text)).toBe(false);
  });
});

describe('isFieldValue', () => {
  it.each(['', 'a b\tc', 'obs-text \x80\xff', '"'])('%j is one', (text) => {
    expect(isFieldValue(text)).toBe(true);
  });

  it.each(['a\rb', 'a\nb', 'a\0', '\x7f', '\x1b', '\u0100', '\u010a', '😀'])('%j is none', (text) => {
    expect(isFieldValue(text)).toBe(false);
  });
});

describe('ends and whitespace', () => {
  it('tokenEnd stops at the first character that is not in a token', () => {
    expect(tokenEnd('ab, c', 0)).toBe(2);
    expect(tokenEnd('ab, c', 2)).toBe(2);
    expect(tokenEnd('ab, c', 4)).toBe(5);
    expect(tokenEnd('a\u0100', 0)).toBe(1);
  });

  it('whitespaceEnd skips spaces and tabs only', () => {
    expect(whitespaceEnd('a \t b', 1)).toBe(4);
    expect(whitespaceEnd(' \n', 0)).toBe(1);
    expect(whitespaceEnd('', 0)).toBe(0);
  });

  it('trimWhitespace keeps what String.prototype.trim would remove besides spaces and tabs', () => {
    expect(trimWhitespace(' \ta b\t ')).toBe('a b');
    expect(trimWhitespace('\xa0a\n')).toBe('\xa0a\n');
    expect(trimWhitespace(' \t ')).toBe('');
  });
});

describe('splitList', () => {
  it.each([
    ['', []],
    [' , ,, ', []],
    ['a', ['a']],
    ['keep-alive, Upgrade', ['keep-alive', 'Upgrade']],
    [' a ,\tb\t,c', ['a', 'b', 'c']],
    ['a; b="c,d", e', ['a; b="c,d"', 'e']],
    ['a; b="c\\",d", e', ['a; b="c\\",d"', 'e']],
    ['a; b="never ends, c', ['a; b="never ends, c']],
    ['a\\,b', ['a\\', 'b']],
    ['"\\', ['"\\']],
  ])('%j has the elements %j', (value, elements) => {
    expect(splitList(value)).toEqual(elements);
  });

  it('gives back any list of tokens', () => {
    const token = fc.string({ unit: fc.constantFrom(...charactersOf(TOKEN_CHARACTER)), minLength: 1 });
    fc.assert(
      fc.property(fc.array(token), fc.constantFrom(',', ', ', ' ,\t'), (tokens, separator) => {
        expect(splitList(tokens.join(separator))).toEqual(tokens);
      }),
    );
  });
});

describe('listHasToken', () => {
  it.each(['Upgrade', 'upgrade', 'keep-alive, UPGRADE', 'a,upgrade ,b'])('%j has "upgrade"', (value) => {
    expect(listHasToken(value, 'upgrade')).toBe(true);
  });

  it.each(['', 'close', 'upgrade2', 'up grade', '"a, upgrade"'])('%j does not have "upgrade"', (value) => {
    expect(listHasToken(value, 'upgrade')).toBe(false);
  });
});

describe('parseQuotedString', () => {
  it.each([
    ['"10"', 0, { value: '10', end: 4 }],
    ['""', 0, { value: '', end: 2 }],
    ['a="b c" ', 2, { value: 'b c', end: 7 }],
    ['"a\\"b\\\\"x', 0, { value: 'a"b\\', end: 8 }],
    ['"\\a\\b"', 0, { value: 'ab', end: 6 }],
  ])('%j from %i is %j', (text, from, result) => {
    expect(parseQuotedString(text, from)).toEqual(result);
  });

  it.each(['', 'a', '"', '"a', '"a\\', '"a\\"', '"\n"', '"\\\n"', '"\u0100"'])('%j is none', (text) => {
    expect(parseQuotedString(text, 0)).toBeUndefined();
  });

  it('gives back any text that was quoted', () => {
    const character = fc.constantFrom(...charactersOf(VALUE_CHARACTER));
    fc.assert(
      fc.property(fc.string({ unit: character }), (value) => {
        const quoted = `"${value.replace(/["\\]/g, '\\$&')}"`;
        expect(parseQuotedString(quoted, 0)).toEqual({ value, end: quoted.length });
      }),
    );
  });
});

describe('hostile values cost linear time', () => {
  const spaces = `b${' '.repeat(16 * 1024)}x`;
  const escapes = `"${'\\c'.repeat(8 * 1024)}`;
  const quotes = '"a,'.repeat(5 * 1024);

  it.each([
    ['splitList', splitList, spaces],
    ['splitList', splitList, escapes],
    ['splitList', splitList, quotes],
    ['splitList', splitList, ','.repeat(16 * 1024)],
    ['parseQuotedString', (text: string) => parseQuotedString(text, 0), escapes],
    ['trimWhitespace', trimWhitespace, ' '.repeat(16 * 1024)],
    ['tokenEnd', (text: string) => tokenEnd(text, 0), 'a'.repeat(16 * 1024)],
  ])('%s reads each character of 16 KiB at most a few times', (_, read, text) => {
    const { counted, reads } = countingText(text);
    read(counted);
    expect(reads()).toBeLessThanOrEqual(4 * text.length);
    expect(reads()).toBeGreaterThan(0);
  });
});
