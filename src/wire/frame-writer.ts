// Writes frame headers (RFC 6455 §5.2) straight into an output buffer.

import { writeMaskingKey } from './mask.js';

/** The longest header: two octets, eight of length, four of masking key. */
export const MAX_FRAME_HEADER_BYTES = 14;

/** Bytes of header in front of a payload of this length. */
export function frameHeaderLength(payloadLength: number, isMasked: boolean): number {
  return (payloadLength < 126 ? 2 : payloadLength < 65536 ? 4 : 10) + (isMasked ? 4 : 0);
}

/**
 * Writes a header at `offset` and returns the offset behind it.
 *
 * @param first FIN, RSV1-3 and opcode in one byte
 * @param payloadLength in bytes, at most 2^53 - 1
 * @param isMasked whether a masking key follows
 * @param key the masking key, its lowest byte first on the wire
 */
export function writeFrameHeader(
  target: Uint8Array,
  offset: number,
  first: number,
  payloadLength: number,
  isMasked: boolean,
  key: number,
): number {
  // [RFC6455-5.3-1] the bit says that a key follows, [RFC6455-5.3-6] which the length does not count
  const mask = isMasked ? 0x80 : 0;
  let position = offset + 2;
  target[offset] = first;
  // [RFC6455-5.2-6] the shortest of the three forms  [RFC6455-5.2-7] network byte order
  if (payloadLength < 126) {
    target[offset + 1] = mask | payloadLength;
  } else if (payloadLength < 65536) {
    target[offset + 1] = mask | 126;
    target[position++] = payloadLength >>> 8;
    target[position++] = payloadLength;
  } else {
    target[offset + 1] = mask | 127;
    // [RFC6455-5.2-5] the most significant bit is 0, since a number holds no length of 2^53 or more
    position = writeUint32(target, position, Math.floor(payloadLength / 2 ** 32));
    position = writeUint32(target, position, payloadLength);
  }
  if (isMasked) {
    writeMaskingKey(target, position, key);
    position += 4;
  }
  return position;
}

function writeUint32(target: Uint8Array, offset: number, value: number): number {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
  return offset + 4;
}
