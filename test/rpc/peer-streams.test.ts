import { describe, expect, it } from 'vitest';
import { RpcError } from '../../src/rpc/errors.js';
import type { RpcStream } from '../../src/rpc/stream.js';
import { IDLE, range, readAll, rejection, rpcError, useStage, yielding } from '../support/rpc-stage.js';

const stage = useStage();

describe('streams between two peers', () => {
  it('a result of thousands of items, in order', async () => {
    const { client, server } = stage.join({ handlers: { count: ([n]) => yielding(range(n)) } });
    expect(await readAll(await client.peer.call('count', [5000]))).toEqual(range(5000));
    expect([client.peer.stats(), server.peer.stats()]).toEqual([IDLE, IDLE]);
  });

  it('items larger than the window', async () => {
    const items = range(5).map((n) => String(n).repeat(300_000));
    const { client } = stage.join({ handlers: { blobs: () => yielding(items) } });
    expect(await readAll(await client.peer.call('blobs'))).toEqual(items);
  });

  it('nobody reads -> the producer waits; it is read -> the producer goes on', async () => {
    let yielded = 0;
    const { client } = stage.join({
      handlers: {
        async *count() {
          for (;;) yield yielded++;
        },
      },
    });
    const stream: RpcStream<number> = await client.peer.call('count');
    await stage.settle();
    expect(yielded).toBe(64);
    for (const _ of range(31)) await stream.next();
    await stage.settle();
    expect(yielded).toBe(64);
    await stream.next();
    await stage.settle();
    expect(yielded).toBe(96);
    await stream.cancel();
  });

  it('one that nobody reads does not hold up the others', async () => {
    const { client } = stage.join({ handlers: { count: () => yielding(range(1000)), add: () => 1 } });
    const slow: RpcStream<number> = await client.peer.call('count');
    await stage.settle();
    expect(await client.peer.call('add')).toBe(1);
    expect(await readAll(await client.peer.call('count'))).toHaveLength(1000);
    expect(await readAll(slow)).toHaveLength(1000);
  });

  it.each<[string, (stream: RpcStream<unknown>) => Promise<unknown>]>([
    [
      'break',
      async (stream) => {
        for await (const _ of stream) break;
      },
    ],
    ['return', (stream) => stream.return!()],
    ['cancel', (stream) => stream.cancel('enough')],
    [
      'throw',
      async (stream) => {
        const failing = async () => {
          for await (const _ of stream) throw new Error('mine');
        };
        await rejection(failing());
      },
    ],
    [
      'await using',
      async (stream) => {
        await using _ = stream;
      },
    ],
  ])('%s -> the producer’s finally runs', async (_, leave) => {
    let isLeft = false;
    const { client, server } = stage.join({
      handlers: {
        count: () =>
          yielding(range(1000), () => {
            isLeft = true;
          }),
      },
    });
    await leave(await client.peer.call('count'));
    await stage.settle();
    expect(isLeft).toBe(true);
    expect([client.peer.stats(), server.peer.stats()]).toEqual([IDLE, IDLE]);
  });

  it('an error of the producer comes behind the items before it', async () => {
    const { client } = stage.join({
      handlers: {
        async *count() {
          yield* range(100);
          throw new RpcError(5, 'no');
        },
      },
    });
    const items: unknown[] = [];
    const reading = async () => {
      for await (const item of await client.peer.call('count')) items.push(item);
    };
    expect(await rejection(reading())).toEqual(rpcError(5, 'no'));
    expect(items).toEqual(range(100));
  });

  it('several next() at once', async () => {
    const { client } = stage.join({ handlers: { count: () => yielding(range(3)) } });
    const stream: RpcStream<number> = await client.peer.call('count');
    const results = await Promise.all(range(5).map(() => stream.next()));
    expect(results.map(({ value }) => value)).toEqual([0, 1, 2, undefined, undefined]);
  });

  it('params that are streams', async () => {
    const { client } = stage.join({
      handlers: {
        async sum({ numbers, more }) {
          const all = [...(await readAll(numbers)), ...(await readAll(more))] as number[];
          return all.reduce((sum, n) => sum + n, 0);
        },
      },
    });
    const sum = client.peer.call('sum', { numbers: yielding(range(1000)), more: yielding([1, 2]) });
    expect(await sum).toBe(499_503);
  });

  it('both ways', async () => {
    const { client, server } = stage.join({
      handlers: {
        async *double({ numbers }) {
          for await (const number of numbers) yield number * 2;
        },
      },
    });
    const doubled = await client.peer.call('double', { numbers: yielding(range(500)) });
    expect(await readAll(doubled)).toEqual(range(500).map((n) => n * 2));
    expect([client.peer.stats(), server.peer.stats()]).toEqual([IDLE, IDLE]);
  });

  it('both ways, and the reader leaves -> both producers are told', async () => {
    const left: string[] = [];
    const { client, server } = stage.join({
      handlers: {
        async *double({ numbers }) {
          try {
            for await (const number of numbers) yield number * 2;
          } finally {
            left.push('server');
          }
        },
      },
    });
    const numbers = yielding(range(1000), () => left.push('client'));
    for await (const _ of await client.peer.call('double', { numbers })) break;
    await stage.settle();
    expect(left.sort()).toEqual(['client', 'server']);
    expect([client.peer.stats(), server.peer.stats()]).toEqual([IDLE, IDLE]);
  });

  it('opened and cancelled again and again -> nothing is left', async () => {
    const { client, server } = stage.join({ handlers: { count: () => yielding(range(1000)) } });
    for (const _ of range(500)) {
      for await (const _ of await client.peer.call('count')) break;
    }
    await stage.settle();
    expect([client.peer.stats(), server.peer.stats()]).toEqual([IDLE, IDLE]);
  });
});
