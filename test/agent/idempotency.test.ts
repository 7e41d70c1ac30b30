import { describe, expect, it } from 'vitest';
import {
  type IdempotencyStore,
  MemoryIdempotencyStore,
  type MemoryIdempotencyStoreOptions,
  once,
} from '../../src/agent/idempotency.js';
import { thrownBy } from '../support/events.js';
import { FakeEnvironment } from '../support/fake-environment.js';

/** A store on a clock of its own, and work that counts its runs and ends when it is told to. */
function setUp(options: MemoryIdempotencyStoreOptions = {}) {
  const environment = new FakeEnvironment();
  const store = new MemoryIdempotencyStore({ environment, ...options });
  const runs: { resolve: (result: unknown) => void; reject: (error: Error) => void }[] = [];
  const work = () => new Promise<unknown>((resolve, reject) => runs.push({ resolve, reject }));
  return { environment, store, runs, work };
}

describe('once', () => {
  it('a duplicate after the run -> the same result, no second run', async () => {
    const { store } = setUp();
    let count = 0;
    const run = () => ({ number: ++count });
    const first = await once(store, 'a', run);
    expect(await once(store, 'a', run)).toBe(first);
    expect(await once(store, 'b', run)).toEqual({ number: 2 });
  });

  it('a result of undefined is remembered like any other', async () => {
    const { store } = setUp();
    let count = 0;
    for (let i = 0; i < 2; i++) await once(store, 'a', () => void count++);
    expect(count).toBe(1);
  });

  it('concurrent duplicates -> one run, one result', async () => {
    const { environment, store, runs, work } = setUp();
    const all = Promise.all([1, 2, 3].map(() => once(store, 'a', work)));
    await environment.settle();
    expect(runs).toHaveLength(1);
    runs[0]!.resolve('done');
    expect(await all).toEqual(['done', 'done', 'done']);
    expect(runs).toHaveLength(1);
  });

  it('the run fails -> concurrent duplicates share the error, and the next call runs again', async () => {
    const { environment, store, runs, work } = setUp();
    const all = Promise.allSettled([1, 2].map(() => once(store, 'a', work)));
    await environment.settle();
    const failure = new Error('no');
    runs[0]!.reject(failure);
    expect(await all).toEqual([
      { status: 'rejected', reason: failure },
      { status: 'rejected', reason: failure },
    ]);
    expect(runs).toHaveLength(1);
    expect(await once(store, 'a', () => 'yes')).toBe('yes');
    expect(environment.pendingTimers).toBe(0);
  });

  it('the run throws at once -> as if it had rejected', async () => {
    const { store } = setUp();
    const fail = () => {
      throw new Error('no');
    };
    await expect(once(store, 'a', fail)).rejects.toThrow('no');
    expect(store.size).toBe(0);
  });

  it('the store fails when a key is released -> the error of the run is thrown', async () => {
    const store: IdempotencyStore = {
      claim: async () => ({ state: 'claimed', token: '1' }),
      complete: async () => true,
      release: async () => {
        throw new Error('store');
      },
    };
    const fail = async () => {
      throw new Error('run');
    };
    await expect(once(store, 'a', fail)).rejects.toThrow('run');
  });

  it('who runs dies -> duplicates wait until the claim expires, then one of them runs', async () => {
    const { environment, store, runs, work } = setUp({ claimTtlMs: 100 });
    await store.claim('a'); // and never heard of again
    const all = Promise.all([once(store, 'a', work), once(store, 'a', work)]);
    environment.advance(99);
    await environment.settle();
    expect(runs).toHaveLength(0);
    environment.advance(1);
    await environment.settle();
    expect(runs).toHaveLength(1);
    runs[0]!.resolve('second');
    expect(await all).toEqual(['second', 'second']);
  });

  it('the run outlasts its claim -> its caller gets its result, and what the successor found is remembered', async () => {
    const { environment, store, runs, work } = setUp({ claimTtlMs: 100 });
    const first = once(store, 'a', work);
    await environment.settle();
    environment.advance(100);
    const second = once(store, 'a', work);
    await environment.settle();
    runs[0]!.resolve('late');
    expect(await first).toBe('late');
    expect((await store.claim('a')).state).toBe('running');
    runs[1]!.resolve('valid');
    expect(await second).toBe('valid');
    expect(await once(store, 'a', work)).toBe('valid');
  });

  it('the run fails after its claim has expired -> the successor keeps the key', async () => {
    const { environment, store, runs, work } = setUp({ claimTtlMs: 100 });
    const first = once(store, 'a', work);
    await environment.settle();
    environment.advance(100);
    const second = once(store, 'a', work);
    await environment.settle();
    runs[0]!.reject(new Error('late'));
    await expect(first).rejects.toThrow('late');
    expect((await store.claim('a')).state).toBe('running');
    runs[1]!.resolve('valid');
    expect(await second).toBe('valid');
  });
});

