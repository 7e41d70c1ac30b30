import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Changes } from '../../src/conform/changes.js';

it('waiting goes on beyond the limit where the event loop was held up, until what has come meanwhile is read', async () => {
  const changes = new Changes();
  let hasCome = false;
  const waited = changes.until(() => hasCome, 1);
  setImmediate(() => {
    hasCome = true;
    changes.notify();
  });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  expect(await waited).toBe(true);
});

describe('waiting for a condition', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is over at once where it holds already, without a timer', async () => {
    expect(await new Changes().until(() => true, 1000)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is over when it holds after a change, and leaves no timer', async () => {
    const changes = new Changes();
    let state = 0;
    const waited = changes.until(() => state === 2, 1000);
    state = 1;
    changes.notify();
    expect(vi.getTimerCount()).toBe(1);
    state = 2;
    changes.notify();
    expect(await waited).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is over at the limit where it does not hold', async () => {
    const waited = new Changes().until(() => false, 1000);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await waited).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('looks once more at the limit, so that a change that nobody told of counts', async () => {
    let holds = false;
    const waited = new Changes().until(() => holds, 1000);
    holds = true;
    await vi.advanceTimersByTimeAsync(1000);
    expect(await waited).toBe(true);
  });

  it('asks nothing any more once it is over', async () => {
    const changes = new Changes();
    const condition = vi.fn(() => false);
    const waited = changes.until(condition, 10);
    await vi.advanceTimersByTimeAsync(10);
    await waited;
    const asked = condition.mock.calls.length;
    changes.notify();
    expect(condition).toHaveBeenCalledTimes(asked);
  });

  it('serves many who wait, each for something of its own', async () => {
    const changes = new Changes();
    let state = 0;
    const waits = [3, 1, 2].map((wanted) => changes.until(() => state >= wanted, 1000));
    const over: number[] = [];
    waits.forEach((wait, index) => void wait.then(() => over.push(index)));
    for (state = 1; state <= 3; state++) {
      changes.notify();
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(over).toEqual([1, 2, 0]);
  });
});
