// docs/session-protocol.md, requirement by requirement: what a server and a client do when the test plays the peer. The
// messages themselves are in session-protocol-vectors.test.ts; what all of it is good for is tested elsewhere.
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ClientSession, type ClientSessionOptions } from '../../src/agent/client-session.js';
import type { Hello, Welcome } from '../../src/agent/control.js';
import type { ServerSession } from '../../src/agent/server-session.js';
import { SessionServer, type SessionServerOptions } from '../../src/agent/session-server.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import { FakeLink } from '../support/fake-link.js';

const control = (message: object): string => `\u0001${JSON.stringify(message)}`;
const CAPS = { messages: 100, bytes: 1000, ping: true };
const HELLO = { t: 'hello', v: 1, gen: 1, recv: 0, caps: CAPS };
const WELCOME: Welcome = {
  t: 'welcome',
  sid: 's1',
  tok: 'k1',
  gen: 1,
  resumed: false,
  recv: 0,
  epoch: 'e1',
  ttl: 1000,
  hb: { interval: 25_000, timeout: 20_000 },
  limits: { messages: 100, bytes: 1000 },
};

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
    ['[S-8] a welcome from a client', [control(HELLO), control(WELCOME)]],
    ['[S-8] a second hello', [control(HELLO), control({ ...HELLO, gen: 2 })]],
    ['[S-8] drain from a client', [control(HELLO), control({ t: 'drain', in: 1 })]],
  ])('%s -> 4400', (_name, messages) => {
    const link = new Server().connect();
    for (const message of messages) link.receive(message);
    expect(link.closeCode).toBe(4400);
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
    const { welcome } = server.greet({ ...resume, recv: 99, ...change });
    expect(welcome).toMatchObject({ resumed: false, recv: 0, reason: 'unknown' });
    expect(welcome.sid).not.toBe(session.id);
    expect([session.state, link.isOver]).toEqual(['open', false]);
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
    ['bytes', ['x'.repeat(500), 'x'.repeat(500), 'x']],
    ['bytes, behind a message that goes alone', ['x'.repeat(5000), 'x']],
  ])('[S-32] too many %s -> 4500 with the last of them, and the session is forgotten', (_name, messages) => {
    const { link, session } = new Server().begin();
    for (const message of messages.slice(0, -1)) link.receive(message);
    expect(link.closeCode).toBeUndefined();
    link.receive(messages.at(-1)!);
    expect([link.closeCode, session.state]).toEqual([4500, 'closed']);
  });

  it('[S-30] [S-31] window full -> messages wait until there is room', () => {
    const { link, session } = new Server().begin();
    for (const size of [600, 500, 100]) session.send('x'.repeat(size));
    expect(link.sent.map(({ length }) => length)).toEqual([600]);
    link.receive(control({ t: 'a', r: 1, s: 0 }));
    expect(link.sent.map(({ length }) => length)).toEqual([600, 500, 100]);
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

/** A client, which the test welcomes. */
class Client {
  readonly environment = new FakeEnvironment();
  readonly links: FakeLink[] = [];
  readonly session: ClientSession;

  constructor(options: ClientSessionOptions = {}) {
    const connect = (): FakeLink => {
      const link = new FakeLink();
      this.links.push(link);
      return link;
    };
    this.session = new ClientSession('ws://127.0.0.1', options, connect, this.environment);
  }

  /** The next connection, which is open. */
  async hello(): Promise<{ link: FakeLink; hello: Hello }> {
    this.environment.advance(20_000);
    await this.environment.settle();
    const link = this.links.at(-1)!;
    link.handler!.onOpen!();
    return { link, hello: link.takeSent()[0] as Hello };
  }

  async welcome(welcome: Partial<Welcome> = {}): Promise<{ link: FakeLink; hello: Hello }> {
    const { link, hello } = await this.hello();
    link.receive(control({ ...WELCOME, gen: hello.gen, ...welcome }));
    return { link, hello };
  }
}

describe('client', () => {
  it.each([
    ['[S-10] data before welcome', 'text'],
    ['[S-10] drain before welcome', control({ t: 'drain', in: 1 })],
    ['[S-12] welcome for another hello', control({ ...WELCOME, gen: 9 })],
    ['[S-15] resumed what was not asked for', control({ ...WELCOME, resumed: true })],
  ])('%s -> 4400, and it is over', async (_name, message) => {
    const client = new Client();
    const { link } = await client.hello();
    link.receive(message);
    expect([link.closeCode, client.session.state]).toEqual([4400, 'closed']);
  });

  it('[S-12] [S-19] [S-24] a drop -> gen one more, recv what was handed over, and what the server lacks', async () => {
    const client = new Client();
    const first = await client.welcome();
    expect(first.hello).toEqual({ ...HELLO, caps: expect.anything() });
    for (const text of ['1', '2', '3']) client.session.send(text);
    first.link.receive('a');
    first.link.receive('b');
    await client.session[Symbol.asyncIterator]().next();
    first.link.end();
    const { link, hello } = await client.welcome({ resumed: true, recv: 2 });
    expect(hello).toEqual({ ...first.hello, gen: 2, recv: 1, sid: 's1', tok: 'k1' });
    expect(link.sent).toEqual(['3']);
  });

  it('[S-21] resumed with a recv that cannot be -> 4500, the session is lost, and a new one begins', async () => {
    const client = new Client();
    const lost: unknown[] = [];
    client.session.on('sessionlost', (loss) => lost.push(loss));
    (await client.welcome()).link.end();
    const { link } = await client.welcome({ resumed: true, recv: 1 });
    expect(link.closeCode).toBe(4500);
    expect(lost).toHaveLength(1);
    expect((await client.hello()).hello.sid).toBeUndefined();
  });

  it.each([
    [1000, 'closed'],
    [1001, 'reconnecting'],
    [1002, 'closed'],
    [1006, 'reconnecting'],
    [1009, 'closed'],
    [1012, 'reconnecting'],
    [4400, 'closed'],
    [4403, 'closed'],
    [4408, 'reconnecting'],
    [4409, 'closed'],
    [4499, 'closed'],
    [4500, 'reconnecting'],
  ])('[S-40] closed with %i -> %s', async (code, state) => {
    const client = new Client();
    (await client.welcome()).link.end({ code, reason: '' });
    expect(client.session.state).toBe(state);
  });
});
