import { describe, expect, it } from 'vitest';
import { SessionRegistry } from '../../src/agent/session-registry.js';
import { TimerWheel } from '../../src/agent/timer-wheel.js';
import { FakeEnvironment } from '../support/fake-environment.js';

const TICK_MS = 50;

class StubSession {
  readonly id: string;
  retainedBytes: number;
  reason: string | undefined;
  readonly #registry: SessionRegistry<StubSession>;

  constructor(registry: SessionRegistry<StubSession>, id: string, retainedBytes: number) {
    this.#registry = registry;
    this.id = id;
    this.retainedBytes = retainedBytes;
    registry.add(this);
  }

  expire(reason: string): void {
    this.reason = reason;
    this.#registry.remove(this);
  }
}

function setUp(bounds: { maxDetached?: number; maxDetachedBytes?: number } = {}) {
  const environment = new FakeEnvironment();
  const wheel = new TimerWheel(environment);
  const options = { windowMs: 1000, maxDetached: 10, maxDetachedBytes: 1000, ...bounds };
  const registry = new SessionRegistry<StubSession>(options, wheel);
  const session = (id: string, retainedBytes = 0) => new StubSession(registry, id, retainedBytes);
  const counts = () => [registry.size, registry.detachedCount, registry.detachedBytes, registry.evicted];
  return { environment, wheel, registry, session, counts };
}

describe('SessionRegistry', () => {
  it('finds by id until the session is removed', () => {
    const { registry, session } = setUp();
    const [a, b] = [session('a'), session('b')];
    expect([registry.find('a'), registry.find('c')]).toEqual([a, undefined]);
    expect(registry.all()).toEqual([a, b]);
    registry.remove(a);
    expect([registry.find('a'), registry.all()]).toEqual([undefined, [b]]);
  });

  it('without a connection for the whole window -> expired, not before, and not those with one', () => {
    const { environment, registry, session, counts } = setUp();
    const [a, b] = [session('a', 5), session('b', 7)];
    registry.detached(a);
    expect(counts()).toEqual([2, 1, 5, 0]);
    environment.advance(999);
    expect(a.reason).toBeUndefined();
    environment.advance(1 + TICK_MS);
    expect([a.reason, b.reason]).toEqual(['expired', undefined]);
    expect(counts()).toEqual([1, 0, 0, 0]);
  });

  it('attached in time -> stays, and its window begins anew with the next loss', () => {
    const { environment, wheel, registry, session, counts } = setUp();
    const a = session('a', 5);
    registry.detached(a);
    environment.advance(900);
    registry.attached(a);
    expect(counts()).toEqual([1, 0, 0, 0]);
    expect(wheel.size).toBe(0);
    environment.advance(5000);
    registry.detached(a);
    environment.advance(900);
    expect(a.reason).toBeUndefined();
    environment.advance(200);
    expect(a.reason).toBe('expired');
  });

  it('attached that was not detached, removed twice -> nothing happens', () => {
    const { registry, session, counts } = setUp();
    const a = session('a');
    registry.attached(a);
    registry.remove(a);
    registry.remove(a);
    expect(counts()).toEqual([0, 0, 0, 0]);
  });

  it('removed while it waits -> no timer is left', () => {
    const { wheel, registry, session } = setUp();
    const a = session('a');
    registry.detached(a);
    registry.remove(a);
    expect(wheel.size).toBe(0);
  });

  it('more than may wait -> the one that has waited longest goes', () => {
    const { registry, session, counts } = setUp({ maxDetached: 2 });
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => session(id)) as [StubSession, ...StubSession[]];
    registry.detached(a!);
    registry.detached(b!);
    registry.attached(a!);
    registry.detached(a!);
    registry.detached(c!);
    expect([a, b, c, d].map((session) => session!.reason)).toEqual([
      undefined,
      'evicted',
      undefined,
      undefined,
    ]);
    registry.detached(d!);
    expect([a, b, c, d].map((session) => session!.reason)).toEqual([
      'evicted',
      'evicted',
      undefined,
      undefined,
    ]);
    expect(counts()).toEqual([2, 2, 0, 2]);
  });

  it('more bytes than may be held -> the oldest go until the rest fits', () => {
    const { registry, session, counts } = setUp({ maxDetachedBytes: 100 });
    const [a, b, c] = [session('a', 40), session('b', 40), session('c', 20)];
    for (const each of [a, b, c]) registry.detached(each);
    expect(counts()).toEqual([3, 3, 100, 0]);
    // As much as may be is allowed; one more is not.
    c.retainedBytes = 61;
    registry.retainedBytesChanged(c);
    expect([a.reason, b.reason, c.reason]).toEqual(['evicted', 'evicted', undefined]);
    expect(counts()).toEqual([1, 1, 61, 2]);
    c.retainedBytes = 10;
    registry.retainedBytesChanged(c);
    expect(counts()).toEqual([1, 1, 10, 2]);
  });

  it('one alone that holds too much -> goes itself', () => {
    const { registry, session, counts } = setUp({ maxDetachedBytes: 100 });
    const a = session('a', 101);
    registry.detached(a);
    expect(a.reason).toBe('evicted');
    expect(counts()).toEqual([0, 0, 0, 1]);
  });

  it('bytes of a session with a connection do not count', () => {
    const { registry, session, counts } = setUp({ maxDetachedBytes: 100 });
    const a = session('a', 1000);
    registry.retainedBytesChanged(a);
    expect(counts()).toEqual([1, 0, 0, 0]);
  });
});
