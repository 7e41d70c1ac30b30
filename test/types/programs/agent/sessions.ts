// What programs for Node do with both ends of a session.
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import WebSocket, { WebSocketServer } from 'hawser';
import {
  type ActiveEntry,
  type ClientSession,
  connectSession,
  type Data,
  type DrainResult,
  debug,
  MemoryIdempotencyStore,
  messageStreams,
  once,
  type ServerSession,
  type Session,
  SessionError,
  type SessionErrorCode,
  SessionServer,
  type SessionServerStats,
  type SessionStats,
  shutdownOn,
} from 'hawser/agent';

const httpServer = createServer();
const server = new SessionServer({
  server: httpServer,
  path: '/session',
  authenticate: async (request: IncomingMessage) => request.headers.authorization ?? false,
  origins: ['https://example.org'],
  queue: { maxBytes: 1024, maxMessages: 10, policy: 'drop-oldest', ttlMs: 1000 },
  acknowledge: 'manual',
  windowMs: 60_000,
  heartbeat: { intervalMs: 25_000, timeoutMs: 20_000 },
  signal: AbortSignal.abort(),
});
new SessionServer({ server: createSecureServer() });
new SessionServer({ server: new WebSocketServer({ port: 0 }) });
const routed = new SessionServer({ noServer: true });
httpServer.on('upgrade', (request, socket, head) => routed.handleUpgrade(request, socket, head));

server.on('session', (session: ServerSession, { url }) => {
  const facts: [string, string, 'open' | 'detached' | 'closed', string | undefined] = [
    session.id,
    session.principal,
    session.state,
    url,
  ];
  session
    .on('detached', ({ code }) => code.toFixed())
    .on('message', (data, number) => echo(session, data, number));
  session.once('close', ({ unsent, unacked, error }) => [...unsent, ...unacked, error?.code]);
  console.log(facts);
});

async function echo(session: Session, data: Data, number: number): Promise<void> {
  const outcome: 'accepted' | 'displaced' | 'dropped' = await session.send(data);
  session.acknowledge(number);
  console.log(outcome);
}

export async function serve(): Promise<void> {
  const { moved, finished, cut }: DrainResult = await server.drain({ deadlineMs: 1000, spreadMs: 100 });
  const stats: SessionServerStats = server.stats();
  const active: ActiveEntry[] = debug.active();
  await server.close();
  console.log(moved + finished + cut + stats.detached, active.length);
}
export const takeAway: () => void = shutdownOn(server, { signals: ['SIGTERM'], deadlineMs: 1000 });

export async function connect(): Promise<void> {
  await using session = connectSession(new URL('wss://example.org/session'), {
    headers: async () => ({ Authorization: 'Bearer token' }),
    subprotocols: ['hawser.v1'],
    backoff: { baseMs: 100, capMs: 1000 },
    socketOptions: { perMessageDeflate: true },
    resend: 'unsent',
    signal: AbortSignal.timeout(1000),
  });
  await session.ready;
  await session.send('text', { signal: AbortSignal.abort(), ttlMs: 100, key: 'price' });
  await session.send(new Uint8Array(1));
  await session.send(Buffer.alloc(1));
  session.on('reconnecting', ({ attempt, delayMs, code }) => attempt + delayMs + code);
  session.on('sessionlost', ({ unsent, unacked, reason }) => [...unsent, ...unacked, reason.length]);
  try {
    for await (const message of session) {
      const text: string = typeof message === 'string' ? message : new TextDecoder().decode(message);
      console.log(text);
    }
  } catch (error) {
    const code: SessionErrorCode | undefined = error instanceof SessionError ? error.code : undefined;
    console.log(code);
  }
  await session.flush({ signal: AbortSignal.abort() });
  const stats: SessionStats = session.stats();
  await session.close({ timeoutMs: stats.unacked });
}

// Other WebSockets than hawser's own.
export const sessions: ClientSession[] = [
  connectSession('ws://127.0.0.1', { WebSocket }),
  connectSession(() => 'ws://127.0.0.1', { WebSocket: class extends WebSocket {} }),
  connectSession(async () => new URL('ws://127.0.0.1')),
];

export async function streams(): Promise<void> {
  const { readable, writable } = await messageStreams(sessions[0]!).opened;
  await readable.pipeThrough(new TransformStream()).pipeTo(writable);
  await messageStreams(new WebSocket('ws://127.0.0.1')).closed;
}

const store = new MemoryIdempotencyStore();
export const result: Promise<number> = once(store, 'key', async () => 5);
