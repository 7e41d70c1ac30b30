// The log of one case: frames, bytes and notes in the order in which they happened. Its size is bounded, because some
// cases exchange thousands of frames and some peers never stop: the first records stay, and the last.

import type { BytesRecord, FrameRecord, NoteRecord, Side, WireRecord } from './result.js';

const KEPT_FIRST = 64;
const KEPT_LAST = 32;
/** Of a payload, and of bytes that are no frame, so much is kept. */
const KEPT_PAYLOAD_BYTES = 48;
const KEPT_TEXT_BYTES = 4096;

/** A frame as the log keeps it: most frames are pushed out again, so only those that stay are put into hexadecimal. */
interface KeptFrame extends Omit<FrameRecord, 'payload' | 'maskingKey'> {
  maskingKey?: Uint8Array | undefined;
  payload: Uint8Array;
}

export class WireLog {
  readonly #startMs = performance.now();
  readonly #first: (WireRecord | KeptFrame)[] = [];
  /** A ring: `#dropped` records have been overwritten. */
  readonly #last: (WireRecord | KeptFrame)[] = [];
  #dropped = 0;

  /** Milliseconds since the case began. */
  get elapsedMs(): number {
    return Math.round((performance.now() - this.#startMs) * 100) / 100;
  }

  frame(frame: Omit<KeptFrame, 'kind' | 'atMs'>): void {
    const payload = new Uint8Array(frame.payload.subarray(0, KEPT_PAYLOAD_BYTES));
    this.#add({ ...frame, kind: 'frame', atMs: this.elapsedMs, payload });
  }

  bytes(from: Side, bytes: Uint8Array): void {
    const text = Buffer.from(bytes.subarray(0, KEPT_TEXT_BYTES)).toString('latin1');
    const record: BytesRecord = { kind: 'bytes', atMs: this.elapsedMs, from, length: bytes.length, text };
    this.#add(record);
  }

  note(text: string): void {
    const record: NoteRecord = { kind: 'note', atMs: this.elapsedMs, text };
    this.#add(record);
  }

  /** The records so far, with a gap where some were left out. */
  get records(): WireRecord[] {
    const oldest = this.#dropped % KEPT_LAST;
    return [
      ...this.#first.map(asRecord),
      ...(this.#dropped === 0 ? [] : [{ kind: 'gap' as const, records: this.#dropped }]),
      ...this.#last.slice(oldest).map(asRecord),
      ...this.#last.slice(0, oldest).map(asRecord),
    ];
  }

  #add(record: WireRecord | KeptFrame): void {
    if (this.#first.length < KEPT_FIRST) this.#first.push(record);
    else if (this.#last.length < KEPT_LAST) this.#last.push(record);
    else this.#last[this.#dropped++ % KEPT_LAST] = record;
  }
}

function asRecord(kept: WireRecord | KeptFrame): WireRecord {
  if (kept.kind !== 'frame' || typeof kept.payload === 'string') return kept as WireRecord;
  const { maskingKey, payload, ...rest } = kept as KeptFrame;
  return { ...rest, ...(maskingKey !== undefined && { maskingKey: hex(maskingKey) }), payload: hex(payload) };
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
