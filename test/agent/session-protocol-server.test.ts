// docs/session-protocol.md, requirement by requirement: what a server does when the test plays the client. The messages
// themselves are in session-protocol-vectors.test.ts; what all of it is good for is tested elsewhere.
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Welcome } from '../../src/agent/control.js';
import type { SessionServerOptions } from '../../src/agent/server-options.js';
import type { ServerSession } from '../../src/agent/server-session.js';
import { SessionServer } from '../../src/agent/session-server.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import { FakeLink } from '../support/fake-link.js';

const control = (message: object): string => `\u0001${JSON.stringify(message)}`;
const CAPS = { messages: 100, bytes: 1000, ping: true };
const HELLO = { t: 'hello', v: 1, gen: 1, recv: 0, caps: CAPS };
/** A server, to which the test says hello. */
class Server {
  readonly environment = new FakeEnvironment();
  readonly sessions: ServerSession[] = [];
  readonly server: SessionServer;

  constructor(options: Partial<SessionServerOptions> = {}) {
    this.server = new SessionServer({ noServer: true, ...options }, this.environment);
    this.server.on('session', (session) => this.sessions.push(session));
  }

  connect(principal = 'somebody'): FakeLink {
    const link = new FakeLink();
    this.server.onLink(link, principal, {} as IncomingMessage);
    return link;
  }

  /** A connection on which `hello` was said. */
  greet(hello: object = HELLO, principal?: string): { link: FakeLink; welcome: Welcome } {
    const link = this.connect(principal);
    link.receive(control(hello));
    return { link, welcome: link.takeSent()[0] as Welcome };
  }

  /** A new session, and what to say to resume it. */
  begin(): { link: FakeLink; session: ServerSession; resume: object } {
    const { link, welcome } = this.greet();
    const resume = { ...HELLO, sid: welcome.sid, tok: welcome.tok, gen: 2 };
    return { link, session: this.sessions.at(-1)!, resume };
  }
}

describe('server, the beginning', () => {
  it.each([
    ['[S-10] data before hello', ['text']],
    ['[S-10] binary before hello', [new Uint8Array(3)]],
    ['[S-10] another control message before hello', [control({ t: 'a', r: 0, s: 0 })]],
    ['[S-8] a hello that is none', [control({ ...HELLO, gen: 0 })]],
    ['[S-8] a second hello', [control(HELLO), control({ ...HELLO, gen: 2 })]],
    ['[S-8] drain from a client', [control(HELLO), control({ t: 'drain', in: 1 })]],
  ])('%s -> 4400', (_name, messages) => {
    const link = new Server().connect();
    for (const message of messages) link.receive(message);
    expect(link.closeCode).toBe(4400);
  });

  it('[S-8] a welcome from a client -> 4400', () => {
    const link = new Server().connect();
    link.receive(control(HELLO));
    link.receive(link.sent[0]!);
    expect(link.closeCode).toBe(4400);
  });

  it('[S-10] a second hello while it is found out who the client is -> 4400, and nothing of it later', async () => {
    const server = new Server();
    const link = new FakeLink();
    server.server.onLink(link, Promise.resolve('somebody'), {} as IncomingMessage);
    link.receive(control(HELLO));
    link.receive(control(HELLO));
    await server.environment.settle();
    expect(link.closeCode).toBe(4400);
    expect(server.sessions).toEqual([]);
  });

  it('[S-11] no hello in 10 s -> 4408', () => {
    const server = new Server();
    const link = server.connect();
    server.environment.advance(9900);
    expect(link.closeCode).toBeUndefined();
    server.environment.advance(200);
    expect(link.closeCode).toBe(4408);
    expect(link.sent).toEqual([]);
  });

  it('[S-12] [S-13] [S-16] a new session -> gen repeated, numbers begin at 0, the lesser window of the two', () => {
    const { welcome } = new Server({ queue: { maxMessages: 50 } }).greet({ ...HELLO, gen: 7 });
    expect(welcome).toMatchObject({ gen: 7, resumed: false, recv: 0, limits: { messages: 50, bytes: 1000 } });
    expect(welcome.reason).toBeUndefined();
  });

  it.each([
    ['the token is wrong', { tok: 'wrong' }],
    ['the session is unknown', { sid: 'unknown' }],
  ])('[S-14] %s -> a new session, "unknown", and the old one is as before', (_name, change) => {
    const server = new Server();
    const { link, session, resume } = server.begin();
    const other = server.greet({ ...resume, recv: 99, ...change });
    expect(other.welcome).toMatchObject({ resumed: false, recv: 0, reason: 'unknown' });
    expect(other.welcome.sid).not.toBe(session.id);
    expect([session.state, link.isOver]).toEqual(['open', false]);
    server.sessions[1]!.send('1');
    other.link.receive(control({ t: 'a', r: 1, s: 0 }));
    expect(server.sessions[1]!.stats()).toMatchObject({ state: 'open', sent: 1, acknowledged: 1 });
  });

  it.each([
    ['[S-14.2] of another principal', 4403, {}, 'somebody else'],
    ['[S-14.3] [S-28] late: gen is not newer', 4409, { gen: 1 }, 'somebody'],
  ])('hello %s -> %i, and the session is as before', (_name, code, change, principal) => {
    const server = new Server();
    const { link, session, resume } = server.begin();
    const intruder = server.greet({ ...resume, ...change }, principal).link;
    expect(intruder.closeCode).toBe(code);
    expect([session.state, link.isOver]).toEqual(['open', false]);
  });

  it('[S-14.4] recv above what was sent -> 4500, and the session is forgotten', () => {
    const server = new Server();
    const { session, resume } = server.begin();
    expect(server.greet({ ...resume, recv: 1 }).link.closeCode).toBe(4500);
    expect(session.state).toBe('closed');
    expect(server.greet({ ...resume, gen: 3 }).welcome.reason).toBe('unknown');
  });
});

