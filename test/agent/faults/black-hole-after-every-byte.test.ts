// A conversation falls into a black hole once, after each byte of either direction in turn, and neither end is told: the
// heartbeats must find out, and both ends must have had every message exactly once and in order. It is shorter than that of
// cut-after-every-byte.test.ts, as each takes its time.
import { describe, expect, it } from 'vitest';
import { cutAfterEachByte } from './conversation.js';
import { QUICK_HEARTBEAT } from './scene.js';

const options = { count: 12, heartbeat: QUICK_HEARTBEAT, openingTimeoutMs: 300 };

describe('a black hole', () => {
  it.each(['in', 'out'] as const)(
    'after each byte %s -> both have all',
    { timeout: 120_000 },
    async (direction) => {
      const { conversations, resumed } = await cutAfterEachByte(options, direction, 'blackhole');
      expect(conversations).toBeGreaterThan(500);
      // The others were cut before the welcome was there.
      expect(resumed).toBeGreaterThan(conversations / 4);
    },
  );
});
