// The queue by itself; what a session makes of it is in session-queue.test.ts.
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  type DroppedMessage,
  type QueueOptions,
  type SendOptions,
  SendQueue,
} from '../../src/agent/send-queue.js';

const NOTHING_SENT = { count: 0, bytes: 0 };

/** A queue to which text is added, with what is dropped as `reason:text`. */
function setUp(options: QueueOptions = {}, onDrop: (dropped: DroppedMessage) => void = () => {}) {
  const drops: string[] = [];
  const queue = new SendQueue(options, (dropped) => {
    drops.push(`${dropped.reason}:${dropped.data}`);
    onDrop(dropped);
  });
  const add = (text: string, options: SendOptions = {}, sent = NOTHING_SENT, nowMs = 0) =>
    queue.add(text, options, sent, nowMs);
  return { queue, drops, add, waiting: () => waitingIn(queue) };
}

/** Takes everything out, as a session sends it. */
function waitingIn(queue: SendQueue): unknown[] {
  const all: unknown[] = [];
  for (let message = queue.peek(); message !== undefined; message = queue.peek()) {
    all.push(message.data);
    queue.shift();
  }
  return all;
}

/** What has become of a promise by now. */
async function fate(promise: unknown): Promise<unknown> {
  const pending = Symbol('pending');
  const outcome = await Promise.race([promise, Promise.resolve(pending)]).catch(
    (error: { code: string }) => error.code,
  );
  return outcome === pending ? 'pending' : outcome;
}

describe('options', () => {
  it.each([
    { maxMessages: 0 },
    { maxMessages: 1.5 },
    { maxMessages: Number.POSITIVE_INFINITY },
    { maxBytes: -1 },
    { maxBytes: Number.NaN },
    { ttlMs: 0 },
    { ttlMs: Number.NaN },
  ])('%j -> RangeError', (options) => {
    expect(() => setUp(options)).toThrow(RangeError);
  });

  it('another policy -> TypeError', () => {
    expect(() => setUp({ policy: 'other' as never })).toThrow('queue.policy');
  });
});

describe('bounds', () => {
  it('messages, together with those that were sent', () => {
    const { add } = setUp({ maxMessages: 3, policy: 'error' });
    expect(add('a', {}, { count: 2, bytes: 0 })).toBe('accepted');
    expect(() => add('b', {}, { count: 2, bytes: 0 })).toThrow(
      expect.objectContaining({ code: 'queue-full' }),
    );
    expect(add('b', {}, { count: 1, bytes: 0 })).toBe('accepted');
  });

  it('bytes, together with those that were sent; as many as the bound are allowed', () => {
    const { queue, add } = setUp({ maxBytes: 10, policy: 'error' });
    expect(add('€€', {}, { count: 1, bytes: 4 })).toBe('accepted');
    expect(queue.bytes).toBe(6);
    expect(() => add('a', {}, { count: 1, bytes: 4 })).toThrow('2 messages and 10 bytes');
    expect(add('a', {}, { count: 1, bytes: 3 })).toBe('accepted');
    expect(queue.bytes).toBe(7);
  });

  it('what leaves gives room, in order, also over thousands', () => {
    const { queue, add } = setUp({ maxMessages: 5000, policy: 'error' });
    for (let i = 0; i < 5000; i++) add(`${i}`);
    expect(queue.count).toBe(5000);
    for (let i = 0; i < 3000; i++) {
      expect(queue.peek()!.data).toBe(`${i}`);
      queue.shift();
    }
    expect(queue.last!.data).toBe('4999');
    expect(add('next')).toBe('accepted');
    expect(queue.count).toBe(2001);
    expect(waitingIn(queue)).toHaveLength(2001);
    expect([queue.bytes, queue.count, queue.isEmpty, queue.last]).toEqual([0, 0, true, undefined]);
  });
});

