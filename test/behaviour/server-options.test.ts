// Options of WebSocketServer: modes, defaults, paths, subprotocols, extension negotiation, tracking.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cast, portOf, urlOf } from '../support/cast.js';
import { duplexPair } from '../support/duplex-pair.js';
import { called, next, record, thrownBy } from '../support/events.js';
import { connectRaw, exchange, parseHead, upgradeRequest } from '../support/raw-peer.js';
import { behaviour, differs, type Package } from './implementations.js';

const ONE_OF = 'One and only one of the "port", "server", or "noServer" options must be specified';

behaviour('server options', (implementation) => {
  const { ws: WebSocket } = implementation;
  const { atEnd, client, rawClient, server } = cast(WebSocket);

  async function httpServer(): Promise<http.Server> {
    const foreign = http.createServer((_request, response) => response.end('foreign'));
    foreign.listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    return atEnd(foreign, () => foreign.close());
  }

  it.each([
    ['nothing', undefined],
    ['an empty object', {}],
    ['port null', { port: null }],
    ['port and server', { port: 0, server: http.createServer() }],
    ['port and noServer', { port: 0, noServer: true }],
    ['server and noServer', { server: http.createServer(), noServer: true }],
    ['all three', { port: 0, server: http.createServer(), noServer: true }],
    ['noServer false alone', { noServer: false }],
  ])('%s -> TypeError', (_case, options) => {
    const error = thrownBy(() => new WebSocket.WebSocketServer(options));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe(ONE_OF);
  });

  it('defaults -> in wss.options, a fresh object', () => {
    const options = { noServer: true };
    const wss = new WebSocket.WebSocketServer(options);
    expect(wss.options).not.toBe(options);
    expect(options).toEqual({ noServer: true });
    expect(wss.options).toMatchObject({
      ...{
        allowSynchronousEvents: true,
        autoPong: true,
        backlog: null,
        clientTracking: true,
        closeTimeout: 30_000,
      },
      ...{
        handleProtocols: null,
        host: null,
        maxPayload: 104_857_600,
        maxPendingAutoPongs: 60,
        noServer: true,
      },
      ...{ path: null, perMessageDeflate: false, port: null, server: null, skipUTF8Validation: false },
      ...{ verifyClient: null, WebSocket },
    });
  });

  it.each([
    [true, {}],
    [{ threshold: 5 }, { threshold: 5 }],
    [false, false],
  ])('perMessageDeflate %j -> kept in wss.options as %j', (perMessageDeflate, expected) => {
    const wss = new WebSocket.WebSocketServer({ noServer: true, perMessageDeflate });
    expect(wss.options.perMessageDeflate).toEqual(expected);
  });

  it('port 0 -> listens on a free port; the callback is a listener of the listening event', async () => {
    let wss: Package;
    await called((callback) => {
      wss = new WebSocket.WebSocketServer({ port: 0 }, callback);
    });
    expect(portOf(wss)).toBeGreaterThan(0);
    await called((callback) => wss.close(callback));
  });

  it('host -> the server is bound to it', async () => {
    const wss = await server({ host: '127.0.0.1', backlog: 5 });
    expect(wss.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port: expect.any(Number) });
  });

  it('port, a request that is no upgrade -> 426 with a body', async () => {
    const wss = await server();
    const answer = await exchange(portOf(wss), 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const [head, body] = answer.split('\r\n\r\n');
    const { startLine, headers } = parseHead(head!);
    expect(startLine).toBe('HTTP/1.1 426 Upgrade Required');
    expect(headers).toMatchObject({ 'content-length': '16', 'content-type': 'text/plain' });
    expect(headers.upgrade).toBe(
      differs(implementation, 'upgrade-required', { ws: undefined, hawser: 'websocket' }),
    );
    expect(body).toBe('Upgrade Required');
  });

  it('port, requests that are no upgrades on one connection -> each is answered', async () => {
    const wss = await server();
    const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    const last = 'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc';
    const answer = await exchange(portOf(wss), request + request + last);
    expect(answer.match(/HTTP\/1\.1 426 Upgrade Required/g)).toHaveLength(3);
  });

  it('port in use -> "error" EADDRINUSE', async () => {
    const wss = await server();
    const other = new WebSocket.WebSocketServer({ port: portOf(wss), host: '127.0.0.1' });
    expect((await next(other, 'error'))[0]).toMatchObject({ code: 'EADDRINUSE' });
  });

  it('server -> upgrades of a foreign server are handled, its other requests are not touched', async () => {
    const foreign = await httpServer();
    const wss = new WebSocket.WebSocketServer({ server: foreign });
    expect(wss.address()).toEqual(foreign.address());
    const connection = next(wss, 'connection');
    await next(client(`ws://127.0.0.1:${wss.address().port}`), 'open');
    await connection;
    const response = await fetch(`http://127.0.0.1:${wss.address().port}`);
    expect([response.status, await response.text()]).toEqual([200, 'foreign']);
  });

  it('server -> listens to listening, error and upgrade, and forwards the first two', () => {
    const foreign = http.createServer();
    const events = ['listening', 'error', 'upgrade'];
    const before = events.map((event) => foreign.listenerCount(event));
    const wss = new WebSocket.WebSocketServer({ server: foreign }, () => {
      throw new Error('the callback is for port only');
    });
    expect(foreign.listening).toBe(false);
    const log = record(wss, 'listening', 'error');
    expect(events.map((event, index) => foreign.listenerCount(event) - before[index]!)).toEqual([1, 1, 1]);
    foreign.emit('listening');
    const failure = new Error('of the server');
    foreign.emit('error', failure);
    expect(log).toEqual([['listening'], ['error', failure]]);
  });

  it('server on a socket file -> address() is the path, and clients reach it', async () => {
    const file = join(
      tmpdir(),
      `behaviour-server-${process.pid}-${Math.random().toString(36).slice(2)}.sock`,
    );
    const foreign = http.createServer().listen(file);
    await once(foreign, 'listening');
    atEnd(foreign, () => foreign.close());
    const wss = new WebSocket.WebSocketServer({ server: foreign });
    expect(wss.address()).toBe(file);
    const connection = next(wss, 'connection');
    await next(client(`ws+unix:${file}:/path`), 'open');
    expect((await connection)[1].url).toBe('/path');
  });

  it.each([
    ['/chat', '/chat', true],
    ['/chat', '/chat?query=/other', true],
    ['/chat', '/chat/', false],
    ['/chat', '/Chat', false],
    ['/chat', '/chatter', false],
    ['/chat', '/', false],
    ['/ch%61t', '/chat', false],
    ['', '/any', true],
  ])('path %s, request for %s -> accepted is %s', async (path, requested, isAccepted) => {
    const wss = await server({ path });
    if (isAccepted)
      return expect((await connectRaw(portOf(wss), { path: requested })).head.startLine).toMatch(/ 101 /);
    expect(await exchange(portOf(wss), upgradeRequest({ path: requested }))).toBe(
      'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 11\r\n\r\nBad Request',
    );
  });

  it('path, request for it as an absolute URI [RFC6455-4.2.1-2]', async () => {
    const wss = await server({ path: '/chat' });
    const answer = exchange(portOf(wss), upgradeRequest({ path: 'http://127.0.0.1/chat?query' }));
    wss.on('connection', (socket: Package) => socket.terminate());
    expect(await answer).toMatch(
      differs(implementation, 'absolute-target', { ws: /^HTTP\/1\.1 400 /, hawser: /^HTTP\/1\.1 101 / }),
    );
  });

  it('path of two servers on one foreign server -> a mismatch in either ends the connection', async () => {
    const foreign = await httpServer();
    const first = new WebSocket.WebSocketServer({ server: foreign, path: '/first' });
    const second = new WebSocket.WebSocketServer({ server: foreign, path: '/second' });
    expect([first.options.path, second.options.path]).toEqual(['/first', '/second']);
    const { port } = foreign.address() as AddressInfo;
    expect(await exchange(port, upgradeRequest({ path: '/third' }))).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\n/,
    );
  });

  it.each([
    [true, true],
    [undefined, true],
    [false, false],
  ])('clientTracking %s -> wss.clients is a Set: %s', async (clientTracking, isTracked) => {
    const { wss, socket, peer } = await rawClient(clientTracking === undefined ? {} : { clientTracking });
    if (!isTracked) {
      expect(wss.clients).toBeUndefined();
      return;
    }
    expect(wss.clients).toBeInstanceOf(Set);
    expect([...wss.clients]).toEqual([socket]);
    peer.socket.end();
    await next(socket, 'close');
    expect(wss.clients.size).toBe(0);
  });

  it('WebSocket -> its instances are made with (null, undefined, wss.options)', async () => {
    const constructed: unknown[][] = [];
    const Base: new (...args: unknown[]) => Package = WebSocket;
    class Custom extends Base {
      constructor(...args: unknown[]) {
        super(...args);
        constructed.push(args);
      }
    }
    const { wss, socket } = await rawClient({ WebSocket: Custom });
    expect(socket).toBeInstanceOf(Custom);
    expect(constructed).toHaveLength(1);
    expect(constructed[0]![0]).toBeNull();
    expect(constructed[0]![1]).toBeUndefined();
    expect(constructed[0]![2]).toBe(wss.options);
  });

  it('options changed on a live server -> apply to the next handshake', async () => {
    const wss = await server();
    wss.options.handleProtocols = () => 'changed';
    wss.options.path = '/changed';
    wss.options.maxPayload = 5;
    wss.options.perMessageDeflate = {};
    const connection = next(wss, 'connection');
    const headers = { 'Sec-WebSocket-Protocol': 'a', 'Sec-WebSocket-Extensions': 'permessage-deflate' };
    const peer = await connectRaw(portOf(wss), { path: '/changed', headers });
    expect(peer.head.headers['sec-websocket-protocol']).toBe('changed');
    expect(peer.head.headers['sec-websocket-extensions']).toBe('permessage-deflate');
    const [socket] = await connection;
    const failed = next(socket, 'error');
    peer.send({ opcode: 1, payload: '123456' });
    expect((await failed)[0].code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    expect(await exchange(portOf(wss), upgradeRequest())).toMatch(/^HTTP\/1\.1 400 /);
  });

  it.each<[string, unknown, string | undefined, string | undefined]>([
    ['no option, no offer', undefined, undefined, undefined],
    ['no option', undefined, 'b, a', 'b'],
    ['a function that chooses', () => 'a', 'b, a', 'a'],
    ['a function that returns false', () => false, 'b, a', undefined],
    ['a function that returns an empty string', () => '', 'b, a', undefined],
    ['a function that invents', () => 'invented', 'b, a', 'invented'],
  ])(
    'handleProtocols is %s -> Sec-WebSocket-Protocol of the response',
    async (_case, handleProtocols, offer, chosen) => {
      const options = handleProtocols === undefined ? {} : { handleProtocols };
      const { socket, peer } = await rawClient(options, { headers: { 'Sec-WebSocket-Protocol': offer } });
      expect(peer.head.headers['sec-websocket-protocol']).toBe(chosen);
      expect(socket.protocol).toBe(chosen ?? '');
    },
  );

  it('handleProtocols is called as a method of wss.options', async () => {
    const receivers: unknown[] = [];
    const { wss } = await rawClient(
      {
        handleProtocols(this: unknown) {
          receivers.push(this);
          return 'a';
        },
      },
      { headers: { 'Sec-WebSocket-Protocol': 'a' } },
    );
    expect(receivers).toHaveLength(1);
    expect(receivers[0]).toBe(wss.options);
  });

  it('handleProtocols chooses what is no token', () => {
    const wss = new WebSocket.WebSocketServer({ noServer: true, handleProtocols: () => 'a b' });
    const [near, far] = duplexPair();
    const headers = {
      ...{ host: 'localhost', upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-protocol': 'a' },
      ...{ 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' },
    };
    const upgrade = () =>
      wss.handleUpgrade({ method: 'GET', url: '/', headers, socket: near }, near, Buffer.alloc(0), () => {});
    const check = differs(implementation, 'subprotocol-token', {
      ws: () => {
        upgrade();
        expect(String(far.read())).toContain('\r\nSec-WebSocket-Protocol: a b\r\n');
      },
      hawser: () => {
        upgrade();
        expect(String(far.read())).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
      },
    });
    check();
  });

  it('maxPayload undefined', () => {
    const { options } = new WebSocket.WebSocketServer({ noServer: true, maxPayload: undefined });
    expect(options.maxPayload).toBe(
      differs(implementation, 'undefined-limit', { ws: undefined, hawser: 104_857_600 }),
    );
  });

  it('handleProtocols -> is called with a Set in the order of the offer and the request, only for an offer', async () => {
    const calls: unknown[][] = [];
    const handleProtocols = (...args: unknown[]) => {
      calls.push(args);
      return false;
    };
    const { wss, req } = await rawClient(
      { handleProtocols },
      { headers: { 'Sec-WebSocket-Protocol': 'b,a' } },
    );
    expect(calls).toHaveLength(1);
    expect(calls[0]![0]).toEqual(new Set(['b', 'a']));
    expect([...(calls[0]![0] as Set<string>)]).toEqual(['b', 'a']);
    expect(calls[0]![1]).toBe(req);
    await next(client(urlOf(wss)), 'open');
    expect(calls).toHaveLength(1);
  });
});
