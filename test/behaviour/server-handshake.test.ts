// The opening handshake as a server sees it: each check, in order, with the exact bytes of the response.
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { cast, portOf } from '../support/cast.js';
import { next, thrownBy, turn } from '../support/events.js';
import {
  acceptFor,
  connectRaw,
  exchange,
  handshakeKey,
  type RequestFields,
  upgradeRequest,
} from '../support/raw-peer.js';
import { behaviour, differs, type Package } from './implementations.js';

/** The bytes of a refusal. */
function refusal(status: string, body: string, extra = ''): string {
  return `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: ${body.length}\r\n${extra}\r\n${body}`;
}

const BAD = '400 Bad Request';
const VERSIONS = 'Sec-WebSocket-Version: 13, 8\r\n';
const BAD_METHOD = refusal('405 Method Not Allowed', 'Invalid HTTP method');
const BAD_UPGRADE = refusal(BAD, 'Invalid Upgrade header');
const BAD_KEY = refusal(BAD, 'Missing or invalid Sec-WebSocket-Key header');
const BAD_VERSION = refusal(BAD, 'Missing or invalid Sec-WebSocket-Version header', VERSIONS);
const BAD_PROTOCOL = refusal(BAD, 'Invalid Sec-WebSocket-Protocol header');
const BAD_EXTENSIONS = refusal(BAD, 'Invalid or unacceptable Sec-WebSocket-Extensions header');

const KEY = 'Sec-WebSocket-Key';
const VERSION = 'Sec-WebSocket-Version';
const PROTOCOL = 'Sec-WebSocket-Protocol';
const EXTENSIONS = 'Sec-WebSocket-Extensions';

const REFUSALS: [string, RequestFields, string][] = [
  ['POST', { method: 'POST' }, BAD_METHOD],
  ['HEAD', { method: 'HEAD' }, BAD_METHOD],
  ['Upgrade is another protocol', { headers: { Upgrade: 'foo' } }, BAD_UPGRADE],
  ['Upgrade is a list', { headers: { Upgrade: 'websocket, foo' } }, BAD_UPGRADE],
  ['no key', { headers: { [KEY]: undefined } }, BAD_KEY],
  ['an empty key', { headers: { [KEY]: '' } }, BAD_KEY],
  ['a key that is too short', { headers: { [KEY]: 'dGhlIHNhbXBsZSBub25jZ==' } }, BAD_KEY],
  ['a key that is too long', { headers: { [KEY]: 'dGhlIHNhbXBsZSBub25jZQA==' } }, BAD_KEY],
  ['a key with other characters', { headers: { [KEY]: 'dGhlIHNhbXBsZSBub25jZ_==' } }, BAD_KEY],
  ['a key without padding', { headers: { [KEY]: 'dGhlIHNhbXBsZSBub25jZQAA' } }, BAD_KEY],
  ['two keys', { headers: { [KEY]: handshakeKey(), 'sec-websocket-key': handshakeKey() } }, BAD_KEY],
  ['no version', { headers: { [VERSION]: undefined } }, BAD_VERSION],
  ['an empty version', { headers: { [VERSION]: '' } }, BAD_VERSION],
  ['version 12', { headers: { [VERSION]: '12' } }, BAD_VERSION],
  ['version 14', { headers: { [VERSION]: '14' } }, BAD_VERSION],
  ['version foo', { headers: { [VERSION]: 'foo' } }, BAD_VERSION],
  ['two versions', { headers: { [VERSION]: '13', 'sec-websocket-version': '13' } }, BAD_VERSION],
  ['an empty protocol', { headers: { [PROTOCOL]: '' } }, BAD_PROTOCOL],
  ['a protocol list that ends early', { headers: { [PROTOCOL]: 'foo,' } }, BAD_PROTOCOL],
  ['a duplicated protocol', { headers: { [PROTOCOL]: 'foo, foo' } }, BAD_PROTOCOL],
  ['a protocol that is no token', { headers: { [PROTOCOL]: 'f(oo' } }, BAD_PROTOCOL],
  ['bad extensions', { headers: { [EXTENSIONS]: 'permessage-deflate; foo' } }, BAD_EXTENSIONS],
  ['another path', { path: '/other' }, refusal(BAD, 'Bad Request')],
];

