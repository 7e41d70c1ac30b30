// A connection as a session sees it: whole messages both ways, and its end. `socket-link.ts` makes one of any WebSocket;
// tests make them of nothing.

import type { TimerWheel } from './timer-wheel.js';

export type Data = string | Uint8Array;

/** Who is told what happens on a link. Nothing is called after `onEnd`, or after `Link.release()`. */
export interface LinkHandler {
  /** The connection is open. Not called for links that are open from the start. */
  onOpen?(): void;
  onMessage(data: Data): void;
  /** What was congested has left; more can be sent. Where the platform does not tell, it is never called. */
  onDrain?(): void;
  /** The connection is gone, or was never made. */
  onEnd(end: LinkEnd): void;
}

export interface LinkEnd {
  /** RFC 6455 §7.4.1; 1006 when there was no closing handshake. */
  code: number;
  reason: string;
  /** The HTTP status of a handshake that was refused, where the platform tells it. */
  status?: number;
  /** What the Retry-After header asked for. */
  retryAfterMs?: number;
  error?: Error;
}

export interface Link {
  /** Set before anything can happen. */
  handler: LinkHandler | undefined;
  /** What the server picked, once the connection is open; empty where it picked none. */
  readonly subprotocol: string;
  send(data: Data): void;
  /** Starts the closing handshake. */
  close(code: number, reason: string): void;
  /** Nothing of the link is heard any more, and the connection is destroyed, or closed where that is all the platform can do. */
  release(): void;
  /** Reads no more, so that in time the peer cannot send; undefined where the platform cannot (browsers). */
  pause?(): void;
  resume?(): void;
  /** Bytes accepted by `send` that have not left yet. */
  readonly bufferedAmount: number;
  /** Sends a protocol Ping; undefined where the platform has none (browsers). */
  readonly ping: (() => void) | undefined;
  /** A number that changes whenever bytes have come; finer than messages where the platform tells. */
  readonly activity: number;
}

/** Makes a connection; returns at once. @throws when the URL, a subprotocol or a header is not valid */
export type Connect = (request: ConnectRequest) => Link;

export interface ConnectRequest {
  url: string;
  subprotocols: string[];
  headers: Record<string, string>;
  /** How long the opening handshake may take. */
  timeoutMs: number;
  /** Largest message to accept, in bytes. */
  maxPayload: number;
}

/** The largest message that either end takes unless its options say otherwise. */
export const MAX_MESSAGE_BYTES = 16 * 2 ** 20;

/** How long the peer may take to answer a Close frame. */
export const CLOSE_TIMEOUT_MS = 5000;

/**
 * Starts the closing handshake, and hears nothing more of the link but its end; destroys it when that does not come.
 *
 * @returns when the connection is gone
 */
export function closeLink(link: Link, code: number, reason: string, wheel: TimerWheel): Promise<void> {
  return new Promise((resolve) => {
    const timer = wheel.schedule(CLOSE_TIMEOUT_MS, () => {
      link.release();
      resolve();
    });
    link.handler = {
      onMessage() {},
      onEnd() {
        wheel.cancel(timer);
        resolve();
      },
    };
    link.close(code, reason);
  });
}