describe('MemoryIdempotencyStore', () => {
  it('remembers a result for ttlMs, counted from its completion', async () => {
    const { environment, store, runs, work } = setUp({ ttlMs: 1000, claimTtlMs: 5000 });
    const first = once(store, 'a', work);
    await environment.settle();
    environment.advance(4000);
    runs[0]!.resolve('first');
    await first;
    environment.advance(999);
    expect(await once(store, 'a', () => 'second')).toBe('first');
    environment.advance(1);
    expect(store.size).toBe(0);
    expect(await once(store, 'a', () => 'second')).toBe('second');
  });

  it('full -> the result that is oldest goes, not the key that was claimed first', async () => {
    const { environment, store, runs, work } = setUp({ maxEntries: 3 });
    const slow = once(store, 'slow', work);
    await once(store, 'a', () => 'a1');
    await once(store, 'b', () => 'b1');
    await once(store, 'c', () => 'c1');
    expect(store.size).toBe(3);
    expect(await once(store, 'b', () => 'b2')).toBe('b1');
    await environment.settle();
    runs[0]!.resolve('slow');
    expect(await slow).toBe('slow');
    expect(await once(store, 'a', () => 'a2')).toBe('a2');
    expect(await once(store, 'slow', () => 'again')).toBe('slow');
  });

  it('full of runs -> store-full, and nothing is run', async () => {
    const { environment, store, runs, work } = setUp({ maxEntries: 2 });
    const all = [once(store, 'a', work), once(store, 'b', work)];
    await expect(once(store, 'c', work)).rejects.toMatchObject({ name: 'SessionError', code: 'store-full' });
    await environment.settle();
    expect(runs).toHaveLength(2);
    for (const { resolve } of runs) resolve('done');
    expect(await Promise.all(all)).toEqual(['done', 'done']);
    expect(await once(store, 'c', () => 'c')).toBe('c');
  });

  it('a key of 2,048 characters is taken, a longer one -> RangeError', async () => {
    const { store } = setUp();
    expect(await once(store, 'k'.repeat(2048), () => 1)).toBe(1);
    await expect(once(store, 'k'.repeat(2049), () => 1)).rejects.toBeInstanceOf(RangeError);
    expect(store.size).toBe(1);
  });

  it('after runs that ended, none of its timers is left, and none keeps the process alive', async () => {
    const { environment, store, runs, work } = setUp();
    const all = Promise.allSettled([once(store, 'a', work), once(store, 'b', work)]);
    await environment.settle();
    expect(environment.pendingTimers).toBe(2);
    expect(environment.keepsProcessAlive).toBe(false);
    runs[0]!.resolve('done');
    runs[1]!.reject(new Error('no'));
    await all;
    expect(environment.pendingTimers).toBe(0);
  });

  it.each([{ ttlMs: 0 }, { claimTtlMs: 2 ** 31 }, { maxEntries: Number.NaN }])(
    '%j -> RangeError',
    (options) => {
      expect(thrownBy(() => new MemoryIdempotencyStore(options))).toBeInstanceOf(RangeError);
    },
  );
});
