// What may be sent through a session.

import type { Data } from './link.js';

/** What `send()` takes: text, or bytes in any container. */
export type Sendable = string | ArrayBuffer | ArrayBufferView;

/** @throws TypeError for what is neither text nor bytes */
export function toData(data: unknown): Data {
  if (typeof data === 'string' || data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new TypeError(`a string, an ArrayBuffer or a view of one was expected, got ${kindOf(data)}`);
}

function kindOf(value: unknown): string {
  return value === null
    ? 'null'
    : typeof value === 'object'
      ? (value.constructor?.name ?? 'an object')
      : typeof value;
}
