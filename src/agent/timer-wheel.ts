// Many coarse deadlines on one real timer: acknowledgements, heartbeats, windows, times to live. Deadlines are rounded up
// to ticks; all that fall into the same tick share a bucket. The real timer sleeps until the next bucket that holds one.

import { type Environment, LONGEST_TIMEOUT_MS, type Timer } from './environment.js';

const TICK_MS = 50;

/** What `schedule` returned; only for handing back. */
export interface WheelTimer {
  readonly tick: number;
  /** Undefined once it has run or was cancelled, so that it holds on to nothing. */
  run: ((lateMs: number) => void) | undefined;
}

/** Deadlines are never early, and at most 50 ms late unless the event loop is blocked. Keeps no process alive. */
export class TimerWheel {
  readonly #environment: Environment;
  readonly #buckets = new Map<number, Set<WheelTimer>>();
  #size = 0;
  #sleep: Timer;
  /** Where the real timer is set to; infinite while there is none. */
  #wakeTick = Number.POSITIVE_INFINITY;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** How many deadlines lie ahead. */
  get size(): number {
    return this.#size;
  }

  /**
   * Calls `run` once, after `ms` milliseconds. `lateMs` is what the event loop was late by, beyond the rounding. What
   * `run` throws is thrown again in a task of its own, and keeps no other deadline from being met.
   */
  schedule(ms: number, run: (lateMs: number) => void): WheelTimer {
    const tick = Math.ceil((this.#environment.now() + Math.max(0, ms)) / TICK_MS);
    const timer: WheelTimer = { tick, run };
    const bucket = this.#buckets.get(tick);
    if (bucket === undefined) this.#buckets.set(tick, new Set([timer]));
    else bucket.add(timer);
    this.#size++;
    if (tick < this.#wakeTick) this.#sleepUntil(tick);
    return timer;
  }

  /** Does nothing when the timer has run, or was cancelled before. */
  cancel(timer: WheelTimer): void {
    if (timer.run === undefined) return;
    timer.run = undefined;
    this.#size--;
    const bucket = this.#buckets.get(timer.tick);
    bucket?.delete(timer);
    if (bucket?.size === 0) this.#buckets.delete(timer.tick);
    // Otherwise the real timer stays: waking up once for nothing is cheaper than setting it anew at each cancellation.
    if (this.#size === 0) this.#sleepUntil(Number.POSITIVE_INFINITY);
  }

  #sleepUntil(tick: number): void {
    this.#environment.clearTimeout(this.#sleep);
    this.#sleep = undefined;
    this.#wakeTick = tick;
    if (tick === Number.POSITIVE_INFINITY) return;
    const ms = Math.ceil(tick * TICK_MS - this.#environment.now());
    // For a later one it wakes up for nothing, and sleeps again.
    this.#sleep = this.#environment.setTimeout(() => this.#turn(), Math.min(ms, LONGEST_TIMEOUT_MS));
  }

  #turn(): void {
    // A real timer may fire a fraction of a millisecond early: the clock decides what is due.
    const current = Math.floor(this.#environment.now() / TICK_MS);
    const due = [...this.#buckets.keys()].filter((tick) => tick <= current).sort((a, b) => a - b);
    for (const tick of due) this.#runBucket(tick);
    let next = Number.POSITIVE_INFINITY;
    for (const tick of this.#buckets.keys()) next = Math.min(next, tick);
    this.#sleepUntil(next);
  }

  #runBucket(tick: number): void {
    const bucket = this.#buckets.get(tick) ?? [];
    // Taken out first: what is scheduled from here on belongs to a later turn.
    this.#buckets.delete(tick);
    for (const timer of bucket) {
      const { run } = timer;
      // Cancelled by one that ran before it.
      if (run === undefined) continue;
      timer.run = undefined;
      this.#size--;
      try {
        run(this.#environment.now() - tick * TICK_MS);
      } catch (error) {
        const rethrow = (): never => {
          throw error;
        };
        this.#environment.setTimeout(rethrow, 0, true);
      }
    }
  }
}

const wheels = new WeakMap<Environment, TimerWheel>();

/** The wheel that all who live in this environment share. */
export function wheelOf(environment: Environment): TimerWheel {
  let wheel = wheels.get(environment);
  if (wheel === undefined) {
    wheel = new TimerWheel(environment);
    wheels.set(environment, wheel);
  }
  return wheel;
}
