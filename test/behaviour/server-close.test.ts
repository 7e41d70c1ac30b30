// WebSocketServer.close() in its three modes.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { cast, portOf, urlOf } from '../support/cast.js';
import { called, next, record, turn } from '../support/events.js';
import { connectRaw, exchange, upgradeRequest } from '../support/raw-peer.js';
import { behaviour, type Package } from './implementations.js';

behaviour('server close', ({ ws: WebSocket }) => {
  const { atEnd, client, pair, server } = cast(WebSocket);

  async function foreignServer(
    options: object = {},
  ): Promise<{ foreign: http.Server; wss: Package; url: string }> {
    const foreign = http.createServer().listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    atEnd(foreign, () => foreign.close());
    const wss = new WebSocket.WebSocketServer({ server: foreign, ...options });
    return { foreign, wss, url: `ws://127.0.0.1:${(foreign.address() as AddressInfo).port}` };
  }

  it('port -> stops listening; the callback is called once, without arguments, at "close"', async () => {
    const wss = await server();
    const port = portOf(wss);
    const log = record(wss, 'close');
    let isSynchronous = true;
    const result = called((callback) => {
      expect(wss.close((...args: unknown[]) => callback(isSynchronous, args))).toBeUndefined();
    });
    isSynchronous = false;
    expect(await result).toEqual([false, []]);
    expect(log).toEqual([['close']]);
    await expect(exchange(port, upgradeRequest())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('port -> clients are left alone, and "close" waits for them', async () => {
    const { wss, client: socket, server: peer } = await pair();
    const log = record(wss, 'close');
    wss.close();
    const echoed = next(socket, 'message');
    peer.on('message', (data: Buffer) => peer.send(data));
    socket.send('still there');
    expect(String((await echoed)[0])).toBe('still there');
    expect([log, peer.readyState]).toEqual([[], WebSocket.OPEN]);
    const closed = next(wss, 'close');
    socket.close();
    await closed;
    expect(log).toEqual([['close']]);
  });

  it('port, closed before it listens -> "close"', async () => {
    const wss = new WebSocket.WebSocketServer({ port: 0, host: '127.0.0.1' });
    expect(await called((callback) => wss.close(callback))).toEqual([]);
  });

  it('port, http server with an "error" after close -> not forwarded', async () => {
    const wss = await server();
    const http = wss._server;
    const log = record(wss, 'error');
    const closed = next(wss, 'close');
    wss.close();
    http.on('error', () => {});
    http.emit('error', new Error('late'));
    await closed;
    expect(log).toEqual([]);
  });

  it('server, no clients -> "close" in the next tick; the foreign server goes on without our listeners', async () => {
    const { foreign, wss } = await foreignServer();
    const counts = () => ['listening', 'error', 'upgrade'].map((event) => foreign.listenerCount(event));
    const before = counts();
    let isSynchronous = true;
    const result = called((callback) => wss.close(() => callback(isSynchronous)));
    expect(counts()).toEqual(before.map((count) => count - 1));
    isSynchronous = false;
    expect(await result).toEqual([false]);
    expect(foreign.listening).toBe(true);
  });

  it('server, with clients -> "close" when the last is gone', async () => {
    const { wss, url } = await foreignServer();
    const connection = next(wss, 'connection');
    const socket = client(url);
    await next(socket, 'open');
    const [peer] = await connection;
    const log: string[] = [];
    wss.close(() => log.push('callback'));
    peer.on('close', () => log.push('client'));
    for (let i = 0; i < 5; i++) await turn();
    expect(log).toEqual([]);
    const closed = next(wss, 'close');
    socket.terminate();
    await closed;
    expect(log).toEqual(['client', 'callback']);
  });

  it('server, clientTracking false, with clients -> "close" in the next tick', async () => {
    const { wss, url } = await foreignServer({ clientTracking: false });
    await next(client(url), 'open');
    expect(await called((callback) => wss.close(callback))).toEqual([]);
  });

  it('noServer -> the same as a foreign server', async () => {
    const wss = new WebSocket.WebSocketServer({ noServer: true });
    let isSynchronous = true;
    const result = called((callback) => wss.close(() => callback(isSynchronous)));
    isSynchronous = false;
    expect(await result).toEqual([false]);
  });

  it('close() twice while it is closing -> both callbacks at one "close"', async () => {
    const { wss, client: socket } = await pair();
    const log = record(wss, 'close');
    const order: string[] = [];
    wss.close((error: unknown) => order.push(`first ${error}`));
    wss.close((error: unknown) => order.push(`second ${error}`));
    const closed = next(wss, 'close');
    socket.close();
    await closed;
    expect(order).toEqual(['first undefined', 'second undefined']);
    expect(log).toEqual([['close']]);
  });

  it('close() on a closed server -> the callback gets an error, and "close" is emitted again', async () => {
    for (const wss of [await server(), new WebSocket.WebSocketServer({ noServer: true })]) {
      const log = record(wss, 'close');
      let calls = 0;
      await called((callback) => wss.close(() => callback(calls++)));
      let isSynchronous = true;
      const result = called((callback) => wss.close((error: Error) => callback(isSynchronous, error)));
      isSynchronous = false;
      expect(await result).toEqual([false, new Error('The server is not running')]);
      expect(log).toHaveLength(2);
      const again = next(wss, 'close');
      wss.close();
      expect(await again).toEqual([]);
      expect(calls).toBe(1);
    }
  });

  it('port, a connection that was accepted before but asks after close() -> not upgraded', async () => {
    const wss = await server();
    const url = urlOf(wss);
    const first = await connectRaw(portOf(wss));
    let connections = 0;
    wss.on('connection', () => connections++);
    wss.close();
    const [error] = await next(client(url), 'error');
    expect(error.code).toBe('ECONNREFUSED');
    expect(connections).toBe(0);
    first.socket.destroy();
  });
});
