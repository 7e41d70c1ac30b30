// What a session tells its user: the events of both ends, and the numbers of `stats()`.

import type { SessionError } from './errors.js';
import type { FormerSession } from './former-session.js';
import type { Data } from './link.js';
import type { DroppedMessage } from './queue-options.js';

/** How a session came to its end. */
export interface SessionEnd {
  /** The close code (RFC 6455 §7.4); 1006 where there was none. */
  code: number;
  reason: string;
  /** Set unless one of the two ends wanted it. */
  error?: SessionError;
  /** Messages that the peer surely does not have. */
  unsent: Data[];
  /** Messages that the peer may or may not have. */
  unacked: Data[];
}

/** Events of both ends; each says which end has it, where it is not both. */
export interface SessionEvents {
  /** `number` counts the messages that were handed over, from 1. */
  message: [data: Data, number: number];
  /** Client: the session is usable, for the first time or as a new one. */
  open: [];
  /** Client: the connection is gone and the next attempt is `delayMs` away. `code` is a close code or an HTTP status. */
  reconnecting: [info: { attempt: number; delayMs: number; code: number; error: Error | undefined }];
  /** The session goes on over a new connection; `replayed` of our messages were sent again. */
  resumed: [info: { replayed: number }];
  /** Client: the server does not have the session any more; a new one begins. Nobody sends these messages again. */
  sessionlost: [info: { unsent: Data[]; unacked: Data[]; reason: string }];
  /** The server goes away in `inMs`. A client moves to another connection by itself. */
  drain: [info: { inMs: number; retryAfterMs: number | undefined }];
  /**
   * Client: a server that drains is left, and another one has a new session, of which nothing has come or was sent yet. What
   * waits for room is sent there, whatever it was meant for. For layers that have something under way: `former.keep()`.
   */
  moved: [former: FormerSession];
  /** Server: the connection is gone; the session waits for the client to come back. */
  detached: [info: { code: number }];
  /** There was no room, and now what is sent goes out at once again; told once, until somebody finds no room again. */
  room: [];
  /** A message was dropped. */
  drop: [dropped: DroppedMessage];
  close: [end: SessionEnd];
}

/** Numbers about a session at this moment. */
export interface SessionStats {
  state: string;
  /** Messages that got a number, and the highest of them that the peer acknowledged, in this session. */
  sent: number;
  acknowledged: number;
  /** Messages that have come, and that were handed to the application. */
  received: number;
  handedOver: number;
  /** Messages that wait for a number, and those that wait for their acknowledgement. */
  unsent: number;
  unacked: number;
  /** Payload bytes of these two together. */
  queuedBytes: number;
  /** `send()` calls that wait for room. */
  waiting: number;
  dropped: number;
  /** How often the session went on over a new connection. */
  resumes: number;
}
