// How the application at one end takes its messages: told by an event or in a loop, acknowledged by the session or by itself,
// with times in which it takes nothing.
import type { Data } from '../../../src/agent/link.js';
import type { Session } from '../../../src/agent/session.js';
import type { SideSettings } from './scenario.js';

export type OnMessage = (data: Data, number: number | undefined) => void;

export class Consumer {
  readonly #session: Session;
  readonly #settings: SideSettings;
  readonly #onMessage: OnMessage;
  #goOn: (() => void) | undefined;
  #isHeld = false;

  constructor(session: Session, settings: SideSettings, onMessage: OnMessage) {
    this.#session = session;
    this.#settings = settings;
    this.#onMessage = onMessage;
    if (settings.consumer === 'listener') session.on('message', this.#onMessage);
    else void this.#loop();
  }

  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    if (this.#settings.consumer === 'iterator') {
      if (!isHeld) this.#goOn?.();
    } else if (isHeld) {
      this.#session.off('message', this.#onMessage);
    } else {
      this.#session.on('message', this.#onMessage);
    }
  }

  /** Takes and acknowledges everything. */
  goOn(): void {
    this.hold(false);
    this.acknowledge();
  }

  acknowledge(): void {
    if (this.#settings.acknowledge === 'manual') this.#session.acknowledge();
  }

  async #loop(): Promise<void> {
    try {
      for await (const data of this.#session) {
        this.#onMessage(data, undefined);
        if (!this.#isHeld) continue;
        await new Promise<void>((resolve) => {
          this.#goOn = resolve;
        });
      }
    } catch {
      // The session ended with an error, which the event 'close' tells, too.
    }
  }
}
