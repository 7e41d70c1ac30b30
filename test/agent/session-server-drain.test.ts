// A server that goes away: what it asks of clients, and how it counts what they do. The clients' part is in
// client-session-drain.test.ts.
import { describe, expect, it } from 'vitest';
import { serializeControl, type Welcome } from '../../src/agent/control.js';
import type { FakeLink } from '../support/fake-link.js';
import { collect, outcomeOf, recordSession, sessionStage as setUp } from '../support/session-stage.js';

const hello = (members: object = {}) =>
  serializeControl({
    t: 'hello',
    v: 1,
    gen: 1,
    recv: 0,
    caps: { messages: 4096, bytes: 2 ** 20, ping: true },
    ...members,
  });
const bye = serializeControl({ t: 'bye' });
const BYE = { t: 'bye' };

/** So many sessions, with the links on which the test plays their clients. */
function begin(count: number) {
  const stage = setUp();
  const links: FakeLink[] = [];
  const welcomes: Welcome[] = [];
  for (let i = 0; i < count; i++) {
    const link = stage.dial();
    link.receive(hello());
    links.push(link);
    welcomes.push(link.takeSent()[0] as Welcome);
  }
  const end = async () => {
    const closed = stage.server.close();
    for (const link of links) link.end();
    await closed;
    await stage.end();
  };
  return { ...stage, links, welcomes, end };
}

describe('drain', () => {
  it('no sessions -> done at once, and no timer is left', async () => {
    const stage = setUp();
    expect(await stage.server.drain()).toEqual({ moved: 0, finished: 0, cut: 0 });
    expect(stage.environment.pendingTimers).toBe(0);
    await stage.end();
  });

  it('moved, finished, cut', async () => {
    const { server, links, sessions, environment, end } = begin(3);
    // The second one ends before it is its turn to be asked.
    environment.random = () => 0.5;
    const logs = sessions.map((session) => recordSession(session));
    const drained = server.drain({ deadlineMs: 10_000, spreadMs: 1000 });
    links[1]!.receive(bye);
    environment.advance(600);
    expect(links.map(({ messages }) => messages)).toEqual([
      [{ t: 'drain', in: expect.any(Number) }],
      [],
      [{ t: 'drain', in: expect.any(Number) }],
    ]);
    const { in: inMs } = links[0]!.messages[0] as { in: number };
    expect(inMs).toBeGreaterThan(9400);
    expect(inMs).toBeLessThanOrEqual(9500);
    links[0]!.receive(bye);
    expect(await outcomeOf(drained)).toBe('pending');
    environment.advance(9400);
    await environment.settle();
    expect(links[2]!.closeCode).toBe(1012);
    links[2]!.end();
    expect(await drained).toEqual({ moved: 1, finished: 1, cut: 1 });
    expect(logs.map((log) => log.map(([name]) => name))).toEqual([
      ['drain', 'close'],
      ['close'],
      ['drain', 'close'],
    ]);
    await end();
  });

  it('clients are told over a while, at most half of the deadline', async () => {
    const { server, links, environment, end } = begin(20);
    server.drain({ deadlineMs: 1000, spreadMs: 60_000 });
    const told: number[] = [];
    for (let i = 0; i < 11; i++) {
      environment.advance(50);
      told.push(links.filter(({ sent }) => sent.length > 0).length);
    }
    expect(told[0]).toBeLessThan(10);
    expect(told.at(-1)).toBe(20);
    await end();
  });

  it('a client that leaves is waited for until it has what it is owed', async () => {
    const { server, links, sessions, environment, end } = begin(1);
    const [link, session] = [links[0]!, sessions[0]!];
    const received = collect(session);
    const drained = server.drain({ spreadMs: 0 });
    environment.advance(60);
    session.send('a');
    link.receive('x');
    link.receive(bye);
    await environment.settle();
    expect([received, session.state, link.closeCode]).toEqual([['x'], 'open', undefined]);
    link.receive(serializeControl({ t: 'a', r: 1, s: 1 }));
    await environment.settle();
    expect(link.messages.slice(1)).toEqual(['a', { t: 'a', r: 1, s: 1 }, BYE]);
    expect(link.closeCode).toBe(1000);
    link.end();
    expect(await drained).toEqual({ moved: 1, finished: 0, cut: 0 });
    await end();
  });

  it('all that are left have no connection, and will not get one -> done', async () => {
    const { server, links, environment, end } = begin(2);
    links[0]!.end();
    const drained = server.drain();
    await environment.settle();
    expect(await outcomeOf(drained)).toBe('pending');
    links[1]!.end();
    expect(await drained).toEqual({ moved: 0, finished: 0, cut: 2 });
    await end();
  });

  it('a connection that comes meanwhile -> 1012', async () => {
    const { server, links, dial, end } = begin(1);
    server.drain();
    const link = dial();
    expect(link.closeCode).toBe(1012);
    links.push(link);
    await end();
  });

  it('twice, or after close -> rejects; close while it drains ends it', async () => {
    const { server, links, environment, end } = begin(1);
    const drained = server.drain();
    await expect(server.drain()).rejects.toThrow('draining');
    const closed = server.close();
    expect(links[0]!.closeCode).toBe(1012);
    links[0]!.end();
    await closed;
    await drained;
    await expect(server.drain()).rejects.toThrow('closed');
    expect(environment.pendingTimers).toBe(0);
    await end();
  });
});
