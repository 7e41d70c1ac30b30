// Attacks on a client's opening handshake (RFC 6455 §4.1): what a hostile or silent server can do with it.
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { Package } from '../behaviour/implementations.js';
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js';
import { next, thrownBy } from '../support/events.js';
import { acceptFor, acceptingResponse, type Head } from '../support/raw-peer.js';
import { stage } from './stage.js';

const { atEnd, client, rawServer } = stage();

/** What a client that cannot open says: the error's message and the close code. */
async function failureOf(socket: Package): Promise<{ message: string; code: number }> {
  const error = next(socket, 'error');
  const [code] = await next(socket, 'close');
  return { message: (await error)[0].message, code };
}

function redirectTo(location: string): string {
  return `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;
}

describe('B1: answers that are not to this request', () => {
  it('[RFC6455-4.1-24] client, several attempts -> a key of 16 bytes each, never the same', async () => {
    const raw = await rawServer();
    const keys = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const socket = client(raw.url);
      await next(socket, 'open');
      socket.terminate();
      const key = raw.requests[i]!.headers['sec-websocket-key']!;
      expect(Buffer.from(key, 'base64')).toHaveLength(16);
      keys.add(key);
    }
    expect(keys.size).toBe(20);
  });

  it.each([
    ['the answer to another key', (_request: Head) => acceptFor('dGhlIHNhbXBsZSBub25jZQ==')],
    ['the key itself', (request: Head) => request.headers['sec-websocket-key']],
    [
      'the right value in lower case',
      (request: Head) => acceptFor(request.headers['sec-websocket-key']!).toLowerCase(),
    ],
    [
      'the right value, cut short',
      (request: Head) => acceptFor(request.headers['sec-websocket-key']!).slice(0, -1),
    ],
    ['nothing', () => undefined],
  ])(
    '[RFC6455-4.1-38] client, Sec-WebSocket-Accept is %s -> the connection does not open',
    async (_name, accept) => {
      const raw = await rawServer((request) =>
        acceptingResponse(request, { 'Sec-WebSocket-Accept': accept(request) }),
      );
      expect(await failureOf(client(raw.url))).toEqual({
        message: 'Invalid Sec-WebSocket-Accept header',
        code: 1006,
      });
    },
  );

  it.each([
    ['Sec-WebSocket-Accept', (request: Head) => acceptFor(request.headers['sec-websocket-key']!)],
    ['Sec-WebSocket-Protocol', () => 'chat'],
  ])('client, two %s headers -> the connection does not open', async (name, value) => {
    const raw = await rawServer((request) =>
      acceptingResponse(request, {
        'Sec-WebSocket-Protocol': 'chat',
        [name.toLowerCase()]: value(request),
      }),
    );
    expect((await failureOf(client(raw.url, ['chat']))).code).toBe(1006);
  });

  it.each([
    ['no Upgrade', { Upgrade: undefined }],
    ['another Upgrade', { Upgrade: 'h2c' }],
    ['no Connection', { Connection: undefined }],
    ['Connection without the token', { Connection: 'keep-alive' }],
  ])('client, 101 with %s -> the connection does not open', async (_name, headers) => {
    const raw = await rawServer((request) => acceptingResponse(request, headers));
    expect((await failureOf(client(raw.url))).code).toBe(1006);
  });

  it('client, a redirect -> a new key for the second request', async () => {
    const second = await rawServer();
    const first = await rawServer(() => redirectTo(second.url));
    await next(client(first.url, { followRedirects: true }), 'open');
    const [one, two] = [first, second].map(({ requests }) => requests[0]!.headers['sec-websocket-key']);
    expect(two).not.toBe(one);
  });
});

describe('B2: a server that does not answer', () => {
  it('client with handshakeTimeout, silence -> error, 1006, and the socket is gone', async () => {
    const raw = await rawServer(() => null);
    const socket = client(raw.url, { handshakeTimeout: 50 });
    expect(await failureOf(socket)).toEqual({ message: 'Opening handshake has timed out', code: 1006 });
    await closeOf(raw.sockets[0]!);
  });

  it('client with handshakeTimeout, a response that trickles in for ever -> error, 1006', async () => {
    const raw = await rawServer((_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nX: ');
      const trickling = setInterval(() => socket.write('x'), 10);
      socket.on('close', () => clearInterval(trickling));
      return null;
    });
    const socket = client(raw.url, { handshakeTimeout: 100 });
    expect(await failureOf(socket)).toEqual({ message: 'Opening handshake has timed out', code: 1006 });
  }, 5000);

  it('client, close() while the server is silent -> error, 1006, and the socket is gone', async () => {
    let asked = () => {};
    const request = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const raw = await rawServer(() => {
      asked();
      return null;
    });
    const socket = client(raw.url);
    const failure = failureOf(socket);
    await request;
    socket.close();
    expect((await failure).code).toBe(1006);
    await closeOf(raw.sockets[0]!);
  });

  async function closeOf(socket: Package): Promise<void> {
    socket.end();
    if (!socket.closed) await next(socket, 'close');
  }
});

describe('B3: credentials on the way of a redirect', () => {
  const CREDENTIALS = { Authorization: 'Bearer secret', Cookie: 'session=secret' };

  it('client, redirect to another host -> Authorization and Cookie stay behind', async () => {
    const other = await rawServer();
    const first = await rawServer(() => redirectTo(other.url));
    await next(client(first.url, { followRedirects: true, headers: CREDENTIALS }), 'open');
    expect(first.requests[0]!.headers).toMatchObject({
      authorization: 'Bearer secret',
      cookie: 'session=secret',
    });
    expect(other.requests[0]!.text).not.toMatch(/secret/);
  });

  it('client, user and password in the URL, redirect to another host -> they stay behind', async () => {
    const other = await rawServer();
    const first = await rawServer(() => redirectTo(other.url));
    await next(client(first.url.replace('ws://', 'ws://user:pass@'), { followRedirects: true }), 'open');
    expect(first.requests[0]!.headers.authorization).toMatch(/^Basic /);
    expect(other.requests[0]!.headers.authorization).toBeUndefined();
  });

  it('client, redirect away and back again -> what stayed behind does not return to a third host', async () => {
    const last = await rawServer();
    const middle = await rawServer(() => redirectTo(last.url));
    const first = await rawServer(() => redirectTo(middle.url));
    await next(client(first.url, { followRedirects: true, headers: CREDENTIALS }), 'open');
    expect(middle.requests[0]!.text + last.requests[0]!.text).not.toMatch(/secret/);
  });

  it('client, redirect from wss to ws on the same host -> Authorization and Cookie stay behind', async () => {
    const plain = await rawServer();
    const secure = https.createServer({ cert: CERTIFICATE, key: PRIVATE_KEY });
    atEnd(secure, () => {
      secure.closeAllConnections();
      secure.close();
    });
    secure.on('upgrade', (_request, socket) => socket.end(redirectTo(plain.url)));
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const url = `wss://127.0.0.1:${(secure.address() as AddressInfo).port}`;
    await next(client(url, { followRedirects: true, headers: CREDENTIALS, ca: CERTIFICATE }), 'open');
    expect(plain.requests[0]!.text).not.toMatch(/secret/);
  });

  it('client, redirects without end -> error after the allowed number', async () => {
    const raw = await rawServer((request) => redirectTo(`ws://${request.headers.host}/again`));
    const failure = await failureOf(client(raw.url, { followRedirects: true, maxRedirects: 3 }));
    expect(failure).toEqual({ message: 'Maximum redirects exceeded', code: 1006 });
    expect(raw.requests).toHaveLength(4);
  });

  it.each(['ftp://127.0.0.1/', 'ws://[', 'javascript:0', 'file:///etc/passwd'])(
    'client, redirect to %s -> error, nothing is thrown',
    async (location) => {
      const raw = await rawServer(() => redirectTo(location));
      expect((await failureOf(client(raw.url, { followRedirects: true }))).code).toBe(1006);
    },
  );

  it('client, a redirect by default -> not followed', async () => {
    const other = await rawServer();
    const first = await rawServer(() => redirectTo(other.url));
    expect((await failureOf(client(first.url))).message).toBe('Unexpected server response: 302');
    expect(other.requests).toEqual([]);
  });
});

