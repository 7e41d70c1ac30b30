import { describe, expect, it } from 'vitest';
import { checkLimits, STREAM_WINDOW } from '../../src/rpc/limits.js';

describe('checkLimits', () => {
  it('the defaults are those of the documentation', () => {
    expect(checkLimits({})).toEqual({ calls: 1024, streams: 256, idLength: 1024, messageBytes: 1_048_576 });
    expect(STREAM_WINDOW).toEqual({ items: 64, bytes: 262_144 });
  });

  it('what is given takes the place of a default', () => {
    expect(checkLimits({ calls: 1 })).toMatchObject({ calls: 1, streams: 256 });
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', undefined])('%s -> RangeError', (value) => {
    for (const name of ['calls', 'streams', 'idLength', 'messageBytes']) {
      expect(() => checkLimits({ [name]: value })).toThrow(
        new RangeError(`limits.${name}: a whole number above 0 was expected, got ${value}`),
      );
    }
  });
});
