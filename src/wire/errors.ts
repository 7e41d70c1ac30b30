// Every way in which a peer can break the rules of the wire, as data: code, close code, RFC section and message.
// The codes and messages that npm `ws` has too are the same as there, because programs match on them.

export interface FailureKind {
  /** Status code for the Close frame that tells the peer (RFC 6455 §7.4.1). */
  closeCode: number;
  /** Where the rule stands. */
  section: string;
  message: string;
}

/** An error that a peer caused; `code` is a key of {@link FAILURES} (or a zlib code), `closeCode` what the peer is told. */
export interface ProtocolError extends Error {
  code: string;
  closeCode: number;
}

const INVALID = 'Invalid WebSocket frame: ';

export const FAILURES = {
  WS_ERR_EXPECTED_FIN: failure(1002, 'RFC 6455 §5.5', `${INVALID}FIN must be set`),
  WS_ERR_EXPECTED_MASK: failure(1002, 'RFC 6455 §5.1', `${INVALID}MASK must be set`),
  WS_ERR_UNEXPECTED_MASK: failure(1002, 'RFC 6455 §5.1', `${INVALID}MASK must be clear`),
  WS_ERR_UNEXPECTED_RSV_1: failure(1002, 'RFC 6455 §5.2', `${INVALID}RSV1 must be clear`),
  WS_ERR_UNEXPECTED_RSV_2_3: failure(1002, 'RFC 6455 §5.2', `${INVALID}RSV2 and RSV3 must be clear`),
  WS_ERR_INVALID_OPCODE: failure(1002, 'RFC 6455 §5.2, §5.4', `${INVALID}invalid opcode`),
  WS_ERR_INVALID_CLOSE_CODE: failure(1002, 'RFC 6455 §7.4', `${INVALID}invalid status code`),
  WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH: failure(1002, 'RFC 6455 §5.5', `${INVALID}invalid payload length`),
  WS_ERR_NON_MINIMAL_LENGTH: failure(1002, 'RFC 6455 §5.2', `${INVALID}payload length not minimally encoded`),
  WS_ERR_INVALID_PAYLOAD_LENGTH: failure(
    1002,
    'RFC 6455 §5.2',
    `${INVALID}most significant bit of the payload length must be clear`,
  ),
  WS_ERR_INVALID_UTF8: failure(1007, 'RFC 6455 §8.1', `${INVALID}invalid UTF-8 sequence`),
  WS_ERR_TOO_MANY_BUFFERED_PARTS: failure(1008, 'RFC 6455 §10.4', 'Too many message fragments'),
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: failure(
    1009,
    'RFC 6455 §10.4',
    'Unsupported WebSocket frame: payload length > 2^53 - 1',
  ),
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: failure(1009, 'RFC 6455 §10.4', 'Max payload size exceeded'),
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof FAILURES;

function failure(closeCode: number, section: string, message: string): FailureKind {
  return { closeCode, section, message };
}

/**
 * Builds the error for a rule that the peer broke.
 *
 * @param code which rule
 * @param message replaces the table's message, where it names what was received
 */
export function protocolError(code: FailureCode, message?: string): ProtocolError {
  const kind = FAILURES[code];
  // ws: invalid text is an Error, everything else a RangeError; `instanceof` checks in programs rely on it.
  const error =
    code === 'WS_ERR_INVALID_UTF8'
      ? new Error(message ?? kind.message)
      : new RangeError(message ?? kind.message);
  return Object.assign(error, { code, closeCode: kind.closeCode });
}
