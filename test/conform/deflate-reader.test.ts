import { constants, createDeflateRaw, deflateRawSync, type ZlibOptions } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeflateSyntaxError, readBlocks, usedWindow } from '../../src/conform/deflate-reader.js';
import { bytes, noise, prose, text } from '../rfc7692/codecs.js';

/** DEFLATE data from its bits, in the order in which they are read; spaces are for the reader. */
function fromBits(bits: string): Uint8Array {
  const octets = bits.replaceAll(' ', '').match(/.{1,8}/g) ?? [];
  return Uint8Array.from(octets, (octet) => Number.parseInt([...octet.padEnd(8, '0')].reverse().join(''), 2));
}

/** Payloads of messages of one sender that keeps its window, or of one that does not. */
async function payloads(
  messages: Uint8Array[],
  { noContextTakeover = false, ...options }: ZlibOptions & { noContextTakeover?: boolean } = {},
): Promise<Buffer[]> {
  const stream = createDeflateRaw(options);
  let pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  const results: Buffer[] = [];
  for (const message of messages) {
    stream.write(message);
    await new Promise<void>((resolve) => stream.flush(constants.Z_SYNC_FLUSH, resolve));
    results.push(Buffer.concat(pieces).subarray(0, -4));
    pieces = [];
    if (noContextTakeover) stream.reset();
  }
  stream.close();
  return results;
}

describe('the reader of DEFLATE data, for the examples of RFC 7692 §7.2.3', () => {
  it.each([
    ['one block with fixed codes', 'f2 48 cd c9 c9 07 00', [{ type: 'fixed', length: 5 }]],
    ['a stored block', '00 05 00 fa ff 48 65 6c 6c 6f 00', [{ type: 'stored', length: 5 }]],
    ['a final block', 'f3 48 cd c9 c9 07 00 00', [{ type: 'fixed', length: 5, isFinal: true, padding: 0 }]],
    ['two blocks', 'f2 48 05 00 00 00 ff ff ca c9 c9 07 00', [{ length: 2 }, { length: 0 }, { length: 3 }]],
    ['an empty message', '00', []],
  ])(
    '[RFC7692-7.2.1-2] [RFC7692-7.2.1-3] [RFC7692-7.2.1-4] %s -> its blocks and the empty one',
    (_, hex, blocks) => {
      const used = usedWindow(bytes(hex));
      expect(used.blocks).toMatchObject([...blocks, { type: 'stored', length: 0, isFinal: false }]);
      expect(used).toMatchObject({ length: hex === '00' ? 0 : 5, maxDistance: 0, reach: 0 });
      expect(used.hasFinalBlock).toBe(hex.startsWith('f3'));
    },
  );

  it('[RFC7692-7.2.1-9] the second Hello with context -> reaches 5 bytes back', () => {
    expect(usedWindow(bytes('f2 00 11 00 00'))).toMatchObject({ length: 5, maxDistance: 5, reach: 4 });
  });
});

