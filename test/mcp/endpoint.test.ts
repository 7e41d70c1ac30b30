// `serveMcp` over real handshakes: who comes in, what serves whom, and that closing leaves nothing.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { debug } from '../../src/agent/debug.js';
import type { McpConnection, McpEndpointOptions, Verified } from '../../src/mcp/endpoint-options.js';
import { serveMcp, WebSocketClientTransport, WebSocketServerTransport } from '../../src/mcp/index.js';
import type { JsonRpcMessage } from '../../src/mcp/message.js';
import type { MessageExtra } from '../../src/mcp/transport.js';
import { type McpScene, QUICK, setScene } from '../support/mcp-scene.js';
import { outcomeOf } from '../support/session-stage.js';
import { until } from '../support/tcp.js';

const REQUEST = { jsonrpc: '2.0', id: 1, method: 'echo' } as const;
const HELLO = '\u0001{"t":"hello","v":1,"gen":1,"recv":0,"caps":{"messages":100,"bytes":100000,"ping":true}}';
const disposals: (() => unknown)[] = [];

afterEach(async () => {
  for (const dispose of disposals.splice(0).reverse()) await dispose();
});

/** What an SDK's server is to a transport: it answers each request with what it was told of the client. */
class Echo {
  readonly extras: MessageExtra[] = [];
  closed = 0;
  async connect(transport: WebSocketServerTransport): Promise<void> {
    transport.onmessage = ({ id }: JsonRpcMessage, extra) => {
      this.extras.push(extra!);
      if (id !== undefined) transport.send({ jsonrpc: '2.0', id, result: {} });
    };
    transport.onclose = () => {
      this.closed++;
    };
    await transport.start();
  }
}

async function serve(options: Partial<McpEndpointOptions> = {}) {
  const echoes: Echo[] = [];
  const connections: McpConnection[] = [];
  const factory = (connection: McpConnection): Echo => {
    connections.push(connection);
    const echo = new Echo();
    echoes.push(echo);
    return echo;
  };
  const scene = await setScene({ ...(options.connect === undefined && { factory }), ...options });
  disposals.push(() => scene.close());
  return { scene, echoes, connections };
}

/** The HTTP status of a handshake that is refused, or the subprotocol. */
async function answerTo(scene: McpScene, offered: string[], headers: Record<string, string> = {}, path = '') {
  const socket = new WebSocket(`${scene.url}${path}`, offered, { headers });
  socket.on('error', () => {});
  disposals.push(() => socket.terminate());
  return new Promise((resolve) => {
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
    socket.on('open', () => resolve(socket.protocol));
  });
}

/** The answer to a request, over a transport that is open. */
async function ask(transport: WebSocketClientTransport): Promise<JsonRpcMessage> {
  const answer = new Promise<JsonRpcMessage>((resolve) => {
    transport.onmessage = resolve;
  });
  await transport.send(REQUEST);
  return answer;
}

