// Frames for tests: written by hand to the wire, and collected from it. Built on the plain header reading and writing
// of src/wire/frame-header.ts; judges nothing.
import { type FrameHeader, parseFrameHeader, serializeFrameHeader } from '../../src/wire/frame-header.js';

export interface FrameFields {
  opcode: number;
  payload?: Uint8Array | string;
  fin?: boolean;
  rsv1?: boolean;
  rsv2?: boolean;
  rsv3?: boolean;
  /** The frame is masked with this key; not masked without it. */
  maskingKey?: Uint8Array;
  /** The shortest form that fits, unless given. */
  lengthForm?: 7 | 16 | 64;
  /** What the header claims, when that is not the payload's length. */
  declaredLength?: bigint;
}

/** A frame as it was on the wire; the payload is unmasked. */
export interface WireFrame {
  opcode: number;
  fin: boolean;
  rsv1: boolean;
  maskingKey: Buffer | undefined;
  payload: Buffer;
  lengthForm: 7 | 16 | 64;
  bytes: Buffer;
}

export function serializeFrame(fields: FrameFields): Buffer {
  const payload = Buffer.from(fields.payload ?? '');
  const length = fields.declaredLength ?? BigInt(payload.length);
  const header = serializeFrameHeader({
    isFinal: fields.fin ?? true,
    rsv1: fields.rsv1 ?? false,
    rsv2: fields.rsv2 ?? false,
    rsv3: fields.rsv3 ?? false,
    opcode: fields.opcode,
    isMasked: fields.maskingKey !== undefined,
    payloadLength: length,
    lengthForm: fields.lengthForm ?? (length < 126n ? 7 : length < 65536n ? 16 : 64),
    ...(fields.maskingKey !== undefined && { maskingKey: fields.maskingKey }),
  });
  return Buffer.concat([header, fields.maskingKey ? applyMask(payload, fields.maskingKey) : payload]);
}

/** Payload of a Close frame. */
export function closePayload(code: number, reason: string | Uint8Array = ''): Buffer {
  const status = Buffer.alloc(2);
  status.writeUInt16BE(code);
  return Buffer.concat([status, Buffer.from(reason)]);
}

/** Cuts a stream of bytes into frames. */
export class FrameCollector {
  #chunks: Uint8Array[] = [];
  #length = 0;
  /** No frame can be complete before this many bytes are there. */
  #needed = 2;

  /** Takes bytes; returns the frames that they complete. */
  push(bytes: Uint8Array): WireFrame[] {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    const frames: WireFrame[] = [];
    if (this.#length < this.#needed) return frames;

    let rest: Buffer = Buffer.concat(this.#chunks);
    for (;;) {
      const header = parseFrameHeader(rest);
      this.#needed = header ? header.headerLength + Number(header.payloadLength) : rest.length + 1;
      if (header === undefined || rest.length < this.#needed) break;
      frames.push(wireFrame(header, rest.subarray(0, this.#needed)));
      rest = rest.subarray(this.#needed);
    }
    this.#chunks = [rest];
    this.#length = rest.length;
    return frames;
  }
}

function wireFrame(header: FrameHeader, bytes: Buffer): WireFrame {
  const maskingKey = header.maskingKey && Buffer.from(header.maskingKey);
  const payload = bytes.subarray(header.headerLength);
  return {
    opcode: header.opcode,
    fin: header.isFinal,
    rsv1: header.rsv1,
    maskingKey,
    payload: maskingKey ? applyMask(payload, maskingKey) : payload,
    lengthForm: header.lengthForm,
    bytes,
  };
}

/** §5.3, byte by byte; masking and unmasking are the same. */
export function applyMask(payload: Uint8Array, key: Uint8Array): Buffer {
  return Buffer.from(payload.map((byte, index) => byte ^ key[index % 4]!));
}
