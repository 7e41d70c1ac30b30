// /mcp of `hawser serve`, called by the clients of both SDKs, in both eras of the protocol, over sessions and over plain
// connections.

import { Client as CurrentClient } from '@modelcontextprotocol/client';
import { Client as FormerClient } from '@modelcontextprotocol/sdk/client/index.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { debug } from '../../src/agent/index.js';
import { DemoServer } from '../../src/cli/demo-server.js';
import { WebSocketClientTransport } from '../../src/mcp/index.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { next } from '../support/events.js';
import { exchange, upgradeRequest } from '../support/raw-peer.js';

const INFO = { name: 'a test', version: '1.0.0' };

/** What the clients of both SDKs have in common. */
interface Client {
  connect(transport: unknown): Promise<void>;
  getServerVersion(): object | undefined;
  listTools(): Promise<{ tools: { name: string; inputSchema: object }[] }>;
  callTool(...args: unknown[]): Promise<Result>;
  close(): Promise<void>;
}

interface Result {
  content: { type: string; text: string }[];
  structuredContent?: { matches: { file: string }[] };
  isError?: boolean;
}

const CLIENTS: [
  name: string,
  create: () => Client,
  call: (client: Client, request: object, options?: object) => Promise<Result>,
][] = [
  [
    'SDK 1.32',
    () => new FormerClient(INFO) as unknown as Client,
    (client, request, options) => client.callTool(request, undefined, options),
  ],
  ...(['legacy', 'auto', { pin: '2026-07-28' }] as const).map((mode): (typeof CLIENTS)[number] => [
    `SDK 2.4, ${typeof mode === 'string' ? mode : 'pinned'}`,
    () => new CurrentClient(INFO, { versionNegotiation: { mode } }) as unknown as Client,
    (client, request, options) => client.callTool(request, options),
  ]),
];

let server: DemoServer;
let url: string;

beforeEach(async () => {
  server = new DemoServer('127.0.0.1', 50);
  await server.listen(0);
  url = server.url.replace('http', 'ws');
});

afterEach(async () => {
  await server.close();
  expect(debug.active()).toEqual([]);
});

function createTransport(resume: boolean): WebSocketClientTransport {
  return new WebSocketClientTransport(`${url}mcp?watch=me`, {
    resume,
    session: { backoff: { baseMs: 1, capMs: 5 } },
  });
}

/** Cuts the TCP connection of /mcp, as a person does on the page. */
async function drop(): Promise<void> {
  const observer = new WebSocket(`${url}observe?id=me`);
  await next(observer, 'open');
  observer.send(JSON.stringify({ request: 'terminate', path: '/mcp' }));
  observer.close();
}

/** Each once and in order. The SDKs drop progress that comes together with the result, so the last piece may be missing. */
function expectPieces(pieces: string[], text: string): void {
  const words = text.match(/\S+\s*/g)!;
  expect(words.length).toBeGreaterThan(50);
  expect(pieces.length).toBeGreaterThanOrEqual(words.length - 1);
  expect(pieces).toEqual(words.slice(0, pieces.length));
}

describe.each(CLIENTS)('/mcp, %s', (_, create, call) => {
  let client: Client;

  beforeEach(() => {
    client = create();
  });

  afterEach(() => client.close());

  it.each([
    ['hawser.mcp.v1', true],
    ['mcp', false],
  ])('over %s: lists the tools and calls them', async (_, resume) => {
    await client.connect(createTransport(resume));
    expect(client.getServerVersion()).toMatchObject({ name: 'hawser serve' });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['explain', 'search', 'calculate', 'clock']);
    expect(tools[2]!.inputSchema).toMatchObject({ type: 'object', required: ['expression'] });
    expect(await call(client, { name: 'calculate', arguments: { expression: '6 * 7' } })).toMatchObject({
      content: [{ type: 'text', text: '42' }],
    });
    const text = 'as an SDK would have it be';
    const found = await call(client, { name: 'search', arguments: { text, paceMs: 0 } });
    expect(found.structuredContent).toMatchObject({ matches: [], isTruncated: false });
  });

  it('params that do not fit -> a result that says so; a tool that is none -> an error', async () => {
    await client.connect(createTransport(true));
    expect(await call(client, { name: 'calculate', arguments: { expression: '6 *' } })).toMatchObject({
      isError: true,
      content: [{ text: 'a number was expected at position 4' }],
    });
    await expect(call(client, { name: 'constructor', arguments: {} })).rejects.toMatchObject({
      code: -32602,
    });
  });

  it('pieces arrive as progress, and together are the result', async () => {
    await client.connect(createTransport(true));
    const pieces: string[] = [];
    const onprogress = ({ message }: { message: string }) => pieces.push(message);
    const request = { name: 'explain', arguments: { topic: 'frame', paceMs: 0 } };
    const { content } = await call(client, request, { onprogress });
    expect(content[0]!.text).toMatch(/^A WebSocket message travels in frames\. /);
    expectPieces(pieces, content[0]!.text);
  });

  it('a call that is cancelled fails, and the next one is answered', async () => {
    await client.connect(createTransport(true));
    const controller = new AbortController();
    const request = { name: 'search', arguments: { text: 'x', paceMs: 1000 } };
    const onprogress = () => controller.abort('enough');
    await expect(call(client, request, { onprogress, signal: controller.signal })).rejects.toThrow();
    expect(await call(client, { name: 'calculate', arguments: { expression: '1' } })).toMatchObject({
      content: [{ text: '1' }],
    });
  });

  it('the connection is cut in the middle -> the call goes on, and each word arrives once', async () => {
    await client.connect(createTransport(true));
    const pieces: string[] = [];
    const onprogress = ({ message }: { message: string }) => {
      if (pieces.push(message) === 5) drop();
    };
    const request = { name: 'explain', arguments: { topic: 'session', paceMs: 5 } };
    const { content } = await call(client, request, { onprogress });
    expectPieces(pieces, content[0]!.text);
  });
});

describe('/mcp', () => {
  it('[RFC6455-10.2-2] pages of other sites may not connect', async () => {
    const headers = { Origin: 'https://evil.example', 'Sec-WebSocket-Protocol': 'mcp' };
    const port = Number(new URL(server.url).port);
    expect(await exchange(port, upgradeRequest({ path: '/mcp', headers }))).toMatch(/^HTTP\/1.1 403 /);
  });

  it('the server closes while a call is in flight -> it fails, and nothing is left', async () => {
    const client = new CurrentClient(INFO);
    await client.connect(createTransport(false) as never);
    const search = client.callTool({ name: 'search', arguments: { text: 'x', paceMs: 1000 } });
    search.catch(() => {});
    await server.close();
    await expect(search).rejects.toThrow();
    expect(debug.active()).toEqual([]);
  });
});
