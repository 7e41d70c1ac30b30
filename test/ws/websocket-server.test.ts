// What the server has beyond `ws`: broadcast, a close that takes the clients along, promises from `verifyClient`, and an
// upgrade path of its own. What it shares with `ws` is tested in `behaviour/`, against both.
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ClientOptions } from '../../src/ws/opening-handshake.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { type ServerOptions, WebSocketServer } from '../../src/ws/websocket-server.js';
import { next } from '../support/events.js';
import { connectRaw, exchange, upgradeRequest } from '../support/raw-peer.js';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listen(options: ServerOptions = {}): Promise<{ wss: WebSocketServer; port: number }> {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  cleanups.push(() => wss.close({ timeoutMs: 100 }));
  await next(wss, 'listening');
  return { wss, port: (wss.address() as AddressInfo).port };
}

async function connect(port: number, options: ClientOptions = {}): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}`, options);
  cleanups.push(() => client.terminate());
  await next(client, 'open');
  return client;
}

/** Of the first client, whose frames may come with the request: the listener is there when the socket is. */
function firstMessage(wss: WebSocketServer): Promise<unknown[]> {
  return new Promise((resolve) => {
    wss.once('connection', (socket: WebSocket) => socket.once('message', (...message) => resolve(message)));
  });
}

describe('broadcast()', () => {
  it('every open client gets the message; the count is returned', async () => {
    const { wss, port } = await listen();
    const clients = await Promise.all([connect(port), connect(port), connect(port)]);
    const received = clients.map((client) => next(client, 'message'));
    expect(wss.broadcast('hello')).toBe(3);
    for (const [data, isBinary] of await Promise.all(received)) {
      expect([String(data), isBinary]).toEqual(['hello', false]);
    }
  });

  it('filter -> only those for which it is true', async () => {
    const { wss, port } = await listen();
    const chosen = await connect(port);
    const chosenServerSide = [...(wss.clients ?? [])][0];
    const other = await connect(port);
    other.on('message', () => expect.unreachable('filtered out'));
    const received = next(chosen, 'message');
    expect(wss.broadcast(Buffer.from([1, 2, 3]), { filter: (client) => client === chosenServerSide })).toBe(
      1,
    );
    expect(await received).toEqual([Buffer.from([1, 2, 3]), true]);
    await other.pinged();
  });

  it('clients with and without compression, with and without context -> all get the same message', async () => {
    const { wss, port } = await listen({ perMessageDeflate: { threshold: 0 } });
    const clients = await Promise.all([
      connect(port, { perMessageDeflate: false }),
      connect(port, { perMessageDeflate: true }),
      connect(port, { perMessageDeflate: { serverNoContextTakeover: true } }),
      connect(port, { perMessageDeflate: { serverNoContextTakeover: true } }),
      connect(port, { perMessageDeflate: { serverNoContextTakeover: true, serverMaxWindowBits: 10 } }),
    ]);
    for (const text of ['first first first', 'x'.repeat(50_000), '']) {
      const received = clients.map((client) => next(client, 'message'));
      expect(wss.broadcast(text)).toBe(5);
      for (const [data] of await Promise.all(received)) expect(String(data)).toBe(text);
    }
  });

  it('same bytes on the wire as send(), in order with it, and not in the middle of a fragmented message', async () => {
    const { wss, port } = await listen();
    const peer = await connectRaw(port);
    const [server] = wss.clients ?? [];
    server?.send('a');
    wss.broadcast('b');
    server?.send('c');
    const frames = await peer.nextFrames(3);
    expect(frames.map((frame) => String(frame.payload))).toEqual(['a', 'b', 'c']);
    expect(frames.every((frame) => frame.fin && frame.opcode === 1 && frame.maskingKey === undefined)).toBe(
      true,
    );
  });

  it('a client that is closing -> left out', async () => {
    const { wss, port } = await listen();
    await connect(port);
    const [server] = wss.clients ?? [];
    server?.close();
    expect(wss.broadcast('x')).toBe(0);
  });
});

describe('close(options)', () => {
  it('clients are closed with the code; the promise is kept once all are gone', async () => {
    const { wss, port } = await listen();
    const client = await connect(port);
    const closed = next(client, 'close');
    await wss.close({ code: 4000, reason: 'bye' });
    expect(wss.clients?.size).toBe(0);
    const [code, reason] = await closed;
    expect([code, String(reason)]).toEqual([4000, 'bye']);
    await expect(wss.close({})).resolves.toBeUndefined();
  });

  it('a client that does not answer -> cut off after timeoutMs', async () => {
    const { wss, port } = await listen();
    const peer = await connectRaw(port);
    await wss.close({ timeoutMs: 20 });
    expect(peer.frames.map((frame) => frame.opcode)).toEqual([8]);
    await peer.ended;
  });

  it.each([
    ['nothing', ''],
    ['half a request', 'GET / HT'],
  ])('a connection that has sent %s -> does not hold up the end beyond timeoutMs', async (_what, bytes) => {
    const { wss, port } = await listen();
    const socket = net.connect(port, '127.0.0.1');
    const ended = next(socket, 'close');
    socket.on('error', () => {});
    const accepted = next(wss._server as http.Server, 'connection');
    await next(socket, 'connect');
    if (bytes !== '') socket.write(bytes);
    await accepted;
    await wss.close({ timeoutMs: 20 });
    await ended;
  });

  it('null -> as without an argument', async () => {
    const { wss } = await listen();
    const closed = next(wss, 'close');
    wss.close(null as never);
    await closed;
  });

  it('a code that cannot be sent -> rejects, and the server goes on', async () => {
    const { wss, port } = await listen();
    await expect(wss.close({ code: 1006 })).rejects.toThrow(TypeError);
    expect(await (await connect(port)).pinged()).toBeGreaterThan(0);
  });

  it('await using -> closed at the end of the block', async () => {
    const { wss, port } = await listen();
    const closed = next(await connect(port), 'close');
    await wss[Symbol.asyncDispose]();
    expect((await closed)[0]).toBe(1001);
    expect(wss.address()).toBeNull();
  });

  it('the server is not ours -> its other connections are left alone', async () => {
    const server = http.createServer((_request, response) => response.end('still here'));
    cleanups.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const wss = new WebSocketServer({ server });
    const { port } = server.address() as AddressInfo;
    await connect(port);
    await wss.close({});
    expect(await exchange(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toContain(
      'still here',
    );
  });
});

describe('verifyClient with one parameter', () => {
  it.each([
    [true, 'HTTP/1.1 101'],
    [false, 'HTTP/1.1 401'],
  ])('promise of %s -> %s', async (answer, status) => {
    const { port } = await listen({ verifyClient: async () => answer });
    const socket = net.connect(port, '127.0.0.1');
    cleanups.push(() => socket.destroy());
    // The frame is there before the answer is; nothing of it may be lost.
    socket.write(upgradeRequest());
    expect(String((await next(socket, 'data'))[0])).toContain(status);
  });

  it('something with a then() that comes to false -> 401', async () => {
    const { port } = await listen({
      // biome-ignore lint/suspicious/noThenProperty: that is the point
      verifyClient: () => ({ then: (resolve: (is: boolean) => void) => resolve(false) }),
    });
    expect(await exchange(port, upgradeRequest())).toMatch(/^HTTP\/1.1 401 /);
  });

  it.each([
    [true, 'HTTP/1.1 101'],
    [false, 'HTTP/1.1 400'],
  ])('shouldHandle() with a promise of %s -> %s', async (answer, status) => {
    const { wss, port } = await listen();
    wss.shouldHandle = async () => answer;
    const socket = net.connect(port, '127.0.0.1');
    cleanups.push(() => socket.destroy());
    socket.write(upgradeRequest());
    expect(String((await next(socket, 'data'))[0])).toContain(status);
  });

  it('a promise that rejects -> 500', async () => {
    const { port } = await listen({ verifyClient: () => Promise.reject(new Error('database')) });
    const answer = await exchange(port, upgradeRequest());
    expect(answer).toMatch(/^HTTP\/1.1 500 /);
    expect(answer).not.toContain('database');
  });

  it('frames that arrive while the answer is awaited -> delivered after it', async () => {
    const refuse = (_isVerified: boolean): void => {};
    let admit = refuse;
    const { wss, port } = await listen({
      verifyClient: () => new Promise<boolean>((resolve) => (admit = resolve)),
    });
    const peer = connectRaw(port, {}, [{ opcode: 1, payload: 'early' }]);
    const message = firstMessage(wss);
    while (admit === refuse) await new Promise((resolve) => setImmediate(resolve));
    admit(true);
    await peer;
    expect(String((await message)[0])).toBe('early');
  });
});

describe('our own listener', () => {
  it.each([
    ['in one piece', 1],
    ['byte by byte', 0],
  ])(
    'upgrade request %s, frames behind it -> request and message as node:http gives them',
    async (_how, whole) => {
      const { wss, port } = await listen();
      const connected = next(wss, 'connection') as Promise<[WebSocket, http.IncomingMessage]>;
      const message = firstMessage(wss);
      const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
      cleanups.push(() => socket.destroy());
      const bytes = Buffer.concat([
        Buffer.from(upgradeRequest({ path: '/a?b', headers: { Cookie: 'x=1', 'X-Thing': 'y' } })),
        Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]),
      ]);
      if (whole) socket.write(bytes);
      else for (const byte of bytes) await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
      const [, request] = await connected;
      expect(request).toBeInstanceOf(http.IncomingMessage);
      expect([request.method, request.url, request.httpVersion]).toEqual(['GET', '/a?b', '1.1']);
      expect(request.headers).toMatchObject({ cookie: 'x=1', 'x-thing': 'y', upgrade: 'websocket' });
      expect(request.rawHeaders).toContain('X-Thing');
      expect(request.headers.constructor).toBe(Object);
      expect(request.socket.remoteAddress).toBe('127.0.0.1');
      expect(String((await message)[0])).toBe('hi');
    },
  );

  it('other requests -> 426 as from ws', async () => {
    const { port } = await listen();
    const answer = await exchange(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 426 Upgrade Required\r\n/);
  });

  it('an "upgrade" listener of the user on the server -> it gets the requests', async () => {
    const { wss, port } = await listen();
    const upgraded = next(wss._server as http.Server, 'upgrade');
    await connectRaw(port);
    expect(((await upgraded)[0] as http.IncomingMessage).url).toBe('/');
  });

  it('a "headers" listener that would split the response -> 500, and the process goes on', async () => {
    const { wss, port } = await listen();
    wss.on('headers', (lines: string[]) => lines.push('X: a\r\nSet-Cookie: forged=1'));
    const answer = await exchange(port, upgradeRequest());
    expect(answer).toMatch(/^HTTP\/1.1 500 /);
    expect(answer).not.toContain('forged');
  });
});
