// Waiting for something to become true, with a limit: whoever changes the state says so, and those who wait look again.

interface Waiter {
  condition: () => boolean;
  settle: (isTrue: boolean) => void;
}

export class Changes {
  readonly #waiters = new Set<Waiter>();

  /** To be called after every change that somebody may wait for. */
  notify(): void {
    for (const waiter of this.#waiters) {
      if (waiter.condition()) waiter.settle(true);
    }
  }

  /** Whether `condition` held within `limitMs`. */
  until(condition: () => boolean, limitMs: number): Promise<boolean> {
    if (condition()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        condition,
        settle: (isTrue) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(isTrue);
        },
      };
      const timer = setTimeout(() => waiter.settle(condition()), limitMs);
      this.#waiters.add(waiter);
    });
  }
}
