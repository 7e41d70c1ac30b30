// Streams of calls that a peer makes, and results that are held against a contract.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/rpc/contract.js';
import { RPC } from '../../src/rpc/errors.js';
import {
  type FakeSession,
  readAll,
  rejection,
  rpcError,
  TestSource,
  useStage,
  yielding,
} from '../support/rpc-stage.js';

const stage = useStage();

describe('streamed results', () => {
  it('items, and the end', async () => {
    const { peer, session } = stage.alone();
    const call = peer.call('count');
    session.takeSent();
    session.receive({ id: 1, result: { stream: 1 } });
    session.receive({ method: '$/next', params: { s: 1, items: ['a'] } });
    const stream = await call;
    session.receive({ method: '$/next', params: { s: 1, items: ['b', null] } });
    session.receive({ method: '$/end', params: { s: 1 } });
    expect(await readAll(stream)).toEqual(['a', 'b', null]);
    expect(session.takeSent()).toEqual([]);
    expect(peer.stats()).toEqual({ callsOut: 0, callsIn: 0, streamsOut: 0, streamsIn: 0 });
  });

  it('the signal ends one that has begun', async () => {
    const { peer, session } = stage.alone();
    const controller = new AbortController();
    const call = peer.call('count', {}, { signal: controller.signal });
    session.takeSent();
    session.receive({ id: 1, result: { stream: 1 } });
    const stream = await call;
    const reading = rejection(stream.next());
    controller.abort('mine');
    expect(await reading).toMatchObject({ code: RPC.CANCELLED, cause: 'mine' });
    expect(session.takeSent()).toEqual([{ method: '$/cancel', params: { s: 1, reason: 'aborted' } }]);
  });

  it('a result that is none -> the streams that went along end, whether or not the peer says so', async () => {
    const { peer, session } = stage.alone();
    const source = new TestSource();
    const call = peer.call('sum', { numbers: source });
    session.receive({ id: 1, result: 3 });
    expect(await call).toBe(3);
    expect(peer.stats().streamsOut).toBe(0);
    expect(source.returned).toBe(1);
  });

  it('one of a call that was given up -> its producer is told', async () => {
    const { peer, session } = stage.alone();
    const controller = new AbortController();
    const call = peer.call('count', {}, { signal: controller.signal });
    controller.abort();
    await rejection(call);
    session.takeSent();
    session.receive({ id: 1, result: { stream: 1 } });
    session.receive({ method: '$/next', params: { s: 1, items: [1] } });
    session.receive({ method: '$/end', params: { s: 1 } });
    expect(session.takeSent()).toEqual([{ method: '$/cancel', params: { s: 1 } }]);
    session.receive({ id: 1, result: { stream: 1 } });
    expect(session.takeSent()).toEqual([]);
    expect(peer.stats().streamsIn).toBe(0);
  });

  it('a number that does not rise -> that call fails', async () => {
    const { peer, session } = stage.alone();
    const calls = [peer.call('a'), peer.call('a')];
    session.receive({ id: 1, result: { stream: 2 } });
    session.receive({ id: 2, result: { stream: 2 } });
    await calls[0];
    expect(await rejection(calls[1]!)).toEqual(
      rpcError(RPC.INVALID_REQUEST, 'stream 2 comes after stream 2'),
    );
    expect(peer.stats()).toMatchObject({ callsOut: 0, streamsIn: 1 });
  });
});

