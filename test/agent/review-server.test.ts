// A server that goes away, and times that it must not tell its clients.
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { serializeControl } from '../../src/agent/control.js';
import type { SessionServerOptions } from '../../src/agent/server-options.js';
import type { ServerSession } from '../../src/agent/server-session.js';
import { SessionServer } from '../../src/agent/session-server.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import { FakeLink } from '../support/fake-link.js';

const CAPS = { messages: 100, bytes: 10_000, ping: true };

function setUp(options: Partial<SessionServerOptions> = {}) {
  const environment = new FakeEnvironment();
  const server = new SessionServer({ noServer: true, ...options }, environment);
  const connect = (principal: string | Promise<string> = 'somebody'): FakeLink => {
    const link = new FakeLink();
    server.onLink(link, principal, {} as IncomingMessage);
    link.receive(serializeControl({ t: 'hello', v: 1, gen: 1, recv: 0, caps: CAPS }));
    return link;
  };
  return { environment, server, connect };
}

describe('a server that goes away', () => {
  it('tells with its last message what was processed', async () => {
    const { server, connect } = setUp();
    server.on('session', (session) => session.on('message', () => {}));
    const link = connect();
    link.receive('a');
    link.receive('b');
    const closed = server.close();
    expect(link.messages.slice(1)).toEqual([{ t: 'a', r: 2, s: 0 }]);
    link.end();
    await closed;
  });

  it('a client that was let in before, and is known only now -> 1012, no session', async () => {
    const { environment, server, connect } = setUp();
    const sessions: ServerSession[] = [];
    server.on('session', (session) => sessions.push(session));
    connect();
    let identify!: (name: string) => void;
    const late = connect(
      new Promise((resolve) => {
        identify = resolve;
      }),
    );
    const drained = server.drain({ deadlineMs: 1000, spreadMs: 0 });
    identify('somebody else');
    await environment.settle();
    expect([late.closeCode, sessions.length]).toEqual([1012, 1]);
    environment.advance(1000);
    await environment.settle();
    environment.advance(6000);
    await drained;
  });

  it('drain({ deadlineMs: Infinity }) -> nobody is cut, and clients are told a time that they take', async () => {
    const { environment, server, connect } = setUp();
    const link = connect();
    const drained = server.drain({ deadlineMs: Number.POSITIVE_INFINITY, spreadMs: 0 });
    environment.advance(10_000);
    await environment.settle();
    expect(link.closeCode).toBeUndefined();
    expect(link.messages.at(-1)).toMatchObject({ t: 'drain' });
    link.receive(serializeControl({ t: 'bye' }));
    expect(await drained).toEqual({ moved: 1, finished: 0, cut: 0 });
  });

  it('closed twice -> both calls wait for the end', async () => {
    const { environment, server, connect } = setUp();
    const link = connect();
    const first = server.close();
    let isDone = false;
    const second = server.close().then(() => {
      isDone = true;
    });
    await environment.settle();
    expect(isDone).toBe(false);
    link.end();
    await Promise.all([first, second]);
  });
});

describe('times that no client takes', () => {
  it.each<[string, Partial<SessionServerOptions>]>([
    ['windowMs', { windowMs: Number.POSITIVE_INFINITY }],
    ['windowMs', { windowMs: 2 ** 31 }],
    ['windowMs', { windowMs: 0.5 }],
    ['heartbeat.intervalMs', { heartbeat: { intervalMs: 0, timeoutMs: 1 } }],
    ['heartbeat.timeoutMs', { heartbeat: { intervalMs: 1, timeoutMs: Number.NaN } }],
  ])('%s: %j -> RangeError', (name, options) => {
    expect(() => setUp(options)).toThrow(new RegExp(`^${name}: whole milliseconds`));
  });
});