/** Everything is wrong; each case mends one thing more. */
const ORDER: [RequestFields, string][] = (() => {
  const headers: Record<string, string> = {
    Upgrade: 'x',
    [KEY]: 'x',
    [VERSION]: 'x',
    [PROTOCOL]: ',',
    [EXTENSIONS]: ',',
  };
  const steps: [RequestFields, string][] = [
    [{ method: 'POST', path: '/other', headers: { ...headers } }, BAD_METHOD],
  ];
  const wrong = { path: '/other' };
  const mend = (name: string, value: string) => ({ ...Object.assign(headers, { [name]: value }) });
  steps.push([{ ...wrong, headers: { ...headers } }, BAD_UPGRADE]);
  steps.push([{ ...wrong, headers: mend('Upgrade', 'websocket') }, BAD_KEY]);
  steps.push([{ ...wrong, headers: mend(KEY, handshakeKey()) }, BAD_VERSION]);
  steps.push([{ ...wrong, headers: mend(VERSION, '13') }, refusal(BAD, 'Bad Request')]);
  steps.push([{ headers: { ...headers } }, BAD_PROTOCOL]);
  steps.push([{ headers: mend(PROTOCOL, 'foo') }, BAD_EXTENSIONS]);
  steps.push([{ headers: mend(EXTENSIONS, 'foo') }, refusal('401 Unauthorized', 'Unauthorized')]);
  return steps;
})();

