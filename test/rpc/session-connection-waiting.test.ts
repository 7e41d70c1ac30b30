// A peer over a real session: what the session has done before the peer was there.
import { describe, expect, it } from 'vitest';
import { RpcPeer } from '../../src/rpc/peer.js';
import { sessionStage } from '../support/session-stage.js';

const call = (id: number) => JSON.stringify({ jsonrpc: '2.0', id, method: 'count' });

describe('a peer over a session with messages that nobody has taken', () => {
  async function waiting() {
    const stage = sessionStage();
    const { client, session } = await stage.open();
    const answers: unknown[] = [];
    client.on('message', (data) => answers.push(JSON.parse(data as string)));
    client.send(call(1));
    client.send(call(2));
    await stage.pass(10);
    return { stage, client, session, answers };
  }

  it('handlers that are added when it is made -> get those messages, and in order with the next', async () => {
    const { stage, client, session, answers } = await waiting();
    const peer = new RpcPeer(session, {}, stage.environment);
    let count = 0;
    peer.handle('count', () => ++count);
    expect(answers).toEqual([]);
    client.send(call(3));
    await stage.pass(10);
    expect(answers).toMatchObject([1, 2, 3].map((id) => ({ id, result: id })));
    peer.close();
    await stage.pass(1000);
    await stage.end();
  });

  it('a handler that closes the peer -> it is closed, and nothing is answered', async () => {
    const { stage, session, answers } = await waiting();
    let calls = 0;
    const peer = new RpcPeer(session, {}, stage.environment);
    peer.handle('count', () => {
      calls++;
      peer.close();
    });
    await stage.pass(1000);
    expect([peer.isClosed, calls, answers]).toEqual([true, 1, []]);
    await stage.end();
  });
});
