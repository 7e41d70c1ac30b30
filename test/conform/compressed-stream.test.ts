import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { compressedStream } from '../../src/conform/compressed-stream.js';
import { RawDeflater, RawInflater } from '../../src/conform/raw-deflate.js';

const CONTEXT = { windowBits: 15, noContextTakeover: false };
const words = (count: number) =>
  Array.from({ length: count }, (_, n) => Buffer.from(`message ${n} `.repeat(20)));

/** Contents that count how often each is asked for. */
function counted(contents: Uint8Array[]) {
  let asked = 0;
  function* make(): Generator<Uint8Array> {
    for (const content of contents) {
      asked++;
      yield content;
    }
  }
  return { make, asked: () => asked };
}

describe('compressedStream', () => {
  it('gives what a deflater of its own would, with the context of the messages before', () => {
    const contents = words(5);
    const stream = compressedStream('own', CONTEXT, () => contents);
    const deflater = new RawDeflater(CONTEXT);
    for (const [n, content] of contents.entries()) {
      expect(Buffer.compare(stream.message(n), deflater.message(content))).toBe(0);
    }
    stream.release();
    deflater.close();
  });

  it('compresses once for all that send the same, each at a pace of its own', () => {
    const contents = words(4);
    const { make, asked } = counted(contents);
    const one = compressedStream('shared', CONTEXT, make);
    const other = compressedStream('shared', CONTEXT, make);
    const inflaters = [one, other].map(() => new RawInflater({ ...CONTEXT, maxBytes: 1 << 20 }));
    for (const [stream, turn] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [0, 2],
      [1, 1],
      [1, 2],
      [1, 3],
      [0, 3],
    ] as const) {
      const message = [one, other][stream]!.message(turn);
      expect(Buffer.compare(inflaters[stream]!.message(message), contents[turn]!)).toBe(0);
    }
    expect(asked()).toBe(4);
    one.release();
    other.release();
    const third = compressedStream('shared', CONTEXT, make);
    third.message(3);
    expect(asked()).toBe(4);
    third.release();
  });

  it('another agreement is another stream', () => {
    const contents = words(2);
    const one = compressedStream('agreed', CONTEXT, () => contents);
    const other = compressedStream('agreed', { ...CONTEXT, noContextTakeover: true }, () => contents);
    expect(one.message(1)).toBeDefined();
    expect(other.message(1).length).toBeGreaterThan(one.message(1).length);
    one.release();
    other.release();
  });

  it('drops what is not used once much is held, and never what is', () => {
    const noise = randomBytes(1 << 20);
    const long = counted(Array.from({ length: 60 }, () => noise));
    const small = counted(words(1));
    const unused = compressedStream('unused', CONTEXT, small.make);
    unused.message(0);
    unused.release();
    const used = compressedStream('used', { ...CONTEXT, noContextTakeover: true }, long.make);
    const first = used.message(0);
    const count = Math.min(59, Math.ceil((49 << 20) / first.length));
    expect(count * first.length).toBeGreaterThan(48 << 20);
    used.message(count);
    expect(used.message(0)).toBe(first);
    compressedStream('unused', CONTEXT, small.make).message(0);
    expect(small.asked()).toBe(2);
    used.release();
  });

  it('there is no message behind the last', () => {
    const stream = compressedStream('end', CONTEXT, () => words(1));
    expect(() => stream.message(1)).toThrow(RangeError);
    stream.release();
  });
});
