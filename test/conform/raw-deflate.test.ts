import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { usedWindow } from '../../src/conform/deflate-reader.js';
import { RawDeflateError, RawDeflater, RawInflater } from '../../src/conform/raw-deflate.js';
import { bytes, noise, prose, text } from '../rfc7692/codecs.js';

const BITS = [8, 9, 10, 11, 12, 13, 14, 15];
const DEFAULTS = { windowBits: 15, noContextTakeover: false };
const LIMITED = { ...DEFAULTS, maxBytes: 1 << 20 };
const TAIL = bytes('00 00 ff ff');

/** Bytes that make use of a window: noise, and matches to the start of it and to the middle. */
function farMatches(windowBits: number, seed: number): Buffer {
  const length = 2 ** windowBits;
  const piece = noise(length, seed);
  return Buffer.concat([piece, piece.subarray(0, 100), prose(300, seed), piece, piece.subarray(length / 2)]);
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof RawDeflateError) return error.code;
    throw error;
  }
  return 'none';
}

describe('the tester as a sender of compressed messages', () => {
  it('[RFC7692-7.2.1-1] Hello twice with context -> the bytes of RFC 7692 §7.2.3.1 and §7.2.3.2', () => {
    const deflater = new RawDeflater(DEFAULTS);
    expect(bytes(deflater.message(text('Hello')))).toBe('f2 48 cd c9 c9 07 00');
    expect(bytes(deflater.message(text('Hello')))).toBe('f2 00 11 00 00');
    deflater.close();
  });

  it('[RFC7692-7.2.1-8] [RFC7692-7.2.1-10] no context takeover -> the same bytes each time', () => {
    const deflater = new RawDeflater({ ...DEFAULTS, noContextTakeover: true });
    for (let i = 0; i < 3; i++) {
      expect(bytes(deflater.message(text('Hello')))).toBe('f2 48 cd c9 c9 07 00');
      expect(usedWindow(deflater.message(prose(5000))).reach).toBe(0);
    }
    deflater.close();
  });

  it('empty messages -> one byte 00, first, later and in a row', () => {
    const deflater = new RawDeflater(DEFAULTS);
    const inflater = new RawInflater(LIMITED);
    for (const message of ['', '', 'Hello', '', '', 'Hello']) {
      const payload = deflater.message(text(message));
      if (message === '') expect(bytes(payload)).toBe('00');
      expect(Buffer.from(inflater.message(payload)).toString()).toBe(message);
    }
  });

  it('a payload stays as it is when later messages are compressed', () => {
    const deflater = new RawDeflater(DEFAULTS);
    const first = deflater.message(prose(3000));
    const copy = bytes(first);
    deflater.message(noise(3000));
    expect(bytes(first)).toBe(copy);
  });

  it('level and memLevel -> those of zlib', () => {
    const stored = new RawDeflater({ ...DEFAULTS, level: 0 });
    expect(usedWindow(stored.message(prose(1000))).blocks[0]).toMatchObject({ type: 'stored', length: 1000 });
    const small = new RawDeflater({ ...DEFAULTS, memLevel: 1 });
    expect(usedWindow(small.message(prose(10_000))).blocks.length).toBeGreaterThan(10);
  });

  it('[RFC7692-7.2.1-1] sizes and contents of all kinds -> one empty block at the end, and inflated alone they are the same', () => {
    for (const windowBits of BITS) {
      for (const memLevel of [1, 8, 9]) {
        const deflater = new RawDeflater({ windowBits, memLevel, noContextTakeover: true });
        for (const make of [noise, prose]) {
          for (const length of [1, 2, 63, 1000, 16_383, 16_384, 70_000, 131_072]) {
            const payload = deflater.message(make(length));
            const whole = Buffer.concat([payload, TAIL]);
            expect(inflateRawSync(whole, { finishFlush: constants.Z_SYNC_FLUSH }).equals(make(length))).toBe(
              true,
            );
            expect(Buffer.from(payload.subarray(-4)).equals(TAIL)).toBe(false);
          }
        }
        deflater.close();
      }
    }
  });

  it.each(BITS)(
    '[RFC7692-7.2.1-12] [RFC7692-7.2.1-14] a window of %d bits -> no match refers back farther',
    (windowBits) => {
      for (const noContextTakeover of [false, true]) {
        for (const level of [1, 4, 6, 9]) {
          const deflater = new RawDeflater({ windowBits, noContextTakeover, level });
          const inflater = new RawInflater({ windowBits, noContextTakeover, maxBytes: 1 << 20 });
          let farthest = 0;
          for (let seed = 1; seed <= 4; seed++) {
            for (const message of [farMatches(windowBits, seed), prose(3000, seed), prose(40_000)]) {
              const payload = deflater.message(message);
              farthest = Math.max(farthest, usedWindow(payload).maxDistance);
              expect(message.equals(inflater.message(payload))).toBe(true);
            }
          }
          expect(farthest).toBeLessThanOrEqual(2 ** windowBits);
          // The test has something to see: the window is made use of.
          expect(farthest).toBeGreaterThan(2 ** windowBits / 3);
        }
      }
    },
  );
});

