// One direction of a connection of the model: what is sent comes out in order after a random time, later, or never.
import type { Clock, ClockEvent } from './clock.js';

interface Item {
  dueAt: number;
  deliver: () => void;
}

export class Flow {
  readonly clock: Clock;
  readonly #latencyMs: () => number;
  readonly #items: Item[] = [];
  #timer: ClockEvent | undefined;
  #stalledUntil = 0;
  #isOver = false;

  constructor(clock: Clock, latencyMs: () => number) {
    this.clock = clock;
    this.#latencyMs = latencyMs;
  }

  carry(deliver: () => void): void {
    if (this.#isOver) return;
    const last = this.#items.at(-1)?.dueAt ?? 0;
    const dueAt = Math.max(this.clock.now + this.#latencyMs(), this.#stalledUntil, last);
    this.#items.push({ dueAt, deliver });
    if (this.#items.length === 1) this.#wait();
  }

  /** Everything comes later, also what is under way. */
  stall(ms: number): void {
    this.#stalledUntil = this.clock.now + ms;
    for (const item of this.#items) item.dueAt = Math.max(item.dueAt, this.#stalledUntil);
    if (this.#items.length > 0) this.#wait();
  }

  /** What is under way is lost. */
  discard(): void {
    this.#items.length = 0;
    if (this.#timer) this.clock.cancel(this.#timer);
  }

  /** From now on everything is lost; what is under way is not. */
  stop(): void {
    this.#isOver = true;
  }

  #wait(): void {
    if (this.#timer) this.clock.cancel(this.#timer);
    this.#timer = this.clock.after(this.#items[0]!.dueAt - this.clock.now, () => {
      const item = this.#items.shift();
      if (this.#items.length > 0) this.#wait();
      item?.deliver();
    });
  }
}
