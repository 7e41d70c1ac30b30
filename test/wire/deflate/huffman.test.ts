import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildCode, CODE_LENGTH_MASK, codesOf, listSymbols } from '../../../src/wire/deflate/huffman.js';
import { FIXED_LITERAL_LENGTHS } from '../../../src/wire/deflate/symbols.js';

/** The codes for frequencies as strings of bits, and what `buildCode` says they take. */
function codesFor(frequencies: number[], maxBits: number) {
  const counts = Uint16Array.from(frequencies);
  const symbols = new Uint16Array(counts.length);
  const count = listSymbols(counts, counts.length, symbols);
  const codes = new Int32Array(counts.length);
  const bits = buildCode(counts, symbols, count, maxBits, codes);
  return { bits, codes: Array.from(symbols.subarray(0, count), (symbol) => bitsOf(codes[symbol]!)) };
}

/** In the order in which the bits go out. */
function bitsOf(code: number): string {
  const length = code & CODE_LENGTH_MASK;
  return Array.from({ length }, (_, bit) => (code >> (4 + bit)) & 1).join('');
}

/** What the best code takes, found the plain way: each merge of the two lightest makes all below it a bit longer. */
function leastBits(frequencies: number[]): number {
  const weights = frequencies.filter((frequency) => frequency > 0);
  if (weights.length === 1) return weights[0]!;
  let bits = 0;
  while (weights.length > 1) {
    weights.sort((a, b) => b - a);
    const merged = weights.pop()! + weights.pop()!;
    bits += merged;
    weights.push(merged);
  }
  return bits;
}

const fractionOf = (codes: string[]) => codes.reduce((sum, code) => sum + 2 ** -code.length, 0);

describe('buildCode', () => {
  it('any frequencies -> codes of which none begins another, that fill the space, in the order of §3.2.2, and none is better', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 3000 })), {
          minLength: 2,
          maxLength: 286,
        }),
        (frequencies) => {
          const present = frequencies.filter((frequency) => frequency > 0);
          fc.pre(present.length > 1);
          const { bits, codes } = codesFor(frequencies, 15);
          expect(bits).toBe(leastBits(frequencies));
          expect(codes.reduce((sum, code, i) => sum + code.length * present[i]!, 0)).toBe(bits);
          expect(fractionOf(codes)).toBe(1);
          const sorted = codes.toSorted();
          expect(sorted.every((code, i) => i === 0 || !code.startsWith(sorted[i - 1]!))).toBe(true);
          // §3.2.2: shorter codes precede longer ones, and those of one length follow the symbols.
          const byLength = codes.toSorted((a, b) => a.length - b.length);
          expect(byLength).toEqual(sorted);
        },
      ),
    );
  });

  it.each([7, 15])(
    'Fibonacci frequencies, limit of %d bits -> no code is longer, and they fill the space',
    (limit) => {
      const frequencies = [1, 1];
      while (frequencies.length < 22) frequencies.push(frequencies.at(-1)! + frequencies.at(-2)!);
      const { bits, codes } = codesFor(frequencies, limit);
      expect(Math.max(...codes.map((code) => code.length))).toBe(limit);
      expect(fractionOf(codes)).toBe(1);
      expect(bits).toBeGreaterThan(leastBits(frequencies));
      expect(bits).toBeLessThan(1.1 * leastBits(frequencies));
    },
  );

  it('frequencies beyond those that are sorted by counting -> the best code', () => {
    const frequencies = Array.from({ length: 60 }, (_, i) => ((i * 7919) % 60) * 97 + 1);
    expect(codesFor(frequencies, 15).bits).toBe(leastBits(frequencies));
  });

  it('one symbol -> a code of one bit; none -> nothing', () => {
    expect(codesFor([0, 7, 0], 15)).toEqual({ bits: 7, codes: ['0'] });
    expect(codesFor([0, 0], 15)).toEqual({ bits: 0, codes: [] });
  });
});

describe('codesOf', () => {
  it('the example of RFC 1951 §3.2.2 -> its codes', () => {
    expect(Array.from(codesOf(Uint8Array.of(3, 3, 3, 3, 3, 2, 4, 4)), bitsOf)).toEqual([
      '010',
      '011',
      '100',
      '101',
      '110',
      '00',
      '1110',
      '1111',
    ]);
  });

  it('the lengths of §3.2.6 -> the codes of the table there', () => {
    const codes = codesOf(FIXED_LITERAL_LENGTHS);
    expect([0, 143, 144, 255, 256, 279, 280, 287].map((symbol) => bitsOf(codes[symbol]!))).toEqual([
      '00110000',
      '10111111',
      '110010000',
      '111111111',
      '0000000',
      '0010111',
      '11000000',
      '11000111',
    ]);
  });
});
