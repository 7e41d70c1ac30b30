// Links of real WebSockets: hawser's own at both ends, `ws`, undici's with the standard's face; and of a class that only
// notes how it is called.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocket as Undici } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket as Ws } from 'ws';
import type { Connect, ConnectRequest, Data, Link, LinkEnd } from '../../src/agent/link.js';
import {
  connectWith,
  linkOf,
  type NodeWebSocket,
  type StandardWebSocket,
  type WebSocketClass,
} from '../../src/agent/socket-link.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import { until } from '../support/tcp.js';

const LARGE = 2 ** 20;

let server: http.Server;
let webSocketServer: WebSocketServer;
let url: string;

beforeEach(async () => {
  server = http.createServer((_request, response) => response.writeHead(404).end());
  webSocketServer = new WebSocketServer({ server });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterEach(async () => {
  await webSocketServer.close({ timeoutMs: 0 });
  server.closeAllConnections();
  server.close();
});

const requestTo = (change: Partial<ConnectRequest> = {}): ConnectRequest => ({
  url,
  subprotocols: ['hawser.v1'],
  headers: {},
  timeoutMs: 5000,
  maxPayload: LARGE,
  ...change,
});

/** Notes what happens on a link. */
function listen(link: Link) {
  const heard = { link, isOpen: false, messages: [] as Data[], drains: 0, ends: [] as LinkEnd[] };
  link.handler = {
    onOpen: () => {
      heard.isOpen = true;
    },
    onMessage: (data) => heard.messages.push(data),
    onDrain: () => {
      heard.drains++;
    },
    onEnd: (end) => heard.ends.push(end),
  };
  return heard;
}

/** Both ends of a connection, open. */
async function openPair(connect: Connect, change?: Partial<ConnectRequest>) {
  const accepted = once(webSocketServer, 'connection');
  const client = listen(connect(requestTo(change)));
  const [socket, request] = await accepted;
  const peer = listen(linkOf(socket as NodeWebSocket));
  await until(() => client.isOpen);
  return { client, peer, request: request as http.IncomingMessage };
}

const CLASSES = [
  ['hawser', WebSocket],
  ['ws', Ws],
  ['undici', Undici],
] as unknown as [name: string, WebSocketClass][];

describe.each(CLASSES)('%s', (name, WebSocketClass) => {
  const connect = connectWith(WebSocketClass);

  it('whole messages both ways, text and bytes, of any size', async () => {
    const { client, peer } = await openPair(connect);
    const messages = ['', 'é\u0001', Uint8Array.of(1, 2), new Uint8Array(100_000).fill(7)];
    for (const data of messages) {
      client.link.send(data);
      peer.link.send(data);
    }
    await until(() => client.messages.length === 4 && peer.messages.length === 4);
    for (const { messages: heard } of [client, peer]) {
      expect(heard.slice(0, 2)).toEqual(messages.slice(0, 2));
      for (const i of [2, 3])
        expect(Buffer.compare(heard[i] as Uint8Array, messages[i] as Uint8Array)).toBe(0);
    }
  });

  it('asks for the subprotocol, and brings headers', async () => {
    const { request } = await openPair(connect, { headers: { Authorization: 'Bearer x' } });
    expect(request.headers).toMatchObject({
      authorization: 'Bearer x',
      'sec-websocket-protocol': 'hawser.v1',
    });
  });

  it('knows which subprotocol the server picked', async () => {
    const { client, peer } = await openPair(connect, { subprotocols: ['b', 'a'] });
    expect([client.link.subprotocol, peer.link.subprotocol]).toEqual(['b', 'b']);
    const none = await openPair(connect, { subprotocols: [] });
    expect([none.client.link.subprotocol, none.peer.link.subprotocol]).toEqual(['', '']);
  });

  it('activity changes with what comes', async () => {
    const { client, peer } = await openPair(connect);
    const before = client.link.activity;
    peer.link.send('a');
    await until(() => client.messages.length === 1);
    expect(client.link.activity).not.toBe(before);
  });

  it('a closing handshake: both ends learn the code, once', async () => {
    const { client, peer } = await openPair(connect);
    client.link.close(4400, 'why');
    await until(() => client.ends.length + peer.ends.length === 2);
    expect(peer.ends).toEqual([{ code: 4400, reason: 'why' }]);
    expect(client.ends).toMatchObject([{ code: 4400 }]);
  });

  it('released: nothing is heard any more, and the peer learns that the connection is gone', async () => {
    const { client, peer } = await openPair(connect);
    peer.link.send('late');
    client.link.release();
    await until(() => peer.ends.length === 1);
    expect([client.messages, client.ends]).toEqual([[], []]);
  });

  it('nobody listens there -> ended with 1006', async () => {
    const { port } = server.address() as AddressInfo;
    server.close();
    const client = listen(connect(requestTo({ url: `ws://127.0.0.1:${port}/` })));
    await until(() => client.ends.length > 0);
    expect(client.ends).toMatchObject([{ code: 1006 }]);
    expect(client.ends[0]!.error === undefined).toBe(name === 'undici');
  });

  it('an address that cannot be -> throws', () => {
    expect(() => connect(requestTo({ url: 'no url' }))).toThrow();
  });
});

describe('the face of ws', () => {
  const connect = connectWith(WebSocket as unknown as WebSocketClass);

  it.each([
    [401, undefined, undefined],
    [403, undefined, undefined],
    [503, '2', 2000],
    [429, 'nonsense', undefined],
  ])('refused with HTTP %d, Retry-After %s -> told', async (status, retryAfter, retryAfterMs) => {
    server.removeAllListeners('upgrade');
    server.on('upgrade', (_request, socket: Socket) => {
      const header = retryAfter === undefined ? '' : `Retry-After: ${retryAfter}\r\n`;
      socket.end(`HTTP/1.1 ${status} No\r\n${header}Content-Length: 0\r\n\r\n`);
    });
    const client = listen(connect(requestTo()));
    await until(() => client.ends.length > 0);
    expect(client.ends).toMatchObject([{ code: 1006, status }]);
    expect(client.ends[0]!.retryAfterMs).toBe(retryAfterMs);
  });

  it('a message larger than allowed -> 1009', async () => {
    const { client, peer } = await openPair(connect, { maxPayload: 10 });
    peer.link.send('x'.repeat(11));
    await until(() => client.ends.length > 0);
    expect(client.messages).toEqual([]);
    expect(client.ends).toMatchObject([{ code: 1009 }]);
  });

  it('a protocol Ping, and the Pong counts as activity', async () => {
    const { client } = await openPair(connect);
    const before = client.link.activity;
    client.link.ping!();
    await until(() => client.link.activity !== before);
    expect(client.messages).toEqual([]);
  });

  it('small bytes that are changed right after send() -> sent as they were, also when the connection holds much', async () => {
    const { client, peer } = await openPair(connect);
    for (const { link } of [client, peer]) {
      // More than the kernel takes at once.
      for (let i = 0; i < 16; i++) link.send(new Uint8Array(LARGE / 2));
      const small = new Uint8Array(4096).fill(1);
      link.send(small);
      expect(link.bufferedAmount).toBeGreaterThan(4096);
      small.fill(2);
    }
    await until(() => peer.messages.length === 17 && client.messages.length === 17);
    for (const { messages } of [client, peer]) {
      expect(Buffer.compare(messages[16] as Uint8Array, new Uint8Array(4096).fill(1))).toBe(0);
    }
  });

  it('tells when what was held has left', async () => {
    const { client, peer } = await openPair(connect);
    for (let i = 0; i < 16; i++) client.link.send(new Uint8Array(LARGE / 2));
    expect(client.link.bufferedAmount).toBeGreaterThan(0);
    await until(() => client.drains > 0);
    expect(client.link.bufferedAmount).toBe(0);
    await until(() => peer.messages.length === 16);
  });

  it('options of the class are handed on, but not the largest message of the session', () => {
    const seen: unknown[] = [];
    class Noting extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(null as never);
        seen.push(args);
      }
    }
    connectWith(Noting as unknown as WebSocketClass, { perMessageDeflate: false })(
      requestTo({ headers: { a: 'b' } }),
    );
    const options = {
      perMessageDeflate: false,
      headers: { a: 'b' },
      handshakeTimeout: 5000,
      maxPayload: LARGE,
    };
    expect(seen).toEqual([[url, ['hawser.v1'], options]]);
  });
});

