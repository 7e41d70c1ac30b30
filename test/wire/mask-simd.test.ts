import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyMask, applyMaskBytewise } from '../../src/wire/mask.js';
import {
  copyMaskedSimd,
  hasSimd,
  isInVectorBlock,
  unmaskFrames,
  vectorReadBlock,
  vectorWriteBlock,
} from '../../src/wire/mask-simd.js';
import { compiledSources } from '../support/compiled.js';
import { type FrameFields, serializeFrame } from '../support/frames.js';

hasSimd();
const block = vectorReadBlock();

/** Puts bytes into the block, with other bytes on both sides. */
function inBlock(bytes: Uint8Array, at: number): Uint8Array {
  block.fill(0x5a, 0, Math.min(block.length, at + bytes.length + 200));
  block.set(bytes, at);
  return block.subarray(at, at + bytes.length);
}

/** What `inBlock` left and what there is now, with the surroundings, in which nothing may change. */
function expectInBlock(expected: Uint8Array, at: number, message?: string): void {
  const end = Math.min(block.length, at + expected.length + 200);
  const all = Buffer.alloc(end, 0x5a);
  all.set(expected, at);
  if (Buffer.compare(block.subarray(0, end), all) !== 0) {
    // Only now, because this comparison takes its time.
    expect(Buffer.from(block.subarray(0, end)).toString('hex'), message).toBe(all.toString('hex'));
  }
}

/** The definition: masked frames that are there whole, up to the first that is none, lose their mask and their key. */
function unmaskPlainly(bytes: Uint8Array, start: number): void {
  for (let at = start; bytes.length - at >= 8; ) {
    const length7 = bytes[at + 1]! - 0x80;
    if (length7 < 0 || length7 === 127) return;
    const keyAt = at + (length7 === 126 ? 4 : 2);
    const length = length7 === 126 ? bytes[at + 2]! * 256 + bytes[at + 3]! : length7;
    const end = keyAt + 4 + length;
    if (end > bytes.length) return;
    for (let i = keyAt + 4; i < end; i++) bytes[i]! ^= bytes[keyAt + ((i - keyAt) % 4)]!;
    bytes.fill(0, keyAt, keyAt + 4);
    at = end;
  }
}

function checkUnmasking(bytes: Uint8Array, at: number, start: number): void {
  const expected = Uint8Array.from(bytes);
  unmaskPlainly(expected, start);
  unmaskFrames(inBlock(bytes, at), start);
  expectInBlock(expected, at);
}

const KEY = Uint8Array.of(0x37, 0xfa, 0x21, 0xbd);
const masked = (length: number, fields: Partial<FrameFields> = {}): Buffer =>
  serializeFrame({
    ...{ opcode: 2, maskingKey: KEY, payload: Buffer.from(Array.from({ length }, (_, i) => (i * 7) & 0xff)) },
    ...fields,
  });

