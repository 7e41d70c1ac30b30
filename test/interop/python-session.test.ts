// The Python client of examples/python against a real SessionServer, through a proxy that cuts: what was written from
// docs/session-protocol.md alone works with our own code. The Python half is in python/session_client.py.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setImmediate as nextTask } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { SessionServerOptions } from '../../src/agent/server-options.js';
import type { ServerSession } from '../../src/agent/server-session.js';
import { SessionServer } from '../../src/agent/session-server.js';
import type { CutMode, Directions } from '../../src/cli/fault-pipe.js';
import { FaultProxy } from '../../src/cli/fault-proxy.js';
import { requirement } from '../support/require.js';
import { run } from './install.js';

const PYTHON = '/usr/bin/python3';
const folder = join(__dirname, 'python');
const disposals: (() => unknown)[] = [];

afterEach(async () => {
  for (const dispose of disposals.splice(0).reverse()) await dispose();
});

async function listen(): Promise<{ http: Server; port: number }> {
  const http = createServer();
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  disposals.push(() => new Promise((resolve) => http.close(resolve)));
  return { http, port: (http.address() as AddressInfo).port };
}

function serve(server: Server, options: Omit<SessionServerOptions, 'server'> = {}): SessionServer {
  const sessions = new SessionServer({ server, ...options });
  disposals.push(() => sessions.close());
  return sessions;
}

/** A proxy that cuts one connection after the other, as the orders say. */
async function cuttingProxy(
  port: number,
  orders: { bytes: number; direction: Directions; how: CutMode }[],
): Promise<FaultProxy> {
  const proxy = new FaultProxy({ port });
  const left = orders.values();
  proxy.on('connection', () => {
    const order = left.next().value;
    if (order !== undefined) proxy.cutAfter(order.bytes, order.direction, order.how);
  });
  await proxy.listen();
  disposals.push(() => proxy.close());
  return proxy;
}

