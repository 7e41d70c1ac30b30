// Finds links whose peer is gone without having said so: a ping at every interval, and the verdict when no byte has come
// since. How to ping, and what to do with a dead link, is left to the owner.

import type { Link } from './link.js';
import type { TimerWheel, WheelTimer } from './timer-wheel.js';

/** Longer than what may run between the check and the second look without the event loop reading in between. */
const SECOND_LOOK_MS = 1000;

export interface LivenessOptions {
  /** Milliseconds between pings; when the timeout is longer, that. */
  intervalMs: number;
  /** Milliseconds after a ping in which some byte must arrive; the verdict follows up to a second later. */
  timeoutMs: number;
}

export interface LivenessCallbacks {
  ping(): void;
  /** Called at most once, and last of all. */
  onDead(): void;
}

/** Watches one link from its creation until `stop`. */
export class Liveness {
  readonly #link: Link;
  readonly #wheel: TimerWheel;
  readonly #options: LivenessOptions;
  readonly #callbacks: LivenessCallbacks;
  #timer: WheelTimer;
  #activityAtPing = 0;

  constructor(link: Link, wheel: TimerWheel, options: LivenessOptions, callbacks: LivenessCallbacks) {
    this.#link = link;
    this.#wheel = wheel;
    this.#options = options;
    this.#callbacks = callbacks;
    this.#timer = wheel.schedule(options.intervalMs, () => this.#ping());
  }

  stop(): void {
    this.#wheel.cancel(this.#timer);
  }

  #ping(): void {
    this.#activityAtPing = this.#link.activity;
    // Scheduled first: the owner may stop us from within its ping.
    this.#timer = this.#wheel.schedule(this.#options.timeoutMs, (lateMs) => this.#check(lateMs));
    this.#callbacks.ping();
  }

  #check(lateMs: number): void {
    const { timeoutMs } = this.#options;
    if (this.#wasHeard()) this.#rest();
    // More than twice the time has passed: our own event loop stood still, or the whole machine slept.
    else if (lateMs > timeoutMs) this.#ping();
    // What came during a shorter standstill still waits in the kernel: timers run first, then the event loop reads.
    else this.#timer = this.#wheel.schedule(Math.min(SECOND_LOOK_MS, timeoutMs), () => this.#judge());
  }

  #judge(): void {
    if (this.#wasHeard()) this.#rest();
    else this.#callbacks.onDead();
  }

  #wasHeard(): boolean {
    return this.#link.activity !== this.#activityAtPing;
  }

  #rest(): void {
    const { intervalMs, timeoutMs } = this.#options;
    this.#timer = this.#wheel.schedule(intervalMs - timeoutMs, () => this.#ping());
  }
}