describe('masking with vectors', () => {
  it('is to be had on this Node', () => {
    expect(hasSimd()).toBe(true);
  });

  it('[RFC6455-5.3-5] both roles, any bytes, range and key -> same as octet by octet, in place and copied', () => {
    hasSimd();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 70_000, size: 'max' }),
        fc.nat(16),
        fc.nat(16),
        fc.integer(),
        (bytes, before, behind, key) => {
          const start = Math.min(before, bytes.length);
          const end = Math.max(start, bytes.length - behind);
          const expected = Uint8Array.from(bytes);
          applyMaskBytewise(expected, start, end, key);
          const target = new Uint8Array(bytes.length + 5);
          copyMaskedSimd(bytes, start, end, target, 5, key);
          expect(Buffer.compare(target.subarray(5, 5 + end - start), expected.subarray(start, end))).toBe(0);
          copyMaskedSimd(bytes, start, end, bytes, start, key);
          expect(Buffer.compare(bytes, expected)).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('[RFC6455-5.3-5] both roles, every start, length 0-70 and key in the block -> same as octet by octet, nothing else', () => {
    for (const key of [0x3d21fa37, -1, 1, -0x80000000]) {
      for (let start = 0; start <= 70; start++) {
        for (let length = 0; length <= 70; length++) {
          const bytes = Uint8Array.from({ length: start + length }, (_, i) => i * 3);
          const expected = Uint8Array.from(bytes);
          applyMaskBytewise(expected, start, start + length, key);
          const here = inBlock(bytes, 100);
          copyMaskedSimd(here, start, start + length, here, start, key);
          expectInBlock(expected, 100);
        }
      }
    }
  });

  it('[RFC6455-5.3-5] both roles, a source in the block, up to its last byte -> masked on the way out', () => {
    for (const length of [0, 1, 15, 16, 17, 63, 64, 65, 512, 70_000, block.length]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i ^ (i >> 8));
      const expected = Uint8Array.from(bytes);
      applyMaskBytewise(expected, 0, length, 0x3d21fa37);
      const at = block.length - length;
      const target = new Uint8Array(length + 3);
      copyMaskedSimd(inBlock(bytes, at), 0, length, target, 2, 0x3d21fa37);
      expect(Buffer.compare(target.subarray(2, 2 + length), expected)).toBe(0);
      expect([target[0], target[1], target[length + 2]]).toEqual([0, 0, 0]);
    }
  });

  it('no WebAssembly -> the plain way, with the same result', () => {
    const program = `
      const mask = require(${JSON.stringify(join(compiledSources(), 'wire', 'mask.js'))});
      const simd = require(${JSON.stringify(join(compiledSources(), 'wire', 'mask-simd.js'))});
      const bytes = Buffer.alloc(5000, 7);
      const expected = Buffer.from(bytes);
      mask.applyMask(bytes, 1, 4999, 0x3d21fa37);
      mask.applyMaskBytewise(expected, 1, 4999, 0x3d21fa37);
      console.log(simd.hasSimd(), bytes.equals(expected));`;
    const { stdout } = spawnSync(process.execPath, ['--jitless', '-e', program], { encoding: 'utf8' });
    expect(stdout.trim()).toBe('false true');
  });
});

