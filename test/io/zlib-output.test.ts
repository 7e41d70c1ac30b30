import { describe, expect, it } from 'vitest';
import { ZlibOutput } from '../../src/io/zlib-output.js';

const MiB = 1024 * 1024;

/** An output in pieces of its own, and the bytes that were put in. */
function filled(length: number): { output: ZlibOutput; bytes: Buffer } {
  const bytes = Buffer.alloc(length, 'some words, and more ');
  const output = new ZlibOutput(Number.POSITIVE_INFINITY);
  for (let at = 0; at < length; ) {
    const space = output.ownSpace();
    const count = Math.min(space.length, length - at);
    space.set(bytes.subarray(at, at + count));
    output.take(space, count);
    at += count;
  }
  return { output, bytes };
}

describe('ZlibOutput', () => {
  it.each([0, 1, 100_000, 8 * MiB, 8 * MiB + 1, 20 * MiB + 3])(
    '%d bytes came out, gathered -> the same as in one go, also without the last four',
    async (length) => {
      const { output, bytes } = filled(length);
      expect(bytes.equals(await output.gather())).toBe(true);
      expect(bytes.equals(output.bytes())).toBe(true);
      const less = Math.max(0, length - 4);
      expect(bytes.subarray(0, less).equals(await output.gather(less))).toBe(true);
    },
  );

  it('40 MiB are gathered -> others have five turns of the event loop meanwhile', async () => {
    const { output } = filled(40 * MiB);
    let turns = 0;
    const count = () => {
      turns++;
      immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    await output.gather();
    clearImmediate(immediate);
    expect(turns).toBe(5);
  });
});
