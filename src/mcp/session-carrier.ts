// A session as the carrier of a transport. Drops are its own business; the transport hears of nothing but the end.

import { shouldRetry, stopError } from '../agent/backoff.js';
import { lostError } from '../agent/errors.js';
import type { Session } from '../agent/session.js';
import { type Carrier, type CarrierHandler, CLOSE_CODE } from './carrier.js';

export class SessionCarrier implements Carrier {
  readonly #session: Session;
  #handler: CarrierHandler | undefined;
  #error: Error | undefined;

  constructor(session: Session) {
    this.#session = session;
    session.on('close', ({ error }) => {
      this.#error ??= error;
    });
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
    this.#read(handler);
  }

  async send(text: string): Promise<void> {
    await this.#session.send(text);
  }

  close(code: number, reason: string): Promise<void> {
    return code === CLOSE_CODE.NORMAL ? this.#session.close() : this.#session.cutOff(code, reason);
  }

  /** One after the other: what is not read is not acknowledged, and in time the peer's window is full. */
  async #read(handler: CarrierHandler): Promise<void> {
    try {
      for await (const data of this.#session) await handler.onMessage(data);
    } catch {
      // The error is that of the event 'close'.
    }
    handler.onEnd(this.#error);
  }
}
