// Frames as the tester sends them: any field may be wrong on purpose.

import { randomFillSync } from 'node:crypto';
import { serializeFrameHeader } from '../wire/frame-header.js';
import { applyMask, readMaskingKey } from '../wire/mask.js';
import { CLOSE } from '../wire/opcode.js';
import { type Payload, payloadBytes } from './payload.js';
import type { Subject } from './result.js';

export interface FrameSpec {
  opcode: number;
  payload?: Payload;
  /** Default: true. */
  isFinal?: boolean;
  /** The three reserved bits as a number from 0 to 7; RSV1 counts 4. Default: 0. */
  rsv?: number;
  /** Default: as the tester's role demands. */
  isMasked?: boolean;
  /** Four bytes. Default: random. */
  maskingKey?: Uint8Array;
  /** Default: the shortest. */
  lengthForm?: 7 | 16 | 64;
  /** What the header says, where that is not the length of the payload. */
  announcedLength?: bigint;
}

/** A frame ready for the wire, and what is needed to go on with its payload. */
export interface SerializedFrame {
  bytes: Uint8Array;
  headerLength: number;
  maskingKey: Uint8Array | undefined;
  payload: Uint8Array;
}

const KEY_POOL = new Uint8Array(4096);
let keysUsed = KEY_POOL.length;

/** Four bytes that nobody can foresee (RFC 6455 §5.3). */
export function randomMaskingKey(): Uint8Array {
  if (keysUsed === KEY_POOL.length) {
    randomFillSync(KEY_POOL);
    keysUsed = 0;
  }
  keysUsed += 4;
  return KEY_POOL.slice(keysUsed - 4, keysUsed);
}

/** @param subject who receives it: frames to a server are masked, frames to a client are not */
export function serializeFrame(spec: FrameSpec, subject: Subject): SerializedFrame {
  const payload = payloadBytes(spec.payload ?? '');
  const isMasked = spec.isMasked ?? subject === 'server';
  const maskingKey = isMasked ? (spec.maskingKey ?? randomMaskingKey()) : undefined;
  const payloadLength = spec.announcedLength ?? BigInt(payload.length);
  const rsv = spec.rsv ?? 0;
  const header = serializeFrameHeader({
    isFinal: spec.isFinal ?? true,
    rsv1: (rsv & 4) !== 0,
    rsv2: (rsv & 2) !== 0,
    rsv3: (rsv & 1) !== 0,
    opcode: spec.opcode,
    isMasked,
    payloadLength,
    lengthForm: spec.lengthForm ?? shortestForm(payloadLength),
    ...(maskingKey !== undefined && { maskingKey }),
  });
  const bytes = new Uint8Array(header.length + payload.length);
  bytes.set(header);
  bytes.set(payload, header.length);
  if (maskingKey !== undefined) applyMask(bytes, header.length, bytes.length, readMaskingKey(maskingKey, 0));
  return { bytes, headerLength: header.length, maskingKey, payload };
}

export function shortestForm(payloadLength: bigint | number): 7 | 16 | 64 {
  return payloadLength < 126 ? 7 : payloadLength < 65_536 ? 16 : 64;
}

/** A Close frame; without a code its payload is empty. */
export function closeFrame(code?: number, reason: string | Uint8Array = ''): FrameSpec {
  if (code === undefined) return { opcode: CLOSE };
  return {
    opcode: CLOSE,
    payload: Buffer.concat([Uint8Array.of(code >> 8, code & 0xff), payloadBytes(reason)]),
  };
}
