// What becomes of a message when the queue is full, policy by policy; `block` and `error` are in send-queue.test.ts.
import { describe, expect, it } from 'vitest';
import { fate, NOTHING_SENT, queueStage as setUp } from '../support/queue-stage.js';

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
    // A newer one of the same key, though it would fit, must not be replaced by the older one.
    const newer = add('x', { key: 'x' });
    queue.admit(NOTHING_SENT);
    expect([await fate(larger), await fate(newer)]).toEqual(['pending', 'pending']);
    add('y', { key: 'y' });
    queue.admit(NOTHING_SENT);
    expect([await fate(larger), await fate(newer)]).toEqual(['displaced', 'displaced']);
    expect(drops).toEqual(['conflated:y1234', 'conflated:y12345', 'conflated:x123', 'conflated:x1234']);
    expect(waiting()).toEqual(['x', 'y']);
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
