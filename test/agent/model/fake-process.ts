// A program of the model: its timers and what its sockets bring wait while its event loop is blocked, and vanish when it is
// killed. The random numbers are those of FakeEnvironment.
import type { Timer } from '../../../src/agent/environment.js';
import { FakeEnvironment } from '../../support/fake-environment.js';
import type { Clock, ClockEvent } from './clock.js';

export class FakeProcess extends FakeEnvironment {
  readonly #clock: Clock;
  readonly #timers = new Set<ClockEvent>();
  #isAlive = true;
  /** What came while the event loop was blocked; undefined when it is not. */
  #waiting: (() => void)[] | undefined;

  constructor(clock: Clock, seed: number) {
    super(seed);
    this.#clock = clock;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isBlocked(): boolean {
    return this.#waiting !== undefined;
  }

  override now(): number {
    return this.#clock.now;
  }

  override setTimeout(run: () => void, ms: number): Timer {
    const timer = this.#clock.after(Math.max(1, ms), () =>
      this.run(() => {
        if (this.#timers.delete(timer)) run();
      }),
    );
    this.#timers.add(timer);
    return timer;
  }

  override clearTimeout(timer: Timer): void {
    if (this.#timers.delete(timer as ClockEvent)) this.#clock.cancel(timer as ClockEvent);
  }

  override get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Lets the process take part in an event: at once, later, or never. */
  run(task: () => void): void {
    if (!this.#isAlive) return;
    if (this.#waiting) this.#waiting.push(task);
    else task();
  }

  /** Keeps the event loop busy. */
  override block(ms: number): void {
    if (this.#waiting) return;
    this.#waiting = [];
    this.#clock.after(ms, () => this.#catchUp());
  }

  kill(): void {
    this.#isAlive = false;
    for (const timer of this.#timers) this.#clock.cancel(timer);
    this.#timers.clear();
  }

  /** One event each, so that promises run between two; what comes meanwhile waits behind them. */
  #catchUp(): void {
    const task = this.#waiting?.shift();
    if (task === undefined) {
      this.#waiting = undefined;
      return;
    }
    this.#clock.after(0, () => this.#catchUp());
    if (this.#isAlive) task();
  }
}
