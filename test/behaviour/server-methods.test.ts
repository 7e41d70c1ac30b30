// Methods and events of WebSocketServer: handleUpgrade, shouldHandle, completeUpgrade, address, noServer.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { cast, portOf, urlOf } from '../support/cast.js';
import { duplexPair } from '../support/duplex-pair.js';
import { next, thrownBy, turn } from '../support/events.js';
import { closePayload, serializeFrame } from '../support/frames.js';
import { connectRaw, exchange, parseHead, RawPeer, upgradeRequest } from '../support/raw-peer.js';
import { behaviour, type Package } from './implementations.js';

const EMPTY = Buffer.alloc(0);
const MASK = { maskingKey: Buffer.from([1, 2, 3, 4]) };

/** A request as handleUpgrade needs it, for a socket that is no network socket. */
function requestOf(socket: Duplex): object {
  const headers = {
    ...{ host: 'localhost', upgrade: 'websocket', connection: 'Upgrade' },
    ...{ 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' },
  };
  return {
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    headers,
    socket,
  };
}

behaviour('server methods', ({ ws: WebSocket }) => {
  const { atEnd, client, rawClient, server } = cast(WebSocket);
  const noServer = (options: object = {}) => new WebSocket.WebSocketServer({ noServer: true, ...options });

  /** A foreign server that hands its upgrades to `handle`. */
  async function handling(
    handle: (...upgrade: [http.IncomingMessage, Duplex, Buffer]) => void,
  ): Promise<number> {
    const foreign = http.createServer().on('upgrade', handle).listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    atEnd(foreign, () => foreign.close());
    return (foreign.address() as AddressInfo).port;
  }

  it('handleUpgrade -> "headers", response, "open", clients, callback: all before it returns, no "connection"', async () => {
    const order: string[] = [];
    const Base: new (...args: unknown[]) => Package = WebSocket;
    class Watched extends Base {
      constructor(...args: unknown[]) {
        super(...args);
        this.on('open', () => order.push(`open ${wss.clients.size} ${this._socket.bytesWritten > 0}`));
      }
    }
    const wss = noServer({ WebSocket: Watched });
    wss.on('headers', () => order.push('headers'));
    wss.on('connection', () => order.push('connection'));
    const port = await handling((request, socket, head) => {
      const result = wss.handleUpgrade(request, socket, head, (ws: Package, req: unknown) => {
        order.push(`callback ${wss.clients.has(ws)} ${req === request} ${ws.readyState}`);
      });
      order.push(`returned ${result}`);
    });
    const socket = client(`ws://127.0.0.1:${port}`);
    await next(socket, 'open');
    expect(order).toEqual(['headers', 'open 0 true', 'callback true true 1', 'returned undefined']);
  });

  it('handleUpgrade with frames in head -> delivered in a later tick', async () => {
    const wss = noServer();
    const log: string[] = [];
    const port = await handling((request, socket) => {
      const head = serializeFrame({ opcode: 1, payload: 'early', ...MASK });
      wss.handleUpgrade(request, socket, head, (ws: Package) => {
        ws.on('message', (data: Buffer) => log.push(String(data)));
        log.push('callback');
        process.nextTick(() => ws.ping());
      });
      log.push('returned');
    });
    const peer = await connectRaw(port);
    await peer.nextFrame();
    while (log.length < 3) await turn();
    expect(log).toEqual(['callback', 'returned', 'early']);
    peer.socket.destroy();
  });

  it('handleUpgrade with any Duplex -> a WebSocket over it', async () => {
    const wss = noServer();
    const [near, far] = duplexPair();
    const opened: Package[] = [];
    const response = once(far, 'data');
    wss.handleUpgrade(requestOf(near), near, EMPTY, (ws: Package) => opened.push(ws));
    expect(opened).toHaveLength(1);
    const socket = opened[0];
    const [bytes] = (await response) as [Buffer];
    expect(parseHead(String(bytes)).startLine).toBe('HTTP/1.1 101 Switching Protocols');
    expect(socket._socket).toBe(near);

    const peer = new RawPeer(far, parseHead(''), true, EMPTY);
    const message = next(socket, 'message');
    peer.send({ opcode: 1, payload: 'hi' });
    expect(await message).toEqual([Buffer.from('hi'), false]);
    socket.send('back');
    expect(String((await peer.nextFrame()).payload)).toBe('back');
    const closed = next(socket, 'close');
    peer.send({ opcode: 8, payload: closePayload(1000) });
    expect((await peer.nextFrame()).payload).toEqual(closePayload(1000));
    far.end();
    expect(await closed).toEqual([1000, EMPTY]);
  });

  it('a user of noServer emits "connection" with arguments of its own', async () => {
    const wss = noServer();
    const connection = next(wss, 'connection');
    const port = await handling((request, socket, head) => {
      wss.handleUpgrade(request, socket, head, (ws: Package) => wss.emit('connection', ws, request, 'extra'));
    });
    const socket = client(`ws://127.0.0.1:${port}`);
    await next(socket, 'open');
    const [ws, , extra] = await connection;
    expect([ws instanceof WebSocket, extra]).toEqual([true, 'extra']);
  });

  it('two noServer servers behind one foreign server -> each gets its own', async () => {
    const [first, second] = [noServer(), noServer()];
    const port = await handling((request, socket, head) => {
      const wss = request.url === '/first' ? first : second;
      wss.handleUpgrade(request, socket, head, (ws: Package) => ws.send(request.url));
    });
    for (const path of ['/first', '/second']) {
      const [data] = await next(client(`ws://127.0.0.1:${port}${path}`), 'message');
      expect(String(data)).toBe(path);
    }
    expect([first.clients.size, second.clients.size]).toEqual([1, 1]);
  });

  it('shouldHandle -> compares the path', () => {
    const wss = noServer({ path: '/foo' });
    expect(wss.shouldHandle({ url: '/foo' })).toBe(true);
    expect(wss.shouldHandle({ url: '/foo?bar' })).toBe(true);
    expect(wss.shouldHandle({ url: '/bar' })).toBe(false);
    expect(noServer().shouldHandle({ url: '/any' })).toBe(true);
  });

  it('shouldHandle assigned to the instance or overridden in a subclass -> is asked', async () => {
    const Base: new (options: object) => Package = WebSocket.WebSocketServer;
    class Picky extends Base {
      shouldHandle(request: http.IncomingMessage): boolean {
        return request.url === '/yes';
      }
    }
    const wss = await server();
    const asked: unknown[] = [];
    wss.shouldHandle = (request: http.IncomingMessage) => {
      asked.push(request.url);
      return false;
    };
    expect(await exchange(portOf(wss), upgradeRequest({ path: '/x' }))).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\n/,
    );
    expect(asked).toEqual(['/x']);

    const picky: Package = new Picky({ port: 0, host: '127.0.0.1' });
    atEnd(picky, () => picky.close());
    await next(picky, 'listening');
    expect(await exchange(portOf(picky), upgradeRequest({ path: '/no' }))).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\n/,
    );
    const peer = await connectRaw(portOf(picky), { path: '/yes' });
    peer.socket.destroy();
  });

  it('handleUpgrade overridden -> is called for each upgrade of the own server', async () => {
    const Base: new (options: object) => Package = WebSocket.WebSocketServer;
    const urls: unknown[] = [];
    class Watching extends Base {
      handleUpgrade(...args: [http.IncomingMessage, ...unknown[]]): void {
        urls.push(args[0].url);
        super.handleUpgrade(...args);
      }
    }
    const wss: Package = new Watching({ port: 0, host: '127.0.0.1' });
    atEnd(wss, () => wss.close());
    await next(wss, 'listening');
    await next(client(urlOf(wss, '/seen')), 'open');
    expect(urls).toEqual(['/seen']);
  });

  it('completeUpgrade -> is called with what was agreed, and can be overridden', async () => {
    const Base: new (options: object) => Package = WebSocket.WebSocketServer;
    const calls: unknown[][] = [];
    class Watching extends Base {
      completeUpgrade(...args: unknown[]): void {
        calls.push(args);
        super.completeUpgrade(...args);
      }
    }
    const wss: Package = new Watching({ port: 0, host: '127.0.0.1' });
    atEnd(wss, () => wss.close());
    await next(wss, 'listening');
    const connection = next(wss, 'connection');
    const headers = { 'Sec-WebSocket-Protocol': 'a, b' };
    const peer = await connectRaw(portOf(wss), { headers });
    const [ws, req] = await connection;
    const [extensions, key, protocols, request, socket, head, callback] = calls[0]!;
    expect([extensions, key, protocols]).toEqual([{}, 'dGhlIHNhbXBsZSBub25jZQ==', new Set(['a', 'b'])]);
    expect(request).toBe(req);
    expect(socket).toBe(ws._socket);
    expect([head, typeof callback]).toEqual([EMPTY, 'function']);
    peer.socket.destroy();
  });

  it('address() -> of the server; throws in noServer mode; null after close()', async () => {
    const wss = await server();
    expect(wss.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port: expect.any(Number) });
    wss.close();
    expect(wss.address()).toBeNull();
    expect(thrownBy(() => noServer().address()).message).toBe('The server is operating in "noServer" mode');
  });

  it('address() before the server listens -> null', () => {
    const foreign = http.createServer();
    expect(new WebSocket.WebSocketServer({ server: foreign }).address()).toBeNull();
  });

  it('clients -> all open connections, until each is closed', async () => {
    const { wss, socket, peer } = await rawClient();
    const second = client(urlOf(wss));
    const [other] = await next(wss, 'connection');
    expect(wss.clients).toEqual(new Set([socket, other]));
    peer.socket.end();
    await next(socket, 'close');
    expect([...wss.clients]).toEqual([other]);
    other.terminate();
    await next(other, 'close');
    expect(wss.clients.size).toBe(0);
    expect(second).toBeInstanceOf(WebSocket);
  });

  it('clients -> a socket is still in there when its own first "close" listener runs, and gone after', async () => {
    const { wss, socket, peer } = await rawClient();
    const sizes: number[] = [];
    socket.on('close', () => sizes.push(wss.clients.size));
    peer.socket.end();
    await next(socket, 'close');
    expect([...sizes, wss.clients.size]).toEqual([0, 0]);
  });

  it('a socket that fails before the handshake is answered -> no crash', async () => {
    const wss = noServer({
      verifyClient: (_info: object, done: (ok: boolean) => void) => setImmediate(done, true),
    });
    const port = await handling((request, socket, head) => {
      wss.handleUpgrade(request, socket, head, () => {});
      socket.destroy(new Error('broken'));
    });
    const socket = client(`ws://127.0.0.1:${port}`);
    const [error] = await next(socket, 'error');
    expect(error.code).toBe('ECONNRESET');
    await turn();
  });
});
