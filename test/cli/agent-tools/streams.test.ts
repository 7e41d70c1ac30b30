import { describe, expect, it } from 'vitest';
import { clock } from '../../../src/cli/agent-tools/clock.js';
import { explain } from '../../../src/cli/agent-tools/explain.js';
import { collect, testContext } from './context.js';

describe('clock', () => {
  it('tells the time as often as asked', async () => {
    const lines = await collect(clock.call({ count: 3, everyMs: 1 }, testContext()));
    expect(lines).toHaveLength(3);
    expect(lines.join('')).toMatch(/^1 {2}\d\d:\d\d:\d\d\.\d{3}\n2 {2}.*\n3 {2}.*\n$/);
  });

  it('stops waiting when the caller gives up', async () => {
    const context = testContext();
    const ticks = ((await clock.call({ everyMs: 10_000 }, context)) as AsyncIterable<string>)[
      Symbol.asyncIterator
    ]();
    await ticks.next();
    const next = ticks.next();
    context.abort();
    await expect(next).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('explain', () => {
  it.each(['frame', 'masking', 'session'])('%s -> its text, in words', async (topic) => {
    const words = await collect(explain.call({ topic, paceMs: 0 }, testContext()));
    expect(words.length).toBeGreaterThan(50);
    for (const word of words) expect(word).toMatch(/^\S+\s?$/);
    expect(words.join('')).toMatch(/^[A-Z].*\.$/);
  });

  it('stops between two words when the caller gives up', async () => {
    const context = testContext();
    const words = ((await explain.call({ paceMs: 1000 }, context)) as AsyncIterable<string>)[
      Symbol.asyncIterator
    ]();
    await words.next();
    const next = words.next();
    context.abort();
    await expect(next).rejects.toMatchObject({ name: 'AbortError' });
  });
});
