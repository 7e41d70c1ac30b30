import { expect, it } from 'vitest';
import { LIMITS } from '../../src/protocol/limits.js';

it('the default of every limit is pinned: changing one is a decision', () => {
  expect(LIMITS).toEqual({
    maxPayload: 104_857_600,
    maxFragments: 0,
    maxBufferedChunks: 0,
    compressFromBytes: 1024,
    maxPendingAutoPongs: 60,
    closeTimeoutMs: 30_000,
    serverClosesFirstMs: 1_000,
    assemblyBytes: 16_384,
    assemblyLeapFromBytes: 32_768,
    assemblyLeapBytes: 1_048_576,
    fragmentBookkeepingBytes: 64,
    copiedPayloadBytes: 16_384,
    outputBlockBytes: 65_536,
  });
});

it('a frame that is copied fits into a block with the longest header', () => {
  expect(LIMITS.copiedPayloadBytes + 14).toBeLessThanOrEqual(LIMITS.outputBlockBytes);
});
