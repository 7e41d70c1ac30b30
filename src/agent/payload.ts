// What may be sent through a session, and how much room it takes.

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

/** Bytes of a payload on the wire: text counts as UTF-8. */
export function sizeOf(data: Data): number {
  return typeof data === 'string' ? utf8Length(data) : data.length;
}

const utf8Length: (text: string) => number = globalThis.Buffer?.byteLength ?? countUtf8;

/** RFC 3629 §3. A lone surrogate counts as U+FFFD, which takes its place. */
export function countUtf8(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    length += unit < 0x800 ? 1 : 2;
    const isPair = (unit & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
    // Two units make four bytes: two are counted as units, two were added for the first.
    if (isPair) i++;
  }
  return length;
}
