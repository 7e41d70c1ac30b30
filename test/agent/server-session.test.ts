// The server's end of one session, with a test that plays the client.
import { describe, expect, it } from 'vitest';
import { serializeAcknowledgement, serializeControl, type Welcome } from '../../src/agent/control.js';
import type { FakeLink } from '../support/fake-link.js';
import { collect, recordSession, sessionStage as setUp } from '../support/session-stage.js';

const CAPS = { messages: 4096, bytes: 2 ** 20, ping: true };
const hello = (members: object = {}) =>
  serializeControl({ t: 'hello', v: 1, gen: 1, recv: 0, caps: CAPS, ...members });

/** A session, its link, and what it takes to resume it. */
function begin(...[options]: Parameters<typeof setUp>) {
  const stage = setUp(options);
  const link = stage.dial();
  link.receive(hello());
  const { sid, tok } = link.takeSent()[0] as Welcome;
  const session = stage.sessions[0]!;
  const resume = (gen: number, recv = 0, other = stage.dial()): FakeLink => {
    other.receive(hello({ sid, tok, gen, recv }));
    return other;
  };
  const end = async (...links: FakeLink[]) => {
    const closed = stage.server.close();
    for (const each of [link, ...links]) each.end();
    await closed;
    await stage.end();
  };
  return { ...stage, stage, session, link, sid, tok, resume, end, log: recordSession(session) };
}

describe('welcome', () => {
  it('says what the server was told to say', async () => {
    const stage = setUp({ windowMs: 5000, heartbeat: { intervalMs: 10, timeoutMs: 5 } });
    const link = stage.dial();
    link.receive(hello({ gen: 7 }));
    expect(link.messages).toEqual([
      {
        t: 'welcome',
        sid: stage.sessions[0]!.id,
        tok: expect.any(String),
        gen: 7,
        resumed: false,
        recv: 0,
        epoch: expect.any(String),
        ttl: 5000,
        hb: { interval: 10, timeout: 5 },
        limits: { messages: 4096, bytes: 2 ** 20 },
      },
    ]);
    link.end();
    await stage.end();
  });

  it('the window is the smaller of both, for each number', async () => {
    const stage = setUp({ queue: { maxMessages: 10, maxBytes: 5000 } });
    const link = stage.dial();
    link.receive(hello({ caps: { messages: 100, bytes: 1000, ping: true } }));
    expect(link.messages).toMatchObject([{ limits: { messages: 10, bytes: 1000 } }]);
    const session = stage.sessions[0]!;
    for (let i = 0; i < 12; i++) session.send('a');
    expect(session.stats()).toMatchObject({ sent: 10, waiting: 2 });
    link.end();
    await stage.end();
  });
});

describe('detached and resumed', () => {
  it('keeps what is sent, and sends it behind the replay', async () => {
    const { session, link, log, resume, end } = begin();
    session.send('a');
    session.send('b');
    link.end({ code: 1001, reason: '' });
    expect([session.state, log]).toEqual(['detached', [['detached', { code: 1001 }]]]);
    session.send('c');
    const next = resume(2, 1);
    expect(next.messages).toMatchObject([{ t: 'welcome', resumed: true, gen: 2, recv: 0 }, 'b', 'c']);
    expect([session.state, log.at(-1)]).toEqual(['open', ['resumed', { replayed: 1 }]]);
    expect(session.stats()).toMatchObject({ sent: 3, acknowledged: 1, resumes: 1 });
    await end(next);
  });

  it('the welcome says what was handed over, not what has come', async () => {
    const { session, link, resume, end } = begin();
    for (const data of ['a', 'b', 'c']) link.receive(data);
    for await (const data of session) if (data === 'b') break;
    link.end();
    const next = resume(2);
    expect(next.messages).toMatchObject([{ recv: 2 }]);
    const received = collect(session);
    for (const data of ['c', 'd']) next.receive(data);
    expect(received).toEqual(['c', 'd']);
    await end(next);
  });

  it('taken over while it has a connection -> that one is destroyed and not heard any more', async () => {
    const { session, link, log, resume, end } = begin();
    const received = collect(session);
    const next = resume(2);
    expect(link.isReleased).toBe(true);
    link.receive('late');
    next.receive('a');
    expect([received, session.state, log]).toEqual([['a'], 'open', [['resumed', { replayed: 0 }]]]);
    await end(next);
  });

  it('a silent client -> detached', async () => {
    const { session, link, environment, end } = begin();
    environment.advance(47_000);
    expect([link.pings, link.isReleased, session.state]).toEqual([1, true, 'detached']);
    await end();
  });
});

