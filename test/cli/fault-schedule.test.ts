// The schedule, on a clock of the test, and with a proxy that only notes what it is asked to do.
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FaultProxy } from '../../src/cli/fault-proxy.js';
import { type Schedule, startSchedule } from '../../src/cli/fault-schedule.js';

class ProxyLog extends EventEmitter {
  readonly log: string[] = [];

  refuse(isOn: boolean): void {
    this.#note(`refuse ${isOn}`);
  }

  blackhole(isOn: boolean, direction: string): void {
    this.#note(`blackhole ${isOn} ${direction}`);
  }

  open(name: string): { cut(how: string): void } {
    const connection = {
      cut: (how: string) => {
        this.#note(`${name} ${how}`);
        this.emit('cut', connection, how);
      },
    };
    this.emit('connection', connection);
    return connection;
  }

  #note(text: string): void {
    this.log.push(`${performance.now() - start}: ${text}`);
  }
}

let proxy: ProxyLog;
let start: number;

function begin(schedule: Partial<Schedule>): () => void {
  return startSchedule(proxy as unknown as FaultProxy, { dropWith: 'rst', ...schedule });
}

beforeEach(() => {
  vi.useFakeTimers();
  proxy = new ProxyLog();
  start = performance.now();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('startSchedule', () => {
  it('dropEveryMs -> each connection is cut at that age', () => {
    begin({ dropEveryMs: 5000, dropWith: 'fin' });
    proxy.open('a');
    vi.advanceTimersByTime(2000);
    proxy.open('b');
    vi.advanceTimersByTime(10_000);
    expect(proxy.log).toEqual(['5000: a fin', '7000: b fin']);
  });

  it('a connection that closes earlier -> is left alone', () => {
    begin({ dropEveryMs: 5000 });
    const connection = proxy.open('a');
    vi.advanceTimersByTime(4000);
    proxy.emit('close', connection);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('refuseMs -> refuses after each cut, counted from the last one', () => {
    begin({ refuseMs: 1000 });
    proxy.open('a').cut('rst');
    vi.advanceTimersByTime(600);
    proxy.open('b').cut('rst');
    vi.advanceTimersByTime(5000);
    expect(proxy.log).toEqual([
      '0: a rst',
      '0: refuse true',
      '600: b rst',
      '600: refuse true',
      '1600: refuse false',
    ]);
  });

  it('blackhole -> the end of every period', () => {
    begin({ blackhole: { forMs: 300, everyMs: 1000, direction: 'in' } });
    vi.advanceTimersByTime(2500);
    expect(proxy.log).toEqual([
      '700: blackhole true in',
      '1000: blackhole false in',
      '1700: blackhole true in',
      '2000: blackhole false in',
    ]);
  });

  it('stopped -> everything passes again, and no timer or listener is left', () => {
    const stop = begin({
      dropEveryMs: 5000,
      refuseMs: 9000,
      blackhole: { forMs: 300, everyMs: 1000, direction: 'both' },
    });
    proxy.open('a').cut('rst');
    vi.advanceTimersByTime(800);
    stop();
    expect(proxy.log.slice(-2)).toEqual(['800: refuse false', '800: blackhole false both']);
    expect([vi.getTimerCount(), proxy.eventNames()]).toEqual([0, []]);
  });
});