describe('block', () => {
  it('waits for room, in order, and goes on as soon as there is some', async () => {
    const { queue, add, waiting } = setUp({ maxMessages: 2 });
    add('a');
    add('b');
    const [c, d] = [add('c'), add('d')];
    expect([queue.count, queue.waiting, queue.isEmpty]).toEqual([2, 2, false]);
    expect([await fate(c), await fate(d)]).toEqual(['pending', 'pending']);
    queue.shift();
    queue.admit(NOTHING_SENT);
    expect([await fate(c), await fate(d)]).toEqual(['accepted', 'pending']);
    queue.shift();
    // The two that left are not acknowledged.
    queue.admit({ count: 2, bytes: 2 });
    expect(await fate(d)).toBe('pending');
    queue.admit(NOTHING_SENT);
    expect(await fate(d)).toBe('accepted');
    expect(waiting()).toEqual(['c', 'd']);
  });

  it('a small one does not overtake a large one that waits', async () => {
    const { queue, add, waiting } = setUp({ maxBytes: 10 });
    add('1234567');
    const large = add('12345');
    const small = add('1');
    expect([await fate(large), await fate(small)]).toEqual(['pending', 'pending']);
    queue.admit(NOTHING_SENT);
    expect(queue.waiting).toBe(2);
    queue.shift();
    queue.admit(NOTHING_SENT);
    expect([await fate(large), await fate(small)]).toEqual(['accepted', 'accepted']);
    expect(waiting()).toEqual(['12345', '1']);
  });

  it('aborted -> rejects, leaves its place, and leaves no listener', async () => {
    const { queue, add, waiting } = setUp({ maxMessages: 1 });
    add('a');
    const [first, second] = [new AbortController(), new AbortController()];
    const b = add('b', { signal: first.signal });
    const c = add('c', { signal: second.signal });
    first.abort(new Error('enough'));
    await expect(b).rejects.toMatchObject({ code: 'aborted', cause: { message: 'enough' } });
    expect(queue.waiting).toBe(1);
    queue.shift();
    queue.admit(NOTHING_SENT);
    expect(await fate(c)).toBe('accepted');
    expect([first, second].map(({ signal }) => getEventListeners(signal, 'abort').length)).toEqual([0, 0]);
    second.abort();
    expect(waiting()).toEqual(['c']);
  });

  it('rejectWaiters -> all of them, and what was accepted stays', async () => {
    const { queue, add, waiting } = setUp({ maxMessages: 1 });
    const signal = new AbortController().signal;
    add('a');
    const sends = [add('b', { signal }), add('c')];
    queue.rejectWaiters(Object.assign(new Error(), { code: 'closed' }) as never);
    expect([await fate(sends[0]), await fate(sends[1])]).toEqual(['closed', 'closed']);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(waiting()).toEqual(['a']);
  });
});

describe('drop-newest', () => {
  it('full -> the message itself is dropped', () => {
    const { add, drops, waiting } = setUp({ maxMessages: 1, policy: 'drop-newest' });
    expect([add('a'), add('b')]).toEqual(['accepted', 'dropped']);
    expect(drops).toEqual(['full:b']);
    expect(waiting()).toEqual(['a']);
  });
});

describe('drop-oldest', () => {
  it('full -> the oldest make room, as many as it takes', () => {
    const { queue, add, drops, waiting } = setUp({ maxBytes: 6, policy: 'drop-oldest' });
    for (const text of ['aa', 'bb', 'cc']) expect(add(text)).toBe('accepted');
    expect(add('ddd')).toBe('displaced');
    expect(drops).toEqual(['full:aa', 'full:bb']);
    expect(queue.bytes).toBe(5);
    expect(waiting()).toEqual(['cc', 'ddd']);
  });

  it('all are numbered -> the message itself is dropped', () => {
    const { queue, add, drops } = setUp({ maxMessages: 2, policy: 'drop-oldest' });
    expect(add('a', {}, { count: 2, bytes: 2 })).toBe('dropped');
    expect(drops).toEqual(['full:a']);
    expect(queue.isEmpty).toBe(true);
  });

  it('numbered ones alone leave no room -> those without a number are not sacrificed for nothing', () => {
    const { add, drops, waiting } = setUp({ maxBytes: 10, policy: 'drop-oldest' });
    const sent = { count: 1, bytes: 6 };
    expect(add('aa', {}, sent)).toBe('accepted');
    expect(add('12345', {}, sent)).toBe('dropped');
    expect(drops).toEqual(['full:12345']);
    expect(add('1234', {}, sent)).toBe('displaced');
    expect(waiting()).toEqual(['1234']);
  });

  it('who is told of a drop adds another -> that one comes behind', () => {
    const { add, drops, waiting } = setUp({ maxMessages: 2, policy: 'drop-oldest' }, ({ data }) => {
      if (data === 'a') add('told');
    });
    add('a');
    add('b');
    expect(add('c')).toBe('displaced');
    expect(drops).toEqual(['full:a', 'full:b']);
    expect(waiting()).toEqual(['c', 'told']);
  });

  it('who is told of a drop of many adds another each time -> it ends', () => {
    const { add, drops, waiting } = setUp({ maxBytes: 8, policy: 'drop-oldest' }, ({ data }) => {
      if (data !== 'gap') add('gap');
    });
    for (const text of ['aa', 'bb', 'cc', 'dd']) add(text);
    expect(add('12')).toBe('displaced');
    expect(drops[0]).toBe('full:aa');
    expect(waiting().at(-1)).toBe('gap');
  });
});

