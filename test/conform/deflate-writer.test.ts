import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { usedWindow } from '../../src/conform/deflate-reader.js';
import { DeflateWriter } from '../../src/conform/deflate-writer.js';
import { noise } from '../../src/conform/noise.js';

const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);

function inflate(message: Uint8Array): Buffer {
  return inflateRawSync(Buffer.concat([message, Uint8Array.of(0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff)]));
}

describe('the writer of DEFLATE data', () => {
  it('[RFC7692-7.2.1-1] Hello in a fixed block -> the bytes of RFC 7692 §7.2.3.1', () => {
    const message = new DeflateWriter().fixed().literals(Buffer.from('Hello')).end().message();
    expect(Buffer.from(message).toString('hex')).toBe('f248cdc9c90700');
  });

  it('Hello in a stored block -> the bytes of RFC 7692 §7.2.3.3', () => {
    const message = new DeflateWriter().stored(Buffer.from('Hello')).message();
    expect(Buffer.from(message).toString('hex')).toBe('000500faff48656c6c6f00');
  });

  it('[RFC7692-7.2.1-4] Hello in a final block -> the bytes of RFC 7692 §7.2.3.4', () => {
    const writer = new DeflateWriter().fixed(true).literals(Buffer.from('Hello')).end().toNextByte();
    expect(Buffer.from(writer.message()).toString('hex')).toBe('f348cdc9c9070000');
  });

  it('every literal -> zlib reads it', () => {
    const message = new DeflateWriter().fixed().literals(ALL_BYTES).end().message();
    expect(inflate(message).equals(ALL_BYTES)).toBe(true);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 100, 256, 257, 1024, 24_576, 24_577, 32_767, 32_768])(
    'a match over the distance %i -> zlib copies from there',
    (distance) => {
      const before = Buffer.from(noise(32_768, distance));
      const message = new DeflateWriter().stored(before).fixed().match(3, distance).end().message();
      const start = before.length - distance;
      const expected = Buffer.concat([
        before,
        before.subarray(start),
        before.subarray(start),
        before.subarray(start),
      ]);
      expect(inflate(message).equals(expected.subarray(0, before.length + 3))).toBe(true);
      expect(usedWindow(message).maxDistance).toBe(distance);
    },
  );

  it.each([3, 4, 5, 6, 7, 8, 9, 10, 258])('a match of %i bytes -> so many come out', (length) => {
    const message = new DeflateWriter().fixed().literals(Buffer.from('x')).match(length, 1).end().message();
    expect(inflate(message).toString()).toBe('x'.repeat(length + 1));
  });
});
