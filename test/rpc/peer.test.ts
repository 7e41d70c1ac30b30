// What users have, with two peers that are joined. Their streams, their end and their diagnostics are in peer-*.test.ts.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { debug } from '../../src/agent/debug.js';
import type { Session } from '../../src/agent/session.js';
import { defineContract } from '../../src/rpc/contract.js';
import { RPC, RpcError } from '../../src/rpc/errors.js';
import { RpcPeer } from '../../src/rpc/peer.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import {
  FakeSession,
  fateOf,
  IDLE,
  range,
  rejection,
  rpcError,
  TestSource,
  untilAborted,
  useStage,
  yielding,
} from '../support/rpc-stage.js';

const stage = useStage();

describe('two peers', () => {
  it('both call, and both are called', async () => {
    const { client, server } = stage.join(
      { handlers: { add: ({ a, b }) => a + b, ask: async (_, { peer }) => `${await peer.call('name')}?` } },
      { handlers: { name: () => 'client' } },
    );
    expect(await client.peer.call('add', { a: 1, b: 2 })).toBe(3);
    expect(await client.peer.call('ask')).toBe('client?');
    expect(await server.peer.call('name')).toBe('client');
    expect(await rejection(client.peer.call('name'))).toEqual(rpcError(RPC.METHOD_NOT_FOUND));
  });

  it('many calls at once', async () => {
    const { client } = stage.join({ handlers: { double: ([n]) => n * 2 } });
    const results = await Promise.all(range(1000).map((n) => client.peer.call('double', [n])));
    expect(results).toEqual(range(1000).map((n) => n * 2));
  });

  it('an error of a handler -> the caller has what it may know', async () => {
    const { client, server } = stage.join({
      handlers: {
        fail: () => Promise.reject(new Error('secret')),
        refuse: () => Promise.reject(new RpcError(5, 'no', { data: { a: 1 } })),
      },
    });
    expect(await rejection(client.peer.call('fail'))).toEqual(rpcError(-32603, 'internal error'));
    expect(server.errors).toEqual([[new Error('secret'), { id: 1, method: 'fail' }]]);
    const error = await rejection(client.peer.call('refuse'));
    expect(error).toEqual(rpcError(5, 'no', { a: 1 }));
    expect(error.cause).toBeUndefined();
  });

  it('params that are not valid -> the caller knows where', async () => {
    const contract = defineContract({ add: { params: z.object({ a: z.number() }), result: z.number() } });
    const { client } = stage.join({ local: contract, handlers: { add: ({ a }) => a } }, { remote: contract });
    expect(await client.peer.call('add', { a: 5 })).toBe(5);
    const error = await rejection(client.peer.call('add', { a: 'x' }));
    expect(error).toEqual(rpcError(RPC.INVALID_PARAMS));
    expect(error.data).toEqual({ issues: [{ path: ['a'], message: expect.any(String) }] });
  });

  it('progress', async () => {
    const { client } = stage.join({
      handlers: {
        async work(_, { progress }) {
          for (const n of range(3)) progress(n, 3, `step ${n}`);
          return 'done';
        },
      },
    });
    const all: unknown[] = [];
    expect(await client.peer.call('work', {}, { onProgress: (each) => all.push(each) })).toBe('done');
    expect(all).toEqual(range(3).map((n) => ({ progress: n, total: 3, message: `step ${n}` })));
  });

  it('cancelled -> the handler’s signal', async () => {
    const reasons: unknown[] = [];
    const { client, server } = stage.join({
      handlers: {
        wait: (params, context) => untilAborted(params, context).catch((reason) => void reasons.push(reason)),
      },
    });
    const controller = new AbortController();
    const call = client.peer.call('wait', {}, { signal: controller.signal });
    await stage.settle();
    controller.abort();
    expect(await rejection(call)).toEqual(rpcError(RPC.CANCELLED));
    await stage.settle();
    expect(reasons).toEqual([rpcError(RPC.CANCELLED, 'aborted')]);
    expect([client.peer.stats(), server.peer.stats()]).toEqual([IDLE, IDLE]);
  });
});

