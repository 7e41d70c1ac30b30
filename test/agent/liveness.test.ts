import { describe, expect, it } from 'vitest';
import type { Link } from '../../src/agent/link.js';
import { Liveness } from '../../src/agent/liveness.js';
import { TimerWheel } from '../../src/agent/timer-wheel.js';
import { FakeEnvironment } from '../support/fake-environment.js';

const OPTIONS = { intervalMs: 25_000, timeoutMs: 20_000 };

/** The wheel rounds each deadline up to its tick. */
const TICK_MS = 50;
/** From the timeout to the verdict. */
const VERDICT_MS = 1000 + 2 * TICK_MS;

function setUp(options = OPTIONS) {
  const environment = new FakeEnvironment();
  environment.advance(17);
  const wheel = new TimerWheel(environment);
  const link = { activity: 0 };
  const log: string[] = [];
  const callbacks = {
    ping: () => {
      log.push('ping');
    },
    onDead: () => {
      log.push('dead');
    },
  };
  const liveness = new Liveness(link as Link, wheel, options, callbacks);
  return { environment, wheel, link, log, callbacks, liveness };
}

describe('Liveness', () => {
  it('pings at every interval while the peer answers', () => {
    const { environment, link, log } = setUp();
    const pingedAt: number[] = [];
    for (let second = 1; second <= 101; second++) {
      environment.advance(1000);
      if (log.length > pingedAt.length) {
        pingedAt.push(second);
        link.activity++;
      }
    }
    expect(pingedAt).toEqual([26, 51, 76, 101]);
    expect(log).toEqual(['ping', 'ping', 'ping', 'ping']);
  });

  it('silence after a ping -> dead after the timeout, not before, and only once', () => {
    const { environment, wheel, log } = setUp();
    environment.advance(25_000 + TICK_MS);
    expect(log).toEqual(['ping']);
    environment.advance(20_000 - TICK_MS);
    expect(log).toEqual(['ping']);
    environment.advance(TICK_MS + VERDICT_MS);
    expect(log).toEqual(['ping', 'dead']);
    environment.advance(100_000);
    expect(log).toEqual(['ping', 'dead']);
    expect(wheel.size).toBe(0);
  });

  it('bytes before the ping prove nothing', () => {
    const { environment, link, log } = setUp();
    environment.advance(24_000);
    link.activity++;
    environment.advance(30_000);
    expect(log).toEqual(['ping', 'dead']);
  });

  it('any byte after the ping is proof enough, be it the only one and just in time', () => {
    const { environment, link, log } = setUp();
    environment.advance(25_000 + 19_900);
    link.activity++;
    environment.advance(5000);
    expect(log).toEqual(['ping']);
    environment.advance(100 + 3 * TICK_MS);
    expect(log).toEqual(['ping', 'ping']);
  });

  it('a peer that answered once and fell silent -> dead after the next ping', () => {
    const { environment, link, log } = setUp();
    environment.advance(26_000);
    link.activity++;
    environment.advance(44_000);
    expect(log).toEqual(['ping', 'ping']);
    environment.advance(1000 + VERDICT_MS);
    expect(log).toEqual(['ping', 'ping', 'dead']);
  });

  it('a timeout longer than the interval -> the next ping follows the answer to the last', () => {
    const { environment, link, log } = setUp({ intervalMs: 1000, timeoutMs: 3000 });
    environment.advance(1100);
    link.activity++;
    environment.advance(2700);
    expect(log).toEqual(['ping']);
    environment.advance(500);
    expect(log).toEqual(['ping', 'ping']);
    environment.advance(3000 + VERDICT_MS);
    expect(log).toEqual(['ping', 'ping', 'dead']);
  });

  it('our own event loop was blocked for more than the timeout again -> another ping instead of the end', () => {
    const { environment, link, log } = setUp();
    environment.advance(25_100);
    environment.block(60_000);
    expect(log).toEqual(['ping', 'ping']);
    environment.advance(10_000);
    link.activity++;
    environment.advance(15_200);
    expect(log).toEqual(['ping', 'ping', 'ping']);
  });

  it('blocked, and the peer is really gone -> dead after the second ping', () => {
    const { environment, log } = setUp();
    environment.advance(25_100);
    environment.block(60_000);
    environment.advance(19_900);
    expect(log).toEqual(['ping', 'ping']);
    environment.advance(100 + VERDICT_MS);
    expect(log).toEqual(['ping', 'ping', 'dead']);
  });

  it.each([
    ['ends with the timeout', 19_990],
    ['ends a little later', 25_000],
  ])('a blockage that %s -> what waits in the kernel is read before the verdict', (_, blockedMs) => {
    const { environment, link, log } = setUp();
    environment.advance(25_050);
    environment.block(blockedMs);
    // Timers run first, then the event loop reads.
    environment.setTimeout(() => link.activity++, 1);
    environment.advance(VERDICT_MS);
    expect(log).toEqual(['ping']);
  });

  it('a short timeout -> a verdict as short', () => {
    const { environment, log } = setUp({ intervalMs: 100, timeoutMs: 100 });
    environment.advance(300 + 3 * TICK_MS);
    expect(log).toEqual(['ping', 'dead']);
  });

  it.each([
    ['before the first ping', 1000],
    ['while the answer is due', 30_000],
    ['between the check and the verdict', 45_500],
  ])('stopped %s -> nothing more, no timer', (_, ms) => {
    const { environment, wheel, log, liveness } = setUp();
    environment.advance(ms);
    const before = [...log];
    liveness.stop();
    liveness.stop();
    expect(wheel.size).toBe(0);
    expect(environment.pendingTimers).toBe(0);
    environment.advance(100_000);
    expect(log).toEqual(before);
    expect(log).not.toContain('dead');
  });

  it('stopped after an answer -> nothing more, no timer', () => {
    const { environment, wheel, link, log, liveness } = setUp();
    environment.advance(30_000);
    link.activity++;
    environment.advance(16_000);
    liveness.stop();
    expect(wheel.size).toBe(0);
    environment.advance(100_000);
    expect(log).toEqual(['ping']);
  });

  it('stopped from within its own ping -> no timer stays', () => {
    const { environment, wheel, callbacks, liveness } = setUp();
    callbacks.ping = () => liveness.stop();
    environment.advance(25_100);
    expect(wheel.size).toBe(0);
  });

  it('a ping that throws -> the link is watched all the same', () => {
    const { environment, log, callbacks } = setUp();
    callbacks.ping = () => {
      throw new Error('cannot ping');
    };
    expect(() => environment.advance(25_100)).toThrow('cannot ping');
    environment.advance(20_000 + VERDICT_MS);
    expect(log).toEqual(['dead']);
  });
});
