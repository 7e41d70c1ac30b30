// `hawser mcp-bridge --listen`: real MCP clients over WebSocket, a real stdio server behind.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FaultProxy } from '../../src/cli/fault-proxy.js';
import { type ClientTransportOptions, WebSocketClientTransport } from '../../src/mcp/index.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { type Program, runHawser, startHawser } from './program.js';

const SERVER = [process.execPath, join(__dirname, 'mcp-server.mjs')];
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** The bridge, listening. */
async function listen(argv: string[] = [], command = SERVER, env: NodeJS.ProcessEnv = {}) {
  const program = startHawser(['mcp-bridge', '--listen', '0', ...argv, '--', ...command], null, env);
  // Until it has ended its processes, too, those that do not want to among them.
  ends.push(async () => {
    const timer = setInterval(() => program.child.kill('SIGTERM'), 20);
    await program.ended;
    clearInterval(timer);
  });
  const [, url, port] = await logged(program, /listening on (ws:\/\/127\.0\.0\.1:(\d+)\S*)/);
  return { program, url: url!, port: Number(port) };
}

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

async function connect(url: string, options: ClientTransportOptions = {}) {
  const client = new Client({ name: 'test', version: '1.0.0' }, { capabilities: { sampling: {} } });
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    model: 'none',
    role: 'assistant',
    content: { type: 'text', text: 'a test' },
  }));
  ends.push(() => client.close());
  await client.connect(new WebSocketClientTransport(url, options) as Transport);
  return client;
}

async function call(client: Client, name: string, args: object = {}): Promise<string> {
  const { content } = await client.callTool({ name, arguments: { ...args } });
  return (content as { text: string }[])[0]!.text;
}

function isAlive(pid: number | string): boolean {
  try {
    return process.kill(Number(pid), 0);
  } catch {
    return false;
  }
}

describe('a client and its process', () => {
  it.each([
    ['resuming', {}],
    ['plain', { resume: false }],
    ['without a subprotocol', { subprotocols: [] }],
  ])('%s -> tools, progress, a request of the server, and the end of both', async (_, options) => {
    const { url, program } = await listen();
    const ready = logged(program, /\[\S+ (\d+)\] ready\n/);
    const client = await connect(url, options);
    const pid = await call(client, 'pid');
    expect((await ready)[1]).toBe(pid);
    const progress: number[] = [];
    const counted = await client.callTool({ name: 'count', arguments: { to: 3, everyMs: 1 } }, undefined, {
      onprogress: (each) => progress.push(each.progress),
    });
    expect([counted.content, progress]).toEqual([[{ type: 'text', text: 'call 1' }], [1, 2, 3]]);
    expect(await call(client, 'ask')).toBe('a test');
    await client.close();
    await vi.waitUntil(() => !isAlive(pid));
  });

  it('two clients -> two processes', async () => {
    const { url } = await listen();
    const clients = await Promise.all([connect(url), connect(url)]);
    const pids = await Promise.all(clients.map((client) => call(client, 'pid')));
    expect(pids[0]).not.toBe(pids[1]);
    await clients[0]!.close();
    await vi.waitUntil(() => !isAlive(pids[0]!));
    expect(await call(clients[1]!, 'pid')).toBe(pids[1]);
  });

  it('a message of 10 MB -> whole', async () => {
    const { url } = await listen();
    expect(await call(await connect(url), 'large', { length: 10_000_000 })).toHaveLength(10_000_000);
  });

  it('drops in the middle of a call -> one result of one call, by the same process', async () => {
    const { port } = await listen();
    const proxy = new FaultProxy({ host: '127.0.0.1', port });
    ends.push(() => proxy.close());
    await proxy.listen();
    const backoff = { baseMs: 1, capMs: 10 };
    const client = await connect(`ws://127.0.0.1:${proxy.address.port}/`, { session: { backoff } });
    const pid = await call(client, 'pid');
    const progress: number[] = [];
    const counted = await client.callTool({ name: 'count', arguments: { to: 30, everyMs: 20 } }, undefined, {
      onprogress: (each) => {
        progress.push(each.progress);
        if (each.progress % 10 === 5) proxy.cutAll('rst');
      },
    });
    expect(counted.content).toEqual([{ type: 'text', text: 'call 1' }]);
    expect(progress).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(await call(client, 'pid')).toBe(pid);
  });

  it('--window is over without the client -> the process ends', async () => {
    const { url } = await listen(['--window', '50ms']);
    const transport = new WebSocketClientTransport(url, { session: { shouldRetry: () => false } });
    const client = new Client({ name: 'test', version: '1.0.0' });
    await client.connect(transport as Transport);
    const pid = await call(client, 'pid');
    // Gone without a word.
    await (transport as unknown as { end(code: number, reason: string): Promise<void> }).end(1001, '');
    await vi.waitUntil(() => !isAlive(pid), { timeout: 10_000 });
  });
});

