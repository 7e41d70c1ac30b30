// What a client makes of the server's answer: events, checks in order, error messages, time-outs, aborts.
import http from 'node:http';
import { expect, it } from 'vitest';
import { cast } from '../support/cast.js';
import { next, record, turn } from '../support/events.js';
import { serializeFrame } from '../support/frames.js';
import { acceptingResponse, type Head, RawServer } from '../support/raw-peer.js';
import { behaviour, differs } from './implementations.js';

const CLOSED_BEFORE = 'WebSocket was closed before the connection was established';
const EMPTY = Buffer.alloc(0);

behaviour('client handshake', (implementation) => {
  const { ws: WebSocket } = implementation;
  const { client, rawServer } = cast(WebSocket);

  async function failureOf(respond: (request: Head) => string, ...args: unknown[]): Promise<string> {
    const raw = await rawServer(respond);
    const socket = client(raw.url, ...args);
    const log = record(socket, 'open', 'error', 'close');
    await next(socket, 'close');
    expect(log).toEqual([
      ['error', expect.any(Error)],
      ['close', 1006, EMPTY],
    ]);
    expect(socket.readyState).toBe(WebSocket.CLOSED);
    return (log[0]![1] as Error).message;
  }

  const ALL_WRONG = {
    Upgrade: 'foo',
    'Sec-WebSocket-Accept': 'wrong',
    'Sec-WebSocket-Protocol': 'wrong',
    'Sec-WebSocket-Extensions': 'wrong;;',
  };
  const { Upgrade: _first, ...WITHOUT_UPGRADE } = ALL_WRONG;
  const { 'Sec-WebSocket-Accept': _second, ...WITHOUT_ACCEPT } = WITHOUT_UPGRADE;
  const NO_PMD = { perMessageDeflate: false };

  it.each<[Record<string, string | undefined>, unknown[], string]>([
    [{ Upgrade: 'foo' }, [], 'Invalid Upgrade header'],
    [ALL_WRONG, [], 'Invalid Upgrade header'],
    [WITHOUT_UPGRADE, [], 'Invalid Sec-WebSocket-Accept header'],
    [WITHOUT_ACCEPT, [], 'Server sent a subprotocol but none was requested'],
    [{ 'Sec-WebSocket-Accept': undefined }, [], 'Invalid Sec-WebSocket-Accept header'],
    [{ 'Sec-WebSocket-Accept': 'x' }, [], 'Invalid Sec-WebSocket-Accept header'],
    [{ 'Sec-WebSocket-Protocol': 'foo' }, [], 'Server sent a subprotocol but none was requested'],
    [{ 'Sec-WebSocket-Protocol': 'foo' }, [['bar']], 'Server sent an invalid subprotocol'],
    [{ 'Sec-WebSocket-Protocol': 'foo, bar' }, [['foo', 'bar']], 'Server sent an invalid subprotocol'],
    [{ 'Sec-WebSocket-Protocol': '' }, [['foo']], 'Server sent an invalid subprotocol'],
    [{ 'Sec-WebSocket-Protocol': 'FOO' }, [['foo']], 'Server sent an invalid subprotocol'],
    [{}, [['foo']], 'Server sent no subprotocol'],
    [
      { 'Sec-WebSocket-Extensions': 'permessage-deflate' },
      [NO_PMD],
      'Server sent a Sec-WebSocket-Extensions header but no extension was requested',
    ],
    [{ 'Sec-WebSocket-Extensions': 'permessage-deflate;=' }, [], 'Invalid Sec-WebSocket-Extensions header'],
    [{ 'Sec-WebSocket-Extensions': '' }, [], 'Invalid Sec-WebSocket-Extensions header'],
    [{ 'Sec-WebSocket-Extensions': 'foo' }, [], 'Server indicated an extension that was not requested'],
    [
      { 'Sec-WebSocket-Extensions': 'permessage-deflate, foo' },
      [],
      'Server indicated an extension that was not requested',
    ],
    [
      { 'Sec-WebSocket-Extensions': 'permessage-deflate; foo' },
      [],
      'Invalid Sec-WebSocket-Extensions header',
    ],
    [
      { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_max_window_bits=7' },
      [],
      'Invalid Sec-WebSocket-Extensions header',
    ],
    [
      { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' },
      [],
      'Invalid Sec-WebSocket-Extensions header',
    ],
    [
      { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits=10' },
      [{ perMessageDeflate: { clientMaxWindowBits: false } }],
      'Invalid Sec-WebSocket-Extensions header',
    ],
    [
      { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_no_context_takeover' },
      [{ perMessageDeflate: { clientNoContextTakeover: false } }],
      'Invalid Sec-WebSocket-Extensions header',
    ],
  ])('101 with %j, client asked %j -> error "%s", then close 1006', async (headers, args, message) => {
    expect(await failureOf((request) => acceptingResponse(request, headers), ...args)).toBe(message);
  });

  it.each(['WebSocket', 'WEBSOCKET'])('101 with Upgrade: %s -> open', async (upgrade) => {
    const raw = await rawServer((request) =>
      acceptingResponse(request, { Upgrade: upgrade, connection: 'upgrade' }),
    );
    await next(client(raw.url), 'open');
  });

  it('101 with a Connection header that lacks the upgrade token', async () => {
    const respond = (request: Head) => acceptingResponse(request, { Connection: 'keep-alive, upgraded' });
    const check = differs(implementation, 'strict-response', {
      ws: async () => {
        // Node itself needs the token to see an upgrade at all, so the answer is the response to a plain request.
        expect(await failureOf(respond)).toBe('Unexpected server response: 101');
      },
      hawser: async () =>
        expect(await failureOf(respond)).toMatch(/Connection|Unexpected server response: 101/),
    });
    await check();
  });

  it('101 by HTTP/1.0', async () => {
    const raw = await rawServer((request) => acceptingResponse(request).replace('HTTP/1.1', 'HTTP/1.0'));
    const socket = client(raw.url);
    const log = record(socket, 'open', 'error');
    await Promise.race([next(socket, 'open'), next(socket, 'close')]);
    expect(log.map(([name]) => name)).toEqual(
      differs(implementation, 'strict-response', { ws: ['open'], hawser: ['error'] }),
    );
  });

  it('101 -> "upgrade" with the response while CONNECTING, then "open" in the same tick', async () => {
    const raw = await rawServer((request) => acceptingResponse(request, { 'X-Mine': 'yes' }));
    const socket = client(raw.url);
    const states: unknown[] = [];
    let ticks = 0;
    socket.on('upgrade', (response: http.IncomingMessage) => {
      expect(response).toBeInstanceOf(http.IncomingMessage);
      expect(response.headers['x-mine']).toBe('yes');
      expect(response.statusCode).toBe(101);
      states.push(['upgrade', socket.readyState]);
      process.nextTick(() => ticks++);
    });
    socket.on('open', () => states.push(['open', socket.readyState, ticks]));
    await next(socket, 'open');
    expect(states).toEqual([
      ['upgrade', WebSocket.CONNECTING],
      ['open', WebSocket.OPEN, 0],
    ]);
  });

  it('101 that fails a check -> "upgrade" was emitted before the error', async () => {
    const raw = await rawServer((request) => acceptingResponse(request, { 'Sec-WebSocket-Accept': 'x' }));
    const socket = client(raw.url);
    const log = record(socket, 'upgrade', 'error', 'close');
    await next(socket, 'close');
    expect(log.map(([name]) => name)).toEqual(['upgrade', 'error', 'close']);
  });

  it.each(['close', 'terminate'])('%s() in "upgrade" -> honoured', async (method) => {
    const raw = await rawServer();
    const socket = client(raw.url);
    const log = record(socket, 'open', 'error', 'close');
    socket.on('upgrade', () => socket[method]());
    await next(socket, 'close');
    expect(log).toEqual([
      ['error', expect.objectContaining({ message: CLOSED_BEFORE })],
      ['close', 1006, EMPTY],
    ]);
  });

  it('frames in the same segment as the 101 -> delivered after "open"', async () => {
    const frame = serializeFrame({ opcode: 1, payload: 'early' }).toString('latin1');
    const raw = await rawServer((request) => acceptingResponse(request) + frame);
    const socket = client(raw.url);
    const log = record(socket, 'open', 'message');
    await next(socket, 'message');
    expect(log).toEqual([['open'], ['message', Buffer.from('early'), false]]);
  });

  it.each([200, 302, 400, 401, 404, 426, 500])('response %i -> error with the status', async (status) => {
    const message = await failureOf(() => `HTTP/1.1 ${status} Whatever\r\nContent-Length: 0\r\n\r\n`);
    expect(message).toBe(`Unexpected server response: ${status}`);
  });

  it('other response, "unexpected-response" has a listener -> only that, and CONNECTING until the caller aborts', async () => {
    const raw = await rawServer(() => 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nfoo');
    const socket = client(raw.url);
    const log = record(socket, 'error', 'close', 'upgrade');
    const [request, response] = await next(socket, 'unexpected-response');
    expect(request).toBeInstanceOf(http.ClientRequest);
    expect(response).toBeInstanceOf(http.IncomingMessage);
    expect(response.statusCode).toBe(401);
    response.setEncoding('utf8');
    const [body] = await next(response, 'data');
    expect(body).toBe('foo');
    await turn();
    expect([socket.readyState, log]).toEqual([WebSocket.CONNECTING, []]);

    socket.terminate();
    await next(socket, 'close');
    expect(log).toEqual([
      ['error', expect.objectContaining({ message: CLOSED_BEFORE })],
      ['close', 1006, EMPTY],
    ]);
  });

  it('other response, the listener destroys the request with an error -> that error, then close 1006', async () => {
    const raw = await rawServer(() => 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\n');
    const socket = client(raw.url);
    const log = record(socket, 'error', 'close');
    socket.on('unexpected-response', (request: http.ClientRequest, response: http.IncomingMessage) => {
      response.on('error', () => {});
      request.on('error', () => {});
      socket.close();
      request.destroy();
    });
    await next(socket, 'close');
    expect(log).toEqual([
      ['error', expect.objectContaining({ message: CLOSED_BEFORE })],
      ['close', 1006, EMPTY],
    ]);
  });

  it('no response within handshakeTimeout -> error, then close 1006', async () => {
    const raw = await rawServer(() => null);
    const socket = client(raw.url, { handshakeTimeout: 50 });
    const log = record(socket, 'error', 'close');
    await next(socket, 'close');
    expect(log).toEqual([
      ['error', expect.objectContaining({ message: 'Opening handshake has timed out' })],
      ['close', 1006, EMPTY],
    ]);
  });

  it.each(['close', 'terminate'])(
    '%s() while CONNECTING -> CLOSING at once, error and close later',
    async (method) => {
      const raw = await rawServer(() => null);
      const socket = client(raw.url);
      const log = record(socket, 'error', 'close');
      const states: number[] = [];
      socket.on('error', () => states.push(socket.readyState));
      socket.on('close', () => states.push(socket.readyState));
      socket[method]();
      expect(socket.readyState).toBe(WebSocket.CLOSING);
      expect(log).toEqual([]);
      await new Promise((resolve) => process.nextTick(resolve));
      expect(log).toEqual([
        ['error', expect.objectContaining({ message: CLOSED_BEFORE })],
        ['close', 1006, EMPTY],
      ]);
      expect(states).toEqual([WebSocket.CLOSING, WebSocket.CLOSED]);
    },
  );

  it('close() while the request is at the server -> the connection is dropped', async () => {
    const raw = await rawServer(() => null);
    const socket = client(raw.url);
    const closed = next(socket, 'close');
    socket.on('error', () => {});
    while (raw.requests.length === 0) await turn();
    const dropped = next(raw.sockets[0]!, 'end');
    socket.close();
    await Promise.all([closed, dropped]);
  });

  it('nobody listens at the address -> the error of node:net, then close in the same tick', async () => {
    const raw = await RawServer.listen();
    const { url } = raw;
    await raw.close();
    const socket = client(url);
    const log: unknown[] = [];
    socket.on('error', (error: NodeJS.ErrnoException) => {
      log.push([error.code, socket.readyState]);
      process.nextTick(() => log.push('next tick'));
    });
    socket.on('close', (code: number) => log.push([code, socket.readyState]));
    await next(socket, 'close');
    await turn();
    expect(log).toEqual([['ECONNREFUSED', WebSocket.CLOSING], [1006, WebSocket.CLOSED], 'next tick']);
  });

  it('the server ends the connection without an answer -> error ECONNRESET, then close 1006', async () => {
    const raw = await rawServer((_request, socket) => {
      socket.end();
      return null;
    });
    const socket = client(raw.url);
    const log = record(socket, 'error', 'close');
    await next(socket, 'close');
    expect(log).toEqual([
      ['error', expect.objectContaining({ message: 'socket hang up', code: 'ECONNRESET' })],
      ['close', 1006, EMPTY],
    ]);
  });

  it.each<[string | undefined, string, string]>([
    [undefined, '', ''],
    ['permessage-deflate', 'permessage-deflate', ''],
    ['permessage-deflate; server_no_context_takeover; client_max_window_bits=12', 'permessage-deflate', ''],
  ])('101 with extensions %j -> the extensions attribute', async (header, extensions, protocol) => {
    const raw = await rawServer((request) =>
      acceptingResponse(request, { 'Sec-WebSocket-Extensions': header }),
    );
    const socket = client(raw.url);
    expect([socket.extensions, socket.protocol]).toEqual(['', '']);
    await next(socket, 'open');
    expect([socket.extensions, socket.protocol]).toEqual([extensions, protocol]);
  });
});
