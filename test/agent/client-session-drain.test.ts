// The client of a server that goes away: it opens the next connection before it leaves the old one, and loses nothing.
import { describe, expect, it } from 'vitest';
import { serializeAcknowledgement } from '../../src/agent/control.js';
import { collect, outcomeOf, recordSession, sessionStage as setUp } from '../support/session-stage.js';

/** A client at a server that begins to drain, and another server for the next connection. */
async function draining({ deadlineMs = 30_000, isListening = true } = {}) {
  const stage = setUp();
  const { client, session } = await stage.open();
  const log = recordSession(client);
  const other = stage.makeServer();
  stage.moveTo(other);
  const oldLink = stage.network.last.client;
  const toOld = isListening ? collect(session) : [];
  const drain = () => stage.server.drain({ deadlineMs, spreadMs: 0 });
  return { stage, client, session, log, other, oldLink, toOld, drain };
}

describe('drain', () => {
  it('moves to another server; what is under way on the old connection is acknowledged there', async () => {
    const { stage, client, session, log, oldLink, toOld, drain } = await draining();
    client.send('a');
    const flushed = client.flush();
    const drained = drain();
    await stage.pass(60);
    const next = stage.sessions[1]!;
    expect([client.state, client.id]).toEqual(['open', next.id]);
    const toNew = collect(next);
    client.send('b');
    await stage.pass(400);
    expect([toOld, toNew]).toEqual([['a'], ['b']]);
    expect(await outcomeOf(flushed)).toBeUndefined();
    expect([session.state, oldLink.isOver]).toEqual(['closed', true]);
    expect(await drained).toEqual({ moved: 1, finished: 0, cut: 0 });
    expect(log).toEqual([['drain', { inMs: expect.any(Number), retryAfterMs: undefined }], ['open']]);
    expect(stage.network.connections[1]!.client.messages[0]).toMatchObject({
      t: 'hello',
      sid: session.id,
      gen: 2,
    });
    await stage.end(client);
  });

  it('movesOnDrain: false -> it stays until the connection is cut', async () => {
    const stage = setUp();
    const { client, session } = await stage.open({ movesOnDrain: false });
    const log = recordSession(client);
    const toOld = collect(session);
    const drained = stage.server.drain({ deadlineMs: 10_000, spreadMs: 0 });
    await stage.pass(5000);
    client.send('a');
    await stage.pass(10);
    expect([toOld, client.id, stage.network.connections.length]).toEqual([['a'], session.id, 1]);
    expect(log).toEqual([['drain', { inMs: expect.any(Number), retryAfterMs: undefined }]]);
    await stage.pass(6000);
    expect(await drained).toEqual({ moved: 0, finished: 0, cut: 1 });
    await stage.end(client);
  });

  it('what the old server has still to say arrives', async () => {
    const { stage, client, session, drain } = await draining();
    const read: unknown[] = [];
    session.send('x');
    session.send('y');
    const drained = drain();
    await stage.pass(60);
    // The client has said that it leaves.
    expect(await outcomeOf(session.send('too late'))).toBe('closed');
    stage.sessions[1]!.send('z');
    await stage.pass(10);
    client.on('message', (data) => read.push(data));
    await stage.pass(400);
    expect(read).toEqual(['x', 'y', 'z']);
    expect(await drained).toMatchObject({ moved: 1, cut: 0 });
    await stage.end(client);
  });

  it('flush() waits for the old server, too, whenever it is called', async () => {
    const { stage, client, session, drain } = await draining({ isListening: false });
    client.send('a');
    drain();
    await stage.pass(60);
    const flushed = client.flush();
    await stage.pass(500);
    expect(await outcomeOf(flushed)).toBe('pending');
    collect(session);
    await stage.pass(400);
    expect(await outcomeOf(flushed)).toBeUndefined();
    await stage.end(client);
  });

  it('close() waits for the old server, too', async () => {
    const { stage, client, session, log, drain } = await draining({ isListening: false });
    client.send('a');
    drain();
    await stage.pass(60);
    const closed = client.close();
    await stage.pass(100);
    expect(client.state).toBe('open');
    const received = collect(session);
    await stage.pass(400);
    await closed;
    expect(received).toEqual(['a']);
    expect(log.at(-1)).toEqual(['close', { code: 1000, reason: '', unsent: [], unacked: [] }]);
    await stage.end();
  });

  it('ended with messages that no old server has acknowledged -> they stand in the event', async () => {
    const { stage, client, log, oldLink, drain } = await draining({ isListening: false });
    client.send('a');
    drain();
    await stage.pass(60);
    client.send('b');
    client.terminate();
    expect(log.at(-1)).toMatchObject(['close', { unacked: ['a', 'b'] }]);
    expect(oldLink.isReleased).toBe(true);
    await stage.end();
  });

  it('the deadline comes before the acknowledgement -> told as lost', async () => {
    const { stage, client, session, log, drain } = await draining({ deadlineMs: 500, isListening: false });
    client.send('a');
    const drained = drain();
    await stage.pass(60);
    const flushed = client.flush();
    await stage.pass(600);
    expect(log.at(-1)).toEqual(['sessionlost', { unsent: [], unacked: ['a'], reason: 'drained' }]);
    expect([client.state, await outcomeOf(flushed)]).toEqual(['open', 'lost']);
    expect([session.state, await drained]).toEqual(['closed', { moved: 0, finished: 0, cut: 1 }]);
    await stage.end(client);
  });

  it('the old server ends the session without having taken everything -> told as lost', async () => {
    const { stage, client, session, log, drain } = await draining({ isListening: false });
    client.send('a');
    drain();
    await stage.pass(60);
    session.close();
    await stage.pass(60);
    expect(log.at(-1)).toEqual(['sessionlost', { unsent: [], unacked: ['a'], reason: 'drained' }]);
    expect(client.state).toBe('open');
    await stage.end(client);
  });

  it('no other server yet -> the old connection goes on meanwhile', async () => {
    const { stage, client, log, toOld, drain } = await draining();
    stage.network.refusal = { code: 1006, reason: '', status: 503 };
    drain();
    await stage.pass(60);
    client.send('a');
    await stage.pass(60);
    expect([client.state, toOld]).toEqual(['open', ['a']]);
    stage.network.refusal = undefined;
    await stage.pass(3000);
    expect([client.id, log.map(([name]) => name)]).toEqual([
      stage.sessions[1]!.id,
      ['drain', 'reconnecting', 'open'],
    ]);
    await stage.end(client);
  });

  it('the next server refuses for good -> the old connection goes on, and its end is the end', async () => {
    const { stage, client, toOld, drain } = await draining({ deadlineMs: 2000 });
    stage.network.refusal = { code: 1006, reason: '', status: 401 };
    drain();
    await stage.pass(60);
    client.send('a');
    await stage.pass(60);
    expect([client.state, toOld]).toEqual(['open', ['a']]);
    const ready = outcomeOf(client.ready);
    await stage.pass(30_000);
    expect([await ready, client.state]).toEqual([undefined, 'closed']);
    expect(await outcomeOf(client.ready)).toBe('unauthorized');
    await stage.end(client);
  });

  it('from its hello until the welcome the client acknowledges nothing on the old connection', async () => {
    const { stage, client, oldLink, drain } = await draining();
    collect(client);
    drain();
    const isGreeting = () => stage.network.connections[1]?.client.messages.length === 1;
    for (let ms = 0; ms < 100 && !isGreeting(); ms++) await stage.pass(1);
    expect(isGreeting()).toBe(true);
    const before = oldLink.messages.length;
    for (let i = 0; i < 64; i++) oldLink.receive('x');
    expect(client.received).toBe(64);
    expect(oldLink.messages.length).toBe(before);
    client.terminate();
    await stage.end(client);
  });

  it('the old connection breaks while the next one is on its way -> that one takes over', async () => {
    const { stage, client, session, log, drain } = await draining();
    stage.network.isSilent = true;
    drain();
    await stage.pass(60);
    stage.network.connections[0]!.client.end();
    stage.network.connections[0]!.server.end();
    expect(client.state).toBe('reconnecting');
    stage.network.isSilent = false;
    await stage.pass(20_000);
    expect([client.state, session.state, log.map(([name]) => name)]).toEqual([
      'open',
      'closed',
      ['drain', 'reconnecting', 'sessionlost', 'open'],
    ]);
    await stage.end(client);
  });

  it('says bye once, though the old server repeats its acknowledgement', async () => {
    const { stage, client, session, oldLink, drain } = await draining();
    session.send('x');
    drain();
    await stage.pass(60);
    oldLink.receive(serializeAcknowledgement(0, 1));
    oldLink.receive(serializeAcknowledgement(0, 1));
    expect(oldLink.messages.filter((message) => (message as { t?: string }).t === 'bye')).toHaveLength(1);
    await stage.end(client);
  });
});