describe('B4: a hostile answer to permessage-deflate', () => {
  it.each([
    'permessage-deflate; server_max_window_bits=7',
    'permessage-deflate; server_max_window_bits=16',
    'permessage-deflate; server_max_window_bits=99',
    'permessage-deflate; server_max_window_bits=08',
    'permessage-deflate; server_max_window_bits=-1',
    'permessage-deflate; server_max_window_bits=1e1',
    'permessage-deflate; server_max_window_bits="15 "',
    'permessage-deflate; server_max_window_bits',
    'permessage-deflate; client_max_window_bits',
    'permessage-deflate; client_max_window_bits=0',
    'permessage-deflate; server_no_context_takeover=1',
    'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    'permessage-deflate; constructor',
    'permessage-deflate; unknown',
    'permessage-deflate, permessage-deflate',
    'permessage-deflate, x-other',
    'x-other',
    '__proto__',
    'permessage-deflate;',
    ';',
  ])('[RFC7692-7-2] client, "%s" -> error, 1006, nothing is thrown', async (answer) => {
    const raw = await rawServer((request) =>
      acceptingResponse(request, { 'Sec-WebSocket-Extensions': answer }),
    );
    expect((await failureOf(client(raw.url))).code).toBe(1006);
  });
});

describe('B6: answers of any size', () => {
  it('client, 200 with a body that never ends -> error, the socket is gone', async () => {
    const sent = { bytes: 0 };
    const raw = await rawServer((_request, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const body = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      const flood = () => {
        while (!socket.destroyed && socket.write(body)) sent.bytes += body.length;
      };
      socket.on('drain', flood);
      flood();
      return null;
    });
    const socket = client(raw.url);
    expect(await failureOf(socket)).toEqual({ message: 'Unexpected server response: 200', code: 1006 });
    const [peer] = raw.sockets;
    if (!peer!.closed) await next(peer!, 'close');
    expect(sent.bytes).toBeLessThan(32 * 1024 * 1024);
  });

  it.each([
    ['one header without end', 'x'.repeat(1024)],
    ['headers without end', `${'X: y\r\n'.repeat(100)}`],
  ])('client, %s -> error, 1006', async (_name, bytes) => {
    const raw = await rawServer((_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nX: ');
      const flood = () => {
        while (!socket.destroyed && socket.write(bytes));
      };
      socket.on('drain', flood);
      flood();
      return null;
    });
    expect((await failureOf(client(raw.url))).code).toBe(1006);
  });

  it('client, 101 with more fields than Node.js keeps in front of the others -> error, 1006, nothing is thrown', async () => {
    const raw = await rawServer((request) =>
      acceptingResponse(request).replace(
        '\r\n',
        `\r\n${Array.from({ length: 2010 }, (_, i) => `x${i}:\r\n`).join('')}`,
      ),
    );
    expect((await failureOf(client(raw.url))).code).toBe(1006);
  });
});

