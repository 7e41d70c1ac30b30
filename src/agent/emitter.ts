// Events for objects that live in Node and in browsers alike: the part of Node's EventEmitter that sessions need.

import { forgiveEnd } from './quiet.js';

type Listener<Arguments extends unknown[]> = (...args: Arguments) => void;

/** Listeners by event, called in the order in which they were added. `Events` maps names to argument lists. */
export class Emitter<Events extends { [Name in keyof Events]: unknown[] }> {
  /** Copied on every change, so that who is being told is not affected by it. */
  readonly #listeners = new Map<keyof Events, unknown[]>();

  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): this {
    this.#listeners.set(name, (this.#listeners.get(name) ?? []).concat(listener));
    this.onListenersChanged(name);
    return this;
  }

  once<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): this {
    const onlyOnce = (...args: Events[Name]): unknown => {
      this.off(name, listener);
      return listener(...args);
    };
    // So that `off` finds it.
    return this.on(name, Object.assign(onlyOnce, { listener }));
  }

  off<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): this {
    const kept = (this.#listeners.get(name) ?? []).filter(
      (known) => known !== listener && (known as { listener?: unknown }).listener !== listener,
    );
    if (kept.length > 0) this.#listeners.set(name, kept);
    else this.#listeners.delete(name);
    this.onListenersChanged(name);
    return this;
  }

  listenerCount(name: keyof Events): number {
    return this.#listeners.get(name)?.length ?? 0;
  }

  /** As they are now; a later change makes another array. */
  protected listeners<Name extends keyof Events>(name: Name): readonly Listener<Events[Name]>[] {
    return (this.#listeners.get(name) ?? []) as Listener<Events[Name]>[];
  }

  /** For classes that keep a listener at hand, or that begin something with the first one. */
  protected onListenersChanged(_name: keyof Events): void {}

  /** A listener that throws keeps nobody else from being told; the error is thrown again on its own. */
  protected emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    for (const listener of this.listeners(name)) {
      try {
        forgiveEnd(listener(...args));
      } catch (error) {
        // What a listener throws is its process's to know, and must not stop us half-way through what we do.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  protected removeAllListeners(): void {
    this.#listeners.clear();
  }
}