describe('unmaskFrames', () => {
  it('[RFC6455-6.2-7] server, one frame of 0-130 bytes at offsets 0-15, with another behind -> unmasked, its key 0', () => {
    for (let at = 0; at < 16; at++) {
      for (let length = 0; length <= 130; length++) {
        checkUnmasking(masked(length), at, 0);
        checkUnmasking(Buffer.concat([masked(length), masked(3)]), at, 0);
      }
    }
    const bytes = inBlock(masked(2), 0);
    unmaskFrames(bytes, 0);
    expect([...bytes]).toEqual([0x82, 0x82, 0, 0, 0, 0, 0, 7]);
  });

  it.each([125, 126, 127, 65_535, 65_536])(
    'server, %d bytes between small frames -> as by the plain way',
    (length) => {
      const bytes = Buffer.concat([masked(9), masked(length), masked(11)]);
      checkUnmasking(bytes, 5, 0);
      for (const missing of [1, 17, 18]) checkUnmasking(bytes.subarray(0, bytes.length - missing), 5, 0);
    },
  );

  it('server, frames cut at every place -> whole ones are unmasked, of the last no byte is touched', () => {
    const frames = [0, 1, 2, 20, 125, 126, 130].map((length) => masked(length));
    const bytes = Buffer.concat(frames);
    for (let cut = 0; cut <= bytes.length; cut++) {
      checkUnmasking(bytes.subarray(0, cut), 3, 0);
      checkUnmasking(bytes.subarray(cut), 3, 0);
      checkUnmasking(bytes, 3, cut);
    }
    // A frame alone, so that nothing else could hide a byte that was changed.
    for (const frame of frames) {
      for (let cut = 0; cut < frame.length; cut++) {
        unmaskFrames(inBlock(frame.subarray(0, cut), 9), 0);
        expectInBlock(frame.subarray(0, cut), 9, `${cut} of ${frame.length} bytes`);
      }
    }
  });

  it('server, the last frame has less than 8 bytes -> left to those who parse', () => {
    for (const length of [0, 1]) {
      unmaskFrames(inBlock(Buffer.concat([masked(5), masked(length)]), 0), 0);
      const expected = masked(5);
      unmaskPlainly(expected, 0);
      expectInBlock(Buffer.concat([expected, masked(length)]), 0);
    }
  });

  it('client, frames that are not masked, or one among others -> nothing from there on is changed', () => {
    const plain = serializeFrame({ opcode: 2, payload: 'not masked' });
    checkUnmasking(Buffer.concat([plain, masked(20)]), 0, 0);
    checkUnmasking(Buffer.concat([masked(20), plain, masked(20)]), 0, 0);
    unmaskFrames(inBlock(Buffer.concat([plain, masked(20)]), 0), 0);
    expectInBlock(Buffer.concat([plain, masked(20)]), 0);
  });

  it('server, asked once more -> the payloads stay as they are', () => {
    const bytes = Buffer.concat([masked(20), masked(300), masked(7)]);
    const once = Uint8Array.from(bytes);
    unmaskPlainly(once, 0);
    const here = inBlock(bytes, 1);
    unmaskFrames(here, 0);
    unmaskFrames(here, 0);
    expectInBlock(once, 1);
  });

  it('server, frames up to the last byte of the block -> as by the plain way', () => {
    for (const length of [0, 1, 2, 3, 60, 125, 126, 1000, 65_535]) {
      const bytes = Buffer.concat([masked(length), masked(0), masked(2)]);
      for (let missing = 0; missing < 12; missing++) {
        const cut = bytes.subarray(0, bytes.length - missing);
        checkUnmasking(cut, block.length - cut.length, 0);
      }
    }
  });

  it('any bytes, any range -> as by the plain way, and nothing outside of the range', () => {
    const frame = fc
      .tuple(
        fc.record(
          {
            opcode: fc.nat({ max: 15 }),
            payload: fc.uint8Array({ maxLength: 200 }),
            maskingKey: fc.uint8Array({ minLength: 4, maxLength: 4 }),
            lengthForm: fc.constantFrom(16 as const, 64 as const),
          },
          { requiredKeys: ['opcode', 'payload'] },
        ),
      )
      .map(([fields]) => serializeFrame(fields));
    const piece = fc.oneof(
      { weight: 3, arbitrary: frame },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }) },
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.nat(70),
        fc.nat(20),
        fc.nat(20),
        (pieces, at, start, missing) => {
          const bytes = Buffer.concat(pieces);
          const cut = bytes.subarray(0, Math.max(0, bytes.length - missing));
          checkUnmasking(cut, at, Math.min(start, cut.length));
          checkUnmasking(cut, at, 0);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('bytes that do not lie in the block -> nothing happens', () => {
    // At the same distance from the start of their memory as the block from the start of its own.
    const bytes = new Uint8Array(
      new ArrayBuffer(block.byteOffset + 100),
      block.byteOffset,
      masked(50).length,
    );
    bytes.set(masked(50));
    inBlock(masked(50), 0);
    unmaskFrames(bytes, 0);
    expect(Buffer.compare(bytes, masked(50))).toBe(0);
    expectInBlock(masked(50), 0);
  });
});

it('the block for reads has 256 KiB and is not where bytes are brought in and out', () => {
  expect(block.length).toBe(256 * 1024);
  block.fill(0x5a);
  const bytes = new Uint8Array(60_000);
  copyMaskedSimd(bytes, 0, bytes.length, bytes, 0, 0x3d21fa37);
  expect(block.every((byte) => byte === 0x5a)).toBe(true);
});

describe('the block for writes', () => {
  it('has 64 KiB, none of them of the block for reads', () => {
    const write = vectorWriteBlock();
    expect([write.length, write.buffer === block.buffer]).toEqual([64 * 1024, true]);
    block.fill(0x5a);
    write.fill(0xa5);
    expect(block.every((byte) => byte === 0x5a)).toBe(true);
    const bytes = new Uint8Array(60_000);
    copyMaskedSimd(bytes, 0, bytes.length, bytes, 0, 0x3d21fa37);
    expect(write.every((byte) => byte === 0xa5)).toBe(true);
    expect([isInVectorBlock(write), isInVectorBlock(block), isInVectorBlock(bytes)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('[RFC6455-5.3-5] client, masks any range in it -> same as octet by octet, nothing else is touched', () => {
    const write = vectorWriteBlock();
    const ranges = [0, 1, 3, 4, 63].flatMap((start) =>
      Array.from({ length: 140 }, (_, length) => [start, start + length] as const),
    );
    for (const [start, end] of [...ranges, [7, 5000] as const, [0, write.length] as const]) {
      const expected = Uint8Array.from(write, (_, i) => i * 3);
      write.set(expected);
      applyMask(write, start, end, 0x3d21fa37);
      applyMaskBytewise(expected, start, end, 0x3d21fa37);
      expect(Buffer.compare(write, expected), `${start} to ${end}`).toBe(0);
    }
  });
});