describe('B7: TLS', () => {
  /** A wss server that notes the server names it was asked for. */
  async function secureServer() {
    const names: (string | false | null)[] = [];
    const server = tls.createServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, (socket) => {
      names.push(socket.servername);
      socket.on('error', () => {});
      socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    });
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(server, () => server.close());
    return { names, port: (server.address() as AddressInfo).port };
  }

  it('[RFC6455-4.1-12] client, certificate that nobody vouches for -> error, no request is sent', async () => {
    const { names, port } = await secureServer();
    const socket = client(`wss://127.0.0.1:${port}`);
    const [error] = await next(socket, 'error');
    expect(error.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(names).toEqual([]);
  });

  it('client, certificate for another name -> error', async () => {
    const { port } = await secureServer();
    const socket = client(`wss://127.0.0.1:${port}`, { ca: CERTIFICATE, servername: 'other.example' });
    const [error] = await next(socket, 'error');
    expect(error.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('[RFC6455-4.1-14] client, host name -> it is the SNI', async () => {
    const { names, port } = await secureServer();
    await failureOf(client(`wss://localhost:${port}`, { ca: CERTIFICATE, family: 4 }));
    expect(names).toEqual(['localhost']);
  });

  it('client, IP address -> no SNI', async () => {
    const { names, port } = await secureServer();
    await failureOf(client(`wss://127.0.0.1:${port}`, { ca: CERTIFICATE }));
    expect(names).toEqual([false]);
  });
});

describe("A9, on the client's side: header fields that break out of their line", () => {
  const FORGED = 'a\r\nX-Forged: 1';

  it.each([
    ['a header', [{ headers: { 'X-Custom': FORGED } }]],
    ["a header's name", [{ headers: { 'X: 1\r\nX-Forged': '1' } }]],
    ['the origin', [{ origin: FORGED }]],
    ['a subprotocol', [FORGED]],
    ['a subprotocol among the options', [{ protocols: [FORGED] }]],
    ['Host', [{ headers: { Host: FORGED } }]],
  ])('client, CR LF in %s -> thrown, nothing is sent', async (_name, parameters) => {
    const raw = await rawServer();
    expect(thrownBy(() => client(raw.url, ...parameters))).toBeInstanceOf(Error);
    expect(raw.requests).toEqual([]);
  });

  it.each([
    ['Upgrade', { Upgrade: FORGED }],
    ['Connection', { Connection: FORGED }],
    ['Sec-WebSocket-Key', { 'Sec-WebSocket-Key': FORGED }],
  ])(
    'client, CR LF in its own %s header -> the handshake has its own, or it is thrown',
    async (_name, headers) => {
      const raw = await rawServer();
      await next(client(raw.url, { headers }), 'open');
      expect(raw.requests[0]!.text).not.toMatch(/Forged/);
    },
  );

  it('client, CR LF in the URL -> not in the request', async () => {
    const raw = await rawServer();
    await next(client(`${raw.url}/path\r\nX-Forged: 1`), 'open');
    expect(raw.requests[0]!.lines.join('\n')).not.toMatch(/Forged/);
    expect(http.METHODS).toContain(raw.requests[0]!.startLine.split(' ')[0]);
  });
});
