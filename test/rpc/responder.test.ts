// Calls that come to a peer, from messages written by hand. Their cancellation and progress are in incoming-call.test.ts.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/rpc/contract.js';
import { CallError, RPC, RpcError } from '../../src/rpc/errors.js';
import type { CallContext } from '../../src/rpc/incoming-call.js';
import {
  FakeSession,
  failed,
  NOTHING,
  pending,
  rpcError,
  TestSource,
  useStage,
} from '../support/rpc-stage.js';

const stage = useStage();

describe('a call', () => {
  it('params go to the handler, its result comes back', async () => {
    const { call } = stage.answering({ add: ({ a, b }) => a + b, later: async ([a]) => ({ a }) });
    expect(await call(1, 'add', { a: 1, b: 2 })).toEqual([{ id: 1, result: 3 }]);
    expect(await call('x', 'later', [5])).toEqual([{ id: 'x', result: { a: 5 } }]);
  });

  it('a result of nothing is null; one that looks like a stream is wrapped', async () => {
    const { call } = stage.answering({
      nothing: () => undefined,
      function: () => () => {},
      lookalike: () => ({ stream: 5 }),
    });
    expect(await call(1, 'nothing')).toEqual([{ id: 1, result: null }]);
    expect(await call(2, 'function')).toEqual([{ id: 2, result: null }]);
    expect(await call(3, 'lookalike')).toEqual([{ id: 3, result: { stream: null, value: { stream: 5 } } }]);
  });

  it('answers come when they are there, in whatever order', async () => {
    const { all, handler } = pending();
    const { call, ask } = stage.answering({ wait: handler });
    await call(1, 'wait');
    await call(2, 'wait');
    all[1]!.resolve('b');
    all[0]!.resolve('a');
    expect(await ask(NOTHING)).toEqual([
      { id: 2, result: 'b' },
      { id: 1, result: 'a' },
    ]);
  });

  it.each(['unknown', '', 'toString', '__proto__', 'constructor', '$/cancel'])(
    'no such method: %j',
    async (method) => {
      const { call, errors } = stage.answering({ add: () => 1 });
      expect(await call(1, method)).toEqual([failed(1, RPC.METHOD_NOT_FOUND, 'there is no such method')]);
      expect(errors).toEqual([[rpcError(RPC.METHOD_NOT_FOUND), { id: 1 }]]);
    },
  );

  it('handle and unhandle -> from now on; a call in flight goes on', async () => {
    const { all, handler } = pending();
    const { call, ask, peer } = stage.answering({});
    expect(peer.handle('wait', handler)).toBe(peer);
    await call(1, 'wait');
    expect(peer.unhandle('wait')).toBe(peer);
    expect(await call(2, 'wait')).toEqual([failed(2, RPC.METHOD_NOT_FOUND)]);
    all[0]!.resolve(5);
    expect(await ask(NOTHING)).toEqual([{ id: 1, result: 5 }]);
  });

  it('the context -> id, method, key, peer', async () => {
    const contexts: CallContext[] = [];
    const { call, peer, ask } = stage.answering({ note: (_, context) => void contexts.push(context) });
    await call('7', 'note');
    await ask({ method: 'note' });
    expect(contexts.map(({ id, method, idempotencyKey }) => [id, method, idempotencyKey])).toEqual([
      ['7', 'note', undefined],
      [undefined, 'note', undefined],
    ]);
    expect(contexts[0]!.peer).toBe(peer);
    expect(contexts[0]!.signal.aborted).toBe(false);
  });

  it('a thenable is a promise, and only its first word counts', async () => {
    const { all, handler } = pending();
    const words: ((value: unknown) => void)[] = [];
    const { call, ask, peer } = stage.answering({
      wait: handler,
      // biome-ignore lint/suspicious/noThenProperty: that is what it is about
      talk: () => ({ then: (resolve: (value: unknown) => void) => words.push(resolve) }),
    });
    await call(1, 'talk');
    words[0]!('first');
    expect(await ask(NOTHING)).toEqual([{ id: 1, result: 'first' }]);
    await call(1, 'wait');
    words[0]!('second');
    expect(await ask(NOTHING)).toEqual([]);
    expect(peer.stats().callsIn).toBe(1);
    all[0]!.resolve();
    await stage.settle();
  });
});