async function python(role: string, port: number, count: number, options: object = {}): Promise<unknown> {
  const url = `ws://127.0.0.1:${port}`;
  const args = [join(folder, 'session_client.py'), role, url, `${count}`, JSON.stringify(options)];
  const { code, stdout, stderr } = await run(PYTHON, args);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** As in the other half. */
function message(number: number): string | Uint8Array {
  const text = `${number} `.padEnd(100, '.');
  if (number % 5 === 0) return Buffer.from(text);
  return number % 3 === 0 ? `\u0001${text}` : text;
}

function plain(data: string | Uint8Array): unknown {
  return typeof data === 'string' ? data : { bytes: Buffer.from(data).toString() };
}

function messages(count: number): unknown[] {
  return Array.from({ length: count }, (_, i) => plain(message(i + 1)));
}

describe.runIf(requirement('python'))('SessionServer, the Python client', () => {
  /** Sends `count` messages to each session, and logs what comes, from the `idleUntil`th connection on. */
  function exchange(server: SessionServer, count: number, idleUntil = 1) {
    const log = { sessions: [] as ServerSession[], received: [] as unknown[] };
    server.on('session', async (session) => {
      log.sessions.push(session);
      let connections = 1;
      const listenWhenDue = (): void => {
        if (connections++ === idleUntil) session.on('message', (data) => log.received.push(plain(data)));
      };
      session.on('resumed', listenWhenDue);
      listenWhenDue();
      for (let number = 1; number <= count; number++) await session.send(message(number));
    });
    return log;
  }

  it('24 connections cut anywhere, handshakes included -> both logs are exactly 1…N', async () => {
    const count = 3000;
    const { http, port } = await listen();
    // Until an application takes its first message, each connection brings again what the one before has brought.
    const log = exchange(serve(http), count, 12);
    const orders = Array.from({ length: 24 }, (_, i) => ({
      bytes: 97 + ((i * 7919) % 6000),
      direction: 'both' as const,
      how: (['rst', 'fin'] as const)[i % 2]!,
    }));
    const proxy = await cuttingProxy(port, orders);
    const result = await python('exchange', proxy.address.port, count, { idle_until: 12 });
    expect(result).toEqual({ received: messages(count), lost: [] });
    expect(log.received).toEqual(messages(count));
    expect(log.sessions.map(({ state }) => state).at(-1)).toBe('closed');
    expect(proxy.stats().cut).toBe(24);
  }, 60_000);

  it('3 connections silent, the server does not notice -> the client takes over, both logs are exactly 1…N', async () => {
    const count = 1000;
    const { http, port } = await listen();
    const server = serve(http);
    const log = exchange(server, count);
    const orders = Array.from({ length: 3 }, (_, i) => ({
      bytes: 3000 + 5000 * i,
      direction: 'in' as const,
      how: 'blackhole' as const,
    }));
    const proxy = await cuttingProxy(port, orders);
    const result = await python('exchange', proxy.address.port, count);
    expect(result).toEqual({ received: messages(count), lost: [] });
    expect(log.received).toEqual(messages(count));
    expect(server.stats().resumed).toBe(3);
  }, 60_000);

  it.each([
    { name: 'one message', window: { messages: 1 } },
    { name: 'two messages by their bytes', window: { bytes: 250 } },
    { name: 'less than a message', window: { bytes: 50 } },
  ])(
    'window of $name -> the client waits for room, and never overruns a server that is slow',
    async ({ window }) => {
      const { http, port } = await listen();
      const received: unknown[] = [];
      serve(http).on('session', async (session) => {
        for (let number = 1; number <= 20; number++) session.send(message(number));
        for await (const data of session) {
          received.push(plain(data));
          await nextTask();
        }
      });
      expect(await python('exchange', port, 20, window)).toEqual({ received: messages(20), lost: [] });
      expect(received).toEqual(messages(20));
    },
  );

  it('S-25 acknowledged while it waits to be sent again -> kept until then', async () => {
    expect(await python('keep', 0, 4)).toEqual({ kept: ['2', '3', '4'] });
  });

  it('restart of the server -> the client tells what was not acknowledged, and begins a new session', async () => {
    const { http, port } = await listen();
    // In so small a window two messages are acknowledged at once.
    const first = serve(http, { queue: { maxMessages: 4 } });
    const second = new Promise<string>((resolve, reject) => {
      first.on('session', (session) => {
        // Two of three are taken.
        const loop = (async () => {
          const iterator = session[Symbol.asyncIterator]();
          await iterator.next();
          await iterator.next();
        })();
        loop.then(() => restart(http, first, resolve)).catch(reject);
      });
    });
    const result = python('lose', port, 3);
    expect(await second).toBe('after');
    expect(await result).toEqual({
      lost: [{ unacked: messages(3).slice(2), reason: 'unknown' }],
      received: ['welcome back'],
    });
  }, 60_000);

  it('refused by authentication -> the client stops', async () => {
    const { http, port } = await listen();
    serve(http, { authenticate: () => false });
    expect(await python('be_refused', port, 0)).toEqual({ code: 4401 });
  });

  it('the vectors of docs/ -> all as they say', async () => {
    const { code, stdout, stderr } = await run(PYTHON, [join(folder, 'session_vectors.py')]);
    expect(code, stderr).toBe(0);
    const { judged, wrong } = JSON.parse(stdout);
    expect(wrong).toEqual([]);
    expect(judged).toBeGreaterThan(100);
  });
});

/** Another server takes the place of the first one; it greets, waits for one message, and ends the session. */
async function restart(http: Server, first: SessionServer, onMessage: (text: string) => void): Promise<void> {
  await first.close();
  serve(http).on('session', async (session) => {
    await session.send('welcome back');
    for await (const data of session) {
      onMessage(String(data));
      break;
    }
    await session.close();
  });
}