behaviour('server handshake', (implementation) => {
  const { ws: WebSocket } = implementation;
  const { atEnd, rawClient, server } = cast(WebSocket);
  const options = { path: '/', perMessageDeflate: true, verifyClient: () => false };

  it.each(REFUSALS)('%s -> the exact refusal', async (_case, request, response) => {
    const wss = await server(options);
    expect(await exchange(portOf(wss), upgradeRequest(request))).toBe(response);
  });

  it.each(ORDER)('several things wrong: %j -> the first check answers', async (request, response) => {
    const wss = await server(options);
    expect(await exchange(portOf(wss), upgradeRequest(request))).toBe(response);
  });

  it.each(REFUSALS)('%s, on a foreign server -> the same refusal', async (_case, request, response) => {
    const foreign = http.createServer().listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    atEnd(foreign, () => foreign.close());
    new WebSocket.WebSocketServer({ ...options, server: foreign });
    expect(await exchange((foreign.address() as AddressInfo).port, upgradeRequest(request))).toBe(response);
  });

  it('the sample of the RFC -> the exact 101', async () => {
    const { peer } = await rawClient();
    expect(peer.head.text).toBe(
      [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
      ].join('\r\n'),
    );
  });

  it('subprotocol, extensions and lines added in "headers" -> in this order', async () => {
    const wss = await server({ perMessageDeflate: true });
    const seen: unknown[][] = [];
    wss.on('headers', (lines: string[], request: http.IncomingMessage) => {
      seen.push([[...lines], request]);
      lines.push('X-First: 1', 'Set-Cookie: a=b');
      lines.push('Set-Cookie: c=d');
    });
    const connection = next(wss, 'connection');
    const key = handshakeKey();
    const headers = { [KEY]: key, [PROTOCOL]: 'foo, bar', [EXTENSIONS]: 'permessage-deflate' };
    const peer = await connectRaw(portOf(wss), { headers });
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${acceptFor(key)}`,
      'Sec-WebSocket-Protocol: foo',
      'Sec-WebSocket-Extensions: permessage-deflate',
    ];
    expect(peer.head.text).toBe([...lines, 'X-First: 1', 'Set-Cookie: a=b', 'Set-Cookie: c=d'].join('\r\n'));
    const [, request] = await connection;
    expect(seen).toHaveLength(1);
    expect(seen[0]![0]).toEqual(lines);
    expect(seen[0]![1]).toBe(request);
  });

  it('the request of "connection" -> an IncomingMessage with its method, url, headers and socket', async () => {
    const { socket, req, peer } = await rawClient(
      {},
      { path: '/path?query', headers: { 'X-Mine': 'yes', Cookie: 'a=b' } },
    );
    expect(req).toBeInstanceOf(http.IncomingMessage);
    expect([req.method, req.url, req.httpVersion]).toEqual(['GET', '/path?query', '1.1']);
    expect(req.headers).toMatchObject({
      host: 'localhost',
      'x-mine': 'yes',
      cookie: 'a=b',
      upgrade: 'websocket',
    });
    expect(req.rawHeaders.slice(0, 2)).toEqual(['Host', 'localhost']);
    expect(req.socket).toBe(socket._socket);
    expect(req.connection).toBe(req.socket);
    expect(req.socket.remoteAddress).toBe('127.0.0.1');
    expect(req.socket.remotePort).toBe((peer.socket as Duplex & { localPort: number }).localPort);
  });

  it('repeated headers of the request -> joined and listed as node:http does', async () => {
    const { req } = await rawClient(
      {},
      {
        headers: {
          Cookie: 'a=b',
          cookie: 'c=d',
          'X-Dup': '1',
          'x-dup': '2',
          Authorization: 'first',
          authorization: 'second',
        },
      },
    );
    expect(req.headers).toMatchObject({ cookie: 'a=b; c=d', 'x-dup': '1, 2', authorization: 'first' });
    expect(req.headersDistinct).toMatchObject({ host: ['localhost'], 'x-dup': ['1', '2'] });
    expect(req.rawHeaders.filter((_text: string, index: number) => index % 2 === 0)).toEqual(
      expect.arrayContaining(['Cookie', 'cookie', 'X-Dup', 'x-dup']),
    );
    expect([req.complete, req.upgrade, req.httpVersionMajor, req.httpVersionMinor]).toEqual([
      true,
      true,
      1,
      1,
    ]);
  });

  it.each([
    ['no HTTP at all', 'foo\r\n\r\n', '400 Bad Request'],
    ['a space in a header name', upgradeRequest({ headers: { 'Bad Header': 'x' } }), '400 Bad Request'],
    ['a NUL in a header', upgradeRequest({ headers: { 'X-Bad': 'a\0b' } }), '400 Bad Request'],
    [
      'more than 16 KiB of headers',
      upgradeRequest({ headers: { 'X-Big': 'x'.repeat(17_000) } }),
      '431 Request Header Fields Too Large',
    ],
  ])('%s -> the answer of node:http', async (_case, request, status) => {
    const wss = await server();
    expect(await exchange(portOf(wss), request)).toBe(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  });

  it.each([
    ['Upgrade in another case', { headers: { Upgrade: 'WebSocket' } }],
    ['Connection with several tokens', { headers: { Connection: 'keep-alive, Upgrade' } }],
    ['version 8', { headers: { [VERSION]: '8' } }],
    ['header names in another case', { headers: { [KEY]: undefined, 'sec-websocket-KEY': handshakeKey() } }],
  ])('%s -> accepted', async (_case, request: RequestFields) => {
    const { peer } = await rawClient({}, request);
    expect(peer.head.startLine).toBe('HTTP/1.1 101 Switching Protocols');
  });

  it('a request in many pieces, with frames behind it -> accepted, and the frames are delivered', async () => {
    const wss = await server();
    const messages: string[] = [];
    wss.on('connection', (socket: Package) =>
      socket.on('message', (data: Buffer) => messages.push(String(data))),
    );
    const peer = await connectRaw(portOf(wss), {}, [
      { opcode: 1, payload: 'a' },
      { opcode: 1, payload: 'b' },
      { opcode: 9 },
    ]);
    expect((await peer.nextFrame()).opcode).toBe(10);
    expect(messages).toEqual(['a', 'b']);
    peer.socket.destroy();
  });

  it.each<[string, RequestFields]>([
    ['HTTP/1.0', { version: '1.0' }],
    ['no Host header', { headers: { Host: undefined } }],
    ['two Host headers', { headers: { Host: 'a.test', host: 'b.test' } }],
    ['the target *', { path: '*' }],
  ])('%s', async (_case, request) => {
    const wss = await server();
    wss.on('connection', (socket: Package) => socket.terminate());
    const answer = await exchange(portOf(wss), upgradeRequest(request)).catch(
      () => 'HTTP/1.1 101 and a reset',
    );
    const expected = differs(implementation, 'strict-request', {
      ws: /^HTTP\/1\.1 101 /,
      hawser: /^HTTP\/1\.1 [45]\d\d /,
    });
    expect(answer).toMatch(expected);
  });

  it.each(['013', '0xd', '13.0', '1.3e1'])('version %s', async (version) => {
    const wss = await server();
    wss.on('connection', (socket: Package) => socket.terminate());
    const request = upgradeRequest({ headers: { [VERSION]: version } });
    const answer = await exchange(portOf(wss), request).catch(() => 'HTTP/1.1 101 and a reset');
    const check = differs(implementation, 'strict-version', {
      ws: () => expect(answer).toMatch(/^HTTP\/1\.1 101 /),
      hawser: () => expect(answer).toBe(BAD_VERSION),
    });
    check();
  });

  it('a line break in a line added in "headers"', async () => {
    const wss = await server();
    wss.on('headers', (lines: string[]) => lines.push('X-Added: a\r\nX-Forged: b'));
    wss.on('connection', (socket: Package) => socket._socket.end());
    const answer = await exchange(portOf(wss), upgradeRequest());
    const expected = differs(implementation, 'header-injection', {
      ws: /^HTTP\/1\.1 101 .*\r\nX-Forged: b\r\n/s,
      hawser: /^HTTP\/1\.1 500 Internal Server Error\r\n(?!.*X-Forged)/s,
    });
    expect(answer).toMatch(expected);
  });

  it.each([
    ['no Connection header', undefined],
    ['Connection without the upgrade token', 'close, upgraded'],
  ])('%s -> not upgraded', async (_case, connection) => {
    const wss = await server();
    const closing = upgradeRequest({ headers: { Connection: connection } });
    const answer = await exchange(portOf(wss), closing.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  it('foreign server that cuts headers off -> refused because Upgrade is missing', async () => {
    const foreign = http.createServer();
    foreign.maxHeadersCount = 1;
    foreign.listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    atEnd(foreign, () => foreign.close());
    new WebSocket.WebSocketServer({ server: foreign });
    expect(await exchange((foreign.address() as AddressInfo).port, upgradeRequest())).toBe(BAD_UPGRADE);
  });

  it('a refused client that does not end its side -> the socket is destroyed all the same', async () => {
    let closed: Promise<unknown> | undefined;
    const wss = await server({
      verifyClient: ({ req }: Package) => {
        closed = next(req.socket, 'close');
        return false;
      },
    });
    const socket = net.connect({ port: portOf(wss), host: '127.0.0.1', allowHalfOpen: true });
    atEnd(socket, () => socket.destroy());
    socket.write(upgradeRequest());
    socket.resume();
    await once(socket, 'end');
    await closed;
    expect(socket.writable).toBe(true);
  });

  const OWN_EVENT = REFUSALS.filter(([name]) => name !== 'another path');

  it.each(OWN_EVENT)(
    '%s, "wsClientError" has a listener -> it answers instead',
    async (_case, request, response) => {
      const wss = await server(options);
      const calls: unknown[][] = [];
      wss.on('wsClientError', (error: Error, socket: Duplex, req: http.IncomingMessage) => {
        calls.push([error.message, error instanceof Error, req.socket === socket, req.url]);
        socket.end('HTTP/1.1 418 I am a teapot\r\n\r\n');
      });
      const answer = await exchange(portOf(wss), upgradeRequest(request));
      expect(answer).toBe('HTTP/1.1 418 I am a teapot\r\n\r\n');
      expect(calls).toEqual([[response.split('\r\n\r\n')[1], true, true, '/']]);
    },
  );

  it('another path, verifyClient and a closing server -> no "wsClientError"', async () => {
    const wss = await server(options);
    let calls = 0;
    wss.on('wsClientError', () => calls++);
    expect(await exchange(portOf(wss), upgradeRequest({ path: '/other' }))).toBe(refusal(BAD, 'Bad Request'));
    expect(await exchange(portOf(wss), upgradeRequest())).toBe(refusal('401 Unauthorized', 'Unauthorized'));
    expect(calls).toBe(0);
  });

  /** A foreign server that hands its upgrades to `handle`. */
  async function handling(
    handle: (...upgrade: [http.IncomingMessage, Duplex, Buffer]) => void,
  ): Promise<number> {
    const foreign = http.createServer().on('upgrade', handle).listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    atEnd(foreign, () => foreign.close());
    return (foreign.address() as AddressInfo).port;
  }

  it('a server that is closed -> 503', async () => {
    const wss = new WebSocket.WebSocketServer({ noServer: true });
    const port = await handling((...upgrade) => {
      wss.close();
      wss.handleUpgrade(...upgrade, () => {});
    });
    expect(await exchange(port, upgradeRequest())).toBe(
      refusal('503 Service Unavailable', 'Service Unavailable'),
    );
  });

  it('a socket that is handed over twice -> the second handleUpgrade throws', async () => {
    const wss = new WebSocket.WebSocketServer({ noServer: true });
    let error: Error | undefined;
    const port = await handling((...upgrade) => {
      wss.handleUpgrade(...upgrade, () => {});
      error = thrownBy(() => wss.handleUpgrade(...upgrade, () => {}));
    });
    const peer = await connectRaw(port);
    expect(error!.message).toBe(
      'server.handleUpgrade() was called more than once with the same socket, possibly due to a misconfiguration',
    );
    peer.socket.destroy();
  });

  it('a socket that was ended or destroyed before -> dropped without a callback', async () => {
    for (const method of ['end', 'destroy'] as const) {
      const wss = new WebSocket.WebSocketServer({ noServer: true });
      let calls = 0;
      const port = await handling((request, socket, head) => {
        socket[method]();
        wss.handleUpgrade(request, socket, head, () => calls++);
      });
      expect(await exchange(port, upgradeRequest())).toBe('');
      await turn();
      expect(calls).toBe(0);
    }
  });
});
