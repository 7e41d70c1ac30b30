// What carries the messages of a transport: a session, which outlives its connections, or one plain connection.

import type { Data } from '../agent/link.js';

export interface Carrier {
  /** Names it in logs; not a secret. */
  readonly id: string | undefined;
  /** Whoever listens from now on; what has come before is handed over at once, the end, too. */
  begin(handler: CarrierHandler): void;
  /** @returns when there is room for more. @throws (rejects) when it is over */
  send(text: string): Promise<void>;
  /**
   * Ends it on purpose; `onEnd` is called.
   *
   * @param code 1000 lets what was sent arrive first, and all others are a reason to end at once
   * @returns when it is gone
   */
  close(code: number, reason: string): Promise<void>;
}

export interface CarrierHandler {
  /** When it returns a promise, the next one comes when that is settled: in time the peer has to wait. */
  onMessage(data: Data): unknown;
  /** The other end goes away soon. */
  onDrain(): void;
  /** It is gone for good; last of all, once. `error` is set unless one of the two ends wanted it. */
  onEnd(error: Error | undefined): void;
}

/** The close codes of RFC 6455 §7.4.1 by which a transport ends its connection. */
export const CLOSE_CODE = {
  NORMAL: 1000,
  UNSUPPORTED_DATA: 1003,
  INTERNAL_ERROR: 1011,
  /** The server goes away (registered with IANA). */
  RESTART: 1012,
  /** More than can be taken now (registered with IANA). */
  TRY_AGAIN: 1013,
} as const;

/** The largest message that either end takes unless its options say otherwise. */
export const MAX_MESSAGE_BYTES = 32 * 2 ** 20;
