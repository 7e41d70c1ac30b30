import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/rpc/contract.js';
import { RPC, RpcError } from '../../src/rpc/errors.js';
import type { CallContext } from '../../src/rpc/incoming-call.js';
import type { RpcStream } from '../../src/rpc/stream.js';
import { failed, readAll, rpcError, TestSource, useStage, yielding } from '../support/rpc-stage.js';

const stage = useStage();

describe('streamed results', () => {
  it('the number, the items, the end', async () => {
    const { call, peer } = stage.answering({ count: ([n]) => yielding(Array(n).fill('x')) });
    expect(await call(1, 'count', [2])).toEqual([
      { id: 1, result: { stream: 1 } },
      { method: '$/next', params: { s: 1, items: ['x', 'x'] } },
      { method: '$/end', params: { s: 1 } },
    ]);
    expect(await call('b', 'count', [0])).toEqual([
      { id: 'b', result: { stream: 2 } },
      { method: '$/end', params: { s: 2 } },
    ]);
    expect(peer.stats()).toMatchObject({ callsIn: 0, streamsOut: 0 });
  });

  it('cancelled -> its finally runs, the signal is aborted, nothing more is sent', async () => {
    const contexts: CallContext[] = [];
    let isLeft = false;
    const { call, ask, peer } = stage.answering({
      count(_, context) {
        contexts.push(context);
        return yielding(Array(100), () => {
          isLeft = true;
        });
      },
    });
    await call(1, 'count');
    expect(isLeft).toBe(false);
    expect(await ask({ method: '$/cancel', params: { s: 1, reason: 'r' } })).toEqual([]);
    expect(isLeft).toBe(true);
    expect(contexts[0]!.signal.reason).toEqual(rpcError(RPC.CANCELLED));
    expect(peer.stats().streamsOut).toBe(0);
  });

  it('the producer fails -> its error ends the stream, as an answer would tell it', async () => {
    async function* failing(error: unknown) {
      yield 1;
      throw error;
    }
    const { call, errors } = stage.answering({
      mine: () => failing(new RpcError(5, 'm', { data: 1 })),
      other: () => failing(new Error('secret')),
    });
    expect((await call(1, 'mine')).slice(1)).toEqual([
      { method: '$/next', params: { s: 1, items: [1] } },
      { method: '$/end', params: { s: 1, error: { code: 5, message: 'm', data: 1 } } },
    ]);
    expect((await call(2, 'other')).at(-1)).toEqual({
      method: '$/end',
      params: { s: 2, error: { code: -32603, message: 'internal error' } },
    });
    expect(errors).toEqual([[new Error('secret'), { method: 'other' }]]);
  });

  it('$/cancel of its call -> ignored, because that is answered', async () => {
    const source = new TestSource();
    const { call, ask } = stage.answering({ count: () => source });
    await call(1, 'count');
    await ask({ method: '$/cancel', params: { id: 1 } });
    expect(source.returned).toBe(0);
  });
});

describe('streams in params', () => {
  it('the handler reads them, and the call goes on until it has its result', async () => {
    const { call, ask } = stage.answering({ sum: async ({ a }) => (await readAll(a)).length });
    expect(await call(1, 'sum', { a: { stream: 4 } })).toEqual([]);
    await ask({ method: '$/next', params: { s: 4, items: [1, 2] } });
    expect(await ask({ method: '$/end', params: { s: 4 } })).toEqual([{ id: 1, result: 2 }]);
  });

  it('a handler that does not read one cancels it with its answer', async () => {
    const { call } = stage.answering({ ignore: () => 'done' });
    expect(await call(1, 'ignore', { a: { stream: 1 }, b: { stream: 2 } })).toEqual([
      { method: '$/cancel', params: { s: 1 } },
      { method: '$/cancel', params: { s: 2 } },
      { id: 1, result: 'done' },
    ]);
  });

  it('so does one that fails, a call that is refused, and params that are not valid', async () => {
    const local = defineContract({
      sum: { params: z.object({ n: z.number() }), streams: { a: z.number() } },
    });
    const { call } = stage.answering(
      { fail: () => Promise.reject(new RpcError(5, 'm')), sum: () => 1 },
      { local },
    );
    const cancelled = (s: number) => ({ method: '$/cancel', params: { s } });
    expect(await call(1, 'fail', { a: { stream: 1 } })).toEqual([cancelled(1), failed(1, 5)]);
    expect(await call(2, 'unknown', { a: { stream: 2 } })).toEqual([
      cancelled(2),
      failed(2, RPC.METHOD_NOT_FOUND),
    ]);
    expect(await call(3, 'sum', { a: { stream: 3 }, n: 'x' })).toEqual([
      expect.objectContaining({ params: expect.objectContaining({ s: 3 }) }),
      failed(3, RPC.INVALID_PARAMS, expect.any(String), expect.anything()),
    ]);
  });

  it('the call is cancelled -> they end with -32800', async () => {
    const outcomes: unknown[] = [];
    const { call, ask } = stage.answering({
      read: ({ a }: { a: RpcStream<unknown> }) => readAll(a).catch((error) => outcomes.push(error)),
    });
    await call(1, 'read', { a: { stream: 1 } });
    await ask({ method: '$/cancel', params: { id: 1, reason: 'enough' } });
    expect(outcomes).toEqual([rpcError(RPC.CANCELLED, 'enough')]);
  });

  it('both ways -> while the result streams, params do, too', async () => {
    const { call, ask, peer } = stage.answering({
      async *double({ numbers }: { numbers: RpcStream<number> }) {
        for await (const number of numbers) yield number * 2;
      },
    });
    expect(await call(1, 'double', { numbers: { stream: 1 } })).toEqual([{ id: 1, result: { stream: 1 } }]);
    expect(await ask({ method: '$/next', params: { s: 1, items: [1, 2] } })).toEqual([
      { method: '$/next', params: { s: 1, items: [2, 4] } },
    ]);
    expect(await ask({ method: '$/end', params: { s: 1 } })).toEqual([{ method: '$/end', params: { s: 1 } }]);
    expect(peer.stats()).toEqual({ callsOut: 0, callsIn: 0, streamsOut: 0, streamsIn: 0 });
  });

  it('both ways, and the result is cancelled -> so are the params, and their reader is told', async () => {
    const outcomes: unknown[] = [];
    const { call, ask, peer } = stage.answering({
      async *double({ numbers }: { numbers: RpcStream<number> }) {
        try {
          for await (const number of numbers) yield number;
        } catch (error) {
          outcomes.push(error);
        }
      },
    });
    await call(1, 'double', { numbers: { stream: 1 } });
    expect(await ask({ method: '$/cancel', params: { s: 1 } })).toEqual([
      { method: '$/cancel', params: { s: 1 } },
    ]);
    expect(outcomes).toEqual([rpcError(RPC.CANCELLED)]);
    expect(peer.stats()).toMatchObject({ streamsOut: 0, streamsIn: 0 });
  });

  it.each([
    ['0', [{ stream: 1 }, { stream: 1 }]],
    ['1', [{ stream: 2 }, { stream: 1 }]],
  ])('a number that does not rise -> the call is refused, and all are cancelled %s', async (_, params) => {
    const { call, peer } = stage.answering({ read: () => 1 });
    const answers = await call(1, 'read', params);
    expect(answers.at(-1)).toEqual(failed(1, RPC.INVALID_REQUEST));
    expect(answers).toHaveLength(2);
    expect(peer.stats().streamsIn).toBe(0);
  });
});
