// What can go wrong with a session, as codes, and the close codes of `hawser.v1` (docs/session-protocol.md).

/** Why a session, or an operation on it, failed. Programs match on these; messages are for people. */
export type SessionErrorCode =
  /** The queue is full and its policy is `error`. */
  | 'queue-full'
  /** The message is larger than the queue may ever hold. */
  | 'too-large'
  /** All keys of the idempotency store are in use. */
  | 'store-full'
  /** The session has ended, or ended before the operation was done. */
  | 'closed'
  /** The server no longer has the session; whether the message was processed is not known. */
  | 'lost'
  /** The server refused who we are: HTTP 401 or 403, close code 4401 or 4403. */
  | 'unauthorized'
  /** Somebody else has taken the session over: close code 4409. */
  | 'superseded'
  /** The peer broke the session protocol: close codes 4400 and 4500. */
  | 'protocol'
  /** The peer closed with a code after which there is no reconnecting. */
  | 'refused'
  /** The owner's AbortSignal, or that of the operation. */
  | 'aborted';

/** An error of the agent layer. `closeCode` and `status` are set where a WebSocket or HTTP gave the reason. */
export class SessionError extends Error {
  override readonly name = 'SessionError';
  readonly code: SessionErrorCode;
  readonly closeCode: number | undefined;
  readonly status: number | undefined;

  constructor(
    code: SessionErrorCode,
    message: string,
    details: { closeCode?: number | undefined; status?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.closeCode = details.closeCode;
    this.status = details.status;
  }
}

export function closedError(): SessionError {
  return new SessionError('closed', 'the session is closed');
}

/** @param reason that of the event 'sessionlost' */
export function lostError(reason: string): SessionError {
  return new SessionError('lost', `the server no longer has the session: ${reason}`);
}

export function abortError(signal: AbortSignal): SessionError {
  return new SessionError('aborted', 'the operation was aborted', { cause: signal.reason });
}

/** The close codes by which the two ends of a session tell each other why a connection ends. */
export const CLOSE = {
  /** The session is over, on purpose. */
  OVER: 1000,
  /** The server goes away: come back. */
  RESTART: 1012,
  /** A control message that is malformed, or that must not come here. */
  MALFORMED: 4400,
  UNAUTHENTICATED: 4401,
  /** The session belongs to another principal. */
  FORBIDDEN: 4403,
  /** No hello, or no welcome, in time. */
  TIMEOUT: 4408,
  /** The generation is not newer than one that was seen. */
  SUPERSEDED: 4409,
  /** Counters disagree, or the window was overrun: both ends forget the session. */
  CORRUPT: 4500,
} as const;
