// Waiting for acknowledgements, and how a session ends by the will of its user; both ends offer this alike.
import { describe, expect, it } from 'vitest';
import { collect, outcomeOf, recordSession, sessionStage as setUp } from '../support/session-stage.js';

describe('flush', () => {
  it('waits for the acknowledgement of all that was accepted, sent or not', async () => {
    const stage = setUp();
    const client = stage.connect();
    client.send('a');
    const flushed = client.flush();
    await stage.pass(20);
    expect(await outcomeOf(flushed)).toBe('pending');
    collect(stage.sessions[0]!);
    await stage.pass(20);
    expect(await outcomeOf(flushed)).toBe('pending');
    await stage.pass(300);
    expect(await outcomeOf(flushed)).toBeUndefined();
    expect(client.stats()).toMatchObject({ sent: 1, acknowledged: 1, unacked: 0 });
    expect(await outcomeOf(client.flush())).toBeUndefined();
    await stage.end(client);
  });

  it('goes on over a lost connection', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    client.send('a');
    const flushed = client.flush();
    stage.network.cut();
    await stage.pass(2000);
    collect(session);
    await stage.pass(300);
    expect(await outcomeOf(flushed)).toBeUndefined();
    await stage.end(client);
  });

  it('aborted, before or while it waits -> rejects', async () => {
    const stage = setUp();
    const { client } = await stage.open();
    client.send('a');
    expect(await outcomeOf(client.flush({ signal: AbortSignal.abort() }))).toBe('aborted');
    const controller = new AbortController();
    const flushed = client.flush({ signal: controller.signal });
    controller.abort();
    expect(await outcomeOf(flushed)).toBe('aborted');
    await stage.end(client);
  });

  it('the session ends -> rejects, also afterwards', async () => {
    const stage = setUp();
    const { client } = await stage.open();
    client.send('a');
    const flushed = client.flush();
    // Nobody looks: an unhandled rejection would end the test run.
    client.flush();
    client.terminate();
    await stage.environment.settle();
    expect([await outcomeOf(flushed), await outcomeOf(client.flush())]).toEqual(['closed', 'closed']);
    await stage.end();
  });
});

describe('close', () => {
  it('waits for the acknowledgement, says bye, and both ends forget the session', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    const logs = [recordSession(client), recordSession(session)];
    client.send('a');
    const closed = client.close();
    expect(await outcomeOf(client.send('b'))).toBe('closed');
    await stage.pass(100);
    expect([client.state, session.state]).toEqual(['open', 'open']);
    const received = collect(session);
    await stage.pass(300);
    await closed;
    expect([client.state, session.state, received]).toEqual(['closed', 'closed', ['a']]);
    expect(logs).toEqual([
      [['close', { code: 1000, reason: '', unsent: [], unacked: [] }]],
      [['close', { code: 1000, reason: 'the client ended the session', unsent: [], unacked: [] }]],
    ]);
    expect(client.close()).toBe(closed);
    expect(stage.server.stats().attached).toBe(0);
    await stage.end();
  });

  it('over another connection, if need be', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    const received = collect(session);
    stage.network.cut();
    client.send('a');
    const closed = client.close();
    await stage.pass(2000);
    await closed;
    expect([received, session.state]).toEqual([['a'], 'closed']);
    await stage.end();
  });

  it('nobody acknowledges in time -> ends nevertheless, and tells what is left', async () => {
    const stage = setUp();
    const { client } = await stage.open({ queue: { maxMessages: 2 } });
    const log = recordSession(client);
    for (const data of ['a', 'b']) client.send(data);
    const waiting = client.send('c');
    const closed = client.close({ timeoutMs: 500 });
    expect(await outcomeOf(waiting)).toBe('closed');
    await stage.pass(490);
    expect(client.state).toBe('open');
    await stage.pass(20);
    await closed;
    expect(log).toEqual([['close', { code: 1000, reason: '', unsent: [], unacked: ['a', 'b'] }]]);
    await stage.end();
  });

  it('without any connection -> at once when there is nothing to say', async () => {
    const stage = setUp();
    stage.network.isSilent = true;
    const client = stage.connect();
    await client.close();
    expect(client.state).toBe('closed');
    await stage.pass(20);
    await stage.end();
  });

  it('await using', async () => {
    const stage = setUp();
    const { client } = await stage.open();
    client[Symbol.asyncDispose]();
    await stage.pass(20);
    expect(client.state).toBe('closed');
    await stage.end();
  });
});

describe('terminate', () => {
  it('at once, without a word; the server waits for us to come back', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    const log = recordSession(client);
    client.send('a');
    client.terminate();
    client.terminate();
    expect(log).toEqual([['close', { code: 1006, reason: 'terminated', unsent: [], unacked: ['a'] }]]);
    await stage.pass(10);
    expect(session.state).toBe('detached');
    await stage.end();
  });
});
