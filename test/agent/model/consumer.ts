// How the application at one end takes its messages: told by an event or in a loop, acknowledged by the session or by itself,
// with times in which it takes nothing.
import type { Data } from '../../../src/agent/link.js';
import type { Session } from '../../../src/agent/session.js';
import type { SideSettings } from './scenario.js';

export interface ConsumerCallbacks {
  onMessage(data: Data): void;
  /** A message came under a number that is not the next one. */
  onWrongNumber(number: number, expected: number): void;
  /** The application has acknowledged all that it was given. */
  onAcknowledged(): void;
}

export class Consumer {
  readonly #session: Session;
  readonly #settings: SideSettings;
  readonly #callbacks: ConsumerCallbacks;
  #handedOver = 0;
  readonly #onMessage = (data: Data, number?: number): void => {
    this.#handedOver++;
    if (number !== undefined && number !== this.#handedOver) {
      this.#callbacks.onWrongNumber(number, this.#handedOver);
    }
    this.#callbacks.onMessage(data);
  };
  #goOn: (() => void) | undefined;
  #isHeld = false;
  #isLooping: boolean;

  constructor(session: Session, settings: SideSettings, callbacks: ConsumerCallbacks) {
    this.#session = session;
    this.#settings = settings;
    this.#callbacks = callbacks;
    this.#isLooping = settings.consumer === 'iterator';
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
    if (this.#settings.acknowledge === 'auto') return;
    this.#session.acknowledge();
    this.#callbacks.onAcknowledged();
  }

  /** Whether it waits for another message. */
  get isLooping(): boolean {
    return this.#isLooping;
  }

  async #loop(): Promise<void> {
    try {
      for await (const data of this.#session) {
        this.#onMessage(data);
        if (!this.#isHeld) continue;
        await new Promise<void>((resolve) => {
          this.#goOn = resolve;
        });
      }
    } catch {
      // The session ended with an error, which the event 'close' tells, too.
    }
    this.#isLooping = false;
  }
}
