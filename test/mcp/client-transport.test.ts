// The end that dials, over real sockets: how it begins, and after what it is over.
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { debug } from '../../src/agent/debug.js';
import { environment as machine } from '../../src/agent/environment.js';
import type { WebSocketClass } from '../../src/agent/socket-link.js';
import { ClientTransport } from '../../src/mcp/client-transport.js';
import type { McpEndpointOptions } from '../../src/mcp/endpoint-options.js';
import { WebSocketClientTransport } from '../../src/mcp/index.js';
import type { McpTransport } from '../../src/mcp/transport.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { type McpScene, QUICK, setScene } from '../support/mcp-scene.js';
import { outcomeOf } from '../support/session-stage.js';
import { until } from '../support/tcp.js';

const request = (id: number, params: object = {}) =>
  ({ jsonrpc: '2.0', id, method: 'echo', params }) as const;
const disposals: (() => unknown)[] = [];

afterEach(async () => {
  for (const dispose of disposals.splice(0).reverse()) await dispose();
});

/** Notes what the user of a transport is told. */
function listen(transport: McpTransport) {
  const log = { messages: [] as unknown[], errors: [] as string[], closed: 0 };
  transport.onmessage = (message) => void log.messages.push(message);
  transport.onerror = ({ message }) => log.errors.push(message);
  transport.onclose = () => {
    log.closed++;
  };
  return log;
}

/** A server whose transports the test holds in its hands. */
async function setUp(options: Partial<McpEndpointOptions> = {}) {
  const transports: McpTransport[] = [];
  const logs: ReturnType<typeof listen>[] = [];
  const scene = await setScene({
    connect: ({ transport }) => {
      transports.push(transport);
      logs.push(listen(transport));
      return transport.start();
    },
    ...options,
  });
  disposals.push(() => scene.close());
  return { scene, transports, logs };
}

async function open(scene: McpScene, options: Parameters<McpScene['dial']>[0] = {}) {
  const transport = scene.dial(options);
  const log = listen(transport);
  await transport.start();
  return { transport, log };
}

describe('opening', () => {
  it('address and headers, asked for at every connection', async () => {
    const seen: unknown[] = [];
    const { scene } = await setUp({
      verify: ({ url, headers }) => {
        seen.push([url, headers['x-count']]);
        return 'anna';
      },
    });
    let count = 0;
    const transport = new WebSocketClientTransport(async () => `${scene.url}${++count}`, {
      headers: async () => ({ 'x-count': String(count) }),
      session: QUICK,
    });
    await transport.start();
    scene.proxy.cutAll();
    await until(() => scene.endpoint.stats().resumed === 1);
    expect(seen).toEqual([
      ['/1', '1'],
      ['/2', '2'],
    ]);
    await transport.close();
  });

  it('no URL -> TypeError', () => {
    expect(() => new WebSocketClientTransport('nowhere')).toThrow(TypeError);
  });

  it('refused -> start() rejects with the status, and nothing is left', async () => {
    const { scene } = await setUp({ verify: () => false });
    const alive = debug.active().length;
    const transport = scene.dial();
    const log = listen(transport);
    await expect(transport.start()).rejects.toMatchObject({ code: 'unauthorized', status: 401 });
    expect(log).toEqual({ messages: [], errors: [], closed: 1 });
    expect(debug.active()).toHaveLength(alive);
  });

  it('nobody there -> start() rejects; it is not tried again', async () => {
    const { scene } = await setUp();
    await scene.proxy.close();
    await expect(scene.dial().start()).rejects.toThrow(/^the connection failed: .*ECONNREFUSED/);
  });

  it('nobody answers -> start() rejects in time', async () => {
    const silent = net.createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    disposals.push(() => silent.close());
    const { port } = silent.address() as net.AddressInfo;
    const transport = new WebSocketClientTransport(`ws://127.0.0.1:${port}`, {
      session: { connectTimeoutMs: 50 },
    });
    await expect(transport.start()).rejects.toMatchObject({ name: 'SessionError' });
  });

  it('closed while it opens -> start() rejects, onclose', async () => {
    const { scene } = await setUp();
    const transport = scene.dial();
    const log = listen(transport);
    const starting = transport.start();
    await transport.close();
    expect(await outcomeOf(starting)).toBe('closed');
    expect(log.closed).toBe(1);
  });
});

