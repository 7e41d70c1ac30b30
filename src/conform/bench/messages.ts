// The messages that are sent, as blocks of frames, and what their echoes must look like.
import { randomFillSync } from 'node:crypto';
import { constants, deflateRawSync } from 'node:zlib';
import { BINARY, TEXT } from '../../wire/opcode.js';
import { MessageBlock } from './message-block.js';

const FIN = 0x80;
const RSV1 = 0x40;
/** RFC 7692 §7.2.1: what a sender takes off the end of a compressed message. */
const TAIL_BYTES = 4;

/** Binary messages of one size, without compression. Message i starts with octet i mod 256 and is random from there on. */
export class PlainMessages {
  readonly first = FIN | BINARY;
  readonly size: number;
  /** How many there are before they repeat. */
  readonly period: number;
  /** What all of them have behind their first octet. */
  readonly common: Buffer;

  /** @param size in bytes, at least 1 */
  constructor(size: number, period: number) {
    this.size = size;
    this.period = period;
    this.common = randomFillSync(Buffer.allocUnsafe(size));
  }

  /** Message `index` of the period. */
  payload(index: number): Buffer {
    const payload = Buffer.from(this.common);
    payload[0] = index & 0xff;
    return payload;
  }

  block(): MessageBlock {
    return new MessageBlock(
      this.first,
      Array.from({ length: this.period }, (_, index) => this.payload(index)),
    );
  }
}

/**
 * Text messages of one size that compress as records do: JSON, cut to the size. Each is compressed on its own, so that a
 * server can inflate them in any order, whatever contexts were agreed on.
 */
export class CompressedMessages {
  readonly first = FIN | RSV1 | TEXT;
  readonly size: number;
  readonly period: number;
  readonly texts: Buffer[];
  readonly #compressed: Buffer[];

  constructor(size: number, period: number) {
    this.size = size;
    this.period = period;
    this.texts = Array.from({ length: period }, (_, index) => recordsOfSize(size, index));
    this.#compressed = this.texts.map((text) =>
      deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -TAIL_BYTES),
    );
  }

  block(): MessageBlock {
    return new MessageBlock(this.first, this.#compressed);
  }

  /** Mean size of a message as it goes out. */
  get wireBytes(): number {
    return this.#compressed.reduce((sum, { length }) => sum + length, 0) / this.period;
  }
}

const USERS = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'];

/** The same on every machine and in every run. */
function recordsOfSize(size: number, seed: number): Buffer {
  let state = (seed + 1) * 0x9e3779b1;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const parts: string[] = [];
  for (let length = 0; length < size; length += parts.at(-1)!.length) {
    const record = {
      id: next(1_000_000),
      user: USERS[next(USERS.length)],
      price: next(1_000_000) / 100,
      tags: [`t${next(50)}`, `t${next(50)}`],
      active: next(2) === 0,
    };
    parts.push(`${JSON.stringify(record)}\n`);
  }
  return Buffer.from(parts.join('').slice(0, size));
}
