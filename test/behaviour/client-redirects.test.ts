// followRedirects: events, limits, and which credentials travel to another host.
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cast } from '../support/cast.js';
import { next, record } from '../support/events.js';
import type { Head, RawServer } from '../support/raw-peer.js';
import { behaviour } from './implementations.js';

const EMPTY = Buffer.alloc(0);

function redirectTo(location: string, status = 302): string {
  return `HTTP/1.1 ${status} Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;
}

behaviour('client redirects', ({ ws: WebSocket }) => {
  const { client, rawServer } = cast(WebSocket);

  /** A server that answers the first request with a redirect, and accepts what follows. */
  async function redirecting(location: (raw: RawServer) => string, status?: number): Promise<RawServer> {
    const raw: RawServer = await rawServer(() =>
      raw.requests.length === 1 ? redirectTo(location(raw), status) : undefined,
    );
    return raw;
  }

  async function errorOf(location: string, options: object = {}): Promise<Error> {
    const raw = await rawServer(() => redirectTo(location));
    const socket = client(raw.url, { followRedirects: true, ...options });
    const log = record(socket, 'open', 'error', 'close');
    await next(socket, 'close');
    expect(log).toEqual([
      ['error', expect.any(Error)],
      ['close', 1006, EMPTY],
    ]);
    return log[0]![1] as Error;
  }

  it('followRedirects is false by default -> error with the status', async () => {
    const error = await errorOf('ws://127.0.0.1', { followRedirects: undefined });
    expect(error.message).toBe('Unexpected server response: 302');
  });

  it.each([300, 301, 302, 303, 307, 308, 399])(
    '%i with a location -> followed, "redirect" is emitted',
    async (status) => {
      const raw = await redirecting(({ url }) => `${url}/second?query`, status);
      const socket = client(raw.url, { followRedirects: true });
      const log: unknown[] = [];
      socket.on('redirect', (url: string, request: http.ClientRequest) => {
        log.push(['redirect', url, request instanceof http.ClientRequest, socket.url, socket.readyState]);
      });
      socket.on('open', () => log.push('open'));
      await next(socket, 'open');
      expect(log).toEqual([
        ['redirect', `${raw.url}/second?query`, true, `${raw.url}/second?query`, WebSocket.CONNECTING],
        'open',
      ]);
      expect(raw.requests.map(({ startLine }) => startLine)).toEqual([
        'GET / HTTP/1.1',
        'GET /second?query HTTP/1.1',
      ]);
      expect(raw.requests[0]!.headers['sec-websocket-key']).not.toBe(
        raw.requests[1]!.headers['sec-websocket-key'],
      );
    },
  );

  it('a relative location and an http: location -> resolved', async () => {
    const raw: RawServer = await rawServer(
      () => [redirectTo('../up'), redirectTo(`http://127.0.0.1:${raw.port}/http`)][raw.requests.length - 1],
    );
    const socket = client(`${raw.url}/a/b`, { followRedirects: true });
    await next(socket, 'open');
    expect(raw.requests.map(({ startLine }) => startLine)).toEqual([
      'GET /a/b HTTP/1.1',
      'GET /up HTTP/1.1',
      'GET /http HTTP/1.1',
    ]);
    expect(socket.url).toBe(`${raw.url}/http`);
  });

  it('a status outside 300-399, or no location -> not followed', async () => {
    for (const response of [
      redirectTo('ws://127.0.0.1', 201),
      redirectTo('ws://127.0.0.1', 400),
      'HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n',
    ]) {
      const raw = await rawServer(() => response);
      const socket = client(raw.url, { followRedirects: true });
      const [error] = await next(socket, 'error');
      expect(error.message).toMatch(/^Unexpected server response: (201|400|302)$/);
    }
  });

  it('redirect -> the previous connection is dropped', async () => {
    const target = await rawServer();
    const raw = await rawServer(() => redirectTo(target.url));
    const socket = client(raw.url, { followRedirects: true });
    await next(socket, 'open');
    if (!raw.sockets[0]!.readableEnded) await next(raw.sockets[0]!, 'end');
  });

  it.each([
    [undefined, 10],
    [1, 1],
    [0, 0],
  ])('maxRedirects %s -> error after %i', async (maxRedirects, followed) => {
    const raw: RawServer = await rawServer(() => redirectTo(`${raw.url}/again`));
    const socket = client(raw.url, {
      followRedirects: true,
      ...(maxRedirects !== undefined && { maxRedirects }),
    });
    const log = record(socket, 'redirect', 'error', 'close');
    await next(socket, 'close');
    expect(log.filter(([name]) => name === 'redirect')).toHaveLength(followed);
    expect(log.slice(followed)).toEqual([
      ['error', expect.objectContaining({ message: 'Maximum redirects exceeded' })],
      ['close', 1006, EMPTY],
    ]);
    expect(raw.requests).toHaveLength(followed + 1);
  });

  it.each([
    ['ws://', 'Invalid URL: ws://'],
    ['ftp://127.0.0.1', 'The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"'],
    ['ws://127.0.0.1/#fragment', 'The URL contains a fragment identifier'],
  ])('location %s -> SyntaxError on "error"', async (location, message) => {
    const error = await errorOf(location);
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error.message).toBe(message);
  });

  it('finishRequest -> called for each request', async () => {
    const raw = await redirecting(({ url }) => `${url}/second`);
    const paths: string[] = [];
    const sockets: unknown[] = [];
    const socket = client(raw.url, {
      followRedirects: true,
      finishRequest: (request: http.ClientRequest, argument: unknown) => {
        sockets.push(argument);
        paths.push(request.path);
        request.end();
      },
    });
    await next(socket, 'open');
    expect(sockets).toEqual([socket, socket]);
    expect(paths).toEqual(['/', '/second']);
  });

  it.each(['close', 'terminate'])('%s() in "redirect" -> honoured', async (method) => {
    const raw = await redirecting(({ url }) => `${url}/second`);
    const socket = client(raw.url, { followRedirects: true });
    const log = record(socket, 'open', 'error', 'close');
    socket.on('redirect', () => socket[method]());
    await next(socket, 'close');
    expect(log).toEqual([
      [
        'error',
        expect.objectContaining({ message: 'WebSocket was closed before the connection was established' }),
      ],
      ['close', 1006, EMPTY],
    ]);
  });

  it('the server of the redirect stays silent -> handshakeTimeout applies again', async () => {
    const raw: RawServer = await rawServer(() => (raw.requests.length === 1 ? redirectTo('/second') : null));
    const socket = client(raw.url, { followRedirects: true, handshakeTimeout: 500 });
    const log = record(socket, 'error', 'close');
    await next(socket, 'close');
    expect(log).toEqual([
      ['error', expect.objectContaining({ message: 'Opening handshake has timed out' })],
      ['close', 1006, EMPTY],
    ]);
    expect(raw.requests).toHaveLength(2);
  });

  const CREDENTIALS = {
    headers: { Authorization: 'Basic c2VjcmV0', Cookie: 'a=b', Host: 'custom.test', 'X-Kept': 'x' },
  };
  const NONE = { authorization: undefined, cookie: undefined, host: undefined, kept: 'x' };
  const ALL = { authorization: 'Basic c2VjcmV0', cookie: 'a=b', host: 'custom.test', kept: 'x' };

  interface Hop {
    from: string;
    to: string;
    options?: object;
    listens?: boolean;
    /** `host: undefined` stands for the host of the new URL. */
    expected: {
      authorization: string | undefined;
      cookie?: string | undefined;
      host?: string | undefined;
      kept?: string;
    };
  }

  it.each<[string, Hop]>([
    ['the same host', { from: 'ws://a.test', to: 'ws://a.test/x', options: CREDENTIALS, expected: ALL }],
    ['another host', { from: 'ws://a.test', to: 'ws://b.test/', options: CREDENTIALS, expected: NONE }],
    ['a subdomain', { from: 'ws://a.test', to: 'ws://sub.a.test/', options: CREDENTIALS, expected: NONE }],
    ['another port', { from: 'ws://a.test', to: 'ws://a.test:81/', options: CREDENTIALS, expected: NONE }],
    [
      'wss: of the same host',
      { from: 'ws://a.test', to: 'wss://a.test/', options: CREDENTIALS, expected: ALL },
    ],
    [
      'ws: of the same host, from wss:',
      {
        from: 'wss://a.test',
        to: 'ws://a.test/',
        options: CREDENTIALS,
        expected: { ...NONE, host: 'custom.test' },
      },
    ],
    [
      'another host, with a "redirect" listener',
      { from: 'ws://a.test', to: 'ws://b.test/', options: CREDENTIALS, listens: true, expected: ALL },
    ],
    [
      'the same host, credentials from the auth option',
      {
        from: 'ws://a.test',
        to: 'ws://a.test/x',
        options: { auth: 'a:b' },
        expected: { authorization: 'Basic YTpi' },
      },
    ],
    [
      'the same host, a header and the auth option',
      {
        from: 'ws://a.test',
        to: 'ws://a.test/x',
        options: { auth: 'a:b', headers: { Authorization: 'Bearer x' } },
        expected: { authorization: 'Bearer x' },
      },
    ],
    [
      'another host, credentials from the auth option',
      {
        from: 'ws://a.test',
        to: 'ws://b.test/',
        options: { auth: 'a:b' },
        expected: { authorization: undefined },
      },
    ],
    [
      'the same host, credentials from the URL',
      { from: 'ws://a:b@a.test', to: 'ws://a.test/x', expected: { authorization: 'Basic YTpi' } },
    ],
    [
      'another host, credentials from the URL',
      { from: 'ws://a:b@a.test', to: 'ws://b.test/', expected: { authorization: undefined } },
    ],
    [
      'the same host, whose URL has other credentials',
      { from: 'ws://a:b@a.test', to: 'ws://c:d@a.test/x', expected: { authorization: 'Basic YTpi' } },
    ],
  ])(
    'redirect to %s -> sends the credentials or not',
    async (_case, { from, to, options, listens, expected }) => {
      const raw: RawServer = await rawServer(() => (raw.requests.length === 1 ? redirectTo(to) : undefined));
      const createConnection = () => net.connect(raw.port, '127.0.0.1');
      const socket = client(from, { followRedirects: true, createConnection, ...options });
      if (listens) socket.on('redirect', () => {});
      await next(socket, 'open');
      const [, second] = raw.requests as [Head, Head];
      expect(second.headers.authorization).toBe(expected.authorization);
      expect(second.headers.cookie).toBe(expected.cookie);
      expect(second.headers['x-kept']).toBe(expected.kept);
      if ('host' in expected) expect(second.headers.host).toBe(expected.host ?? new URL(to).host);
    },
  );

  it('redirect to a socket file -> followed, without the credentials', async () => {
    const file = join(
      tmpdir(),
      `behaviour-redirect-${process.pid}-${Math.random().toString(36).slice(2)}.sock`,
    );
    const target = await rawServer(undefined, file);
    const raw = await rawServer(() => redirectTo(`ws+unix:${file}:/x`));
    await next(client(raw.url, { followRedirects: true, ...CREDENTIALS }), 'open');
    expect(target.requests[0]!.startLine).toBe('GET /x HTTP/1.1');
    expect(target.requests[0]!.headers).not.toHaveProperty('authorization');
    expect(target.requests[0]!.headers).not.toHaveProperty('cookie');
  });

  it('redirect -> the options of the caller are not changed', async () => {
    const raw = await redirecting(({ port }) => `ws://localhost:${port}`);
    const options = { followRedirects: true, headers: { Authorization: 'x', Cookie: 'y' }, auth: 'a:b' };
    const socket = client(raw.url, {
      ...options,
      createConnection: () => net.connect(raw.port, '127.0.0.1'),
      headers: options.headers,
    });
    await next(socket, 'open');
    expect(options.headers).toEqual({ Authorization: 'x', Cookie: 'y' });
  });
});
