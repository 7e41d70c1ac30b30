// The connections of one measurement: opened a few at a time, watched while it runs, closed in the end. A connection that
// the server closes is counted and done without; any other fault ends the measurement.
import { BenchConnection } from './connection.js';
import { BenchmarkFailure } from './failure.js';
import type { LostConnections } from './report.js';
import type { BenchTarget } from './target.js';

/** Connections that are being opened at a time. */
export const OPENED_AT_ONCE = 32;
/** How often the load looks whether the server still answers. */
const LOOK_EVERY_MS = 100;
const MOST_REASONS = 5;

export interface LoadPlan {
  target: BenchTarget;
  connections: number;
  warmupMs: number;
  durationMs: number;
  /** How long the server may be silent while it owes an answer. */
  timeoutMs: number;
}

export class Load {
  readonly connections: BenchConnection[] = [];
  readonly lost: LostConnections = { count: 0, reasons: [] };
  readonly #timeoutMs: number;
  #failure: BenchmarkFailure | null = null;
  #wake: () => void = () => {};

  /** Opens the connections of a plan. @throws BenchmarkFailure by rejection; then none stays open */
  static async open(plan: LoadPlan, offersDeflate = false): Promise<Load> {
    const load = new Load(plan.timeoutMs);
    let started = 0;
    const open = async (): Promise<void> => {
      while (started < plan.connections && load.#failure === null) {
        started++;
        try {
          load.#adopt(await BenchConnection.open(plan.target, offersDeflate, plan.timeoutMs));
        } catch (error) {
          load.fail(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(OPENED_AT_ONCE, plan.connections) }, open));
    if (load.#failure !== null) {
      load.reset();
      throw load.#failure;
    }
    return load;
  }

  private constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  get isAlive(): boolean {
    return this.lost.count < this.connections.length;
  }

  /** Ends the measurement: whoever waits gets this. */
  fail(error: unknown): void {
    this.#failure ??=
      error instanceof BenchmarkFailure ? error : new BenchmarkFailure('protocol', String(error));
    this.#wake();
  }

  /**
   * Waits, as long as nothing goes wrong.
   *
   * @param owesAnswer whether the server has something to answer; then it may not be silent for long
   * @throws BenchmarkFailure by rejection
   */
  async pass(ms: number, owesAnswer: () => boolean = () => true): Promise<void> {
    await this.#waitUntil((elapsedMs) => elapsedMs >= ms, ms, owesAnswer);
  }

  /** Waits until `isDone`, and fails when the server falls silent before. */
  async drain(isDone: () => boolean): Promise<void> {
    await this.#waitUntil(isDone, Number.POSITIVE_INFINITY, () => true);
  }

  /** To be called when `drain` may be done. */
  wake(): void {
    this.#wake();
  }

  async close(): Promise<void> {
    await Promise.all(this.connections.map((connection) => connection.close()));
  }

  reset(): void {
    for (const connection of this.connections) connection.reset();
  }

  #adopt(connection: BenchConnection): void {
    this.connections.push(connection);
    connection.onLost = (failure) => this.#onLost(failure);
    // It may have ended before anyone listened.
    if (connection.lost !== null) this.#onLost(connection.lost);
  }

  #onLost(failure: BenchmarkFailure): void {
    if (failure.kind !== 'closed') {
      this.fail(failure);
      return;
    }
    this.lost.count++;
    const { reasons } = this.lost;
    if (!reasons.includes(failure.message) && reasons.length < MOST_REASONS) reasons.push(failure.message);
    this.#wake();
  }

  async #waitUntil(
    isDone: (elapsedMs: number) => boolean,
    ms: number,
    owesAnswer: () => boolean,
  ): Promise<void> {
    const startedMs = performance.now();
    let heardMs = startedMs;
    let heardBytes = this.#bytesReceived;
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      if (!this.isAlive) throw this.#allLost();
      const nowMs = performance.now();
      if (isDone(nowMs - startedMs)) return;
      if (this.#bytesReceived !== heardBytes || !owesAnswer()) {
        heardBytes = this.#bytesReceived;
        heardMs = nowMs;
      } else if (nowMs - heardMs >= this.#timeoutMs) {
        throw new BenchmarkFailure('timeout', `the server did not answer for ${this.#timeoutMs} ms`);
      }
      await this.#sleep(Math.min(LOOK_EVERY_MS, ms - (nowMs - startedMs), this.#timeoutMs));
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  get #bytesReceived(): number {
    let bytes = 0;
    for (const connection of this.connections) bytes += connection.bytesReceived;
    return bytes;
  }

  #allLost(): BenchmarkFailure {
    const { count, reasons } = this.lost;
    const all = count === 1 ? '' : ` (all ${count} connections)`;
    return new BenchmarkFailure('closed', `${reasons.join('; ')}${all}`);
  }
}
