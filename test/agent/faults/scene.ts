// The stage of the fault tests: a session server and clients of this process, real sockets, and a proxy that does damage
// between them. What happens, and what must come of it, is the tests' own.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ClientSession,
  type ConnectSessionOptions,
  connectSession,
  type Data,
  type ServerSession,
  type Session,
  SessionServer,
  type SessionServerOptions,
} from '../../../src/agent/index.js';
import { FaultProxy } from '../../../src/cli/fault-proxy.js';
import { until } from '../../support/tcp.js';

/** Comes back at once, so that no test waits for a delay. */
export const QUICK_BACKOFF = { baseMs: 1, capMs: 5 };
/** Finds a dead connection in about a quarter of a second: deadlines are rounded up to 50 ms. */
export const QUICK_HEARTBEAT = { intervalMs: 30, timeoutMs: 60 };

export interface Received {
  data: Data;
  number: number;
}

/** Everything that a session hands over from now on, as values that can be compared. */
export function listen(session: Session): Received[] {
  const log: Received[] = [];
  session.on('message', (data, number) => {
    log.push({ data: typeof data === 'string' ? data : Uint8Array.from(data), number });
  });
  return log;
}

export interface Scene {
  server: SessionServer;
  proxy: FaultProxy;
  /** Through the proxy. */
  url: string;
  /** Past it. */
  directUrl: string;
  /** The server's sessions in the order in which they began, also those that are over. */
  sessions: ServerSession[];
  /** What each session received, at either end. */
  logs: Map<Session, Received[]>;
  connect(options?: ConnectSessionOptions): ClientSession;
  close(): Promise<void>;
}

/** @param isTaking whether the server's applications take their messages */
export async function setScene(options: SessionServerOptions = {}, isTaking = true): Promise<Scene> {
  const httpServer = http.createServer();
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  const { port } = httpServer.address() as AddressInfo;
  const server = new SessionServer({ server: httpServer, ...options });
  const proxy = new FaultProxy({ port });
  await proxy.listen();
  const url = `ws://127.0.0.1:${proxy.address.port}/`;
  const sessions: ServerSession[] = [];
  const logs = new Map<Session, Received[]>();
  server.on('session', (session) => {
    sessions.push(session);
    if (isTaking) logs.set(session, listen(session));
  });
  const clients: ClientSession[] = [];
  return {
    server,
    proxy,
    url,
    directUrl: `ws://127.0.0.1:${port}/`,
    sessions,
    logs,
    connect(clientOptions) {
      const client = connectSession(url, { backoff: QUICK_BACKOFF, ...clientOptions });
      clients.push(client);
      logs.set(client, listen(client));
      return client;
    },
    async close() {
      for (const client of clients) client.terminate();
      const closing = server.close();
      await proxy.close();
      await closing;
      httpServer.closeAllConnections();
      httpServer.close();
    },
  };
}

/** Sends something each way and waits until it is there. */
export async function exchange(client: ClientSession, session: ServerSession): Promise<void> {
  const before = [client.received, session.received];
  client.send('from the client');
  session.send('from the server');
  await until(() => client.received > before[0]! && session.received > before[1]!);
}
