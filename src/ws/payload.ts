// What applications hand in and get: data for `send()`, `ping()`, `pong()` and `close()` turned into bytes and checked, and
// messages in the form that `binaryType` says, all as `ws` does it.

import { isSendableCloseCode, NO_STATUS_RECEIVED } from '../wire/close-code.js';
import { MAX_CLOSE_REASON_BYTES } from '../wire/close-payload.js';
import { readMaskingKey } from '../wire/mask.js';
import type { BinaryType } from './constants.js';

const MAX_CONTROL_PAYLOAD_BYTES = 125;

export const EMPTY = Buffer.alloc(0);

/** A Blob of this or of another realm. */
export function isBlob(data: unknown): data is Blob {
  return (
    typeof data === 'object' &&
    data !== null &&
    typeof (data as Blob).arrayBuffer === 'function' &&
    typeof (data as Blob).type === 'string' &&
    typeof (data as Blob).stream === 'function' &&
    ['Blob', 'File'].includes((data as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? '')
  );
}

/** The bytes of a Blob, in the future. */
export async function readBlob(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.arrayBuffer());
}

/**
 * Views the bytes of a buffer source without copying; anything else goes through `Buffer.from`.
 *
 * @throws TypeError (ERR_INVALID_ARG_TYPE) for what has no bytes
 */
export function toBytes(data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.from(data as ArrayBuffer);
}

/** Length in bytes of anything that may be sent. */
export function byteLengthOf(data: unknown): number {
  if (typeof data === 'string') return Buffer.byteLength(data);
  return isBlob(data) ? data.size : toBytes(data).length;
}

/**
 * A binary message in the form that was asked for.
 *
 * @param fragmentEnds where its fragments end, for 'fragments'
 */
export function inBinaryType(data: Buffer, type: BinaryType, fragmentEnds: number[] | undefined): unknown {
  switch (type) {
    case 'arraybuffer':
      return data.length === data.buffer.byteLength
        ? data.buffer
        : data.buffer.slice(data.byteOffset, data.byteOffset + data.length);
    case 'blob':
      return new Blob([data as Uint8Array<ArrayBuffer>]);
    case 'fragments':
      // An empty frame is no fragment, as in `ws`.
      if (data.length === 0) return [];
      return fragmentEnds?.map((end, i) => data.subarray(fragmentEnds[i - 1] ?? 0, end)) ?? [data];
    default:
      return data;
  }
}

export function checkCloseCode(code: number | undefined): number {
  if (code === undefined) return NO_STATUS_RECEIVED;
  if (typeof code !== 'number' || !isSendableCloseCode(code)) {
    throw new TypeError('First argument must be a valid error code number');
  }
  return code;
}

export function checkReason(reason: string | Uint8Array | undefined): Uint8Array {
  if (reason === undefined || !reason.length) return EMPTY;
  if (typeof reason !== 'string' && !(reason instanceof Uint8Array)) {
    throw new TypeError('Second argument must be a string or a Uint8Array');
  }
  const bytes = typeof reason === 'string' ? Buffer.from(reason) : reason;
  if (bytes.length > MAX_CLOSE_REASON_BYTES) {
    throw new RangeError(`The message must not be greater than ${MAX_CLOSE_REASON_BYTES} bytes`);
  }
  return bytes;
}

export function checkControlLength(length: number): void {
  if (length > MAX_CONTROL_PAYLOAD_BYTES) {
    throw new RangeError(`The data size must not be greater than ${MAX_CONTROL_PAYLOAD_BYTES} bytes`);
  }
}

/** The user's masking keys: `generateMask` fills four bytes for each frame. */
export function maskingKeyFrom(generateMask: (mask: Buffer) => void): () => number {
  const mask = Buffer.alloc(4);
  return () => {
    generateMask(mask);
    return readMaskingKey(mask, 0);
  };
}
