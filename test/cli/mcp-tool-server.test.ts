// The rules of the small MCP server, message by message; with the clients of the SDKs it is tested in agent-mcp.test.ts.

import { describe, expect, it } from 'vitest';
import { defineTool, type Tool, ToolError } from '../../src/cli/agent-tools/tool.js';
import { McpToolServer, type McpTransport } from '../../src/cli/mcp-tool-server.js';
import type { JsonRpcMessage } from '../../src/mcp/index.js';
import { turn } from '../support/events.js';

const INFO = { name: 'test', version: '1.0.0' };
const CURRENT = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };

/** The peer's end of a connection. */
class FakeTransport implements McpTransport {
  readonly sent: JsonRpcMessage[] = [];
  isStarted = false;
  onmessage?: (message: JsonRpcMessage) => void;
  onclose?: () => void;
  /** What `send` waits for. */
  room: Promise<void> = Promise.resolve();

  async start(): Promise<void> {
    this.isStarted = true;
  }

  async send(message: JsonRpcMessage): Promise<void> {
    this.sent.push(message);
    await this.room;
  }

  say(message: Omit<JsonRpcMessage, 'jsonrpc'>): void {
    this.onmessage!({ jsonrpc: '2.0', ...message });
  }

  /** Sends a request and returns the answer to it. */
  async ask(method: string, params?: unknown): Promise<JsonRpcMessage | undefined> {
    this.say({ id: 'asked', method, params });
    await turn();
    return this.sent.findLast(({ id }) => id === 'asked');
  }
}

/** A tool that waits until the test, or its caller, ends it. */
function waitingTool() {
  const calls: { signal: AbortSignal; end: (error?: Error) => void }[] = [];
  const tool = defineTool({
    name: 'wait',
    title: 'Wait',
    description: 'Waits.',
    parameters: {},
    run: (_, { signal }) =>
      new Promise<object>((resolve, reject) => {
        calls.push({
          signal,
          end: (error) => (error === undefined ? resolve({ is: 'done' }) : reject(error)),
        });
      }),
  });
  return { tool, calls };
}

const pieces = defineTool({
  name: 'pieces',
  title: 'Pieces',
  description: 'Comes in pieces.',
  parameters: { of: { type: 'string', description: 'what', maxLength: 10 } },
  async *run({ of }) {
    yield* of;
  },
});

async function connect(...tools: Tool[]): Promise<FakeTransport> {
  const transport = new FakeTransport();
  await new McpToolServer(tools, INFO).connect(transport);
  return transport;
}

describe('a connection', () => {
  it('is started once the server listens', async () => {
    const transport = await connect();
    expect([transport.isStarted, typeof transport.onmessage]).toEqual([true, 'function']);
  });

  it.each([
    ['2025-11-25', '2025-11-25'],
    ['2024-11-05', '2024-11-05'],
    ['1999-01-01', '2025-11-25'],
    [undefined, '2025-11-25'],
  ])('initialize with %s -> %s', async (protocolVersion, answered) => {
    const transport = await connect();
    expect(await transport.ask('initialize', { protocolVersion })).toEqual({
      jsonrpc: '2.0',
      id: 'asked',
      result: { protocolVersion: answered, capabilities: { tools: {} }, serverInfo: INFO },
    });
  });

  it('a request that says its version -> answered in the form of that version', async () => {
    const transport = await connect(pieces);
    expect((await transport.ask('server/discover', { _meta: CURRENT }))?.result).toEqual({
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {} },
      ttlMs: expect.any(Number),
      cacheScope: 'public',
      resultType: 'complete',
      _meta: { 'io.modelcontextprotocol/serverInfo': INFO },
    });
    expect((await transport.ask('tools/list', { _meta: CURRENT }))?.result).toMatchObject({
      resultType: 'complete',
      cacheScope: 'public',
      tools: [{ name: 'pieces' }],
    });
  });

  it('a version of its era that is not known -> -32022 with those that are', async () => {
    const transport = await connect();
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2027-01-01' };
    expect((await transport.ask('server/discover', { _meta }))?.error).toEqual({
      code: -32022,
      message: expect.any(String),
      data: { supported: ['2026-07-28'], requested: '2027-01-01' },
    });
  });

  it.each([
    ['resources/list', undefined],
    ['server/discover', undefined],
    ['initialize', { _meta: CURRENT }],
    ['ping', { _meta: CURRENT }],
    ['constructor', undefined],
  ])('%s %j -> -32601', async (method, params) => {
    const transport = await connect();
    expect((await transport.ask(method, params))?.error).toMatchObject({ code: -32601 });
  });

  it('notifications and responses -> no answer, and the next request is served', async () => {
    const transport = await connect();
    transport.say({ method: 'notifications/initialized' });
    transport.say({ method: 'notifications/cancelled', params: { requestId: 'nobody' } });
    transport.say({ method: 'notifications/cancelled' });
    transport.say({ id: 1, result: {} });
    expect((await transport.ask('ping', 'no object'))?.result).toEqual({});
    expect(transport.sent).toHaveLength(1);
  });
});