describe('a process that misbehaves', () => {
  it('ends during a call -> the call fails, with the reason, and the connection is closed', async () => {
    const { url } = await listen();
    const client = await connect(url);
    const closed = new Promise<void>((resolve) => {
      client.onclose = resolve;
    });
    await expect(call(client, 'die', { code: 3 })).rejects.toMatchObject({
      code: -32000,
      message: expect.stringMatching(/mcp-bridge: \S+ ended with exit code 3/),
    });
    await closed;
  });

  it('does not start -> initialize fails, with the reason', async () => {
    const { url } = await listen([], ['/no/such/command']);
    await expect(connect(url)).rejects.toThrow(
      '/no/such/command could not be started: there is no such command',
    );
  });

  it('writes what is no message -> ignored, and told', async () => {
    const { url, program } = await listen();
    const client = await connect(url);
    const told = logged(program, /ignored what \S+ wrote: the message is not JSON/);
    expect(await call(client, 'say', { line: 'debug: \x1b[2J' })).toBe('said');
    await told;
    const batch = logged(program, /batches are not supported/);
    expect(await call(client, 'say', { line: '[{"jsonrpc":"2.0","method":"x"}]' })).toBe('said');
    await batch;
  });

  it('writes a line that is too long -> the session ends, with the reason', async () => {
    const { url } = await listen(['--max-message', '10k']);
    const client = await connect(url);
    expect(await call(client, 'large', { length: 9000 })).toHaveLength(9000);
    await expect(call(client, 'large', { length: 11_000 })).rejects.toThrow(
      /wrote a line longer than 10240 bytes/,
    );
  });

  it('does not read -> its client has to wait', async () => {
    const { url } = await listen([], [process.execPath, '-e', 'setInterval(() => {}, 1000)']);
    const socket = new WebSocket(url, 'mcp', { perMessageDeflate: false });
    ends.push(() => socket.terminate());
    await once(socket, 'open');
    const params = { data: 'x'.repeat(2 ** 20) };
    for (let i = 0; i < 64; i++) {
      socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/x', params }));
    }
    await vi.waitUntil(() => socket.bufferedAmount < 64 * 2 ** 20, { timeout: 10_000 });
    // Until nothing has moved for a while: what is left, nobody took.
    for (let former = 0, looks = 0; looks < 5; looks++) {
      if (socket.bufferedAmount !== former) looks = 0;
      former = socket.bufferedAmount;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(socket.bufferedAmount).toBeGreaterThan(32 * 2 ** 20);
  });
});

describe('who may come in', () => {
  async function status(url: string, headers: Record<string, string>): Promise<number> {
    const socket = new WebSocket(url, 'mcp', { headers });
    ends.push(() => socket.terminate());
    return new Promise((resolve) => {
      socket.on('open', () => resolve(101));
      socket.on('unexpected-response', (_, { statusCode }) => resolve(statusCode));
      socket.on('error', () => {});
    });
  }

  it('--token-env -> only with the token, which the process does not see', async () => {
    const { url } = await listen(['--token-env', 'SECRET'], SERVER, { SECRET: 'secret', OTHER: 'other' });
    expect(await status(url, {})).toBe(401);
    expect(await status(url, { Authorization: 'Bearer wrong' })).toBe(401);
    expect(await status(url, { Authorization: 'Basic secret' })).toBe(401);
    expect(await status(url, { Authorization: 'bearer secret' })).toBe(101);
    const client = await connect(url, { headers: { Authorization: 'Bearer secret' } });
    expect(await call(client, 'environment', { name: 'SECRET' })).toBe('undefined');
    expect(await call(client, 'environment', { name: 'OTHER' })).toBe('other');
  });

  it('--token-file -> the same', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hawser-token-'));
    ends.push(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'token');
    writeFileSync(file, 'secret\n');
    const { url } = await listen(['--token-file', file]);
    expect(await status(url, { Authorization: 'Bearer secret' })).toBe(101);
    expect(await status(url, { Authorization: 'Bearer secre' })).toBe(401);
  });

  it('web pages -> only of this server and of --allow-origin', async () => {
    const { url, port } = await listen(['--allow-origin', 'https://app.example']);
    expect(await status(url, { Origin: 'https://evil.example' })).toBe(403);
    expect(await status(url, { Origin: `http://evil.example:${port}`, Host: `evil.example:${port}` })).toBe(
      403,
    );
    expect(await status(url, { Origin: `http://127.0.0.1:${port}` })).toBe(101);
    expect(await status(url, { Origin: 'https://app.example' })).toBe(101);
  });

  it('--path -> only there; a request that is no WebSocket -> 426', async () => {
    const { url, port } = await listen(['--path', '/mcp']);
    expect(url).toMatch(/\/mcp$/);
    expect(await status(url, {})).toBe(101);
    expect(await status(`ws://127.0.0.1:${port}/`, {})).toBe(400);
    const [response] = await once(get(`http://127.0.0.1:${port}/mcp`), 'response');
    response.resume();
    expect(response.statusCode).toBe(426);
  });

  it('--max-processes are running -> told, until one of them has ended', async () => {
    const { url } = await listen(['--max-processes', '1']);
    const first = await connect(url);
    await expect(connect(url)).rejects.toThrow('1 processes are running, which is the limit');
    await first.close();
    await vi.waitFor(async () => expect(await call(await connect(url), 'pid')).toMatch(/^\d+$/), {
      timeout: 10_000,
    });
  });
});