describe('server, numbers', () => {
  it('[S-15] [S-17] [S-18] [S-19] resumed -> recv is what was handed over, and what came before is dropped', async () => {
    const server = new Server();
    const { link, session, resume } = server.begin();
    for (const text of ['1', '2', '3']) link.receive(text);
    const iterator = session[Symbol.asyncIterator]();
    await iterator.next();
    const { link: second, welcome } = server.greet(resume);
    expect(welcome).toMatchObject({ sid: session.id, resumed: true, recv: 1 });
    for (const text of ['2', '3', '4']) second.receive(text);
    const rest = [await iterator.next(), await iterator.next(), await iterator.next()];
    expect(rest.map(({ value }) => value)).toEqual(['2', '3', '4']);
    expect(session.stats().received).toBe(4);
  });

  it('[S-24] resumed -> what the client lacks is sent again, before what is new', () => {
    const server = new Server();
    const { link, session, resume } = server.begin();
    for (const text of ['1', '2', '\u00013']) session.send(text);
    link.end();
    session.send('4');
    const second = server.greet({ ...resume, recv: 1 }).link;
    expect(second.sent).toEqual([]);
    expect(server.sessions).toHaveLength(1);
    const third = server.connect();
    third.receive(control({ ...resume, gen: 3, recv: 1 }));
    expect(third.sent.slice(1)).toEqual(['2', '\u0001\u00013', '4']);
  });

  it('[S-26] resumed while it is attached -> the old connection is destroyed, and heard no more', () => {
    const server = new Server();
    const { link, session, resume } = server.begin();
    server.greet(resume);
    link.receive('late');
    expect(link.isReleased).toBe(true);
    expect(session.stats().received).toBe(0);
  });

  it('[S-20] [S-22] handed over -> acknowledged in 200 ms, with the number of what was sent', () => {
    const server = new Server();
    const { link, session } = server.begin();
    session.on('message', () => {});
    session.send('1');
    link.takeSent();
    link.receive('a');
    link.receive('b');
    server.environment.advance(300);
    expect(link.takeSent()).toEqual([{ t: 'a', r: 2, s: 1 }]);
  });

  it.each([
    ['[S-22] 50 messages, half of the window', 50, 'x'],
    ['[S-22] 500 bytes, half of the window', 5, 'x'.repeat(100)],
  ])('%s -> acknowledged at once', (_name, count, text) => {
    const { link, session } = new Server().begin();
    session.on('message', () => {});
    for (let number = 1; number < count; number++) link.receive(text);
    expect(link.takeSent()).toEqual([]);
    link.receive(text);
    expect(link.takeSent()).toEqual([{ t: 'a', r: count, s: 0 }]);
  });

  it.each([
    ['messages', Array(101).fill('x')],
    ['bytes, four times the window', [...Array(4).fill('x'.repeat(1000)), 'x']],
    ['bytes, behind a message that goes alone', ['x'.repeat(5000), 'x']],
  ])('[S-32] too many %s -> 4500 with the last of them, and the session is forgotten', (_name, messages) => {
    const { link, session } = new Server().begin();
    for (const message of messages.slice(0, -1)) link.receive(message);
    expect(link.closeCode).toBeUndefined();
    link.receive(messages.at(-1)!);
    expect([link.closeCode, session.state]).toEqual([4500, 'closed']);
  });

  it('[S-30] [S-31] window full -> messages wait for room, a larger one for all of it', () => {
    const { link, session } = new Server().begin();
    const sizes = (): number[] => link.sent.map(({ length }) => length);
    for (const size of [600, 500, 100, 5000]) session.send('x'.repeat(size));
    expect(sizes()).toEqual([600]);
    link.receive(control({ t: 'a', r: 1, s: 0 }));
    expect(sizes()).toEqual([600, 500, 100]);
    link.receive(control({ t: 'a', r: 2, s: 0 }));
    expect(sizes()).toHaveLength(3);
    link.receive(control({ t: 'a', r: 3, s: 0 }));
    expect(sizes()).toEqual([600, 500, 100, 5000]);
  });
});

describe('server, the end', () => {
  it('[S-29] no bye -> the session waits for ttl, and is forgotten then', () => {
    const server = new Server({ windowMs: 5000 });
    const { link, session } = server.begin();
    link.end();
    server.environment.advance(4900);
    expect(session.state).toBe('detached');
    server.environment.advance(200);
    expect(session.state).toBe('closed');
  });

  it('[S-35] p -> q', () => {
    const { link } = new Server().begin();
    link.receive(control({ t: 'p' }));
    link.receive(control({ t: 'q' }));
    expect(link.takeSent()).toEqual([{ t: 'q' }]);
  });

  it('[S-38] bye -> 1000, and the session is forgotten', () => {
    const server = new Server();
    const { link, session, resume } = server.begin();
    link.receive(control({ t: 'bye' }));
    expect([link.closeCode, session.state]).toEqual([1000, 'closed']);
    expect(server.greet(resume).welcome.reason).toBe('unknown');
  });
});
