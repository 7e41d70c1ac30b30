import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { serializeFrame } from '../../src/conform/frame.js';
import { FrameReader, type ReceivedFrame } from '../../src/conform/frame-reader.js';
import type { Subject } from '../../src/conform/result.js';

const LENGTHS = [0, 1, 125, 126, 65_535, 65_536, 200_000];
const payloadOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 7) & 0xff);

function read(bytes: Uint8Array, chunkBytes: number, maxPayloadBytes = 1 << 20) {
  const frames: ReceivedFrame[] = [];
  const tooLong: bigint[] = [];
  const reader = new FrameReader(
    maxPayloadBytes,
    (frame) => frames.push(frame),
    (header) => tooLong.push(header.payloadLength),
  );
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    reader.push(Uint8Array.from(bytes.subarray(at, at + chunkBytes)));
  }
  return { frames, tooLong, reader };
}

describe.each(['server', 'client'] as const)('frames to a %s', (subject: Subject) => {
  const frames = LENGTHS.map(
    (length) => serializeFrame({ opcode: 2, payload: payloadOf(length) }, subject).bytes,
  );
  const bytes = Buffer.concat(frames);

  it.each([1, 3, 1000, 65_536, bytes.length])(
    'come out whole when they arrive in pieces of %i bytes',
    (chunk) => {
      const { frames: received, reader } = read(bytes, chunk);
      expect(received.map(({ header }) => Number(header.payloadLength))).toEqual(LENGTHS);
      for (const { payload } of received) expect(Buffer.compare(payload, payloadOf(payload.length))).toBe(0);
      expect(reader.isMidFrame).toBe(false);
    },
  );

  it('are not looked at behind one that announces too much', () => {
    const { frames: received, tooLong } = read(bytes, bytes.length, 126);
    expect(received).toHaveLength(4);
    expect(tooLong).toEqual([65_535n]);
  });

  it('are not looked at once the reader is stopped, be it by what a frame says', () => {
    const received: ReceivedFrame[] = [];
    const reader: FrameReader = new FrameReader(
      1 << 20,
      (frame) => {
        received.push(frame);
        reader.stop();
      },
      () => {},
    );
    reader.push(bytes);
    expect(received).toHaveLength(1);
  });
});

describe('a reader', () => {
  it('finds the same frames however the bytes are cut', () => {
    const frame = fc.record({
      opcode: fc.nat({ max: 15 }),
      payload: fc.uint8Array({ maxLength: 200 }),
      isMasked: fc.boolean(),
      rsv: fc.nat({ max: 7 }),
      isFinal: fc.boolean(),
      lengthForm: fc.constantFrom(16 as const, 64 as const),
    });
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        (specs, places) => {
          const bytes = Buffer.concat(specs.map((spec) => serializeFrame(spec, 'client').bytes));
          const ends = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
          const received: ReceivedFrame[] = [];
          const reader = new FrameReader(
            1000,
            ({ header, payload }) => received.push({ header, payload: Uint8Array.from(payload) }),
            () => {},
          );
          [...ends, bytes.length].forEach((end, at) => {
            reader.push(Uint8Array.from(bytes.subarray(at === 0 ? 0 : ends[at - 1], end)));
          });
          expect(received.map(({ payload }) => payload)).toEqual(specs.map(({ payload }) => payload));
          expect(received.map(({ header }) => [header.opcode, header.isMasked, header.isFinal])).toEqual(
            specs.map(({ opcode, isMasked, isFinal }) => [opcode, isMasked, isFinal]),
          );
          expect(reader.isMidFrame).toBe(false);
        },
      ),
    );
  });

  it('takes space for what has arrived, not for what was announced', () => {
    const taken = vi.spyOn(Buffer, 'allocUnsafeSlow');
    const announcedLength = 60n << 20n;
    const { bytes } = serializeFrame(
      { opcode: 2, payload: new Uint8Array(100_000), announcedLength },
      'client',
    );
    const { reader } = read(bytes, 1000, 64 << 20);
    const sizes = taken.mock.calls.map(([size]) => size);
    taken.mockRestore();
    expect(reader.isMidFrame).toBe(true);
    expect(Math.max(...sizes)).toBeGreaterThan(0);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4 * 100_000);
  });

  it('tells of a length with its top bit set without taking any space for it', () => {
    const { bytes } = serializeFrame({ opcode: 2, payload: 'x', announcedLength: 2n ** 64n - 1n }, 'client');
    const { frames, tooLong, reader } = read(bytes, 1);
    reader.push(bytes);
    expect([frames, tooLong]).toEqual([[], [2n ** 64n - 1n]]);
  });
});
