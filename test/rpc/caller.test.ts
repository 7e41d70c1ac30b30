// Calls that a peer makes, against answers written by hand. Their deadlines and progress are in outgoing-call.test.ts.
import { describe, expect, it } from 'vitest';
import { RPC } from '../../src/rpc/errors.js';
import {
  FakeSession,
  fateOf,
  readAll,
  rejection,
  rpcError,
  TestSource,
  useStage,
  yielding,
} from '../support/rpc-stage.js';

const stage = useStage();

describe('a call', () => {
  it('method, params and key are sent; the result comes back', async () => {
    const { peer, session } = stage.alone();
    const call = peer.call('add', { a: 1, b: [2] }, { idempotencyKey: 'k' });
    expect(session.takeSent()).toEqual([
      { id: 1, method: 'add', params: { a: 1, b: [2] }, idempotencyKey: 'k' },
    ]);
    session.receive({ id: 1, result: { sum: 3 } });
    expect(await call).toEqual({ sum: 3 });
  });

  it.each<[unknown, object]>([
    [undefined, {}],
    [[], { params: [] }],
    [[undefined, 1], { params: [null, 1] }],
    [{}, { params: {} }],
    [{ a: { stream: 5 } }, { params: { a: { stream: null, value: { stream: 5 } } } }],
  ])('params %j', async (params, sent) => {
    const { peer, session } = stage.alone();
    peer.call('a', params);
    expect(session.takeSent()).toEqual([{ id: 1, method: 'a', ...sent }]);
  });

  it('results that look like streams are what they were', async () => {
    const { peer, session } = stage.alone();
    const calls = [peer.call('a'), peer.call('a'), peer.call('a')];
    session.receive({ id: 1, result: { stream: null, value: { stream: 5 } } });
    session.receive({ id: 2, result: null });
    session.receive({ id: 3, result: { stream: 1, more: 1 } });
    expect(await Promise.all(calls)).toEqual([{ stream: 5 }, null, { stream: 1, more: 1 }]);
  });

  it('ids are integers; answers come in whatever order', async () => {
    const { peer, session } = stage.alone();
    const calls = [peer.call('a'), peer.call('b')];
    expect(session.takeSent().map(({ id }) => id)).toEqual([1, 2]);
    session.receive({ id: 2, result: 'b' });
    session.receive({ id: 1, result: 'a' });
    expect(await Promise.all(calls)).toEqual(['a', 'b']);
  });

  it('an answer with an unknown id, or a second one, is ignored', async () => {
    const { peer, session, errors } = stage.alone();
    const call = peer.call('a');
    for (const id of [2, '1', 0]) {
      session.receive({ id, result: 'wrong' });
      session.receive({ id, error: { code: 1, message: 'wrong' } });
    }
    expect(await fateOf(call)).toBe('pending');
    session.receive({ id: 1, result: 'right' });
    session.receive({ id: 1, result: 'wrong' });
    session.receive({ id: 1, error: { code: 1, message: 'wrong' } });
    expect(await call).toBe('right');
    expect(errors).toEqual([]);
    session.takeSent();
    expect(session.takeSent()).toEqual([]);
  });

  it('an error -> RpcError with code, message and data', async () => {
    const { peer, session } = stage.alone();
    const calls = [peer.call('a'), peer.call('a')];
    session.receive({ id: 1, error: { code: 5, message: 'no', data: { a: 1 } } });
    session.receive({ id: 2, error: { code: -32603, message: '' } });
    expect(await rejection(calls[0]!)).toEqual(rpcError(5, 'no', { a: 1 }));
    expect(await rejection(calls[1]!)).toMatchObject({ code: -32603, data: undefined });
  });
});

