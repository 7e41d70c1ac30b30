// Clients over TLS: certificates and the server name.
import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import { cast } from '../support/cast.js';
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js';
import { next, record } from '../support/events.js';
import { behaviour } from './implementations.js';

behaviour('client over TLS', ({ ws: WebSocket }) => {
  const { atEnd, client } = cast(WebSocket);

  async function secureServer() {
    const server = https.createServer({ cert: CERTIFICATE, key: PRIVATE_KEY });
    const wss = new WebSocket.WebSocketServer({ server });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(server, () => server.close());
    return { wss, port: (server.address() as AddressInfo).port };
  }

  const lookup = (_name: string, { all }: { all?: boolean }, done: (...answer: unknown[]) => void) =>
    all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);

  it.each<[string, string, object, string | false]>([
    ['a name', 'localhost', {}, 'localhost'],
    ['an address', '127.0.0.1', {}, false],
    ['a name and servername', 'localhost', { servername: 'other.test' }, 'other.test'],
    ['a name and an empty servername', 'localhost', { servername: '' }, false],
    ['an address and servername', '127.0.0.1', { servername: 'other.test' }, 'other.test'],
  ])('%s -> the server name of the TLS handshake', async (_case, host, options, servername) => {
    const { wss, port } = await secureServer();
    const connection = next(wss, 'connection');
    const socket = client(`wss://${host}:${port}`, { rejectUnauthorized: false, lookup, ...options });
    await next(socket, 'open');
    const [, request] = await connection;
    expect((request.socket as TLSSocket).servername).toBe(servername);
    expect(socket.url).toBe(`wss://${host}:${port}/`);
  });

  it('ca -> the certificate is verified and messages pass', async () => {
    const { wss, port } = await secureServer();
    wss.on('connection', (peer: typeof WebSocket) => peer.send('hello'));
    const socket = client(`wss://127.0.0.1:${port}`, { ca: CERTIFICATE });
    const [data, isBinary] = await next(socket, 'message');
    expect([String(data), isBinary]).toEqual(['hello', false]);
    expect(socket._socket.authorized).toBe(true);
  });

  it('a certificate that is not trusted -> error with the code of node:tls, then close 1006', async () => {
    const { port } = await secureServer();
    const socket = client(`wss://127.0.0.1:${port}`);
    const log = record(socket, 'error', 'close');
    await next(socket, 'close');
    expect(log).toEqual([
      ['error', expect.objectContaining({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })],
      ['close', 1006, Buffer.alloc(0)],
    ]);
  });

  it('an https: address -> TLS', async () => {
    const { wss, port } = await secureServer();
    const connection = next(wss, 'connection');
    const socket = client(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    await next(socket, 'open');
    const [, request] = await connection;
    expect(request.socket.encrypted).toBe(true);
  });
});
