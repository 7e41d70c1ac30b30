import { describe, expect, it } from 'vitest';
import { MemoryIdempotencyStore } from '../../src/agent/idempotency.js';
import { RPC, RpcError } from '../../src/rpc/errors.js';
import {
  FakeSession,
  failed,
  NOTHING,
  pending,
  type TestHandlers,
  TestSource,
  useStage,
} from '../support/rpc-stage.js';

const stage = useStage();

describe('idempotency', () => {
  function withStore(handlers: TestHandlers, principal?: string) {
    const store = new MemoryIdempotencyStore({ environment: stage.environment });
    return stage.answering(handlers, {
      idempotency: { store, ...(principal !== undefined && { principal }) },
    });
  }
  const key = (idempotencyKey: string) => ({ idempotencyKey });

  it('the same key and method -> the work is done once', async () => {
    let runs = 0;
    const { call } = withStore({
      pay: (_, { idempotencyKey }) => `${idempotencyKey} ${++runs}`,
      add: () => ++runs,
    });
    expect(await call(1, 'pay', {}, key('a'))).toEqual([{ id: 1, result: 'a 1' }]);
    expect(await call(2, 'pay', { other: 1 }, key('a'))).toEqual([{ id: 2, result: 'a 1' }]);
    expect(await call(3, 'pay', {}, key('b'))).toEqual([{ id: 3, result: 'b 2' }]);
    expect(await call(4, 'add', {}, key('a'))).toEqual([{ id: 4, result: 3 }]);
    expect(await call(5, 'pay')).toEqual([{ id: 5, result: 'undefined 4' }]);
  });

  it('duplicates at the same time -> they share it', async () => {
    const { all, handler } = pending();
    const { call, ask } = withStore({ pay: handler });
    await call(1, 'pay', {}, key('a'));
    await call(2, 'pay', {}, key('a'));
    expect(all).toHaveLength(1);
    all[0]!.resolve('paid');
    expect(await ask(NOTHING)).toEqual(
      expect.arrayContaining([
        { id: 1, result: 'paid' },
        { id: 2, result: 'paid' },
      ]),
    );
  });

  it('an error frees the key', async () => {
    const { all, handler } = pending();
    const { call, ask } = withStore({ pay: handler });
    await call(1, 'pay', {}, key('a'));
    await call(2, 'pay', {}, key('a'));
    all[0]!.reject(new RpcError(5, 'no'));
    expect(await ask(NOTHING)).toEqual(expect.arrayContaining([failed(1, 5, 'no'), failed(2, 5, 'no')]));
    await call(3, 'pay', {}, key('a'));
    all[1]!.resolve('paid');
    expect(await ask(NOTHING)).toEqual([{ id: 3, result: 'paid' }]);
  });

  it('a stream as result -> -31006, and it is not begun', async () => {
    const source = new TestSource();
    const { call } = withStore({ pay: () => source });
    expect(await call(1, 'pay', {}, key('a'))).toEqual([failed(1, RPC.NOT_IDEMPOTENT)]);
    expect(source).toMatchObject({ asked: 0, returned: 1 });
  });

  it('no store -> -31006, and the work is not done', async () => {
    let runs = 0;
    const { call } = stage.answering({ pay: () => ++runs });
    expect(await call(1, 'pay', {}, key('a'))).toEqual([failed(1, RPC.NOT_IDEMPOTENT)]);
    expect(runs).toBe(0);
  });

  it('another principal has other keys', async () => {
    const store = new MemoryIdempotencyStore({ environment: stage.environment });
    let runs = 0;
    const handlers = { pay: () => ++runs };
    const anna = new FakeSession();
    anna.principal = 'anna';
    const results = [
      await stage.answering(handlers, { idempotency: { store } }, anna).call(1, 'pay', {}, key('a')),
      await stage
        .answering(handlers, { idempotency: { store, principal: 'bert' } })
        .call(1, 'pay', {}, key('a')),
      await stage.answering(handlers, { idempotency: { store } }).call(1, 'pay', {}, key('a')),
      await stage
        .answering(handlers, { idempotency: { store, principal: 'anna' } })
        .call(1, 'pay', {}, key('a')),
    ];
    expect(results.map(([answer]) => answer!.result)).toEqual([1, 2, 3, 1]);
  });

  it('no principal anywhere -> TypeError, as a key could be anybody’s', () => {
    const store = new MemoryIdempotencyStore({ environment: stage.environment });
    const session = new FakeSession();
    session.principal = undefined;
    expect(() => stage.alone({ idempotency: { store } }, session)).toThrow(TypeError);
    expect(() => stage.alone({ idempotency: { store, principal: '' } }, session)).not.toThrow();
  });

  it('all keys are in use -> -31002', async () => {
    const { all, handler } = pending();
    const store = new MemoryIdempotencyStore({ environment: stage.environment, maxEntries: 1 });
    const { call } = stage.answering({ pay: handler }, { idempotency: { store } });
    await call(1, 'pay', {}, key('a'));
    expect(await call(2, 'pay', {}, key('b'))).toEqual([failed(2, RPC.OVERLOADED)]);
    all[0]!.resolve();
    await stage.settle();
  });

  it('a store that fails -> "internal error"', async () => {
    const fail = () => Promise.reject(new Error('store'));
    const { call, errors } = stage.answering(
      { pay: () => 1 },
      { idempotency: { store: { claim: fail, complete: fail, release: fail } } },
    );
    expect(await call(1, 'pay', {}, key('a'))).toEqual([failed(1, RPC.INTERNAL_ERROR, 'internal error')]);
    expect(errors).toEqual([[new Error('store'), { id: 1, method: 'pay' }]]);
  });
});
