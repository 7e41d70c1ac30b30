// The options of a client: what goes into the request, what is passed on to node:http, what is ignored.
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { expect, it } from 'vitest';
import { cast } from '../support/cast.js';
import { next, record, thrownBy } from '../support/events.js';
import { acceptingResponse, type Head, type RawServer } from '../support/raw-peer.js';
import { silentAgent } from '../support/silent-agent.js';
import { behaviour } from './implementations.js';

behaviour('client options', ({ ws: WebSocket }) => {
  const { client, rawServer } = cast(WebSocket);

  /** Connects to a raw server under an invented name, and returns the request that it saw. */
  async function requestOf(address: string, options: object = {}): Promise<Head> {
    const raw = await rawServer();
    await next(client(address, { createConnection: connectTo(raw), ...options }), 'open');
    return raw.requests[0]!;
  }

  it('no options -> a request with exactly these headers', async () => {
    const request = await requestOf('ws://example.test/path?query');
    expect(request.startLine).toBe('GET /path?query HTTP/1.1');
    expect(request.lines.map((line) => line.replace(/Key: [A-Za-z0-9+/]{22}==$/, 'Key: *')).sort()).toEqual([
      'Connection: Upgrade',
      'Host: example.test',
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
      'Sec-WebSocket-Key: *',
      'Sec-WebSocket-Version: 13',
      'Upgrade: websocket',
    ]);
  });

  it('two connections -> two keys of 16 bytes', async () => {
    const keys = [
      (await requestOf('ws://example.test')).headers['sec-websocket-key']!,
      (await requestOf('ws://example.test')).headers['sec-websocket-key']!,
    ];
    expect(new Set(keys).size).toBe(2);
    for (const key of keys) expect(Buffer.from(key, 'base64')).toHaveLength(16);
  });

  it.each([
    ['ws://example.test', 'example.test'],
    ['ws://example.test:80', 'example.test'],
    ['ws://example.test:8080', 'example.test:8080'],
    ['ws://[::1]:8080', '[::1]:8080'],
    ['wss://example.test', 'example.test'],
    ['wss://example.test:443', 'example.test'],
    ['wss://example.test:80', 'example.test:80'],
  ])('address %s -> Host is %s', async (address, host) => {
    expect((await requestOf(address)).headers.host).toBe(host);
  });

  it('headers -> sent, and Host can be replaced', async () => {
    const request = await requestOf('ws://example.test', {
      headers: { 'X-Mine': 'yes', host: 'other.test' },
    });
    expect(request.lines).toContain('X-Mine: yes');
    expect(request.headers.host).toBe('other.test');
  });

  it('headers of the handshake itself -> cannot be replaced', async () => {
    const request = await requestOf('ws://example.test', {
      headers: {
        Upgrade: 'foo',
        Connection: 'close',
        'Sec-WebSocket-Version': '7',
        'Sec-WebSocket-Key': 'x',
      },
    });
    expect(request.headers).toMatchObject({
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
    });
    expect(request.headers['sec-websocket-key']).not.toBe('x');
  });

  it('the options and headers objects of the caller are not changed', async () => {
    const options = Object.freeze({
      headers: Object.freeze({ 'X-Mine': 'yes' }),
      origin: 'x',
      perMessageDeflate: Object.freeze({}),
    });
    const raw = await rawServer();
    await next(client(raw.url, options), 'open');
    expect(options).toEqual({ headers: { 'X-Mine': 'yes' }, origin: 'x', perMessageDeflate: {} });
  });

  it.each<[object, Record<string, string | undefined>]>([
    [{}, { origin: undefined, 'sec-websocket-origin': undefined }],
    [
      { origin: 'https://example.test' },
      { origin: 'https://example.test', 'sec-websocket-origin': undefined },
    ],
    [
      { origin: 'https://example.test', protocolVersion: 8 },
      { origin: undefined, 'sec-websocket-origin': 'https://example.test' },
    ],
  ])('%j -> origin headers', async (options, expected) => {
    const { headers } = await requestOf('ws://example.test', options);
    for (const [name, value] of Object.entries(expected)) expect(headers[name], name).toBe(value);
  });

  it.each([8, 13])('protocolVersion %i -> that Sec-WebSocket-Version', async (protocolVersion) => {
    const { headers } = await requestOf('ws://example.test', { protocolVersion });
    expect(headers['sec-websocket-version']).toBe(String(protocolVersion));
  });

  it.each([1000, 12, '13', null])('protocolVersion %j -> RangeError', (protocolVersion) => {
    const error = thrownBy(() => new WebSocket('ws://127.0.0.1', { protocolVersion }));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toBe(
      `Unsupported protocol version: ${protocolVersion} (supported versions: 8, 13)`,
    );
  });

  it.each<[unknown, string | undefined]>([
    [true, 'permessage-deflate; client_max_window_bits'],
    [{}, 'permessage-deflate; client_max_window_bits'],
    [false, undefined],
    [{ clientMaxWindowBits: false }, 'permessage-deflate'],
    [{ clientMaxWindowBits: true }, 'permessage-deflate; client_max_window_bits'],
    [{ clientMaxWindowBits: 10 }, 'permessage-deflate; client_max_window_bits=10'],
    [{ serverMaxWindowBits: 9 }, 'permessage-deflate; server_max_window_bits=9; client_max_window_bits'],
    [
      { serverNoContextTakeover: true },
      'permessage-deflate; server_no_context_takeover; client_max_window_bits',
    ],
    [
      {
        clientNoContextTakeover: true,
        serverNoContextTakeover: true,
        serverMaxWindowBits: 12,
        clientMaxWindowBits: 11,
      },
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; client_max_window_bits=11',
    ],
    [{ threshold: 5, concurrencyLimit: 3 }, 'permessage-deflate; client_max_window_bits'],
  ])('perMessageDeflate %j -> that offer', async (perMessageDeflate, offer) => {
    const { headers } = await requestOf('ws://example.test', { perMessageDeflate });
    expect(headers['sec-websocket-extensions']).toBe(offer);
  });

  it('hostname, host, port, path, method, protocol, socketPath and timeout -> ignored, the URL decides', async () => {
    const raw = await rawServer();
    const ignored = {
      ...{ hostname: '192.0.2.1', host: '192.0.2.2', port: 1, path: '/other', method: 'POST' },
      ...{ protocol: 'https:', socketPath: '/nonexistent.sock', timeout: 1 },
    };
    const agent = silentAgent();
    client(`${raw.url}/path`, { ...ignored, agent });
    expect(agent.asked[0]).toMatchObject({
      host: '127.0.0.1',
      port: String(raw.port),
      path: '/path',
      method: 'GET',
    });
    expect(agent.asked[0]!.socketPath ?? undefined).toBeUndefined();
    expect(agent.asked[0]!.timeout).toBeUndefined();

    await next(client(`${raw.url}/path`, ignored), 'open');
    expect(raw.requests[0]!.startLine).toBe('GET /path HTTP/1.1');
    expect(raw.requests[0]!.headers.host).toBe(`127.0.0.1:${raw.port}`);
  });

  it('unknown options -> passed on to node:http and from there to the agent', () => {
    const agent = silentAgent();
    client('ws://127.0.0.1', {
      agent,
      family: 4,
      localAddress: '127.0.0.1',
      keepAlive: true,
      somethingElse: 'x',
    });
    expect(agent.asked[0]).toMatchObject({
      family: 4,
      localAddress: '127.0.0.1',
      keepAlive: true,
      somethingElse: 'x',
    });
  });

  it('lookup -> resolves the name', async () => {
    const raw = await rawServer();
    await next(client(`ws://invented.test:${raw.port}`, { lookup: toLoopback }), 'open');
    expect(raw.requests[0]!.headers.host).toBe(`invented.test:${raw.port}`);
  });

  it('localAddress -> the connection comes from there', async () => {
    const raw = await rawServer();
    await next(client(raw.url, { localAddress: '127.0.0.2' }), 'open');
    expect(raw.sockets[0]!.remoteAddress).toBe('127.0.0.2');
  });

  it('createConnection -> makes the socket, and is told host and port', async () => {
    const raw = await rawServer();
    const asked: net.TcpNetConnectOpts[] = [];
    const createConnection = (options: net.TcpNetConnectOpts) => {
      asked.push(options);
      return net.connect(raw.port, '127.0.0.1');
    };
    await next(client('ws://example.test:1234', { createConnection }), 'open');
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ host: 'example.test', port: '1234' });
  });

  it.each<[string, (raw: RawServer) => unknown]>([
    ['false', () => false],
    ['one that keeps connections', () => new http.Agent({ keepAlive: true })],
    [
      'one that makes its own connections',
      (raw) =>
        Object.assign(new http.Agent(), { createConnection: () => net.connect(raw.port, '127.0.0.1') }),
    ],
  ])('agent is %s -> it gives the socket', async (_case, make) => {
    const raw = await rawServer();
    const agent = make(raw);
    await next(client(raw.url, { agent }), 'open');
    expect(raw.requests).toHaveLength(1);
    if (agent instanceof http.Agent) agent.destroy();
  });

  it('setHost false -> no Host header', async () => {
    expect((await requestOf('ws://example.test', { setHost: false })).headers.host).toBeUndefined();
  });

  it('signal, aborted while CONNECTING -> AbortError, then close 1006', async () => {
    const raw = await rawServer(() => null);
    const controller = new AbortController();
    const socket = client(raw.url, { signal: controller.signal });
    const log = record(socket, 'error', 'close');
    setImmediate(() => controller.abort());
    await next(socket, 'close');
    expect(log).toEqual([
      ['error', expect.objectContaining({ name: 'AbortError', code: 'ABORT_ERR' })],
      ['close', 1006, Buffer.alloc(0)],
    ]);
  });

  it('the Sec-WebSocket-Protocol of several protocols -> joined with a comma alone', async () => {
    const raw = await rawServer((request) => acceptingResponse(request, { 'Sec-WebSocket-Protocol': 'b' }));
    const socket = client(raw.url, ['a', 'b', `c-${randomUUID()}`]);
    await next(socket, 'open');
    expect(raw.requests[0]!.headers['sec-websocket-protocol']).toMatch(/^a,b,c-[0-9a-f-]+$/);
    expect(socket.protocol).toBe('b');
  });
});

function connectTo(raw: RawServer): () => net.Socket {
  return () => net.connect(raw.port, '127.0.0.1');
}

function toLoopback(_name: string, options: { all?: boolean }, done: (...answer: unknown[]) => void): void {
  if (options.all) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
}