describe('streams in params', () => {
  it('the numbers rise, and items follow', async () => {
    const { peer, session } = stage.alone();
    const call = peer.call('sum', { a: yielding([1, 2]), n: 5, b: yielding([3]) });
    await stage.settle();
    expect(session.takeSent()).toEqual([
      { id: 1, method: 'sum', params: { a: { stream: 1 }, n: 5, b: { stream: 2 } } },
      { method: '$/next', params: { s: 1, items: [1, 2] } },
      { method: '$/next', params: { s: 2, items: [3] } },
      { method: '$/end', params: { s: 1 } },
      { method: '$/end', params: { s: 2 } },
    ]);
    session.receive({ id: 1, result: 6 });
    expect(await call).toBe(6);
  });

  it('no room -> items do not overtake the call that announces them', async () => {
    const { peer, session } = stage.alone();
    session.hasRoom = false;
    peer.call('sum', [yielding([1])]);
    await stage.settle();
    session.hasRoom = true;
    await stage.settle();
    expect(session.takeSent().map(({ method }) => method)).toEqual(['sum', '$/next', '$/end']);
  });

  it('the result is a stream, too -> they go on until the peer cancels them', async () => {
    const { peer, session } = stage.alone();
    const source = new TestSource();
    const call = peer.call('sum', { source });
    session.takeSent();
    session.receive({ id: 1, result: { stream: 1 } });
    await call;
    source.give(1);
    await stage.settle();
    expect(session.takeSent()).toEqual([{ method: '$/next', params: { s: 1, items: [1] } }]);
    session.receive({ method: '$/cancel', params: { s: 1 } });
    expect(source.returned).toBe(1);
    expect(peer.stats().streamsOut).toBe(0);
  });

  it.each<[string, (session: FakeSession, controller: AbortController) => void]>([
    ['failed', (session) => session.receive({ id: 1, error: { code: 5, message: 'no' } })],
    ['was cancelled', (_, controller) => controller.abort()],
    ['is in time no more', () => stage.environment.advance(60_050)],
  ])('the call %s -> their finally runs', async (_, end) => {
    const { peer, session } = stage.alone();
    const controller = new AbortController();
    let isLeft = false;
    const endless = yielding(Array(1000), () => {
      isLeft = true;
    });
    const call = peer.call('sum', [endless], { signal: controller.signal });
    await stage.settle();
    end(session, controller);
    await rejection(call);
    await stage.settle();
    expect(isLeft).toBe(true);
    expect(peer.stats()).toMatchObject({ callsOut: 0, streamsOut: 0 });
  });

  it('one that fails -> its error goes to the handler; here it is an event', async () => {
    async function* failing() {
      yield 1;
      throw new Error('mine');
    }
    const { peer, session, errors } = stage.alone();
    peer.call('sum', [failing()]);
    await stage.settle();
    expect(session.takeSent().at(-1)).toEqual({
      method: '$/end',
      params: { s: 1, error: { code: -32603, message: 'internal error' } },
    });
    expect(errors).toEqual([[new Error('mine'), { method: 'sum' }]]);
  });
});

describe('validation', () => {
  const remote = defineContract({
    add: { result: z.number() },
    later: { result: z.number().refine(async (n) => n > 0) },
    ticks: { items: z.string() },
    nothing: {},
  });

  it.each(['add', 'later'])('%s: a result that is not valid -> -31005, here', async (method) => {
    const { peer, session } = stage.alone({ remote });
    const calls = [peer.call(method), peer.call(method)];
    session.takeSent();
    session.receive({ id: 1, result: 5 });
    session.receive({ id: 2, result: 'x' });
    expect(await calls[0]).toBe(5);
    expect(await rejection(calls[1]!)).toEqual(rpcError(RPC.INVALID_RESULT));
    expect(session.takeSent()).toEqual([]);
  });

  it.each(['add', 'later', 'nothing'])('%s: a stream that is none -> cancelled', async (method) => {
    const { peer, session } = stage.alone({ remote });
    const call = peer.call(method);
    session.takeSent();
    session.receive({ id: 1, result: { stream: 1 } });
    expect(await rejection(call)).toEqual(rpcError(RPC.INVALID_RESULT));
    expect(session.takeSent()).toEqual([{ method: '$/cancel', params: expect.objectContaining({ s: 1 }) }]);
    expect(peer.stats()).toMatchObject({ callsOut: 0, streamsIn: 0 });
  });

  it('an item that is not valid -> -31005, and the stream is cancelled', async () => {
    const { peer, session } = stage.alone({ remote });
    const call = peer.call('ticks');
    session.takeSent();
    session.receive({ id: 1, result: { stream: 1 } });
    session.receive({ method: '$/next', params: { s: 1, items: ['a', 5] } });
    const stream = await call;
    expect(await stream.next()).toEqual({ done: false, value: 'a' });
    expect(await rejection(stream.next())).toEqual(rpcError(RPC.INVALID_RESULT));
    expect(session.takeSent()).toHaveLength(1);
  });

  it('given up while it is validated -> its stream is cancelled, and nothing is settled twice', async () => {
    const { peer, session } = stage.alone({ remote });
    const controller = new AbortController();
    const call = peer.call('later', {}, { signal: controller.signal });
    session.takeSent();
    session.receive({ id: 1, result: 5 });
    controller.abort();
    expect(await rejection(call)).toEqual(rpcError(RPC.CANCELLED));
    await stage.settle();
    expect(peer.stats().callsOut).toBe(0);
  });
});
