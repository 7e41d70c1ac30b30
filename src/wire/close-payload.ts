// The payload of a Close frame (RFC 6455 §5.5.1): nothing, or a two-byte status code and a reason in UTF-8.

import { isSendableCloseCode, NO_STATUS_RECEIVED } from './close-code.js';
import { type ProtocolError, protocolError } from './errors.js';
import { isValidUtf8 } from './utf8.js';

/** A control frame's 125 bytes, less two for the status code. */
export const MAX_CLOSE_REASON_BYTES = 123;

const EMPTY = new Uint8Array(0);

export interface ClosePayload {
  /** The status code, or 1005 for a payload without one (§7.1.5). */
  code: number;
  /** UTF-8 text, a view of the input. */
  reason: Uint8Array;
}

/**
 * Reads the payload of a Close frame; a broken rule comes back as a value, since the peer broke it.
 *
 * @param skipUtf8Validation takes the reason as it is
 */
export function parseClosePayload(
  payload: Uint8Array,
  skipUtf8Validation = false,
): ClosePayload | ProtocolError {
  // [RFC6455-5.5.1-1] it may be empty
  if (payload.length === 0) return { code: NO_STATUS_RECEIVED, reason: EMPTY };
  // [RFC6455-5.5.1-2] a body starts with a two-byte code
  if (payload.length === 1)
    return protocolError('WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', message('invalid payload length 1'));
  const code = (payload[0]! << 8) | payload[1]!;
  if (!isSendableCloseCode(code)) {
    return protocolError('WS_ERR_INVALID_CLOSE_CODE', message(`invalid status code ${code}`));
  }
  const reason = payload.subarray(2);
  // [RFC6455-5.5.1-3] [RFC6455-8.1-1] the reason is UTF-8
  if (!skipUtf8Validation && !isValidUtf8(reason)) return protocolError('WS_ERR_INVALID_UTF8');
  return { code, reason };
}

/** Builds the payload of a Close frame; the code and the length of the reason are the caller's to check. */
export function serializeClosePayload(code: number, reason: Uint8Array = EMPTY): Uint8Array {
  const payload = new Uint8Array(2 + reason.length);
  payload[0] = code >>> 8;
  payload[1] = code;
  payload.set(reason, 2);
  return payload;
}

function message(what: string): string {
  return `Invalid WebSocket frame: ${what}`;
}
