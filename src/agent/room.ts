// Watches for room after somebody found none: a connection, nothing that waits, a window that is not used up. Made when it is
// needed for the first time, as most sessions never need it.

import type { Channel } from './channel.js';
import type { Environment } from './environment.js';

/** Where there is room, or not. */
export interface Outlet {
  /** Asked each time, as a session gets others. */
  channel(): Channel;
  /** Whether a message of this length would go out at once. */
  canSend(length: number): boolean;
  onRoom(): void;
}

/** Where nobody tells that a connection has room again, it is looked at so often. */
const LOOK_EVERY_MS = 10;

export class RoomWatch {
  readonly #outlet: Outlet;
  readonly #environment: Environment;
  /** The length for which there was no room; undefined once it was told that there is. */
  #length: number | undefined;
  #isTelling = false;
  #timer: unknown;

  constructor(outlet: Outlet, environment: Environment) {
    this.#outlet = outlet;
    this.#environment = environment;
  }

  /** There was no room for a message of this length. The shortest counts: who needs more finds out by asking again. */
  await(length: number): void {
    this.#length = Math.min(length, this.#length ?? length);
    this.#lookLater();
  }

  /** There may be room again. */
  look(): void {
    // Who is told may send until there is no room any more, and so come back here.
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      while (this.#length !== undefined && this.#outlet.canSend(this.#length)) {
        this.#length = undefined;
        this.#outlet.onRoom();
      }
    } finally {
      this.#isTelling = false;
    }
    this.#lookLater();
  }

  stop(): void {
    this.#length = undefined;
    if (this.#timer !== undefined) this.#environment.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #lookLater(): void {
    if (this.#length === undefined || !this.#outlet.channel().isCongested) return;
    this.#timer ??= this.#environment.setTimeout(() => {
      this.#timer = undefined;
      this.#outlet.channel().lookAgain();
      this.#lookLater();
    }, LOOK_EVERY_MS);
  }
}
