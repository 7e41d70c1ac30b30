// What a listener throws reaches the process, and never leaves a session half-way through what it does.
import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClientSession } from '../../src/agent/client-session.js';
import { SessionServer } from '../../src/agent/session-server.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import { FakeNetwork, pass } from '../support/fake-link.js';

const thrown: unknown[] = [];
let formerListeners: NodeJS.UncaughtExceptionListener[] = [];

const onThrown = (error: unknown): number => thrown.push((error as Error).message);

beforeEach(() => {
  thrown.length = 0;
  formerListeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', onThrown);
});

afterEach(() => {
  process.off('uncaughtException', onThrown);
  for (const listener of formerListeners) process.on('uncaughtException', listener);
});

const fail = (): never => {
  throw new Error('of the listener');
};

function setUp() {
  const environment = new FakeEnvironment();
  const newServer = (): SessionServer => new SessionServer({ noServer: true }, environment);
  const accept = (server: SessionServer) => (link: Parameters<FakeNetwork['accept']>[0]) =>
    server.onLink(link, 'somebody', {} as IncomingMessage);
  const server = newServer();
  const network = new FakeNetwork(environment, accept(server));
  const restart = (): void => {
    network.accept = accept(newServer());
    network.cut();
  };
  const client = new ClientSession('ws://x', {}, network.connect, environment);
  return { environment, server, network, restart, client };
}

describe('a listener that throws', () => {
  it("of 'drop' -> what waits is sent all the same, and the next ones are told of their drops", async () => {
    const { environment, client, server } = setUp();
    const received: unknown[] = [];
    server.on('session', (session) => session.on('message', (data) => received.push(data)));
    const dropped: unknown[] = [];
    client.on('drop', fail).on('drop', ({ data }) => dropped.push(data));
    client.send('a', { ttlMs: Number.MIN_VALUE });
    client.send('b', { ttlMs: Number.MIN_VALUE });
    client.send('c');
    await pass(environment, 1000);
    expect(received).toEqual(['c']);
    expect(dropped).toEqual(['a', 'b']);
    expect(thrown).toEqual(['of the listener', 'of the listener']);
  });

  it("of 'sessionlost' -> the new session begins", async () => {
    const { environment, client, restart } = setUp();
    client.on('sessionlost', fail);
    await pass(environment, 100);
    restart();
    await pass(environment, 1000);
    expect([client.state, thrown]).toEqual(['open', ['of the listener']]);
    const sent = client.send('to the new one');
    expect(await sent).toBe('accepted');
    const flushed = client.flush();
    expect(client.stats()).toMatchObject({ unsent: 0, unacked: 1 });
    flushed.catch(() => {});
  });

  it("of 'open' -> what waited is sent", async () => {
    const { environment, client } = setUp();
    client.on('open', fail);
    client.send('early');
    await pass(environment, 100);
    expect(client.stats()).toMatchObject({ state: 'open', unsent: 0, sent: 1 });
    expect(thrown).toEqual(['of the listener']);
  });
});
