import { describe, expect, it } from 'vitest';
import { RPC } from '../../src/rpc/errors.js';
import type { CallContext } from '../../src/rpc/incoming-call.js';
import { failed, NOTHING, pending, rpcError, TestSource, useStage } from '../support/rpc-stage.js';

const stage = useStage();

describe('cancellation', () => {
  it('the signal is aborted, and no answer follows', async () => {
    const { all, handler } = pending();
    const { call, ask, errors } = stage.answering({ wait: handler });
    await call(1, 'wait');
    expect(await ask({ method: '$/cancel', params: { id: 1, reason: 'changed my mind' } })).toEqual([]);
    expect(all[0]!.context.signal.reason).toEqual(rpcError(RPC.CANCELLED, 'changed my mind'));
    expect(errors).toEqual([]);
  });

  it('a handler that goes on is not answered either', async () => {
    const ends: ((result: unknown) => void)[] = [];
    const { call, ask, peer, errors } = stage.answering({
      stubborn: () => new Promise((resolve) => ends.push(resolve)),
    });
    for (const id of [1, 2, 3]) {
      await call(id, 'stubborn');
      await ask({ method: '$/cancel', params: { id } });
    }
    expect(peer.stats().callsIn).toBe(3);
    const source = new TestSource();
    ends[0]!('late');
    ends[1]!(source);
    ends[2]!(Promise.reject(new Error('late')));
    expect(await ask(NOTHING)).toEqual([]);
    expect(source.returned).toBe(1);
    expect(peer.stats().callsIn).toBe(0);
    expect(errors).toEqual([]);
  });

  it('a signal that somebody asks for afterwards is aborted', async () => {
    const { call, ask } = stage.answering({
      async wait(_, context) {
        await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setImmediate(resolve));
        reasons.push(context.signal.reason);
      },
    });
    const reasons: unknown[] = [];
    await call(1, 'wait');
    await ask({ method: '$/cancel', params: { id: 1 } });
    await stage.settle();
    await stage.settle();
    expect(reasons).toEqual([rpcError(RPC.CANCELLED, 'the caller gave up')]);
  });

  it('an unknown id, or one that is answered -> nothing', async () => {
    const { call, ask, errors } = stage.answering({ add: () => 1 });
    await call(1, 'add');
    expect(await ask({ method: '$/cancel', params: { id: 1 } })).toEqual([]);
    expect(await ask({ method: '$/cancel', params: { id: 'x' } })).toEqual([]);
    expect(await ask({ method: '$/cancel', params: { s: 5 } })).toEqual([]);
    expect(errors).toEqual([]);
  });
});

describe('progress', () => {
  it('rising only, with total and message', async () => {
    const { call } = stage.answering({
      work(_, { progress }) {
        for (const [value, total, message] of [[1], [1], [0.5], [2, 10], [-1], [3, 10, 'm']] as const) {
          progress(value, total, message);
        }
      },
    });
    expect(await call('x', 'work')).toEqual([
      { method: '$/progress', params: { id: 'x', progress: 1 } },
      { method: '$/progress', params: { id: 'x', progress: 2, total: 10 } },
      { method: '$/progress', params: { id: 'x', progress: 3, total: 10, message: 'm' } },
      { id: 'x', result: null },
    ]);
  });

  it('no room -> the newest only, and none behind the answer', async () => {
    const { all, handler } = pending();
    const { call, session } = stage.answering({ wait: handler });
    await call(1, 'wait');
    await call(2, 'wait');
    session.hasRoom = false;
    for (let i = 0; i < 100; i++) for (const { context } of all) context.progress(i);
    all[0]!.resolve('a');
    await stage.settle();
    session.hasRoom = true;
    expect(session.takeSent()).toEqual([
      { id: 1, result: 'a' },
      { method: '$/progress', params: { id: 2, progress: 99 } },
    ]);
    all[1]!.resolve();
    await stage.settle();
  });

  it('after the answer, or when given up -> none', async () => {
    const contexts: CallContext[] = [];
    const { all, handler } = pending();
    const { call, ask } = stage.answering({
      wait: handler,
      add: (_, context) => void contexts.push(context),
      async *count(_: unknown, context: CallContext) {
        contexts.push(context);
        yield 1;
        context.progress(2);
      },
    });
    await call(1, 'add');
    contexts[0]!.progress(1);
    await call(2, 'wait');
    await ask({ method: '$/cancel', params: { id: 2 } });
    all[0]!.context.progress(1);
    await call(3, 'count');
    contexts[1]!.progress(3);
    expect(await ask(NOTHING)).toEqual([]);
  });

  it('a streamed result -> none behind it', async () => {
    const { session, ask } = stage.answering({
      async *count(_: unknown, { progress }: CallContext) {
        progress(1);
        yield 'item';
        progress(2);
      },
    });
    session.hasRoom = false;
    session.receive({ id: 1, method: 'count' });
    await stage.settle();
    session.hasRoom = true;
    expect((await ask(NOTHING)).map(({ method, result }) => method ?? result)).toEqual([
      { stream: 1 },
      '$/next',
      '$/end',
    ]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, '1', undefined])('%s -> TypeError', async (value) => {
    const { call, errors } = stage.answering({
      first: (_, { progress }) => progress(value as number),
      second: (_, { progress }) => value !== undefined && progress(1, value as number),
    });
    expect(await call(1, 'first')).toEqual([failed(1, RPC.INTERNAL_ERROR)]);
    await call(2, 'second');
    for (const [error] of errors) expect(error).toBeInstanceOf(TypeError);
    expect(errors).toHaveLength(value === undefined ? 1 : 2);
  });
});
