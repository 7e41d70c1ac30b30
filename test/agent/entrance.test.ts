// Real handshakes: who comes in over an http.Server, over upgrades that somebody else routes, and over a WebSocketServer.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClientSession } from '../../src/agent/client-session.js';
import type { ConnectSessionOptions } from '../../src/agent/connect-session.js';
import type { EntranceOptions } from '../../src/agent/entrance.js';
import { connectSession } from '../../src/agent/index.js';
import type { LinkEnd } from '../../src/agent/link.js';
import { SessionServer } from '../../src/agent/session-server.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';

const ATTACHMENTS = ['http.Server', 'noServer', 'WebSocketServer'] as const;
type Attachment = (typeof ATTACHMENTS)[number];

let httpServer: http.Server;
let sockets: Socket[] = [];
let webSocketServer: WebSocketServer | undefined;
let server: SessionServer;
let clients: ClientSession[] = [];

beforeEach(async () => {
  httpServer = http.createServer();
  httpServer.on('connection', (socket) => sockets.push(socket));
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
});

afterEach(async () => {
  for (const client of clients) client.terminate();
  clients = [];
  await server.close();
  await webSocketServer?.close({ timeoutMs: 0 });
  webSocketServer = undefined;
  for (const socket of sockets) socket.destroy();
  sockets = [];
  httpServer.close();
});

function attach(attachment: Attachment, options: EntranceOptions = {}): void {
  if (attachment === 'http.Server') {
    server = new SessionServer({ server: httpServer, ...options });
  } else if (attachment === 'noServer') {
    server = new SessionServer({ noServer: true, ...options });
    httpServer.on('upgrade', (...args) => server.handleUpgrade(...args));
  } else {
    webSocketServer = new WebSocketServer({ server: httpServer });
    server = new SessionServer({ server: webSocketServer, ...options });
  }
}

function connect(options: ConnectSessionOptions = {}, path = '/'): ClientSession {
  const { port } = httpServer.address() as AddressInfo;
  const client = connectSession(`ws://127.0.0.1:${port}${path}`, options);
  clients.push(client);
  return client;
}

/** How a client's first attempt ends: the HTTP status or the close code, 'open' when it does not. */
async function answerTo(options: ConnectSessionOptions = {}, path?: string): Promise<unknown> {
  let end: LinkEnd | undefined;
  const client = connect(
    {
      ...options,
      shouldRetry(first) {
        end = first;
        return false;
      },
    },
    path,
  );
  await client.ready.catch(() => {});
  return end === undefined ? 'open' : (end.status ?? end.code);
}

const from = (origin: string): ConnectSessionOptions => ({ headers: { Origin: origin } });

describe.each(ATTACHMENTS)('%s', (attachment) => {
  const isHttp = attachment !== 'WebSocketServer';

  it('a session, both ways', async () => {
    attach(attachment);
    server.on('session', async (session, request) => {
      for await (const data of session) session.send(`${request.url} ${data}`);
    });
    const client = connect({}, '/path');
    client.send('a');
    for await (const data of client) {
      expect(data).toBe('/path a');
      break;
    }
    await client.close();
    expect(server.sessions).toEqual([]);
  });

  it.each([
    ['a name', () => 'anna', 'open'],
    ['a promise of a name', async () => 'anna', 'open'],
    ['an empty name', () => '', 'open'],
    ['undefined', () => undefined, isHttp ? 401 : 4401],
    ['false', () => false as const, isHttp ? 401 : 4401],
    ['a promise of undefined', async () => undefined, isHttp ? 401 : 4401],
    [
      'an exception',
      () => {
        throw new Error('no database');
      },
      isHttp ? 500 : 1011,
    ],
    ['a rejection', () => Promise.reject(new Error('no database')), isHttp ? 500 : 1011],
  ])('authenticate returns %s', async (_name, authenticate, expected) => {
    attach(attachment, { authenticate });
    expect(await answerTo()).toBe(expected);
    expect(server.sessions).toHaveLength(expected === 'open' ? 1 : 0);
  });

  it('authenticate sees each request, also of those who resume', async () => {
    const seen: unknown[] = [];
    attach(attachment, {
      authenticate: ({ headers }) => {
        seen.push(headers.authorization);
        return `user of ${headers.authorization}`;
      },
    });
    let count = 0;
    const client = connect({
      headers: () => ({ authorization: count++ === 0 ? 'a' : 'b' }),
      backoff: { baseMs: 1 },
    });
    await client.ready;
    const [session] = server.sessions;
    expect(session!.principal).toBe('user of a');
    const over = new Promise((resolve) => client.on('close', resolve));
    for (const socket of sockets) socket.destroy();
    // Another principal.
    expect(await over).toMatchObject({ code: 4403, error: { code: 'unauthorized' } });
    expect(seen).toEqual(['a', 'b']);
  });

  it('origins: only those; programs, which have none, come in', async () => {
    let asked = 0;
    attach(attachment, {
      origins: ['https://good.example'],
      authenticate: () => {
        asked++;
        return 'anna';
      },
    });
    expect(await answerTo(from('https://good.example'))).toBe('open');
    expect(await answerTo()).toBe('open');
    for (const origin of [
      'https://evil.example',
      'http://good.example',
      'null',
      'https://good.example.evil.example',
    ]) {
      expect(await answerTo(from(origin))).toBe(isHttp ? 403 : 4401);
    }
    expect(asked).toBe(2);
  });

  it('origins: somebody who decides, and sees the request', async () => {
    attach(attachment, {
      origins: (origin, { headers }) => origin === `https://${headers.host}`,
    });
    const { port } = httpServer.address() as AddressInfo;
    expect(await answerTo(from(`https://127.0.0.1:${port}`))).toBe('open');
    expect(await answerTo()).toBe('open');
    expect(await answerTo(from('https://evil.example'))).toBe(isHttp ? 403 : 4401);
  });

  it('after close: no listener of ours is left', async () => {
    const before = httpServer.listenerCount('upgrade');
    attach(attachment);
    const emitter = webSocketServer ?? httpServer;
    const event = attachment === 'WebSocketServer' ? 'connection' : 'upgrade';
    expect(emitter.listenerCount(event)).toBe(before + 1);
    await server.close();
    // With `noServer` the listener is that of the test.
    expect(emitter.listenerCount(event)).toBe(attachment === 'noServer' ? 1 : 0);
  });
});

