// RFC 6455 §4.1 up to the request, and §10.6: how a client gets to its server, over TCP, TLS or through a proxy, and what
// becomes of it when it does not. What stands in the request is tested with `protocol/client-handshake.ts`.
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WebSocket } from '../../src/ws/websocket.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import type { Package } from '../behaviour/implementations.js';
import { cast } from '../support/cast.js';
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js';
import { next, thrownBy } from '../support/events.js';
import { RawServer } from '../support/raw-peer.js';

const { atEnd, client, rawServer, server } = cast(
  Object.assign(class extends WebSocket {}, { WebSocketServer }),
);

/** A TCP server for whatever comes; returns its port. */
async function listen(onSocket: (socket: net.Socket) => void): Promise<number> {
  const sockets: net.Socket[] = [];
  const listener = net.createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  atEnd(listener, () => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  return (listener.address() as AddressInfo).port;
}

/** A wss server that sends back what it gets; returns its port. */
async function listenSecurely(): Promise<number> {
  const secure = https.createServer({ cert: CERTIFICATE, key: PRIVATE_KEY });
  atEnd(secure, () => {
    secure.closeAllConnections();
    secure.close();
  });
  secure.listen(0, '127.0.0.1');
  const wss = await server({ server: secure, port: undefined, host: undefined });
  wss.on('connection', (socket: Package) => socket.on('message', (data: Buffer) => socket.send(data)));
  return (secure.address() as AddressInfo).port;
}

/** Types of the TLS records that `bytes` consist of; fails where they are anything else. */
function tlsRecordTypes(bytes: Buffer): Set<number> {
  const types = new Set<number>();
  for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
    expect([0x0301, 0x0303]).toContain(bytes.readUInt16BE(at + 1));
    types.add(bytes[at]!);
  }
  return types;
}

const HANDSHAKE = 22;
const APPLICATION_DATA = 23;

