// Time and randomness that a test owns: the clock moves only when it is told to, and the random numbers of a seed are
// always the same. Promises run on the real machine: `settle()` waits for them.

import { setImmediate as nextTask } from 'node:timers/promises';
import type { Environment, Timer } from '../../src/agent/environment.js';

interface PendingTimer {
  dueAt: number;
  run: () => void;
  keepsAlive: boolean;
  /** Comes from outside, as from a socket: an event loop that was busy sees to its timers first. */
  isInput: boolean;
}

export class FakeEnvironment implements Environment {
  /** Not 0, as on a real machine, where nothing begins together with the clock. */
  #now = 1000;
  #randomState: number;
  /** In the order in which they were set; Node, too, runs timers of the same moment in this order. */
  readonly #timers = new Set<PendingTimer>();

  /** @param seed any integer; the same one gives the same random numbers */
  constructor(seed = 1) {
    this.#randomState = seed;
  }

  now(): number {
    return this.#now;
  }

  /** As in Node, no timer is shorter than 1 ms: one that sets itself again cannot hold the clock. */
  setTimeout(run: () => void, ms: number, keepsAlive = false): Timer {
    return this.#add({ dueAt: this.#now + Math.max(1, ms), run, keepsAlive, isInput: false });
  }

  /** Calls `run` after `ms`, as when bytes arrive then. */
  arrive(run: () => void, ms: number): void {
    this.#add({ dueAt: this.#now + Math.max(1, ms), run, keepsAlive: false, isInput: true });
  }

  clearTimeout(timer: Timer): void {
    this.#timers.delete(timer as PendingTimer);
  }

  /** Mulberry32, a generator with 32 bits of state. */
  random(): number {
    this.#randomState = (this.#randomState + 0x6d2b79f5) | 0;
    let bits = this.#randomState;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  randomId(): string {
    let id = '';
    while (id.length < 22) id += Math.floor(this.random() * 36).toString(36);
    return id;
  }

  /**
   * Moves the clock, and runs each timer at the moment for which it was set, also those set meanwhile. What a timer
   * throws comes out here, with the clock at that moment.
   */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let timer = this.#firstDue(until); timer !== undefined; timer = this.#firstDue(until)) {
      this.#now = Math.max(this.#now, timer.dueAt);
      this.#timers.delete(timer);
      timer.run();
    }
    this.#now = Math.max(this.#now, until);
  }

  /**
   * The event loop is busy for so long: the clock moves first, and what came due meanwhile runs late, timers before what
   * has arrived.
   */
  block(ms: number): void {
    this.#now += ms;
    const late = [...this.#timers].filter(({ dueAt, isInput }) => dueAt <= this.#now && !isInput);
    for (const timer of late.sort((a, b) => a.dueAt - b.dueAt)) {
      // One before it may have cleared it.
      if (this.#timers.delete(timer)) timer.run();
    }
    this.advance(0);
  }

  /** Waits until no promise has anything left to do. The clock stands still. */
  async settle(): Promise<void> {
    await nextTask();
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Whether some timer would keep a Node process from ending. */
  get keepsProcessAlive(): boolean {
    return [...this.#timers].some((timer) => timer.keepsAlive);
  }

  #add(timer: PendingTimer): PendingTimer {
    this.#timers.add(timer);
    return timer;
  }

  #firstDue(until: number): PendingTimer | undefined {
    let first: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueAt <= until && (first === undefined || timer.dueAt < first.dueAt)) first = timer;
    }
    return first;
  }
}
