import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type HeartbeatOptions, watch } from '../../src/ws/heartbeat.js';
import { thrownBy } from '../support/events.js';

class Peer {
  isActive = false;
  log: string[] = [];
  takeActivity(): boolean {
    const { isActive } = this;
    this.isActive = false;
    return isActive;
  }
  ping(): void {
    this.log.push('ping');
  }
  terminate(): void {
    this.log.push('terminate');
  }
}

let stops: (() => void)[] = [];

function watched(options: HeartbeatOptions): Peer {
  const peer = new Peer();
  stops.push(watch(peer, options));
  return peer;
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'],
  });
});

afterEach(() => {
  for (const stop of stops) stop();
  stops = [];
  vi.useRealTimers();
});

describe('watch', () => {
  it('[RFC6455-5.5.2-4] pings at every interval while bytes arrive', () => {
    const peer = watched({ intervalMs: 100 });
    for (let i = 0; i < 5; i++) {
      vi.advanceTimersByTime(100);
      peer.isActive = true;
    }
    expect(peer.log).toEqual(['ping', 'ping', 'ping', 'ping', 'ping']);
  });

  it('terminates a peer from which nothing came after the Ping', () => {
    const peer = watched({ intervalMs: 100 });
    vi.advanceTimersByTime(199);
    expect(peer.log).toEqual(['ping']);
    vi.advanceTimersByTime(2);
    expect(peer.log).toEqual(['ping', 'ping', 'terminate']);
  });

  it('a timeout shorter than the interval -> terminates after the timeout', () => {
    const peer = watched({ intervalMs: 100, timeoutMs: 50 });
    vi.advanceTimersByTime(149);
    expect(peer.log).toEqual(['ping']);
    vi.advanceTimersByTime(2);
    expect(peer.log).toEqual(['ping', 'terminate']);
  });

  it('a timeout longer than the interval -> pings meanwhile', () => {
    const peer = watched({ intervalMs: 100, timeoutMs: 300 });
    vi.advanceTimersByTime(399);
    expect(peer.log).toEqual(['ping', 'ping', 'ping']);
    vi.advanceTimersByTime(2);
    expect(peer.log).toEqual(['ping', 'ping', 'ping', 'ping', 'terminate']);
  });

  it('our own event loop was blocked -> what waits in the kernel is read before the peer is judged', () => {
    const peer = watched({ intervalMs: 100 });
    vi.advanceTimersByTime(100);
    // Read in the same turn as the timer fires, but behind it, as the event loop has it.
    setTimeout(() => {
      peer.isActive = true;
    }, 100);
    vi.advanceTimersByTime(150);
    expect(peer.log).toEqual(['ping', 'ping']);
  });

  it('sockets of the same interval share one timer, which ends with the last of them', () => {
    const peers = [
      watched({ intervalMs: 100 }),
      watched({ intervalMs: 100 }),
      watched({ intervalMs: 100, timeoutMs: 100 }),
    ];
    expect(vi.getTimerCount()).toBe(1);
    watched({ intervalMs: 70 });
    expect(vi.getTimerCount()).toBe(2);
    for (const stop of stops.splice(0)) stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(1000);
    for (const peer of peers) expect(peer.log).toEqual([]);
  });

  it('is watched again after all had stopped -> a new timer', () => {
    watched({ intervalMs: 100 });
    stops.pop()!();
    const peer = watched({ intervalMs: 100 });
    vi.advanceTimersByTime(100);
    expect(peer.log).toEqual(['ping']);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('%d milliseconds -> RangeError', (ms) => {
    expect(thrownBy(() => watch(new Peer(), { intervalMs: ms }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => watch(new Peer(), { intervalMs: 1, timeoutMs: ms }))).toBeInstanceOf(RangeError);
    expect(vi.getTimerCount()).toBe(0);
  });
});
