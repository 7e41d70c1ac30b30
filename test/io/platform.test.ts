import { describe, expect, it, vi } from 'vitest';
import { outputBlock, platform } from '../../src/io/platform.js';

describe('platform', () => {
  it('allocates memory that is shared with nobody', () => {
    for (const length of [0, 1, 63, 64, 65, 100, 5000]) {
      const bytes = platform.allocate(length);
      expect([bytes.length, bytes.buffer.byteLength, bytes.byteOffset]).toEqual([length, length, 0]);
      expect(bytes).toBeInstanceOf(Buffer);
      expect(bytes.buffer).not.toBe(platform.allocate(length).buffer);
    }
  });

  it('copies a range into memory that is shared with nobody', () => {
    for (const length of [0, 1, 63, 64, 65, 5000]) {
      const bytes = Buffer.from(Array.from({ length: length + 7 }, (_, i) => i & 0xff));
      const expected = Buffer.from(bytes.subarray(3, 3 + length));
      const copy = platform.copy(bytes, 3, 3 + length);
      bytes.fill(0xee);
      expect(copy).toBeInstanceOf(Buffer);
      expect(Buffer.compare(copy, expected)).toBe(0);
      expect([copy.buffer.byteLength, copy.byteOffset]).toEqual([length, 0]);
    }
  });

  it('makes a view that is a Buffer on the same memory', () => {
    const bytes = Buffer.from('0123456789').subarray(2);
    const view = platform.view(bytes, 1, 4);
    expect(view).toBeInstanceOf(Buffer);
    expect(view.toString()).toBe('345');
    view[0] = 0x61;
    expect(bytes.toString()).toBe('2a456789');
  });

  it('the first large allocation -> malloc is warmed, once', async () => {
    vi.resetModules();
    const fresh = (await import('../../src/io/platform.js')).platform;
    const allocate = vi.spyOn(Buffer, 'allocUnsafeSlow');
    for (const length of [1000, 100_000, 100_000]) fresh.allocate(length);
    expect(allocate.mock.calls.flat()).toEqual([1000, 24 * 1024 * 1024, 100_000, 100_000]);
    allocate.mockRestore();
  });

  it('checks UTF-8', () => {
    expect(platform.isUtf8(Buffer.from('é'))).toBe(true);
    expect(platform.isUtf8(Uint8Array.of(0xc3))).toBe(false);
  });

  it.each(['', 'a', 'é€😀', '\ud800'])('writes as many bytes as it counts: %j', (text) => {
    const length = platform.textLength(text);
    const bytes = platform.allocate(length + 2);
    bytes.fill(0);
    expect(platform.writeText(bytes, text, 1)).toBe(length);
    expect(Buffer.compare(bytes.subarray(1, 1 + length), Buffer.from(text))).toBe(0);
    expect([bytes[0], bytes[length + 1]]).toEqual([0, 0]);
  });

  it('[RFC6455-5.3-2] [RFC6455-10.3-1] client, draws over several pools -> no key twice beyond chance', () => {
    const keys = Array.from({ length: 10_000 }, () => platform.randomMaskingKey());
    expect(new Set(keys).size).toBeGreaterThan(9_990);
    for (const key of keys) expect(key).toBe(key | 0);
  });
});

it('outputBlock is there for all', () => {
  outputBlock.reserve(100);
  expect(outputBlock.bytes.length - outputBlock.offset).toBeGreaterThanOrEqual(100);
});
