// When to connect again, and when not to: exponential backoff with full jitter, so that clients which lost their server
// together do not come back together; and which ends are final. Waiting is left to the session.

import { type Environment, LONGEST_TIMEOUT_MS } from './environment.js';
import { CLOSE, SessionError, type SessionErrorCode } from './errors.js';
import type { LinkEnd } from './link.js';

/** A server may ask for more, but is not obeyed: a session should not sleep for days because of one bad header. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

export interface BackoffOptions {
  /** The longest first delay, in milliseconds; it doubles with every attempt. 250 by default. */
  baseMs?: number;
  /** The longest delay of all, in milliseconds, Retry-After aside. 20,000 by default. */
  capMs?: number;
  /** For how long a session must have been open until delays begin at `baseMs` again. 5,000 by default. */
  resetAfterMs?: number;
}

/** The delays of one client. */
export class Backoff {
  readonly #environment: Environment;
  readonly #baseMs: number;
  readonly #capMs: number;
  readonly #resetAfterMs: number;
  #attempt = 0;
  #openedAt: number | undefined;

  constructor(
    { baseMs = 250, capMs = 20_000, resetAfterMs = 5_000 }: BackoffOptions,
    environment: Environment,
  ) {
    this.#baseMs = baseMs;
    this.#capMs = Math.min(capMs, LONGEST_TIMEOUT_MS - LONGEST_RETRY_AFTER_MS);
    this.#resetAfterMs = resetAfterMs;
    this.#environment = environment;
  }

  /** How many delays were asked for since the last that began anew: 1 after the first failure. */
  get attempt(): number {
    return this.#attempt;
  }

  /** The session is open. Only lasting counts: a server that welcomes and falls over must not be hammered. */
  opened(): void {
    this.#openedAt = this.#environment.now();
  }

  /**
   * The connection is gone, or was not made: milliseconds until the next attempt.
   *
   * @param retryAfterMs the least to wait, as the server asked. The jitter comes on top and is as long as this, at least:
   * clients that were all told the same moment would else meet there.
   */
  nextDelayMs(retryAfterMs = 0): number {
    if (this.#wasStable()) this.#attempt = 0;
    this.#openedAt = undefined;
    const floorMs = Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS);
    const jitterMs = Math.min(this.#capMs, Math.max(floorMs, this.#baseMs * 2 ** this.#attempt));
    this.#attempt++;
    return floorMs + Math.floor(this.#environment.random() * jitterMs);
  }

  #wasStable(): boolean {
    return this.#openedAt !== undefined && this.#environment.now() - this.#openedAt >= this.#resetAfterMs;
  }
}

/** Whether connecting again may help after this end. */
export function shouldRetry({ code, status }: LinkEnd): boolean {
  if (status !== undefined) return !isFinalStatus(status);
  return !isFinalCode(code);
}

/** Why there is no retrying after this end; undefined where that is no failure: the peer closed with 1000. */
export function stopError({ code, status, reason, error }: LinkEnd): SessionError | undefined {
  if (status !== undefined) {
    const errorCode = status === 401 || status === 403 ? 'unauthorized' : 'refused';
    return new SessionError(errorCode, `the server answered with HTTP status ${status}`, {
      status,
      cause: error,
    });
  }
  if (code === CLOSE.OVER) return undefined;
  if (code === 1006) {
    const cause = error === undefined ? '' : `: ${error.message}`;
    return new SessionError('refused', `the connection failed${cause}`, { closeCode: code, cause: error });
  }
  // Quoted, as it is the peer's text: a line break in it must not start a line of its own in a log.
  const said = reason === '' ? '' : `: ${JSON.stringify(reason)}`;
  return new SessionError(ERROR_OF_CLOSE.get(code) ?? 'refused', `the peer closed with ${code}${said}`, {
    closeCode: code,
    cause: error,
  });
}

/** Not the connection failed, but what it was to be made of, or what it brought. */
export function impossibleError({ code, reason, error }: LinkEnd): SessionError {
  const kind = code === CLOSE.MALFORMED ? 'protocol' : 'refused';
  return new SessionError(kind, reason, { closeCode: code, cause: error });
}

/**
 * Milliseconds that a Retry-After header asks for (RFC 9110 §10.2.3), at most an hour; undefined when it is not valid.
 * Of the three forms of a date only the one that may still be sent is read.
 *
 * @param nowEpochMs what `Date.now()` says
 */
export function parseRetryAfter(value: string, nowEpochMs: number): number | undefined {
  const text = value.trim();
  let ms: number;
  if (/^\d+$/.test(text)) ms = Number(text) * 1000;
  else if (IMF_FIXDATE.test(text)) ms = Date.parse(text) - nowEpochMs;
  else return undefined;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), LONGEST_RETRY_AFTER_MS);
}

/** RFC 9110 §5.6.7. `Date.parse` alone takes many things for dates. */
const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

const ERROR_OF_CLOSE: ReadonlyMap<number, SessionErrorCode> = new Map([
  [CLOSE.MALFORMED, 'protocol'],
  [CLOSE.UNAUTHENTICATED, 'unauthorized'],
  [CLOSE.FORBIDDEN, 'unauthorized'],
  [CLOSE.SUPERSEDED, 'superseded'],
]);

/** 4xx says that the request is wrong, and it will be the same again, but for: timeout, too early, too many requests. */
function isFinalStatus(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;
}

/** RFC 6455 §7.4.1: over, protocol error, unsupported data, invalid payload, policy, too big, extension missing. */
const FINAL_CODES: ReadonlySet<number> = new Set([CLOSE.OVER, 1002, 1003, 1007, 1008, 1009, 1010]);

function isFinalCode(code: number): boolean {
  return FINAL_CODES.has(code) || (code >= 4400 && code < 4500 && code !== CLOSE.TIMEOUT);
}
