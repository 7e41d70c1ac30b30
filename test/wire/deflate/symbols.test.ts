import { describe, expect, it } from 'vitest';
import {
  DISTANCE_BASE,
  DISTANCE_EXTRA_BITS,
  DISTANCE_SYMBOL,
  LENGTH_BASE,
  LENGTH_EXTRA_BITS,
  LENGTH_SYMBOL,
} from '../../../src/wire/deflate/symbols.js';

describe('the tables of RFC 1951 §3.2.5', () => {
  it('each length -> a symbol whose extra bits reach it, 258 one without', () => {
    for (let length = 3; length <= 257; length++) {
      const extra = length - LENGTH_BASE[LENGTH_SYMBOL[length]!]!;
      expect(extra >= 0 && extra < 1 << LENGTH_EXTRA_BITS[LENGTH_SYMBOL[length]!]!).toBe(true);
    }
    expect([LENGTH_SYMBOL[258], LENGTH_BASE[28], LENGTH_EXTRA_BITS[28]]).toEqual([28, 258, 0]);
  });

  it('each distance -> a symbol whose extra bits reach it', () => {
    for (let distance = 1; distance <= 32_768; distance++) {
      const below = distance - 1;
      const symbol = DISTANCE_SYMBOL[below < 256 ? below : 256 + (below >> 7)]!;
      const extra = distance - DISTANCE_BASE[symbol]!;
      if (extra < 0 || extra >= 1 << DISTANCE_EXTRA_BITS[symbol]!) expect.fail(`distance ${distance}`);
    }
  });

  it('rows of the tables -> as in the RFC', () => {
    expect([8, 16, 27].map((i) => [257 + i, LENGTH_EXTRA_BITS[i], LENGTH_BASE[i]])).toEqual([
      [265, 1, 11],
      [273, 3, 35],
      [284, 5, 227],
    ]);
    expect([4, 17, 29].map((i) => [i, DISTANCE_EXTRA_BITS[i], DISTANCE_BASE[i]])).toEqual([
      [4, 1, 5],
      [17, 7, 385],
      [29, 13, 24_577],
    ]);
  });
});
