// RFC 7692 §7.2.1: what a compressor may put on the wire.
import { inflateRawSync, constants as zlib } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readBlocks } from '../../src/conform/deflate-reader.js';
import { agreedWith, bytes, CODECS, noise, prose, text } from './codecs.js';

const BITS = [8, 9, 10, 11, 12, 13, 14, 15];
const TAIL = bytes('00 00 ff ff');

/** Text that repeats at each of the distances that a window ends at. */
function repetitive(seed: number): Buffer {
  return Buffer.concat([
    prose(600, seed),
    ...[200, 250, 256, 257, 262, 500, 512, 513, 1024, 2048, 4096, 8192, 16_384, 32_767].flatMap(
      (distance) => {
        const piece = noise(distance, seed + distance);
        return [piece, piece.subarray(0, 300)];
      },
    ),
  ]);
}

describe.each(CODECS)('RFC 7692 §7.2.1, $kind, $role', ({ inflater, deflater }) => {
  it('[RFC7692-7.2.1-1] any message -> DEFLATE that ends with an empty block, of which the last four bytes are cut', async () => {
    for (const message of [text('Hello'), prose(1000), noise(1000), prose(100_000)]) {
      const payload = await deflater(agreedWith()).deflate(message, true, true);
      const blocks = readBlocks(Buffer.concat([payload, TAIL]));
      expect(blocks.at(-1)).toMatchObject({ isFinal: false, type: 'stored', length: 0 });
      expect(blocks.reduce((sum, { length }) => sum + length, 0)).toBe(message.length);
    }
  });

  it.each([5, 1000, 30_000])(
    '[RFC7692-7.2.1-6] fragments of %d bytes -> only the last one has its tail cut',
    async (size) => {
      const sender = deflater(agreedWith({ noContext: true }));
      const message = prose(3 * size);
      const fragments = [
        await sender.deflate(message.subarray(0, size), true, false),
        await sender.deflate(message.subarray(size, 2 * size), false, false),
        await sender.deflate(message.subarray(2 * size), false, true),
      ];
      expect(fragments.slice(0, 2).map((fragment) => bytes(fragment.subarray(-4)))).toEqual([
        bytes(TAIL),
        bytes(TAIL),
      ]);
      const whole = inflateRawSync(Buffer.concat([...fragments, TAIL]), { finishFlush: zlib.Z_SYNC_FLUSH });
      expect(whole.equals(message)).toBe(true);
    },
  );

  it('[RFC7692-7.2.1-8] [RFC7692-7.2.1-10] no context is kept -> each message is inflated alone, of whatever size', async () => {
    const sender = deflater(agreedWith({ noContext: true }));
    for (const message of [prose(900), prose(900), prose(40_000), prose(40_000), prose(900)]) {
      const payload = await sender.deflate(message, true, true);
      const inflated = inflateRawSync(Buffer.concat([payload, TAIL]), { finishFlush: zlib.Z_SYNC_FLUSH });
      expect(inflated.equals(message)).toBe(true);
    }
  });

  it('[RFC7692-7.2.1-9] [RFC7692-7.2.1-11] context is kept -> a message that came before costs next to nothing', async () => {
    for (const length of [900, 30_000]) {
      const sender = deflater(agreedWith());
      const message = noise(length);
      const first = await sender.deflate(message, true, true);
      const second = await sender.deflate(message, true, true);
      expect(first.length).toBeGreaterThan(length);
      expect(second.length).toBeLessThan(length / 20);
    }
  });

  it.each(BITS)(
    '[RFC7692-7.2.1-7] [RFC7692-7.2.1-12] [RFC7692-7.2.1-14] window of %d bits -> no match refers farther back',
    async (windowBits) => {
      for (const noContext of [true, false]) {
        for (const level of [1, 3, 6, 9]) {
          const sender = deflater(agreedWith({ noContext, windowBits }), { zlibDeflateOptions: { level } });
          const receiver = inflater(agreedWith({ noContext, windowBits }));
          let farthest = 0;
          for (const message of [
            repetitive(level),
            prose(3000),
            prose(3000),
            repetitive(level).subarray(0, 9000),
          ]) {
            const payload = await sender.deflate(message, true, true);
            const blocks = readBlocks(Buffer.concat([payload, TAIL]));
            farthest = Math.max(farthest, ...blocks.map(({ maxDistance }) => maxDistance));
            expect(Buffer.from(message).equals(await receiver.inflate(payload, 0))).toBe(true);
          }
          expect(farthest).toBeLessThanOrEqual(2 ** windowBits);
          // The test has something to see: the window is made use of.
          expect(farthest).toBeGreaterThan(windowBits === 8 ? 200 : 2 ** windowBits / 4);
        }
      }
    },
  );
});
