// The relay without a program around it: a transport that a test plays, and streams in memory.
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { McpProcess } from '../../src/cli/mcp-process.js';
import { type HostOptions, relayHost, relayProcess, type Transport } from '../../src/cli/mcp-relay.js';
import type { JsonRpcMessage } from '../../src/mcp/message.js';
import { turn } from '../support/events.js';

class FakeTransport implements Transport {
  waitsForHandler = false;
  onmessage: Transport['onmessage'];
  onclose: Transport['onclose'];
  onerror: Transport['onerror'];
  readonly sent: JsonRpcMessage[] = [];
  isClosed = false;
  /** While it is there, there is no room. */
  blockage: Promise<void> | undefined;

  start = vi.fn(async () => {});

  send = async (message: JsonRpcMessage): Promise<void> => {
    if (this.isClosed) throw new Error('closed');
    this.sent.push(message);
    await this.blockage;
  };

  close = async (): Promise<void> => {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onclose?.();
  };
}

const request = (id: number, method = 'ping'): JsonRpcMessage => ({ jsonrpc: '2.0', id, method });
const line = (message: object): string => `${JSON.stringify(message)}\n`;

describe('relayHost', () => {
  function host(options: Partial<HostOptions> = {}) {
    const [input, output] = [new PassThrough(), new PassThrough({ highWaterMark: 1 })];
    const log: string[] = [];
    const interruption = new AbortController();
    const transport = new FakeTransport();
    const ended = relayHost(transport, {
      input,
      output,
      log: (text) => log.push(text),
      maxLineBytes: 1000,
      waitMs: 10_000,
      signal: interruption.signal,
      ...options,
    });
    return { input, output, log, interruption, transport, ended };
  }

  it('a transport without room -> the input is read no further', async () => {
    const { input, output, transport, ended } = host();
    output.resume();
    let free = (): void => {};
    transport.blockage = new Promise((resolve) => {
      free = resolve;
    });
    for (let id = 1; id <= 3; id++) input.write(line(request(id)));
    for (let i = 0; i < 10; i++) await turn();
    expect(transport.sent).toEqual([request(1)]);
    transport.blockage = undefined;
    free();
    await vi.waitFor(() => expect(transport.sent).toHaveLength(3));
    await transport.close();
    expect((await ended).unanswered).toBe(3);
  });

  it('a host that does not read -> the transport waits', async () => {
    const { output, transport, interruption, ended } = host();
    const handled = transport.onmessage!(request(1));
    expect(transport.waitsForHandler).toBe(true);
    let isHandled = false;
    (handled as Promise<void>).then(() => {
      isHandled = true;
    });
    for (let i = 0; i < 10; i++) await turn();
    expect(isHandled).toBe(false);
    output.resume();
    await handled;
    interruption.abort();
    expect(await ended).toMatchObject({ by: 'signal', unanswered: 0 });
  });

  it('a message that cannot be sent -> an error for that one, and the others go on', async () => {
    const { input, output, log, transport, ended } = host();
    const { send } = transport;
    transport.send = (message) =>
      message.id === 1 ? Promise.reject(new RangeError('too large')) : send(message);
    input.write(line(request(1)) + line(request(2)));
    let written = '';
    output.on('data', (chunk) => {
      written += chunk;
    });
    await vi.waitFor(() => expect(transport.sent).toEqual([request(2)]));
    expect(JSON.parse(written)).toMatchObject({ id: 1, error: { message: 'mcp-bridge: too large' } });
    expect(log).toEqual(['not sent: too large']);
    transport.onmessage!({ jsonrpc: '2.0', id: 2, result: {} });
    input.end();
    expect(await ended).toEqual({ by: 'host', unanswered: 0, error: undefined });
  });

  it('a server that cannot be reached, and a host that says nothing -> the end, and why', async () => {
    const transport = new FakeTransport();
    transport.start.mockRejectedValue(new Error('refused'));
    const log: string[] = [];
    const ended = relayHost(transport, {
      input: new PassThrough(),
      output: new PassThrough(),
      log: (text) => log.push(text),
      maxLineBytes: 1000,
      waitMs: 10_000,
      signal: new AbortController().signal,
    });
    expect(await ended).toMatchObject({ by: 'refusal', unanswered: 0 });
    expect(log).toEqual(['refused']);
  });
});

