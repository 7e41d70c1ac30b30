import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/rpc/contract.js';
import { RPC, RpcError } from '../../src/rpc/errors.js';
import type { RpcStream } from '../../src/rpc/stream.js';
import { receiveParams, receiveResult } from '../../src/rpc/validation.js';
import { later, schemaOf, throwing } from './schemas.js';

/** As the peer's streams are: over once cancelled. */
class TestStream implements RpcStream<unknown> {
  readonly cancelled: Array<string | undefined> = [];
  readonly #items: unknown[];

  constructor(...items: unknown[]) {
    this.#items = items;
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.cancelled.length > 0 || this.#items.length === 0) return { done: true, value: undefined };
    return { done: false, value: this.#items.shift() };
  }

  async cancel(reason?: string): Promise<void> {
    this.cancelled.push(reason);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancel('disposed');
  }
}

const { add, ticks, sum, raw, log, now } = defineContract({
  add: { params: z.strictObject({ a: z.number(), b: z.number().default(2) }), result: v.number() },
  ticks: { items: z.string().transform((text) => text.length) },
  sum: {
    params: z.strictObject({ label: z.string() }),
    streams: { numbers: z.coerce.number(), more: v.number() },
  },
  raw: { streams: { numbers: z.number() } },
  log: { params: later, result: later },
  now: {},
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const invalid = (code: number, message: string | RegExp, issues: unknown[]) =>
  expect.objectContaining({
    name: 'RpcError',
    code,
    message: expect.stringMatching(message),
    data: { issues },
  });

async function collect(stream: unknown): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of stream as AsyncIterable<unknown>) items.push(item);
  return items;
}

describe('receiveParams', () => {
  it('valid params -> what the validator made of them, at once', () => {
    expect(receiveParams(add, { a: 1 })).toEqual({ a: 1, b: 2 });
  });

  it('invalid params -> INVALID_PARAMS with the issues', () => {
    const error = thrownBy(() => receiveParams(add, { a: 'x' }));
    const message = expect.stringMatching(/number/);
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toEqual(invalid(-32602, /^invalid params: a: .*number/, [{ path: ['a'], message }]));
  });

  it('no params where some are expected -> INVALID_PARAMS, which names no member', () => {
    const issues = [{ path: [], message: expect.any(String) }];
    const error = thrownBy(() => receiveParams(add, undefined));
    expect(error).toEqual(invalid(RPC.INVALID_PARAMS, /^invalid params: [^:]/, issues));
  });

  it('the contract has no params -> what came is left out', () => {
    expect(receiveParams(now, { a: 1 })).toBeUndefined();
  });

  it('an asynchronous validator -> a promise', async () => {
    const [valid, refused] = [receiveParams(log, 1), receiveParams(log, 'x')];
    expect([valid, refused]).toEqual([expect.any(Promise), expect.any(Promise)]);
    const issues = [{ path: [], message: 'no number' }];
    await expect(refused).rejects.toEqual(invalid(RPC.INVALID_PARAMS, 'invalid params: no number', issues));
    expect(await valid).toBe(1);
  });

  it('a validator throws or rejects -> so does this: it is a failure at this end, as that of a handler', async () => {
    expect(thrownBy(() => receiveParams({ params: throwing }, 1))).toEqual(new Error('SELECT secret'));
    const rejecting = schemaOf(() => Promise.reject(new Error('no database')));
    await expect(receiveParams({ params: rejecting }, 1)).rejects.toEqual(new Error('no database'));
  });

  it('a validator gives no reason -> INVALID_PARAMS all the same', () => {
    const error = thrownBy(() => receiveParams({ params: schemaOf(() => ({ issues: [] })) }, 1));
    expect(error).toEqual(invalid(RPC.INVALID_PARAMS, /^invalid params$/, []));
  });
});

describe('receiveParams, streams', () => {
  it('the contract has streams -> the schema of params does not see them; their items are validated', async () => {
    const params = { label: 'x', numbers: new TestStream('1', 2), more: new TestStream(3) };
    const { numbers, more, ...others } = receiveParams(sum, params) as typeof params;
    expect(others).toEqual({ label: 'x' });
    expect(await collect(numbers)).toEqual([1, 2]);
    expect(await collect(more)).toEqual([3]);
  });

  it('all params are streams -> no schema of params is needed, and nothing else comes through', async () => {
    const params = receiveParams(raw, { numbers: new TestStream(1), other: 2 });
    expect(Object.keys(params as object)).toEqual(['numbers']);
    expect(await collect((params as { numbers: unknown }).numbers)).toEqual([1]);
  });

  it('a validator freezes what it makes -> the streams are put into a copy', async () => {
    const params = z.object({ label: z.string() }).readonly();
    const schemas = { params, streams: { numbers: z.number() } };
    const received = receiveParams(schemas, { label: 'x', numbers: new TestStream(1) });
    expect(received).toMatchObject({ label: 'x', numbers: expect.anything() });
  });

  it('a stream is missing, or is a value -> INVALID_PARAMS', () => {
    const more = new TestStream();
    for (const others of [{}, { numbers: [1, 2] }]) {
      const error = thrownBy(() => receiveParams(sum, { label: 'x', more, ...others }));
      const issues = [{ path: ['numbers'], message: 'a stream was expected' }];
      expect(error).toEqual(invalid(RPC.INVALID_PARAMS, 'numbers: a stream was expected', issues));
    }
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['a list', [1]],
  ])('params are %s -> the streams are missing', (_name, params) => {
    const issues = [{ path: ['numbers'], message: 'a stream was expected' }];
    expect(thrownBy(() => receiveParams(raw, params))).toEqual(invalid(RPC.INVALID_PARAMS, '', issues));
  });

  it.each([
    ['a member', { a: 1, extra: new TestStream() }, 'extra'],
    ['an element', [new TestStream()], '0'],
    ['a member called like one of Object.prototype', { toString: new TestStream() }, 'toString'],
  ])('a stream that is not in the contract, %s -> INVALID_PARAMS', (_name, params, member) => {
    for (const schemas of [add, now]) {
      const issues = [{ path: [member], message: 'no stream was expected' }];
      expect(thrownBy(() => receiveParams(schemas, params))).toEqual(invalid(RPC.INVALID_PARAMS, '', issues));
    }
  });

  it('many such streams, with long names -> as few issues as from any validator', () => {
    const names = Array.from({ length: 100 }, (_, index) => `${index}`.padEnd(1000, 'k'));
    const params = Object.fromEntries(names.map((name) => [name, new TestStream()]));
    const { data } = thrownBy(() => receiveParams(now, params)) as RpcError;
    const { issues } = data as { issues: Array<{ path: string[] }> };
    expect(issues).toHaveLength(32);
    expect(issues[0]!.path[0]).toHaveLength(64);
  });

  it('the other params are not valid -> INVALID_PARAMS', () => {
    const params = { label: 1, numbers: new TestStream(1), more: new TestStream(2) };
    expect(() => receiveParams(sum, params)).toThrow('invalid params: label: ');
  });

  it('an item is not valid -> reading it throws INVALID_PARAMS, and the stream is cancelled and over', async () => {
    const source = new TestStream(1, 'x', 3);
    const { numbers } = receiveParams(raw, { numbers: source }) as { numbers: RpcStream<number> };
    expect(await numbers.next()).toEqual({ done: false, value: 1 });
    const issues = [{ path: ['numbers', 1], message: expect.stringMatching(/number/) }];
    await expect(numbers.next()).rejects.toEqual(invalid(RPC.INVALID_PARAMS, 'numbers.1: ', issues));
    expect(source.cancelled).toEqual(['invalid item']);
    expect(await numbers.next()).toEqual({ done: true, value: undefined });
  });

  it('the validator of items throws -> so does reading, and the stream is cancelled', async () => {
    const source = new TestStream(1);
    const schemas = { streams: { numbers: throwing } };
    const { numbers } = receiveParams(schemas, { numbers: source }) as { numbers: RpcStream<number> };
    await expect(numbers.next()).rejects.toEqual(new Error('SELECT secret'));
    expect(source.cancelled).toEqual(['invalid item']);
  });
});

describe('receiveResult', () => {
  it('a valid result -> what the validator made of it, at once', () => {
    expect(receiveResult(add, 3)).toBe(3);
  });

  it('an invalid result -> INVALID_RESULT with the issues', () => {
    const issues = [{ path: [], message: expect.stringMatching(/number/) }];
    expect(thrownBy(() => receiveResult(add, 'x'))).toEqual(
      invalid(-31005, /^invalid result: .*number/, issues),
    );
  });

  it('an asynchronous validator -> a promise', async () => {
    const [valid, refused] = [receiveResult(log, 1), receiveResult(log, 'x')];
    expect([valid, refused]).toEqual([expect.any(Promise), expect.any(Promise)]);
    const issues = [{ path: [], message: 'no number' }];
    await expect(refused).rejects.toEqual(invalid(RPC.INVALID_RESULT, 'invalid result: no number', issues));
    expect(await valid).toBe(1);
  });

  it('a validator throws -> INVALID_RESULT, with that as its cause', () => {
    const error = thrownBy(() => receiveResult({ result: throwing }, 1)) as RpcError;
    const issues = [{ path: [], message: 'the validator failed' }];
    expect(error).toEqual(invalid(RPC.INVALID_RESULT, 'invalid result: the validator failed', issues));
    expect(error.cause).toEqual(new Error('SELECT secret'));
  });

  it('the contract has no result -> what came is left out', () => {
    expect(receiveResult(now, 5)).toBeUndefined();
  });

  it('a stream that is not in the contract -> INVALID_RESULT', () => {
    const stream = new TestStream();
    const issues = [{ path: [], message: 'no stream was expected' }];
    for (const schemas of [add, now]) {
      expect(thrownBy(() => receiveResult(schemas, stream))).toEqual(invalid(RPC.INVALID_RESULT, '', issues));
    }
  });

  it('a value where the contract has a stream -> INVALID_RESULT', () => {
    const issues = [{ path: [], message: 'a stream was expected' }];
    expect(thrownBy(() => receiveResult(ticks, ['a']))).toEqual(invalid(RPC.INVALID_RESULT, '', issues));
  });
});

describe('receiveResult, a stream', () => {
  const received = (stream: TestStream, schemas: object = ticks) =>
    receiveResult(schemas, stream) as RpcStream<unknown>;

  it('items are what the validator made of them', async () => {
    expect(await collect(received(new TestStream('a', 'bb')))).toEqual([1, 2]);
  });

  it('an item is not valid -> reading it throws INVALID_RESULT, and the stream is cancelled', async () => {
    const source = new TestStream('a', 2);
    const issues = [{ path: [1], message: expect.stringMatching(/string/) }];
    await expect(collect(received(source))).rejects.toEqual(invalid(RPC.INVALID_RESULT, ': 1: ', issues));
    expect(source.cancelled).toEqual(['invalid item']);
  });

  it('an item is asked for before the one ahead of it is refused -> the stream is over', async () => {
    const source = new TestStream('x', 2, 'y');
    const stream = received(source, { items: later });
    const outcomes = await Promise.allSettled([stream.next(), stream.next(), stream.next()]);
    expect(outcomes).toEqual([
      { status: 'rejected', reason: expect.objectContaining({ code: RPC.INVALID_RESULT }) },
      { status: 'fulfilled', value: { done: true, value: undefined } },
      { status: 'fulfilled', value: { done: true, value: undefined } },
    ]);
    expect(source.cancelled).toEqual(['invalid item']);
  });

  it('the loop is left, or the stream is disposed of -> its source is cancelled', async () => {
    const [left, disposed] = [new TestStream('a', 'b'), new TestStream()];
    for await (const _ of received(left)) break;
    await received(disposed)[Symbol.asyncDispose]();
    expect(left.cancelled).toEqual([undefined]);
    expect(disposed.cancelled).toEqual([undefined]);
  });

  it('it is cancelled -> its source is, for the same reason', async () => {
    const source = new TestStream('a');
    await received(source).cancel('enough');
    expect(source.cancelled).toEqual(['enough']);
  });

  it('the source fails -> reading throws that', async () => {
    const source = new TestStream();
    const failure = new RpcError(RPC.LOST, 'the connection is lost');
    source.next = () => Promise.reject(failure);
    await expect(received(source).next()).rejects.toBe(failure);
  });
});