describe('conflate', () => {
  it('a message takes the place of the one with its key, full or not', () => {
    const { queue, add, drops, waiting } = setUp({ maxMessages: 3, policy: 'conflate' });
    add('x1', { key: 'x' });
    add('y1', { key: 'y' });
    add('none');
    expect(add('x22', { key: 'x' })).toBe('displaced');
    expect(add('y2', { key: 'y' })).toBe('displaced');
    expect(drops).toEqual(['conflated:x1', 'conflated:y1']);
    expect(queue.bytes).toBe(3 + 2 + 4);
    expect(waiting()).toEqual(['x22', 'y2', 'none']);
  });

  it('without a key nothing is replaced', () => {
    const { add, drops, waiting } = setUp({ policy: 'conflate' });
    expect([add('a'), add('b'), add('c', { key: undefined })]).toEqual(Array(3).fill('accepted'));
    expect(drops).toEqual([]);
    expect(waiting()).toEqual(['a', 'b', 'c']);
  });

  it('keys are compared as by a Map', () => {
    const { add, waiting } = setUp({ policy: 'conflate' });
    const key = {};
    add('a', { key });
    expect(add('b', { key })).toBe('displaced');
    expect(add('c', { key: {} })).toBe('accepted');
    expect(add('d', { key: 1 })).toBe('accepted');
    expect(add('e', { key: '1' })).toBe('accepted');
    expect(waiting()).toEqual(['b', 'c', 'd', 'e']);
  });

  it('what has left with a number is not replaced', () => {
    const { queue, add, drops, waiting } = setUp({ policy: 'conflate' });
    add('a', { key: 1 });
    queue.shift();
    expect(add('b', { key: 1 })).toBe('accepted');
    expect(drops).toEqual([]);
    expect(waiting()).toEqual(['b']);
  });

  it('no room for what a larger one needs -> it waits, and replaces then', async () => {
    const { queue, add, drops, waiting } = setUp({ maxBytes: 10, policy: 'conflate' });
    add('x123', { key: 'x' });
    add('y1234', { key: 'y' });
    expect(add('y12345', { key: 'y' })).toBe('displaced');
    const larger = add('x1234', { key: 'x' });
    expect(await fate(larger)).toBe('pending');
    // While it waits, a smaller one still fits.
    expect(add('x', { key: 'x' })).toBe('displaced');
    queue.admit(NOTHING_SENT);
    expect(await fate(larger)).toBe('pending');
    add('y', { key: 'y' });
    queue.admit(NOTHING_SENT);
    expect(await fate(larger)).toBe('displaced');
    expect(drops).toEqual(['conflated:y1234', 'conflated:x123', 'conflated:y12345', 'conflated:x']);
    expect(waiting()).toEqual(['x1234', 'y']);
  });

  it('full -> a new key waits, and the second of that key replaces the first when both come in', async () => {
    const { queue, add, waiting } = setUp({ maxMessages: 1, policy: 'conflate' });
    add('a', { key: 'a' });
    const [first, second] = [add('b1', { key: 'b' }), add('b2', { key: 'b' })];
    expect(queue.waiting).toBe(2);
    queue.shift();
    queue.admit(NOTHING_SENT);
    expect([await fate(first), await fate(second)]).toEqual(['accepted', 'displaced']);
    expect(waiting()).toEqual(['b2']);
  });

  it('the newer one brings its own time to live', () => {
    const { queue, add, drops } = setUp({ policy: 'conflate', ttlMs: 100 });
    add('a', { key: 1 }, NOTHING_SENT, 0);
    add('b', { key: 1 }, NOTHING_SENT, 50);
    queue.expire(100);
    expect(drops).toEqual(['conflated:a']);
    queue.expire(150);
    expect(drops).toEqual(['conflated:a', 'expired:b']);
    // Its key is free again.
    expect(add('c', { key: 1 }, NOTHING_SENT, 150)).toBe('accepted');
  });
});