describe('tools/call', () => {
  it('an object -> text and structured content; a number -> text', async () => {
    const two = defineTool({ name: 'two', title: '', description: '', parameters: {}, run: () => 2 });
    const { tool, calls } = waitingTool();
    const transport = await connect(two, tool);
    expect((await transport.ask('tools/call', { name: 'two' }))?.result).toEqual({
      content: [{ type: 'text', text: '2' }],
    });
    transport.say({ id: 1, method: 'tools/call', params: { name: 'wait', arguments: {} } });
    calls[0]!.end();
    await turn();
    expect(transport.sent.at(-1)?.result).toEqual({
      content: [{ type: 'text', text: '{\n  "is": "done"\n}' }],
      structuredContent: { is: 'done' },
    });
  });

  it('pieces -> one text, and each piece as progress where that was asked for', async () => {
    const transport = await connect(pieces);
    const call = { name: 'pieces', arguments: { of: 'ab' } };
    const result = { content: [{ type: 'text', text: 'ab' }] };
    expect((await transport.ask('tools/call', call))?.result).toEqual(result);
    expect(transport.sent).toHaveLength(1);
    await transport.ask('tools/call', { ...call, _meta: { progressToken: 0 } });
    expect(transport.sent.slice(1)).toEqual([
      progress({ progress: 1, message: 'a' }),
      progress({ progress: 2, message: 'b' }),
      { jsonrpc: '2.0', id: 'asked', result },
    ]);
  });

  it('progress while there is no room for it -> left out', async () => {
    let report = (_done: number): void => {};
    const busy = defineTool({
      name: 'busy',
      title: '',
      description: '',
      parameters: {},
      run: (_, context) => {
        report = (done) => context.progress(done, 9, '');
        return new Promise<object>(() => {});
      },
    });
    const transport = await connect(busy);
    transport.say({ id: 1, method: 'tools/call', params: { name: 'busy', _meta: { progressToken: 0 } } });
    let hasRoom = (): void => {};
    transport.room = new Promise((resolve) => {
      hasRoom = resolve;
    });
    for (const done of [1, 2, 3]) report(done);
    hasRoom();
    await turn();
    report(4);
    expect(transport.sent).toEqual([
      progress({ progress: 1, total: 9, message: '' }),
      progress({ progress: 4, total: 9, message: '' }),
    ]);
  });

  it('a tool that there is not -> -32602', async () => {
    const transport = await connect();
    expect((await transport.ask('tools/call', { name: 'nothing' }))?.error).toMatchObject({ code: -32602 });
    expect((await transport.ask('tools/call'))?.error).toMatchObject({ code: -32602 });
  });

  it('params that do not fit, and other errors for the caller -> a result that says so', async () => {
    const { tool, calls } = waitingTool();
    const transport = await connect(pieces, tool);
    const expected = (text: string) => ({ content: [{ type: 'text', text }], isError: true });
    const call = { name: 'pieces', arguments: { of: 7 } };
    expect((await transport.ask('tools/call', call))?.result).toEqual(
      expected('of: a text of 0 to 10 characters was expected'),
    );
    transport.say({ id: 1, method: 'tools/call', params: { name: 'wait' } });
    calls[0]!.end(new ToolError('not today'));
    await turn();
    expect(transport.sent.at(-1)?.result).toEqual(expected('not today'));
  });

  it('a fault of ours -> -32603, and nothing else leaves the process', async () => {
    const { tool, calls } = waitingTool();
    const transport = await connect(tool);
    transport.say({ id: 1, method: 'tools/call', params: { name: 'wait' } });
    calls[0]!.end(new Error('the password is 1234'));
    await turn();
    expect(transport.sent).toEqual([
      { jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'internal error' } },
    ]);
  });

  it('notifications/cancelled -> the tool is told, and there is no answer', async () => {
    const { tool, calls } = waitingTool();
    const transport = await connect(tool);
    transport.say({ id: 1, method: 'tools/call', params: { name: 'wait' } });
    transport.say({ id: '1', method: 'tools/call', params: { name: 'wait' } });
    transport.say({ method: 'notifications/cancelled', params: { requestId: 1, reason: 'enough' } });
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    for (const { end } of calls) end();
    await turn();
    expect(transport.sent.map(({ id }) => id)).toEqual(['1']);
  });

  it('the end of the connection -> all tools are told', async () => {
    const { tool, calls } = waitingTool();
    const transport = await connect(tool);
    for (const id of [1, 2]) transport.say({ id, method: 'tools/call', params: { name: 'wait' } });
    transport.onclose!();
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  });

  it('an id that is in use, and the 33rd request at once -> -32600, and the others go on', async () => {
    const { tool, calls } = waitingTool();
    const transport = await connect(tool);
    const params = { name: 'wait' };
    for (let id = 0; id < 32; id++) transport.say({ id, method: 'tools/call', params });
    transport.say({ id: 31, method: 'tools/call', params });
    transport.say({ id: 32, method: 'tools/call', params });
    await turn();
    expect(transport.sent).toMatchObject([
      { id: 31, error: { code: -32600, message: 'this id is in use' } },
      { id: 32, error: { code: -32600, message: 'more than 32 requests at once' } },
    ]);
    for (const { end } of calls) end();
    await turn();
    expect(transport.sent.filter(({ result }) => result !== undefined)).toHaveLength(32);
    // Afterwards the ids are free, and there is room.
    expect((await transport.ask('ping'))?.result).toEqual({});
    transport.say({ id: 31, method: 'ping' });
    await turn();
    expect(transport.sent.at(-1)).toEqual({ jsonrpc: '2.0', id: 31, result: {} });
  });
});

function progress(params: object): JsonRpcMessage {
  return { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 0, ...params } };
}