describe.each([true, false])('resume: %s', (resume) => {
  it('its signal ends it', async () => {
    const { scene, logs } = await setUp();
    const controller = new AbortController();
    const { transport, log } = await open(scene, { resume, signal: controller.signal });
    controller.abort();
    await transport.over;
    expect(log.closed).toBe(1);
    await until(() => logs[0]?.closed === 1);
    expect(await outcomeOf(scene.dial({ resume, signal: controller.signal }).start())).toBe('aborted');
  });

  it('its signal gives opening up', async () => {
    const { scene } = await setUp();
    const controller = new AbortController();
    const starting = scene.dial({ resume, signal: controller.signal }).start();
    controller.abort();
    await expect(starting).rejects.toMatchObject({ name: 'SessionError' });
  });

  it('a message larger than the server takes -> 1009, and both ends are over', async () => {
    const { scene, logs } = await setUp({ maxMessageBytes: 1000 });
    const { transport, log } = await open(scene, { resume });
    await transport.send(request(1, { text: 'x'.repeat(1000) }));
    await transport.over;
    expect(log).toEqual({ messages: [], errors: [expect.stringContaining('1009')], closed: 1 });
    await until(() => logs[0]!.closed === 1);
    expect(scene.endpoint.stats()).toMatchObject({ attached: 0, detached: 0, plain: 0 });
  });

  it('a message larger than it takes itself -> 1009, and both ends are over', async () => {
    const { scene, transports, logs } = await setUp();
    const { transport, log } = await open(scene, { resume, maxMessageBytes: 1000 });
    await until(() => transports.length === 1);
    await transports[0]!.send(request(1, { text: 'x'.repeat(1000) }));
    await transport.over;
    expect(log).toMatchObject({ messages: [], closed: 1 });
    expect(log.errors).toHaveLength(1);
    await until(() => logs[0]!.closed === 1);
  });

  it('a server that drains: what is in flight finishes, then it is over, and no connection is made', async () => {
    const { scene, transports, logs } = await setUp();
    const { transport, log } = await open(scene, { resume });
    await transport.send(request(1));
    await until(() => logs[0]?.messages.length === 1);
    const drained = scene.endpoint.drain({ spreadMs: 0 });
    // Nothing is told to a plain client.
    if (resume) await until(() => transport.isDraining);
    expect(log.closed).toBe(0);
    const response = { jsonrpc: '2.0', id: 1, result: {} } as const;
    await transports[0]!.send(response);
    await transport.over;
    expect(log).toEqual({ messages: [response], errors: [], closed: 1 });
    expect(await drained).toMatchObject({ cut: 0 });
    expect(scene.proxy.stats().connections).toBe(1);
  });

  it('what does not finish until the deadline -> cut off, over, and no connection is made', async () => {
    const { scene, logs } = await setUp();
    const { transport, log } = await open(scene, { resume });
    await transport.send(request(1));
    await until(() => logs[0]?.messages.length === 1);
    expect(await scene.endpoint.drain({ spreadMs: 0, deadlineMs: 200 })).toMatchObject({ cut: 1 });
    await transport.over;
    expect(log).toEqual({ messages: [], errors: [expect.stringContaining('1012')], closed: 1 });
    expect(scene.proxy.stats().connections).toBe(1);
  });
});

it('a server that was started again does not know the session -> onerror, onclose', async () => {
  const first = await setUp();
  const second = await setUp();
  const { transport, log } = await open(first.scene);
  first.scene.proxy.target = { port: second.scene.proxy.address.port };
  first.scene.proxy.cutAll();
  await transport.over;
  expect(log).toEqual({
    messages: [],
    errors: [expect.stringContaining('no longer has the session')],
    closed: 1,
  });
  // And the session that took its place is ended, too.
  await until(
    () => second.scene.endpoint.stats().created === 1 && second.scene.endpoint.sessions.length === 0,
  );
  // Where the session still waits for its client.
  for (const session of first.scene.endpoint.sessions) session.terminate();
});

it('a server that resumed and does not any more -> onerror, onclose', async () => {
  const { scene } = await setUp();
  const { transport, log } = await open(scene);
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  disposals.push(() => server.close());
  await once(server, 'listening');
  scene.proxy.target = { port: (server.address() as net.AddressInfo).port };
  scene.proxy.cutAll();
  await transport.over;
  expect(log).toEqual({ messages: [], errors: [expect.stringContaining('4400')], closed: 1 });
});

describe('a server that is away', () => {
  /** With a clock that can be moved forward. */
  async function away() {
    const { scene, transports } = await setUp();
    let aheadMs = 0;
    const environment = { ...machine, now: () => machine.now() + aheadMs };
    const WebSocketClass = WebSocket as unknown as WebSocketClass;
    const transport = new ClientTransport(WebSocketClass, scene.url, { session: QUICK }, environment);
    const log = listen(transport);
    disposals.push(() => transport.close());
    await transport.start();
    const attempt = async (): Promise<void> => {
      const { refused } = scene.proxy.stats();
      await until(() => transport.isOver || scene.proxy.stats().refused > refused);
    };
    /** Loses the connection; it cannot come back, so much time passes, and it cannot come back still. */
    const lose = async (ms: number): Promise<void> => {
      scene.proxy.refuse(true);
      scene.proxy.cutAll();
      await attempt();
      aheadMs += ms;
      await attempt();
      await attempt();
    };
    return { scene, transports, transport, log, lose };
  }

  it('for two minutes -> it is over', async () => {
    const { transport, log, lose } = await away();
    await lose(120_000);
    await transport.over;
    expect(log).toEqual({
      messages: [],
      errors: [expect.stringContaining('the connection failed')],
      closed: 1,
    });
  });

  it('again and again, and each time for less -> it goes on', async () => {
    const { scene, transports, transport, log, lose } = await away();
    for (const times of [1, 2]) {
      await lose(100_000);
      scene.proxy.refuse(false);
      await transports[0]!.send({ jsonrpc: '2.0', method: 'tick' });
      await until(() => transport.isOver || log.messages.length === times);
    }
    expect(log).toMatchObject({ errors: [], closed: 0 });
    expect(scene.endpoint.stats()).toMatchObject({ created: 1, resumed: 2 });
  });
});
