// `hawser mcp-bridge URL`: a real MCP host that starts it, and real servers over WebSocket.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FaultProxy } from '../../src/cli/fault-proxy.js';
import { type McpConnection, type McpEndpointOptions, serveMcp } from '../../src/mcp/index.js';
import type { WebSocket } from '../../src/ws/websocket.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import { type Program, runHawser, startHawser } from './program.js';

const MAIN = join(process.env.HAWSER_DIST ?? 'dist', 'cli', 'main.js');
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** An MCP server over WebSocket, of SDK 1.x. */
async function serve(options: Partial<McpEndpointOptions> = {}) {
  const http = createServer();
  const connections: McpConnection[] = [];
  let calls = 0;
  const endpoint = serveMcp({
    server: http,
    factory: (connection) => {
      connections.push(connection);
      const server = new McpServer({ name: 'ws-server', version: '1.0.0' });
      server.registerTool('count', {}, async ({ sendNotification }) => {
        const call = ++calls;
        for (let progress = 1; progress <= 30; progress++) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          await sendNotification({ method: 'notifications/count', params: { progress } } as never);
        }
        return { content: [{ type: 'text', text: `call ${call}` }] };
      });
      server.registerTool('ask', {}, async () => {
        const { content } = await server.server.createMessage({
          messages: [{ role: 'user', content: { type: 'text', text: 'who are you?' } }],
          maxTokens: 10,
        });
        return { content: [content as { type: 'text'; text: string }] };
      });
      server.registerTool('hang', {}, () => new Promise(() => {}));
      return server;
    },
    ...options,
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  ends.push(() => endpoint.close().then(() => http.close()));
  const { port } = http.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}/mcp`, port, endpoint, connections };
}

/** A host of SDK 1.x, which starts the bridge. */
async function host(argv: string[], env: Record<string, string> = {}) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, 'mcp-bridge', ...argv],
    env,
    stderr: 'pipe',
  });
  let log = '';
  transport.stderr!.on('data', (chunk) => {
    log += chunk;
  });
  const client = new Client({ name: 'host', version: '1.0.0' }, { capabilities: { sampling: {} } });
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    model: 'none',
    role: 'assistant',
    content: { type: 'text', text: 'a test' },
  }));
  ends.push(() => client.close());
  await client.connect(transport);
  return { client, transport, log: () => log };
}

/**
 * A tool call of a while that tells how far it is. Not as progress: what comes in one piece with the response, the SDK does not
 * tell any more.
 */
async function count(client: Client, onProgress: (progress: number) => void = () => {}) {
  const told: number[] = [];
  client.fallbackNotificationHandler = async ({ params }) => {
    const { progress } = params as { progress: number };
    told.push(progress);
    onProgress(progress);
  };
  const { content } = await client.callTool({ name: 'count', arguments: { to: 30, everyMs: 20 } });
  await vi.waitFor(() => expect(told).toHaveLength(30));
  expect(told).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
  return content;
}

describe('an MCP host, and a server over WebSocket', () => {
  it('tools, requests of the server, and the end -> the session is over', async () => {
    const { url, endpoint, connections } = await serve();
    const { client, transport } = await host([url]);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['count', 'ask', 'hang']);
    expect((await client.callTool({ name: 'ask' })).content).toEqual([{ type: 'text', text: 'a test' }]);
    expect(endpoint.stats()).toMatchObject({ attached: 1, plain: 0 });
    expect(connections[0]!.request.headers['sec-websocket-protocol']).toBe('mcp,hawser.mcp.v1');
    const { pid } = transport;
    await client.close();
    expect(() => process.kill(pid!, 0)).toThrow();
    await vi.waitUntil(() => endpoint.sessions.length === 0);
  });

  it('-H, --origin, --token-env -> in the handshake', async () => {
    const { url, connections } = await serve({ origins: ['https://app.example'] });
    const argv = ['-H', 'X-One: 1', '-o', 'https://app.example', '--token-env', 'SECRET', url];
    await host(argv, { SECRET: 'secret' });
    expect(connections[0]!.request.headers).toMatchObject({
      'x-one': '1',
      origin: 'https://app.example',
      authorization: 'Bearer secret',
    });
  });

  it('--no-resume -> one plain connection', async () => {
    const { url, endpoint } = await serve();
    const { client } = await host(['--no-resume', url]);
    await client.listTools();
    expect(endpoint.stats()).toMatchObject({ attached: 0, plain: 1 });
  });

  it('three drops in the middle of a call -> one result of one call', async () => {
    const { port } = await serve();
    const proxy = new FaultProxy({ host: '127.0.0.1', port });
    ends.push(() => proxy.close());
    await proxy.listen();
    const { client, log } = await host([`ws://127.0.0.1:${proxy.address.port}/mcp`]);
    const content = await count(client, (progress) => {
      if (progress % 10 === 5) proxy.cutAll('rst');
    });
    expect(content).toEqual([{ type: 'text', text: 'call 1' }]);
    expect(log()).toMatch(
      /the connection is lost \(1006[^)]*\); connecting again\n.*connected again after \d+ ms\n/,
    );
  });

  it('a bridge at either end, and drops between them -> host and stdio server notice nothing', async () => {
    const server = [process.execPath, join(__dirname, 'mcp-server.mjs')];
    const far = startHawser(['mcp-bridge', '--listen', '0', '--', ...server], null);
    ends.push(() => far.child.kill() && far.ended);
    const port = Number((await logged(far, /ws:\/\/127\.0\.0\.1:(\d+)/))[1]);
    const proxy = new FaultProxy({ host: '127.0.0.1', port });
    ends.push(() => proxy.close());
    await proxy.listen();
    const { client } = await host([`ws://127.0.0.1:${proxy.address.port}/`]);
    const content = await count(client, (progress) => {
      if (progress % 10 === 5) proxy.cutAll('rst');
    });
    expect(content).toEqual([{ type: 'text', text: 'call 1' }]);
  });
});

