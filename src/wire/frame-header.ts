// The header of a frame, bit by bit (RFC 6455 §5.2): 2 to 14 bytes. This is the plain reading and writing of it, for
// tools, tests and learners; `frame-parser.ts` and `frame-writer.ts` are the fast ones, and are tested to agree.
//
//   byte 0     FIN | RSV1 | RSV2 | RSV3 | opcode (4 bits)
//   byte 1     MASK | length (7 bits): 0-125 itself, 126: the next 2 bytes hold it, 127: the next 8 bytes
//   then       2 or 8 length bytes, if any; then a 4-byte masking key, if MASK is set

export interface FrameHeader {
  isFinal: boolean;
  rsv1: boolean;
  rsv2: boolean;
  rsv3: boolean;
  opcode: number;
  isMasked: boolean;
  /** Payload length in bytes. Exact as a bigint, because the wire has 64 bits for it. */
  payloadLength: bigint;
  /** Which of the three forms carried the length: 7, 16 or 64 bits. */
  lengthForm: 7 | 16 | 64;
  /** 4 bytes, present when `isMasked`. */
  maskingKey?: Uint8Array;
  /** Size of this header in bytes, masking key included. */
  headerLength: number;
}

/**
 * Reads one header that starts at `offset`. Judges nothing: reserved bits, unknown opcodes and lengths that are not
 * minimal are reported as they are.
 *
 * @returns the header, or `undefined` when `bytes` ends before the header does
 */
export function parseFrameHeader(bytes: Uint8Array, offset = 0): FrameHeader | undefined {
  if (bytes.length - offset < 2) return undefined;
  const first = bytes[offset]!;
  const second = bytes[offset + 1]!;
  const isMasked = (second & 0x80) !== 0;
  const length7 = second & 0x7f;
  const lengthForm = length7 === 126 ? 16 : length7 === 127 ? 64 : 7;
  const keyOffset = offset + (lengthForm === 7 ? 2 : lengthForm === 16 ? 4 : 10);
  const headerLength = keyOffset - offset + (isMasked ? 4 : 0);
  if (bytes.length - offset < headerLength) return undefined;

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const payloadLength =
    lengthForm === 7
      ? BigInt(length7)
      : lengthForm === 16
        ? BigInt(view.getUint16(offset + 2))
        : view.getBigUint64(offset + 2);

  return {
    isFinal: (first & 0x80) !== 0,
    rsv1: (first & 0x40) !== 0,
    rsv2: (first & 0x20) !== 0,
    rsv3: (first & 0x10) !== 0,
    opcode: first & 0x0f,
    isMasked,
    payloadLength,
    lengthForm,
    ...(isMasked && { maskingKey: Uint8Array.from(bytes.subarray(keyOffset, keyOffset + 4)) }),
    headerLength,
  };
}

/** Writes a header as its fields say, valid or not; `headerLength` is derived and therefore not an input. */
export function serializeFrameHeader(header: Omit<FrameHeader, 'headerLength'>): Uint8Array {
  const lengthBytes = header.lengthForm === 7 ? 0 : header.lengthForm === 16 ? 2 : 8;
  const bytes = new Uint8Array(2 + lengthBytes + (header.isMasked ? 4 : 0));
  const view = new DataView(bytes.buffer);
  bytes[0] =
    (header.isFinal ? 0x80 : 0) |
    (header.rsv1 ? 0x40 : 0) |
    (header.rsv2 ? 0x20 : 0) |
    (header.rsv3 ? 0x10 : 0) |
    (header.opcode & 0x0f);
  const length7 =
    header.lengthForm === 7 ? Number(header.payloadLength) : header.lengthForm === 16 ? 126 : 127;
  bytes[1] = (header.isMasked ? 0x80 : 0) | length7;
  if (header.lengthForm === 16) view.setUint16(2, Number(header.payloadLength));
  if (header.lengthForm === 64) view.setBigUint64(2, header.payloadLength);
  if (header.isMasked) bytes.set(header.maskingKey ?? [0, 0, 0, 0], 2 + lengthBytes);
  return bytes;
}
