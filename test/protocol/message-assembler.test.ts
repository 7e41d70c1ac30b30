import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/protocol/limits.js';
import { MessageAssembler } from '../../src/protocol/message-assembler.js';
import { applyMaskBytewise, rotateMaskingKey } from '../../src/wire/mask.js';
import { testPlatform } from '../support/engine.js';

function assembler() {
  const { platform, usage } = testPlatform();
  return { parts: new MessageAssembler(platform.allocate), usage };
}

function bytesOf(length: number, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (from + i) & 0xff);
}

describe('MessageAssembler', () => {
  it('puts ranges one behind the other', () => {
    const { parts } = assembler();
    parts.append(Buffer.from('xxHelxx'), 2, 5, 0, 2);
    parts.append(Buffer.from('lo'), 0, 2, 0, 0);
    expect(parts.length).toBe(5);
    expect(Buffer.from(parts.take()).toString()).toBe('Hello');
    expect(parts.length).toBe(0);
  });

  it.each([1, 3, 100, 5000])('removes the mask of pieces of %i while it copies them', (size) => {
    const { parts } = assembler();
    const whole = bytesOf(20_000);
    const masked = Uint8Array.from(whole);
    applyMaskBytewise(masked, 0, masked.length, 0x3d21fa37);
    for (let start = 0; start < masked.length; start += size) {
      const end = Math.min(masked.length, start + size);
      parts.append(masked, start, end, rotateMaskingKey(0x3d21fa37, start), masked.length - end);
    }
    expect(Buffer.compare(parts.take(), whole)).toBe(0);
  });

  it('an empty message is empty', () => {
    const { parts } = assembler();
    expect(parts.take()).toHaveLength(0);
    parts.append(new Uint8Array(0), 0, 0, 0, 0);
    expect(parts.take()).toHaveLength(0);
  });

  it.each([1, 2, 3, 7, 100, 1000, 20_000])('keeps the content in pieces of %i', (size) => {
    const { parts } = assembler();
    const whole = bytesOf(50_000);
    for (let start = 0; start < whole.length; start += size) {
      const end = Math.min(whole.length, start + size);
      parts.append(whole, start, end, 0, whole.length - end);
    }
    expect(Buffer.compare(parts.take(), whole)).toBe(0);
  });

  it('what was taken is not written to any more', () => {
    const { parts } = assembler();
    parts.append(bytesOf(10), 0, 10, 0, 0);
    const taken = parts.take();
    parts.append(bytesOf(10, 50), 0, 10, 0, 0);
    expect([...taken]).toEqual([...bytesOf(10)]);
  });

  it('clear drops what was gathered', () => {
    const { parts } = assembler();
    parts.append(bytesOf(10), 0, 10, 0, 0);
    parts.clear();
    parts.append(bytesOf(1, 7), 0, 1, 0, 0);
    expect([...parts.take()]).toEqual([7]);
  });

  it('[RFC6455-10.4-1] both roles, a length that is only announced -> allocates assemblyBytes, not the length', () => {
    const { parts, usage } = assembler();
    parts.append(bytesOf(10), 0, 10, 0, 2 ** 40);
    expect(usage.largest).toBe(LIMITS.assemblyBytes);
  });

  it('a small announced length is allocated exactly, in one go', () => {
    const { parts, usage } = assembler();
    parts.append(bytesOf(10), 0, 10, 0, 90);
    parts.append(bytesOf(90), 0, 90, 0, 0);
    expect(parts.take()).toHaveLength(100);
    expect(usage).toMatchObject({ allocations: 1, largest: 100 });
  });

  it('[RFC6455-10.4-1] both roles, a large frame in small reads -> at most sixteen times what has come, or one leap', () => {
    const { parts, usage } = assembler();
    const total = 5_000_000;
    for (let length = 0; length < total; length += 1000) {
      parts.append(bytesOf(1000), 0, 1000, 0, total - length - 1000);
      const come = length + 1000;
      const floor = come < LIMITS.assemblyLeapFromBytes ? LIMITS.assemblyBytes : LIMITS.assemblyLeapBytes;
      expect(usage.largest).toBeLessThanOrEqual(Math.max(floor, 16 * come));
    }
    expect(usage.largest).toBe(total);
    expect(usage.allocations).toBeLessThan(8);
  });

  it('64 MiB in one frame -> all of it is allocated when a sixteenth has come, and no more than that is copied', () => {
    const { parts, usage } = assembler();
    const MiB = 1024 * 1024;
    const read = bytesOf(32 * 1024);
    for (let left = 64 * MiB - read.length; left >= 0; left -= read.length) {
      parts.append(read, 0, read.length, 0, left);
    }
    expect(parts.take()).toHaveLength(64 * MiB);
    expect(usage).toMatchObject({ allocations: 3, bytes: (1 + 4 + 64) * MiB });
  });

  it('[RFC6455-10.4-1] both roles, fragments that arrive in two pieces each -> what is there is not copied for each', () => {
    const { parts, usage } = assembler();
    const half = bytesOf(32_768);
    for (let fragment = 0; fragment < 400; fragment++) {
      parts.append(half, 0, half.length, 0, half.length);
      parts.append(half, 0, half.length, 0, 0);
    }
    expect(parts.length).toBe(400 * 65_536);
    expect(usage.bytes).toBeLessThan(4 * parts.length);
    expect(usage.allocations).toBeLessThan(12);
  });

  it('[RFC6455-10.4-1] both roles, 100,000 fragments of one byte -> at most twice their bytes, in few allocations', () => {
    const { parts, usage } = assembler();
    for (let i = 0; i < 100_000; i++) parts.append(Uint8Array.of(i), 0, 1, 0, 0);
    expect(usage.largest).toBeLessThanOrEqual(200_000);
    expect(usage.allocations).toBeLessThan(40);
    expect(parts.take()).toHaveLength(100_000);
  });

  it('a message much smaller than its buffer is copied out of it', () => {
    const { parts } = assembler();
    parts.append(bytesOf(10), 0, 10, 0, 100_000);
    const taken = parts.take();
    expect([...taken]).toEqual([...bytesOf(10)]);
    expect(taken.buffer.byteLength).toBe(10);
  });
});