describe('volatile', () => {
  it('dropped although there is room', () => {
    const { queue, add, drops } = setUp({ policy: 'volatile' });
    expect(add('a', { key: 'k' })).toBe('dropped');
    expect(drops).toEqual(['volatile:a']);
    expect(queue.isEmpty).toBe(true);
  });
});

describe('time to live', () => {
  it('drops what has waited so long, and not what has a longer one of its own', () => {
    const { queue, add, drops, waiting } = setUp({ ttlMs: 100 });
    expect(queue.nextExpiry).toBe(Number.POSITIVE_INFINITY);
    add('a', {}, NOTHING_SENT, 0);
    add('b', { ttlMs: 500 }, NOTHING_SENT, 0);
    add('c', {}, NOTHING_SENT, 10);
    expect(queue.nextExpiry).toBe(100);
    queue.expire(99);
    expect(drops).toEqual([]);
    queue.expire(100);
    expect(drops).toEqual(['expired:a']);
    expect(queue.nextExpiry).toBe(110);
    queue.expire(200);
    expect(drops).toEqual(['expired:a', 'expired:c']);
    expect([queue.nextExpiry, queue.bytes]).toEqual([500, 1]);
    expect(waiting()).toEqual(['b']);
  });

  it('who waits for room in vain -> dropped, too', async () => {
    const { queue, add, drops } = setUp({ maxMessages: 1 });
    const signal = new AbortController().signal;
    add('a');
    const b = add('b', { ttlMs: 100, signal });
    const c = add('c', { ttlMs: 200 });
    expect(queue.nextExpiry).toBe(100);
    queue.expire(100);
    expect([await fate(b), await fate(c)]).toEqual(['dropped', 'pending']);
    expect(drops).toEqual(['expired:b']);
    expect([queue.nextExpiry, queue.waiting]).toEqual([200, 1]);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('who is told of a drop finds the others there, and may add', () => {
    const seen: number[] = [];
    const { queue, add, waiting } = setUp({ ttlMs: 100 }, () => {
      seen.push(queue.count);
      if (seen.length === 1) add('d', {}, NOTHING_SENT, 100);
    });
    add('a');
    add('b');
    add('c', { ttlMs: 500 });
    queue.expire(100);
    expect(seen).toEqual([1, 2]);
    expect(queue.nextExpiry).toBe(200);
    expect(waiting()).toEqual(['c', 'd']);
  });
});

describe('takeAll and restore', () => {
  it('takes all with a number that says so, and puts them back', () => {
    const { queue, add, waiting } = setUp({ policy: 'conflate', ttlMs: 100 });
    add('a', { key: 1 });
    const { last } = queue;
    const taken = queue.takeAll();
    expect(taken.map(({ data, number }) => [data, number])).toEqual([['a', -1]]);
    expect(last!.number).toBe(-1);
    expect([queue.bytes, queue.count]).toEqual([0, 0]);
    // The key went with it.
    expect(add('b', { key: 1 })).toBe('accepted');
    for (const { data, expiresAt } of taken) queue.restore(data, 2, expiresAt);
    expect(queue.bytes).toBe(2);
    expect(add('c', { key: 2 })).toBe('displaced');
    expect(queue.nextExpiry).toBe(100);
    expect(waiting()).toEqual(['b', 'c']);
  });
});
