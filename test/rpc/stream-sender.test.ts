import { describe, expect, it } from 'vitest';
import type { Carrier } from '../../src/rpc/carrier.js';
import { type ErrorObject, RPC, RpcError } from '../../src/rpc/errors.js';
import { Outbox } from '../../src/rpc/outbox.js';
import { StreamSender } from '../../src/rpc/stream-sender.js';
import { turn } from '../support/events.js';
import { range, TestSource, yielding } from '../support/rpc-stage.js';

interface StageOptions {
  hasRoom?: boolean;
  maxBytes?: number;
  describe?: (error: unknown) => ErrorObject;
}

const asRpcError = (error: unknown): ErrorObject => {
  const { code = RPC.INTERNAL_ERROR, message, data } = error as RpcError;
  return { code, message, data };
};

/** Stream 3 of these items, and what is sent of it. */
function setUp(items: AsyncIterable<unknown>, options: StageOptions = {}) {
  const { hasRoom = true, maxBytes = 2 ** 20, describe = asRpcError } = options;
  const sent: string[] = [];
  const stage = { hasRoom };
  const carrier: Carrier = {
    get hasRoom() {
      return stage.hasRoom;
    },
    hasRoomFor: () => stage.hasRoom,
    maxBytes,
    send: (text) => sent.push(text),
    fail() {},
    release() {},
  };
  const outbox = new Outbox(carrier);
  const overs: boolean[] = [];
  const sender = new StreamSender({
    number: 3,
    items,
    outbox,
    maxBytes,
    describe,
    onOver: (wasStopped) => overs.push(wasStopped),
  });
  sender.start();
  /** What was sent by now, as [method, items or error]. */
  const taken = async () => {
    await turn();
    return sent.splice(0).map((text) => {
      const { jsonrpc, method, params } = JSON.parse(text);
      expect([jsonrpc, params.s]).toEqual(['2.0', 3]);
      return method === '$/next' ? params.items : [method, params.error];
    });
  };
  return { sender, outbox, overs, sent, stage, taken };
}

const ENDED = ['$/end', undefined];

/** Counts up, and how far it has come. */
function counter(limit = Number.POSITIVE_INFINITY, item: (n: number) => unknown = (n) => n) {
  const log = { yielded: 0, isLeft: false };
  async function* count() {
    try {
      for (; log.yielded < limit; ) yield item(log.yielded++);
    } finally {
      log.isLeft = true;
    }
  }
  return { log, items: count() };
}

describe('items', () => {
  it('none -> the end alone', async () => {
    const { taken, overs } = setUp(yielding([]));
    expect(await taken()).toEqual([ENDED]);
    expect(overs).toEqual([false]);
  });

  it('those that come one right after the other share a message', async () => {
    const { taken } = setUp(yielding(['a', null, undefined, { b: [1] }]));
    expect(await taken()).toEqual([['a', null, null, { b: [1] }], ENDED]);
  });

  it('those that come later come in a message of their own', async () => {
    const source = new TestSource();
    const { taken, overs } = setUp(source);
    source.give(1);
    expect(await taken()).toEqual([[1]]);
    source.give(2, 3);
    expect(await taken()).toEqual([[2, 3]]);
    source.end();
    expect(overs).toEqual([]);
    expect(await taken()).toEqual([ENDED]);
    expect(overs).toEqual([false]);
  });

  it('a message has at most 64 items, and 65,536 code units of them', async () => {
    const { sender, taken } = setUp(counter(100).items);
    sender.grant(1000, 2 ** 30);
    const messages = await taken();
    expect(messages.slice(0, -1).flat()).toEqual(range(100));
    expect(messages.map((items) => items.length)).toEqual([64, 36, 2]);
    const long = setUp(yielding(['x'.repeat(40_000), 'x'.repeat(20_000), 'x'.repeat(10_000)]));
    const lengths = (await long.taken()).map((items) => items.length);
    expect(lengths).toEqual([2, 1, 2]);
  });

  it('a ReadableStream is a producer', async () => {
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(1);
        controller.enqueue(2);
        controller.close();
      },
    });
    const { taken } = setUp(stream);
    expect((await taken()).flat()).toEqual([1, 2, '$/end', undefined]);
  });

  it('a stream is an item like any other', async () => {
    const { taken } = setUp(yielding([{ stream: 1 }]));
    expect(await taken()).toEqual([[{ stream: 1 }], ENDED]);
  });
});

