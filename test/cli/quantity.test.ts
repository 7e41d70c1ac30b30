import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/cli/arguments.js';
import { parseByteCount, parseDuration } from '../../src/cli/quantity.js';

describe('parseDuration', () => {
  it.each([
    ['40ms', 40],
    ['5s', 5000],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['2147483647ms', 2 ** 31 - 1],
  ])('%s -> %i ms', (text, ms) => {
    expect(parseDuration('--latency', text)).toBe(ms);
  });

  it.each(['', '5', 's', '-5s', '5 s', '5S', '1e3s', '0s', '0.5ms', '25h2', '600h', 'Infinityms'])(
    'refuses %j',
    (text) => {
      expect(() => parseDuration('--latency', text)).toThrow(
        new UsageError(
          `--latency must be a duration such as 40ms, 5s or 1m, of at most 24 days, not ${JSON.stringify(text)}`,
        ),
      );
    },
  );
});

describe('parseByteCount', () => {
  it.each([
    ['64', 64],
    ['1k', 1024],
    ['2M', 2 * 1024 * 1024],
  ])('%s -> %i', (text, bytes) => {
    expect(parseByteCount('--chunk', text, 1)).toBe(bytes);
  });

  it.each(['', 'k', '-1', '1.5k', '1g', '0'])('refuses %j', (text) => {
    expect(() => parseByteCount('--chunk', text, 1)).toThrow(
      new UsageError(
        `--chunk must be a number of bytes such as 64, 1k or 1m, at least 1, not ${JSON.stringify(text)}`,
      ),
    );
  });
});
