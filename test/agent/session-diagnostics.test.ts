// What real sessions publish and list, over connections that are made of nothing, on a clock of our own.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClientSession } from '../../src/agent/client-session.js';
import { type Control, parseControl, serializeControl } from '../../src/agent/control.js';
import { debug } from '../../src/agent/debug.js';
import type { Data, Link, LinkHandler } from '../../src/agent/link.js';
import type { QueueOptions, QueuePolicy } from '../../src/agent/queue-options.js';
import type { ServerSession } from '../../src/agent/server-session.js';
import { SessionServer } from '../../src/agent/session-server.js';
import { FakeEnvironment } from '../support/fake-environment.js';

const NAMES = ['connect', 'close', 'resume', 'session.lost', 'queue.drop', 'slow'];
let news: [name: string, message: Record<string, unknown>][] = [];

/** Sessions are told apart by their id; that the object is there as well is checked in the first test. */
function onNews(message: unknown, name: string | symbol): void {
  const { session, ...rest } = message as Record<string, unknown>;
  news.push([String(name).replace('hawser:', ''), rest]);
}

beforeEach(() => {
  news = [];
  for (const name of NAMES) subscribe(`hawser:${name}`, onNews);
});

const servers: SessionServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  for (const name of NAMES) unsubscribe(`hawser:${name}`, onNews);
});

const named = (wanted: string) => news.filter(([name]) => name === wanted).map(([, message]) => message);

/** One end of a connection; the test is the other. */
class StubLink implements Link {
  handler: LinkHandler | undefined;
  readonly subprotocol = '';
  readonly bufferedAmount = 0;
  readonly ping = undefined;
  readonly activity = 0;
  readonly sent: Data[] = [];
  send(data: Data): void {
    this.sent.push(data);
  }
  close(code: number, reason: string): void {
    this.handler?.onEnd({ code, reason });
  }
  release(): void {}

  receive(control: Control): void {
    this.handler?.onMessage(serializeControl(control));
  }
  lose(): void {
    this.handler?.onEnd({ code: 1006, reason: '' });
  }
  /** The last control message that was sent. */
  get control(): Control {
    return parseControl(this.sent.findLast((data) => String(data).startsWith('\u0001')) as string)!;
  }
}

const caps = { messages: 100, bytes: 10_000, ping: true };

/** A server, and a client of which every step is the test's. */
function setUpServer(queue: QueueOptions = {}) {
  const environment = new FakeEnvironment();
  const server = new SessionServer({ noServer: true, queue, windowMs: 1000 }, environment);
  servers.push(server);
  let session: ServerSession | undefined;
  server.on('session', (made) => {
    session = made;
  });
  let identity = {};
  const connect = (gen: number, recv = 0): StubLink => {
    const link = new StubLink();
    server.onLink(link, 'somebody', {} as IncomingMessage);
    link.receive({ t: 'hello', v: 1, ...identity, gen, recv, caps });
    const { sid, tok } = link.control as { sid: string; tok: string };
    identity = { sid, tok };
    return link;
  };
  return { environment, server, connect, session: () => session! };
}

