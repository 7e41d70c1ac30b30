// The clock stands still unless a test moves it, and the server is an array.
import { describe, expect, it } from 'vitest';
import { OpenLoop, type OpenLoopOptions } from '../../../src/conform/bench/open-loop.js';

const NS_PER_MS = 1e6;

function simulate(options: Partial<OpenLoopOptions> = {}) {
  const clock = { nowMs: 0 };
  const sent: { lane: number; atMs: number }[] = [];
  const loop = new OpenLoop({
    ratePerSecond: 1000,
    lanes: 1,
    capacity: 100_000,
    now: () => clock.nowMs,
    send: (lane) => sent.push({ lane, atMs: clock.nowMs }),
    ...options,
  });
  return { clock, sent, loop };
}

/**
 * Runs 10 s at 1000 messages/s against a server that answers within a millisecond, except that it does nothing
 * between `stallFromMs` and `stallToMs`. `isBlocked` stops the load along with it, as a client on blocking calls would be.
 */
function runWithStall(stallFromMs: number, stallToMs: number, isBlocked: boolean): OpenLoop {
  const { clock, loop } = simulate();
  loop.openWindow();
  for (let ms = 0; ms < 10_000; ms++) {
    clock.nowMs = ms;
    const isStalled = ms >= stallFromMs && ms < stallToMs;
    if (!(isStalled && isBlocked)) loop.run();
    clock.nowMs = ms + 0.5;
    while (!isStalled && loop.waiting > 0) loop.answered(0);
  }
  return loop;
}

describe('OpenLoop', () => {
  it('sends what is due, and says when the next is due', () => {
    const { clock, sent, loop } = simulate();
    expect(loop.run()).toBe(1);
    expect(sent).toEqual([{ lane: 0, atMs: 0 }]);
    clock.nowMs = 0.75;
    expect(loop.run()).toBe(0.25);
    expect(sent).toHaveLength(1);
    clock.nowMs = 3.5;
    expect(loop.run()).toBe(0.5);
    expect(sent).toHaveLength(4);
  });

  it('several lanes -> take turns', () => {
    const { clock, sent, loop } = simulate({ lanes: 3 });
    clock.nowMs = 4;
    loop.run();
    expect(sent.map(({ lane }) => lane)).toEqual([0, 1, 2, 0, 1]);
  });

  it('a million messages at a rate that has no exact interval -> the last one is due on time', () => {
    const { clock, sent, loop } = simulate({ ratePerSecond: 30_000, capacity: 2_000_000 });
    clock.nowMs = 33_000;
    loop.run();
    expect(sent).toHaveLength(33 * 30_000 + 1);
  });

  it('server answers at once -> latency is what it took', () => {
    const loop = runWithStall(0, 0, false);
    expect(loop.latency.count).toBe(10_000);
    expect(loop.latency.max).toBe(0.5 * NS_PER_MS);
    expect(loop.lateness.max).toBe(0);
  });

  it('server stalls for 1 s of 10 s -> a tenth of the messages waited, and the percentiles show it', () => {
    const { latency } = runWithStall(4000, 5000, false);
    expect(latency.count).toBe(10_000);
    expect(latency.percentile(50)).toBeLessThan(1 * NS_PER_MS);
    expect(latency.percentile(99)).toBeGreaterThan(895 * NS_PER_MS);
    expect(latency.percentile(95)).toBeGreaterThan(495 * NS_PER_MS);
    expect(latency.max).toBeGreaterThan(1000 * NS_PER_MS);
  });

  it('the load stalls along with the server -> latency counts from when messages were due, and the lateness shows', () => {
    const { latency, lateness } = runWithStall(4000, 5000, true);
    expect(latency.count).toBe(10_000);
    expect(latency.percentile(99)).toBeGreaterThan(895 * NS_PER_MS);
    expect(lateness.percentile(99)).toBeGreaterThan(895 * NS_PER_MS);
  });

  it('messages due outside of the window -> not counted, whenever they come back', () => {
    const { clock, loop } = simulate();
    clock.nowMs = 9;
    loop.run();
    clock.nowMs = 9.5;
    loop.openWindow();
    clock.nowMs = 14;
    loop.run();
    loop.closeWindow();
    clock.nowMs = 20;
    loop.run();
    while (loop.waiting > 0) loop.answered(0);
    // Due at 10, 11, 12 and 13; the one of 14 is due when the window closes.
    expect(loop.latency.count).toBe(4);
    expect(loop.latency.min).toBe(7 * NS_PER_MS);
    expect(loop.latency.max).toBe(10 * NS_PER_MS);
  });

  it('server answers nothing -> fails when as many wait as may', () => {
    const { clock, loop } = simulate({ capacity: 5 });
    clock.nowMs = 4;
    loop.run();
    clock.nowMs = 5;
    expect(() => loop.run()).toThrow(
      'the server does not keep up with 1000 messages/s: 5 wait for their echo',
    );
  });

  it('a lane ends -> the others go on at the same times', () => {
    const { clock, sent, loop } = simulate({ lanes: 2 });
    clock.nowMs = 1;
    loop.run();
    loop.drop(0);
    expect(loop.waiting).toBe(1);
    clock.nowMs = 5;
    loop.run();
    expect(sent.map(({ lane }) => lane)).toEqual([0, 1, 1, 1]);
  });
});
