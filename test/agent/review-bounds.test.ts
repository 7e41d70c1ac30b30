// What a peer, or a number that is none, could make grow, stop or vanish.
import { describe, expect, it } from 'vitest';
import { Backoff } from '../../src/agent/backoff.js';
import type { ClientSessionOptions } from '../../src/agent/client-options.js';
import { ClientSession } from '../../src/agent/client-session.js';
import { type Hello, serializeControl, type Welcome } from '../../src/agent/control.js';
import type { ConnectRequest } from '../../src/agent/link.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import { FakeLink } from '../support/fake-link.js';

/** A client whose server is the test. */
async function setUp(options: ClientSessionOptions = {}) {
  const environment = new FakeEnvironment();
  const links: FakeLink[] = [];
  const requests: ConnectRequest[] = [];
  const connect = (request: ConnectRequest): FakeLink => {
    requests.push(request);
    const link = new FakeLink();
    links.push(link);
    return link;
  };
  const client = new ClientSession('ws://x', options, connect, environment);
  await environment.settle();
  const welcome = async (members: Partial<Welcome> = {}): Promise<FakeLink> => {
    await environment.settle();
    const link = links.at(-1)!;
    link.handler!.onOpen!();
    const { gen } = link.messages[0] as Hello;
    const hb = { interval: 25_000, timeout: 20_000 };
    const limits = { messages: 4096, bytes: 1_048_576 };
    const fresh = { sid: `s${gen}`, tok: 'k', epoch: 'e', resumed: false, recv: 0 };
    link.receive(serializeControl({ t: 'welcome', gen, ...fresh, ttl: 1000, hb, limits, ...members }));
    return link;
  };
  return { environment, links, requests, client, welcome };
}

describe("a server's limits above the client's own", () => {
  it('-> the client holds no more than it said', async () => {
    const { client, welcome } = await setUp({ queue: { maxMessages: 2, policy: 'error' } });
    await welcome({ limits: { messages: 1_000_000, bytes: 1_000_000_000 } });
    client.send('a');
    client.send('b');
    await expect(client.send('c')).rejects.toMatchObject({ code: 'queue-full' });
  });

  it('-> and takes no more', async () => {
    const { client, welcome } = await setUp({ queue: { maxMessages: 2 } });
    const link = await welcome({ limits: { messages: 1_000_000, bytes: 1_000_000_000 } });
    for (const text of ['a', 'b', 'c']) link.receive(text);
    expect([link.closeCode, client.state]).toEqual([4500, 'reconnecting']);
  });
});

describe('a server that was left', () => {
  it('and never closes -> the client does, when the server said it would', async () => {
    const { environment, client, welcome } = await setUp();
    const former = await welcome();
    former.receive(serializeControl({ t: 'drain', in: 1000 }));
    await welcome();
    expect(former.messages.at(-1)).toEqual({ t: 'bye' });
    environment.advance(5900);
    expect(former.isReleased).toBe(false);
    environment.advance(200);
    expect([former.isReleased, client.state]).toEqual([true, 'open']);
  });

  it('for one that drains, too -> the next one is asked after a delay', async () => {
    const { environment, links, welcome } = await setUp();
    environment.random = () => 0.9;
    for (let i = 0; i < 2; i++) (await welcome()).receive(serializeControl({ t: 'drain', in: 100_000 }));
    await environment.settle();
    expect(links.length).toBe(2);
    environment.advance(300);
    await environment.settle();
    expect(links.length).toBe(3);
  });

  it('and never acknowledges -> the loss is told then', async () => {
    const { environment, client, welcome } = await setUp();
    const lost: unknown[] = [];
    client.on('sessionlost', ({ unacked }) => lost.push(...unacked));
    const former = await welcome();
    client.send('a');
    former.receive(serializeControl({ t: 'drain', in: 1000 }));
    await welcome();
    environment.advance(6100);
    expect(lost).toEqual(['a']);
  });

  it('and the session ends -> no timer is left', async () => {
    const { environment, client, welcome } = await setUp();
    const former = await welcome();
    former.receive(serializeControl({ t: 'drain', in: 1000 }));
    await welcome();
    client.terminate();
    expect([former.isReleased, environment.pendingTimers]).toEqual([true, 0]);
  });
});

describe('times that no timer can hold', () => {
  it('connectTimeoutMs: Infinity -> a timeout that the WebSocket can keep', async () => {
    const { environment, requests } = await setUp({ connectTimeoutMs: Number.POSITIVE_INFINITY });
    environment.advance(100);
    expect(requests[0]!.timeoutMs).toBe(2 ** 31 - 1);
  });

  it('backoff without a cap -> no delay is longer than a timer', () => {
    const environment = new FakeEnvironment();
    environment.random = () => 0.999;
    const backoff = new Backoff({ capMs: Number.POSITIVE_INFINITY }, environment);
    const delays = Array.from({ length: 2000 }, () => backoff.nextDelayMs(3_600_000));
    expect(Math.max(...delays)).toBeLessThan(2 ** 31);
    expect(delays.at(-1)).toBeGreaterThan(2 ** 30);
  });
});

describe('numbers that are none', () => {
  it('ttlMs: NaN -> rejected, instead of a message that vanishes', async () => {
    const { environment, client, welcome } = await setUp();
    await expect(client.send('a', { ttlMs: Number.NaN })).rejects.toThrow(RangeError);
    client.send('b');
    const link = await welcome();
    environment.advance(1000);
    expect(link.sent.slice(1)).toEqual(['b']);
  });

  it.each([Number.NaN, 0.5, Number.POSITIVE_INFINITY])(
    'acknowledge(%d) -> RangeError, and nothing malformed is sent',
    async (number) => {
      const { environment, client, welcome } = await setUp({ acknowledge: 'manual' });
      client.on('message', () => {});
      const link = await welcome();
      link.receive('a');
      expect(() => client.acknowledge(number)).toThrow(RangeError);
      environment.advance(1000);
      expect(link.messages.slice(1)).toEqual([]);
    },
  );
});

describe('a session that ends', () => {
  it('from within a drop -> no timer is left', async () => {
    const { environment, client } = await setUp();
    client.on('drop', () => client.terminate());
    client.send('a', { ttlMs: 100 });
    client.send('b', { ttlMs: 5000 });
    environment.advance(200);
    expect([client.state, environment.pendingTimers]).toEqual(['closed', 0]);
  });

  it('while nobody listens to flush() -> is no unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): number => unhandled.push(error);
    const formerListeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', note);
    const { client, welcome, environment } = await setUp();
    const link = await welcome();
    client.send('a');
    client.flush();
    link.receive(serializeControl({ t: 'bye' }));
    client.flush();
    await environment.settle();
    process.off('unhandledRejection', note);
    for (const listener of formerListeners) process.on('unhandledRejection', listener);
    expect([client.state, unhandled]).toEqual(['closed', []]);
  });
});
