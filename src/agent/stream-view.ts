// The shape of the platform's `WebSocketStream`, which the views of a socket and of a session share.

import type { Data } from './link.js';

/** How a connection ended, or is to end. */
export interface CloseInfo {
  /** 1000 or 3000-4999. */
  closeCode?: number;
  /** At most 123 bytes of UTF-8. */
  reason?: string;
}

export interface OpenedStreams {
  readable: ReadableStream<Data>;
  writable: WritableStream<Data>;
  /** The subprotocol in use, or the empty string. */
  protocol: string;
  extensions: string;
}

export interface MessageStreams {
  readonly url: string;
  /** Rejects when the connection never came about. */
  readonly opened: Promise<OpenedStreams>;
  /** Resolves with the peer's Close frame; rejects, as the streams fail, when the connection ended without one. */
  readonly closed: Promise<Required<CloseInfo>>;
  /** @throws TypeError, RangeError for a code or reason that cannot be sent */
  close(info?: CloseInfo): void;
}

/** A connection that ended other than by a closing handshake. Has the shape of the platform's class of that name. */
export class WebSocketError extends Error {
  override readonly name = 'WebSocketError';
  /** RFC 6455 §7.1.5; as a reason to cancel or abort, the code to close with. */
  readonly closeCode: number | undefined;
  readonly reason: string;

  constructor(message = '', { closeCode, reason = '' }: CloseInfo = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.closeCode = closeCode;
    this.reason = reason;
  }
}

export const notWritable = (): DOMException =>
  new DOMException('The connection is closed: it cannot be written to', 'InvalidStateError');
