import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyMaskBytewise } from '../../src/wire/mask.js';
import { copyMaskedSimd, hasSimd } from '../../src/wire/mask-simd.js';
import { compiledSources } from '../support/compiled.js';

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
