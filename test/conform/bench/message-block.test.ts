import { describe, expect, it } from 'vitest';
import { freshMaskingKey, MessageBlock, maskedFrame } from '../../../src/conform/bench/message-block.js';
import { parseFrameHeader } from '../../../src/wire/frame-header.js';
import { applyMaskBytewise, readMaskingKey } from '../../../src/wire/mask.js';

interface Read {
  first: number;
  key: number;
  payload: Buffer;
}

/** The plain reading of a block, apart from the code that writes it. */
function readFrames(bytes: Uint8Array): Read[] {
  const frames: Read[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = parseFrameHeader(bytes, at)!;
    const start = at + header.headerLength;
    const payload = Buffer.from(bytes.subarray(start, start + Number(header.payloadLength)));
    const key = readMaskingKey(header.maskingKey!, 0);
    applyMaskBytewise(payload, 0, payload.length, key);
    frames.push({ first: bytes[at]!, key, payload });
    at = start + payload.length;
  }
  return frames;
}

const SIZES = [0, 1, 3, 4, 17, 64, 125, 126, 600, 65_535, 65_536];
const payloads = SIZES.map((size) => Buffer.alloc(size, `payload of ${size} `));

describe('MessageBlock', () => {
  it('any sizes -> one masked frame for each payload', () => {
    const frames = readFrames(new MessageBlock(0x82, payloads).bytes);
    expect(frames.map(({ payload }) => payload.length)).toEqual(SIZES);
    expect(frames.every(({ payload }, index) => payload.equals(payloads[index]!))).toBe(true);
    expect(new Set(frames.map(({ first }) => first))).toEqual(new Set([0x82]));
  });

  it('renewed 50 times -> the same payloads, and no masking key twice', () => {
    const block = new MessageBlock(0x82, payloads);
    const keys = new Set<number>();
    for (let round = 0; round < 50; round++) {
      const frames = readFrames(block.bytes);
      expect(frames.every(({ payload }, index) => payload.equals(payloads[index]!))).toBe(true);
      for (const { key } of frames) keys.add(key);
      block.renewKeys();
    }
    // Among 550 random keys of 32 bits, two are equal once in 28,000 runs.
    expect(keys.size).toBeGreaterThanOrEqual(50 * SIZES.length - 1);
  });
});

describe('maskedFrame', () => {
  it('FIN, opcode, length and content -> as given', () => {
    expect(readFrames(maskedFrame(0x89, Buffer.from('ping')))).toMatchObject([
      { first: 0x89, payload: Buffer.from('ping') },
    ]);
  });
});

describe('freshMaskingKey', () => {
  it('40,000 keys, more than are fetched at a time -> hardly any twice', () => {
    const keys = new Set(Array.from({ length: 40_000 }, freshMaskingKey));
    // About 0.2 pairs are expected among so many random numbers of 32 bits.
    expect(keys.size).toBeGreaterThan(39_990);
  });
});
