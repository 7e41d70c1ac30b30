import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type CompressedStream, compressedStream } from '../../src/conform/compressed-stream.js';
import { RawDeflater, RawInflater } from '../../src/conform/raw-deflate.js';

const CONTEXT = { windowBits: 15, noContextTakeover: false };
const NO_CONTEXT = { windowBits: 15, noContextTakeover: true };
const words = (count: number) =>
  Array.from({ length: count }, (_, n) => Buffer.from(`message ${n} `.repeat(20)));

describe('compressedStream', () => {
  it('gives what a deflater of its own would, with the context of the messages before', () => {
    const contents = words(5);
    const stream = compressedStream('own', CONTEXT);
    const deflater = new RawDeflater(CONTEXT);
    for (const [n, content] of contents.entries()) {
      expect(Buffer.compare(stream.message(n, content), deflater.message(content))).toBe(0);
    }
    stream.release();
    deflater.close();
  });

  it('compresses once for all that send the same, each at a pace of its own', () => {
    const contents = words(4);
    const users = [compressedStream('shared', CONTEXT), compressedStream('shared', CONTEXT)] as const;
    const inflaters = users.map(() => new RawInflater({ ...CONTEXT, maxBytes: 1 << 20 }));
    const given: Uint8Array[][] = [[], []];
    for (const user of [0, 0, 1, 0, 1, 1, 1, 0] as const) {
      const n = given[user]!.length;
      const message = users[user].message(n, contents[n]!);
      expect(Buffer.compare(inflaters[user]!.message(message), contents[n]!)).toBe(0);
      given[user]!.push(message);
    }
    for (const [n, message] of given[0]!.entries()) expect(given[1]![n]).toBe(message);
    for (const user of users) user.release();
    const later = compressedStream('shared', CONTEXT);
    expect(later.message(3, contents[3]!)).toBe(given[0]![3]);
    later.release();
  });

  it('another agreement is another stream', () => {
    const contents = words(2);
    const lengthOfSecond = (stream: CompressedStream): number => {
      stream.message(0, contents[0]!);
      const { length } = stream.message(1, contents[1]!);
      stream.release();
      return length;
    };
    expect(lengthOfSecond(compressedStream('agreed', NO_CONTEXT))).toBeGreaterThan(
      lengthOfSecond(compressedStream('agreed', CONTEXT)),
    );
  });

  it('keeps a bounded part of what can be made anew, and drops what is not used', () => {
    const noise = randomBytes(1 << 20);
    const [word] = words(1);
    const unused = compressedStream('unused', CONTEXT);
    const first = unused.message(0, word!);
    unused.release();

    const long = compressedStream('long', NO_CONTEXT);
    const messages = Array.from({ length: 60 }, (_, n) => long.message(n, noise));
    expect(messages[59]!.length).toBeGreaterThan(1 << 20);
    expect(long.message(0, noise)).toBe(messages[0]);
    expect(long.message(59, noise)).not.toBe(messages[59]);
    expect(Buffer.compare(long.message(59, noise), messages[59]!)).toBe(0);

    const other = compressedStream('other', NO_CONTEXT);
    for (let n = 0; n < 30; n++) other.message(n, noise);
    const anew = compressedStream('unused', CONTEXT);
    expect(anew.message(0, word!)).not.toBe(first);
    anew.release();
    other.release();
    long.release();
  });
});