describe('the tester as a receiver of compressed messages', () => {
  const last = deflateRawSync(prose(5000));

  it.each([
    ['one block', ['f2 48 cd c9 c9 07 00']],
    ['with context', ['f2 48 cd c9 c9 07 00', 'f2 00 11 00 00']],
    ['a stored block', ['00 05 00 fa ff 48 65 6c 6c 6f 00']],
    ['a final block', ['f3 48 cd c9 c9 07 00 00', 'f2 48 cd c9 c9 07 00']],
    ['a final block without the byte behind it', ['f3 48 cd c9 c9 07 00', 'f2 48 cd c9 c9 07 00']],
    ['two blocks', ['f2 48 05 00 00 00 ff ff ca c9 c9 07 00']],
  ])('[RFC7692-7.2.2-1] the examples of RFC 7692 §7.2.3: %s -> Hello', (_, payloads) => {
    const inflater = new RawInflater(LIMITED);
    for (const payload of payloads) {
      expect(Buffer.from(inflater.message(bytes(payload))).toString()).toBe('Hello');
    }
    inflater.close();
  });

  it('[RFC7692-7.2.1-4] final blocks anywhere in a message -> all of it, and the messages behind', () => {
    const sender = new RawDeflater({ ...DEFAULTS, noContextTakeover: true });
    for (const noContextTakeover of [false, true]) {
      const inflater = new RawInflater({ ...LIMITED, noContextTakeover });
      for (const length of [50, 5000, 100_000]) {
        const final = deflateRawSync(noise(length));
        const payload = Buffer.concat([final, last, final, sender.message(prose(length))]);
        const expected = Buffer.concat([noise(length), prose(5000), noise(length), prose(length)]);
        expect(expected.equals(inflater.message(payload))).toBe(true);
        expect(prose(5000).equals(inflater.message(last))).toBe(true);
        expect(prose(length).equals(inflater.message(sender.message(prose(length))))).toBe(true);
      }
    }
  });

  it('no context takeover -> a match into the message before is corrupt', () => {
    const deflater = new RawDeflater(DEFAULTS);
    const payloads = [text('Hello'), text('Hello')].map((message) => deflater.message(message));
    const inflater = new RawInflater({ ...LIMITED, noContextTakeover: true });
    inflater.message(payloads[0]!);
    expect(codeOf(() => inflater.message(payloads[1]!))).toBe('CORRUPT');
  });

  it.each([
    ['a block of type 3', '06'],
    ['a stored block with wrong lengths', '00 05 00 fa fe 48'],
    ['a match that refers to nothing', 'f2 00 11 00 00'],
    ['no byte at all', ''],
    ['a final block that needs the tail', '01 02 00 fd ff'],
  ])('%s -> CORRUPT, and so is all that follows', (_, payload) => {
    const inflater = new RawInflater(LIMITED);
    expect(codeOf(() => inflater.message(bytes(payload)))).toBe('CORRUPT');
    expect(codeOf(() => inflater.message(bytes('f2 48 cd c9 c9 07 00')))).toBe('CORRUPT');
    inflater.close();
  });

  it.each([1, 100, 16_383, 16_384, 16_385, 100_000])(
    'a limit of %d bytes -> so many, and not one more',
    (maxBytes) => {
      const deflater = new RawDeflater({ ...DEFAULTS, noContextTakeover: true });
      const inflater = new RawInflater({ ...LIMITED, maxBytes });
      expect(prose(maxBytes).equals(inflater.message(deflater.message(prose(maxBytes))))).toBe(true);
      expect(codeOf(() => inflater.message(deflater.message(prose(maxBytes + 1))))).toBe('TOO_LARGE');
    },
  );

  it('[RFC7692-7.2.2-1] a bomb of 64 MiB -> TOO_LARGE at the limit', () => {
    const bomb = new RawDeflater(DEFAULTS).message(new Uint8Array(64 << 20));
    const inflater = new RawInflater(LIMITED);
    expect(codeOf(() => inflater.message(bomb))).toBe('TOO_LARGE');
  });
});

describe('either one, closed', () => {
  it('a message -> CLOSED, and it may be closed again', () => {
    const deflater = new RawDeflater(DEFAULTS);
    const inflater = new RawInflater(LIMITED);
    for (const codec of [deflater, inflater]) {
      codec.close();
      codec.close();
      expect(codeOf(() => codec.message(text('Hello')))).toBe('CLOSED');
    }
  });
});
