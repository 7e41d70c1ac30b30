import { describe, expect, it } from 'vitest';
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
