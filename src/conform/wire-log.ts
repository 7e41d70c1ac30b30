// The log of one case: frames, bytes and notes in the order in which they happened. Its size is bounded, because some
// cases exchange thousands of frames and some peers never stop: the first records stay, and the last.

import type { BytesRecord, FrameRecord, NoteRecord, Side, WireRecord } from './result.js';

const KEPT_FIRST = 64;
const KEPT_LAST = 32;
/** Of a payload, and of bytes that are no frame, so much is kept. */
const KEPT_PAYLOAD_BYTES = 48;
const KEPT_TEXT_BYTES = 4096;

type Timed<T extends { atMs: number }> = Omit<T, 'atMs' | 'kind'>;

export class WireLog {
  readonly #startMs = performance.now();
  readonly #first: WireRecord[] = [];
  /** A ring: `#dropped` records have been overwritten. */
  readonly #last: WireRecord[] = [];
  #dropped = 0;

  /** Milliseconds since the case began. */
  get elapsedMs(): number {
    return Math.round((performance.now() - this.#startMs) * 100) / 100;
  }

  frame(frame: Omit<Timed<FrameRecord>, 'payload'> & { payload: Uint8Array }): void {
    const payload = hex(frame.payload.subarray(0, KEPT_PAYLOAD_BYTES));
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
    if (this.#dropped === 0) return [...this.#first, ...this.#last];
    const oldest = this.#dropped % KEPT_LAST;
    return [
      ...this.#first,
      { kind: 'gap', records: this.#dropped },
      ...this.#last.slice(oldest),
      ...this.#last.slice(0, oldest),
    ];
  }

  #add(record: WireRecord): void {
    if (this.#first.length < KEPT_FIRST) this.#first.push(record);
    else if (this.#last.length < KEPT_LAST) this.#last.push(record);
    else this.#last[this.#dropped++ % KEPT_LAST] = record;
  }
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
