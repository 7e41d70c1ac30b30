import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closeFrame, randomMaskingKey, serializeFrame, shortestForm } from '../../src/conform/frame.js';
import { parseFrameHeader } from '../../src/wire/frame-header.js';
import { applyMask, readMaskingKey } from '../../src/wire/mask.js';

const spec = fc.record({
  opcode: fc.nat({ max: 15 }),
  payload: fc.uint8Array({ maxLength: 300 }),
  isFinal: fc.boolean(),
  rsv: fc.nat({ max: 7 }),
  isMasked: fc.boolean(),
  maskingKey: fc.uint8Array({ minLength: 4, maxLength: 4 }),
});

describe('a frame of the tester', () => {
  it('says on the wire what it was told to say, be that right or wrong', () => {
    fc.assert(
      fc.property(spec, fc.constantFrom('server' as const, 'client' as const), (one, subject) => {
        const { bytes, headerLength, maskingKey } = serializeFrame(one, subject);
        const header = parseFrameHeader(bytes)!;
        expect(header).toMatchObject({
          isFinal: one.isFinal,
          rsv1: (one.rsv & 4) !== 0,
          rsv2: (one.rsv & 2) !== 0,
          rsv3: (one.rsv & 1) !== 0,
          opcode: one.opcode,
          isMasked: one.isMasked,
          payloadLength: BigInt(one.payload.length),
          headerLength,
        });
        const payload = bytes.slice(headerLength);
        if (one.isMasked) {
          expect(header.maskingKey).toEqual(one.maskingKey);
          applyMask(payload, 0, payload.length, readMaskingKey(header.maskingKey!, 0));
        } else {
          expect(maskingKey).toBeUndefined();
        }
        expect(payload).toEqual(one.payload);
      }),
    );
  });

  it('is masked towards a server and not towards a client, unless it is told otherwise', () => {
    expect(parseFrameHeader(serializeFrame({ opcode: 1 }, 'server').bytes)!.isMasked).toBe(true);
    expect(parseFrameHeader(serializeFrame({ opcode: 1 }, 'client').bytes)!.isMasked).toBe(false);
    expect(parseFrameHeader(serializeFrame({ opcode: 1, isMasked: false }, 'server').bytes)!.isMasked).toBe(
      false,
    );
  });

  it('leaves the payload that it was given as it was', () => {
    const payload = Uint8Array.of(1, 2, 3, 4, 5);
    serializeFrame({ opcode: 2, payload }, 'server');
    expect(payload).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
  });

  it.each([7, 16, 64] as const)('writes its length in %i bits where it is told to', (lengthForm) => {
    expect(
      parseFrameHeader(serializeFrame({ opcode: 2, payload: 'abc', lengthForm }, 'client').bytes),
    ).toMatchObject({
      lengthForm,
      payloadLength: 3n,
    });
  });

  it('announces any length, up to the largest that 64 bits hold', () => {
    const announcedLength = 2n ** 64n - 1n;
    const { bytes, headerLength } = serializeFrame({ opcode: 2, payload: 'abc', announcedLength }, 'client');
    expect(parseFrameHeader(bytes)!.payloadLength).toBe(announcedLength);
    expect(bytes.length - headerLength).toBe(3);
  });

  it.each([
    [0, 7],
    [125, 7],
    [126, 16],
    [65_535, 16],
    [65_536, 64],
    [2n ** 63n, 64],
  ] as const)('of %s bytes has the length in %i bits as shortest form', (length, form) => {
    expect(shortestForm(length)).toBe(form);
  });
});

describe('masking keys', () => {
  it('are fresh, also beyond the pool that they come from', () => {
    const keys = Array.from({ length: 3000 }, () => randomMaskingKey());
    expect(keys.every(({ length }) => length === 4)).toBe(true);
    // Among 3000 of 2^32 a pair is to be expected once in a thousand runs; three are not.
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBeGreaterThan(2997);
  });

  it('are not changed by the ones that come after them', () => {
    const first = randomMaskingKey();
    const copy = Uint8Array.from(first);
    for (let n = 0; n < 2000; n++) randomMaskingKey();
    expect(first).toEqual(copy);
  });
});

describe('a Close frame', () => {
  it('holds code and reason, or nothing', () => {
    expect(closeFrame()).toEqual({ opcode: 8 });
    expect(closeFrame(1000).payload).toEqual(Buffer.from([0x03, 0xe8]));
    expect(closeFrame(65_535, 'bye').payload).toEqual(Buffer.from([0xff, 0xff, 0x62, 0x79, 0x65]));
    expect(closeFrame(1000, Uint8Array.of(0xff)).payload).toEqual(Buffer.from([0x03, 0xe8, 0xff]));
  });
});
