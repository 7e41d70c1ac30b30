import { describe, expect, it } from 'vitest';
import type { Carrier } from '../../src/rpc/carrier.js';
import { RPC } from '../../src/rpc/errors.js';
import { DEFAULT_LIMITS } from '../../src/rpc/limits.js';
import { Outbox } from '../../src/rpc/outbox.js';
import { Streams } from '../../src/rpc/streams.js';
import { turn } from '../support/events.js';
import { range, readAll, rejection, rpcError, TestSource } from '../support/rpc-stage.js';

function setUp(limits = {}) {
  const sent: object[] = [];
  const stage = { hasRoom: true };
  const carrier: Carrier = {
    get hasRoom() {
      return stage.hasRoom;
    },
    hasRoomFor: () => stage.hasRoom,
    maxBytes: 2 ** 20,
    send: (text) => {
      const { method, params } = JSON.parse(text);
      sent.push([method, params]);
    },
    fail() {},
    release() {},
  };
  const outbox = new Outbox(carrier);
  const overs: object[] = [];
  const streams: Streams = new Streams({
    outbox,
    limits: { ...DEFAULT_LIMITS, ...limits },
    maxBytes: 2 ** 20,
    describe: (error, method) => ({ code: 1, message: `${method}: ${(error as Error).message}` }),
    onOver: () => overs.push([streams.outgoing, streams.incoming]),
  });
  const makeRoom = () => {
    stage.hasRoom = true;
    outbox.flush();
    return sent.splice(0);
  };
  return { streams, sent, stage, overs, makeRoom };
}

describe('from the peer', () => {
  it('numbers rise, with gaps or without', () => {
    const { streams } = setUp();
    for (const number of [1, 2, 7]) streams.accept(number);
    expect(streams.incoming).toBe(3);
    for (const number of [7, 6, 1]) {
      expect(() => streams.accept(number)).toThrow(rpcError(RPC.INVALID_REQUEST));
    }
    expect(streams.incoming).toBe(3);
  });

  it('items and ends: taken, late, unannounced, overrun', async () => {
    const { streams, overs } = setUp();
    const stream = streams.accept(3);
    expect(streams.onNext(3, range(64), 100)).toBe('taken');
    expect(streams.onNext(3, [1], 100)).toBe('overrun');
    expect([streams.onNext(2, [1], 100), streams.onEnd(2, undefined)]).toEqual(['late', 'late']);
    expect([streams.onNext(4, [1], 100), streams.onEnd(4, undefined)]).toEqual([
      'unannounced',
      'unannounced',
    ]);
    expect(streams.onEnd(3, { code: 5, message: 'no', data: 1 })).toBe('taken');
    expect([streams.onNext(3, [1], 100), streams.onEnd(3, undefined)]).toEqual(['late', 'late']);
    expect(overs).toEqual([[0, 0]]);
    expect(await rejection(readAll(stream))).toMatchObject({ code: 5, data: 1, isRemote: true });
  });

  it('one too many -> refused, and its producer is told; there is room again when one is over', async () => {
    const { streams, sent } = setUp({ streams: 2 });
    const first = streams.accept(1);
    streams.accept(2);
    expect(() => streams.accept(3)).toThrow(rpcError(RPC.OVERLOADED));
    expect(sent).toEqual([['$/cancel', { s: 3, reason: 'too many streams' }]]);
    await first.cancel();
    streams.accept(4);
    expect(() => streams.accept(3)).toThrow(rpcError(RPC.INVALID_REQUEST));
  });

  it('one that nobody wants -> its producer is told, once', () => {
    const { streams, sent } = setUp();
    streams.refuse(2);
    streams.refuse(2);
    streams.refuse(1);
    expect(sent).toEqual([['$/cancel', { s: 2 }]]);
    expect(streams.onNext(2, [1], 100)).toBe('late');
  });

  it('who does not read is not told more than so often', () => {
    const { streams, stage, sent, makeRoom } = setUp({ calls: 2 });
    stage.hasRoom = false;
    for (let number = 1; number <= 100; number++) streams.refuse(number);
    expect(makeRoom()).toHaveLength(2);
    streams.refuse(101);
    expect(sent).toEqual([['$/cancel', { s: 101 }]]);
  });

  it('a grant of a stream that is over is not sent', async () => {
    const { streams, stage, makeRoom } = setUp();
    const stream = streams.accept(1);
    stage.hasRoom = false;
    streams.onNext(1, range(32), 100);
    for (const _ of range(32)) await stream.next();
    streams.onEnd(1, undefined);
    expect(makeRoom()).toEqual([]);
  });
});

describe('to the peer', () => {
  it('numbers rise by one; what the producer throws is told with its method', async () => {
    const { streams, sent, overs } = setUp();
    expect([streams.nextNumber(), streams.nextNumber()]).toEqual([1, 2]);
    const source = new TestSource();
    const log: boolean[] = [];
    streams.produce(2, source, 'count', (wasStopped) => log.push(wasStopped));
    source.fail(new Error('no'));
    await turn();
    expect(sent).toEqual([['$/end', { s: 2, error: { code: 1, message: 'count: no' } }]]);
    expect([log, overs]).toEqual([[false], [[0, 0]]]);
  });

  it('room for so many more', () => {
    const { streams } = setUp({ streams: 2 });
    streams.checkRoom(2);
    expect(() => streams.checkRoom(3)).toThrow(rpcError(RPC.OVERLOADED));
    streams.produce(1, new TestSource(), 'count');
    streams.checkRoom(1);
    expect(() => streams.checkRoom(2)).toThrow(rpcError(RPC.OVERLOADED));
    streams.stop(1);
    streams.checkRoom(2);
  });

  it('credit and cancellation for a number that is none -> nothing', () => {
    const { streams, sent } = setUp();
    streams.onCredit(5, 1, 1);
    streams.stop(5);
    streams.abandon(5, new Error());
    expect(sent).toEqual([]);
  });
});

describe('the end of it all', () => {
  it('readers have the error, producers are told', async () => {
    const { streams } = setUp();
    const stream = streams.accept(1);
    const source = new TestSource();
    streams.produce(1, source, 'count');
    streams.endAll(new Error('over'));
    expect(await rejection(stream.next())).toEqual(new Error('over'));
    expect(source.returned).toBe(1);
    expect([streams.incoming, streams.outgoing]).toEqual([0, 0]);
  });
});
