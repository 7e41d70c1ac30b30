// Clocks that jump, and event loops that stand still: neither is a reason to give a connection up.
import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ClientSession } from '../../../src/agent/client-session.js';
import { connectSession, type ServerSession, SessionServer } from '../../../src/agent/index.js';
import type { Connect } from '../../../src/agent/link.js';
import { FakeEnvironment } from '../../support/fake-environment.js';
import { FakeNetwork, pass } from '../../support/fake-link.js';
import { until } from '../../support/tcp.js';
import { exchange, listen, QUICK_BACKOFF, setScene } from './scene.js';
import { ServerProcess } from './server-process.js';

/** A minute's standstill with the default heartbeat, 20 times as fast. */
const SCALE = 20;
const BLOCK_MS = 60_000 / SCALE;
const HEARTBEAT = { intervalMs: 25_000 / SCALE, timeoutMs: 20_000 / SCALE };

afterEach(() => {
  vi.restoreAllMocks();
});

describe.concurrent('the event loop of a server stands still', () => {
  it('it does not take its clients for dead', async () => {
    const server = await ServerProcess.start({ heartbeat: HEARTBEAT });
    const client = connectSession(server.url, { heartbeat: { intervalMs: 25_000, timeoutMs: 20_000 } });
    const log = listen(client);
    await client.ready;
    client.send('first');
    await until(() => server.received.length > 0);
    server.block(BLOCK_MS);
    await until(() => log.length > 0);
    client.send('meanwhile');
    await until(() => log.length > 1);
    await client.flush();
    expect(log.map(({ data }) => data)).toEqual(['before', 'after']);
    expect(server.received).toEqual(['first', 'meanwhile']);
    expect(client.stats()).toMatchObject({ state: 'open', resumes: 0 });
    client.terminate();
    await server.kill();
  });

  it('a client that does not wait for it loses nothing', async () => {
    const server = await ServerProcess.start({ heartbeat: HEARTBEAT });
    const client = connectSession(server.url, {
      heartbeat: { intervalMs: 100, timeoutMs: 100 },
      connectTimeoutMs: 500,
      backoff: QUICK_BACKOFF,
    });
    const log = listen(client);
    await client.ready;
    const { id } = client;
    client.send('first');
    await until(() => server.received.length > 0);
    server.block(BLOCK_MS);
    await until(() => client.state === 'reconnecting');
    client.send('meanwhile');
    await until(() => log.length > 1);
    await client.flush();
    expect(log.map(({ data }) => data)).toEqual(['before', 'after']);
    expect(server.received).toEqual(['first', 'meanwhile']);
    expect(client.id).toBe(id);
    client.terminate();
    await server.kill();
  });
});

const PING = '\u0001{"t":"p"}';

/** Both ends in one environment, and connections of nothing between them. */
async function begin(environment: FakeEnvironment) {
  const server = new SessionServer({ noServer: true }, environment);
  let session: ServerSession | undefined;
  server.on('session', (begun) => {
    session = begun;
  });
  const network = new FakeNetwork(environment, (link) => {
    link.ping = undefined;
    server.onLink(link, '', {} as IncomingMessage);
  });
  const connect: Connect = (request) => {
    const link = network.connect(request);
    // As in a browser: these links do not answer Pings, but the sessions do.
    link.ping = undefined;
    return link;
  };
  const client = new ClientSession('ws://127.0.0.1/', {}, connect, environment);
  await pass(environment, 100);
  return { server, network, client, session: session! };
}

describe('a minute of standstill', () => {
  it.each(['idle', 'under way'])('the heartbeat is %s -> the connection stays', async (moment) => {
    const environment = new FakeEnvironment();
    const { server, network, client, session } = await begin(environment);
    const log = listen(session);
    // To the millisecond: its answer is not there yet.
    while (moment === 'under way' && !network.last.client.sent.includes(PING)) environment.advance(1);
    client.send('under way');
    environment.block(60_000);
    await pass(environment, 120_000);
    expect(log).toEqual([{ data: 'under way', number: 1 }]);
    expect([client.state, session.state]).toEqual(['open', 'open']);
    expect(network.connections).toHaveLength(1);
    client.terminate();
    const closed = server.close();
    await pass(environment, 100);
    await closed;
  });

  it('the peer is gone when it is over -> found out, and resumed', async () => {
    const environment = new FakeEnvironment();
    const { server, network, client, session } = await begin(environment);
    const log = listen(session);
    // Nobody is told.
    network.last.client.peer = undefined;
    network.last.server.peer = undefined;
    client.send('into the void');
    environment.block(60_000);
    await pass(environment, 120_000);
    expect(log).toEqual([{ data: 'into the void', number: 1 }]);
    expect(client.stats()).toMatchObject({ state: 'open', resumes: 1 });
    client.terminate();
    const closed = server.close();
    await pass(environment, 100);
    await closed;
  });
});

describe('the wall clock jumps', () => {
  it.each([
    ['ahead', 3_600_000],
    ['back', -3_600_000],
  ])('an hour %s -> no message expires, no connection is given up', async (_name, jumpMs) => {
    const heartbeat = { intervalMs: 100, timeoutMs: 100 };
    const scene = await setScene({ heartbeat, windowMs: 60_000, queue: { maxMessages: 1 } });
    const client = scene.connect({ queue: { ttlMs: 60_000, maxMessages: 2 } });
    await client.ready;
    const [session] = scene.sessions;
    await exchange(client, session!);
    scene.proxy.blackhole(true, 'in');
    client.send('unacknowledged');
    client.send('waits for a number');

    const now = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(now + jumpMs);
    scene.proxy.blackhole(false, 'in');
    // Some heartbeats pass: nothing else makes bytes.
    await until(() => session!.received === 3);
    const { bytesIn } = scene.proxy.stats();
    await until(() => scene.proxy.stats().bytesIn > bytesIn + 100);
    expect(client.stats()).toMatchObject({ state: 'open', resumes: 0, dropped: 0 });

    // What waits for its client, and who waits to come back.
    scene.proxy.cutAll();
    await until(() => client.stats().resumes === 1);
    await exchange(client, session!);
    expect(scene.server.stats()).toMatchObject({ attached: 1, created: 1, evicted: 0 });
    await scene.close();
  });
});
