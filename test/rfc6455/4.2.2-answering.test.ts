// RFC 6455 §4.2.2, §10.2 and §10.7: what a server answers where it does not simply accept, and what it does with
// handshakes that it gives up. The checks themselves are tested with `protocol/server-handshake.ts`.
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from '../../src/ws/websocket.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import type { Package } from '../behaviour/implementations.js';
import { cast, portOf } from '../support/cast.js';
import { next } from '../support/events.js';
import { connectRaw, exchange, upgradeRequest } from '../support/raw-peer.js';

const { atEnd, server } = cast(Object.assign(class extends WebSocket {}, { WebSocketServer }));

const OWN = 'https://own.example';

describe('origin', () => {
  const verifyClient = ({ origin }: Package, verdict: Package): void =>
    verdict(origin === OWN, 403, 'Not from there');

  it('[RFC6455-4.2.2-5] [RFC6455-10.2-1] server, Origin that its application wants -> accepted', async () => {
    const wss = await server({ verifyClient });
    const peer = await connectRaw(portOf(wss), { headers: { Origin: OWN } });
    expect(peer.head.startLine).toMatch(/ 101 /);
    peer.socket.destroy();
  });

  it.each(['https://other.example', undefined])(
    '[RFC6455-4.2.2-5] [RFC6455-4.2.2-6] [RFC6455-10.2-2] server, Origin %s that it does not -> 403, and the end',
    async (Origin) => {
      const wss = await server({ verifyClient });
      const answer = await exchange(portOf(wss), upgradeRequest({ headers: { Origin } }));
      expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
      expect(answer).toMatch(/\r\n\r\nNot from there$/);
    },
  );
});

describe('service', () => {
  it('[RFC6455-4.2.2-8] server with a path, request for another -> an HTTP error, and the end', async () => {
    const wss = await server({ path: '/chat' });
    expect(await exchange(portOf(wss), upgradeRequest({ path: '/other' }))).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\nConnection: close\r\n/,
    );
    const peer = await connectRaw(portOf(wss), { path: '/chat?room=1' });
    expect(peer.head.startLine).toMatch(/ 101 /);
    peer.socket.destroy();
  });
});

describe('handshakes that do not come to anything', () => {
  it.each([
    ['bytes that are no HTTP', 400, '\x00\x01\x02\r\n\r\n'],
    ['a frame', 400, '\x81\x85\x01\x02\x03\x04abcde\r\n\r\n'],
    ['a header name with a space', 400, upgradeRequest({ headers: { 'A b': 'c' } })],
    ['POST', 405, upgradeRequest({ method: 'POST', headers: { 'Content-Length': '0' } })],
    ['no key', 400, upgradeRequest({ headers: { 'Sec-WebSocket-Key': undefined } })],
    ['no Upgrade', 426, upgradeRequest({ headers: { Upgrade: undefined, Connection: 'close' } })],
  ])('[RFC6455-10.7-4] server, %s -> %i, and the end', async (_, status, request) => {
    const wss = await server();
    expect(await exchange(portOf(wss), request)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it.each([
    ['has said nothing', ''],
    ['is in the middle of its request', upgradeRequest().slice(0, 40)],
    ['waits for a verdict', upgradeRequest()],
  ])(
    '[RFC6455-7.2.2-1] server, is closed while a client %s -> the connection too, without a byte',
    async (_, sent) => {
      const wss = await server({ verifyClient: (_info: Package, _verdict: Package) => {} });
      const socket = atEnd(net.connect(portOf(wss), '127.0.0.1'), (it) => it.destroy());
      const received: Buffer[] = [];
      socket.on('data', (bytes: Buffer) => received.push(bytes));
      const closed = next(socket, 'close');
      const [accepted] = (await next(wss._server, 'connection')) as [net.Socket];
      socket.write(sent);
      while (accepted.bytesRead < sent.length) await new Promise((resolve) => setImmediate(resolve));
      await wss.close({ timeoutMs: 0 });
      await closed;
      expect(received).toEqual([]);
    },
  );
});
