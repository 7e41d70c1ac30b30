import { once } from 'node:events';
import { createServer } from 'node:https';
import { type AddressInfo, Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { lendCopy } from '../../src/io/lent-memory.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js';

const tlsSocket = () => new TLSSocket(new Socket());
const payload = Buffer.from('payload');

describe('lendCopy', () => {
  it('a TLS socket -> a copy; the memory serves again once the write has ended, and not before', () => {
    const socket = tlsSocket();
    const first = lendCopy(payload, socket)!;
    const second = lendCopy(Buffer.from('other'), socket)!;
    expect([String(first.bytes), String(second.bytes)]).toEqual(['payload', 'other']);
    expect(second.bytes.buffer).not.toBe(first.bytes.buffer);
    first.callback(null);
    const third = lendCopy(Buffer.alloc(16 * 1024, 'x'), socket)!;
    expect(third.bytes.buffer).toBe(first.bytes.buffer);
    expect(third.bytes.length).toBe(16 * 1024);
    expect(String(second.bytes)).toBe('other');
    second.callback();
    third.callback();
  });

  it('a write that failed, or whose socket is destroyed -> the memory is given up', () => {
    const isLentAgain = (buffer: unknown) => {
      const all = Array.from({ length: 100 }, () => lendCopy(payload, tlsSocket())!);
      return all.some(({ bytes }) => bytes.buffer === buffer);
    };
    const failed = lendCopy(payload, tlsSocket())!;
    failed.callback(new Error('write EPIPE'));
    expect(isLentAgain(failed.bytes.buffer)).toBe(false);
    const socket = tlsSocket();
    const cut = lendCopy(payload, socket)!;
    socket.destroy();
    cut.callback(null);
    expect(isLentAgain(cut.bytes.buffer)).toBe(false);
  });

  it('the listener hears of the end of its write, once', () => {
    const heard: unknown[] = [];
    const error = new Error('write EPIPE');
    const lent = lendCopy(payload, tlsSocket())!;
    lent.listener = (outcome) => heard.push(outcome);
    lent.callback(null);
    const again = lendCopy(payload, tlsSocket())!;
    expect(again).toBe(lent);
    again.callback(null);
    const failing = lendCopy(payload, tlsSocket())!;
    failing.listener = (outcome) => heard.push(outcome);
    failing.callback(error);
    expect(heard).toEqual([null, error]);
  });

  it('any other stream, a replaced write(), too many bytes -> undefined', () => {
    const replaced = tlsSocket();
    replaced.write = () => true;
    for (const socket of [new Socket(), new PassThrough(), replaced]) {
      expect(lendCopy(payload, socket)).toBeUndefined();
    }
    expect(lendCopy(Buffer.alloc(16 * 1024 + 1), tlsSocket())).toBeUndefined();
  });
});

it('many connections over TLS, messages of every size in bursts -> each gets its own back', async () => {
  const server = createServer({ key: PRIVATE_KEY, cert: CERTIFICATE });
  const wss = new WebSocketServer({ server });
  wss.on('connection', (socket: WebSocket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `wss://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sizes = [0, 1, 125, 126, 1000, 8192, 8193, 16_000, 16_380, 16_384, 20_000, 100, 70_000, 3];
  await Promise.all(
    Array.from({ length: 6 }, async (_, id) => {
      const client = new WebSocket(url, { ca: CERTIFICATE });
      await once(client, 'open');
      const sent = Array.from({ length: 60 }, (_, i) =>
        Buffer.alloc(sizes[(i + id) % sizes.length]!, `${id}.${i} `),
      );
      for (const message of sent) client.send(message);
      const received: Buffer[] = [];
      client.on('message', (data: Buffer) => {
        received.push(data);
        if (received.length === sent.length) client.close(1000);
      });
      await once(client, 'close');
      expect(received.length).toBe(sent.length);
      expect(received.every((message, i) => message.equals(sent[i]!))).toBe(true);
    }),
  );
  wss.close();
  server.close();
});
