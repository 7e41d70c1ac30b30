// Others that speak MCP over WebSocket: the client transport of SDK 1.x on several WebSockets, clients and servers that know no
// subprotocols, servers that take the first they are offered, and ids that are strings.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { WebSocketClientTransport as SdkTransport } from '@modelcontextprotocol/sdk/client/websocket.js';
import { WebSocket as Undici } from 'undici';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket as Ws, WebSocketServer as WsServer } from 'ws';
import type { WebSocketClass } from '../../src/agent/socket-link.js';
import { WebSocketClientTransport, WebSocketServerTransport } from '../../src/mcp/index.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import { type McpScene, setScene } from '../support/mcp-scene.js';
import { CLIENTS } from './mcp/clients.js';
import { INFO, Journal, SERVERS, server1 } from './mcp/servers.js';

const CLASSES = Object.entries({ hawser: WebSocket, ws: Ws, undici: Undici }) as unknown as [
  string,
  WebSocketClass,
][];

let scene: McpScene;
const disposals: (() => unknown)[] = [];

afterEach(async () => {
  vi.unstubAllGlobals();
  for (const dispose of disposals.splice(0).reverse()) await dispose();
});

async function serve(server = 'SDK 1.32'): Promise<Journal> {
  const journal = new Journal();
  scene = await setScene(SERVERS[server]!(journal));
  disposals.push(() => scene.close());
  return journal;
}

describe.each(CLASSES)('%s', (_name, WebSocketClass) => {
  it("SDK 1.x's own transport, at serveMcp", async () => {
    await serve();
    vi.stubGlobal('WebSocket', WebSocketClass);
    const client = new Client(INFO);
    await client.connect(new SdkTransport(new URL(scene.url)));
    const result = await client.callTool({ name: 'add', arguments: { a: 1, b: 2 } });
    expect(result.content).toEqual([{ type: 'text', text: '3' }]);
    expect(scene.endpoint.stats().plain).toBe(1);
    await client.close();
  });

  it.each([true, false])('our client on it, resume: %s', async (resume) => {
    await serve('SDK 2.4, serveStdio');
    const client = CLIENTS['SDK 2.4, pinned']!();
    await client.connect(scene.dial({ WebSocket: WebSocketClass, resume }));
    expect(await client.call('add', { a: 1, b: 2 })).toBe('3');
    if (resume) scene.proxy.cutAll();
    expect(await client.call('slow', { steps: 2, stepMs: 5 })).toBe('2 steps');
    expect(scene.endpoint.stats()).toMatchObject(
      resume ? { attached: 1, resumed: 1, plain: 0 } : { plain: 1 },
    );
    await client.close();
  });
});

describe.each(['SDK 1.32', 'SDK 2.4, connect', 'SDK 2.4, serveStdio'])(
  '%s server, a client by hand',
  (server) => {
    it.each([{ offered: [] }, { offered: ['mcp'] }])(
      'offers $offered -> plain; ids that are strings',
      async ({ offered }) => {
        await serve(server);
        const socket = new Ws(scene.url, offered);
        await once(socket, 'open');
        expect(socket.protocol).toBe(offered[0] ?? '');
        const ask = async (id: string, method: string, params: object): Promise<unknown> => {
          socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
          const [data] = await once(socket, 'message');
          return JSON.parse(String(data));
        };
        const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: INFO };
        expect(await ask('first', 'initialize', initialize)).toMatchObject({
          id: 'first',
          result: { protocolVersion: '2025-06-18' },
        });
        socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
        expect(await ask('2', 'tools/call', { name: 'add', arguments: { a: 1, b: 2 } })).toMatchObject({
          id: '2',
          result: { content: [{ text: '3' }] },
        });
        socket.close();
        await once(socket, 'close');
      },
    );

    it('offers only what nobody knows -> 400', async () => {
      await serve(server);
      const socket = new Ws(scene.url, ['soap']);
      const [, response] = await once(socket, 'unexpected-response');
      expect(response.statusCode).toBe(400);
      socket.on('error', () => {}).terminate();
    });
  },
);

describe.each(Object.entries({ hawser: WebSocketServer, ws: WsServer }))(
  'a %s server with an SDK on it',
  (_name, Server) => {
    /** @returns its address */
    async function listen(options: object = {}): Promise<string> {
      const server = http.createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const webSocketServer = new (Server as typeof WsServer)({ server, ...options });
      webSocketServer.on('connection', (socket, request) => {
        server1(new Journal()).connect(new WebSocketServerTransport(socket, { request }));
      });
      disposals.push(() => {
        for (const socket of webSocketServer.clients) socket.terminate();
        webSocketServer.close();
        server.close();
      });
      return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    }

    it.each([
      ['that takes the first subprotocol', {}],
      ['that takes none', { handleProtocols: () => false }],
    ])('%s -> a plain connection', async (_which, options) => {
      const url = await listen(options);
      for (const WebSocketClass of [WebSocket, Ws]) {
        const client = CLIENTS['SDK 1.32']!();
        const transport = new WebSocketClientTransport(url, {
          WebSocket: WebSocketClass as unknown as WebSocketClass,
        });
        await client.connect(transport);
        expect(await client.call('add', { a: 1, b: 2 })).toBe('3');
        await client.close();
        expect(transport.isOver).toBe(true);
      }
    });

    it('that takes none, and a WebSocket that does not say why it failed -> with subprotocols: []', async () => {
      const url = await listen({ handleProtocols: () => false });
      const WebSocketClass = Undici as unknown as WebSocketClass;
      const failing = new WebSocketClientTransport(url, { WebSocket: WebSocketClass });
      await expect(failing.start()).rejects.toThrow('the connection failed');
      const client = CLIENTS['SDK 1.32']!();
      await client.connect(
        new WebSocketClientTransport(url, { WebSocket: WebSocketClass, subprotocols: [] }),
      );
      expect(await client.call('add', { a: 1, b: 2 })).toBe('3');
      await client.close();
    });
  },
);