describe('the handshake', () => {
  it.each([
    [['mcp', 'hawser.mcp.v1'], 'hawser.mcp.v1'],
    [['hawser.mcp.v1', 'mcp'], 'hawser.mcp.v1'],
    [['other', 'mcp'], 'mcp'],
    [[], ''],
    [['other'], 400],
    [['hawser.v1'], 400],
  ])('%j -> %s', async (offered, expected) => {
    const { scene } = await serve();
    expect(await answerTo(scene, offered)).toBe(expected);
  });

  it('only its path', async () => {
    const { scene } = await serve({ path: '/mcp' });
    expect(await answerTo(scene, ['mcp'], {}, 'mcp?x=1')).toBe('mcp');
    expect(await answerTo(scene, ['mcp'], {}, 'other')).toBe(400);
  });

  it('pages: those from where it is itself, and those that are listed', async () => {
    const { scene } = await serve({ origins: ['https://app.example'] });
    const { host } = new URL(scene.url);
    for (const offered of [['mcp'], ['hawser.mcp.v1'], []]) {
      const from = (Origin: string) => answerTo(scene, offered, { Origin });
      expect(await from(`http://${host}`)).not.toBe(403);
      expect(await from('https://app.example')).not.toBe(403);
      expect(await from('https://evil.example')).toBe(403);
      expect(await answerTo(scene, offered, { Origin: 'http://evil.example', Host: 'evil.example' })).toBe(
        403,
      );
    }
  });

  it.each<[string, () => Verified | Promise<Verified>, unknown]>([
    ['a principal', () => 'anna', 'mcp'],
    ['an empty one', () => '', 'mcp'],
    ['a principal with what handlers get', async () => ({ principal: 'anna', authInfo: {} }), 'mcp'],
    ['undefined', () => undefined, 401],
    ['a promise of false', async () => false as const, 401],
    ['an exception', () => Promise.reject(new Error('no database')), 500],
  ])('verify: %s', async (_name, verify, expected) => {
    const { scene } = await serve({ verify });
    expect(await answerTo(scene, ['mcp'])).toBe(expected);
  });

  it('while it drains -> 503', async () => {
    const { scene } = await serve();
    await scene.endpoint.drain();
    expect(await answerTo(scene, ['mcp'])).toBe(503);
  });

  it('verify takes until it drains -> nobody is served', async () => {
    let decide!: (principal: string) => void;
    const { scene, echoes } = await serve({
      verify: () =>
        new Promise((resolve) => {
          decide = resolve;
        }),
    });
    const answer = answerTo(scene, ['mcp']);
    await until(() => decide !== undefined);
    const drained = scene.endpoint.drain();
    decide('anna');
    expect(await answer).toBe('mcp');
    await drained;
    expect(echoes).toEqual([]);
    expect(scene.endpoint.stats().plain).toBe(0);
  });
});

describe.each([true, false])('resume: %s', (resume) => {
  it('handlers are told of the client; the factory, too', async () => {
    const authInfo = { token: 'secret', clientId: 'a', scopes: [] };
    const { scene, echoes, connections } = await serve({ verify: () => ({ principal: 'anna', authInfo }) });
    const transport = scene.dial({ resume, headers: { 'x-test': 'yes' } });
    await transport.start();
    await ask(transport);
    expect(connections).toMatchObject([{ principal: 'anna', authInfo, request: { url: '/' } }]);
    expect(connections[0]!.transport).toBeInstanceOf(WebSocketServerTransport);
    const [extra] = echoes[0]!.extras as {
      authInfo: object;
      requestInfo: { headers: object };
      request: Request;
    }[];
    expect(extra!.authInfo).toBe(authInfo);
    expect(extra!.requestInfo.headers).toMatchObject({ 'x-test': 'yes' });
    expect(extra!.request.headers.get('x-test')).toBe('yes');
    expect(scene.endpoint.sessions.map(({ principal }) => principal)).toEqual(resume ? ['anna'] : []);
    await transport.close();
    await until(() => echoes[0]!.closed === 1);
  });

  it('what comes while the factory is at work waits', async () => {
    let finish!: () => void;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const { scene } = await serve({
      factory: async () => {
        await finished;
        return new Echo();
      },
    });
    const transport = scene.dial({ resume });
    await transport.start();
    const { bytesIn } = scene.proxy.stats();
    const answer = ask(transport);
    await until(() => scene.proxy.stats().bytesIn > bytesIn);
    finish();
    expect(await answer).toMatchObject({ id: 1, result: {} });
  });

  it('the factory throws -> the client is closed with 1011, and onerror is told', async () => {
    const errors: unknown[] = [];
    const { scene } = await serve({
      factory: () => {
        throw new Error('no memory');
      },
      onerror: ({ message }, { principal }) => errors.push([message, principal]),
    });
    const transport = scene.dial({ resume });
    await transport.start();
    await transport.over;
    expect(errors[0]).toEqual(['no memory', '']);
    const { endpoint } = scene;
    await expect.poll(() => endpoint.stats()).toMatchObject({ attached: 0, detached: 0, plain: 0 });
  });

  it('the client goes while the factory is at work -> what it made is told at once; that is no error', async () => {
    let finish!: () => void;
    const errors: unknown[] = [];
    const echo = new Echo();
    const { scene } = await serve({
      factory: () =>
        new Promise((resolve) => {
          finish = () => resolve(echo);
        }),
      onerror: (error) => errors.push(error),
    });
    const transport = scene.dial({ resume });
    await transport.start();
    await until(() => finish !== undefined);
    await transport.close();
    await until(() => scene.endpoint.sessions.length === 0);
    finish();
    await until(() => echo.closed === 1);
    expect([errors, scene.endpoint.stats().plain]).toEqual([[], 0]);
  });

  it('close() -> 1012 for everybody, whether served or not yet; nothing is left', async () => {
    const alive = debug.active().length;
    const server = http.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    disposals.push(() => server.close());
    const echo = new Echo();
    const endpoint = serveMcp({
      server,
      factory: ({ request }) => (request.url === '/never' ? new Promise(() => {}) : echo),
    });
    const base = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const codes: number[] = [];
    for (const path of ['/', '/never']) {
      const socket = new WebSocket(base + path, resume ? ['hawser.mcp.v1'] : ['mcp']);
      socket.on('close', (code) => codes.push(code));
      await once(socket, 'open');
      if (resume) socket.send(HELLO);
    }
    await until(() => endpoint.stats()[resume ? 'attached' : 'plain'] === 2);
    await Promise.all([endpoint.close(), endpoint[Symbol.asyncDispose]()]);
    await until(() => codes.length === 2);
    expect([codes, echo.closed, server.listenerCount('upgrade')]).toEqual([[1012, 1012], 1, 0]);
    expect(debug.active()).toHaveLength(alive);
  });
});

