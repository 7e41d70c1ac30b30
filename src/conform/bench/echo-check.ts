// Counts echoes and checks them, so that a wrong server is an error and not a fast server. Checked of every echo: its
// type, its length and its first octet, which numbers it. Every octet is compared in the first block of a connection, in
// every 32nd and in the last.
import { constants, inflateRawSync } from 'node:zlib';
import { BenchmarkFailure } from './failure.js';
import type { MessageSink } from './message-reader.js';
import type { CompressedMessages, PlainMessages } from './messages.js';

/** One block in so many is compared octet by octet. */
const COMPARED_BLOCKS = 32;
const RSV1 = 0x40;
const OPCODE = 0x0f;
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

export abstract class EchoCheck implements MessageSink {
  /** Called when a message has come back. */
  onEcho: () => void = ignore;
  /** Called when a whole period of messages has come back. */
  onBlock: () => void = ignore;
  /** Makes every octet count from the next block on. */
  comparesAll = false;
  /** Echoes so far. */
  echoes = 0;
  /** Those among them that came compressed. */
  compressedEchoes = 0;
  /** Payload bytes as they came, which is compressed ones where they were compressed. */
  wireBytes = 0;
  /** Messages sent, counted by whoever sends them. */
  sent = 0;
  readonly #period: number;
  #blocks = 0;
  protected index = 0;
  protected isCompared = true;

  constructor(period: number) {
    this.#period = period;
  }

  onStart(_first: number): void {
    if (this.echoes >= this.sent) throw wrong('the server sent more messages than it was sent');
  }

  abstract onPart(bytes: Uint8Array, start: number, end: number): void;

  onEnd(): void {
    this.echoes++;
    this.onEcho();
    if (++this.index < this.#period) return;
    this.endBlock();
    this.index = 0;
    this.#blocks++;
    this.isCompared = this.comparesAll || this.#blocks % COMPARED_BLOCKS === 0;
    this.onBlock();
  }

  protected endBlock(): void {}
}

function ignore(): void {}

export class PlainEchoCheck extends EchoCheck {
  readonly #size: number;
  readonly #common: Buffer;
  #length = 0;

  constructor(messages: PlainMessages) {
    super(messages.period);
    this.#size = messages.size;
    this.#common = messages.common;
  }

  override onStart(first: number): void {
    super.onStart(first);
    if ((first & OPCODE) !== 2) throw wrong('the server echoes binary messages as text');
    this.#length = 0;
  }

  onPart(bytes: Uint8Array, start: number, end: number): void {
    const from = this.#length;
    this.#length += end - start;
    this.wireBytes += end - start;
    if (this.#length > this.#size) throw wrongLength(this.#size, 'more');
    let compareFrom = start;
    if (from === 0) {
      if (bytes[start] !== (this.index & 0xff)) throw wrongContent();
      compareFrom++;
    }
    if (!this.isCompared) return;
    const at = from + compareFrom - start;
    if (this.#common.compare(bytes, compareFrom, end, at, this.#length) !== 0) throw wrongContent();
  }

  override onEnd(): void {
    if (this.#length !== this.#size) throw wrongLength(this.#size, String(this.#length));
    super.onEnd();
  }
}

/**
 * The same where the server compresses, or not, as it likes. The length of a compressed echo is known only to who inflates
 * it, so it is checked with the content. A server that keeps its context from message to message can only be read from
 * the beginning: there the first block is checked, and the rest is counted.
 */
export class CompressedEchoCheck extends EchoCheck {
  readonly #texts: readonly Buffer[];
  readonly #size: number;
  readonly #keepsContext: boolean;
  readonly #mostBytes: number;
  #isCompressed = false;
  #length = 0;
  #parts: Buffer[] = [];
  /** Compressed echoes of this block, to be inflated as one, with their place in it. */
  #pending: { index: number; data: Buffer }[] = [];

  /** @param keepsContext whether the server may refer to earlier messages (RFC 7692 §7.1.1.1) */
  constructor(messages: CompressedMessages, keepsContext: boolean) {
    super(messages.period);
    this.#texts = messages.texts;
    this.#size = messages.size;
    this.#keepsContext = keepsContext;
    // Deflate never needs much more than the data itself; without a bound a server could fill the memory.
    this.#mostBytes = 2 * messages.size + 1024;
  }

  override onStart(first: number): void {
    super.onStart(first);
    if ((first & OPCODE) !== 1) throw wrong('the server echoes text messages as binary');
    this.#isCompressed = (first & RSV1) !== 0;
    this.#length = 0;
    this.#parts = [];
    if (this.#isCompressed) this.compressedEchoes++;
  }

  onPart(bytes: Uint8Array, start: number, end: number): void {
    this.#length += end - start;
    this.wireBytes += end - start;
    const most = this.#isCompressed ? this.#mostBytes : this.#size;
    if (this.#length > most) throw wrongLength(this.#size, 'more');
    if (this.#isRead) this.#parts.push(Buffer.from(bytes.subarray(start, end)));
  }

  override onEnd(): void {
    if (!this.#isCompressed && this.#length !== this.#size) {
      throw wrongLength(this.#size, String(this.#length));
    }
    if (this.#isRead) {
      const data = Buffer.concat(this.#parts);
      if (this.#isCompressed) this.#pending.push({ index: this.index, data });
      else this.#compare(this.index, data);
    }
    super.onEnd();
  }

  get #isRead(): boolean {
    return this.isCompared && !(this.#keepsContext && this.echoes >= this.#texts.length);
  }

  protected override endBlock(): void {
    const pending = this.#pending;
    this.#pending = [];
    if (!this.#keepsContext) {
      for (const { index, data } of pending) this.#compare(index, inflate([data], this.#size));
      return;
    }
    const all = inflate(
      pending.map(({ data }) => data),
      pending.length * this.#size,
    );
    for (const [place, { index }] of pending.entries()) {
      this.#compare(index, all.subarray(place * this.#size, (place + 1) * this.#size));
    }
  }

  #compare(index: number, data: Buffer): void {
    if (!data.equals(this.#texts[index]!)) throw wrongContent();
  }
}

function inflate(messages: readonly Buffer[], mostBytes: number): Buffer {
  if (messages.length === 0) return Buffer.alloc(0);
  const data = Buffer.concat(messages.flatMap((message) => [message, TAIL]));
  try {
    return inflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: mostBytes });
  } catch {
    throw wrong('the server sent a compressed message that does not inflate to what it was sent');
  }
}

function wrongLength(size: number, length: string): BenchmarkFailure {
  return wrong(`a message of ${size} bytes came back with ${length} bytes`);
}

function wrongContent(): BenchmarkFailure {
  return wrong('a message came back with other content, or out of order');
}

function wrong(what: string): BenchmarkFailure {
  return new BenchmarkFailure('wrong-echo', what);
}