describe('the face of the standard', () => {
  it('no protocol Pings; what is held is told', async () => {
    const { client } = await openPair(connectWith(Undici as unknown as WebSocketClass));
    expect(client.link.ping).toBeUndefined();
    expect(client.link.bufferedAmount).toBe(0);
  });

  it('an error and nothing else before it was open -> ended; later only the close counts; once in any case', () => {
    const socket = {
      binaryType: '',
      bufferedAmount: 0,
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
    };
    const face = (): Record<string, (event?: object) => void> => ({ ...(socket as object) });
    const failed = listen(linkOf(socket as unknown as StandardWebSocket));
    face().onerror!();
    expect(failed.ends).toHaveLength(1);
    face().onclose!({ code: 1006, reason: '' });
    expect(failed.ends).toEqual([{ code: 1006, reason: '' }]);
    const opened = listen(linkOf(socket as unknown as StandardWebSocket));
    face().onopen!();
    face().onerror!();
    expect(opened.ends).toEqual([]);
    face().onclose!({ code: 1001, reason: '' });
    expect(opened.ends).toEqual([{ code: 1001, reason: '' }]);
  });

  it('in a browser headers cannot be sent -> throws', () => {
    class Browser {}
    const connect = connectWith(Browser as unknown as WebSocketClass);
    const { versions } = process;
    Object.defineProperty(process, 'versions', { value: {}, configurable: true });
    try {
      expect(() => connect(requestTo({ headers: { a: 'b' } }))).toThrow('a browser sends no headers');
    } finally {
      Object.defineProperty(process, 'versions', { value: versions, configurable: true });
    }
  });
});
