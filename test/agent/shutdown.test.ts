import { afterEach, describe, expect, it, vi } from 'vitest';
import { debug } from '../../src/agent/debug.js';
import { SessionServer } from '../../src/agent/session-server.js';
import { type Drainable, type ShutdownOptions, shutdownOn } from '../../src/agent/shutdown.js';
import { turn } from '../support/events.js';

// Signals for which vitest has no listener.
const SIGNALS: NodeJS.Signals[] = ['SIGUSR2', 'SIGCONT'];
const listenerCount = () => SIGNALS.reduce((sum, signal) => sum + process.listenerCount(signal), 0);

let dispose = () => {};
afterEach(() => {
  dispose();
  vi.restoreAllMocks();
});

/** A server whose draining and closing end when the test says so; `log` is what happened to it. */
function setUp(options: ShutdownOptions = {}) {
  const log: unknown[] = [];
  const endings: Record<string, { resolve: (value?: unknown) => void; reject: (error: Error) => void }> = {};
  const pending = (name: string) =>
    new Promise<unknown>((resolve, reject) => {
      endings[name] = { resolve, reject };
    });
  const server: Drainable = {
    drain(drainOptions) {
      log.push(['drain', drainOptions]);
      return pending('drain');
    },
    close() {
      log.push('close');
      return pending('close');
    },
  };
  const exit = (code: number, error?: unknown) => log.push(['exit', code, error]);
  dispose = shutdownOn(server, { signals: SIGNALS, exit, ...options });
  return { log, endings };
}

/** As a signal of the system does it. */
const signal = (name: NodeJS.Signals) => process.emit(name, name);

describe('shutdownOn', () => {
  it('a signal -> drains, then closes, then exits with 0 and without listeners', async () => {
    const { log, endings } = setUp({ deadlineMs: 5000 });
    expect(log).toEqual([]);
    signal('SIGUSR2');
    await turn();
    expect(log).toEqual([['drain', { deadlineMs: 5000 }]]);
    endings.drain!.resolve({ moved: 1, finished: 0, cut: 0 });
    await turn();
    expect(log.slice(1)).toEqual(['close']);
    endings.close!.resolve();
    await turn();
    expect(log.slice(2)).toEqual([['exit', 0, undefined]]);
    expect(listenerCount()).toBe(0);
  });

  it('a real signal of the operating system counts', async () => {
    const { log } = setUp();
    process.kill(process.pid, 'SIGUSR2');
    await vi.waitFor(() => expect(log).toEqual([['drain', {}]]));
  });

  it('a second signal, any of them -> exits at once with 128 and its number, and only once', async () => {
    const { log, endings } = setUp();
    signal('SIGUSR2');
    signal('SIGCONT');
    expect(log).toEqual([
      ['drain', {}],
      ['exit', 128 + 18, undefined],
    ]);
    expect(listenerCount()).toBe(0);
    endings.drain!.resolve();
    await turn();
    endings.close!.resolve();
    await turn();
    expect(log.slice(2)).toEqual(['close']);
  });

  it('draining fails -> closes all the same, and exits with 1 and the error', async () => {
    const { log, endings } = setUp();
    signal('SIGUSR2');
    const failure = new Error('no');
    endings.drain!.reject(failure);
    await turn();
    endings.close!.resolve();
    await turn();
    expect(log.slice(1)).toEqual(['close', ['exit', 1, failure]]);
  });

  it('closing fails -> exits with 1 and the error', async () => {
    const { log, endings } = setUp();
    signal('SIGUSR2');
    endings.drain!.resolve();
    await turn();
    const failure = new Error('no');
    endings.close!.reject(failure);
    await turn();
    expect(log.slice(2)).toEqual([['exit', 1, failure]]);
  });

  it('disposed -> no listener, nothing happens', () => {
    const { log } = setUp();
    expect(listenerCount()).toBe(2);
    dispose();
    expect(listenerCount()).toBe(0);
    signal('SIGUSR2');
    expect(log).toEqual([]);
  });

  it('a SessionServer -> is drained and closed', async () => {
    const server = new SessionServer({ noServer: true });
    const exit = vi.fn();
    dispose = shutdownOn(server, { signals: SIGNALS, exit });
    expect(debug.active()).toHaveLength(1);
    signal('SIGUSR2');
    await vi.waitFor(() => expect(exit.mock.calls).toEqual([[0, undefined]]));
    expect(debug.active()).toEqual([]);
  });

  it('by default SIGTERM and SIGINT, and the process exits', async () => {
    const before = [process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')];
    const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
    const print = vi.spyOn(console, 'error').mockReturnValue();
    const failure = new Error('no');
    dispose = shutdownOn({ drain: () => Promise.reject(failure), close: async () => {} });
    expect([process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')]).toEqual(
      before.map((count) => count + 1),
    );
    // Not emitted: vitest may listen as well.
    process.listeners('SIGTERM').at(-1)!('SIGTERM');
    await turn();
    expect(exit.mock.calls).toEqual([[1]]);
    expect(print.mock.calls).toEqual([[failure]]);
    expect([process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')]).toEqual(before);
  });
});
