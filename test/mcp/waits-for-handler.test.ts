// A relay takes the next message when it is done with the one before, and the peer's messages stay where they are.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type JsonRpcMessage, serveMcp, WebSocketClientTransport } from '../../src/mcp/index.js';
import type { WebSocketServerTransport } from '../../src/mcp/server-transport.js';

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Both ends; the server's does nothing yet. */
async function connect(resume: boolean) {
  const http = createServer().listen(0, '127.0.0.1');
  await once(http, 'listening');
  let endpoint!: ReturnType<typeof serveMcp>;
  const come = new Promise<WebSocketServerTransport>((resolve) => {
    endpoint = serveMcp({
      server: http,
      connect: ({ transport }) => resolve(transport),
      heartbeat: { intervalMs: 20, timeoutMs: 20 },
    });
  });
  ends.push(() => endpoint.close().then(() => http.close()));
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/`;
  const client = new WebSocketClientTransport(url, { resume, socketOptions: { perMessageDeflate: false } });
  ends.push(() => client.close());
  await client.start();
  return { client, server: await come, endpoint };
}

const numbered = (n: number, length = 0): JsonRpcMessage => ({
  jsonrpc: '2.0',
  method: 'notifications/n',
  params: { n, text: 'x'.repeat(length) },
});
const numberOf = ({ params }: JsonRpcMessage): number => (params as { n: number }).n;

/** A handler that takes the next message when it is told to, and the numbers that it got. */
function slowHandler(transport: { waitsForHandler: boolean; onmessage?: unknown }) {
  const got: number[] = [];
  let finish = (): void => {};
  transport.waitsForHandler = true;
  transport.onmessage = (message: JsonRpcMessage) => {
    got.push(numberOf(message));
    return new Promise<void>((resolve) => {
      finish = resolve;
    });
  };
  // Otherwise it would not see the other end close.
  ends.push(() => finish());
  return { got, finish: () => finish() };
}

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 5));

describe.each([
  ['a session', true],
  ['a plain connection', false],
])('%s', (_, resume) => {
  it('one message at a time, in order', async () => {
    const { client, server } = await connect(resume);
    const { got, finish } = slowHandler(server);
    await server.start();
    for (let n = 1; n <= 5; n++) await client.send(numbered(n));
    for (let n = 1; n <= 5; n++) {
      await turn();
      expect(got.length).toBe(n);
      finish();
    }
    expect(got).toEqual([1, 2, 3, 4, 5]);
  });

  it('a handler that is not done -> in time the peer has to wait; then it goes on', async () => {
    const { client, server } = await connect(resume);
    const { got, finish } = slowHandler(server);
    await server.start();
    let sent = 0;
    const sending = (async () => {
      for (let n = 1; n <= 64; n++) {
        await client.send(numbered(n, 2 ** 20));
        sent++;
      }
    })();
    // Until nothing moves any more.
    for (let former = -1; former !== sent; await new Promise((resolve) => setTimeout(resolve, 300)))
      former = sent;
    expect([got, sent < 64]).toEqual([[1], true]);
    while (got.length < 64) {
      finish();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await sending;
    expect(got).toEqual(Array.from({ length: 64 }, (_, i) => i + 1));
  });

  it('the peer ends it meanwhile -> what came before is handed over, the end last', async () => {
    const { client, server } = await connect(resume);
    const { got, finish } = slowHandler(client);
    const log: string[] = [];
    client.onclose = () => log.push(`closed after ${got.length}`);
    await server.start();
    for (let n = 1; n <= 3; n++) await server.send(numbered(n));
    const closing = server.close();
    for (let n = 1; n <= 3; n++) {
      await turn();
      expect(log).toEqual([]);
      finish();
    }
    await closing;
    await client.over;
    expect(log).toEqual(['closed after 3']);
  });

  it('the end comes while messages wait -> these first', async () => {
    const { client, server } = await connect(resume);
    const { got, finish } = slowHandler(client);
    await server.start();
    for (let n = 1; n <= 3; n++) await server.send(numbered(n));
    await server.end(1008, 'enough');
    while (!client.isOver) {
      await turn();
      finish();
    }
    expect(got).toEqual([1, 2, 3]);
  });

  it('a handler that fails -> the next message comes all the same', async () => {
    const { client, server } = await connect(resume);
    const errors: unknown[] = [];
    const onUncaught = (error: unknown): number => errors.push(error);
    process.on('uncaughtException', onUncaught);
    ends.push(() => process.off('uncaughtException', onUncaught));
    const got: number[] = [];
    server.waitsForHandler = true;
    server.onmessage = async (message) => {
      got.push(numberOf(message));
      throw new Error('on purpose');
    };
    await server.start();
    for (let n = 1; n <= 2; n++) await client.send(numbered(n));
    while (got.length < 2) await turn();
    expect(got).toEqual([1, 2]);
  });

  it('without waitsForHandler -> nobody waits for what a handler returns', async () => {
    const { client, server } = await connect(resume);
    const got: number[] = [];
    server.onmessage = (message) => {
      got.push(numberOf(message));
      return new Promise<void>(() => {});
    };
    await server.start();
    for (let n = 1; n <= 3; n++) await client.send(numbered(n));
    while (got.length < 3) await turn();
  });
});

it('a plain connection that is not read for long -> the peer does not count as silent', async () => {
  const { client, server } = await connect(false);
  const { got, finish } = slowHandler(server);
  await server.start();
  await client.send(numbered(1));
  // More than the buffers on the way take: not even the peer's Pongs are read.
  const sending = client.send(numbered(2, 16 * 2 ** 20));
  await new Promise((resolve) => setTimeout(resolve, 2500));
  expect([got, server.isOver]).toEqual([[1], false]);
  while (got.length < 2) {
    finish();
    await turn();
  }
  await sending;
});
