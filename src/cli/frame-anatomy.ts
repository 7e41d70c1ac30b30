// Names every bit of a frame's header, and the fields of its payload, in words (RFC 6455 §5.2). Sections without the
// name of an RFC are those of RFC 6455.
import { describeCloseCode } from '../wire/close-code.js';
import type { FrameHeader } from '../wire/frame-header.js';
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  isControlOpcode,
  opcodeName,
  PING,
  PONG,
  TEXT,
} from '../wire/opcode.js';
import type { CapturedFrame } from './frame-reader.js';
import { formatHex } from './hex.js';

export interface Field {
  name: string;
  /** What stands on the wire: bits like `1... ....`, or bytes in hexadecimal. */
  wire: string;
  value: string;
  meaning: string;
  section: string;
}

const OPCODES: Record<number, { meaning: string; section: string }> = {
  [CONTINUATION]: { meaning: 'continues the message that an earlier frame began', section: '§5.4' },
  [TEXT]: { meaning: 'the message is text in UTF-8', section: '§5.6' },
  [BINARY]: { meaning: 'the message is arbitrary bytes', section: '§5.6' },
  [CLOSE]: { meaning: 'begins or completes the closing handshake', section: '§5.5.1' },
  [PING]: { meaning: 'asks for a Pong with the same payload', section: '§5.5.2' },
  [PONG]: { meaning: 'answers a Ping, or is a sign of life', section: '§5.5.3' },
};

/** All fields of a frame, in the order of the wire. */
export function describeFrame(frame: CapturedFrame): Field[] {
  const { header } = frame;
  const fields = [...describeFirstByte(header), ...describeMaskAndLength(header, frame.headerBytes)];
  if (header.maskingKey !== undefined) {
    const key = formatHex(header.maskingKey);
    fields.push(
      field(
        'Masking key',
        key,
        key.replaceAll(' ', ''),
        'XORed over the payload, octet i with key octet i mod 4',
        '§5.3',
      ),
    );
  }
  if (header.opcode === CLOSE) fields.push(...describeClosePayload(frame.payload));
  return fields;
}

function describeFirstByte(header: FrameHeader): Field[] {
  const isControl = isControlOpcode(header.opcode);
  const fin = isControl ? 'a control frame is never fragmented' : 'the final fragment of its message';
  const rsv1 = 'a compressed message, where permessage-deflate was negotiated';
  const opcode = OPCODES[header.opcode] ?? {
    meaning: isControl ? 'reserved for control frames to come' : 'reserved for data frames to come',
    section: '§5.2',
  };
  return [
    bit('FIN', 0, header.isFinal, fin, 'more fragments of the message follow', isControl ? '§5.5' : '§5.4'),
    bit('RSV1', 1, header.rsv1, rsv1, 'not a compressed message', header.rsv1 ? 'RFC 7692 §6' : '§5.2'),
    bit('RSV2', 2, header.rsv2, 'set, but reserved for extensions', 'reserved for extensions', '§5.2'),
    bit('RSV3', 3, header.rsv3, 'set, but reserved for extensions', 'reserved for extensions', '§5.2'),
    field(
      'Opcode',
      `.... ${header.opcode.toString(2).padStart(4, '0')}`,
      `0x${header.opcode.toString(16)} ${opcodeName(header.opcode)}`,
      opcode.meaning,
      opcode.section,
    ),
  ];
}

const LENGTH_FORMS = {
  7: '7 bits: the length itself',
  16: '7 bits hold 126: the next 2 bytes are the length',
  64: '7 bits hold 127: the next 8 bytes are the length',
} as const;

function describeMaskAndLength(header: FrameHeader, headerBytes: Uint8Array): Field[] {
  const length7 = headerBytes[1]! & 0x7f;
  const bits = length7.toString(2).padStart(7, '0');
  const fields = [
    bit(
      'MASK',
      0,
      header.isMasked,
      'masked, as every frame of a client is',
      'not masked, as every frame of a server',
      '§5.1',
    ),
    field(
      'Payload length',
      `.${bits.slice(0, 3)} ${bits.slice(3)}`,
      String(length7),
      LENGTH_FORMS[header.lengthForm],
      '§5.2',
    ),
  ];
  if (header.lengthForm !== 7) {
    const wire = formatHex(headerBytes.subarray(2, header.lengthForm === 16 ? 4 : 10));
    const meaning = `${header.lengthForm} bits, most significant byte first`;
    fields.push(field('Extended payload length', wire, String(header.payloadLength), meaning, '§5.2'));
  }
  return fields;
}

/** §5.5.1: the body of a Close frame, if there is one, is a two-byte code and then a reason in UTF-8. */
function describeClosePayload(payload: Uint8Array): Field[] {
  const code = closeCodeOf(payload);
  if (code === undefined) return [];
  const { name, meaning, section } = describeCloseCode(code);
  const fields = [
    field('Status code', formatHex(payload.subarray(0, 2)), String(code), `${name}: ${meaning}`, section),
  ];
  if (payload.length > 2) {
    const reason = payload.subarray(2);
    fields.push(
      field('Reason', formatHex(reason), decodeText(reason), 'for logs, not for end users', '§5.5.1'),
    );
  }
  return fields;
}

/** The status code of a Close frame's payload, valid or not; `undefined` when there is none. */
export function closeCodeOf(payload: Uint8Array): number | undefined {
  return payload.length < 2 ? undefined : (payload[0]! << 8) | payload[1]!;
}

/** Bytes as text for display: what is not UTF-8 becomes U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function bit(
  name: string,
  index: number,
  isSet: boolean,
  ifSet: string,
  ifClear: string,
  section: string,
): Field {
  const dots = Array<string>(8).fill('.');
  dots[index] = isSet ? '1' : '0';
  const wire = `${dots.slice(0, 4).join('')} ${dots.slice(4).join('')}`;
  return field(name, wire, isSet ? '1' : '0', isSet ? ifSet : ifClear, section);
}

function field(name: string, wire: string, value: string, meaning: string, section: string): Field {
  return { name, wire, value, meaning, section };
}
