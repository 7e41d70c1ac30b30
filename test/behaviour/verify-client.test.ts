// verifyClient: its arities, its argument, and the responses it causes.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { cast, portOf, urlOf } from '../support/cast.js';
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js';
import { next } from '../support/events.js';
import { connectRaw, exchange, parseHead, upgradeRequest } from '../support/raw-peer.js';
import { behaviour, differs, type Package } from './implementations.js';

type Verdict = (isAccepted: unknown, code?: number, message?: string, headers?: object) => void;

const UNAUTHORIZED =
  'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\nUnauthorized';

behaviour('verifyClient', (implementation) => {
  const { ws: WebSocket } = implementation;
  const { atEnd, client, rawClient, server } = cast(WebSocket);

  async function answerTo(verifyClient: unknown): Promise<string> {
    const wss = await server({ verifyClient });
    // A reset, once it was accepted, is no answer of its own.
    wss.on('connection', (socket: Package) => socket._socket.end());
    return exchange(portOf(wss), upgradeRequest());
  }

  it.each<[string, unknown, boolean]>([
    ['one argument, true', (_info: object) => true, true],
    ['one argument, truthy', (_info: object) => 'yes', true],
    ['one argument, false', (_info: object) => false, false],
    ['one argument, undefined', (_info: object) => {}, false],
    ['no argument, true', () => true, true],
    ['no argument, false', () => false, false],
    ['rest arguments, true', (..._args: unknown[]) => true, true],
    ['three arguments, false', (_info: object, _second: unknown, _third: unknown) => false, false],
    ['two arguments, accepted', (_info: object, verdict: Verdict) => verdict(true), true],
    ['two arguments, truthy', (_info: object, verdict: Verdict) => verdict(1), true],
    ['two arguments, accepted later', (_info: object, verdict: Verdict) => setImmediate(verdict, true), true],
    ['two arguments, refused', (_info: object, verdict: Verdict) => verdict(false), false],
    [
      'two arguments, refused later',
      (_info: object, verdict: Verdict) => setImmediate(verdict, false),
      false,
    ],
    ['two arguments, its return value', refusingWithTrue, false],
  ])('%s -> accepted is decided', async (_case, verifyClient, isAccepted) => {
    const answer = await answerTo(verifyClient);
    if (isAccepted) expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    else expect(answer).toBe(UNAUTHORIZED);
  });

  it.each<[unknown[], string]>([
    [[false], UNAUTHORIZED],
    [
      [false, 404],
      'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\nNot Found',
    ],
    [
      [false, 403, 'no, € 5'],
      'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\nno, \xe2\x82\xac 5',
    ],
    [
      [false, 503, '', { 'Retry-After': 120 }],
      'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 19\r\nRetry-After: 120\r\n\r\nService Unavailable',
    ],
    [
      [false, 401, '{}', { 'Content-Type': 'application/json', 'WWW-Authenticate': 'Basic' }],
      'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\nWWW-Authenticate: Basic\r\n\r\n{}',
    ],
  ])('two arguments, verdict %j -> the exact response', async (verdict, response) => {
    const verifyClient = (_info: object, done: (...args: unknown[]) => void) => done(...verdict);
    expect(await answerTo(verifyClient)).toBe(response);
  });

  it.each<[string, object, string[], string[]]>([
    [
      'a name in another case',
      { 'content-type': 'text/plain' },
      ['Content-Type: text/html', 'content-type: text/plain'],
      ['content-type: text/plain'],
    ],
    [
      'an array',
      { 'Set-Cookie': ['a=b', 'c=d'] },
      ['Set-Cookie: a=b,c=d'],
      ['Set-Cookie: a=b', 'Set-Cookie: c=d'],
    ],
  ])('two arguments, headers with %s', async (_case, headers, inWs, inHawser) => {
    const verifyClient = (_info: object, verdict: Verdict) => verdict(false, 401, 'x', headers);
    const { lines } = parseHead((await answerTo(verifyClient)).split('\r\n\r\n')[0]!);
    const relevant = lines.filter((line) => /^(content-type|set-cookie):/i.test(line));
    const expected = differs(implementation, 'refusal-headers', { ws: inWs, hawser: inHawser });
    const withDefault = expected.some((line) => /^content-type/i.test(line))
      ? expected
      : ['Content-Type: text/html', ...expected];
    expect(relevant).toEqual(withDefault);
  });

  it('two arguments, a line break in a header', async () => {
    const verifyClient = (_info: object, verdict: Verdict) =>
      verdict(false, 401, 'x', { 'X-Added': 'a\r\nX-Forged: b' });
    const expected = differs(implementation, 'header-injection', {
      ws: /^HTTP\/1\.1 401 .*\r\nX-Forged: b\r\n/s,
      hawser: /^HTTP\/1\.1 500 Internal Server Error\r\n(?!.*X-Forged)/s,
    });
    expect(await answerTo(verifyClient)).toMatch(expected);
  });

  it('is called as a method of wss.options', async () => {
    const receivers: unknown[] = [];
    const { wss } = await rawClient({
      verifyClient(this: unknown) {
        return receivers.push(this);
      },
    });
    expect(receivers).toHaveLength(1);
    expect(receivers[0]).toBe(wss.options);
  });

  it('the argument -> origin, secure and req', async () => {
    const infos: Package[] = [];
    const verifyClient = (info: Package) => infos.push(info);
    const { req } = await rawClient({ verifyClient }, { headers: { Origin: 'https://example.test' } });
    expect(Object.keys(infos[0]).sort()).toEqual(['origin', 'req', 'secure']);
    expect([infos[0].origin, infos[0].secure]).toEqual(['https://example.test', false]);
    expect(infos[0].req).toBe(req);
    expect(infos[0].req).toBeInstanceOf(http.IncomingMessage);
  });

  it('version 8 -> origin is Sec-WebSocket-Origin', async () => {
    const infos: Package[] = [];
    const headers = { Origin: 'a', 'Sec-WebSocket-Origin': 'b', 'Sec-WebSocket-Version': '8' };
    await rawClient({ verifyClient: (info: Package) => infos.push(info) }, { headers });
    expect(infos[0].origin).toBe('b');
  });

  it('no Origin header -> origin is undefined', async () => {
    const infos: Package[] = [];
    await rawClient({ verifyClient: (info: Package) => infos.push(info) });
    expect(infos[0].origin).toBeUndefined();
  });

  it('TLS -> secure is true', async () => {
    const foreign = https.createServer({ cert: CERTIFICATE, key: PRIVATE_KEY }).listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    atEnd(foreign, () => foreign.close());
    const infos: Package[] = [];
    new WebSocket.WebSocketServer({ server: foreign, verifyClient: (info: Package) => infos.push(info) });
    const { port } = foreign.address() as AddressInfo;
    await next(client(`wss://127.0.0.1:${port}`, { rejectUnauthorized: false }), 'open');
    expect(infos[0].secure).toBe(true);
  });

  it('an earlier check fails -> not called', async () => {
    let calls = 0;
    const wss = await server({ verifyClient: () => ++calls, path: '/', perMessageDeflate: true });
    for (const request of [
      { path: '/other' },
      { headers: { 'Sec-WebSocket-Key': 'x' } },
      { headers: { 'Sec-WebSocket-Protocol': ',' } },
      { headers: { 'Sec-WebSocket-Extensions': ',' } },
    ]) {
      expect(await exchange(portOf(wss), upgradeRequest(request))).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect(calls).toBe(0);
  });

  it('accepted after the server was closed -> 503', async () => {
    const wss = await server({
      verifyClient: (_info: object, done: Verdict) => {
        wss.close();
        setImmediate(done, true);
      },
    });
    const answer = await exchange(portOf(wss), upgradeRequest());
    expect(answer).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
  });

  it('accepted after the socket is gone -> no connection, no error', async () => {
    let connections = 0;
    const verdict = new Promise<void>((resolve) => {
      void server({
        verifyClient: ({ req }: Package, done: Verdict) => {
          req.socket.destroy();
          setImmediate(() => {
            done(true);
            resolve();
          });
        },
      }).then((wss) => {
        wss.on('connection', () => connections++);
        client(urlOf(wss)).on('error', () => {});
      });
    });
    await verdict;
    expect(connections).toBe(0);
  });

  it.each<[string, unknown]>([
    ['an async function of one argument', async (_info: object) => false],
    ['a function that returns a promise', () => Promise.resolve(false)],
  ])('%s that resolves with false', async (_case, verifyClient) => {
    const expected = differs(implementation, 'async-verify', {
      ws: /^HTTP\/1\.1 101 /,
      hawser: /^HTTP\/1\.1 401 Unauthorized/,
    });
    expect(await answerTo(verifyClient)).toMatch(expected);
  });

  it('a promise that is rejected', async () => {
    const verifyClient = () => {
      const answer = Promise.reject(new Error('from verifyClient'));
      answer.catch(() => {});
      return answer;
    };
    const expected = differs(implementation, 'async-verify', {
      ws: /^HTTP\/1\.1 101 /,
      hawser: /^HTTP\/1\.1 500 Internal Server Error/,
    });
    expect(await answerTo(verifyClient)).toMatch(expected);
  });

  it('an async function that resolves with true -> accepted', async () => {
    const wss = await server({ verifyClient: async () => true });
    const peer = await connectRaw(portOf(wss));
    expect(peer.head.startLine).toMatch(/ 101 /);
    peer.socket.destroy();
  });
});

/** The return value of a function of two arguments does not count. */
function refusingWithTrue(_info: object, verdict: Verdict): boolean {
  verdict(false);
  return true;
}
