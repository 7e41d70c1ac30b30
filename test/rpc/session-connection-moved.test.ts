// A session that moves to another server: what is in flight, and what begins. With real sessions: test/rpc/faults.
import { describe, expect, it } from 'vitest';
import type { FormerSessionHandler } from '../../src/agent/former-session.js';
import { RPC } from '../../src/rpc/errors.js';
import { pending, rejection, rpcError, type TestHandlers, useStage } from '../support/rpc-stage.js';

const stage = useStage();

/** What is left at the server that a client has left; the test plays that server. */
class FakeFormer {
  hasRoom = true;
  handler!: FormerSessionHandler;
  readonly sent: string[] = [];
  isReleased = false;
  failure: string | undefined;

  hasRoomFor(): boolean {
    return this.hasRoom;
  }

  keep(handler: FormerSessionHandler): void {
    this.handler = handler;
  }

  send(text: string): void {
    this.sent.push(text);
  }

  fail(reason: string): void {
    this.failure = reason;
  }

  release(): void {
    this.isReleased = true;
  }

  receive(message: object): void {
    this.handler.onMessage(JSON.stringify({ jsonrpc: '2.0', ...message }));
  }
}

function setUp(handlers: TestHandlers = {}) {
  const end = stage.alone({ handlers });
  const move = () => {
    const former = new FakeFormer();
    end.session.move(former);
    return former;
  };
  return { ...end, move };
}

describe('a session that moves to another server', () => {
  it('what is in flight is answered by the former server, new calls go to the other', async () => {
    const { peer, session, move } = setUp();
    const calls = [peer.call('a'), peer.call('b')];
    session.takeSent();
    const former = move();
    const next = peer.call('c');
    expect(session.takeSent()).toEqual([{ id: 1, method: 'c' }]);
    former.receive({ id: 1, result: 'former' });
    session.receive({ id: 1, result: 'next' });
    expect([await calls[0], await next]).toEqual(['former', 'next']);
    expect(former.isReleased).toBe(false);
    former.receive({ id: 2, result: 'former' });
    expect(await calls[1]).toBe('former');
    await stage.settle();
    expect(former.isReleased).toBe(true);
    expect(peer.stats().callsOut).toBe(0);
  });

  it('answers of handlers go to the former server', async () => {
    const { all, handler } = pending();
    const { session, move } = setUp({ wait: handler });
    session.receive({ id: 1, method: 'wait' });
    const former = move();
    await stage.settle();
    expect(former.isReleased).toBe(false);
    all[0]!.resolve('done');
    await stage.settle();
    expect(former.sent).toEqual(['{"jsonrpc":"2.0","id":1,"result":"done"}']);
    expect([session.takeSent(), former.isReleased]).toEqual([[], true]);
  });

  it('nothing in flight -> the former session is released, and not heard', async () => {
    let runs = 0;
    const { move, errors } = setUp({ add: () => ++runs });
    const former = move();
    await stage.settle();
    expect(former.isReleased).toBe(true);
    former.receive({ id: 1, method: 'add' });
    former.handler.onMessage('x');
    await stage.settle();
    expect([runs, former.sent, errors]).toEqual([0, [], []]);
  });

  it('the former server is gone -> what was in flight there is lost', async () => {
    const { peer, move, session } = setUp();
    const call = peer.call('a');
    session.takeSent();
    move().handler.onEnd(undefined, []);
    expect(await rejection(call)).toEqual(
      rpcError(RPC.LOST, 'the former session is over', { outcome: 'unknown' }),
    );
    expect(peer.isClosed).toBe(false);
  });

  it('the former server overruns its credit -> told to the former session', async () => {
    const { peer, move, session } = setUp();
    const call = peer.call('a');
    session.receive({ id: 1, result: { stream: 1 } });
    await call;
    const former = move();
    former.receive({ method: '$/next', params: { s: 1, items: Array(65).fill(1) } });
    expect([former.failure, session.failure]).toEqual(['stream 1 has sent more than its credit', undefined]);
  });

  it('the peer is closed -> what is in flight with the former server fails, too', async () => {
    const { peer, move } = setUp();
    const call = peer.call('a');
    move();
    await peer.close();
    expect(await rejection(call)).toEqual(rpcError(RPC.LOST));
  });
});