describe('what a peer tells of itself', () => {
  it('stats() and debug.active()', async () => {
    const { peer, session, call } = stage.answering({
      wait: untilAborted,
      count: () => yielding(range(100)),
    });
    expect(peer.stats()).toEqual(IDLE);
    peer.call('a', [new TestSource()]);
    const streamed = peer.call('a');
    session.receive({ id: 2, result: { stream: 1 } });
    await streamed;
    await call(1, 'wait');
    await call(2, 'count');
    await stage.pass(500);
    const stats = { callsOut: 1, callsIn: 1, streamsOut: 2, streamsIn: 1 };
    expect(peer.stats()).toEqual(stats);
    expect(debug.active()).toEqual([
      { kind: 'rpc peer', id: undefined, state: 'open', ageMs: 500, ...stats },
    ]);
    await peer.close();
    expect(debug.active()).toEqual([]);
    expect(peer.describe()).toMatchObject({ state: 'closed' });
    await stage.settle();
  });

  it('events -> nobody has to listen', async () => {
    const session = new FakeSession();
    const peer = new RpcPeer(
      session as unknown as Session,
      { handlers: { fail: () => Promise.reject(new Error()) } } as never,
      new FakeEnvironment(),
    );
    session.receive('x');
    session.receive({ id: 1, method: 'fail' });
    await stage.settle();
    expect(session.takeSent()).toHaveLength(2);
    await peer.close();
  });

  it('on, once and off', async () => {
    const { peer, session } = stage.alone();
    const log: string[] = [];
    const listener = () => log.push('on');
    peer.on('error', listener).once('error', () => log.push('once'));
    session.receive('x');
    session.receive('x');
    peer.off('error', listener);
    session.receive('x');
    expect(log).toEqual(['on', 'once', 'on']);
  });

  it('the session is lost -> told, with what was in flight rejected; the peer goes on', async () => {
    const { peer, session } = stage.alone();
    const log: unknown[] = [];
    peer.on('lost', (error) => log.push(error));
    const call = peer.call('a');
    session.takeSent();
    session.lose('gone');
    expect(log).toEqual([rpcError(RPC.LOST, 'the session is lost: gone')]);
    expect(await rejection(call)).toEqual(
      rpcError(RPC.LOST, 'the session is lost: gone', { outcome: 'unknown' }),
    );
    const next = peer.call('b');
    expect(session.takeSent()).toEqual([{ id: 1, method: 'b' }]);
    session.receive({ id: 1, result: 'new' });
    expect(await next).toBe('new');
    expect(peer.isClosed).toBe(false);
  });
});

describe('options', () => {
  const make = (options: object, session = new FakeSession()) =>
    new RpcPeer(session as unknown as Session, options, new FakeEnvironment());

  it.each([{ calls: 0 }, { streams: -1 }, { idLength: 1.5 }, { messageBytes: Number.NaN }])(
    'limits %j -> RangeError, and nothing is left',
    (limits) => {
      const session = new FakeSession();
      expect(() => make({ limits }, session)).toThrow(RangeError);
      expect([debug.active(), session.listenersLeft]).toEqual([[], 0]);
    },
  );

  it.each([{ policy: 'drop-oldest' }, { policy: 'error' }, { resend: 'unsent' }, { resend: 'all' }])(
    'a session with %j -> TypeError, and nothing is left',
    (change) => {
      const session = new FakeSession();
      Object.assign(session, change);
      expect(() => make({}, session)).toThrow(TypeError);
      expect([debug.active(), session.listenersLeft]).toEqual([[], 0]);
    },
  );

  it('a session that is over already -> closed, and told', async () => {
    const session = new FakeSession();
    session.state = 'closed';
    const { peer } = stage.alone({}, session);
    const log: unknown[] = [];
    peer.on('close', (end) => log.push(end));
    expect(await fateOf(peer.call('a'))).toBe(RPC.LOST);
    expect(log).toEqual([{ error: undefined }]);
    expect(peer.isClosed).toBe(true);
  });
});
