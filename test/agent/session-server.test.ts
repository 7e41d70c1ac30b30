// Who gets which session, bounds, the end of a server. Draining is in session-server-drain.test.ts, what happens before the
// connection is open in entrance.test.ts.
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { serializeControl, type Welcome } from '../../src/agent/control.js';
import { SessionServer } from '../../src/agent/session-server.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import { FakeLink } from '../support/fake-link.js';
import { REQUEST, recordSession, sessionStage as setUp } from '../support/session-stage.js';

const CAPS = { messages: 4096, bytes: 2 ** 20, ping: true };
const hello = (members: object = {}) =>
  serializeControl({ t: 'hello', v: 1, gen: 1, recv: 0, caps: CAPS, ...members });

/** A server with one session; `dial` makes further connections and says hello. */
function begin(...[options]: Parameters<typeof setUp>) {
  const stage = setUp(options);
  const links: FakeLink[] = [];
  const dial = (members: object = {}): FakeLink => {
    const link = stage.dial();
    links.push(link);
    link.receive(hello(members));
    return link;
  };
  const link = dial();
  const { sid, tok } = link.messages[0] as Welcome;
  const end = async () => {
    const closed = stage.server.close();
    for (const each of links) each.end();
    await closed;
    await stage.end();
  };
  return { ...stage, dial, link, session: stage.sessions[0]!, sid, tok, end };
}

describe('hello', () => {
  it('without a session -> one each, with secrets of their own', async () => {
    const { dial, link, sessions, server, end } = begin();
    const [first, second] = [link, dial()].map((each) => each.messages[0] as Welcome);
    expect(new Set([first!.sid, first!.tok, second!.sid, second!.tok]).size).toBe(4);
    expect(server.sessions).toEqual(sessions);
    expect(sessions.map(({ principal }) => principal)).toEqual(['anna', 'anna']);
    expect(server.stats()).toMatchObject({ attached: 2, created: 2, pending: 0 });
    await end();
  });

  it('the event has the session, open, and the request', async () => {
    const environment = new FakeEnvironment();
    const server = new SessionServer({ noServer: true }, environment);
    const told: unknown[] = [];
    server.on('session', (session, request) => told.push(session.state, request));
    const link = new FakeLink();
    server.onLink(link, 'anna', REQUEST);
    link.receive(hello());
    expect(told).toEqual(['open', REQUEST]);
    link.end();
    await server.close();
  });

  it.each([
    ['another token', { tok: 'x'.repeat(22) }],
    ['a shorter token', { tok: 'x' }],
    ['another session', { sid: 'x'.repeat(22) }],
  ])('%s -> a new session, and the owner notices nothing', async (_name, change) => {
    const { dial, link, session, sessions, sid, tok, server, end } = begin();
    const log = recordSession(session);
    const intruder = dial({ sid, tok, gen: 2, recv: 5, ...change });
    expect(intruder.messages).toMatchObject([
      { resumed: false, reason: 'unknown', recv: 0, sid: sessions[1]!.id },
    ]);
    // What was acknowledged of another session does not count here.
    sessions[1]!.send('a');
    expect(sessions[1]!.stats()).toMatchObject({ sent: 1, acknowledged: 0, unacked: 1 });
    expect([session.state, link.isReleased, link.closeCode, log]).toEqual(['open', false, undefined, []]);
    expect(server.stats()).toMatchObject({ attached: 2, resumed: 0, refusedResumes: 1 });
    // Not even the generation is used up.
    expect(dial({ sid, tok, gen: 2 }).messages).toMatchObject([{ resumed: true }]);
    await end();
  });

  it('another principal with the right token -> 4403, and the owner notices nothing', async () => {
    const { dial, link, session, principal, sid, tok, server, end } = begin();
    principal.is = 'bert';
    const intruder = dial({ sid, tok, gen: 2 });
    expect([intruder.closeCode, intruder.sent]).toEqual([4403, []]);
    expect([session.state, link.isReleased, server.sessions]).toEqual(['open', false, [session]]);
    principal.is = 'anna';
    expect(dial({ sid, tok, gen: 2 }).messages).toMatchObject([{ resumed: true }]);
    await end();
  });

  it.each([1, 2])('generation %d, and 2 is there -> 4409, and the connection lives', async (gen) => {
    const { dial, session, sid, tok, server, end } = begin();
    const current = dial({ sid, tok, gen: 2 });
    const late = dial({ sid, tok, gen });
    expect([late.closeCode, late.sent]).toEqual([4409, []]);
    expect([session.state, current.isReleased, current.closeCode]).toEqual(['open', false, undefined]);
    expect(server.stats()).toMatchObject({ attached: 1, resumed: 1 });
    await end();
  });

  it('messages acknowledged that were never sent -> 4500, and the session is over', async () => {
    const { dial, session, sid, tok, server, end } = begin();
    const log = recordSession(session);
    const link = dial({ sid, tok, gen: 2, recv: 1 });
    expect([link.closeCode, session.state, server.sessions]).toEqual([4500, 'closed', []]);
    expect(log).toMatchObject([['close', { reason: 'corrupt' }]]);
    await end();
  });

  it('no hello in time -> 4408, and until then it is pending', async () => {
    const stage = setUp({ helloTimeoutMs: 500 });
    const link = stage.dial();
    expect(stage.server.stats().pending).toBe(1);
    stage.environment.advance(560);
    expect([link.closeCode, stage.server.stats().pending]).toEqual([4408, 0]);
    link.end();
    await stage.end();
  });
});