describe('credit', () => {
  it('64 items -> the producer waits in its yield', async () => {
    const { items, log } = counter();
    const { sender, taken } = setUp(items);
    expect((await taken()).flat()).toEqual(range(64));
    expect(log.yielded).toBe(64);
    expect(await taken()).toEqual([]);
    sender.grant(3, 1000);
    expect(await taken()).toEqual([[64, 65, 66]]);
    expect(log.yielded).toBe(67);
    sender.stop();
    await turn();
  });

  it('a message costs as many bytes as its text is long', async () => {
    const { items } = counter(Number.POSITIVE_INFINITY, () => 'x'.repeat(50_000));
    const { sender, sent } = setUp(items);
    await turn();
    // 262,144 are above 0 after 5 messages of 50,065, and not after 6.
    expect(sent.map(({ length }) => length)).toEqual(Array(6).fill(50_065));
    const overdrawn = 6 * 50_065 - 262_144;
    sender.grant(0, overdrawn);
    await turn();
    expect(sent).toHaveLength(6);
    sender.grant(0, 1);
    await turn();
    expect(sent).toHaveLength(7);
    sender.stop();
    await turn();
  });

  it('what was taken from the producer waits when the messages before it have used the credit up', async () => {
    const { items, log } = counter(Number.POSITIVE_INFINITY, () => 'x'.repeat(43_688));
    const { sender, sent } = setUp(items);
    await turn();
    // Six items alone are shorter than 262,144, and their messages longer.
    expect([log.yielded, sent.length]).toEqual([7, 6]);
    sender.grant(0, 1000);
    await turn();
    expect(sent).toHaveLength(7);
    sender.stop();
    await turn();
  });

  it('the producer is asked only when there is credit, and its end costs none', async () => {
    const { sender, taken } = setUp(counter(64).items);
    expect(await taken()).toEqual([range(64)]);
    sender.grant(1, 0);
    expect(await taken()).toEqual([ENDED]);
  });

  it('no room -> no more than a window is taken from the producer, however much was granted', async () => {
    const { items, log } = counter();
    const { sender, stage, outbox, taken } = setUp(items, { hasRoom: false });
    sender.grant(2 ** 53 - 1, 2 ** 53 - 1);
    expect(await taken()).toEqual([]);
    expect(log.yielded).toBe(64);
    stage.hasRoom = true;
    outbox.flush();
    stage.hasRoom = false;
    expect((await taken())[0]).toHaveLength(64);
    sender.stop();
    await turn();
  });

  it('no room -> no more than 262,144 code units are taken from the producer', async () => {
    const { items, log } = counter(Number.POSITIVE_INFINITY, () => 'x'.repeat(99_998));
    const { sender } = setUp(items, { hasRoom: false });
    sender.grant(1000, 2 ** 40);
    await turn();
    expect(log.yielded).toBe(3);
    sender.stop();
    await turn();
  });
});

describe('stop', () => {
  it('a producer that waits for credit -> its finally runs, nothing more is sent', async () => {
    const { items, log } = counter();
    const { sender, outbox, overs, taken } = setUp(items);
    await taken();
    sender.stop();
    sender.stop();
    expect(overs).toEqual([true]);
    sender.grant(64, 2 ** 20);
    expect(await taken()).toEqual([]);
    expect(log).toEqual({ yielded: 64, isLeft: true });
    expect(outbox.isEmpty).toBe(true);
  });

  it('a producer that waits for something else -> told, and what it still gives is dropped', async () => {
    const source = new TestSource();
    const { sender, taken } = setUp(source);
    await turn();
    sender.stop();
    expect(source).toMatchObject({ asked: 1, returned: 1 });
    source.give(1);
    expect(await taken()).toEqual([]);
    expect(source.asked).toBe(1);
  });

  it('one that fails afterwards -> nobody hears of it', async () => {
    const source = new TestSource();
    const described: unknown[] = [];
    const { sender, taken, overs } = setUp(source, {
      describe: (error) => {
        described.push(error);
        return asRpcError(error);
      },
    });
    await turn();
    sender.stop();
    source.fail(new Error('late'));
    expect(await taken()).toEqual([]);
    expect([described, overs]).toEqual([[], [true]]);
  });

  it('items that have not left are not sent', async () => {
    const { sender, stage, outbox, taken } = setUp(yielding([1, 2]), { hasRoom: false });
    await turn();
    sender.stop();
    stage.hasRoom = true;
    outbox.flush();
    expect(await taken()).toEqual([]);
  });

  it('after the end -> nothing', async () => {
    const { sender, overs, taken } = setUp(yielding([]));
    await taken();
    sender.stop();
    expect(overs).toEqual([false]);
  });

  it.each<[string, Partial<AsyncIterator<unknown>>]>([
    ['has no return', {}],
    [
      'throws in its return',
      {
        return() {
          throw new Error('return');
        },
      },
    ],
    ['rejects in its return', { return: () => Promise.reject(new Error('return')) }],
    ['returns what is no promise', { return: () => undefined as never }],
  ])('an iterator that %s -> over all the same', async (_, rest) => {
    let asked = 0;
    const iterator = {
      next: () => Promise.resolve({ done: false, value: ++asked }),
      ...rest,
    } as AsyncIterator<unknown>;
    const { sender, overs, taken } = setUp({ [Symbol.asyncIterator]: () => iterator });
    expect((await taken()).flat()).toHaveLength(64);
    sender.stop();
    expect(await taken()).toEqual([]);
    expect(overs).toEqual([true]);
    expect(asked).toBe(64);
  });

  it('a ReadableStream is cancelled', async () => {
    const cancelled: unknown[] = [];
    const stream = new ReadableStream({
      pull: (controller) => controller.enqueue(1),
      cancel: (reason) => void cancelled.push(reason),
    });
    const { sender, taken } = setUp(stream);
    await taken();
    sender.stop();
    await turn();
    expect(cancelled).toHaveLength(1);
  });
});