describe('a client that breaks the rules', () => {
  it('malformed -> 4400, and it may come back', async () => {
    const { session, link, log, resume, end } = begin();
    link.receive('\u0001{');
    expect([link.closeCode, session.state, log]).toEqual([4400, 'detached', [['detached', { code: 4400 }]]]);
    const next = resume(2);
    expect(session.state).toBe('open');
    await end(next);
  });

  it.each([
    ['drains', serializeControl({ t: 'drain', in: 1 })],
    ['says hello again', hello({ gen: 2 })],
    ['says welcome', '\u0001{"t":"welcome"}'],
  ])('%s -> 4400', async (_name, text) => {
    const { link, end } = begin();
    link.receive(text);
    expect(link.closeCode).toBe(4400);
    await end();
  });

  it('counters that cannot be -> 4500, and the session is over', async () => {
    const { session, link, log, server, end } = begin();
    session.send('a');
    link.receive(serializeAcknowledgement(2, 0));
    expect([link.closeCode, session.state]).toEqual([4500, 'closed']);
    expect(log).toMatchObject([['close', { code: 4500, unacked: ['a'], error: { code: 'protocol' } }]]);
    expect(server.sessions).toEqual([]);
    await end();
  });

  it('more than the window -> 4500', async () => {
    const { session, link, end } = begin({ queue: { maxMessages: 2 } });
    for (const data of ['a', 'b', 'c']) link.receive(data);
    expect([link.closeCode, session.state]).toEqual([4500, 'closed']);
    await end();
  });

  it('the client found counters that disagree -> the session is over', async () => {
    const { session, link, log, end } = begin();
    link.end({ code: 4500, reason: '' });
    expect([session.state, log]).toMatchObject([
      'closed',
      [['close', { code: 4500, error: { code: 'protocol' } }]],
    ]);
    await end();
  });
});

describe('the end', () => {
  it('bye of the client: what came before it is acknowledged, then 1000', async () => {
    const { session, link, log, end } = begin();
    const received = collect(session);
    link.receive('a');
    link.receive(serializeControl({ t: 'bye' }));
    expect([received, link.messages, link.closeCode]).toEqual([['a'], [{ t: 'a', r: 1, s: 0 }], 1000]);
    expect(log).toEqual([
      ['close', { code: 1000, reason: 'the client ended the session', unsent: [], unacked: [] }],
    ]);
    await end();
  });

  it('close: says bye when all is acknowledged, and nothing after it', async () => {
    const { session, link, environment, end } = begin();
    session.send('a');
    const closed = session.close();
    await environment.settle();
    expect(link.messages).toEqual(['a']);
    link.receive(serializeAcknowledgement(1, 0));
    await environment.settle();
    expect([link.messages, link.closeCode]).toEqual([['a', { t: 'bye' }], 1000]);
    link.end();
    await closed;
    expect(session.state).toBe('closed');
    await end();
  });

  it('close of a session without a connection: when the client has come back', async () => {
    const { session, link, resume, end, pass } = begin();
    session.send('a');
    link.end();
    session.close();
    await pass(100);
    const next = resume(2);
    expect(next.messages).toMatchObject([{ t: 'welcome' }, 'a']);
    next.receive(serializeAcknowledgement(1, 0));
    await pass(10);
    expect([next.messages.at(-1), session.state]).toEqual([{ t: 'bye' }, 'closed']);
    await end(next);
  });

  it('close of a session without a connection, and nobody comes -> ends after its timeout', async () => {
    const { session, link, log, pass, end } = begin();
    session.send('a');
    link.end();
    session.close({ timeoutMs: 500 });
    await pass(520);
    expect(log.at(-1)).toMatchObject(['close', { code: 1000, unacked: ['a'] }]);
    await end();
  });

  it('nobody comes back in time -> expired, with what is left', async () => {
    const { session, link, log, environment, server, end } = begin({ windowMs: 1000 });
    session.send('a');
    link.end();
    session.send('b');
    environment.advance(1060);
    expect([session.state, server.sessions]).toEqual(['closed', []]);
    expect(log.at(-1)).toMatchObject([
      'close',
      { code: 1006, reason: 'expired', unsent: ['b'], unacked: ['a'], error: { code: 'closed' } },
    ]);
    await end();
  });
});
