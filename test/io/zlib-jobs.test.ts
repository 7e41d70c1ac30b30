import { beforeEach, describe, expect, it, vi } from 'vitest';

let jobs: typeof import('../../src/io/zlib-jobs.js');

beforeEach(async () => {
  vi.resetModules();
  jobs = await import('../../src/io/zlib-jobs.js');
});

/** Starts `count` jobs; gives those that were begun, in order, with a function that ends each. */
function start(count: number) {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const results = Array.from({ length: count }, (_, i) =>
    jobs.runJob(() => {
      begun.push(i);
      return new Promise<number>((resolve) => {
        ends[i] = () => resolve(i);
      });
    }),
  );
  return { begun, ends, results };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('runJob', () => {
  it('no limit was given -> ten at once', async () => {
    jobs.limitJobs(undefined);
    expect(start(15).begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('several limits are given -> the first holds', () => {
    jobs.limitJobs(2);
    jobs.limitJobs(5);
    expect(start(9).begun).toHaveLength(2);
  });

  it.each([0, Number.POSITIVE_INFINITY])('limit %d -> none', (limit) => {
    jobs.limitJobs(limit);
    expect(start(50).begun).toHaveLength(50);
  });

  it('one is done -> the one that waits longest begins', async () => {
    jobs.limitJobs(2);
    const { begun, ends, results } = start(5);
    ends[1]!();
    await settled();
    expect(begun).toEqual([0, 1, 2]);
    ends[0]!();
    ends[2]!();
    await settled();
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    ends[3]!();
    ends[4]!();
    expect(await Promise.all(results)).toEqual([0, 1, 2, 3, 4]);
    expect(start(5).begun).toHaveLength(2);
  });

  it('one fails -> its promise is rejected, and the next begins', async () => {
    jobs.limitJobs(1);
    const failing = jobs.runJob(() => Promise.reject(new Error('no')));
    const next = jobs.runJob(async () => 'next');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('next');
    expect(start(3).begun).toHaveLength(1);
  });
});
