// A session as the carrier of a transport. Drops are its own business; the transport hears of nothing but the end.

import { shouldRetry, stopError } from '../agent/backoff.js';
import { lostError } from '../agent/errors.js';
import type { Data } from '../agent/link.js';
import type { Session } from '../agent/session.js';
import { type Carrier, type CarrierHandler, CLOSE_CODE } from './carrier.js';

export class SessionCarrier implements Carrier {
  readonly #session: Session;
  #handler: CarrierHandler | undefined;
  #isBusy = false;
  #isOver = false;
  #error: Error | undefined;

  constructor(session: Session) {
    this.#session = session;
    this.#isOver = session.state === 'closed';
    session.on('close', ({ error }) => this.#onEnd(error));
    session.on('drain', () => {
      if (session.side === 'client') this.#handler?.onDrain();
    });
    session.on('sessionlost', ({ reason }) => {
      // The new session is with a server that knows nothing of this client: it has to begin again from the first request.
      this.#error = lostError(reason);
      session.close();
    });
    session.on('detached', ({ code }) => {
      const end = { code, reason: '' };
      if (shouldRetry(end)) return;
      // A client that ended with this code does not come back.
      this.#error = stopError(end);
      session.terminate();
    });
  }

  get id(): string | undefined {
    return this.#session.id;
  }

  begin(handler: CarrierHandler): void {
    this.#handler = handler;
    this.#session.on('message', this.#onMessage);
    this.#endIfOver();
  }

  async send(text: string): Promise<void> {
    await this.#session.send(text);
  }

  close(code: number, reason: string): Promise<void> {
    return code === CLOSE_CODE.NORMAL ? this.#session.close() : this.#session.cutOff(code, reason);
  }

  readonly #onMessage = (data: Data): void => {
    const handled = this.#handler!.onMessage(data);
    if (handled instanceof Promise) this.#waitFor(handled);
  };

  /** What nobody listens to is not acknowledged, and in time the peer's window is full. */
  async #waitFor(handled: Promise<unknown>): Promise<void> {
    this.#isBusy = true;
    this.#session.off('message', this.#onMessage);
    await handled;
    this.#isBusy = false;
    this.#session.on('message', this.#onMessage);
    this.#endIfOver();
  }

  #onEnd(error: Error | undefined): void {
    this.#isOver = true;
    this.#error ??= error;
    this.#endIfOver();
  }

  #endIfOver(): void {
    if (this.#isOver && !this.#isBusy) this.#handler?.onEnd(this.#error);
  }
}