describe('what cannot be sent', () => {
  it.each<[string, unknown, number]>([
    ['a number', 5, RPC.INVALID_PARAMS],
    ['null', null, RPC.INVALID_PARAMS],
    ['text', 'x', RPC.INVALID_PARAMS],
    ['a function', () => {}, RPC.INVALID_PARAMS],
    ['a BigInt', { a: 5n }, RPC.INVALID_PARAMS],
    ['what JSON makes a text', new Date(0), RPC.INVALID_PARAMS],
    ['a stream', yielding([]), RPC.INVALID_PARAMS],
    ['too much', ['x'.repeat(2 ** 20)], RPC.TOO_LARGE],
  ])('%s as params -> rejected, nothing is sent', async (_, params, code) => {
    const { peer, session } = stage.alone();
    expect(await rejection(peer.call('a', params))).toEqual(rpcError(code));
    expect(await rejection(peer.notify('a', params))).toEqual(rpcError(code));
    expect(session.takeSent()).toEqual([]);
    expect(peer.stats().callsOut).toBe(0);
  });

  it('params that refer to themselves -> rejected, with the reason', async () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const { peer } = stage.alone();
    const error = await rejection(peer.call('a', circular));
    expect(error).toEqual(rpcError(RPC.INVALID_PARAMS));
    expect(error.cause).toBeInstanceOf(TypeError);
  });

  it('a message may be as long as the limit, and as the session takes', async () => {
    const session = new FakeSession();
    session.maxBytes = 1000;
    const { peer } = stage.alone({ limits: { messageBytes: 2000 } }, session);
    const rest = '{"jsonrpc":"2.0","id":1,"method":"a","params":[""]}'.length;
    peer.call('a', ['x'.repeat(1000 - rest)]);
    expect(session.sent[0]).toHaveLength(1000);
    expect(await rejection(peer.call('a', ['x'.repeat(1000 - rest + 1)]))).toEqual(
      rpcError(RPC.TOO_LARGE, 'the message has a length of 1001, and at most 1000 may be sent'),
    );
  });

  it.each(['$/cancel', '$/mine'])('%s -> TypeError: the name is the protocol’s', async (method) => {
    const { peer, session } = stage.alone();
    expect(await rejection(peer.call(method))).toBeInstanceOf(TypeError);
    expect(await rejection(peer.notify(method))).toBeInstanceOf(TypeError);
    expect(() => peer.handle(method, () => {})).toThrow(TypeError);
    expect(session.takeSent()).toEqual([]);
  });

  it.each<object>([
    { timeoutMs: 0 },
    { timeoutMs: -1 },
    { timeoutMs: Number.NaN },
    { maxTotalMs: 0 },
    { idempotencyKey: '' },
    { idempotencyKey: 'x'.repeat(1025) },
    { idempotencyKey: 5 },
  ])('options %j -> RangeError', async (options) => {
    const { peer, session } = stage.alone();
    expect(await rejection(peer.call('a', {}, options))).toBeInstanceOf(RangeError);
    expect(session.takeSent()).toEqual([]);
  });

  it('a key of 1,024 characters is sent', async () => {
    const { peer, session } = stage.alone();
    peer.call('a', undefined, { idempotencyKey: 'x'.repeat(1024) });
    expect(session.takeSent()).toHaveLength(1);
  });
});

describe('limits', () => {
  it('1,024 calls at once, and the next is refused here', async () => {
    const { peer, session } = stage.alone();
    const calls = Array.from({ length: 1024 }, () => peer.call('a'));
    expect(await rejection(peer.call('a'))).toEqual(rpcError(RPC.OVERLOADED));
    expect(session.takeSent()).toHaveLength(1024);
    session.receive({ id: 5, result: 'free' });
    expect(await calls[4]).toBe('free');
    peer.call('a');
    expect(session.takeSent()).toEqual([{ id: 1025, method: 'a' }]);
  });

  it('256 streams in params, and the next is refused here, without being begun', async () => {
    const { peer, session } = stage.alone();
    const sources = Array.from({ length: 257 }, () => new TestSource());
    peer.call('a', sources.slice(0, 256));
    expect(peer.stats()).toMatchObject({ callsOut: 1, streamsOut: 256 });
    session.takeSent();
    expect(await rejection(peer.call('a', { last: sources[256] }))).toEqual(rpcError(RPC.OVERLOADED));
    expect(sources[256]!.asked).toBe(0);
    expect(session.takeSent()).toEqual([]);
    session.receive({ method: '$/cancel', params: { s: 1 } });
    peer.call('a', { last: sources[256] });
    expect(session.takeSent()).toEqual([{ id: 2, method: 'a', params: { last: { stream: 258 } } }]);
  });

  it('256 streamed results, and the next is cancelled and its call fails', async () => {
    const { peer, session } = stage.alone();
    for (let i = 1; i <= 257; i++) {
      const call = peer.call('a');
      session.takeSent();
      session.receive({ id: i, result: { stream: i } });
      if (i <= 256) await call;
      else expect(await rejection(call)).toEqual(rpcError(RPC.OVERLOADED));
    }
    expect(session.takeSent()).toEqual([
      { method: '$/cancel', params: { s: 257, reason: 'too many streams' } },
    ]);
    expect(peer.stats()).toMatchObject({ callsOut: 0, streamsIn: 256 });
  });
});

