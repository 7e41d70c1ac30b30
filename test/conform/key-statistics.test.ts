import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  findBias,
  findLinearGenerator,
  findProgression,
  findRepetition,
  KEYS_TO_JUDGE,
  type MaskingKey,
} from '../../src/conform/key-statistics.js';

const CHECKS = { findRepetition, findProgression, findBias, findLinearGenerator };

function faultsOf(makeKey: (n: number) => MaskingKey): string[] {
  const keys = Array.from({ length: KEYS_TO_JUDGE }, (_, n) => makeKey(n));
  return Object.entries(CHECKS).flatMap(([name, find]) => (find(keys) === undefined ? [] : [name]));
}

function word(value: number, isLittleEndian = false): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, value >>> 0, isLittleEndian);
  return key;
}

/** The same "random" keys in every run. */
const hashed = (seed: number, n: number): Uint8Array =>
  createHash('sha256').update(`${seed} ${n}`).digest().subarray(0, 4);

describe('what masking keys give away', () => {
  it('keys of a hash, 10 times 500 -> nothing', () => {
    for (let seed = 0; seed < 10; seed++) expect(faultsOf((n) => hashed(seed, n))).toEqual([]);
  });

  it('one pair of equal keys -> nothing; two pairs -> a repetition', () => {
    const withCopies = (copies: number): string[] =>
      faultsOf((n) => hashed(0, n >= KEYS_TO_JUDGE - copies ? n - 100 : n));
    expect(withCopies(1)).toEqual([]);
    expect(withCopies(2)).toEqual(['findRepetition']);
  });

  it('[RFC6455-5.3-4] keys that count, in either byte order, or step evenly -> a progression', () => {
    expect(faultsOf((n) => word(0x1000_0000 + n))).toContain('findProgression');
    expect(faultsOf((n) => word(0x1000_0000 + 77_777 * n, true))).toContain('findProgression');
    expect(faultsOf((n) => word(n * n * 3 + 1))).toContain('findProgression');
  });

  it('[RFC6455-5.3-4] each key the one before XORed with a constant -> a progression', () => {
    expect(faultsOf((n) => word(n % 2 === 0 ? 0x12345678 : 0x12345678 ^ 0x0f0f0f0f))).toContain(
      'findProgression',
    );
  });

  it('[RFC6455-5.3-4] keys of a congruential generator -> a progression, by the period of its lowest byte', () => {
    let state = 42;
    const next = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state;
    };
    expect(faultsOf(() => word(next()))).toContain('findProgression');
  });

  it('[RFC6455-5.3-3] keys of which one half byte is uneven -> a bias', () => {
    const keys = (byte: number, mask: number) => (n: number) => {
      const key = Uint8Array.from(hashed(1, n));
      key[byte]! &= mask;
      return key;
    };
    expect(faultsOf(keys(0, 0x7f))).toContain('findBias');
    expect(faultsOf(keys(3, 0xf7))).toContain('findBias');
  });

  it.each<[string, () => Uint8Array]>([
    ['* 2^32, high byte first', () => word(Math.random() * 2 ** 32)],
    ['* 2^32, low byte first', () => word(Math.random() * 2 ** 32, true)],
    ['* 0xffffffff', () => word(Math.random() * 0xffffffff)],
    ['* 256 for each byte', () => Uint8Array.from([0, 0, 0, 0], () => Math.random() * 256)],
  ])('[RFC6455-5.3-3] Math.random() %s -> a linear generator, and nothing else', (_, makeKey) => {
    expect(faultsOf(makeKey)).toEqual(['findLinearGenerator']);
  });

  it('fewer keys than the checks need -> nothing', () => {
    const keys = [randomBytes(4), randomBytes(4), randomBytes(4)];
    for (const find of [findRepetition, findProgression, findLinearGenerator])
      expect(find(keys)).toBeUndefined();
  });
});