/** What standard error says, when it does. */
function logged({ child, ended }: Program, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr!.on('data', (chunk) => {
      text += chunk;
      const match = pattern.exec(text);
      if (match !== null) resolve(match);
    });
    ended.then(() => reject(new Error(`ended without saying ${pattern}: ${text}`)));
  });
}

const request = (id: number | string, method = 'ping', params?: object) =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, ...(params && { params }) })}\n`;
const INITIALIZE = request('first', 'initialize', {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'by hand', version: '1' },
});
const HANG = request(7, 'tools/call', { name: 'hang' });

function messages(
  text: string,
): { id: unknown; error?: { code: number; message: string }; result?: unknown }[] {
  return text
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

describe('what a host writes', () => {
  it('what is no message -> an error without an id, and what follows is answered', async () => {
    const { url } = await serve();
    const large = request(1, 'x'.repeat(2000));
    const lines = ['no JSON\n', '\n', `[${request(2).trim()}]\n`, '{"level":"info"}\n', large, INITIALIZE];
    const { code, stdout, stderr } = await runHawser(
      ['mcp-bridge', '--max-message', '1k', url],
      lines.join(''),
    );
    const answers = messages(stdout);
    expect(answers.slice(0, 4).map(({ id, error }) => [id, error?.code])).toEqual([
      [null, -32700],
      [null, -32600],
      [null, -32600],
      [null, -32600],
    ]);
    expect(answers.slice(4)).toMatchObject([{ id: 'first', result: {} }]);
    expect([code, stderr]).toEqual([
      0,
      `hawser: refused what the host wrote: the message is not JSON
