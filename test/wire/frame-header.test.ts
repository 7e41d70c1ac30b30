import { describe, expect, it } from 'vitest';
import { type FrameHeader, parseFrameHeader, serializeFrameHeader } from '../../src/wire/frame-header.js';

const PLAIN: Omit<FrameHeader, 'headerLength'> = {
  isFinal: true,
  rsv1: false,
  rsv2: false,
  rsv3: false,
  opcode: 1,
  isMasked: false,
  payloadLength: 5n,
  lengthForm: 7,
};

describe('the examples of §5.7', () => {
  it.each([
    [
      'unmasked text',
      '8105',
      { opcode: 1, isFinal: true, isMasked: false, payloadLength: 5n, headerLength: 2 },
    ],
    ['masked text', '818537fa213d', { isMasked: true, payloadLength: 5n, headerLength: 6 }],
    ['the first fragment', '0103', { opcode: 1, isFinal: false, payloadLength: 3n }],
    ['the last fragment', '8002', { opcode: 0, isFinal: true, payloadLength: 2n }],
    ['a Ping', '8905', { opcode: 9, isFinal: true, payloadLength: 5n }],
    ['256 bytes', '827e0100', { opcode: 2, payloadLength: 256n, lengthForm: 16, headerLength: 4 }],
    [
      '64 KiB',
      '827f0000000000010000',
      { opcode: 2, payloadLength: 65536n, lengthForm: 64, headerLength: 10 },
    ],
  ])('[RFC6455-5.2-7] both roles, %s: %s', (_, hex, fields) => {
    expect(parseFrameHeader(Buffer.from(hex, 'hex'))).toMatchObject(fields);
  });
});

describe('parseFrameHeader', () => {
  it('reads each bit of the first byte on its own', () => {
    const read = (first: number) => parseFrameHeader(Uint8Array.of(first, 0))!;
    for (let first = 0; first < 256; first++) {
      const { isFinal, rsv1, rsv2, rsv3, opcode } = read(first);
      const bits = [isFinal, rsv1, rsv2, rsv3].map(Number).join('') + opcode.toString(2).padStart(4, '0');
      expect(bits).toBe(first.toString(2).padStart(8, '0'));
    }
  });

  it('needs every byte of the header, and no more', () => {
    for (const hex of [
      '8105',
      '818537fa213d',
      '827e0100',
      '82fe010037fa213d',
      '827f0000000000010000',
      '82ff000000000001000037fa213d',
    ]) {
      const bytes = Buffer.from(hex, 'hex');
      for (let length = 0; length < bytes.length; length++) {
        expect(parseFrameHeader(bytes.subarray(0, length))).toBeUndefined();
      }
      expect(parseFrameHeader(bytes)!.headerLength).toBe(bytes.length);
    }
  });

  it('reads at an offset, of a view', () => {
    const bytes = Buffer.from('ffff818537fa213d', 'hex').subarray(1);
    expect(parseFrameHeader(bytes, 1)).toMatchObject({ payloadLength: 5n, headerLength: 6 });
    expect(parseFrameHeader(bytes, 6)).toBeUndefined();
  });

  it('copies the masking key', () => {
    const bytes = Buffer.from('818537fa213d', 'hex');
    const { maskingKey } = parseFrameHeader(bytes)!;
    bytes.fill(0);
    expect(Buffer.from(maskingKey!).toString('hex')).toBe('37fa213d');
  });

  it('judges nothing: reserved bits, unknown opcodes, long forms and 64-bit lengths are reported', () => {
    expect(parseFrameHeader(Buffer.from('f37f8000000000000001', 'hex'))).toMatchObject({
      rsv1: true,
      rsv2: true,
      rsv3: true,
      opcode: 3,
      payloadLength: 2n ** 63n + 1n,
    });
    expect(parseFrameHeader(Buffer.from('827e0001', 'hex'))).toMatchObject({
      payloadLength: 1n,
      lengthForm: 16,
    });
  });
});

describe('serializeFrameHeader', () => {
  it.each([
    ['final text', {}, '8105'],
    ['a masking key', { isMasked: true, maskingKey: Uint8Array.of(1, 2, 3, 4) }, '818501020304'],
    ['no masking key given', { isMasked: true }, '818500000000'],
    ['the 16-bit form', { lengthForm: 16 as const }, '817e0005'],
    [
      'the largest length',
      { lengthForm: 64 as const, payloadLength: 2n ** 64n - 1n },
      '817fffffffffffffffff',
    ],
    [
      'every bit of byte 0 but FIN',
      { isFinal: false, rsv1: true, rsv2: true, rsv3: true, opcode: 15 },
      '7f05',
    ],
  ])('%s', (_, fields, hex) => {
    expect(Buffer.from(serializeFrameHeader({ ...PLAIN, ...fields })).toString('hex')).toBe(hex);
  });

  it('is the inverse of parseFrameHeader', () => {
    for (const isMasked of [false, true]) {
      for (const [lengthForm, payloadLength] of [
        [7, 125n],
        [16, 65535n],
        [64, 2n ** 53n],
      ] as const) {
        const header = {
          ...PLAIN,
          isMasked,
          lengthForm,
          payloadLength,
          ...(isMasked && { maskingKey: Uint8Array.of(9, 8, 7, 6) }),
        };
        const bytes = serializeFrameHeader(header);
        expect(parseFrameHeader(bytes)).toEqual({ ...header, headerLength: bytes.length });
      }
    }
  });
});
