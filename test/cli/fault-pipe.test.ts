// A pipe between streams of this test, which see each write and can refuse it.
import type { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { FaultPipe, type Faults, QUEUE_BYTES, type Rules } from '../../src/cli/fault-pipe.js';
import { turn, until } from '../support/tcp.js';

function connect(
  faults: Partial<Faults>,
  takesWrites = true,
): { source: Readable; writes: Buffer[]; pipe: FaultPipe } {
  const rules: Rules = {
    faults: {
      latencyMs: 0,
      jitterMs: 0,
      bytesPerSecond: Number.POSITIVE_INFINITY,
      chunkBytes: Number.POSITIVE_INFINITY,
      direction: 'both',
      ...faults,
    },
    held: new Set(),
    cutOrder: undefined,
    random: () => 0,
  };
  const source = new Readable({ read: () => {} });
  const writes: Buffer[] = [];
  const sink = new Writable({
    write: (bytes: Buffer, _encoding, callback) => {
      writes.push(bytes);
      if (takesWrites) callback();
    },
  });
  const pipe = new FaultPipe({
    source: source as Socket,
    sink: sink as Socket,
    direction: 'in',
    rules,
    onCutDue: () => {},
  });
  return { source, writes, pipe };
}

describe('FaultPipe', () => {
  it('chunkBytes -> writes of at most so many bytes, and the same bytes', async () => {
    const { source, writes } = connect({ chunkBytes: 3 });
    source.push(Buffer.from('12345678'));
    source.push(Buffer.from('9'));
    await until(() => Buffer.concat(writes).length === 9);
    expect(writes.map(String)).toEqual(['123', '456', '78', '9']);
  });

  it('the other direction -> whole writes', async () => {
    const { source, writes } = connect({ chunkBytes: 3, direction: 'out' });
    source.push(Buffer.from('12345678'));
    await until(() => writes.length > 0);
    expect(writes.map(String)).toEqual(['12345678']);
  });

  it('bytesPerSecond -> no write is longer than what 20 ms have room for', async () => {
    const { source, writes } = connect({ bytesPerSecond: 100_000 });
    source.push(Buffer.alloc(5000));
    await until(() => writes.length > 0);
    expect(writes[0]!.length).toBe(2000);
  });

  it('a sink that takes no write -> the source is paused when the queue is full', async () => {
    const { source, writes, pipe } = connect({}, false);
    const piece = Buffer.alloc(64 * 1024);
    for (let index = 0; index < 64 && !source.isPaused(); index++) {
      source.push(piece);
      await turn();
    }
    expect(source.isPaused()).toBe(true);
    expect(writes.length).toBe(1);
    expect(pipe.queuedBytes).toBeGreaterThanOrEqual(QUEUE_BYTES);
    expect(pipe.queuedBytes).toBeLessThan(QUEUE_BYTES + 2 * piece.length);
  });

  it('many small pieces -> are bounded by what each of them costs', async () => {
    const { source } = connect({}, false);
    let count = 0;
    while (!source.isPaused() && count < 10_000) {
      source.push(Buffer.of(0));
      count++;
      await turn();
    }
    expect(count).toBeLessThan(5000);
  });
});
