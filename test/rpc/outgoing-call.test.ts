import { describe, expect, it } from 'vitest';
import { RPC } from '../../src/rpc/errors.js';
import type { CallOptions, Progress } from '../../src/rpc/outgoing-call.js';
import { fateOf, rejection, rpcError, useStage } from '../support/rpc-stage.js';

const stage = useStage();

/** A call with these options, and what the test does at the other end. */
function setUp(options?: CallOptions) {
  const { peer, session } = stage.alone();
  const call = peer.call('work', undefined, options);
  session.takeSent();
  const progress = (value: number, rest: object = {}) =>
    session.receive({ method: '$/progress', params: { id: 1, progress: value, ...rest } });
  return { peer, session, call, progress };
}

describe('timeoutMs', () => {
  it('60 s by default -> -31001, and the peer is told', async () => {
    const { call, session, peer } = setUp();
    await stage.pass(59_900);
    expect(await fateOf(call)).toBe('pending');
    await stage.pass(200);
    expect(await rejection(call)).toEqual(rpcError(RPC.DEADLINE, 'work: no result within 60000 ms'));
    expect(session.takeSent()).toEqual([{ method: '$/cancel', params: { id: 1, reason: 'deadline' } }]);
    session.receive({ id: 1, result: 'late' });
    expect(peer.stats().callsOut).toBe(0);
    expect(stage.environment.pendingTimers).toBe(0);
  });

  it('each progress starts it anew', async () => {
    const { call, progress } = setUp({ timeoutMs: 1000 });
    for (let i = 0; i < 5; i++) {
      await stage.pass(900);
      progress(i);
    }
    await stage.pass(900);
    expect(await fateOf(call)).toBe('pending');
    await stage.pass(200);
    expect(await fateOf(call)).toBe(RPC.DEADLINE);
  });

  it('progress that does not rise is no sign of life', async () => {
    const { call, progress } = setUp({ timeoutMs: 1000 });
    progress(5);
    await stage.pass(900);
    progress(5);
    progress(4);
    await stage.pass(200);
    expect(await fateOf(call)).toBe(RPC.DEADLINE);
  });

  it('Infinity -> never', async () => {
    const { call, session, progress } = setUp({ timeoutMs: Number.POSITIVE_INFINITY });
    progress(1);
    expect(stage.environment.pendingTimers).toBe(0);
    await stage.pass(10 * 60_000);
    session.receive({ id: 1, result: 1 });
    expect(await call).toBe(1);
  });

  it('the result, and the end of the peer -> no timer is left', async () => {
    const { call, session } = setUp({ timeoutMs: 1000, maxTotalMs: 1000 });
    session.receive({ id: 1, result: 1 });
    await call;
    await stage.pass(2000);
    expect(session.takeSent()).toEqual([]);
    expect(stage.environment.pendingTimers).toBe(0);
  });

  it('a stream that has begun is not timed', async () => {
    const { call, session } = setUp({ timeoutMs: 1000, maxTotalMs: 1000 });
    session.receive({ id: 1, result: { stream: 1 } });
    const stream = await call;
    await stage.pass(5000);
    session.receive({ method: '$/next', params: { s: 1, items: [1] } });
    expect(await (stream as AsyncIterator<unknown>).next()).toEqual({ done: false, value: 1 });
  });
});

describe('maxTotalMs', () => {
  it('progress does not start it anew', async () => {
    const { call, progress, session } = setUp({ timeoutMs: 1000, maxTotalMs: 2500 });
    for (let i = 0; i < 3; i++) {
      await stage.pass(800);
      progress(i);
    }
    expect(await fateOf(call)).toBe('pending');
    await stage.pass(200);
    expect(await rejection(call)).toEqual(rpcError(RPC.DEADLINE, 'work: no result within 2500 ms'));
    expect(session.takeSent()).toHaveLength(1);
  });
});

describe('onProgress', () => {
  it('rising only, until the answer', async () => {
    const all: Progress[] = [];
    const { call, progress, session } = setUp({ onProgress: (each) => void all.push(each) });
    progress(1, { total: 10, message: 'm' });
    for (const value of [1, 0, 2, 1.5]) progress(value);
    session.receive({ method: '$/progress', params: { id: 2, progress: 7 } });
    session.receive({ id: 1, result: 1 });
    progress(3);
    await call;
    expect(all.map((each) => each.progress)).toEqual([1, 2]);
    expect(all[0]).toMatchObject({ total: 10, message: 'm' });
  });

  it('what it is given is only that', async () => {
    const all: Progress[] = [];
    const { progress } = setUp({ onProgress: (each) => void all.push(each) });
    progress(1, { total: 2, message: 'm', more: 1 });
    expect(all).toEqual([{ progress: 1, total: 2, message: 'm' }]);
  });

  it('it throws -> an uncaught exception, and the call goes on', async () => {
    const uncaught: unknown[] = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => uncaught.push(error));
    try {
      const { call, progress, session } = setUp({
        onProgress() {
          throw new Error('mine');
        },
      });
      progress(1);
      session.receive({ id: 1, result: 'done' });
      expect(await call).toBe('done');
      await stage.settle();
      expect(uncaught).toEqual([new Error('mine')]);
    } finally {
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
  });
});

describe('the connection is lost', () => {
  it('the call was sent -> perhaps processed; it was not -> surely not', async () => {
    const { peer, session } = stage.alone();
    const sent = peer.call('a');
    session.hasRoom = false;
    const waiting = peer.call('b');
    const cause = new Error('gone');
    session.end(cause);
    expect(await rejection(sent)).toEqual(
      rpcError(RPC.LOST, 'the session is closed', { outcome: 'unknown' }),
    );
    expect(await rejection(waiting)).toEqual(
      rpcError(RPC.LOST, 'the session is closed', { outcome: 'not-sent' }),
    );
    expect(await rejection(peer.call('c'))).toEqual(
      rpcError(RPC.LOST, 'the session is closed', { outcome: 'not-sent' }),
    );
    expect(((await rejection(sent)).cause as Error).cause).toBe(cause);
  });
});