describe('ids', () => {
  it('that of a call in flight -> refused with id null, and the call goes on', async () => {
    const { all, handler } = pending();
    const { call, errors, ask } = stage.answering({ wait: handler });
    await call(1, 'wait');
    expect(await call(1, 'wait')).toEqual([failed(null, RPC.INVALID_REQUEST, expect.any(String), { id: 1 })]);
    expect(errors).toEqual([[rpcError(RPC.INVALID_REQUEST), { id: 1 }]]);
    expect(await call('1', 'unknown')).toEqual([failed('1', RPC.METHOD_NOT_FOUND)]);
    all[0]!.resolve('first');
    expect(await ask(NOTHING)).toEqual([{ id: 1, result: 'first' }]);
    expect(all).toHaveLength(1);
  });

  it.each([
    { id: 1, method: 5 },
    { id: 1, method: 'wait', params: 5 },
    { id: 1, method: 'wait', idempotencyKey: 5 },
    `{"jsonrpc":"2.0","id":1,"method":"wait","params":["${'x'.repeat(2000)}"]}`,
  ])('no refusal is taken for the answer of a call in flight %#', async (message) => {
    const { all, handler } = pending();
    const { call, ask } = stage.answering({ wait: handler }, { limits: { messageBytes: 2000 } });
    await call(1, 'wait');
    expect(await ask(message)).toEqual([failed(null, expect.any(Number) as never)]);
    all[0]!.resolve();
  });

  it('that of a call that was answered is free again', async () => {
    const { call } = stage.answering({ add: () => 1 });
    expect(await call(1, 'add')).toEqual(await call(1, 'add'));
  });

  it('that of a call given up is free when its handler has ended', async () => {
    const ends: (() => void)[] = [];
    const { call, ask } = stage.answering({
      stubborn: () => new Promise<void>((resolve) => ends.push(resolve)),
    });
    await call(1, 'stubborn');
    await ask({ method: '$/cancel', params: { id: 1 } });
    expect(await call(1, 'stubborn')).toEqual([
      failed(null, RPC.INVALID_REQUEST, expect.any(String), { id: 1 }),
    ]);
    ends[0]!();
    await stage.settle();
    expect(await call(1, 'stubborn')).toEqual([]);
    ends[1]!();
    await stage.settle();
  });

  it('of 1,024 characters -> taken; of 1,025 -> refused', async () => {
    const { call } = stage.answering({ add: () => 1 });
    const id = 'x'.repeat(1024);
    expect(await call(id, 'add')).toEqual([{ id, result: 1 }]);
    expect(await call(`${id}x`, 'add')).toEqual([failed(null, RPC.INVALID_REQUEST)]);
  });
});

