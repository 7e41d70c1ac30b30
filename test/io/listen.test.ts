// What becomes of connections to a server of our own before, and when, they have said something. That the requests are
// those of `node:http` is tested with `upgrade-request`, and from a client's side in `ws/websocket-server`.

import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { takeUpgrades } from '../../src/io/listen.js';
import { upgradeRequest } from '../support/raw-peer.js';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Listener {
  port: number;
  accepted: Promise<Socket>;
  upgraded: Promise<Socket>;
  plain: Promise<Socket>;
}

async function listen(): Promise<Listener> {
  const server = http.createServer();
  const upgraded = new Promise<Socket>((resolve) => {
    server.on('upgrade', () => expect.unreachable('taken by us'));
    takeUpgrades(server, (_request, socket) => resolve(socket));
  });
  const accepted = once(server, 'connection').then(([socket]) => socket as Socket);
  const plain = once(server, 'request').then(([request]) => (request as http.IncomingMessage).socket);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return { port: (server.address() as AddressInfo).port, accepted, upgraded, plain };
}

function connect(port: number): Socket {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  cleanups.push(() => socket.destroy());
  return socket;
}

function listenersOf(socket: Socket): Record<string, number> {
  return Object.fromEntries(['data', 'error', 'close'].map((type) => [type, socket.listenerCount(type)]));
}

describe('takeUpgrades()', () => {
  it('a client leaves without a word -> its connection is closed', async () => {
    const { port, accepted } = await listen();
    const client = connect(port);
    const socket = await accepted;
    client.resume().end();
    await Promise.all([once(client, 'end'), once(socket, 'close')]);
    expect(socket.destroyed).toBe(true);
  });

  it('an upgrade -> the socket is half-open as those of node:http are, without a listener of ours', async () => {
    const { port, upgraded } = await listen();
    connect(port).write(upgradeRequest());
    const socket = await upgraded;
    expect(socket.allowHalfOpen).toBe(true);
    expect(listenersOf(socket)).toEqual({ data: 0, error: 0, close: 0 });
    expect(socket.readableFlowing).toBeNull();
    socket.destroy();
  });

  it('another request -> node:http gets the socket, half-open', async () => {
    const { port, plain } = await listen();
    connect(port).write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const socket = await plain;
    expect(socket.allowHalfOpen).toBe(true);
    socket.destroy();
  });
});
