import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CapturedFrame, FrameReader } from '../../src/cli/frame-reader.js';
import { BINARY, CONTINUATION, TEXT } from '../../src/wire/opcode.js';
import { serializeFrame } from '../support/frames.js';

const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** What a reader reports for these chunks, without the views that would make comparing awkward. */
function read(chunks: Uint8Array[], limit = 1000): { frames: object[]; rest: number[] } {
  const frames: object[] = [];
  const reader = new FrameReader(
    limit,
    ({ header, headerBytes, wirePayload, payload, isComplete }: CapturedFrame) => {
      frames.push({
        opcode: header.opcode,
        length: header.payloadLength,
        headerBytes: [...headerBytes],
        wirePayload: [...wirePayload],
        payload: [...payload],
        isComplete,
      });
    },
  );
  for (const chunk of chunks) reader.push(chunk);
  return { frames, rest: [...reader.end()] };
}

const SAMPLE = Buffer.concat([
  serializeFrame({ opcode: TEXT, payload: 'Hello', maskingKey: KEY }),
  serializeFrame({ opcode: BINARY, payload: '', fin: false }),
  serializeFrame({ opcode: CONTINUATION, payload: 'x'.repeat(126) }),
  serializeFrame({ opcode: BINARY, payload: Buffer.alloc(300, 7), maskingKey: KEY, lengthForm: 64 }),
]);

describe('FrameReader', () => {
  it('reports header, wire bytes and unmasked payload', () => {
    const { frames, rest } = read([Buffer.from('818537fa213d7f9f4d5158', 'hex')]);
    expect(frames).toEqual([
      {
        opcode: TEXT,
        length: 5n,
        headerBytes: [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d],
        wirePayload: [0x7f, 0x9f, 0x4d, 0x51, 0x58],
        payload: [...Buffer.from('Hello')],
        isComplete: true,
      },
    ]);
    expect(rest).toEqual([]);
  });

  it('reports the same for any chunking', () => {
    const whole = read([SAMPLE]);
    expect(whole.frames).toHaveLength(4);
    fc.assert(
      fc.property(fc.array(fc.nat(SAMPLE.length)), (cuts) => {
        const ends = [...cuts.toSorted((a, b) => a - b), SAMPLE.length];
        const chunks = ends.map((end, index) => SAMPLE.subarray(ends[index - 1] ?? 0, end));
        expect(read(chunks)).toEqual(whole);
      }),
    );
    expect(read([...SAMPLE].map((byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  it('keeps what it reports when the caller changes the chunk afterwards', () => {
    const chunk = Buffer.from(serializeFrame({ opcode: TEXT, payload: 'Hello' }));
    let payload: Uint8Array | undefined;
    const reader = new FrameReader(10, (frame) => {
      payload = frame.payload;
    });
    reader.push(chunk);
    chunk.fill(0);
    expect(Buffer.from(payload!).toString()).toBe('Hello');
  });

  it('reports a frame beyond the limit once, as soon as the limit is reached, and goes on behind it', () => {
    const long = serializeFrame({ opcode: BINARY, payload: Buffer.alloc(5000, 1) });
    const frames: CapturedFrame[] = [];
    const reader = new FrameReader(100, (frame) => frames.push(frame));
    reader.push(long.subarray(0, 200));
    expect(frames).toMatchObject([{ isComplete: false, payload: { length: 100 } }]);
    reader.push(long.subarray(200));
    reader.push(serializeFrame({ opcode: TEXT, payload: 'next' }));
    expect(frames).toHaveLength(2);
    expect(frames[1]).toMatchObject({ isComplete: true, header: { opcode: TEXT } });
  });

  it('trusts no declared length: a frame that claims 2^63 bytes costs what was received', () => {
    const { frames } = read([serializeFrame({ opcode: BINARY, payload: 'abc', declaredLength: 2n ** 63n })]);
    expect(frames).toMatchObject([{ length: 2n ** 63n, payload: [97, 98, 99], isComplete: false }]);
  });

  it('reports a frame that was cut off, and returns a header that was', () => {
    expect(read([SAMPLE.subarray(0, 8)])).toMatchObject({
      frames: [{ payload: [...Buffer.from('He')], isComplete: false }],
    });
    expect(read([Buffer.from('8285aabb', 'hex')])).toEqual({ frames: [], rest: [0x82, 0x85, 0xaa, 0xbb] });
  });
});
