// What calls and streams leave behind: nothing, however many there were, and however often the connection was cut meanwhile.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { debug } from '../../../src/agent/debug.js';
import { wheelOf } from '../../../src/agent/timer-wheel.js';
import { RPC, RpcPeer } from '../../../src/rpc/index.js';
import { rejection, rpcStage } from '../../support/rpc-stage.js';
import { sessionStage } from '../../support/session-stage.js';
import { turn } from '../../support/tcp.js';
import { numbersTo } from './service.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Of the heap that is in use, once finalizers and what hangs on promises are through. */
async function heapBytes(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    collectGarbage();
    await turn();
  }
  return process.memoryUsage().heapUsed;
}

const MIB = 2 ** 20;
const IDLE = { callsOut: 0, callsIn: 0, streamsOut: 0, streamsIn: 0 };

async function pair() {
  const stage = sessionStage();
  const { client: session, session: serverSession } = await stage.open();
  const client = new RpcPeer(session, {}, stage.environment);
  const server = new RpcPeer(serverSession, {}, stage.environment);
  let open = 0;
  server.handle('add', ({ a, b }) => a + b);
  server.handle('slow', async (_params, { progress }) => {
    progress(1);
    await turn();
    return 'done';
  });
  server.handle(
    'hold',
    (_params, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  );
  server.handle('endless', async function* () {
    open++;
    try {
      yield* numbersTo(Number.MAX_SAFE_INTEGER);
    } finally {
      open--;
    }
  });
  server.handle('first', async ({ items }) => {
    for await (const item of items) return item;
  });
  /** Nothing may be left but the two ends themselves. */
  const measure = async () => {
    await stage.pass(1000);
    const { connections } = stage.network;
    connections.splice(0, connections.length - 1);
    // What links note for tests.
    for (const link of Object.values(connections[0]!)) if ('sent' in link) link.sent.length = 0;
    expect([client.stats(), server.stats(), open]).toEqual([IDLE, IDLE, 0]);
    return {
      heap: await heapBytes(),
      timers: wheelOf(stage.environment).size,
      active: debug.active().length,
    };
  };
  const end = async (): Promise<void> => {
    const closed = client.close();
    await stage.pass(1000);
    await closed;
    expect([client.isClosed, server.isClosed]).toEqual([true, true]);
    await stage.end();
  };
  return { stage, client, server, measure, end };
}

/** Runs `task` until what it costs once is there, and then so often: nothing may have been added. */
async function repeat(times: number, task: (client: RpcPeer) => Promise<unknown>): Promise<void> {
  const { stage, client, measure, end } = await pair();
  const run = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += 100) {
      const tasks = Promise.all(Array.from({ length: 100 }, () => task(client)));
      let isDone = false;
      tasks.finally(() => (isDone = true)).catch(() => {});
      while (!isDone) await stage.pass(5);
      await tasks;
    }
  };
  await run(times / 5);
  const before = await measure();
  await run(times);
  const after = await measure();
  expect(after.heap - before.heap).toBeLessThan(MIB);
  expect({ ...after, heap: 0 }).toEqual({ ...before, heap: 0 });
  await end();
}

describe('nothing is left of', () => {
  const timeout = 120_000;

  it('10,000 streams opened and left', { timeout }, () =>
    repeat(10_000, async (client) => {
      for await (const item of await client.call('endless')) if (item === 1) return;
      throw new Error('wrong');
    }),
  );

  it('10,000 argument streams of which one item is read', { timeout }, () =>
    repeat(10_000, async (client) => {
      const items = numbersTo(Number.MAX_SAFE_INTEGER);
      if ((await client.call('first', { items })) !== 1) throw new Error('wrong');
    }),
  );

  it('10,000 calls that are given up', { timeout }, () =>
    repeat(10_000, async (client) => {
      const given = new AbortController();
      const call = client.call('hold', {}, { signal: given.signal });
      await turn();
      given.abort();
      const code = await call.catch((error) => error.code);
      if (code !== RPC.CANCELLED) throw new Error('wrong');
    }),
  );

  it('100,000 calls', { timeout }, () =>
    repeat(100_000, async (client) => {
      if ((await client.call('add', { a: 1, b: 2 })) !== 3) throw new Error('wrong');
    }),
  );

  it('500 drops with calls and streams in flight', { timeout }, async () => {
    const { stage, client, measure, end } = await pair();
    const run = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done++) {
        const calls = [
          client.call('add', { a: 1, b: 2 }),
          client.call('slow', {}, { onProgress: () => {} }),
          client.call('first', { items: numbersTo(3) }),
          client.call('endless').then((stream) => stream.cancel()),
        ];
        let isDone = false;
        Promise.all(calls).then(() => (isDone = true));
        await stage.pass(done % 3);
        stage.network.cut();
        while (!isDone) await stage.pass(100);
      }
    };
    await run(200);
    const before = await measure();
    await run(500);
    const after = await measure();
    expect(after.heap - before.heap).toBeLessThan(MIB);
    expect({ ...after, heap: 0 }).toEqual({ ...before, heap: 0 });
    await end();
  });

  it('5,000 sessions that were lost with a call in flight each way', { timeout }, async () => {
    const stage = rpcStage();
    let ends: (() => void)[] = [];
    const hold = () => new Promise<void>((resolve) => ends.push(resolve));
    const { session, peer } = stage.alone({ handlers: { hold } });
    const run = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done++) {
        const call = rejection(peer.call('hold'));
        session.receive({ id: 1, method: 'hold' });
        session.lose();
        if ((await call).code !== RPC.LOST) throw new Error('wrong');
        for (const end of ends) end();
        ends = [];
      }
      session.sent.length = 0;
      await turn();
    };
    await run(1000);
    const before = await heapBytes();
    await run(5000);
    expect((await heapBytes()) - before).toBeLessThan(MIB);
    expect(peer.stats()).toEqual(IDLE);
    await stage.end();
  });
});

it('a handler that ignores its signal counts until it ends', async () => {
  const { stage, client, server, end } = await pair();
  const ends: (() => void)[] = [];
  server.handle('stubborn', () => new Promise<void>((resolve) => ends.push(resolve)));
  const given = new AbortController();
  client.call('stubborn', {}, { signal: given.signal });
  await stage.pass(10);
  given.abort();
  await stage.pass(10);
  expect([client.stats(), server.stats()]).toEqual([IDLE, { ...IDLE, callsIn: 1 }]);
  ends[0]!();
  await stage.pass(10);
  expect(server.stats()).toEqual(IDLE);
  // Also when the conversation is over.
  client.call('stubborn');
  await stage.pass(10);
  await end();
  expect(server.stats()).toEqual({ ...IDLE, callsIn: 1 });
  ends[1]!();
  await turn();
  expect(server.stats()).toEqual(IDLE);
});
