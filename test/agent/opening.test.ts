import { describe, expect, it } from 'vitest';
import { serializeControl, type Welcome } from '../../src/agent/control.js';
import type { Connect, LinkEnd } from '../../src/agent/link.js';
import { Opening, type OpeningOptions } from '../../src/agent/opening.js';
import { TimerWheel } from '../../src/agent/timer-wheel.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import { FakeLink } from '../support/fake-link.js';

const TIMEOUT_MS = 10_000;
const REQUEST = { url: 'ws://server', subprotocols: [], headers: {}, timeoutMs: TIMEOUT_MS, maxPayload: 1 };
const HELLO = {
  t: 'hello',
  v: 1,
  sid: 's',
  tok: 'k',
  gen: 3,
  recv: 5,
  caps: { messages: 1, bytes: 1, ping: true },
} as const;
const WELCOME: Welcome = {
  t: 'welcome',
  sid: 's',
  tok: 'k',
  gen: 3,
  resumed: true,
  recv: 2,
  epoch: 'e',
  ttl: 1,
  hb: { interval: 1, timeout: 1 },
  limits: { messages: 1, bytes: 1 },
};

function setUp(change: Partial<OpeningOptions> = {}) {
  const environment = new FakeEnvironment();
  const wheel = new TimerWheel(environment);
  const link = new FakeLink();
  const log: unknown[] = [];
  const opening = new Opening({
    request: async () => REQUEST,
    connect: () => link,
    hello: () => HELLO,
    timeoutMs: TIMEOUT_MS,
    wheel,
    onWelcome: (...args) => log.push(['welcome', ...args]),
    onFailed: ({ code }: LinkEnd, isFinal) => log.push(['failed', code, isFinal]),
    ...change,
  });
  const open = async (): Promise<void> => {
    await environment.settle();
    link.handler?.onOpen?.();
  };
  return { environment, wheel, link, log, opening, open };
}

describe('Opening', () => {
  it('connects as requested, says hello when it is open, is done with the welcome', async () => {
    const requests: unknown[] = [];
    const link = new FakeLink();
    const connect: Connect = (request) => {
      requests.push(request);
      return link;
    };
    const { environment, wheel, log } = setUp({ connect });
    await environment.settle();
    expect([requests, link.sent]).toEqual([[REQUEST], []]);
    link.handler!.onOpen!();
    expect(link.messages).toEqual([HELLO]);
    link.receive(serializeControl(WELCOME));
    expect(log).toEqual([['welcome', link, WELCOME, HELLO]]);
    expect([wheel.size, link.closeCode]).toEqual([0, undefined]);
  });

  it('a new session in answer to an attempt to resume is an answer', async () => {
    const { link, log, open } = setUp();
    await open();
    const welcome: Welcome = { ...WELCOME, sid: 'another', resumed: false, recv: 0, reason: 'unknown' };
    link.receive(serializeControl(welcome));
    expect(log).toEqual([['welcome', link, welcome, HELLO]]);
  });

  it.each([
    ['data', 'text'],
    ['a binary message', Buffer.from(serializeControl(WELCOME))],
    ['another control message', serializeControl({ t: 'p' })],
    ['a welcome without its mark', `x${JSON.stringify(WELCOME)}`],
    ['another generation', serializeControl({ ...WELCOME, gen: 2 })],
    ['another session than the one to resume', serializeControl({ ...WELCOME, sid: 'another' })],
    ['the session to resume with another token', serializeControl({ ...WELCOME, tok: 'another' })],
    ['a new session with the name of the old', serializeControl({ ...WELCOME, resumed: false, recv: 0 })],
  ])('%s -> 4400, and no other attempt', async (_name, data) => {
    const { environment, wheel, link, log, open } = setUp();
    await open();
    link.receive(data);
    expect([link.closeCode, log]).toEqual([4400, [['failed', 4400, true]]]);
    link.end();
    await environment.settle();
    expect([log.length, wheel.size]).toEqual([1, 0]);
  });

  it('a welcome before the hello -> 4400', async () => {
    const { environment, link } = setUp();
    await environment.settle();
    link.receive(serializeControl(WELCOME));
    expect(link.closeCode).toBe(4400);
  });

  it('the connection is gone -> failed as it ended', async () => {
    const { wheel, link, log, open } = setUp();
    await open();
    link.end({ code: 1013, reason: '' });
    expect([log, wheel.size]).toEqual([[['failed', 1013, false]], 0]);
  });

  it.each(['the address', 'the connection', 'the welcome'])('%s takes too long -> 4408', async (what) => {
    const { environment, wheel, link, log, open } = setUp(
      what === 'the address' ? { request: () => new Promise(() => {}) } : {},
    );
    await environment.settle();
    if (what === 'the welcome') await open();
    environment.advance(TIMEOUT_MS - 1);
    expect(log).toEqual([]);
    environment.advance(51);
    expect(log).toEqual([['failed', 4408, false]]);
    expect([link.isReleased, wheel.size]).toEqual([what !== 'the address', 0]);
  });

  it('no address -> failed, but not for good', async () => {
    const { environment, wheel, log } = setUp({ request: () => Promise.reject(new Error('no token')) });
    await environment.settle();
    expect([log, wheel.size]).toEqual([[['failed', 1006, false]], 0]);
  });

  it('an address that cannot be -> failed for good', async () => {
    const { environment, wheel, log } = setUp({
      connect: () => {
        throw new SyntaxError('no URL');
      },
    });
    await environment.settle();
    expect([log, wheel.size]).toEqual([[['failed', 1006, true]], 0]);
  });

  it('cancelled while it asks for the address -> does not connect', async () => {
    let connections = 0;
    const { environment, opening, wheel, log } = setUp({
      connect: () => {
        connections++;
        return new FakeLink();
      },
    });
    opening.cancel();
    await environment.settle();
    expect([connections, log, wheel.size]).toEqual([0, [], 0]);
  });

  it('cancelled, and then no address -> nobody is told', async () => {
    const { environment, opening, log } = setUp({ request: () => Promise.reject(new Error('no token')) });
    opening.cancel();
    await environment.settle();
    expect(log).toEqual([]);
  });

  it('cancelled while it waits for the welcome -> the connection is destroyed', async () => {
    const { link, opening, wheel, log, open } = setUp();
    await open();
    opening.cancel();
    link.receive(serializeControl(WELCOME));
    expect([link.isReleased, log, wheel.size]).toEqual([true, [], 0]);
  });
});
