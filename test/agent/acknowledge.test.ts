// Messages that the application acknowledges by itself: when, and how far.

import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ClientSession,
  connectSession,
  type ServerSession,
  SessionServer,
} from '../../src/agent/index.js';
import { next } from '../support/events.js';

describe("acknowledge: 'manual'", () => {
  let httpServer: http.Server;
  let server: SessionServer;
  let client: ClientSession;
  let session: ServerSession;

  beforeEach(async () => {
    httpServer = http.createServer().listen(0, '127.0.0.1');
    await next(httpServer, 'listening');
    server = new SessionServer({ server: httpServer, acknowledge: 'manual' });
    const begun = new Promise<ServerSession>((resolve) => server.once('session', resolve));
    client = connectSession(`ws://127.0.0.1:${(httpServer.address() as AddressInfo).port}`);
    session = await begun;
  });

  afterEach(async () => {
    client.terminate();
    await server.close();
    httpServer.close();
  });

  it.each([
    ['by its number', (number: number) => session.acknowledge(number)],
    ['as the last', () => session.acknowledge()],
  ])(
    'a listener acknowledges the message that it is given, %s -> the peer knows',
    async (_how, acknowledge) => {
      session.on('message', (_data, number) => acknowledge(number));
      await client.send('only one');
      await client.flush();
      expect(client.stats()).toMatchObject({ sent: 1, acknowledged: 1 });
    },
  );

  it('numbers that have not been handed over -> only what was handed over is acknowledged', async () => {
    const first = session[Symbol.asyncIterator]().next();
    await client.send('first');
    await client.send('second');
    await first;
    session.acknowledge(5);
    while (client.stats().acknowledged === 0) await new Promise((resolve) => setImmediate(resolve));
    expect([client.stats().acknowledged, session.received]).toEqual([1, 1]);
  });
});