describe('relayProcess', () => {
  const processes: McpProcess[] = [];

  afterEach(async () => {
    for (const process of processes.splice(0)) {
      process.kill();
      await process.ended;
    }
  });

  function relay(source: string, { stuckMs, inputMs = 50 }: { stuckMs?: number; inputMs?: number } = {}) {
    const server = new McpProcess({
      command: process.execPath,
      args: ['-e', source],
      env: process.env,
      maxLineBytes: 1000,
      log: new PassThrough().resume(),
      stopTimes: { inputMs, termMs: 50 },
    });
    processes.push(server);
    const transport = new FakeTransport();
    const log: string[] = [];
    const ended = relayProcess(transport, server, {
      maxLineBytes: 1000,
      log: (text) => log.push(text),
      ...(stuckMs !== undefined && { stuckMs }),
    });
    return { server, transport, log, ended };
  }

  const IDLE = 'setInterval(() => {}, 1000)';
  const LARGE = { ...request(1), params: 'x'.repeat(4 * 2 ** 20) };

  it('a process that takes no input -> its requests fail, and it is ended', async () => {
    const { server, transport, ended } = relay(IDLE, { stuckMs: 50 });
    transport.onmessage!(LARGE);
    await ended;
    expect(transport.sent).toMatchObject([
      { id: 1, error: { message: expect.stringContaining('does not read its input') } },
    ]);
    expect([transport.isClosed, await server.ended]).toEqual([true, expect.stringContaining('SIGTERM')]);
  });

  it('a process that takes its input -> the next message comes when it has', async () => {
    const { transport, ended } = relay('setTimeout(() => process.stdin.resume(), 100)');
    await transport.onmessage!(LARGE);
    await transport.close();
    await ended;
  });

  it('a process that closes its output and lives on -> it is ended, and its requests fail', async () => {
    const { transport, ended } = relay(`require('fs').closeSync(1); ${IDLE}`);
    transport.onmessage!(request(1));
    await ended;
    expect(transport.sent).toMatchObject([
      { id: 1, error: { message: expect.stringContaining('closed its standard output') } },
    ]);
  });

  it('what it wrote before it ended -> sent before the errors', async () => {
    const answers = line({ jsonrpc: '2.0', id: 1, result: 1 }).repeat(500);
    const { transport, ended } = relay(`process.stdout.write(${JSON.stringify(answers)})`);
    const { send } = transport;
    // Slower than the process ends.
    transport.send = async (message) => {
      await turn();
      await send(message);
    };
    transport.onmessage!(request(1));
    transport.onmessage!(request(2));
    await ended;
    expect(transport.sent).toHaveLength(501);
    expect(transport.sent.at(-1)).toMatchObject({ id: 2, error: { code: -32000 } });
  });

  it('a client without room -> the process has to wait', async () => {
    const message = line(request(1));
    const { server, transport, ended } = relay(
      `process.stdout.write(${JSON.stringify(message)}.repeat(10_000), () => console.error('written'))`,
    );
    let free = (): void => {};
    transport.blockage = new Promise((resolve) => {
      free = resolve;
    });
    let hasEnded = false;
    server.ended.then(() => {
      hasEnded = true;
    });
    await vi.waitFor(() => expect(transport.sent).toHaveLength(1));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([transport.sent.length, hasEnded]).toEqual([1, false]);
    transport.blockage = undefined;
    free();
    await vi.waitFor(() => expect(transport.sent).toHaveLength(10_000));
    await transport.close();
    await ended;
  });

  it('a process that ends before its client has asked for anything -> the first request fails', async () => {
    const { server, transport, ended } = relay('process.exit(3)');
    await server.ended;
    await turn();
    transport.onmessage!(request(1));
    await ended;
    expect(transport.sent).toMatchObject([
      { id: 1, error: { message: expect.stringContaining('ended with exit code 3') } },
    ]);
  });

  it('the client has left -> the process ends, and nobody is told', async () => {
    const { server, transport, log, ended } = relay('process.stdin.resume()', { inputMs: 10_000 });
    await transport.close();
    await ended;
    expect([transport.sent, log, await server.ended]).toEqual([
      [],
      [],
      expect.stringContaining('exit code 0'),
    ]);
  });

  it('a transport that does not start -> the process ends', async () => {
    const server = new McpProcess({
      command: process.execPath,
      args: ['-e', 'process.stdin.resume()'],
      env: process.env,
      maxLineBytes: 1000,
      log: new PassThrough().resume(),
      stopTimes: { inputMs: 10_000, termMs: 50 },
    });
    processes.push(server);
    const transport = new FakeTransport();
    transport.start.mockImplementation(async () => {
      transport.onclose!();
      throw new Error('over');
    });
    await relayProcess(transport, server, { maxLineBytes: 1000, log: () => {} });
    expect(await server.ended).toContain('exit code 0');
  });
});