describe('errors', () => {
  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('SELECT secret');
      },
    ],
    ['rejects', () => Promise.reject(new Error('SELECT secret'))],
  ])('a handler that %s -> "internal error" and nothing else; here all of it', async (_, handler) => {
    const { call, errors } = stage.answering({ fail: handler });
    expect(await call(1, 'fail')).toEqual([{ id: 1, error: { code: -32603, message: 'internal error' } }]);
    expect(errors).toEqual([[new Error('SELECT secret'), { id: 1, method: 'fail' }]]);
  });

  it.each([undefined, null, 'text', { code: 5, message: 'no RpcError' }])(
    'a handler that throws %j -> the same',
    async (thrown) => {
      const { call, errors } = stage.answering({
        fail() {
          throw thrown;
        },
      });
      expect(await call(1, 'fail')).toEqual([failed(1, RPC.INTERNAL_ERROR, 'internal error')]);
      expect(errors).toEqual([[thrown, { id: 1, method: 'fail' }]]);
    },
  );

  it('an RpcError -> code, message and data; neither cause nor stack, which are told here', async () => {
    const error = Object.assign(new RpcError(-5, 'no', { data: { a: 1 }, cause: new Error('secret') }), {
      secret: 1,
    });
    const { session, errors } = stage.answering({ fail: () => Promise.reject(error) });
    session.receive({ id: 1, method: 'fail' });
    await stage.settle();
    expect(session.sent).toEqual([
      '{"jsonrpc":"2.0","id":1,"error":{"code":-5,"message":"no","data":{"a":1}}}',
    ]);
    expect(errors).toEqual([[error, { id: 1, method: 'fail' }]]);
  });

  it('an RpcError without a cause -> nothing more to tell', async () => {
    const { call, errors } = stage.answering({ fail: () => Promise.reject(new RpcError(-5, 'no')) });
    expect(await call(1, 'fail')).toEqual([failed(1, -5, 'no')]);
    expect(errors).toEqual([]);
  });

  it('an RpcError of another peer -> "internal error": to our caller it would tell of something else', async () => {
    const other = stage.alone();
    const { call, ask, errors } = stage.answering({ pass: () => other.peer.call('add') });
    await call(1, 'pass');
    other.session.receive({ id: 1, error: { code: 5, message: 'no', data: 'secret' } });
    expect(await ask(NOTHING)).toEqual([{ id: 1, error: { code: -32603, message: 'internal error' } }]);
    expect(errors[0]).toEqual([rpcError(5, 'no', 'secret'), { id: 1, method: 'pass' }]);
  });

  it.each(['not sent', 'given up', 'too late', 'stream'])(
    'an error of a call of its own, %s -> what happened elsewhere stays here',
    async (kind) => {
      const other = stage.alone();
      const { call, ask, errors } = stage.answering({
        fail: async () => {
          if (kind === 'not sent') await other.peer.call('a', { big: 2n } as never);
          if (kind === 'given up') await other.peer.call('a', {}, { signal: AbortSignal.abort() });
          if (kind === 'too late') await other.peer.call('a', {}, { timeoutMs: 50 });
          const stream = other.peer.call('a') as Promise<AsyncIterable<unknown>>;
          other.session.receive({ id: 1, result: { stream: 1 } });
          other.session.receive({ method: '$/end', params: { s: 1, error: { code: 5, message: 'secret' } } });
          for await (const _ of await stream);
        },
      });
      const atOnce = await call(1, 'fail');
      await stage.pass(200);
      expect([...atOnce, ...(await ask(NOTHING))]).toEqual([
        { id: 1, error: { code: -32603, message: 'internal error' } },
      ]);
      expect(errors).toEqual([[expect.any(CallError), { id: 1, method: 'fail' }]]);
    },
  );

  it.each([RPC.OVERLOADED, RPC.CANCELLED, RPC.INVALID_PARAMS, RPC.LOST])(
    'a code of its own, %d -> as it is',
    async (code) => {
      const { call } = stage.answering({
        fail: () => Promise.reject(new RpcError(code, 'm', { data: { retryAfterMs: 5 } })),
      });
      expect(await call(1, 'fail')).toEqual([failed(1, code, 'm', { retryAfterMs: 5 })]);
    },
  );

  it.each(['E', Number.NaN, 1.5, undefined])('a code that is none: %j -> "internal error"', async (code) => {
    const { call, errors } = stage.answering({
      fail: () => Promise.reject(new RpcError(code as never, 'm')),
    });
    expect(await call(1, 'fail')).toEqual([failed(1, RPC.INTERNAL_ERROR, 'internal error')]);
    expect(errors).toHaveLength(1);
  });

  it('data that JSON does not hold, or that are too long -> the answer comes without them', async () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const { call } = stage.answering(
      {
        fail: ([kind]) =>
          Promise.reject(new RpcError(5, 'm', { data: kind === 1 ? circular : 'x'.repeat(1000) })),
      },
      { limits: { messageBytes: 1000 } },
    );
    expect(await call(1, 'fail', [1])).toEqual([{ id: 1, error: { code: 5, message: 'm' } }]);
    expect(await call(2, 'fail', [2])).toEqual([{ id: 2, error: { code: 5, message: 'm' } }]);
  });

  it.each<[string, unknown]>([
    ['a BigInt', { a: 5n }],
    [
      'a member that throws',
      {
        get a() {
          throw new Error('secret');
        },
      },
    ],
  ])('a result that JSON does not hold: %s -> "internal error"', async (_, result) => {
    const { call, errors } = stage.answering({ fail: () => result });
    expect(await call(1, 'fail')).toEqual([failed(1, RPC.INTERNAL_ERROR, 'internal error')]);
    expect(errors).toHaveLength(1);
  });

  it('a result of any depth -> sent, or "internal error"; the peer goes on', async () => {
    const { call, ask } = stage.answering({ echo: (params) => params, add: () => 1 });
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const [answer] = await ask(`{"jsonrpc":"2.0","id":1,"method":"echo","params":${deep}}`);
    expect(answer).toEqual(failed(1, RPC.INTERNAL_ERROR, 'internal error'));
    expect(await call(2, 'add')).toEqual([{ id: 2, result: 1 }]);
  });

  it('a result that is too large -> that call fails', async () => {
    const { call } = stage.answering({ repeat: ([n]) => 'x'.repeat(n) }, { limits: { messageBytes: 100 } });
    const [first] = await call(1, 'repeat', [100 - '{"jsonrpc":"2.0","id":1,"result":""}'.length]);
    expect(first).toMatchObject({ id: 1, result: expect.any(String) });
    expect(await call(1, 'repeat', [100 - '{"jsonrpc":"2.0","id":1,"result":""}'.length + 1])).toEqual([
      failed(1, RPC.TOO_LARGE, 'the result has a length of 101, and at most 100 may be sent'),
    ]);
  });

  it('the session takes less than the limit -> that counts', async () => {
    const session = new FakeSession();
    session.maxBytes = 200;
    const { call } = stage.answering({ repeat: ([n]) => 'x'.repeat(n) }, {}, session);
    expect(await call(1, 'repeat', [200])).toEqual([failed(1, RPC.TOO_LARGE)]);
  });
});

