import { isUtf8 } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { isValidUtf8, Utf8Validator } from '../../src/wire/utf8.js';

const VALID: [string, number[]][] = [
  ['nothing', []],
  ['U+0000', [0x00]],
  ['U+007F', [0x7f]],
  ['U+0080', [0xc2, 0x80]],
  ['U+07FF', [0xdf, 0xbf]],
  ['U+0800', [0xe0, 0xa0, 0x80]],
  ['U+D7FF', [0xed, 0x9f, 0xbf]],
  ['U+E000', [0xee, 0x80, 0x80]],
  ['U+FFFD', [0xef, 0xbf, 0xbd]],
  ['U+FFFE, a noncharacter', [0xef, 0xbf, 0xbe]],
  ['U+10000', [0xf0, 0x90, 0x80, 0x80]],
  ['U+10FFFF', [0xf4, 0x8f, 0xbf, 0xbf]],
  ['the κόσμε of Kuhn', [0xce, 0xba, 0xe1, 0xbd, 0xb9, 0xcf, 0x83, 0xce, 0xbc, 0xce, 0xb5]],
  ['a byte order mark', [0xef, 0xbb, 0xbf]],
];

/** With the index of the first byte that cannot stand where it does. */
const INVALID: [string, number[], number][] = [
  ['a lone continuation 80', [0x80], 0],
  ['a lone continuation BF', [0xbf], 0],
  ['overlong C0 80', [0xc0, 0x80], 0],
  ['overlong C1 BF', [0xc1, 0xbf], 0],
  ['overlong E0 80 80', [0xe0, 0x80, 0x80], 1],
  ['overlong E0 9F BF', [0xe0, 0x9f, 0xbf], 1],
  ['overlong F0 80 80 80', [0xf0, 0x80, 0x80, 0x80], 1],
  ['overlong F0 8F BF BF', [0xf0, 0x8f, 0xbf, 0xbf], 1],
  ['the surrogate U+D800', [0xed, 0xa0, 0x80], 1],
  ['the surrogate U+DFFF', [0xed, 0xbf, 0xbf], 1],
  ['U+110000', [0xf4, 0x90, 0x80, 0x80], 1],
  ['the lead F5', [0xf5, 0x80, 0x80, 0x80], 0],
  ['the byte FE', [0xfe], 0],
  ['the byte FF', [0xff], 0],
  ['a lead after a lead of two', [0xc2, 0xc2], 1],
  ['ASCII after a lead of three', [0xe2, 0x41], 1],
  ['ASCII within three', [0xe2, 0x82, 0x41], 2],
  ['ASCII within four', [0xf0, 0x9f, 0x98, 0x41], 3],
];

const UNFINISHED: [string, number[]][] = [
  ['C2', [0xc2]],
  ['E2', [0xe2]],
  ['E2 82', [0xe2, 0x82]],
  ['F0', [0xf0]],
  ['F0 9F', [0xf0, 0x9f]],
  ['F0 9F 98', [0xf0, 0x9f, 0x98]],
];

const ALL: [string, number[]][] = [
  ...VALID,
  ...INVALID.map(([name, bytes]): [string, number[]] => [name, bytes]),
  ...UNFINISHED,
];

function judge(validator: Utf8Validator, parts: Uint8Array[]): boolean {
  return parts.every((part) => validator.push(part)) && validator.isComplete;
}

