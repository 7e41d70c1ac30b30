import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogHistogram, RELATIVE_ERROR } from '../../../src/conform/bench/histogram.js';

const PERCENTS = [0, 1, 50, 90, 99, 99.9, 100];
const LARGEST = 2 ** 47 - 1;

/** The definition: the least value that at least so many percent do not exceed. */
function exactPercentile(values: number[], percent: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1]!;
}

function histogramOf(values: number[]): LogHistogram {
  const histogram = new LogHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

/** Values of every magnitude, not only large ones. */
const values = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 46 }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([bits, share]) => Math.floor(2 ** bits * (1 + share))),
  { minLength: 1, maxLength: 300 },
);

describe('LogHistogram', () => {
  it('any values, any percentile -> at least the true one, at most 1/128 above it', () => {
    fc.assert(
      fc.property(values, (all) => {
        const histogram = histogramOf(all);
        for (const percent of PERCENTS) {
          const exact = Math.min(LARGEST, exactPercentile(all, percent));
          const reported = histogram.percentile(percent);
          expect(reported).toBeGreaterThanOrEqual(exact);
          expect(reported).toBeLessThanOrEqual(exact * (1 + RELATIVE_ERROR));
        }
      }),
    );
  });

  it('values below 256 -> percentiles are exact', () => {
    const all = Array.from({ length: 256 }, (_, value) => value);
    const histogram = histogramOf(all);
    for (const percent of PERCENTS) {
      expect(histogram.percentile(percent)).toBe(exactPercentile(all, percent));
    }
  });

  it('count, least, largest and mean -> exact', () => {
    const histogram = histogramOf([1_000_003, 7, 50_000]);
    expect([histogram.count, histogram.min, histogram.max]).toEqual([3, 7, 1_000_003]);
    expect(histogram.mean).toBe((1_000_003 + 7 + 50_000) / 3);
    expect(histogram.percentile(100)).toBe(1_000_003);
  });

  it('every power of two and its neighbours -> within the bound', () => {
    for (let bits = 0; bits < 47; bits++) {
      for (const value of [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]) {
        // The larger second value keeps the exact maximum from hiding the bucket.
        const reported = histogramOf([value, LARGEST]).percentile(50);
        expect(reported).toBeGreaterThanOrEqual(value);
        expect(reported).toBeLessThanOrEqual(value * (1 + RELATIVE_ERROR));
      }
    }
  });

  it('values out of range -> the nearest that it holds', () => {
    expect(histogramOf([-5]).max).toBe(0);
    expect(histogramOf([Number.POSITIVE_INFINITY]).percentile(50)).toBe(LARGEST);
  });

  it('no values -> zeros', () => {
    const histogram = new LogHistogram();
    expect([histogram.count, histogram.min, histogram.max, histogram.mean, histogram.percentile(99)]).toEqual(
      [0, 0, 0, 0, 0],
    );
  });
});
