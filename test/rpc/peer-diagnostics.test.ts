import { channel } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';
import { defineContract } from '../../src/rpc/contract.js';
import { RPC, RpcError } from '../../src/rpc/errors.js';
import { RpcPeer } from '../../src/rpc/peer.js';
import { readAll, rejection, TestSource, untilAborted, useStage } from '../support/rpc-stage.js';
import { later } from './schemas.js';

const stage = useStage();

describe('diagnostics', () => {
  /** What is published while `run` runs. */
  async function published(run: () => Promise<unknown>): Promise<unknown[]> {
    const all: unknown[] = [];
    const rpc = channel('hawser:rpc');
    const listener = ({ peer, ...rest }: { peer: object }) => {
      expect(peer).toBeInstanceOf(RpcPeer);
      all.push(rest);
    };
    rpc.subscribe(listener as never);
    try {
      await run();
      await stage.settle();
    } finally {
      rpc.unsubscribe(listener as never);
    }
    return all;
  }

  it('a call -> at both ends, with how long it took', async () => {
    const ends: (() => void)[] = [];
    const { client } = stage.join({
      handlers: { wait: () => new Promise<void>((resolve) => ends.push(resolve)) },
    });
    const all = await published(async () => {
      const call = client.peer.call('wait');
      await stage.pass(250);
      ends[0]!();
      await call;
    });
    expect(all).toEqual([
      { direction: 'in', method: 'wait', durationMs: 250, code: undefined },
      { direction: 'out', method: 'wait', durationMs: 250, code: undefined },
    ]);
  });

  it('one that fails -> with its code', async () => {
    const { client } = stage.join({
      handlers: {
        fail: () => Promise.reject(new Error('secret')),
        refuse: () => Promise.reject(new RpcError(5, 'no')),
      },
    });
    const all = await published(async () => {
      await rejection(client.peer.call('fail'));
      await rejection(client.peer.call('refuse'));
    });
    expect(
      all.map((each) => [(each as { direction: string }).direction, (each as { code: number }).code]),
    ).toEqual([
      ['in', -32603],
      ['out', -32603],
      ['in', 5],
      ['out', 5],
    ]);
  });

  it('one that is cancelled, a notification, and one that fails', async () => {
    const { client } = stage.join({
      handlers: { wait: untilAborted, log: () => {}, fail: () => Promise.reject(new Error()) },
    });
    const controller = new AbortController();
    const all = await published(async () => {
      const call = client.peer.call('wait', {}, { signal: controller.signal });
      await stage.settle();
      controller.abort();
      await rejection(call);
      await stage.settle();
      await client.peer.notify('log');
      await stage.settle();
      await client.peer.notify('fail');
    });
    expect(all).toEqual([
      { direction: 'out', method: 'wait', durationMs: 0, code: RPC.CANCELLED },
      { direction: 'in', method: 'wait', durationMs: 0, code: RPC.CANCELLED },
      { direction: 'in', method: 'log', durationMs: 0, code: undefined },
      { direction: 'in', method: 'fail', durationMs: 0, code: RPC.INTERNAL_ERROR },
    ]);
  });

  it('one that is given up while its result is validated -> once', async () => {
    const remote = defineContract({ later: { result: later } });
    const { peer, session } = stage.alone({ remote });
    const controller = new AbortController();
    const all = await published(async () => {
      const call = peer.call('later', undefined, { signal: controller.signal });
      session.receive({ id: 1, result: 1 });
      controller.abort();
      await rejection(call);
    });
    expect(all).toEqual([{ direction: 'out', method: 'later', durationMs: 0, code: RPC.CANCELLED }]);
  });

  it('a streamed result -> at its producer when the stream is over', async () => {
    const source = new TestSource();
    const { client } = stage.join({ handlers: { count: () => source } });
    const all = await published(async () => {
      const stream = await client.peer.call('count');
      await stage.pass(100);
      source.end();
      await readAll(stream);
    });
    expect(all).toEqual([
      { direction: 'out', method: 'count', durationMs: 0, code: undefined },
      { direction: 'in', method: 'count', durationMs: 100, code: undefined },
    ]);
  });

  it('begun before somebody listened -> nothing', async () => {
    const { peer, session } = stage.alone();
    const call = peer.call('a');
    const all = await published(async () => {
      session.receive({ id: 1, result: 1 });
      await call;
    });
    expect(all).toEqual([]);
  });
});
