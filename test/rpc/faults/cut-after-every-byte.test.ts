// A talk in both directions is cut once, after each byte of either direction in turn, so that both ends learn of it: every call
// must return its result, its handler must have run exactly once, and every stream must have had all its items in order.
import { describe, expect, it } from 'vitest';
import { cutAfterEachByte } from './conversation.js';

const options = {
  size: { calls: 2, items: 6 },
  heartbeat: { intervalMs: 25_000, timeoutMs: 20_000 },
  openingTimeoutMs: 10_000,
  concurrency: 150,
};

describe.each(['in', 'out'] as const)('after each byte %s', (direction) => {
  it.each(['rst', 'fin'] as const)('%s -> both talks are complete', { timeout: 120_000 }, async (how) => {
    const { conversations, resumed } = await cutAfterEachByte(options, direction, how);
    expect(conversations).toBeGreaterThan(1000);
    // The others were cut before the welcome was there.
    expect(resumed).toBeGreaterThan(conversations / 2);
  });
});
