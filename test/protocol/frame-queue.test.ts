import { describe, expect, it } from 'vitest';
import { FrameQueue, OutputBlock } from '../../src/protocol/frame-queue.js';
import { LIMITS } from '../../src/protocol/limits.js';
import { testPlatform } from '../support/engine.js';
import { FrameCollector, serializeFrame } from '../support/frames.js';

const KEY = 0x3d21fa37;
const KEY_BYTES = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

function queues(count = 1) {
  const { platform, usage } = testPlatform();
  const block = new OutputBlock(platform);
  return { block, usage, all: Array.from({ length: count }, () => new FrameQueue(platform, block)) };
}

function joined(taken: Uint8Array | Uint8Array[] | undefined): Buffer {
  return Buffer.concat(taken === undefined ? [] : Array.isArray(taken) ? taken : [taken]);
}

function payloadOf(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 3 + 1) & 0xff));
}

describe('append', () => {
  for (const isMasked of [false, true]) {
    const mask = isMasked ? { maskingKey: KEY_BYTES } : {};

    it(`${isMasked ? 'masked' : 'unmasked'} payloads of 0-130 bytes at every address mod 8 -> same as frames made one by one`, () => {
      for (let offset = 0; offset < 8; offset++) {
        const { all, block } = queues();
        const queue = all[0]!;
        block.reserve(1);
        block.offset = offset;
        const expected: Buffer[] = [];
        for (let length = 0; length <= 130; length++) {
          queue.append(0x82, payloadOf(length), isMasked, isMasked ? KEY : 0);
          expected.push(serializeFrame({ opcode: 2, payload: payloadOf(length), ...mask }));
        }
        const piece = queue.take();
        expect(Array.isArray(piece)).toBe(false);
        expect(Buffer.compare(joined(piece), Buffer.concat(expected))).toBe(0);
      }
    });

    it(`${isMasked ? 'masked' : 'unmasked'} payloads around the size that is copied, and strings -> same frames`, () => {
      const { all } = queues();
      const queue = all[0]!;
      const expected: Buffer[] = [];
      for (const length of [125, 126, 16_383, 16_384, 16_385, 65535, 65536, 100_000]) {
        for (const payload of [payloadOf(length), 'é'.repeat(length >> 1)]) {
          queue.append(0x81, payload, isMasked, isMasked ? KEY : 0);
          expected.push(serializeFrame({ opcode: 1, payload, ...mask }));
        }
      }
      const total = expected.reduce((sum, frame) => sum + frame.length, 0);
      expect(queue.byteLength).toBe(total);
      expect(Buffer.compare(joined(queue.take()), Buffer.concat(expected))).toBe(0);
      expect(queue.byteLength).toBe(0);
    });
  }

  it('[RFC6455-10.3-2] client, payload of any size -> its bytes are not changed, and changing them changes nothing', () => {
    for (const length of [10, 16_384, 16_385, 70_000]) {
      const { all } = queues();
      const payload = payloadOf(length);
      all[0]!.append(0x82, payload, true, KEY);
      expect(Buffer.compare(payload, payloadOf(length))).toBe(0);
      payload.fill(0);
      const [frame] = new FrameCollector().push(joined(all[0]!.take()));
      expect(Buffer.compare(frame!.payload, payloadOf(length))).toBe(0);
    }
  });

  it('a large payload that is ours is masked in place, without a copy', () => {
    const { all, usage } = queues();
    const payload = payloadOf(50_000);
    all[0]!.append(0x82, payload, true, KEY, true);
    const pieces = all[0]!.take() as Uint8Array[];
    expect(pieces[1]).toBe(payload);
    expect(usage.allocations).toBe(2); // the empty block and the first one
  });

  it('a large unmasked payload leaves from where it is', () => {
    const { all } = queues();
    const payload = payloadOf(50_000);
    all[0]!.append(0x82, payload, false, 0);
    expect((all[0]!.take() as Uint8Array[])[1]).toBe(payload);
  });
});

describe('take', () => {
  it('gives nothing when nothing waits', () => {
    const { all } = queues();
    expect(all[0]!.take()).toBeUndefined();
    all[0]!.append(0x81, 'a', false, 0);
    all[0]!.take();
    expect(all[0]!.take()).toBeUndefined();
  });

  it('small frames leave as one piece, also when they went to two queues in turns', () => {
    const { all } = queues(2);
    for (const text of ['one', 'two', 'three']) for (const queue of all) queue.append(0x81, text, false, 0);
    const expected = ['one', 'two', 'three'].map((payload) => serializeFrame({ opcode: 1, payload }));
    for (const queue of all) expect(joined(queue.take())).toEqual(Buffer.concat(expected));
  });

  it('frames keep their order around large payloads, raw frames and full blocks', () => {
    const { all } = queues();
    const expected: Buffer[] = [];
    for (let i = 0; i < 60; i++) {
      const payload = payloadOf([5, 16_384, 17_000, 126][i % 4]!);
      const frame = serializeFrame({ opcode: 2, payload });
      expected.push(frame);
      if (i % 3 === 0) all[0]!.appendRaw(frame);
      else all[0]!.append(0x82, payload, false, 0);
    }
    expect(Buffer.compare(joined(all[0]!.take()), Buffer.concat(expected))).toBe(0);
  });

  it('what was taken is not overwritten by what comes later', () => {
    const { all } = queues(2);
    all[0]!.append(0x81, 'first', false, 0);
    const taken = joined(all[0]!.take());
    const piece = taken.toString('hex');
    for (let i = 0; i < 50; i++) all[i % 2]!.append(0x82, payloadOf(4000), false, 0);
    expect(taken.toString('hex')).toBe(piece);
  });
});

describe('release', () => {
  it('the space of the last piece is used again', () => {
    const { all, block } = queues();
    const queue = all[0]!;
    for (let i = 0; i < 3; i++) {
      queue.append(0x81, 'abc', false, 0);
      queue.release(queue.take() as Uint8Array);
      expect(block.offset).toBe(0);
    }
  });

  it('space behind which another queue has written stays taken', () => {
    const { all, block } = queues(2);
    const [one, other] = all as [FrameQueue, FrameQueue];
    one.append(0x81, 'abc', false, 0);
    const piece = one.take() as Uint8Array;
    other.append(0x81, 'defg', false, 0);
    one.release(piece);
    expect(block.offset).toBe(11);
    one.append(0x81, 'hi', false, 0);
    expect(joined(other.take())).toEqual(serializeFrame({ opcode: 1, payload: 'defg' }));
    expect(joined(one.take())).toEqual(serializeFrame({ opcode: 1, payload: 'hi' }));
  });

  it('space of an older block is not given back to the new one', () => {
    const { all, block } = queues(2);
    const [one, other] = all as [FrameQueue, FrameQueue];
    one.append(0x81, 'abc', false, 0);
    const piece = one.take() as Uint8Array;
    for (let i = 0; i < 9; i++) other.append(0x82, payloadOf(8000), false, 0);
    const { offset } = block;
    one.release(piece);
    expect(block.offset).toBe(offset);
  });
});

it('blocks are of outputBlockBytes, and a new one is started where a frame does not fit', () => {
  const { all, usage } = queues();
  for (let i = 0; i < 9; i++) all[0]!.append(0x82, payloadOf(8000), false, 0);
  expect(usage).toMatchObject({ allocations: 3, largest: LIMITS.outputBlockBytes });
});
