// A server of the Model Context Protocol for tools alone, small enough to read: what `hawser serve` has at /mcp. It speaks
// both eras of the protocol over any transport of theirs: until 2025-11-25 a connection begins with `initialize`; since
// 2026-07-28 each request says its version itself, and `server/discover` tells what there is.

import type { JsonRpcMessage, RequestId, WebSocketServerTransport } from '../mcp/index.js';
import { isStream, type Tool, ToolError } from './agent-tools/tool.js';

/** What is used of a transport, which has checked that messages are requests, notifications or responses. */
export type McpTransport = Pick<WebSocketServerTransport, 'start' | 'send' | 'onmessage' | 'onclose'>;

type Fields = Record<string, unknown>;

const LEGACY_VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];
const CURRENT_VERSIONS = ['2026-07-28'];
const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
const SERVER_KEY = 'io.modelcontextprotocol/serverInfo';

/** Of one connection at a time. */
const MAX_CALLS = 32;

const ERROR = {
  INVALID_REQUEST: -32600,
  METHOD_NOT_FOUND: -32601,
  INVALID_PARAMS: -32602,
  INTERNAL: -32603,
  UNSUPPORTED_VERSION: -32022,
} as const;

/** An error as the peer is told. */
class McpError extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** One for each connection. */
export class McpToolServer {
  readonly #tools: ReadonlyMap<string, Tool>;
  readonly #info: { name: string; version: string };
  readonly #calls = new Map<RequestId, AbortController>();
  #transport: McpTransport | undefined;

  constructor(tools: readonly Tool[], info: { name: string; version: string }) {
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    this.#info = info;
  }

  /** Serves this connection until it ends. */
  async connect(transport: McpTransport): Promise<void> {
    this.#transport = transport;
    transport.onmessage = (message) => {
      this.#receive(message);
    };
    transport.onclose = () => {
      for (const call of this.#calls.values()) call.abort();
    };
    await transport.start();
  }

  async #receive({ id, method, params }: JsonRpcMessage): Promise<void> {
    const fields = fieldsOf(params);
    if (id === undefined) {
      if (method === 'notifications/cancelled') this.#calls.get(fields.requestId as RequestId)?.abort();
      return;
    }
    // A response: there is no request of ours that it could answer.
    if (method === undefined) return;
    const refusal = this.#refusalOf(id);
    if (refusal !== undefined) {
      await this.#send({ id, error: { code: ERROR.INVALID_REQUEST, message: refusal } });
      return;
    }
    const call = new AbortController();
    this.#calls.set(id, call);
    const answer = await this.#serve(method, fields, call.signal).then(
      (result) => ({ id, result }),
      (error: unknown) => ({ id, error: errorObject(error) }),
    );
    this.#calls.delete(id);
    // Who gave up gets no answer.
    if (!call.signal.aborted) await this.#send(answer);
  }

  #refusalOf(id: RequestId): string | undefined {
    if (this.#calls.has(id)) return 'this id is in use';
    return this.#calls.size < MAX_CALLS ? undefined : `more than ${MAX_CALLS} requests at once`;
  }

  async #serve(method: string, params: Fields, signal: AbortSignal): Promise<object> {
    const requested = fieldsOf(params._meta)[VERSION_KEY];
    if (requested === undefined) return this.#serveLegacy(method, params, signal);
    if (!CURRENT_VERSIONS.includes(String(requested))) {
      const data = { supported: CURRENT_VERSIONS, requested };
      throw new McpError(ERROR.UNSUPPORTED_VERSION, 'this protocol version is not supported', data);
    }
    const result = await this.#serveCurrent(method, params, signal);
    return { resultType: 'complete', ...result, _meta: { [SERVER_KEY]: this.#info } };
  }

  #serveLegacy(method: string, params: Fields, signal: AbortSignal): object | Promise<object> {
    if (method === 'initialize') return this.#initialize(params);
    if (method === 'ping') return {};
    if (method === 'tools/list') return this.#list();
    if (method === 'tools/call') return this.#call(params, signal);
    throw unknownMethod(method);
  }

  #serveCurrent(method: string, params: Fields, signal: AbortSignal): object | Promise<object> {
    // Tools do not change while the server runs, and are the same for everybody.
    const cache = { ttlMs: 3_600_000, cacheScope: 'public' };
    if (method === 'server/discover') {
      return { supportedVersions: CURRENT_VERSIONS, capabilities: { tools: {} }, ...cache };
    }
    if (method === 'tools/list') return { ...this.#list(), ...cache };
    if (method === 'tools/call') return this.#call(params, signal);
    throw unknownMethod(method);
  }

  #initialize({ protocolVersion }: Fields): object {
    const isKnown = LEGACY_VERSIONS.includes(String(protocolVersion));
    return {
      protocolVersion: isKnown ? protocolVersion : LEGACY_VERSIONS[0],
      capabilities: { tools: {} },
      serverInfo: this.#info,
    };
  }

  #list(): object {
    const tools = Array.from(this.#tools.values(), ({ name, title, description, inputSchema }) => ({
      name,
      title,
      description,
      inputSchema,
    }));
    return { tools };
  }

  async #call({ name, arguments: given = {}, _meta }: Fields, signal: AbortSignal): Promise<object> {
    const tool = this.#tools.get(String(name));
    if (tool === undefined) throw new McpError(ERROR.INVALID_PARAMS, 'there is no tool of this name');
    const report = this.#reporter(fieldsOf(_meta).progressToken);
    const progress = (done: number, total: number, message: string): void => {
      report({ progress: done, total, message });
    };
    try {
      const result = await tool.call(given, { signal, progress });
      if (!isStream(result)) return content(result);
      // MCP has no streamed results: the pieces are shown as progress, and make up the result.
      const pieces: string[] = [];
      for await (const piece of result) {
        await report({ progress: pieces.push(piece), message: piece });
      }
      return content(pieces.join(''));
    } catch (error) {
      // An error of the tool is a result, which a model can read.
      if (error instanceof ToolError) return { ...content(error.message), isError: true };
      throw error;
    }
  }

  /** Sends progress to who asked for it; what comes while the last one is on its way is left out. */
  #reporter(progressToken: unknown): (progress: Fields) => Promise<void> {
    let sending: Promise<void> | undefined;
    return async (progress) => {
      if (progressToken === undefined || sending !== undefined) return;
      sending = this.#send({
        method: 'notifications/progress',
        params: { progressToken, ...progress },
      });
      await sending;
      sending = undefined;
    };
  }

  /** Settles when there is room for more, or the connection is over; then the tools are told by their signals. */
  async #send(message: Omit<JsonRpcMessage, 'jsonrpc'>): Promise<void> {
    await this.#transport?.send({ jsonrpc: '2.0', ...message }).catch(() => {});
  }
}

function content(result: string | number | object): object {
  const text = typeof result === 'object' ? JSON.stringify(result, null, 2) : String(result);
  return {
    content: [{ type: 'text', text }],
    ...(typeof result === 'object' && { structuredContent: result }),
  };
}

function errorObject(error: unknown): object {
  if (!(error instanceof McpError)) return { code: ERROR.INTERNAL, message: 'internal error' };
  const { code, message, data } = error;
  return { code, message, ...(data !== undefined && { data }) };
}

function unknownMethod(method: string): McpError {
  return new McpError(ERROR.METHOD_NOT_FOUND, `there is no method ${method}`);
}

/** The members of an object that a peer sent; none when it is something else. */
function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