describe('a server session', () => {
  it('connection, loss, resumption, end -> connect, close, connect and resume, close', () => {
    const { environment, connect, session } = setUpServer();
    const objects = new Set<unknown>();
    const onConnect = (message: unknown) => objects.add((message as { session: unknown }).session);
    subscribe('hawser:connect', onConnect);
    const first = connect(1);
    session().send('a');
    session().send('b');
    first.receive({ t: 'a', r: 1, s: 0 });
    first.lose();
    session().send('c');
    environment.advance(500);
    const second = connect(5, 1);
    second.receive({ t: 'bye' });
    unsubscribe('hawser:connect', onConnect);
    const whose = { sessionId: session().id, side: 'server' };
    expect(news).toEqual([
      ['connect', { ...whose, generation: 1, isResumed: false }],
      ['close', { ...whose, code: 1006, reason: '', isOver: false, unsent: 0, unacked: 1 }],
      ['connect', { ...whose, generation: 5, isResumed: true }],
      ['resume', { ...whose, replayed: 1, detachedMs: 500 }],
      [
        'close',
        { ...whose, code: 1000, reason: 'the client ended the session', isOver: true, unsent: 0, unacked: 2 },
      ],
    ]);
    expect([...objects]).toEqual([session()]);
  });

  it('is taken over, also after it was away -> connect without a close, 0 ms away', () => {
    const { environment, connect } = setUpServer();
    connect(1).lose();
    environment.advance(100);
    connect(2);
    environment.advance(100);
    connect(3);
    expect(news.map(([name]) => name)).toEqual([
      'connect',
      'close',
      'connect',
      'resume',
      'connect',
      'resume',
    ]);
    expect(named('resume').map(({ detachedMs }) => detachedMs)).toEqual([100, 0]);
  });

  it('nobody comes back in time -> a close of its own', () => {
    const { environment, connect } = setUpServer();
    connect(1).lose();
    environment.advance(3000);
    expect(news.slice(2)).toEqual([
      [
        'close',
        expect.objectContaining({ code: 1006, reason: 'expired', isOver: true, error: expect.any(Error) }),
      ],
    ]);
  });

  it.each<[policy: QueuePolicy, dropped: number]>([
    ['block', 0],
    ['error', 0],
    ['drop-oldest', 3],
    ['drop-newest', 3],
  ])('%s: the client is away and the queue is full -> slow, once', (policy, dropped) => {
    const { connect, session } = setUpServer({ policy, maxMessages: 4 });
    connect(1).lose();
    const send = () => session().send('text');
    for (let i = 0; i < 4; i++) send();
    expect(named('slow')).toEqual([]);
    for (let i = 0; i < 3; i++) send();
    const whose = { sessionId: session().id, side: 'server' };
    const full = { queuedMessages: 4, queuedBytes: 16, bufferedAmount: 0 };
    expect(named('slow')).toEqual([{ ...whose, ...full }]);
    expect(named('queue.drop')).toEqual(
      Array(dropped).fill({ ...whose, reason: 'full', key: undefined, bytes: 4 }),
    );
  });

  it.each<[policy: QueuePolicy, reason: string]>([
    ['conflate', 'conflated'],
    ['volatile', 'volatile'],
  ])('%s: a drop that is the policy, with room left -> no slow', (policy, reason) => {
    const { connect, session } = setUpServer({ policy, maxMessages: 4 });
    connect(1).lose();
    session().send('1', { key: 'k' });
    session().send('22', { key: 'k' });
    expect(named('queue.drop')[0]).toMatchObject({ reason, key: 'k', bytes: 1 });
    expect(named('slow')).toEqual([]);
  });

  it('slow is told anew only after half of the queue was free', () => {
    const { connect, session } = setUpServer({ policy: 'drop-newest', maxMessages: 4 });
    const link = connect(1);
    const send = (count: number) => {
      for (let i = 0; i < count; i++) session().send('text');
    };
    send(5);
    expect(named('slow')).toHaveLength(1);
    link.receive({ t: 'a', r: 1, s: 0 });
    send(2);
    expect(named('slow')).toHaveLength(1);
    expect(session().stats().dropped).toBe(2);
    link.receive({ t: 'a', r: 3, s: 0 });
    send(3);
    expect(named('slow')).toHaveLength(2);
  });

  it('what waited has expired -> slow is told anew', () => {
    const { environment, connect, session } = setUpServer({
      policy: 'drop-newest',
      maxMessages: 4,
      ttlMs: 100,
    });
    connect(1).lose();
    for (let i = 0; i < 6; i++) session().send('text');
    expect(named('slow')).toHaveLength(1);
    environment.advance(500);
    for (let i = 0; i < 6; i++) session().send('text');
    expect(named('slow')).toHaveLength(2);
  });

  it('is listed with its server until it is over', async () => {
    const { environment, server, connect, session } = setUpServer();
    const link = connect(1);
    environment.advance(100);
    expect(debug.active()).toEqual([
      { kind: 'session server', id: server.terms.epoch, state: 'running', ageMs: 100, ...server.stats() },
      { kind: 'server session', id: session().id, state: 'open', ageMs: 100 },
    ]);
    link.lose();
    expect(debug.active().map(({ state }) => state)).toEqual(['running', 'detached']);
    environment.advance(3000);
    expect(debug.active().map(({ state }) => state)).toEqual(['running']);
    await server.close();
    expect(debug.active()).toEqual([]);
  });
});

/** A client of which every step of the server is the test's. */
function setUpClient() {
  const environment = new FakeEnvironment();
  const links: StubLink[] = [];
  const connect = () => {
    const link = new StubLink();
    links.push(link);
    return link;
  };
  const session = new ClientSession('ws://server', {}, connect, environment);
  const welcome = (sid: string, resumed: boolean, recv = 0): StubLink => {
    const link = links.at(-1)!;
    link.handler!.onOpen!();
    const { gen } = link.control as { gen: number };
    const hb = { interval: 10_000, timeout: 10_000 };
    const terms = { epoch: 'e', ttl: 1000, hb, limits: { messages: 100, bytes: 10_000 } };
    link.receive({ t: 'welcome', sid, tok: `token of ${sid}`, gen, resumed, recv, ...terms });
    return link;
  };
  return { environment, session, welcome };
}

describe('a client session', () => {
  it('the server has lost it -> session.lost of the one that is lost, then another connects', async () => {
    const { environment, session, welcome } = setUpClient();
    await environment.settle();
    const link = welcome('s1', false);
    session.send('a');
    link.lose();
    session.send('b');
    session.send('c');
    environment.advance(1000);
    await environment.settle();
    welcome('s2', false);
    session.terminate();
    const [s1, s2] = ['s1', 's2'].map((sessionId) => ({ sessionId, side: 'client' }));
    expect(news).toEqual([
      ['connect', { ...s1, generation: 1, isResumed: false }],
      ['close', { ...s1, code: 1006, reason: '', isOver: false, unsent: 0, unacked: 1 }],
      ['session.lost', { ...s1, unsent: 2, unacked: 1, reason: 'unknown' }],
      ['connect', { ...s2, generation: 2, isResumed: false }],
      ['close', { ...s2, code: 1006, reason: 'terminated', isOver: true, unsent: 0, unacked: 0 }],
    ]);
  });

  it('the server drains and is gone before it acknowledged -> session.lost of the former one', async () => {
    const { environment, session, welcome } = setUpClient();
    await environment.settle();
    const former = welcome('s1', false);
    session.send('a');
    former.receive({ t: 'drain', in: 1000 });
    await environment.settle();
    welcome('s2', false);
    former.lose();
    session.terminate();
    expect(news.map(([name, { sessionId }]) => [name, sessionId])).toEqual([
      ['connect', 's1'],
      ['connect', 's2'],
      ['session.lost', 's1'],
      ['close', 's2'],
    ]);
  });

  it('is never there -> listed while it tries, without an id, and no news but its end', () => {
    const { session } = setUpClient();
    expect(debug.active()).toEqual([
      { kind: 'client session', id: undefined, state: 'connecting', ageMs: 0 },
    ]);
    session.terminate();
    expect(debug.active()).toEqual([]);
    expect(news).toEqual([
      ['close', expect.objectContaining({ sessionId: undefined, side: 'client', isOver: true })],
    ]);
  });
});
