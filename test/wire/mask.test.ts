import { describe, expect, it } from 'vitest';
import {
  applyMask,
  applyMaskBytewise,
  copyMasked,
  readMaskingKey,
  rotateMaskingKey,
  wordsOf,
  writeMaskingKey,
} from '../../src/wire/mask.js';

const KEY = 0x3d21fa37;
const KEY_BYTES = [0x37, 0xfa, 0x21, 0x3d];

function counting(length: number, offset: number): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(offset + length + 8), offset, length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + 3) & 0xff;
  return bytes;
}

/** §5.3 once more, by the letter. */
function definition(bytes: Uint8Array, start: number, end: number, key: number[]): number[] {
  return Array.from(bytes, (byte, i) => (i >= start && i < end ? byte ^ key[(i - start) % 4]! : byte));
}

describe('applyMask', () => {
  it('[RFC6455-5.3-5] both roles, mask the Hello of §5.7 -> its bytes', () => {
    const bytes = new TextEncoder().encode('Hello');
    applyMask(bytes, 0, 5, KEY);
    expect([...bytes]).toEqual([0x7f, 0x9f, 0x4d, 0x51, 0x58]);
  });

  for (let offset = 0; offset < 8; offset++) {
    it(`[RFC6455-5.3-5] both roles, mask at address ${offset} mod 8, lengths 0-130 -> same as octet by octet`, () => {
      for (let length = 0; length <= 130; length++) {
        for (const words of [false, true]) {
          const bytes = counting(length, offset);
          const expected = definition(bytes, 0, length, KEY_BYTES);
          applyMask(bytes, 0, length, KEY, words ? wordsOf(bytes) : undefined);
          expect([...bytes]).toEqual(expected);
        }
      }
    });

    it(`[RFC6455-5.3-5] both roles, mask a range at address ${offset} mod 8 -> no byte outside is touched`, () => {
      for (let start = 0; start < 8; start++) {
        for (let length = 0; length <= 130; length += 1) {
          const bytes = counting(start + length + 5, offset);
          const expected = definition(bytes, start, start + length, KEY_BYTES);
          applyMask(bytes, start, start + length, KEY, wordsOf(bytes));
          expect([...bytes]).toEqual(expected);
        }
      }
    });
  }

  it('[RFC6455-5.3-5] both roles, mask twice -> the original', () => {
    const bytes = counting(1100, 3);
    const original = [...bytes];
    applyMask(bytes, 0, 1100, KEY);
    expect([...bytes]).not.toEqual(original);
    applyMask(bytes, 0, 1100, KEY);
    expect([...bytes]).toEqual(original);
  });

  it('[RFC6455-5.3-5] both roles, lengths 0-1100 -> same as octet by octet', () => {
    for (let length = 0; length <= 1100; length++) {
      const fast = counting(length, 1);
      const plain = counting(length, 1);
      applyMask(fast, 0, length, -0x01234568);
      applyMaskBytewise(plain, 0, length, -0x01234568);
      expect(Buffer.compare(fast, plain)).toBe(0);
    }
  });
});

describe('applyMaskBytewise', () => {
  it('agrees with the definition for every range', () => {
    for (let start = 0; start < 6; start++) {
      for (let end = start; end < 12; end++) {
        const bytes = counting(12, 0);
        const expected = definition(bytes, start, end, KEY_BYTES);
        applyMaskBytewise(bytes, start, end, KEY);
        expect([...bytes]).toEqual(expected);
      }
    }
  });
});

describe('masking keys as integers', () => {
  it('readMaskingKey takes the first octet as the lowest byte', () => {
    expect(readMaskingKey(new Uint8Array([0, ...KEY_BYTES]), 1)).toBe(KEY);
  });

  it('writeMaskingKey is its inverse, also for keys with the highest bit set', () => {
    for (const key of [KEY, 0, -1, -0x80000000, 0x7fffffff]) {
      const bytes = new Uint8Array(6);
      writeMaskingKey(bytes, 1, key);
      expect(readMaskingKey(bytes, 1)).toBe(key);
      expect([bytes[0], bytes[5]]).toEqual([0, 0]);
    }
  });

  it('rotateMaskingKey makes the octet of a position the lowest byte', () => {
    for (let position = 0; position < 9; position++) {
      const rotated = rotateMaskingKey(KEY, position);
      expect(rotated & 0xff).toBe(KEY_BYTES[position % 4]);
      expect((rotated >>> 24) & 0xff).toBe(KEY_BYTES[(position + 3) % 4]);
    }
  });

  it('masking in two parts with a rotated key is masking in one', () => {
    for (let cut = 0; cut <= 40; cut++) {
      const parts = counting(40, 0);
      const whole = counting(40, 0);
      applyMask(whole, 0, 40, KEY);
      applyMask(parts, 0, cut, KEY);
      applyMask(parts, cut, 40, rotateMaskingKey(KEY, cut));
      expect([...parts]).toEqual([...whole]);
    }
  });
});

describe('wordsOf', () => {
  it('begins at the first address that is a multiple of 4 and ends within the bytes', () => {
    for (let offset = 0; offset < 8; offset++) {
      for (let length = 0; length < 20; length++) {
        const bytes = counting(length, offset);
        const words = wordsOf(bytes);
        if (words.length === 0) {
          expect(length - ((4 - (offset % 4)) % 4)).toBeLessThan(4);
          continue;
        }
        expect(words.byteOffset % 4).toBe(0);
        expect(words.byteOffset - offset).toBeLessThan(4);
        expect(words.byteOffset + words.byteLength).toBeLessThanOrEqual(offset + length);
        expect(words.byteOffset + words.byteLength + 4).toBeGreaterThan(offset + length);
      }
    }
  });
});

describe('copyMasked', () => {
  it('[RFC6455-5.3-5] both roles, any length, source and target at any address -> masked copy, nothing else touched', () => {
    const small = Array.from({ length: 133 }, (_, length) => length);
    for (const length of [...small, 511, 512, 513, 3000, 16_384, 16_385, 40_001]) {
      for (let from = 0; from < 4; from++) {
        for (let at = 0; at < 4; at++) {
          const source = counting(from + length + 3, 1);
          const original = Uint8Array.from(source);
          const target = counting(at + length + 3, 2);
          const expected = Uint8Array.from(target);
          expected.set(source.subarray(from, from + length), at);
          applyMaskBytewise(expected, at, at + length, KEY);
          copyMasked(source, from, from + length, target, at, KEY);
          expect(Buffer.compare(target, expected)).toBe(0);
          expect(Buffer.compare(source, original)).toBe(0);
        }
      }
    }
  });
});
