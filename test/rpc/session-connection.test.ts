// Peers over real sessions, on a fake network. What drops and cuts do is in test/rpc/faults.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClientSessionOptions } from '../../src/agent/client-options.js';
import type { Session } from '../../src/agent/session.js';
import { RPC } from '../../src/rpc/errors.js';
import { RpcPeer } from '../../src/rpc/peer.js';
import { fateOf, rejection, rpcError, type TestHandlers, yielding } from '../support/rpc-stage.js';
import { sessionStage } from '../support/session-stage.js';

let stage: ReturnType<typeof sessionStage>;

beforeEach(() => {
  stage = sessionStage();
});

/** A peer at each end of a session; the handlers are the server's. */
async function open(handlers: TestHandlers = {}, options: ClientSessionOptions = {}) {
  const { client, session } = await stage.open(options);
  const make = (end: Session, more: object) => new RpcPeer(end, more as never, stage.environment) as RpcPeer;
  return { client, session, peer: make(client, {}), serverPeer: make(session, { handlers }) };
}

/** What a call gives, once time has passed. */
async function result(call: Promise<unknown>): Promise<unknown> {
  await stage.pass(200);
  return fateOf(call);
}

afterEach(() => stage.end());

describe('a session', () => {
  it('calls at both ends', async () => {
    const { peer, client } = await open({ add: ([a, b]) => a + b });
    expect(await result(peer.call('add', [1, 2]))).toBe(3);
    client.terminate();
  });

  it('before it is open -> calls wait', async () => {
    const client = stage.connect();
    const peer = new RpcPeer(client, {}, stage.environment);
    const call = peer.call('unknown');
    await stage.pass(10);
    new RpcPeer(stage.sessions[0]!, {}, stage.environment);
    expect(await result(call)).toBe(RPC.METHOD_NOT_FOUND);
    client.terminate();
  });

  it('a drop -> the call goes on', async () => {
    const ends: (() => void)[] = [];
    const { peer, client } = await open({ wait: () => new Promise<void>((resolve) => ends.push(resolve)) });
    const call = peer.call('wait');
    await stage.pass(10);
    stage.network.cut();
    ends[0]!();
    await stage.pass(2000);
    expect(await result(call)).toBeNull();
    client.terminate();
  });

  it('close -> the session is closed, at both ends', async () => {
    const { peer, serverPeer, client, session } = await open({ wait: () => new Promise<void>(() => {}) });
    const call = peer.call('wait');
    await stage.pass(10);
    const ends: unknown[] = [];
    serverPeer.on('close', (end) => ends.push(end));
    const closed = peer.close();
    expect(await rejection(call)).toEqual(rpcError(RPC.LOST));
    await stage.pass(500);
    await closed;
    expect([client.state, session.state]).toEqual(['closed', 'closed']);
    expect(ends).toEqual([{ error: undefined }]);
    expect(serverPeer.isClosed).toBe(true);
  });

  it('the server overruns its credit -> close code 4500, and a new session begins', async () => {
    const { client, session } = await stage.open();
    const peer = new RpcPeer(client, {}, stage.environment) as RpcPeer;
    const losses: unknown[] = [];
    peer.on('lost', (error) => losses.push(error));
    session.on('message', () => {});
    const read = peer.call('read');
    const waiting = peer.call('wait');
    session.send('{"jsonrpc":"2.0","id":1,"result":{"stream":1}}');
    session.send(`{"jsonrpc":"2.0","method":"$/next","params":{"s":1,"items":[${Array(65).fill(1)}]}}`);
    await stage.pass(50);
    expect(stage.network.last.client.closeCode).toBe(4500);
    expect(session.state).toBe('closed');
    await stage.pass(5000);
    expect(losses).toEqual([rpcError(RPC.LOST)]);
    expect(await rejection(waiting)).toEqual(rpcError(RPC.LOST));
    expect(await rejection(((await read) as AsyncIterator<unknown>).next())).toEqual(rpcError(RPC.LOST));
    expect(client.state).toBe('open');
    client.terminate();
  });

  it('the client overruns its credit -> close code 4500, and the session is over', async () => {
    const { client, session } = await stage.open();
    const peer = new RpcPeer(
      session,
      { handlers: { read: () => new Promise(() => {}) } as never },
      stage.environment,
    );
    const errors: unknown[] = [];
    peer.on('close', ({ error }) => errors.push(error));
    client.send('{"jsonrpc":"2.0","id":1,"method":"read","params":[{"stream":1}]}');
    client.send(`{"jsonrpc":"2.0","method":"$/next","params":{"s":1,"items":[${Array(65).fill(1)}]}}`);
    await stage.pass(50);
    expect(stage.network.last.server.closeCode).toBe(4500);
    expect(errors).toEqual([expect.objectContaining({ code: 'protocol' })]);
    expect(peer.isClosed).toBe(true);
    client.terminate();
  });

  it('its principal is whose idempotency keys they are', async () => {
    const keys: string[] = [];
    const { client, session } = await stage.open();
    const store = {
      claim: async (key: string) => {
        keys.push(key);
        return { state: 'done' as const, result: 'remembered' };
      },
      complete: async () => true,
      release: async () => {},
    };
    new RpcPeer(session, { idempotency: { store }, handlers: { pay: () => 1 } as never }, stage.environment);
    const peer = new RpcPeer(client, {}, stage.environment) as RpcPeer;
    expect(await result(peer.call('pay', {}, { idempotencyKey: 'k' }))).toBe('remembered');
    expect(keys).toEqual(['["anna","pay"]k']);
    client.terminate();
  });

  it('a small window -> everything comes, piece by piece', async () => {
    const { peer, client } = await open(
      { count: () => yielding(Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(100))) },
      { queue: { maxMessages: 2, maxBytes: 2000 } },
    );
    const items: unknown[] = [];
    const reading = (async () => {
      for await (const item of (await peer.call('count')) as AsyncIterable<unknown>) items.push(item);
    })();
    await stage.pass(5000);
    await reading;
    expect(items).toHaveLength(300);
    client.terminate();
  });

  it('a message longer than the window may hold -> too large, here', async () => {
    const { peer, client } = await open({}, { queue: { maxBytes: 500 } });
    expect(await result(peer.call('add', ['x'.repeat(500)]))).toBe(RPC.TOO_LARGE);
    client.terminate();
  });

  it('queues that drop, and sessions that send again -> TypeError', async () => {
    const dropping = stage.connect({ queue: { policy: 'drop-oldest' } });
    const resending = stage.connect({ resend: 'unsent' });
    expect(() => new RpcPeer(dropping, {}, stage.environment)).toThrow("the policy 'block'");
    expect(() => new RpcPeer(resending, {}, stage.environment)).toThrow('resend');
    dropping.terminate();
    resending.terminate();
  });
});
