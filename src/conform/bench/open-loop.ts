// The pacing of an open loop: messages are due at fixed times, whatever the server does, and the latency of a message
// counts from when it was due. If it counted from when it could be sent, a server that stalls would be billed for the one
// message that it was busy with, and not for all that it kept waiting ("coordinated omission").
//
// Time comes from outside, so that tests can hold it still.
import { BenchmarkFailure } from './failure.js';
import { LogHistogram } from './histogram.js';

const NS_PER_MS = 1e6;

export interface OpenLoopOptions {
  ratePerSecond: number;
  /** Connections; messages go to them in turn. */
  lanes: number;
  /** Messages that may wait for their echo on one lane: a server that lags further behind will not catch up. */
  capacity: number;
  /** Milliseconds. */
  now(): number;
  send(lane: number): void;
}

/** The due times of the messages of one connection that have not come back, oldest first. */
class Lane {
  readonly #due: Float64Array;
  #head = 0;
  waiting = 0;
  isOpen = true;

  constructor(capacity: number) {
    this.#due = new Float64Array(capacity);
  }

  get isFull(): boolean {
    return this.waiting === this.#due.length;
  }

  push(dueMs: number): void {
    this.#due[(this.#head + this.waiting++) % this.#due.length] = dueMs;
  }

  shift(): number {
    const dueMs = this.#due[this.#head]!;
    this.#head = (this.#head + 1) % this.#due.length;
    this.waiting--;
    return dueMs;
  }
}

export class OpenLoop {
  /** Nanoseconds from due to echo, of messages that were due in the window. */
  readonly latency = new LogHistogram();
  /** Nanoseconds from due to sent, of the same messages. */
  readonly lateness = new LogHistogram();
  readonly #options: OpenLoopOptions;
  readonly #lanes: Lane[];
  readonly #intervalMs: number;
  readonly #startMs: number;
  /** Messages that were due so far: their times follow from their number, so that errors do not add up. */
  #count = 0;
  #windowStartMs = Number.POSITIVE_INFINITY;
  #windowEndMs = Number.POSITIVE_INFINITY;

  constructor(options: OpenLoopOptions) {
    this.#options = options;
    this.#lanes = Array.from({ length: options.lanes }, () => new Lane(options.capacity));
    this.#intervalMs = 1000 / options.ratePerSecond;
    this.#startMs = options.now();
  }

  /** From now on messages count; before, they only warm up. */
  openWindow(): void {
    this.#windowStartMs = this.#options.now();
  }

  closeWindow(): void {
    this.#windowEndMs = this.#options.now();
  }

  /** Messages that have not come back. */
  get waiting(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  }

  /**
   * Sends all that is due.
   *
   * @returns milliseconds until the next message is due
   * @throws BenchmarkFailure when too many messages wait
   */
  run(): number {
    const nowMs = this.#options.now();
    for (; this.#dueMs <= nowMs; this.#count++) {
      const number = this.#count % this.#lanes.length;
      const lane = this.#lanes[number]!;
      if (!lane.isOpen) continue;
      if (lane.isFull) throw this.#overload();
      const dueMs = this.#dueMs;
      lane.push(dueMs);
      this.#options.send(number);
      if (this.#isInWindow(dueMs)) this.lateness.record((this.#options.now() - dueMs) * NS_PER_MS);
    }
    return this.#dueMs - nowMs;
  }

  /** The oldest waiting message of a lane has come back. */
  answered(lane: number): void {
    const dueMs = this.#lanes[lane]!.shift();
    if (this.#isInWindow(dueMs)) this.latency.record((this.#options.now() - dueMs) * NS_PER_MS);
  }

  /** A lane has ended: what was due on it will not come back. */
  drop(lane: number): void {
    this.#lanes[lane]!.isOpen = false;
    this.#lanes[lane]!.waiting = 0;
  }

  get #dueMs(): number {
    return this.#startMs + this.#count * this.#intervalMs;
  }

  #isInWindow(dueMs: number): boolean {
    return dueMs >= this.#windowStartMs && dueMs < this.#windowEndMs;
  }

  #overload(): BenchmarkFailure {
    const { ratePerSecond } = this.#options;
    return new BenchmarkFailure(
      'overload',
      `the server does not keep up with ${ratePerSecond} messages/s: ${this.waiting} wait for their echo`,
    );
  }
}
