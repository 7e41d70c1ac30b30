// The queue by itself: bounds, waiting for room, time to live. Its policies are in send-queue-policies.test.ts, what a session
// makes of it is in session-queue.test.ts.
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { fate, NOTHING_SENT, queueStage as setUp, waitingIn } from '../support/queue-stage.js';

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

  it('bytes, of text one for each UTF-16 unit, together with those that were sent; as many as the bound are allowed', () => {
    const { queue, add } = setUp({ maxBytes: 10, policy: 'error' });
    expect(add('€€€€€€', {}, { count: 1, bytes: 4 })).toBe('accepted');
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
