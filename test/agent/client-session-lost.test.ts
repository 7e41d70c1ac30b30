// The server does not have the session any more: what the client is told, and what the new session sends by itself.
import { describe, expect, it } from 'vitest';
import { collect, outcomeOf, recordSession, sessionStage as setUp } from '../support/session-stage.js';

describe('a lost session', () => {
  /** A client that comes back to a server which knows nothing of it, with `b` sent and `c` still waiting. */
  async function lost(resend?: 'none' | 'unsent' | 'all') {
    const stage = setUp();
    const { client, session } = await stage.open(resend && { resend });
    collect(session);
    client.send('a');
    await stage.pass(300);
    const log = recordSession(client);
    client.send('b');
    const flushed = client.flush();
    stage.network.cut();
    client.send('c', { key: 'k' });
    session.expire('expired');
    await stage.pass(1000);
    return { stage, client, log, flushed, received: collect(stage.sessions[1]!) };
  }

  it.each([
    [undefined, []],
    ['none', []],
    ['unsent', ['c']],
    ['all', ['b', 'c']],
  ] as const)('resend: %s', async (resend, expected) => {
    const { stage, client, log, flushed, received } = await lost(resend);
    expect(log.slice(1)).toEqual([
      ['sessionlost', { unsent: ['c'], unacked: ['b'], reason: 'unknown' }],
      ['open'],
    ]);
    expect(await outcomeOf(flushed)).toBe('lost');
    await stage.pass(10);
    expect(received).toEqual(expected);
    client.send('d');
    const second = client.flush();
    await stage.pass(300);
    expect([received, await outcomeOf(second)]).toEqual([[...expected, 'd'], undefined]);
    await stage.end(client);
  });

  it('another process of the server -> "restart"', async () => {
    const stage = setUp();
    const { client } = await stage.open();
    const log = recordSession(client);
    stage.moveTo(stage.makeServer());
    stage.network.cut();
    await stage.pass(1000);
    expect(log.slice(1)).toEqual([['sessionlost', { unsent: [], unacked: [], reason: 'restart' }], ['open']]);
    await stage.end(client);
  });

  it('who is told of it ends the session -> it stays ended, and no connection is left', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    client.on('sessionlost', () => client.terminate());
    stage.network.cut();
    session.expire('expired');
    await stage.pass(1000);
    expect([client.state, stage.network.last.client.isReleased]).toEqual(['closed', true]);
    await stage.end();
  });

  it('what was read of it does not count in the new one', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    const read = collect(client);
    session.send('x');
    await stage.pass(300);
    stage.network.cut();
    session.expire('expired');
    await stage.pass(1000);
    stage.sessions[1]!.send('y');
    await stage.pass(300);
    expect(read).toEqual(['x', 'y']);
    expect(stage.sessions[1]!.stats()).toMatchObject({ sent: 1, acknowledged: 1 });
    await stage.end(client);
  });

  it('messages that had come can still be read', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    session.send('x');
    await stage.pass(5);
    stage.network.cut();
    session.expire('expired');
    await stage.pass(1000);
    stage.sessions[1]!.send('y');
    await stage.pass(5);
    expect(collect(client)).toEqual(['x', 'y']);
    await stage.pass(300);
    expect(stage.sessions[1]!.stats()).toMatchObject({ acknowledged: 1 });
    await stage.end(client);
  });
});
