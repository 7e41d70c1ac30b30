import { describe, expect, it } from 'vitest';
import { TimerWheel, wheelOf } from '../../src/agent/timer-wheel.js';
import { FakeEnvironment } from '../support/fake-environment.js';

const TICK_MS = 50;

function setUp(): { environment: FakeEnvironment; wheel: TimerWheel } {
  const environment = new FakeEnvironment();
  // Between two ticks, as almost always.
  environment.advance(17);
  return { environment, wheel: new TimerWheel(environment) };
}

/** The durations of all real timers from now on. */
function recordSleeps(environment: FakeEnvironment): number[] {
  const sleeps: number[] = [];
  const setTimeout = environment.setTimeout.bind(environment);
  environment.setTimeout = (run, ms, keepsAlive) => {
    sleeps.push(ms);
    return setTimeout(run, ms, keepsAlive);
  };
  return sleeps;
}

describe('TimerWheel', () => {
  it('never early, at most one tick late, whatever the moment and the deadline', () => {
    const environment = new FakeEnvironment();
    const wheel = new TimerWheel(environment);
    const delays: { dueAt: number; ranAt: number }[] = [];
    for (let i = 0; i < 500; i++) {
      environment.advance(environment.random() * 20);
      const dueAt = environment.now() + environment.random() * 3000;
      wheel.schedule(dueAt - environment.now(), () => delays.push({ dueAt, ranAt: environment.now() }));
    }
    environment.advance(3050);
    expect(delays).toHaveLength(500);
    for (const { dueAt, ranAt } of delays) {
      expect(ranAt).toBeGreaterThanOrEqual(dueAt);
      // A real timer takes whole milliseconds.
      expect(ranAt).toBeLessThan(dueAt + TICK_MS + 1);
    }
  });

  it('runs in the order of the ticks, also when all come due at once', () => {
    const { environment, wheel } = setUp();
    const order: number[] = [];
    for (const ms of [700, 100, 400, 0, 25_000]) wheel.schedule(ms, () => order.push(ms));
    environment.block(30_000);
    expect(order).toEqual([0, 100, 400, 700, 25_000]);
  });

  it('runs each once', () => {
    const { environment, wheel } = setUp();
    let runs = 0;
    wheel.schedule(200, () => runs++);
    environment.advance(10_000);
    expect(runs).toBe(1);
  });

  it('an earlier deadline than the one slept for -> wakes up for it', () => {
    const { environment, wheel } = setUp();
    let hasRun = false;
    wheel.schedule(25_000, () => {});
    wheel.schedule(200, () => {
      hasRun = true;
    });
    environment.advance(250);
    expect(hasRun).toBe(true);
  });

  it('one real timer for all, none before and none after', () => {
    const { environment, wheel } = setUp();
    expect(environment.pendingTimers).toBe(0);
    for (let ms = 1; ms <= 1000; ms++) wheel.schedule(ms, () => {});
    expect(wheel.size).toBe(1000);
    expect(environment.pendingTimers).toBe(1);
    environment.advance(500);
    expect(environment.pendingTimers).toBe(1);
    environment.advance(1000);
    expect(wheel.size).toBe(0);
    expect(environment.pendingTimers).toBe(0);
  });

  it('keeps no process alive', () => {
    const { environment, wheel } = setUp();
    wheel.schedule(200, () => {});
    expect(environment.keepsProcessAlive).toBe(false);
  });

  it('a far deadline -> sleeps through, without a wake-up at each tick', () => {
    const { environment, wheel } = setUp();
    environment.advance(0.3);
    const sleeps = recordSleeps(environment);
    wheel.schedule(60_000, () => {});
    environment.advance(61_000);
    // In whole milliseconds, as a platform cuts off the rest, and would wake up early.
    expect(sleeps).toEqual([60_033]);
  });

  it('a cancelled deadline -> no wake-up for it later on', () => {
    const { environment, wheel } = setUp();
    const sleeps = recordSleeps(environment);
    wheel.schedule(1000, () => {});
    const cancelled = wheel.schedule(60_000, () => {});
    wheel.schedule(120_000, () => {});
    wheel.cancel(cancelled);
    environment.advance(121_000);
    expect(sleeps).toHaveLength(2);
  });

  it('a deadline beyond what real timers hold -> slept for in parts, and met', () => {
    const { environment, wheel } = setUp();
    const sleeps = recordSleeps(environment);
    const dueAt = environment.now() + 2 ** 33;
    let ranAt = 0;
    wheel.schedule(2 ** 33, () => {
      ranAt = environment.now();
    });
    environment.advance(2 ** 33 + TICK_MS);
    expect(Math.max(...sleeps)).toBeLessThan(2 ** 31);
    expect(ranAt).toBeGreaterThanOrEqual(dueAt);
    expect(ranAt).toBeLessThan(dueAt + TICK_MS);
  });

  it('a deadline that is never -> no timer', () => {
    const { environment, wheel } = setUp();
    const timer = wheel.schedule(Number.POSITIVE_INFINITY, () => {});
    expect(environment.pendingTimers).toBe(0);
    wheel.cancel(timer);
    expect(wheel.size).toBe(0);
  });

  it('a deadline that has passed -> runs in the next turn, and is not late', () => {
    const { environment, wheel } = setUp();
    const late: number[] = [];
    wheel.schedule(-5000, (lateMs) => late.push(lateMs));
    expect(late).toEqual([]);
    environment.advance(TICK_MS);
    expect(late).toEqual([0]);
  });

  it('a real timer that fires a little early -> waits for the clock', () => {
    const { environment, wheel } = setUp();
    const setTimeout = environment.setTimeout.bind(environment);
    environment.setTimeout = (run, ms, keepsAlive) => setTimeout(run, ms - 0.5, keepsAlive);
    const dueAt = environment.now() + 200;
    let ranAt = 0;
    wheel.schedule(200, () => {
      ranAt = environment.now();
    });
    environment.advance(300);
    expect(ranAt).toBeGreaterThanOrEqual(dueAt);
  });

  it('a cancelled one does not run, and the last one takes the real timer along', () => {
    const { environment, wheel } = setUp();
    const ran: string[] = [];
    const first = wheel.schedule(200, () => ran.push('first'));
    const second = wheel.schedule(200, () => ran.push('second'));
    wheel.cancel(first);
    expect(wheel.size).toBe(1);
    environment.advance(300);
    expect(ran).toEqual(['second']);
    const third = wheel.schedule(200, () => ran.push('third'));
    wheel.cancel(third);
    wheel.cancel(third);
    wheel.cancel(second);
    expect(wheel.size).toBe(0);
    expect(environment.pendingTimers).toBe(0);
  });

  it('holds on to nothing of what has run or was cancelled', () => {
    const { environment, wheel } = setUp();
    const ran = wheel.schedule(200, () => {});
    const cancelled = wheel.schedule(400, () => {});
    wheel.cancel(cancelled);
    environment.advance(300);
    expect([ran.run, cancelled.run]).toEqual([undefined, undefined]);
  });

  it('one that runs may cancel its neighbours of the same tick and of a later one', () => {
    const { environment, wheel } = setUp();
    const ran: string[] = [];
    wheel.schedule(200, () => {
      ran.push('first');
      wheel.cancel(neighbour);
      wheel.cancel(later);
    });
    const neighbour = wheel.schedule(200, () => ran.push('neighbour'));
    const later = wheel.schedule(400, () => ran.push('later'));
    environment.block(1000);
    expect(ran).toEqual(['first']);
    expect(wheel.size).toBe(0);
    expect(environment.pendingTimers).toBe(0);
  });

  it('one that schedules itself for at once -> runs in a later turn, not forever in this one', () => {
    const { environment, wheel } = setUp();
    let runs = 0;
    const again = (): void => {
      runs++;
      if (runs < 1000) wheel.schedule(0, again);
    };
    // Exactly on a tick, where "at once" is this very tick.
    environment.advance(TICK_MS - (environment.now() % TICK_MS));
    wheel.schedule(100, again);
    environment.advance(100);
    expect(runs).toBe(1);
    environment.advance(1);
    expect(runs).toBe(2);
  });

  it('one that throws -> all others run, and the errors come out in tasks of their own', () => {
    const { environment, wheel } = setUp();
    const ran: string[] = [];
    wheel.schedule(200, () => {
      throw new Error('one');
    });
    wheel.schedule(200, () => ran.push('same tick'));
    wheel.schedule(300, () => ran.push('later tick'));
    wheel.schedule(1000, () => ran.push('next turn'));
    // The errors are thrown only after the turn, which the late wake-up makes one for all three.
    expect(() => environment.block(500)).not.toThrow();
    expect(ran).toEqual(['same tick', 'later tick']);
    expect(environment.keepsProcessAlive).toBe(true);
    expect(() => environment.advance(1)).toThrow('one');
    environment.advance(1000);
    expect(ran).toEqual(['same tick', 'later tick', 'next turn']);
  });

  it('a blocked event loop -> says how late it is; otherwise 0', () => {
    const { environment, wheel } = setUp();
    const late: number[] = [];
    wheel.schedule(200, (lateMs) => late.push(lateMs));
    environment.advance(300);
    wheel.schedule(200, (lateMs) => late.push(lateMs));
    environment.block(60_000);
    expect(late[0]).toBe(0);
    expect(late[1]).toBeGreaterThan(60_000 - 200 - TICK_MS);
    expect(late[1]).toBeLessThanOrEqual(60_000 - 200);
  });

  it('one that runs for long -> the next of the same turn knows', () => {
    const { environment, wheel } = setUp();
    let lateMs = 0;
    wheel.schedule(200, () => environment.block(5000));
    wheel.schedule(200, (ms) => {
      lateMs = ms;
    });
    environment.advance(300);
    expect(lateMs).toBe(5000);
  });

  it('in any mixture of scheduling, cancelling and waiting, each runs once and in time or was cancelled', () => {
    const environment = new FakeEnvironment(7);
    const wheel = new TimerWheel(environment);
    let open = 0;
    const timers = Array.from({ length: 2000 }, () => {
      environment.advance(environment.random() * 10);
      const dueAt = environment.now() + Math.floor(environment.random() * 2000);
      open++;
      const state = { runs: 0, isCancelled: false };
      const timer = wheel.schedule(dueAt - environment.now(), () => {
        open--;
        state.runs++;
        expect(environment.now()).toBeGreaterThanOrEqual(dueAt);
      });
      return { state, timer };
    }).map(({ state, timer }) => {
      environment.advance(environment.random());
      if (environment.random() < 0.5 && state.runs === 0) {
        open--;
        state.isCancelled = true;
        wheel.cancel(timer);
      }
      expect(wheel.size).toBe(open);
      return state;
    });
    environment.advance(2050);
    for (const { runs, isCancelled } of timers) expect(runs).toBe(isCancelled ? 0 : 1);
    expect(timers.some(({ isCancelled }) => isCancelled)).toBe(true);
    expect(environment.pendingTimers).toBe(0);
  });
});

describe('wheelOf', () => {
  it('one wheel per environment', () => {
    const environment = new FakeEnvironment();
    expect(wheelOf(environment)).toBe(wheelOf(environment));
    expect(wheelOf(environment)).not.toBe(wheelOf(new FakeEnvironment()));
  });
});