describe('bounds', () => {
  it('more sessions without a connection than allowed -> the oldest goes', async () => {
    const { dial, link, sessions, server, end } = begin({ maxDetached: 2 });
    const links = [link, dial(), dial()];
    const log = recordSession(sessions[0]!);
    for (const each of links) each.end();
    expect(sessions.map(({ state }) => state)).toEqual(['closed', 'detached', 'detached']);
    expect(log.at(-1)).toMatchObject(['close', { reason: 'evicted' }]);
    expect(server.stats()).toMatchObject({ attached: 0, detached: 2, evicted: 1 });
    await end();
  });

  it('10,000 without a connection by default', async () => {
    const { dial, link, server, sessions, end } = begin();
    link.end();
    for (let i = 0; i < 9_999; i++) dial().end();
    expect(server.stats()).toMatchObject({ detached: 10_000, evicted: 0 });
    dial().end();
    expect(server.stats()).toMatchObject({ detached: 10_000, evicted: 1 });
    expect(sessions[0]!.state).toBe('closed');
    await end();
  });

  it('more bytes for them than allowed -> the oldest goes, also when they grow later', async () => {
    const { dial, link, sessions, server, end } = begin({ maxDetachedBytes: 10 });
    const links = [link, dial()];
    sessions[0]!.send('12345');
    for (const each of links) each.end();
    expect(server.stats()).toMatchObject({ detached: 2, detachedBytes: 5 });
    sessions[1]!.send('12345');
    expect(server.stats()).toMatchObject({ detached: 2, detachedBytes: 10 });
    sessions[1]!.send('6');
    expect(sessions.map(({ state }) => state)).toEqual(['closed', 'detached']);
    expect(server.stats()).toMatchObject({ detached: 1, detachedBytes: 6, evicted: 1 });
    await end();
  });
});

describe('close', () => {
  it('sends everybody away with 1012, forgets all sessions, and leaves nothing', async () => {
    const { dial, link, sessions, server, environment, end } = begin();
    const detached = dial();
    detached.end();
    const pending = new FakeLink();
    server.onLink(pending, 'anna', REQUEST);
    const log = sessions.map((session) => recordSession(session));
    sessions[0]!.send('a');
    let isClosed = false;
    const closed = server.close().then(() => {
      isClosed = true;
    });
    expect([link.closeCode, pending.closeCode]).toEqual([1012, 1012]);
    expect(log).toMatchObject([
      [['close', { code: 1012, unacked: ['a'] }]],
      [['close', { code: 1012, unacked: [] }]],
    ]);
    await environment.settle();
    expect(isClosed).toBe(false);
    link.end();
    pending.end();
    await closed;
    expect(environment.pendingTimers).toBe(0);
    await server.close();
    await end();
  });

  it('a connection that comes afterwards -> 1012', async () => {
    const stage = setUp();
    await stage.server.close();
    const link = stage.dial();
    expect(link.closeCode).toBe(1012);
    link.end();
    await stage.end();
  });

  it('the owner’s signal, then or before; its listener is gone in any case', async () => {
    const environment = new FakeEnvironment();
    const [then, before, never] = [new AbortController(), AbortSignal.abort(), new AbortController()];
    const states = (server: SessionServer) => server.describe().state;
    const first = new SessionServer({ noServer: true, signal: then.signal }, environment);
    expect(states(first)).toBe('running');
    then.abort();
    expect(states(first)).toBe('closed');
    expect(states(new SessionServer({ noServer: true, signal: before }, environment))).toBe('closed');
    const third = new SessionServer({ noServer: true, signal: never.signal }, environment);
    await third.close();
    expect([then.signal, before, never.signal].map((each) => getEventListeners(each, 'abort'))).toEqual([
      [],
      [],
      [],
    ]);
    expect(environment.pendingTimers).toBe(0);
  });

  it('await using', async () => {
    const environment = new FakeEnvironment();
    const server = new SessionServer({ noServer: true }, environment);
    await server[Symbol.asyncDispose]();
    expect(server.describe().state).toBe('closed');
  });
});
