// As cut-after-every-byte.test.ts, but neither end is told: the heartbeats must find out.
import { expect, it } from 'vitest';
import { cutAfterEachByte } from './conversation.js';

const options = {
  size: { calls: 1, items: 2, isBrief: true },
  // Not so short that a busy machine takes healthy connections for dead ones, again and again.
  heartbeat: { intervalMs: 300, timeoutMs: 500 },
  openingTimeoutMs: 2000,
  concurrency: 80,
};

it.each(['in', 'out'] as const)(
  'a black hole after each byte %s -> both talks are complete',
  { timeout: 300_000 },
  async (direction) => {
    const { conversations, resumed } = await cutAfterEachByte(options, direction, 'blackhole');
    expect(conversations).toBeGreaterThan(500);
    // The others were cut before the welcome was there.
    expect(resumed).toBeGreaterThan(conversations / 4);
  },
);