describe('TCP', () => {
  it('[RFC6455-4.1-2] [RFC6455-4.1-8] [RFC6455-4.1-15] client, a server that says nothing -> it gets one request, unasked', async () => {
    let arrive: (bytes: Buffer) => void;
    const arrived = new Promise<Buffer>((resolve) => {
      arrive = resolve;
    });
    const sockets: net.Socket[] = [];
    const port = await listen((socket) => {
      sockets.push(socket);
      socket.once('data', (bytes) => arrive(bytes));
    });
    const socket = client(`ws://127.0.0.1:${port}/chat`);
    const text = String(await arrived);
    expect(text).toMatch(/^GET \/chat HTTP\/1\.1\r\n/);
    expect(text.indexOf('\r\n\r\n')).toBe(text.length - 4);
    expect(sockets).toHaveLength(1);
    expect(socket.readyState).toBe(0);
  });

  it('[RFC6455-4.1-33] client, send() and ping() before the response -> thrown, only the request is sent', async () => {
    const raw = await rawServer(() => null);
    const socket = client(raw.url);
    expect(thrownBy(() => socket.send('early')).message).toMatch(/CONNECTING/);
    expect(thrownBy(() => socket.ping()).message).toMatch(/CONNECTING/);
    while (raw.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const [accepted] = raw.sockets;
    const rest: Buffer[] = [];
    accepted!.on('data', (bytes: Buffer) => rest.push(bytes));
    const closed = next(accepted!, 'close');
    socket.terminate();
    accepted!.end();
    await closed;
    expect(rest).toEqual([]);
  });

  it('[RFC6455-4.1-10] client, nobody listens -> error, 1006, not clean', async () => {
    const raw = await RawServer.listen();
    const { url } = raw;
    await raw.close();
    const socket = client(url);
    const error = next(socket, 'error');
    const [code] = await next(socket, 'close');
    expect((await error)[0].code).toBe('ECONNREFUSED');
    expect([code, socket.wasClean]).toEqual([1006, false]);
  });
});

describe('Host', () => {
  it.each([
    ['ws://example.test', 'example.test'],
    ['ws://example.test:80', 'example.test'],
    ['ws://example.test:443', 'example.test:443'],
    ['ws://example.test:8080/x', 'example.test:8080'],
    ['ws://[::1]:9000', '[::1]:9000'],
    ['ws://[::1]', '[::1]'],
  ])('[RFC6455-4.1-19] client, %s -> Host: %s', async (url, host) => {
    const raw = await rawServer();
    const socket = client(url, { createConnection: () => net.connect(raw.port, '127.0.0.1') });
    await next(socket, 'open');
    expect(raw.requests[0]!.headers.host).toBe(host);
  });

  it('[RFC6455-4.1-19] client, wss -> Host without port 443, with any other', async () => {
    const raw = await rawServer();
    for (const port of ['', ':443', ':80']) {
      const createConnection = () => net.connect(raw.port, '127.0.0.1');
      await next(client(`wss://example.test${port}`, { createConnection }), 'open');
    }
    expect(raw.requests.map(({ headers }) => headers.host)).toEqual([
      'example.test',
      'example.test',
      'example.test:80',
    ]);
  });
});

describe('proxy', () => {
  /** Asks a proxy for the connection, as agents that users bring do. */
  class ProxyAgent extends http.Agent {
    readonly #port: number;

    constructor(port: number) {
      super();
      this.#port = port;
    }

    override createConnection(
      { host, port }: http.ClientRequestArgs,
      callback?: (error: Error | null, stream: Duplex) => void,
    ): Duplex | null | undefined {
      const request = http.request({
        port: this.#port,
        host: '127.0.0.1',
        method: 'CONNECT',
        path: `${host}:${port}`,
      });
      request.on('connect', (response, socket) =>
        callback?.(response.statusCode === 200 ? null : new Error('The proxy refuses'), socket),
      );
      request.end();
      return undefined;
    }
  }

  it('[RFC6455-4.1-7] client with the agent of a proxy -> CONNECT to host and port, then the request through it', async () => {
    const raw = await rawServer();
    const asked: (string | undefined)[] = [];
    const proxy = http.createServer().on('connect', (request, socket: Duplex) => {
      asked.push(request.url);
      const onward = net.connect(raw.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      for (const end of [socket, onward]) end.on('error', () => {});
    });
    atEnd(proxy, () => proxy.close());
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const agent = new ProxyAgent((proxy.address() as AddressInfo).port);
    const socket = client('ws://example.test:8080/chat', { agent });
    await next(socket, 'open');
    expect(asked).toEqual(['example.test:8080']);
    expect(raw.requests[0]!.startLine).toBe('GET /chat HTTP/1.1');
  });

  it('[RFC6455-4.1-10] client, the proxy refuses -> error, 1006, no request', async () => {
    const raw = await rawServer();
    const proxy = http.createServer().on('connect', (_request, socket: Duplex) => {
      socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
    });
    atEnd(proxy, () => proxy.close());
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const agent = new ProxyAgent((proxy.address() as AddressInfo).port);
    const socket = client(raw.url, { agent });
    const error = next(socket, 'error');
    const [code] = await next(socket, 'close');
    expect([(await error)[0].message, code]).toEqual(['The proxy refuses', 1006]);
    expect(raw.requests).toEqual([]);
  });
});

describe('TLS', () => {
  it('[RFC6455-4.1-11] client, wss to a listener without TLS -> a ClientHello, no request', async () => {
    let arrive: (bytes: Buffer) => void;
    const arrived = new Promise<Buffer>((resolve) => {
      arrive = resolve;
    });
    const port = await listen((socket) => {
      socket.once('data', (bytes) => {
        arrive(bytes);
        socket.end();
      });
    });
    const socket = client(`wss://127.0.0.1:${port}`);
    const [code] = await next(socket, 'close');
    const bytes = await arrived;
    expect(tlsRecordTypes(bytes)).toEqual(new Set([HANDSHAKE]));
    expect(code).toBe(1006);
  });

  it('[RFC6455-4.1-13] [RFC6455-10.6-1] [RFC6455-4.2.2-2] both roles, wss -> every byte either way is in TLS records', async () => {
    const securePort = await listenSecurely();
    const seen = { there: [] as Buffer[], back: [] as Buffer[] };
    const port = await listen((socket) => {
      const onward = net.connect(securePort, '127.0.0.1');
      onward.on('error', () => {});
      socket.on('data', (bytes: Buffer) => seen.there.push(bytes));
      onward.on('data', (bytes: Buffer) => seen.back.push(bytes));
      socket.pipe(onward).pipe(socket);
    });
    const socket = client(`wss://127.0.0.1:${port}`, { ca: CERTIFICATE });
    await next(socket, 'open');
    socket.send('is this secret?');
    const [data] = await next(socket, 'message');
    socket.close();
    await next(socket, 'close');
    expect(String(data)).toBe('is this secret?');
    for (const bytes of [Buffer.concat(seen.there), Buffer.concat(seen.back)]) {
      const types = tlsRecordTypes(bytes);
      expect([types.has(HANDSHAKE), types.has(APPLICATION_DATA)]).toEqual([true, true]);
      expect(bytes.includes('websocket') || bytes.includes('secret')).toBe(false);
    }
  });

  it('[RFC6455-4.2.2-2] server, a request without TLS on its TLS port -> no answer to it', async () => {
    const port = await listenSecurely();
    const socket = client(`ws://127.0.0.1:${port}`);
    const error = next(socket, 'error');
    const [code] = await next(socket, 'close');
    expect((await error)[0]).toBeInstanceOf(Error);
    expect(code).toBe(1006);
  });
});
