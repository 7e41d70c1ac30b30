import { describe, expect, it } from 'vitest';
import { type FrameHeader, serializeFrameHeader } from '../../src/wire/frame-header.js';
import { frameHeaderLength, writeFrameHeader } from '../../src/wire/frame-writer.js';

const LENGTHS = [
  ...Array.from({ length: 131 }, (_, length) => length),
  ...[255, 256, 32767, 65534, 65535, 65536, 65537, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1],
];

/** The plain writer of frame-header.ts, in the shortest form. */
function plain(first: number, length: number, key: Uint8Array | undefined): Uint8Array {
  const header: Omit<FrameHeader, 'headerLength'> = {
    isFinal: (first & 0x80) !== 0,
    rsv1: (first & 0x40) !== 0,
    rsv2: (first & 0x20) !== 0,
    rsv3: (first & 0x10) !== 0,
    opcode: first & 0xf,
    isMasked: key !== undefined,
    payloadLength: BigInt(length),
    lengthForm: length < 126 ? 7 : length < 65536 ? 16 : 64,
    ...(key && { maskingKey: key }),
  };
  return serializeFrameHeader(header);
}

describe('writeFrameHeader', () => {
  for (let offset = 0; offset < 8; offset++) {
    it(`[RFC6455-5.2-6] [RFC6455-5.2-7] both roles, write at offset ${offset} -> same as serializeFrameHeader`, () => {
      for (const length of LENGTHS) {
        for (const key of [undefined, Uint8Array.of(0x37, 0xfa, 0x21, 0xbd)]) {
          const expected = plain(0x82, length, key);
          const target = new Uint8Array(32).fill(0xee);
          const end = writeFrameHeader(target, offset, 0x82, length, key !== undefined, 0xbd21fa37 | 0);
          expect(end).toBe(offset + expected.length);
          expect([...target.subarray(offset, end)]).toEqual([...expected]);
          expect(target.filter((byte) => byte === 0xee).length).toBeGreaterThanOrEqual(32 - expected.length);
          expect(
            [...target.subarray(0, offset), ...target.subarray(end)].every((byte) => byte === 0xee),
          ).toBe(true);
          expect(frameHeaderLength(length, key !== undefined)).toBe(expected.length);
        }
      }
    });
  }

  it('writes every first byte as it is', () => {
    for (let first = 0; first < 256; first++) {
      const target = new Uint8Array(2);
      writeFrameHeader(target, 0, first, 3, false, 0);
      expect([...target]).toEqual([...plain(first, 3, undefined)]);
    }
  });

  it('[RFC6455-5.2-5] both roles, the largest length a number holds -> the most significant bit is 0', () => {
    const target = new Uint8Array(10);
    writeFrameHeader(target, 0, 0x82, Number.MAX_SAFE_INTEGER, false, 0);
    expect(Buffer.from(target).toString('hex')).toBe('827f001fffffffffffff');
  });
});
