// A conversation is cut once, after each byte of either direction in turn, so that both ends learn of it: each must have had
// every message exactly once and in order.
import { describe, expect, it } from 'vitest';
import { cutAfterEachByte } from './conversation.js';

const options = {
  count: 30,
  heartbeat: { intervalMs: 25_000, timeoutMs: 20_000 },
  openingTimeoutMs: 10_000,
};

describe.each(['in', 'out'] as const)('after each byte %s', (direction) => {
  it.each(['rst', 'fin'] as const)('%s -> both have all', { timeout: 120_000 }, async (how) => {
    const { conversations, resumed } = await cutAfterEachByte(options, direction, how);
    expect(conversations).toBeGreaterThan(1000);
    // The others were cut before the welcome was there.
    expect(resumed).toBeGreaterThan(conversations / 2);
  });
});