describe('cancellation', () => {
  it('sent already -> the peer is told, and a late answer is ignored', async () => {
    const { peer, session, errors } = stage.alone();
    const controller = new AbortController();
    const call = peer.call('a', {}, { signal: controller.signal });
    session.takeSent();
    controller.abort('mine');
    const error = await rejection(call);
    expect(error).toEqual(rpcError(RPC.CANCELLED, 'a: the call was cancelled'));
    expect(error.cause).toBe('mine');
    expect(session.takeSent()).toEqual([{ method: '$/cancel', params: { id: 1, reason: 'aborted' } }]);
    session.receive({ id: 1, result: 'late' });
    session.receive({ method: '$/progress', params: { id: 1, progress: 1 } });
    expect(session.takeSent()).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('before it began -> nothing is sent', async () => {
    const { peer, session } = stage.alone();
    const error = await rejection(peer.call('a', {}, { signal: AbortSignal.abort('mine') }));
    expect(error).toMatchObject({ code: RPC.CANCELLED, cause: 'mine' });
    expect(session.takeSent()).toEqual([]);
  });

  it('while it waits for room -> it is never sent', async () => {
    const { peer, session } = stage.alone();
    session.hasRoom = false;
    const controller = new AbortController();
    const source = new TestSource();
    const call = peer.call('a', { source }, { signal: controller.signal });
    peer.call('b');
    source.give(1);
    await stage.settle();
    controller.abort();
    expect(await rejection(call)).toEqual(rpcError(RPC.CANCELLED));
    session.hasRoom = true;
    await stage.settle();
    expect(session.takeSent()).toEqual([{ id: 2, method: 'b' }]);
    expect(source.returned).toBe(1);
  });

  it('after the answer -> nothing; no listener is left on the signal', async () => {
    const { peer, session } = stage.alone();
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    const call = peer.call('a', {}, { signal });
    const stream = peer.call('b', {}, { signal });
    expect(listeners).toBe(2);
    session.takeSent();
    session.receive({ id: 1, result: 1 });
    session.receive({ id: 2, result: { stream: 1 } });
    expect(await call).toBe(1);
    session.receive({ method: '$/end', params: { s: 1 } });
    expect(await readAll(await stream)).toEqual([]);
    expect(listeners).toBe(0);
    controller.abort();
    expect(session.takeSent()).toEqual([]);
  });

  it('what waits for a result of nobody’s does not end the process', async () => {
    const { peer, session } = stage.alone();
    peer.call('a');
    peer.call('b', 5);
    session.receive({ id: 1, error: { code: 5, message: 'no' } });
    await stage.settle();
  });
});

describe('notify', () => {
  it('sent, and settled when it has left', async () => {
    const { peer, session } = stage.alone();
    await peer.notify('log', { line: 'x' });
    await peer.notify('log');
    expect(session.takeSent()).toEqual([{ method: 'log', params: { line: 'x' } }, { method: 'log' }]);
    session.hasRoom = false;
    const waiting = peer.notify('log');
    expect(await fateOf(waiting)).toBe('pending');
    session.hasRoom = true;
    expect(await fateOf(waiting)).toBeUndefined();
  });

  it('it never left -> -31003, surely not processed', async () => {
    const { peer, session } = stage.alone();
    session.hasRoom = false;
    const waiting = peer.notify('log');
    session.end(new Error('gone'));
    expect(await rejection(waiting)).toEqual(rpcError(RPC.LOST, expect.any(String), { outcome: 'not-sent' }));
    expect(await rejection(peer.notify('log'))).toEqual(
      rpcError(RPC.LOST, expect.any(String), { outcome: 'not-sent' }),
    );
  });

  it('a stream -> TypeError, and it is not begun', async () => {
    const { peer, session } = stage.alone();
    const source = new TestSource();
    expect(await rejection(peer.notify('log', [source]))).toBeInstanceOf(TypeError);
    expect(source.asked).toBe(0);
    expect(session.takeSent()).toEqual([]);
  });
});
