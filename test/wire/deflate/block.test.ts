import { deflateRawSync, inflateRawSync, constants as zlib } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { readBlocks } from '../../../src/conform/deflate-reader.js';
import { encode } from '../../../src/wire/deflate/block.js';
import { MAX_MESSAGE_BYTES } from '../../../src/wire/deflate/tokens.js';
import { bytes, noise, prose, text } from '../../rfc7692/codecs.js';

const TAIL = bytes('00 00 ff ff');
const WINDOW = 2 ** 15;

/** Compresses, lets zlib inflate it with a window of no more than that, and returns the blocks. */
function roundTrip(message: Uint8Array, windowBits = 15) {
  const payload = Buffer.concat([encode(message, 2 ** windowBits), TAIL]);
  const inflated = inflateRawSync(payload, { windowBits, finishFlush: zlib.Z_SYNC_FLUSH });
  expect(inflated.equals(message)).toBe(true);
  const blocks = readBlocks(payload);
  expect(blocks.at(-1)).toMatchObject({ isFinal: false, type: 'stored', length: 0 });
  return blocks;
}

/** A message with copies of earlier parts at any distance. */
const repetitive = fc
  .array(fc.tuple(fc.nat(), fc.nat({ max: 600 }), fc.uint8Array({ maxLength: 12 })), {
    minLength: 1,
    maxLength: 120,
  })
  .map((parts) => {
    let message = Buffer.alloc(0);
    for (const [seed, length, literals] of parts) {
      const start = message.length === 0 ? 0 : seed % message.length;
      message = Buffer.concat([message, message.subarray(start, start + length), literals]);
    }
    return message.subarray(0, MAX_MESSAGE_BYTES);
  })
  .filter((message) => message.length > 0);

describe('encode', () => {
  it.each([8, 9, 10, 11, 12, 13, 14, 15])(
    '[RFC7692-7.2.1-12] [RFC7692-7.2.1-14] any message, window of %d bits -> zlib with that window gives it back',
    (windowBits) => {
      const messages = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 2000 }), repetitive);
      fc.assert(
        fc.property(messages, (message) => {
          const distances = roundTrip(message, windowBits).map(({ maxDistance }) => maxDistance);
          expect(Math.max(...distances)).toBeLessThanOrEqual(2 ** windowBits);
        }),
        { numRuns: 60 },
      );
    },
  );

  it.each([8, 12, 15])(
    'a match at exactly the window of %d bits -> is used, one byte farther is not',
    (windowBits) => {
      // Bytes of six bits, so that it is worth while not to store them.
      const letters = (length: number, seed: number) => noise(length, seed).map((byte) => byte & 0x3f);
      const word = letters(100, 3);
      const farthestAt = (distance: number) => {
        const message = Buffer.concat([word, letters(distance - word.length, 7), word]);
        return Math.max(...roundTrip(message, windowBits).map(({ maxDistance }) => maxDistance));
      };
      const most = Math.min(2 ** windowBits, MAX_MESSAGE_BYTES - word.length);
      expect(farthestAt(most)).toBe(most);
      if (most === 2 ** windowBits) expect(farthestAt(most + 1)).toBeLessThan(most);
    },
  );

  it('each length from 1 to 300, prose, noise and one byte repeated -> zlib gives it back', () => {
    for (let length = 1; length <= 300; length++) {
      for (const message of [prose(length, length), noise(length, length), Buffer.alloc(length, 0x78)])
        roundTrip(message);
    }
  });

  it.each([1, 5000, MAX_MESSAGE_BYTES - 1, MAX_MESSAGE_BYTES])(
    '%d bytes -> zlib gives them back',
    (length) => {
      for (const message of [prose(length), noise(length), Buffer.alloc(length)]) roundTrip(message);
      expect(encode(Buffer.alloc(length), WINDOW).length).toBeLessThan(200);
    },
  );

  it('Hello -> the bytes of RFC 7692 §7.2.3.1', () => {
    expect(bytes(encode(text('Hello'), WINDOW))).toBe('f2 48 cd c9 c9 07 00');
  });

  it('noise -> a stored block, six bytes longer; short text -> fixed codes; long text -> its own', () => {
    const types = (message: Uint8Array) => roundTrip(message).map(({ type }) => type);
    expect(types(noise(3000))).toEqual(['stored', 'stored']);
    expect(encode(noise(3000), WINDOW).length).toBe(3006);
    expect(types(text('A short message'))).toEqual(['fixed', 'stored']);
    expect(types(prose(3000))).toEqual(['dynamic', 'stored']);
  });

  it('any message -> never more than six bytes longer, and never longer than zlib with fixed codes needs for the same literals', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), (message) => {
        const { length } = encode(message, WINDOW);
        expect(length).toBeLessThanOrEqual(message.length + 6);
        const bits = message.reduce((sum, byte) => sum + (byte < 144 ? 8 : 9), 3 + 7 + 3);
        expect(length).toBeLessThanOrEqual(Math.ceil(bits / 8));
      }),
    );
  });

  it('text, and binary records -> at most a twentieth longer than zlib at its default level', () => {
    const records = Buffer.alloc(8192);
    for (let at = 0; at < records.length; at += 16) {
      records.writeUInt32LE(at, at);
      records.writeDoubleLE(100 + ((at * 7919) % 997) / 100, at + 4);
    }
    const json = Buffer.from(
      JSON.stringify(
        Array.from({ length: 90 }, (_, i) => ({ id: i * 7919, name: `user${i % 7}`, on: i % 3 === 0 })),
      ),
    );
    for (const message of [prose(1000), prose(8000), json.subarray(0, 1000), json, records]) {
      const { length } = deflateRawSync(message, { finishFlush: zlib.Z_SYNC_FLUSH });
      expect(encode(message, WINDOW).length).toBeLessThan(1.05 * (length - TAIL.length));
    }
  });

  // What is found must not depend on what went before, or the length of a message would tell about that of somebody else.
  it('whatever was compressed before -> the bytes of an encoder that was never used', async () => {
    const messages = Array.from({ length: 40 }, (_, i) => {
      const length = 1 + ((i * 7919) % 6000);
      // With four different letters there are candidates everywhere.
      return i % 2 === 0 ? prose(length, i + 1) : noise(length, i + 1).map((byte) => byte & 3);
    });
    const used = messages.map((message, i) => {
      encode(Buffer.concat([prose(9000, i + 1), message, noise(50, i)]), WINDOW);
      encode(
        noise(8000, i + 3).map((byte) => byte & 3),
        WINDOW,
      );
      return Buffer.from(encode(message, WINDOW));
    });
    for (const [i, message] of messages.entries()) {
      vi.resetModules();
      const fresh = await import('../../../src/wire/deflate/block.js');
      expect(used[i]!.equals(fresh.encode(message, WINDOW))).toBe(true);
    }
  });

  it('more than 2^31 bytes in all -> compressed as ever', () => {
    const filler = Buffer.alloc(MAX_MESSAGE_BYTES);
    const message = prose(500);
    const expected = Buffer.from(encode(message, WINDOW));
    for (let i = 0; i <= 2 ** 31 / MAX_MESSAGE_BYTES; i++) {
      encode(filler, WINDOW);
      if (i % 64 === 0 || i > 2 ** 31 / MAX_MESSAGE_BYTES - 64) {
        if (!expected.equals(encode(message, WINDOW))) expect.fail(`after ${i} messages`);
      }
    }
  });

  it('what goes in -> is left as it is', () => {
    const message = prose(700);
    encode(message, WINDOW);
    expect(message.equals(prose(700))).toBe(true);
  });
});