hawser: refused what the host wrote: batches are not supported
hawser: refused what the host wrote: neither a request nor a notification nor a response
hawser: refused what the host wrote: a line longer than 1024 bytes
`,
    ]);
  });

  it('its input ends -> exit code 0 when all is answered', async () => {
    const { url } = await serve();
    const { code, stdout, stderr } = await runHawser(['mcp-bridge', url], INITIALIZE + request(2));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(messages(stdout)).toMatchObject([{ id: 'first' }, { id: 2, result: {} }]);
  });

  it('its input ends, and no answer comes -> an error after --wait, and exit code 3', async () => {
    const { url, endpoint } = await serve();
    const { code, stdout } = await runHawser(['mcp-bridge', '--wait', '100', url], INITIALIZE + HANG);
    expect(code).toBe(3);
    expect(messages(stdout).at(-1)).toEqual({
      jsonrpc: '2.0',
      id: 7,
      error: { code: -32000, message: 'mcp-bridge: no answer came in time' },
    });
    await vi.waitUntil(() => endpoint.sessions.length === 0);
  });

  it('SIGTERM while it waits -> an error, the session is over, exit code 0', async () => {
    const { url, endpoint } = await serve();
    const program = startHawser(['mcp-bridge', url], null);
    program.child.stdin!.write(INITIALIZE + HANG);
    await program.printed(/"first"/);
    program.child.kill('SIGTERM');
    const { code, stdout } = await program.ended;
    expect([code, messages(stdout).at(-1)]).toMatchObject([0, { id: 7, error: { code: -32000 } }]);
    await vi.waitUntil(() => endpoint.sessions.length === 0);
  });
});

describe('a connection that is gone for good', () => {
  /** A server that answers `initialize` and then does this to its connection. */
  async function plainServer(then: (socket: WebSocket) => void): Promise<string> {
    const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'mcp' });
    wss.on('connection', (socket) => {
      socket.on('message', (data: Buffer) => {
        const { id, method } = JSON.parse(String(data));
        if (method === 'initialize') socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: {} }));
        else then(socket);
      });
    });
    await once(wss, 'listening');
    ends.push(() => wss.close({}));
    return `ws://127.0.0.1:${(wss.address() as AddressInfo).port}/`;
  }

  it.each([
    ['torn', 3, (socket: WebSocket) => socket.terminate(), /the connection failed/],
    ['closed with a code', 4, (socket: WebSocket) => socket.close(1008, 'no\x1b[2J'), /1008.*no\\u001b\[2J/],
    ['closed, and something is not answered', 3, (socket: WebSocket) => socket.close(1000), /^$/],
  ])('%s -> an error for what waits, and exit code %i', async (_, exitCode, then, said) => {
    const url = await plainServer(then);
    const program = startHawser(['mcp-bridge', url], null);
    program.child.stdin!.write(INITIALIZE);
    await program.printed(/"first"/);
    program.child.stdin!.write(HANG);
    const { code, stdout, stderr } = await program.ended;
    expect(code).toBe(exitCode);
    expect(stderr).toMatch(said);
    expect(messages(stdout).at(-1)).toMatchObject({ id: 7, error: { code: -32000 } });
  });

  it('nobody is there -> initialize is answered with an error, and exit code 1', async () => {
    const { code, stdout, stderr } = await runHawser(['mcp-bridge', 'ws://127.0.0.1:1/'], INITIALIZE);
    expect(code).toBe(1);
    expect(messages(stdout)).toMatchObject([{ id: 'first', error: { code: -32000 } }]);
    expect(stderr).toContain('ECONNREFUSED');
  });

  it('refused -> the status, and exit code 1', async () => {
    const { url } = await serve({ verify: () => false });
    const { code, stdout, stderr } = await runHawser(['mcp-bridge', url], INITIALIZE);
    expect(code).toBe(1);
    expect(messages(stdout)).toMatchObject([{ id: 'first', error: { code: -32000 } }]);
    expect(stderr).toContain('HTTP status 401');
  });

  it('the server has lost the session -> an error, and exit code 3', async () => {
    const { url, endpoint } = await serve();
    const program = startHawser(['mcp-bridge', url], null);
    program.child.stdin!.write(INITIALIZE + HANG);
    await program.printed(/"first"/);
    for (const session of endpoint.sessions) session.terminate();
    const { code, stdout } = await program.ended;
    expect([code, messages(stdout).at(-1)]).toMatchObject([3, { id: 7, error: { code: -32000 } }]);
  });
});

describe('arguments', () => {
  it.each<[string[], string]>([
    [[], 'missing argument URL | --listen PORT -- COMMAND… (see hawser mcp-bridge --help)'],
    [['x:y'], 'not a WebSocket URL: "x:y"'],
    [['wss://'], 'not a WebSocket URL: "wss://"'],
    [['ws://x/', 'ws://y/'], 'unexpected argument "ws://y/" (see hawser mcp-bridge --help)'],
    [['--host', 'x', 'ws://x/'], '--host needs --listen'],
    [['--listen', '0', '--wait', '1', '--', 'x'], '--wait does not go with --listen'],
    [['--listen', '0', '--path', 'mcp', '--', 'x'], '--path must begin with /, not "mcp"'],
    [
      ['--listen', '0', '--max-processes', '0', '--', 'x'],
      '--max-processes must be a whole number from 1 to 10000, not "0"',
    ],
    [['--token-env', 'NO_SUCH', 'ws://x/'], 'no bearer token in the environment variable NO_SUCH'],
    [['--token-env', 'A', '--token-file', 'b', 'ws://x/'], '--token-file and --token-env: only one of them'],
    [
      ['--token-file', '/no/such', 'ws://x/'],
      "--token-file: ENOENT: no such file or directory, open '/no/such'",
    ],
  ])('%j -> one line on standard error, exit code 2', async (argv, message) => {
    expect(await runHawser(['mcp-bridge', ...argv])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: `hawser: ${message}\n`,
    });
  });
});
