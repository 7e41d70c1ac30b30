// Transports over sockets and sessions that come from elsewhere.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket as Ws, WebSocketServer as WsServer } from 'ws';
import { connectSession, SessionServer } from '../../src/agent/index.js';
import { WebSocketServerTransport } from '../../src/mcp/index.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import { FakeLink, pass } from '../support/fake-link.js';

const REQUEST = { jsonrpc: '2.0', id: 1, method: 'ping' } as const;
let server: http.Server;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function listen(): Promise<string> {
  server = http.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe.each(Object.entries({ hawser: WebSocketServer, ws: WsServer }))(
  'a socket of %s',
  (_name, Server) => {
    it('both ways; a binary message -> 1003', async () => {
      const url = await listen();
      const webSocketServer = new (Server as typeof WsServer)({ server });
      const connected = once(webSocketServer, 'connection');
      const client = new Ws(url);
      const closed = once(client, 'close');
      await once(client, 'open');
      const [socket, request] = await connected;
      const transport = new WebSocketServerTransport(socket, { request, authInfo: { token: 'x' } });
      const heard: unknown[] = [];
      transport.onmessage = (...args) => void heard.push(args);
      await transport.start();
      client.send(JSON.stringify(REQUEST));
      await expect.poll(() => heard).toHaveLength(1);
      expect(heard).toMatchObject([
        [REQUEST, { authInfo: { token: 'x' }, requestInfo: { url: new URL(url.replace('ws', 'http')) } }],
      ]);
      const answered = once(client, 'message');
      await transport.send({ jsonrpc: '2.0', id: 1, result: {} });
      expect(JSON.parse(String((await answered)[0]))).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
      client.send(Buffer.of(1));
      expect((await closed)[0]).toBe(1003);
      await transport.over;
      webSocketServer.close();
    });
  },
);

it('a session of a SessionServer', async () => {
  const url = await listen();
  const sessions = new SessionServer({ server });
  const heard: unknown[] = [];
  sessions.on('session', (session, request) => {
    const transport = new WebSocketServerTransport(session, { request });
    transport.onmessage = (message) => void heard.push(message);
    transport.start();
  });
  const client = connectSession(url);
  await client.send(JSON.stringify(REQUEST));
  await client.flush();
  expect(heard).toEqual([REQUEST]);
  await client.send(Uint8Array.of(1));
  await expect.poll(() => client.state).toBe('closed');
  await sessions.close();
});

it('a message larger than 32 MiB, where that is allowed, waits for who listens as others do', async () => {
  const link = new FakeLink();
  const transport = new WebSocketServerTransport(
    link,
    { maxMessageBytes: 64 * 2 ** 20 },
    new FakeEnvironment(),
  );
  const message = JSON.stringify({ ...REQUEST, params: { text: 'x'.repeat(40 * 2 ** 20) } });
  link.receive(message);
  expect(link.closeCode).toBeUndefined();
  const heard: unknown[] = [];
  transport.onmessage = ({ id }) => void heard.push(id);
  await transport.start();
  expect(heard).toEqual([1]);
  transport.close();
  link.end();
  await transport.over;
});

it('a heartbeat of its own', async () => {
  const environment = new FakeEnvironment();
  const link = new FakeLink();
  const heartbeat = { intervalMs: 1000, timeoutMs: 500 };
  const transport = new WebSocketServerTransport(link, { heartbeat }, environment);
  await transport.start();
  await pass(environment, 1100);
  expect(link.pings).toBe(1);
  await pass(environment, 2000);
  await transport.over;
  expect(link.isReleased).toBe(true);
});
