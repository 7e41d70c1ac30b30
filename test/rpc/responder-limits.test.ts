// What a peer may ask of us at once, and what is kept for one that does not read.
import { describe, expect, it } from 'vitest';
import { RPC } from '../../src/rpc/errors.js';
import { failed, pending, readAll, TestSource, useStage } from '../support/rpc-stage.js';

const stage = useStage();

describe('limits', () => {
  it('1,024 calls at once, and the next is refused', async () => {
    const { all, handler } = pending();
    const { call, peer, session } = stage.answering({ wait: handler, log: handler });
    for (let id = 1; id <= 1023; id++) session.receive({ id, method: 'wait' });
    session.receive({ method: 'log' });
    expect(peer.stats().callsIn).toBe(1024);
    expect(await call(2000, 'wait')).toEqual([failed(2000, RPC.OVERLOADED)]);
    session.receive({ method: 'log' });
    expect(all).toHaveLength(1024);
    all[0]!.resolve();
    await stage.settle();
    session.takeSent();
    expect(await call(2001, 'wait')).toEqual([]);
    expect(all).toHaveLength(1025);
    all.at(-1)!.resolve();
  });

  it('answers that have not left count', async () => {
    const { session, peer, call } = stage.answering({ add: () => 1 }, { limits: { calls: 2 } });
    session.hasRoom = false;
    for (const id of [1, 2, 3]) await call(id, 'add');
    expect(peer.stats().callsIn).toBe(2);
    session.hasRoom = true;
    expect(session.takeSent()).toEqual([
      { id: 1, result: 1 },
      { id: 2, result: 1 },
      failed(3, RPC.OVERLOADED),
    ]);
    expect(peer.stats().callsIn).toBe(0);
  });

  it('256 streams in params, and the next is refused with its call', async () => {
    const { all, handler } = pending();
    const { call, peer, ask } = stage.answering({ read: handler });
    const params = Array.from({ length: 256 }, (_, i) => ({ stream: i + 1 }));
    await call(1, 'read', params);
    expect(peer.stats().streamsIn).toBe(256);
    expect(await call(2, 'read', { a: { stream: 257 } })).toEqual([
      { method: '$/cancel', params: { s: 257, reason: 'too many streams' } },
      failed(2, RPC.OVERLOADED),
    ]);
    expect(all).toHaveLength(1);
    await ask({ method: '$/end', params: { s: 1 } });
    await call(3, 'read', { a: { stream: 258 } });
    expect(all).toHaveLength(2);
    for (const { resolve } of all) resolve();
    await stage.settle();
  });

  it('one call with too many streams -> all of them are cancelled', async () => {
    const { call, peer } = stage.answering({ read: () => 1 }, { limits: { streams: 1 } });
    expect(await call(1, 'read', [{ stream: 1 }, { stream: 2 }])).toEqual([
      { method: '$/cancel', params: { s: 2, reason: 'too many streams' } },
      { method: '$/cancel', params: { s: 1 } },
      failed(1, RPC.OVERLOADED),
    ]);
    expect(peer.stats().streamsIn).toBe(0);
  });

  it('256 streamed results, and the next is refused without being begun', async () => {
    const sources: TestSource[] = [];
    const { call, peer, ask } = stage.answering({
      stream() {
        sources.push(new TestSource());
        return sources.at(-1);
      },
    });
    for (let id = 1; id <= 256; id++) await call(id, 'stream');
    expect(peer.stats()).toMatchObject({ streamsOut: 256, callsIn: 0 });
    expect(await call(257, 'stream')).toEqual([failed(257, RPC.OVERLOADED)]);
    expect(sources[256]).toMatchObject({ asked: 0, returned: 1 });
    await ask({ method: '$/cancel', params: { s: 7 } });
    expect(await call(258, 'stream')).toEqual([{ id: 258, result: { stream: 257 } }]);
  });

  it('who does not read has no more kept for it than so much', async () => {
    const { session, ask } = stage.answering(
      { add: () => 1, read: (params) => void readAll(params.a).catch(() => {}) },
      { limits: { calls: 3, streams: 3 } },
    );
    session.hasRoom = false;
    const garbage = [
      'x',
      '[]',
      new Uint8Array(1),
      { id: 5 },
      { method: '$/next', params: { s: 2 ** 50, items: [1] } },
      { method: 'log', params: { a: { stream: 0 } } },
    ];
    let stream = 0;
    for (let i = 0; i < 1000; i++) {
      for (const message of garbage) session.receive(message);
      session.receive({ id: `add ${i}`, method: 'add' });
      session.receive({ id: `bad ${i}`, method: 5 });
      session.receive({ method: 'log', params: [{ stream: ++stream }] });
      session.receive({ id: `read ${i}`, method: 'read', params: { a: { stream: ++stream } } });
      session.receive({ method: '$/cancel', params: { id: `read ${i}` } });
      session.receive({ id: i, result: { stream: ++stream } });
    }
    await stage.settle();
    session.hasRoom = true;
    // Answers, refusals, cancelled streams.
    expect(session.takeSent().length).toBeLessThanOrEqual(3 * 3);
    expect(await ask({ id: 'last', method: 'add' })).toEqual([{ id: 'last', result: 1 }]);
  });
});
