// Time of the model: one clock for the network and all processes. Between two events everything that promises have to do
// is done, as in a real event loop, but without leaving the microtasks: a minute costs what happens in it.

export interface ClockEvent {
  dueAt: number;
  /** Undefined when it was cancelled. */
  run: (() => void) | undefined;
}

export class Clock {
  /** Not 0, as on a real machine. */
  now = 1000;
  /** The next one comes last. */
  readonly #events: ClockEvent[] = [];

  after(ms: number, run: () => void): ClockEvent {
    const event = { dueAt: this.now + ms, run };
    let index = this.#events.length;
    while (index > 0 && this.#events[index - 1]!.dueAt <= event.dueAt) index--;
    this.#events.splice(index, 0, event);
    return event;
  }

  cancel(event: ClockEvent): void {
    event.run = undefined;
  }

  /** Moves the clock, and runs each event at its moment, also those that are added meanwhile. */
  async advance(ms: number): Promise<void> {
    const until = this.now + ms;
    await microtasksDone();
    for (
      let next = this.#events.at(-1);
      next !== undefined && next.dueAt <= until;
      next = this.#events.at(-1)
    ) {
      this.#events.pop();
      if (next.run === undefined) continue;
      this.now = Math.max(this.now, next.dueAt);
      next.run();
      await microtasksDone();
    }
    this.now = until;
  }
}

/** Node runs `nextTick` when no promise has anything left to do. */
function microtasksDone(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
