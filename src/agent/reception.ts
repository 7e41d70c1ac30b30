// Connections of which a server does not know yet whose they are: each has so long to say hello.

import { type Hello, parseControl } from './control.js';
import { CLOSE } from './errors.js';
import { closeLink, type Link } from './link.js';
import type { TimerWheel } from './timer-wheel.js';

/** Who a client is, or that it is refused. */
export type Principal = string | undefined | false;

export class Reception {
  readonly #wheel: TimerWheel;
  readonly #timeoutMs: number;
  /** Each with what ends its waiting. */
  readonly #waiting = new Map<Link, () => void>();

  constructor(timeoutMs: number, wheel: TimerWheel) {
    this.#timeoutMs = timeoutMs;
    this.#wheel = wheel;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Waits on an open link for a hello, and until it is known who the client is.
   *
   * @param admit called once, if ever; the link's handler is the caller's to set, at once
   */
  receive(
    link: Link,
    principal: string | Promise<Principal>,
    admit: (hello: Hello, principal: string) => void,
  ): void {
    const timer = this.#wheel.schedule(this.#timeoutMs, () =>
      this.#refuse(link, CLOSE.TIMEOUT, 'no hello in time'),
    );
    this.#waiting.set(link, () => this.#wheel.cancel(timer));
    // Nobody looks at it before the hello.
    if (typeof principal !== 'string') principal.catch(() => {});
    let isGreeted = false;
    const decide = (hello: Hello, name: Principal): void => {
      if (typeof name !== 'string') this.#refuse(link, CLOSE.UNAUTHENTICATED, 'not authenticated');
      else if (this.#leave(link)) admit(hello, name);
    };
    link.handler = {
      onMessage: (data) => {
        const hello = typeof data === 'string' ? parseControl(data) : undefined;
        if (isGreeted || hello?.t !== 'hello') {
          this.#refuse(link, CLOSE.MALFORMED, 'one hello was expected');
          return;
        }
        isGreeted = true;
        if (typeof principal === 'string') {
          decide(hello, principal);
        } else {
          principal.then(
            (name) => decide(hello, name),
            // 1011: ours is the fault, and it may be over soon.
            () => this.#refuse(link, 1011, 'authentication failed'),
          );
        }
      },
      onEnd: () => this.#leave(link),
    };
  }

  /** Sends everybody away. @returns when their connections are gone */
  async close(code: number, reason: string): Promise<void> {
    await Promise.all([...this.#waiting.keys()].map((link) => this.#refuse(link, code, reason)));
  }

  async #refuse(link: Link, code: number, reason: string): Promise<void> {
    if (this.#leave(link)) await closeLink(link, code, reason, this.#wheel);
  }

  /** @returns false when it had left before */
  #leave(link: Link): boolean {
    this.#waiting.get(link)?.();
    return this.#waiting.delete(link);
  }
}
