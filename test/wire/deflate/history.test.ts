import { inflateRawSync, constants as zlib } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBlocks } from '../../../src/conform/deflate-reader.js';
import { encode, encodeAfter } from '../../../src/wire/deflate/block.js';
import { History, tokenizeAfter } from '../../../src/wire/deflate/history.js';
import {
  distanceFrequencies,
  literalFrequencies,
  MAX_MESSAGE_BYTES,
  tokenize,
  tokens,
} from '../../../src/wire/deflate/tokens.js';
import { bytes, noise, prose } from '../../rfc7692/codecs.js';

const TAIL = bytes('00 00 ff ff');
const WINDOW = 2 ** 15;

/** Compresses one message after the other, has zlib inflate them all, and returns the lengths and the farthest match. */
function roundTrip(history: History, messages: Uint8Array[]) {
  const payloads = messages.map((message) => Buffer.concat([encodeAfter(history, message), TAIL]));
  const stream = Buffer.concat(payloads);
  const all = Buffer.concat(messages);
  if (!inflateRawSync(stream, { finishFlush: zlib.Z_SYNC_FLUSH }).equals(all)) expect.fail('not the same');
  const distances = readBlocks(stream).map(({ maxDistance }) => maxDistance);
  return { lengths: payloads.map(({ length }) => length), farthest: Math.max(...distances) };
}

describe('History', () => {
  it.each([8, 9, 12, 15])(
    '[RFC7692-7.2.1-12] any messages, window of %d bits -> come back, and no match is farther away',
    (windowBits) => {
      const message = fc.oneof(
        { weight: 4, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 300 }) },
        { weight: 4, arbitrary: fc.integer({ min: 1, max: 5000 }).map((length) => prose(length)) },
        {
          weight: 1,
          arbitrary: fc.integer({ min: 1, max: MAX_MESSAGE_BYTES }).map((length) => prose(length)),
        },
      );
      fc.assert(
        fc.property(fc.array(message, { minLength: 1, maxLength: 12 }), (messages) => {
          const { farthest } = roundTrip(new History(2 ** windowBits), messages);
          expect(farthest).toBeLessThanOrEqual(2 ** windowBits);
        }),
        { numRuns: 40 },
      );
    },
  );

  it('nothing before a message -> the tokens of the encoder that keeps nothing', () => {
    const found = () => {
      const frequencies = [Array.from(literalFrequencies), Array.from(distanceFrequencies)];
      literalFrequencies.fill(0);
      distanceFrequencies.fill(0);
      return frequencies;
    };
    for (let i = 0; i < 60; i++) {
      const length = 1 + ((i * 7919) % 20_000);
      const message = i % 2 === 0 ? prose(length, i + 1) : noise(length, i + 1).map((byte) => byte & 3);
      const count = tokenize(message, WINDOW);
      const expected = [Array.from(tokens.subarray(0, count)), found()];
      const countAfter = tokenizeAfter(new History(WINDOW, length < 4096 ? 12 : 14, 8), message);
      expect([Array.from(tokens.subarray(0, countAfter)), found()]).toEqual(expected);
    }
  });

  it.each([9, 15])(
    'a message again, exactly the window of %d bits away -> a match, one byte farther none',
    (windowBits) => {
      const word = noise(100, 3);
      const window = 2 ** windowBits;
      const sizeAfter = (between: number) => {
        const filler = noise(between, 7);
        const parts = [word];
        for (let at = 0; at < between; at += 9000) parts.push(filler.subarray(at, at + 9000));
        return roundTrip(new History(window), [...parts, word]).lengths.at(-1);
      };
      expect(sizeAfter(window - word.length)).toBeLessThan(20);
      expect(sizeAfter(window - word.length + 1)).toBeGreaterThan(20);
    },
  );

  it('much more than a window, in messages of any size -> comes back, and what was just said is still known', () => {
    const messages = Array.from({ length: 120 }, (_, i) => prose(1 + ((i * 7919) % 9000), i + 1));
    const history = new History(WINDOW);
    roundTrip(history, messages);
    expect(history.bytes.length).toBeLessThanOrEqual(WINDOW + MAX_MESSAGE_BYTES + 8);
    expect(encodeAfter(history, messages.at(-1)!).length).toBeLessThan(80);
  });

  it('what is out of the window is dropped between two messages -> the same is found as without', () => {
    // With four different letters there are candidates everywhere.
    const letters = (length: number, seed: number) => noise(length, seed).map((byte) => byte & 3);
    const compressedAfter = (dropped: number) => {
      const history = new History(WINDOW);
      encodeAfter(history, Buffer.alloc(dropped, 'x'));
      for (let i = 0; i < 15; i++) encodeAfter(history, letters(2000, i));
      return Array.from({ length: 8 }, (_, i) => bytes(encodeAfter(history, letters(1000, i + 40))));
    };
    expect(compressedAfter(32_000)).toEqual(compressedAfter(1));
  });

  it('one short message -> takes memory for a short one', () => {
    const history = new History(WINDOW);
    encodeAfter(history, prose(100));
    expect(history.bytes.length + history.chain.byteLength + history.head.byteLength).toBeLessThan(48 * 1024);
  });

  it('a GiB went through -> comes back as ever, and what follows is known again', () => {
    const history = new History(WINDOW);
    const filler = prose(MAX_MESSAGE_BYTES);
    roundTrip(history, [filler, prose(500, 4)]);
    // As if: every place in the table is as far away as it would be.
    history.origin += 2 ** 30 - 3 * MAX_MESSAGE_BYTES;
    history.head.fill(0);
    for (let i = 0; i < 6; i++) encodeAfter(history, noise(MAX_MESSAGE_BYTES, i));
    expect(history.origin).toBeLessThan(2 ** 20);
    const message = prose(700, 9);
    expect(encodeAfter(history, message).length).toBe(encode(message, WINDOW).length);
    expect(encodeAfter(history, message).length).toBeLessThan(30);
  });

  it('what somebody else has compressed -> its end is referred to, what was before is not', () => {
    const history = new History(WINDOW);
    const [before, other] = [noise(3000, 1), noise(70_000, 2)];
    encodeAfter(history, before);
    history.replace(other);
    expect(encodeAfter(history, other.subarray(-2000)).length).toBeLessThan(60);
    expect(encodeAfter(history, before).length).toBe(before.length + 6);
  });
});