it('a session goes on only with the principal that began it', async () => {
  let count = 0;
  const { scene } = await serve({ verify: () => (count++ === 0 ? 'anna' : 'boris') });
  const transport = scene.dial();
  const errors: unknown[] = [];
  transport.onerror = (error) => errors.push(error);
  await transport.start();
  scene.proxy.cutAll();
  await transport.over;
  expect(errors).toMatchObject([{ code: 'unauthorized', closeCode: 4403 }]);
});

it('who is refused when it comes back is out', async () => {
  let count = 0;
  const { scene } = await serve({ verify: () => (count++ === 0 ? 'anna' : undefined) });
  const transport = scene.dial();
  const errors: unknown[] = [];
  transport.onerror = (error) => errors.push(error);
  await transport.start();
  scene.proxy.cutAll();
  await transport.over;
  expect(errors).toMatchObject([{ code: 'unauthorized', status: 401 }]);
});

it('connect: whatever takes the transport', async () => {
  const echo = new Echo();
  const { scene } = await serve({ connect: ({ transport }) => echo.connect(transport) });
  const transport = scene.dial();
  await transport.start();
  expect(await ask(transport)).toMatchObject({ id: 1, result: {} });
});

it('noServer: upgrades that somebody else routes', async () => {
  const server = http.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = serveMcp({ noServer: true, factory: () => new Echo() });
  server.on('upgrade', (...args) => endpoint.handleUpgrade(...args));
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const transport = new WebSocketClientTransport(url, { session: QUICK });
  await transport.start();
  expect(await ask(transport)).toMatchObject({ id: 1 });
  await transport.close();
  await endpoint.close();
  server.close();
});

it('its signal closes it', async () => {
  const controller = new AbortController();
  const { scene } = await serve({ signal: controller.signal });
  expect(await answerTo(scene, ['mcp'])).toBe('mcp');
  controller.abort();
  await until(() => scene.endpoint.stats().plain === 0);
  const aborted = serveMcp({ noServer: true, factory: () => new Echo(), signal: controller.signal });
  expect(await outcomeOf(aborted.close())).toBeUndefined();
});

it('options that contradict each other -> TypeError, and nothing is left', () => {
  const alive = debug.active().length;
  const factory = () => new Echo();
  expect(() => serveMcp({ noServer: true })).toThrow(TypeError);
  expect(() => serveMcp({ noServer: true, factory, connect: factory })).toThrow(TypeError);
  expect(() => serveMcp({ factory })).toThrow(TypeError);
  expect(() => serveMcp({ noServer: true, server: http.createServer(), factory })).toThrow(TypeError);
  const server = http.createServer();
  expect(() => serveMcp({ server, factory, windowMs: 0 })).toThrow(RangeError);
  expect(server.listenerCount('upgrade')).toBe(0);
  expect(debug.active()).toHaveLength(alive);
});
