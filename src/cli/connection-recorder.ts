// Turns the bytes of one connection, as a WireTap shows them, into records: the heads of the opening handshake
// (RFC 6455 §4), then each frame of either side, then how TCP ended.
import type { IncomingMessage } from 'node:http';
import type { Sender } from './frame-judge.js';
import { FrameReader } from './frame-reader.js';
import { type FrameRecord, FrameRecorder } from './frame-record.js';
import type { WireObserver } from './wire-tap.js';

export type WireRecord =
  | { type: 'handshake'; from: Sender; head: string; section: string }
  | { type: 'tcp'; from: Sender | 'unknown'; event: string }
  | FrameRecord;

/** How much of a payload stands in a record. */
const SHOWN_BYTES = 4 * 1024;
/** How much of a compressed message is kept until its end, and how much it may inflate to. */
const MESSAGE_LIMIT = 256 * 1024;
/** A response head beyond this is not one of ours. */
const HEAD_LIMIT = 16 * 1024;

export class ConnectionRecorder implements WireObserver {
  readonly #emit: (record: WireRecord) => void;
  #responseHead: string | undefined = '';
  #isUpgraded = false;
  #hasDeflate = false;
  readonly #readers = new Map<Sender, FrameReader>();

  constructor(request: IncomingMessage, emit: (record: WireRecord) => void) {
    this.#emit = emit;
    emit({ type: 'handshake', from: 'client', head: formatRequestHead(request), section: '§4.1' });
  }

  bytes(from: Sender, bytes: Uint8Array): void {
    const rest =
      from === 'server' && this.#responseHead !== undefined ? this.#readResponseHead(bytes) : bytes;
    if (this.#isUpgraded && rest.length > 0) this.#readerOf(from).push(rest);
  }

  end(from: Sender): void {
    this.#readers.get(from)?.end();
    this.#emit({ type: 'tcp', from, event: 'closed its side of the TCP connection (FIN)' });
  }

  close(error?: NodeJS.ErrnoException): void {
    for (const reader of this.#readers.values()) reader.end();
    const cause = error === undefined ? '' : `: ${error.code ?? error.message}`;
    this.#emit({ type: 'tcp', from: 'unknown', event: `the TCP connection is closed${cause}` });
  }

  /** @returns the bytes after the head */
  #readResponseHead(bytes: Uint8Array): Uint8Array {
    const before = this.#responseHead!.length;
    const text = this.#responseHead! + Buffer.from(bytes).toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    if (end === -1 && text.length < HEAD_LIMIT) {
      this.#responseHead = text;
      return bytes.subarray(bytes.length);
    }
    const head = end === -1 ? text.slice(0, HEAD_LIMIT) : text.slice(0, end + 2);
    this.#responseHead = undefined;
    this.#isUpgraded = end !== -1 && /^HTTP\/1\.1 101 /.test(head);
    this.#hasDeflate = /^sec-websocket-extensions:.*permessage-deflate/im.test(head);
    this.#emit({ type: 'handshake', from: 'server', head: head.trimEnd(), section: '§4.2.2' });
    return end === -1 ? bytes.subarray(bytes.length) : bytes.subarray(end + 4 - before);
  }

  #readerOf(sender: Sender): FrameReader {
    const existing = this.#readers.get(sender);
    if (existing !== undefined) return existing;
    const recorder = new FrameRecorder({
      sender,
      hasDeflate: this.#hasDeflate,
      shownBytes: SHOWN_BYTES,
      messageLimit: MESSAGE_LIMIT,
    });
    // Only a compressed payload is needed beyond what is shown.
    const captureLimit = this.#hasDeflate ? MESSAGE_LIMIT : SHOWN_BYTES;
    const reader = new FrameReader(captureLimit, (frame) => this.#emit(recorder.record(frame)));
    this.#readers.set(sender, reader);
    return reader;
  }
}

/** The request head as it was sent; node:http has parsed it, but keeps names, values and order. */
function formatRequestHead(request: IncomingMessage): string {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    lines.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`);
  }
  return lines.join('\r\n');
}
