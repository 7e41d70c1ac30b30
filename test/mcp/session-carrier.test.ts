// A session as a carrier: drops are not told, losing it is the end; who ends it with which code.
import { describe, expect, it } from 'vitest';
import type { ClientSession } from '../../src/agent/client-session.js';
import type { ServerSession } from '../../src/agent/server-session.js';
import { SessionCarrier } from '../../src/mcp/session-carrier.js';
import { outcomeOf, sessionStage } from '../support/session-stage.js';

function carry(session: ClientSession | ServerSession) {
  const carrier = new SessionCarrier(session);
  const log: unknown[] = [];
  carrier.begin({
    onMessage: (data) => void log.push(data),
    onDrain: () => log.push('drain'),
    onEnd: (error) => log.push(['end', error?.message]),
  });
  return { carrier, log };
}

async function setUp() {
  const stage = sessionStage();
  const { client, session } = await stage.open({ movesOnDrain: false });
  return { stage, client, session, here: carry(client), there: carry(session) };
}

it('messages over a drop, none twice, and nothing told of it', async () => {
  const { stage, client, here, there } = await setUp();
  await here.carrier.send('a');
  stage.network.cut();
  await here.carrier.send('b');
  await there.carrier.send('c');
  await stage.pass(1000);
  expect([here.log, there.log]).toEqual([['c'], ['a', 'b']]);
  expect(here.carrier.id).toBe(there.carrier.id);
  await stage.end(client);
});

it.each(['here', 'there'] as const)(
  'close(1000) %s: what was sent arrives, then both end without an error',
  async (side) => {
    const { stage, client, ...ends } = await setUp();
    const other = side === 'here' ? 'there' : 'here';
    await ends[side].carrier.send('last');
    const closed = ends[side].carrier.close(1000, '');
    await stage.pass(1000);
    await closed;
    expect(ends[side].log).toEqual([['end', undefined]]);
    expect(ends[other].log).toEqual(['last', ['end', undefined]]);
    expect(await outcomeOf(ends[other].carrier.send('late'))).toBe('closed');
    await stage.end(client);
  },
);

describe('another code ends it at once, and the other end does not wait for it to come back', () => {
  it('at the server', async () => {
    const { stage, client, here, there } = await setUp();
    there.carrier.close(1003, 'no');
    await stage.pass(100);
    expect(there.log).toEqual([['end', undefined]]);
    expect(here.log).toEqual([['end', 'the peer closed with 1003: "no"']]);
    await stage.end(client);
  });

  it('at the client', async () => {
    const { stage, client, here, there } = await setUp();
    here.carrier.close(1003, 'no');
    await stage.pass(100);
    expect(here.log).toEqual([['end', undefined]]);
    expect(there.log).toEqual([['end', 'the peer closed with 1003']]);
    expect(stage.server.sessions).toEqual([]);
    await stage.end(client);
  });
});

it('a session that is lost -> the end, and the one that takes its place ends as well', async () => {
  const { stage, client, here } = await setUp();
  const other = stage.makeServer();
  stage.moveTo(other);
  stage.network.cut();
  await stage.pass(1000);
  expect(here.log).toEqual([['end', expect.stringContaining('the server no longer has the session')]]);
  expect([client.state, stage.sessions.length, other.sessions]).toEqual(['closed', 2, []]);
  await stage.end(client);
});

it('a server that drains: its clients are told, the server is not', async () => {
  const { stage, client, here, there } = await setUp();
  const drained = stage.server.drain({ spreadMs: 0 });
  await stage.pass(100);
  expect([here.log, there.log]).toEqual([['drain'], []]);
  here.carrier.close(1000, '');
  await stage.pass(100);
  expect(await drained).toMatchObject({ cut: 0 });
  await stage.end(client);
});

it('a session that was over before anybody listened -> the end', async () => {
  const { stage, client, session } = await setUp();
  client.terminate();
  session.terminate();
  const late = new SessionCarrier(session);
  const log: unknown[] = [];
  late.begin({ onMessage: () => undefined, onDrain() {}, onEnd: (error) => log.push(error) });
  await stage.pass(0);
  expect(log).toEqual([undefined]);
  await stage.end(client);
});
