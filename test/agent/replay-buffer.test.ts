import { describe, expect, it } from 'vitest';
import type { Data } from '../../src/agent/link.js';
import { ReplayBuffer } from '../../src/agent/replay-buffer.js';

function push(buffer: ReplayBuffer, ...messages: Data[]): void {
  for (const data of messages) buffer.push(data, false);
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `m${from + i}`);

/** Bytes that tell which message they belong to. */
const bytesOf = (number: number, size: number): Uint8Array => new Uint8Array(size).fill(number);

describe('ReplayBuffer', () => {
  it('empty', () => {
    const buffer = new ReplayBuffer();
    expect([buffer.acked, buffer.seq, buffer.bytes, buffer.count]).toEqual([0, 0, 0, 0]);
    expect(buffer.list()).toEqual([]);
    buffer.prune(0);
    buffer.compact();
    expect(buffer.list()).toEqual([]);
  });

  it('numbers begin at 1, and prune forgets up to a number', () => {
    const buffer = new ReplayBuffer();
    push(buffer, 'a', 'é', 'ccc');
    expect([buffer.seq, buffer.count, buffer.bytes]).toEqual([3, 3, 5]);
    buffer.prune(2);
    expect([buffer.acked, buffer.count, buffer.bytes]).toEqual([2, 1, 3]);
    expect(buffer.get(3)).toBe('ccc');
    expect(buffer.list()).toEqual(['ccc']);
    buffer.prune(2);
    buffer.prune(3);
    expect([buffer.acked, buffer.count, buffer.bytes]).toEqual([3, 0, 0]);
  });

  it('grows, also where the ring has wrapped around', () => {
    const buffer = new ReplayBuffer();
    push(buffer, ...numbered(1, 6));
    buffer.prune(5);
    // Eight slots: these go around the end.
    push(buffer, ...numbered(7, 13));
    expect(buffer.list()).toEqual(numbered(6, 13));
    push(buffer, ...numbered(14, 40));
    expect(buffer.list()).toEqual(numbered(6, 40));
    expect(buffer.get(33)).toBe('m33');
  });

  it('many rounds at any fill', () => {
    const buffer = new ReplayBuffer();
    let next = 1;
    for (let round = 1; round <= 200; round++) {
      const added = round % 13;
      push(buffer, ...numbered(next, next + added - 1));
      next += added;
      buffer.prune(Math.max(buffer.acked, buffer.seq - (round % 17)));
      expect(buffer.list()).toEqual(numbered(buffer.acked + 1, next - 1));
      expect(buffer.bytes).toBe(buffer.list().reduce((sum, data) => sum + data.length, 0));
    }
  });

  it.each([0, 1, 4096, 4097, 20_000])(
    '%d bytes that are changed after push -> the old ones are kept',
    (size) => {
      const buffer = new ReplayBuffer();
      const bytes = bytesOf(1, size);
      push(buffer, bytes);
      bytes.fill(2);
      push(buffer, bytes);
      bytes.fill(3);
      expect(buffer.get(1)).toEqual(bytesOf(1, size));
      expect(buffer.get(2)).toEqual(bytesOf(2, size));
    },
  );

  it('bytes that are ours -> not copied', () => {
    const buffer = new ReplayBuffer();
    const bytes = bytesOf(1, 10);
    buffer.push(bytes, true);
    expect((buffer.get(1) as Uint8Array).buffer).toBe(bytes.buffer);
  });

  it('a view of a larger buffer -> only the view', () => {
    const buffer = new ReplayBuffer();
    const whole = Uint8Array.of(0, 1, 2, 3);
    buffer.push(whole.subarray(1, 3), true);
    push(buffer, whole.subarray(2));
    expect(buffer.list()).toEqual([Uint8Array.of(1, 2), Uint8Array.of(2, 3)]);
  });

  it('blocks: small messages, one behind the other, over more than one block', () => {
    const buffer = new ReplayBuffer();
    const all = Array.from({ length: 60 }, (_, i) => bytesOf(i + 1, 1 + i * 50));
    push(buffer, ...all);
    expect(buffer.list()).toEqual(all);
    const blocks = new Set(all.map((_, i) => (buffer.get(i + 1) as Uint8Array).buffer));
    expect(blocks.size).toBeGreaterThan(1);
    expect(blocks.size).toBeLessThan(10);
  });

  it('a block is used anew only when nothing is left in it', () => {
    const buffer = new ReplayBuffer();
    push(buffer, bytesOf(1, 4000), bytesOf(2, 4000));
    buffer.prune(1);
    push(buffer, bytesOf(3, 4000), bytesOf(4, 4000), bytesOf(5, 4000));
    expect(buffer.list()).toEqual([2, 3, 4, 5].map((number) => bytesOf(number, 4000)));
    const before = (buffer.get(5) as Uint8Array).buffer;
    buffer.prune(5);
    push(buffer, bytesOf(6, 4000));
    expect((buffer.get(6) as Uint8Array).buffer).toBe(before);
    expect(buffer.get(6)).toEqual(bytesOf(6, 4000));
  });

  it('text, small, large and own bytes in one ring, over a growth', () => {
    const buffer = new ReplayBuffer();
    const all: Data[] = [];
    for (let i = 1; i <= 30; i++) all.push(i % 3 === 0 ? `text ${i}` : bytesOf(i, i % 3 === 1 ? 10 : 5000));
    push(buffer, ...all);
    expect(buffer.list()).toEqual(all);
  });

  it('compact: same messages and numbers, in buffers of their own size', () => {
    const buffer = new ReplayBuffer();
    push(buffer, ...numbered(1, 20), bytesOf(21, 10), bytesOf(22, 5000), '€');
    buffer.prune(18);
    const { bytes } = buffer;
    const before = buffer.list();
    buffer.compact();
    expect(buffer.list()).toEqual(before);
    expect([buffer.acked, buffer.seq, buffer.bytes]).toEqual([18, 23, bytes]);
    expect((buffer.get(21) as Uint8Array).buffer.byteLength).toBe(10);
    push(buffer, ...numbered(24, 60));
    expect(buffer.list()).toEqual([...before, ...numbered(24, 60)]);
    buffer.prune(60);
    expect(buffer.bytes).toBe(0);
  });
});
