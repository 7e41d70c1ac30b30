import { getEventListeners } from 'node:events';
import { expect, it, vi } from 'vitest';
import { offAbort, onAbort } from '../../src/agent/abort-listeners.js';

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

it('many who wait -> one listener, each is told once, and none is left', () => {
  const { signal, abort } = controller();
  const runs = Array.from({ length: 20 }, () => vi.fn());
  for (const run of runs) onAbort(signal, run);
  expect(listeners(signal)).toBe(1);
  offAbort(signal, runs[3]!);
  abort();
  expect(runs.map((run) => run.mock.calls.length)).toEqual(runs.map((_, i) => (i === 3 ? 0 : 1)));
  expect(listeners(signal)).toBe(0);
});

it('the last leaves -> no listener; who comes later is told', () => {
  const { signal, abort } = controller();
  const [first, second] = [vi.fn(), vi.fn()];
  onAbort(signal, first);
  offAbort(signal, first);
  expect(listeners(signal)).toBe(0);
  offAbort(signal, first);
  onAbort(signal, second);
  abort();
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1]);
});

it('one who is told makes another leave -> that one is not told', () => {
  const { signal, abort } = controller();
  const second = vi.fn();
  onAbort(signal, () => offAbort(signal, second));
  onAbort(signal, second);
  abort();
  expect(second).not.toHaveBeenCalled();
});

function controller() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
