// Waiting for something to become true, with a limit: whoever changes the state says so, and those who wait look again.

interface Waiter {
  condition: () => boolean;
  settle: (isTrue: boolean) => void;
}

/** A timer that fires so much later than it should shows that the event loop was held up. */
const LATE_MS = 20;

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
      const dueMs = performance.now() + limitMs;
      const expire = (): void => {
        const lateMs = performance.now() - dueMs;
        if (condition() || lateMs < LATE_MS) waiter.settle(condition());
        // The tester itself was busy: what the peer has sent meanwhile is still to be read.
        else timer = setTimeout(() => waiter.settle(condition()), lateMs);
      };
      let timer = setTimeout(expire, limitMs);
      this.#waiters.add(waiter);
    });
  }
}