describe('validation', () => {
  const local = defineContract({
    add: { params: z.object({ a: z.number() }), result: z.number() },
    later: { params: z.object({ a: z.number().refine(async (n) => n > 0) }), result: z.number() },
  });

  it.each(['add', 'later'])('%s: params that are not valid -> -32602, with where', async (method) => {
    const { call } = stage.answering({ add: ({ a }) => a, later: ({ a }) => a }, { local });
    expect(await call(1, method, { a: 2, b: 1 })).toEqual([{ id: 1, result: 2 }]);
    expect(await call(2, method, { a: 'x' })).toEqual([
      failed(2, RPC.INVALID_PARAMS, expect.stringContaining('invalid params: a: '), {
        issues: [{ path: ['a'], message: expect.any(String) }],
      }),
    ]);
    expect(await call(3, method)).toEqual([
      failed(3, RPC.INVALID_PARAMS, expect.any(String), expect.anything()),
    ]);
  });

  it('a method that is not in the contract is unchecked', async () => {
    const { call } = stage.answering({ other: (params) => params }, { local });
    expect(await call(1, 'other', ['x'])).toEqual([{ id: 1, result: ['x'] }]);
  });
});

describe('notifications', () => {
  it('the handler runs; nothing is answered', async () => {
    const all: unknown[] = [];
    const { ask, errors } = stage.answering({ log: (params) => all.push(params) });
    expect(await ask({ method: 'log', params: { a: 1 } })).toEqual([]);
    expect(await ask({ method: 'log' })).toEqual([]);
    expect(all).toEqual([{ a: 1 }, undefined]);
    expect(errors).toEqual([]);
  });

  it('no such method, or a handler that fails -> only an event', async () => {
    const { ask, errors, session } = stage.answering({ fail: () => Promise.reject(new Error('mine')) });
    expect(await ask({ method: 'unknown' })).toEqual([]);
    expect(await ask({ method: 'fail' })).toEqual([]);
    expect(errors).toEqual([
      [rpcError(RPC.METHOD_NOT_FOUND), { method: 'unknown' }],
      [new Error('mine'), { method: 'fail' }],
    ]);
    expect(session.failure).toBeUndefined();
  });

  it('streams that come with one are cancelled', async () => {
    const { ask, errors } = stage.answering({ log: () => {} });
    expect(await ask({ method: 'log', params: { a: { stream: 1 }, b: { stream: 2 } } })).toEqual([
      { method: '$/cancel', params: { s: 1 } },
      { method: '$/cancel', params: { s: 2 } },
    ]);
    expect(errors).toEqual([[rpcError(RPC.INVALID_REQUEST), { method: 'log' }]]);
  });

  it('a stream that it returns is not begun', async () => {
    const source = new TestSource();
    const { ask } = stage.answering({ log: () => source });
    expect(await ask({ method: 'log' })).toEqual([]);
    expect(source).toMatchObject({ asked: 0, returned: 1 });
  });

  it('it has no progress', async () => {
    const { ask } = stage.answering({ log: (_, { progress }) => progress(1) });
    expect(await ask({ method: 'log' })).toEqual([]);
  });
});
