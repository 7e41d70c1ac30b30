import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as npmWs from 'ws';
import { formatExtensions, parseExtensions } from '../../src/wire/extension-header.js';
import { countingText } from '../support/counting.js';

// @types/ws leave it out.
const { extension: ws } = npmWs as unknown as {
  extension: { parse(header: string): object; format(extensions: object): string };
};

/** The result, or the error's class and text. */
function outcome(action: () => unknown): unknown {
  try {
    return JSON.stringify(action());
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

function plain(extensions: Record<string, Record<string, unknown>[]>): unknown {
  return JSON.parse(JSON.stringify(extensions));
}

describe('parseExtensions', () => {
  it.each([
    ['one name', 'foo', { foo: [{}] }],
    ['several names', 'foo, bar', { foo: [{}], bar: [{}] }],
    ['no space behind the comma', 'foo,bar', { foo: [{}], bar: [{}] }],
    [
      'tabs and spaces around separators',
      'foo \t;\ta=1 ,  bar\t; b',
      { foo: [{ a: ['1'] }], bar: [{ b: [true] }] },
    ],
    ['a flag', 'foo; a', { foo: [{ a: [true] }] }],
    ['values', 'foo; a=1; b=two', { foo: [{ a: ['1'], b: ['two'] }] }],
    ['the same name again', 'foo; a, foo; b', { foo: [{ a: [true] }, { b: [true] }] }],
    ['the same parameter again', 'foo; a=1; a; a=2', { foo: [{ a: ['1', true, '2'] }] }],
    ['a number for a name', '0; 1=2', { 0: [{ 1: ['2'] }] }],
  ])(
    '[RFC6455-9.1-1] [RFC6455-9.1-8] any role, %s -> names, parameters and values in order',
    (_, header, expected) => {
      expect(plain(parseExtensions(header))).toEqual(expected);
    },
  );

  it.each([
    ['foo; a="1"', '1'],
    ['foo; a="b\\c"', 'bc'],
    ['foo; a="\\b\\c"', 'bc'],
    ['foo; a="\\b" ; d', 'b'],
  ])('[RFC6455-9.1-2] [RFC6455-4.3-1] any role, quoted value %s -> its unescaped text', (header, value) => {
    expect(parseExtensions(header).foo![0]!.a).toEqual([value]);
  });

  it.each([
    ['', 'Unexpected end of input'],
    [' ', 'Unexpected character at index 0'],
    [' foo', 'Unexpected character at index 0'],
    ['foo ', 'Unexpected end of input'],
    ['foo,', 'Unexpected end of input'],
    ['foo, ', 'Unexpected end of input'],
    [',', 'Unexpected character at index 0'],
    ['foo,,bar', 'Unexpected character at index 4'],
    ['foo;;', 'Unexpected character at index 4'],
    ['foo;', 'Unexpected end of input'],
    ['foo; a=', 'Unexpected end of input'],
    ['foo; a=,', 'Unexpected character at index 7'],
    ['foo; =1', 'Unexpected character at index 5'],
    ['foo; a =1', 'Unexpected character at index 7'],
    ['foo; a= 1', 'Unexpected character at index 7'],
    ['foo bar', 'Unexpected character at index 4'],
    ['foo; a b', 'Unexpected character at index 7'],
    ['foo; a=1 2', 'Unexpected character at index 9'],
    ['foo=1', 'Unexpected character at index 3'],
    ['f\u00f6\u00f6', 'Unexpected character at index 1'],
    ['\u{1f600}', 'Unexpected character at index 0'],
    ['foo\r\nbar', 'Unexpected character at index 3'],
  ])('[RFC6455-9.1-1] any role, %j -> SyntaxError that says where', (header, message) => {
    expect(() => parseExtensions(header)).toThrow(new SyntaxError(message));
  });

  it.each([
    ['foo; a=""', 'Unexpected character at index 8'],
    ['foo; a="1 2"', 'Unexpected character at index 9'],
    ['foo; a="1,2"', 'Unexpected character at index 9'],
    ['foo; a="\\""', 'Unexpected character at index 9'],
    ['foo; a="\\\\"', 'Unexpected character at index 9'],
    ['foo; a="1"2', 'Unexpected character at index 10'],
    ['foo; a=1"2"', 'Unexpected character at index 8'],
    ['foo; a="1', 'Unexpected end of input'],
    ['foo; a="1\\', 'Unexpected end of input'],
    ['foo; a="1" ', 'Unexpected end of input'],
  ])(
    '[RFC6455-9.1-2] [RFC6455-4.3-1] any role, %j is not a quoted token -> SyntaxError that says where',
    (header, message) => {
      expect(() => parseExtensions(header)).toThrow(new SyntaxError(message));
    },
  );

  it.each(['constructor', '__proto__', 'hasOwnProperty', 'toString', 'valueOf'])(
    'any role, %s as a name -> a name like any other',
    (name) => {
      const parsed = parseExtensions(`${name}; ${name}=1; ${name}, ${name}`);
      expect(Object.getPrototypeOf(parsed)).toBe(null);
      expect(Object.keys(parsed)).toEqual([name]);
      const offers = Object.values(parsed)[0]!;
      expect(offers.map((params) => Object.getPrototypeOf(params))).toEqual([null, null]);
      expect(offers.map((params) => Object.entries(params))).toEqual([[[name, ['1', true]]], []]);
    },
  );

  it('any role, any text made of what matters to the grammar -> what ws makes of it', () => {
    const piece = fc.constantFrom(
      'a',
      'B9',
      '-',
      ' ',
      '\t',
      ';',
      ',',
      '=',
      '"',
      '\\',
      '=',
      '; ',
      ', ',
      '="',
      '\u00e9',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const header = pieces.join('');
        expect(outcome(() => parseExtensions(header))).toBe(outcome(() => ws.parse(header)));
      }),
      { numRuns: 20_000 },
    );
  });

  // CVE-2020-7662 and CVE-2021-32640 were headers like these
  it.each([
    ['a long name', 'b'.repeat(16_384)],
    ['whitespace behind a name', `b${' '.repeat(16_384)}x`],
    ['an open quote with escapes', `a; b="${'\\c'.repeat(8192)}`],
    ['parameters', `a${'; b'.repeat(4096)}`],
    ['elements', `${'a, '.repeat(4096)}a`],
  ])('any role, %s, 16 KiB -> no character is read more than four times', (_, header) => {
    const { counted, reads } = countingText(header);
    const result = outcome(() => parseExtensions(counted));
    expect(reads()).toBeGreaterThan(header.length / 2);
    expect(reads()).toBeLessThanOrEqual(4 * header.length);
    expect(String(result)).not.toContain('TypeError');
  });
});

describe('formatExtensions', () => {
  it.each([
    ['nothing', {}],
    ['a name', { foo: {} }],
    ['a flag and values', { foo: { a: true, b: 1, c: 'x' } }],
    ['lists of values', { foo: [{ a: ['1', true, 2] }, {}], bar: [{ b: [true] }] }],
  ])('any role, %s -> what ws writes', (_, extensions) => {
    expect(formatExtensions(extensions as never)).toBe(ws.format(extensions));
  });

  it('any role, whatever was parsed -> parses to the same', () => {
    const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}$/);
    const params = fc.dictionary(
      token,
      fc.array(fc.oneof(token, fc.constant(true)), { minLength: 1, maxLength: 3 }),
    );
    const extensions = fc.dictionary(token, fc.array(params, { minLength: 1, maxLength: 3 }), { minKeys: 1 });
    fc.assert(
      fc.property(extensions, (given) => {
        const text = formatExtensions(given as never);
        expect(text).toBe(ws.format(given));
        expect(parseExtensions(text)).toEqual(given);
      }),
    );
  });
});
