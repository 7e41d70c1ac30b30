// A talk in both directions is cut once, after each byte of either direction in turn, so that both ends learn of it: every call
// must return its result, its handler must have run exactly once, and every stream must have had all its items in order.
import { describe, expect, it } from 'vitest';
import { cutAfterEachByte } from './conversation.js';

/** All kinds of calls once, and for the second way to cut those that a shorter talk needs. */
const SIZES = { rst: { calls: 1, items: 3 }, fin: { calls: 1, items: 3, isBrief: true } };

const options = {
  heartbeat: { intervalMs: 25_000, timeoutMs: 20_000 },
  openingTimeoutMs: 10_000,
  concurrency: 150,
};

describe.each(['in', 'out'] as const)('after each byte %s', (direction) => {
  it.each(['rst', 'fin'] as const)('%s -> both talks are complete', { timeout: 300_000 }, async (how) => {
    const { conversations, resumed } = await cutAfterEachByte(
      { ...options, size: SIZES[how] },
      direction,
      how,
    );
    expect(conversations).toBeGreaterThan(1000);
    // The others were cut before the welcome was there.
    expect(resumed).toBeGreaterThan(conversations / 2);
  });
});