describe.each(['http.Server', 'noServer'] as const)('%s', (attachment) => {
  it('only its path', async () => {
    attach(attachment, { path: '/session' });
    expect(await answerTo({}, '/session?x=1')).toBe('open');
    expect(await answerTo({}, '/other')).toBe(400);
  });

  it('the subprotocols that it was told, the preferred one first', async () => {
    attach(attachment, { subprotocols: ['b', 'a'] });
    const protocols: unknown[] = [];
    httpServer.on('upgrade', ({ headers }) => protocols.push(headers['sec-websocket-protocol']));
    expect(await answerTo({ subprotocols: ['a', 'b'] })).toBe('open');
    expect(await answerTo({ subprotocols: ['c'] })).not.toBe('open');
    expect(protocols).toEqual(['a,b', 'c']);
  });

  it('an empty name among the subprotocols: clients that offer none come in, those that offer others do not', async () => {
    attach(attachment, { subprotocols: ['a', ''] });
    expect(await answerTo({ subprotocols: [] })).toBe('open');
    expect(await answerTo({ subprotocols: ['a'] })).toBe('open');
    expect(await answerTo({ subprotocols: ['b'] })).toBe(400);
  });

  it('a message larger than allowed -> 1009', async () => {
    attach(attachment, { maxMessageBytes: 100 });
    const client = connect();
    await client.ready;
    const over = new Promise((resolve) => client.on('close', resolve));
    client.send('x'.repeat(101));
    expect(await over).toMatchObject({ code: 1009 });
  });

  it('a message larger than the client allows -> 1009, and it does not come for it again', async () => {
    attach(attachment);
    server.on('session', (session) => session.send('x'.repeat(101)));
    const client = connect({ maxMessageBytes: 100, backoff: { baseMs: 1 } });
    const over = new Promise((resolve) => client.on('close', resolve));
    expect(await over).toMatchObject({ code: 1009, error: { code: 'refused' } });
  });

  it('while the server drains -> 503 with Retry-After', async () => {
    attach(attachment);
    const client = connect({ backoff: { baseMs: 1 } });
    await client.ready;
    const told = new Promise((resolve) => client.on('reconnecting', resolve));
    const drained = server.drain({ spreadMs: 0, deadlineMs: 5000 });
    const info = (await told) as { code: number; delayMs: number };
    expect(info.code).toBe(503);
    expect(info.delayMs).toBeGreaterThanOrEqual(1000);
    expect(client.state).toBe('open');
    client.terminate();
    await drained;
  });
});

describe('handleUpgrade', () => {
  it('of a server on a WebSocketServer -> TypeError', () => {
    attach('WebSocketServer');
    expect(() => server.handleUpgrade(undefined as never, undefined as never, undefined as never)).toThrow(
      TypeError,
    );
  });

  it('neither or both of server and noServer -> TypeError, and nothing is attached', () => {
    attach('noServer');
    const before = httpServer.listenerCount('upgrade');
    expect(() => new SessionServer({})).toThrow(TypeError);
    expect(() => new SessionServer({ server: httpServer, noServer: true })).toThrow(TypeError);
    expect(httpServer.listenerCount('upgrade')).toBe(before);
  });
});
