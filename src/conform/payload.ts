// Payloads as cases describe them: short ones in full, long ones by how they are made, so that 16 MiB cost nothing until a
// case runs.

/** A string stands for its UTF-8 bytes; `cycle` is repeated and cut at `length` bytes. */
export type Payload = string | Uint8Array | { readonly cycle: Uint8Array; readonly length: number };

/** One byte, `length` times. */
export function repeated(byte: number | string, length: number): Payload {
  return { cycle: Uint8Array.of(typeof byte === 'string' ? byte.charCodeAt(0) : byte), length };
}

export function cycled(bytes: string | Uint8Array, length: number): Payload {
  return { cycle: payloadBytes(bytes), length };
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

export function payloadLength(payload: Payload): number {
  return typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length;
}

export function payloadBytes(payload: Payload): Uint8Array {
  if (typeof payload === 'string') return Buffer.from(payload);
  if (payload instanceof Uint8Array) return payload;
  return payload.length === 0 ? new Uint8Array(0) : Buffer.alloc(payload.length, payload.cycle);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** For reports: what a payload is, in a few words. */
export function describePayload(payload: Payload | Uint8Array): string {
  const length = payloadLength(payload);
  if (length === 0) return 'empty';
  const start = payloadBytes(payload).subarray(0, 24);
  const isPrintable = start.every((byte) => byte >= 0x20 && byte < 0x7f);
  const shown = isPrintable
    ? JSON.stringify(Buffer.from(start).toString('latin1'))
    : Buffer.from(start).toString('hex');
  return length > start.length ? `${length} bytes, ${shown}…` : shown;
}
