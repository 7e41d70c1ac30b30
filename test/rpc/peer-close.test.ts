// What is left when a peer is closed: nothing.
import { describe, expect, it } from 'vitest';
import { debug } from '../../src/agent/debug.js';
import { RPC } from '../../src/rpc/errors.js';
import type { CallContext } from '../../src/rpc/incoming-call.js';
import type { RpcStream } from '../../src/rpc/stream.js';
import {
  IDLE,
  range,
  readAll,
  rejection,
  rpcError,
  TestSource,
  untilAborted,
  useStage,
  yielding,
} from '../support/rpc-stage.js';

const stage = useStage();

describe('close', () => {
  it('all that is in flight ends, at both ends, and nothing is left', async () => {
    const reasons: unknown[] = [];
    const wait = (params: unknown, context: CallContext) =>
      untilAborted(params, context).catch((reason) => void reasons.push(reason));
    const source = new TestSource();
    const handlers = {
      wait,
      count: () => yielding(range(1000)),
      read: ({ a }: { a: RpcStream<unknown> }) => readAll(a),
    };
    const { client, server } = stage.join({ handlers }, { handlers });
    const calls = [
      client.peer.call('wait'),
      server.peer.call('wait'),
      client.peer.call('read', { a: source }),
    ];
    const stream: RpcStream<number> = await client.peer.call('count');
    await stage.settle();
    expect(server.peer.stats()).toEqual({ callsOut: 1, callsIn: 2, streamsOut: 1, streamsIn: 1 });
    client.session.hasRoom = false;
    const unsent = client.peer.call('wait');
    await client.peer.close();
    for (const call of calls) {
      expect(await rejection(call)).toEqual(rpcError(RPC.LOST, expect.any(String), { outcome: 'unknown' }));
    }
    expect(await rejection(unsent)).toEqual(rpcError(RPC.LOST, expect.any(String), { outcome: 'not-sent' }));
    expect(await rejection(readAll(stream))).toEqual(
      rpcError(RPC.LOST, expect.any(String), { outcome: 'unknown' }),
    );
    await stage.settle();
    expect(reasons).toEqual([rpcError(RPC.LOST), rpcError(RPC.LOST)]);
    expect(source.returned).toBe(1);
    for (const { peer, session } of [client, server]) {
      expect(peer.isClosed).toBe(true);
      expect(peer.stats()).toEqual(IDLE);
      expect(session.listenersLeft).toBe(0);
    }
    expect(debug.active()).toEqual([]);
    expect(stage.environment.pendingTimers).toBe(0);
  });

  it('afterwards -> calls are rejected, surely not processed; closing again does nothing', async () => {
    const { peer, session } = stage.alone();
    await peer.close();
    const log: unknown[] = [];
    peer.on('close', (end) => log.push(end));
    await peer.close();
    expect(log).toEqual([]);
    expect(session.state).toBe('closed');
    expect(await rejection(peer.call('a'))).toEqual(
      rpcError(RPC.LOST, expect.any(String), { outcome: 'not-sent' }),
    );
    expect(await rejection(peer.notify('a'))).toEqual(
      rpcError(RPC.LOST, expect.any(String), { outcome: 'not-sent' }),
    );
  });

  it('a handler that goes on counts until it has ended', async () => {
    const ends: (() => void)[] = [];
    const { call, peer, session } = stage.answering({
      stubborn: () => new Promise<void>((resolve) => ends.push(resolve)),
    });
    await call(1, 'stubborn');
    await peer.close();
    expect(peer.stats().callsIn).toBe(1);
    ends[0]!();
    await stage.settle();
    expect(peer.stats().callsIn).toBe(0);
    expect(session.takeSent()).toEqual([]);
  });

  it('an answer that has not left is lost, and does not count', async () => {
    const { call, peer, session } = stage.answering({ add: () => 1 });
    session.hasRoom = false;
    await call(1, 'add');
    expect(peer.stats().callsIn).toBe(1);
    await peer.close();
    expect(peer.stats().callsIn).toBe(0);
    expect(session.sent).toEqual([]);
  });

  it('the event -> once, without an error where it was wanted, and no event follows', async () => {
    const { peer, session } = stage.alone();
    const log: unknown[] = [];
    peer.on('close', (end) => log.push(end));
    peer.on('error', () => log.push('error'));
    await peer.close();
    session.receive('x');
    expect(log).toEqual([{ error: undefined }]);
    expect(peer.listenerCount('close')).toBe(0);
  });

  it('the session ends by itself -> the event has the reason', async () => {
    const { peer, session } = stage.alone();
    const log: unknown[] = [];
    peer.on('close', (end) => log.push(end));
    session.end(new Error('gone'));
    expect(log).toEqual([{ error: new Error('gone') }]);
    expect(peer.isClosed).toBe(true);
  });

  it('await using', async () => {
    const { peer } = stage.alone();
    {
      await using _ = peer;
    }
    expect(peer.isClosed).toBe(true);
  });

  it('the signal -> closed; no listener is left on it when the peer is closed before', async () => {
    const controller = new AbortController();
    const { peer, session } = stage.alone({ signal: controller.signal });
    controller.abort();
    expect([peer.isClosed, session.state]).toEqual([true, 'closed']);
    expect(stage.alone({ signal: AbortSignal.abort() }).peer.isClosed).toBe(true);

    const { signal } = new AbortController();
    const listeners = new Set<unknown>();
    signal.addEventListener = (_: string, listener: unknown) => void listeners.add(listener);
    signal.removeEventListener = (_: string, listener: unknown) => void listeners.delete(listener);
    const other = stage.alone({ signal });
    expect(listeners.size).toBe(1);
    await other.peer.close();
    expect(listeners.size).toBe(0);
  });
});