describe('isValidUtf8', () => {
  it.each(VALID)('[RFC6455-8.1-1] both roles, %s -> valid', (_, bytes) => {
    expect(isValidUtf8(Uint8Array.from(bytes))).toBe(true);
  });

  it.each(INVALID)('[RFC6455-8.1-1] both roles, %s -> invalid', (_, bytes) => {
    expect(isValidUtf8(Uint8Array.from(bytes))).toBe(false);
  });

  it.each(UNFINISHED)('[RFC6455-8.1-1] both roles, unfinished %s -> invalid', (_, bytes) => {
    expect(isValidUtf8(Uint8Array.from(bytes))).toBe(false);
  });

  it('agrees with the native check on every sequence of two bytes', () => {
    for (let pair = 0; pair < 65536; pair++) {
      const bytes = Uint8Array.of(pair >> 8, pair & 0xff);
      if (isValidUtf8(bytes) !== isUtf8(bytes)) expect.fail(`differs for ${pair.toString(16)}`);
    }
  });

  it('agrees with the native check on leads of three and four with every second byte and edge values behind', () => {
    const edges = [0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff];
    for (let lead = 0xe0; lead <= 0xf7; lead++) {
      for (let second = 0; second < 256; second++) {
        for (const third of edges) {
          for (const fourth of edges) {
            const bytes = Uint8Array.of(lead, second, third, fourth);
            if (isValidUtf8(bytes) !== isUtf8(bytes))
              expect.fail(`differs for ${Buffer.from(bytes).toString('hex')}`);
          }
        }
      }
    }
  });
});

describe('Utf8Validator', () => {
  it.each(INVALID)('fails at the first bad byte: %s', (_, bytes, bad) => {
    const validator = new Utf8Validator();
    const results = bytes.slice(0, bad + 1).map((byte) => validator.push(Uint8Array.of(byte)));
    expect(results).toEqual([...Array(bad).fill(true), false]);
  });

  it.each(ALL)(
    'native-assisted agrees with the plain one at every place, cut anywhere: %s',
    (_, sequence) => {
      for (let before = 0; before <= 40; before++) {
        for (const after of [0, 1, 2, 40]) {
          const bytes = Buffer.concat([
            Buffer.alloc(before, 'a'),
            Uint8Array.from(sequence),
            Buffer.alloc(after, 'z'),
          ]);
          const expected = isValidUtf8(bytes);
          expect(expected).toBe(isUtf8(bytes));
          expect(judge(new Utf8Validator(isUtf8), [bytes])).toBe(expected);
          for (let cut = Math.max(0, before - 1); cut <= before + sequence.length + 1; cut++) {
            const parts = [bytes.subarray(0, cut), bytes.subarray(cut)];
            if (judge(new Utf8Validator(), parts) !== expected) expect.fail(`plain, cut at ${cut}`);
            if (judge(new Utf8Validator(isUtf8), parts) !== expected) expect.fail(`native, cut at ${cut}`);
          }
        }
      }
    },
  );

  it('native-assisted agrees with the plain one for lengths 0-130 at offsets 0-7 of three-byte text', () => {
    const text = Buffer.from('€'.repeat(60));
    for (let offset = 0; offset < 8; offset++) {
      for (let length = 0; length <= 130; length++) {
        const native = new Utf8Validator(isUtf8);
        const plain = new Utf8Validator();
        const results = [native, plain].map((validator) => [
          validator.push(text, offset, offset + length),
          validator.isComplete,
        ]);
        expect(results[0]).toEqual(results[1]);
      }
    }
  });

  it('looks at nothing outside the range', () => {
    const bytes = Uint8Array.of(0xff, 0x41, 0xe2, 0x82, 0xac, 0xff);
    const validator = new Utf8Validator();
    expect([validator.push(bytes, 1, 5), validator.isComplete]).toEqual([true, true]);
  });

  it('hands long stretches to the native check, from a boundary to a boundary', () => {
    const seen: string[] = [];
    const validator = new Utf8Validator((bytes) => {
      seen.push(Buffer.from(bytes).toString());
      return isUtf8(bytes);
    });
    const bytes = Buffer.from(`${'€'.repeat(11)}😀`);
    expect(validator.push(bytes, 0, 2)).toBe(true);
    expect(validator.push(bytes, 2, 36)).toBe(true);
    expect(validator.isComplete).toBe(false);
    expect(seen).toEqual(['€'.repeat(10)]);
    expect(validator.push(bytes, 36)).toBe(true);
    expect(validator.isComplete).toBe(true);
  });

  it('reset forgets an unfinished sequence and its narrowed range', () => {
    const validator = new Utf8Validator();
    validator.push(Uint8Array.of(0xe0));
    validator.reset();
    expect(validator.isComplete).toBe(true);
    expect(validator.push(Uint8Array.of(0xe1, 0x80, 0x80))).toBe(true);
  });
});