describe('the reader of DEFLATE data', () => {
  const data: [string, Uint8Array][] = [
    ['prose', prose(70_000)],
    ['noise', noise(70_000)],
    ['one byte', text('a')],
    ['zeros', new Uint8Array(70_000)],
  ];
  it.each(data)('%s at all levels and strategies -> as long as it is', async (_, message) => {
    for (const level of [0, 1, 6, 9]) {
      for (const strategy of [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY]) {
        const [payload] = await payloads([message], { level, strategy });
        expect(usedWindow(payload!)).toMatchObject({
          length: message.length,
          reach: 0,
          hasFinalBlock: false,
        });
        const whole = readBlocks(deflateRawSync(message, { level, strategy }));
        expect(whole.reduce((sum, { length }) => sum + length, 0)).toBe(message.length);
        expect(whole.map(({ isFinal }) => isFinal).indexOf(true)).toBe(whole.length - 1);
      }
    }
  });

  it.each([9, 10, 12, 15])(
    '[RFC7692-7.2.1-14] a window of %d bits -> distances up to nearly that',
    async (windowBits) => {
      const piece = noise(2 ** windowBits - 300);
      const [payload] = await payloads([Buffer.concat([piece, piece])], { windowBits });
      expect(usedWindow(payload!).maxDistance).toBe(2 ** windowBits - 300);
    },
  );

  it('[RFC7692-7.2.1-10] the same message again -> a reach only where context is taken over', async () => {
    const message = noise(500);
    const [, kept] = await payloads([message, message]);
    expect(usedWindow(kept!)).toMatchObject({ length: 500, maxDistance: 500, reach: 499 });
    const [first, second] = await payloads([message, message], { noContextTakeover: true });
    expect(usedWindow(second!)).toMatchObject({ length: 500, reach: 0 });
    expect(second!.equals(first!)).toBe(true);
  });

  it('a match behind other bytes -> its reach is less than its distance by so many', () => {
    // Not final, fixed; the literals A and B; length 3, distance 7 (code 5, one extra bit 0); end of block.
    const used = usedWindow(fromBits('0 10 01110001 01110010 0000001 00101 0 0000000 000'));
    expect(used).toMatchObject({ length: 5, maxDistance: 7, reach: 5 });
  });

  it('the largest distance there is -> 32,768', () => {
    const used = usedWindow(fromBits('0 10 0000001 11101 1111111111111 0000000 000'));
    expect(used).toMatchObject({ length: 3, maxDistance: 32_768, reach: 32_768 });
  });

  it('[RFC7692-7.2.1-5] a final block that ends within a byte -> the bits up to the next one', () => {
    const empty = '1 10 0000000';
    expect(usedWindow(fromBits(`${empty} 000000`)).blocks).toMatchObject([{ padding: 0 }]);
    expect(usedWindow(fromBits(`${empty} 010001`)).blocks).toMatchObject([{ padding: 0b100010 }]);
    expect(usedWindow(fromBits(`${empty} 000000 00000000`)).blocks).toHaveLength(2);
  });

  it.each([
    ['a block of type 3', fromBits('0 11 00000'), 'reserved type'],
    ['stored lengths that do not agree', bytes('00 05 00 fa fe 48 65 6c 6c 6f 00'), 'do not agree'],
    ['a stored block that is cut', bytes('00 ff 00 00 ff 48 65'), 'ends within a block'],
    ['a block that is cut', bytes('f2 48 cd c9'), 'ends within a block'],
    ['nothing at all', new Uint8Array(0), 'ends within a block'],
    ['a length code that is not used', fromBits('0 10 11000110 00000'), 'length code 286'],
    ['a distance code that is not used', fromBits('0 10 0000001 11110 0000000'), 'distance code 30'],
    ['a first length that repeats', fromBits('0 01 00000 00000 0000 100 100 000 000 000'), 'one before it'],
    [
      'more lengths than announced',
      fromBits('0 01 00000 00000 0000 000 000 100 100 11111111 11111111'),
      'announced',
    ],
    ['too many code words', fromBits(`0 01 00000 00000 1111 ${'100'.repeat(19)}`), 'than fit'],
    ['a code without words', fromBits(`0 01 00000 00000 0000 ${'0'.repeat(52)}`), 'stands for nothing'],
  ])('%s -> DeflateSyntaxError', (_, payload, message) => {
    expect(() => usedWindow(payload)).toThrow(DeflateSyntaxError);
    expect(() => usedWindow(payload)).toThrow(message);
  });

  it('any bytes -> blocks or a DeflateSyntaxError, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (payload) => {
        try {
          expect(usedWindow(payload).blocks.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(DeflateSyntaxError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('a payload of very many empty blocks -> all of them', () => {
    const payload = fromBits(`${'0 10 0000000'.repeat(200_000)} 000`);
    expect(usedWindow(payload).blocks).toHaveLength(200_001);
  });
});