describe('a producer that fails', () => {
  it('the error follows the items before it', async () => {
    async function* failing() {
      yield 1;
      yield 2;
      throw new RpcError(5, 'failed', { data: { a: 1 } });
    }
    const { taken, overs } = setUp(failing());
    expect(await taken()).toEqual([
      [1, 2],
      ['$/end', { code: 5, message: 'failed', data: { a: 1 } }],
    ]);
    expect(overs).toEqual([false]);
  });

  it.each<[string, AsyncIterable<unknown>]>([
    [
      'when it begins',
      {
        [Symbol.asyncIterator]: () => {
          throw new Error('sync');
        },
      },
    ],
    [
      'when it is asked',
      {
        [Symbol.asyncIterator]: () => ({
          next: () => {
            throw new Error('sync');
          },
        }),
      },
    ],
  ])('at once, %s -> as if it had rejected', async (_, items) => {
    const { taken, overs } = setUp(items);
    expect(await taken()).toEqual([['$/end', { code: RPC.INTERNAL_ERROR, message: 'sync' }]]);
    expect(overs).toEqual([false]);
  });

  it('an item that JSON does not hold -> the end, and its finally runs', async () => {
    const { items, log } = counter(9, (n) => (n === 2 ? 5n : n));
    const { taken } = setUp(items);
    const [first, end] = await taken();
    expect(first).toEqual([0, 1]);
    expect(end).toEqual(['$/end', { code: RPC.INTERNAL_ERROR, message: expect.stringContaining('BigInt') }]);
    expect(log).toEqual({ yielded: 3, isLeft: true });
  });

  it('an item that is too long -> the end, and its finally runs', async () => {
    const { items, log } = counter(9, (n) => 'x'.repeat(n * 400));
    const { taken } = setUp(items, { maxBytes: 1000 });
    const messages = await taken();
    expect(messages.at(-1)).toEqual([
      '$/end',
      { code: RPC.TOO_LARGE, message: expect.stringContaining('1202') },
    ]);
    expect(messages.slice(0, -1).flat()).toEqual(['', 'x'.repeat(400), 'x'.repeat(800)]);
    expect(log.isLeft).toBe(true);
  });

  it('no message is longer than it may be', async () => {
    const { sent } = setUp(counter(50, (n) => 'x'.repeat(n)).items, { maxBytes: 400 });
    await turn();
    expect(Math.max(...sent.map(({ length }) => length))).toBeLessThanOrEqual(400);
    expect(sent.flatMap((text) => JSON.parse(text).params.items ?? [])).toHaveLength(50);
  });

  it.each<[string, unknown]>([
    ['that JSON does not hold', 5n],
    ['that is too long', 'x'.repeat(1000)],
  ])('an error with data %s -> without them', async (_, data) => {
    async function* failing() {
      yield 1;
      throw new RpcError(5, 'failed', { data });
    }
    const { taken, overs } = setUp(failing(), { maxBytes: 1000 });
    expect(await taken()).toEqual([[1], ['$/end', { code: 5, message: 'failed' }]]);
    expect(overs).toEqual([false]);
  });
});