describe('the end', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s -> its processes end, and exit code 0', async (signal) => {
    const { url, program } = await listen();
    const pids = [];
    for (let i = 0; i < 2; i++) pids.push(await call(await connect(url), 'pid'));
    program.child.kill(signal);
    expect(await program.ended).toMatchObject({ code: 0, signal: null, stdout: '' });
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('Ctrl+C twice -> does not wait for a process that does not want to', async () => {
    const stubborn = `process.on('SIGTERM', () => console.error('asked to end'));
      setInterval(() => {}, 1000);
      console.error('pid ' + process.pid)`;
    const { url, program } = await listen([], [process.execPath, '-e', stubborn]);
    const said = logged(program, /pid (\d+)/);
    const socket = new WebSocket(url, 'mcp');
    socket.on('error', () => {});
    const [, pid] = await said;
    const closing = logged(program, /closing/);
    program.child.kill('SIGINT');
    await closing;
    program.child.kill('SIGINT');
    const { code, stderr } = await program.ended;
    expect(code).toBe(0);
    expect(stderr).not.toContain('asked to end');
    expect(isAlive(pid!)).toBe(false);
  });

  it('a port in use -> exit code 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    ends.push(() => other.close());
    const { port } = other.address() as { port: number };
    const { code, stderr } = await runHawser(['mcp-bridge', '-l', String(port), '--', 'x']);
    expect([code, stderr]).toEqual([
      1,
      `hawser: port ${port} of 127.0.0.1 is in use; choose another with --port\n`,
    ]);
  });
});
