// Both ends of sessions on one fake clock: a SessionServer, clients of it, and the network between them.
import type { IncomingMessage } from 'node:http';
import { expect } from 'vitest';
import type { ClientSessionOptions } from '../../src/agent/client-options.js';
import { ClientSession } from '../../src/agent/client-session.js';
import { debug } from '../../src/agent/debug.js';
import type { Data } from '../../src/agent/link.js';
import type { Principal } from '../../src/agent/reception.js';
import type { SessionServerOptions } from '../../src/agent/server-options.js';
import type { ServerSession } from '../../src/agent/server-session.js';
import type { Session } from '../../src/agent/session.js';
import type { SessionEvents } from '../../src/agent/session-events.js';
import { SessionServer } from '../../src/agent/session-server.js';
import { FakeEnvironment } from './fake-environment.js';
import { FakeLink, FakeNetwork, pass } from './fake-link.js';

export const REQUEST = { url: '/' } as IncomingMessage;

const EVENTS: (keyof SessionEvents)[] = [
  'open',
  'reconnecting',
  'resumed',
  'sessionlost',
  'drain',
  'detached',
  'drop',
  'close',
];

/** A log that grows as events come: [name, details]. */
export function recordSession(session: Session): unknown[][] {
  const log: unknown[][] = [];
  for (const name of EVENTS) session.on(name, (...args: unknown[]) => log.push([name, ...args]));
  return log;
}

/** Messages as they come. */
export function collect(session: Session): Data[] {
  const all: Data[] = [];
  session.on('message', (data) => all.push(data));
  return all;
}

export function sessionStage(serverOptions: Partial<SessionServerOptions> = {}) {
  // What a test that failed has left is not this one's.
  const alive = debug.active().length;
  const environment = new FakeEnvironment();
  const sessions: ServerSession[] = [];
  const servers: SessionServer[] = [];
  const principal: { is: string | Promise<Principal> } = { is: 'anna' };
  const makeServer = (options: Partial<SessionServerOptions> = serverOptions): SessionServer => {
    const server = new SessionServer({ noServer: true, ...options }, environment);
    servers.push(server);
    server.on('session', (session) => sessions.push(session));
    return server;
  };
  const server = makeServer();
  const network = new FakeNetwork(environment, (link) => server.onLink(link, principal.is, REQUEST));
  /** From now on connections come to another server, as behind a balancer. */
  const moveTo = (other: SessionServer): void => {
    network.accept = (link) => other.onLink(link, principal.is, REQUEST);
  };
  const connect = (options: ClientSessionOptions = {}): ClientSession =>
    new ClientSession('ws://server', options, network.connect, environment);
  /** A client and its session at the server. */
  const open = async (options: ClientSessionOptions = {}) => {
    const client = connect(options);
    await pass(environment, 10);
    return { client, session: sessions.at(-1)! };
  };
  /** A connection on which the test plays the client. */
  const dial = (): FakeLink => {
    const link = new FakeLink();
    server.onLink(link, principal.is, REQUEST);
    return link;
  };
  /** Ends everything that is still there; nothing may be left of it. */
  const end = async (...others: { terminate(): void }[]): Promise<void> => {
    for (const session of others) session.terminate();
    const closed = Promise.all(servers.map((each) => each.close()));
    await pass(environment, 20);
    await closed;
    expect(environment.pendingTimers).toBe(0);
    expect(debug.active()).toHaveLength(alive);
  };
  return {
    environment,
    network,
    server,
    sessions,
    principal,
    makeServer,
    moveTo,
    connect,
    open,
    dial,
    end,
    pass: (ms: number) => pass(environment, ms),
  };
}

/** The code of what a promise is rejected with by now, what it is fulfilled with, or 'pending'. */
export async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  const pending = new Promise((resolve) => setImmediate(resolve, 'pending'));
  return Promise.race([promise, pending]).catch((error: { code?: string }) => error.code ?? error);
}
