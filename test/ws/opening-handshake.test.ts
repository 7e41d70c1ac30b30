// A client's opening handshake as it is on the wire, and what a response that is no 101 leads to. Messages and order of
// events are compared with `ws` in `behaviour/`.
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from '../../src/ws/websocket.js';
import { next, record } from '../support/events.js';
import { serializeFrame } from '../support/frames.js';
import { acceptingResponse, RawServer, type Respond } from '../support/raw-peer.js';

const servers: RawServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(respond?: Respond): Promise<RawServer> {
  const server = await RawServer.listen(respond);
  servers.push(server);
  return server;
}

describe('request', () => {
  it.each([
    ['', '/'],
    ['/', '/'],
    ['/chat', '/chat'],
    ['/chat?room=1&x=%20', '/chat?room=1&x=%20'],
    ['?q', '/?q'],
  ])(
    '[RFC6455-4.1-17] [RFC6455-4.1-18] client, URL ending in "%s" -> GET %s HTTP/1.1',
    async (path, target) => {
      const server = await serve();
      const socket = new WebSocket(server.url + path);
      await next(socket, 'open');
      expect(server.requests[0]?.startLine).toBe(`GET ${target} HTTP/1.1`);
      socket.terminate();
    },
  );
});

describe('response', () => {
  it.each(['200 OK', '401 Unauthorized', '404 Not Found', '503 Service Unavailable'])(
    '[RFC6455-4.1-35] client, response %s -> an error with the status, never open',
    async (status) => {
      const server = await serve(
        () => `HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      const socket = new WebSocket(server.url);
      const log = record(socket, 'open', 'error', 'close');
      await next(socket, 'close');
      expect(log.map(([name]) => name)).toEqual(['error', 'close']);
      expect((log[0]![1] as Error).message).toBe(`Unexpected server response: ${status.slice(0, 3)}`);
    },
  );

  it('[RFC6455-4.1-35] client, redirect that is not to be followed -> an error with the status', async () => {
    const server = await serve(() => 'HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n');
    const socket = new WebSocket(server.url);
    const [error] = await next(socket, 'error');
    expect(error.message).toBe('Unexpected server response: 302');
    expect(server.requests).toHaveLength(1);
  });

  it('[RFC6455-4.2.2-20] client, frames in the same segment as the 101 -> messages after open', async () => {
    const frames = Buffer.concat([
      serializeFrame({ opcode: 1, payload: 'at once' }),
      serializeFrame({ opcode: 2, payload: 'and more' }),
    ]);
    const server = await serve((request) => Buffer.concat([Buffer.from(acceptingResponse(request)), frames]));
    const socket = new WebSocket(server.url);
    const log = record(socket, 'open', 'message');
    while (log.length < 3) await new Promise((resolve) => setImmediate(resolve));
    expect(log.map(([name, data]) => [name, data && String(data)])).toEqual([
      ['open', undefined],
      ['message', 'at once'],
      ['message', 'and more'],
    ]);
    socket.terminate();
  });
});
