import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Encounter } from '../../src/conform/case.js';
import { deflateProfile } from '../../src/conform/deflate-session.js';
import {
  acceptFor,
  faultOfResponse,
  headBytes,
  headerOf,
  OpeningFailed,
  type OpenOptions,
  open,
  randomHandshakeKey,
  readRequest,
  requestHeaders,
  requestTarget,
  responseHeaders,
  withHeader,
} from '../../src/conform/opening.js';
import { RawConnection } from '../../src/conform/raw-connection.js';
import { WireLog } from '../../src/conform/wire-log.js';
import { parseResponseHead } from '../../src/wire/http-head.js';
import { upgradeRequest } from '../support/raw-peer.js';
import { StubConnection } from './stub-connection.js';
import { dialPlain, endPairs, listen, tcpPair } from './tcp-pair.js';

afterEach(endPairs);

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

describe('the parts of a handshake', () => {
  it('have the Accept of the example in §1.3', () => {
    expect(acceptFor(KEY)).toBe(ACCEPT);
  });

  it('have keys of 16 bytes that do not repeat', () => {
    const keys = Array.from({ length: 100 }, () => randomHandshakeKey());
    expect(new Set(keys).size).toBe(100);
    expect(keys.every((key) => Buffer.from(key, 'base64').length === 16)).toBe(true);
  });

  it('ask for path and query, with the port where it is not the default one', () => {
    const url = new URL('ws://example.com:8080/a%20b?c=d#e');
    expect(requestTarget(url)).toBe('/a%20b?c=d');
    expect(requestHeaders(url, KEY)[0]).toEqual(['Host', 'example.com:8080']);
    expect(requestHeaders(new URL('ws://example.com:80/'), KEY)[0]).toEqual(['Host', 'example.com']);
  });

  it('change one field, in any case of its letters, and leave the list as it was', () => {
    const headers = responseHeaders(KEY);
    expect(withHeader(headers, 'UPGRADE', undefined).map(([name]) => name)).toEqual([
      'Connection',
      'Sec-WebSocket-Accept',
    ]);
    expect(withHeader(headers, 'upgrade', 'h2c').at(-1)).toEqual(['upgrade', 'h2c']);
    expect(headers).toHaveLength(3);
  });

  it('are bytes, one for each character', () => {
    expect(Buffer.from(headBytes('GET / HTTP/1.1', [['A', '\xff']])).toString('latin1')).toBe(
      'GET / HTTP/1.1\r\nA: \xff\r\n\r\n',
    );
  });
});

describe('a response', () => {
  const faultWith = (statusLine: string, headers: readonly (readonly [string, string])[]) => {
    const head = parseResponseHead(headBytes(statusLine, headers), {
      maxHeadBytes: 1000,
      maxHeaderFields: 10,
    });
    if (head === undefined || !head.ok) throw new Error('no head');
    return faultOfResponse(head, KEY);
  };
  const good = responseHeaders(KEY);
  const SWITCHING = 'HTTP/1.1 101 Switching Protocols';

  it.each<[string, string, readonly (readonly [string, string])[], RegExp | undefined]>([
    ['that is right', SWITCHING, good, undefined],
    [
      'with names and tokens in other letters',
      SWITCHING,
      [
        ['UPGRADE', 'WebSocket'],
        ['connection', 'keep-alive, UPGRADE'],
        ['sec-websocket-accept', ACCEPT],
      ],
      undefined,
    ],
    ['with another status', 'HTTP/1.1 200 OK', good, /status 200, not 101/],
    ['without Upgrade', SWITCHING, withHeader(good, 'Upgrade', undefined), /Upgrade is absent/],
    ['with another Upgrade', SWITCHING, withHeader(good, 'Upgrade', 'h2c'), /Upgrade is "h2c"/],
    ['without Connection', SWITCHING, withHeader(good, 'Connection', undefined), /Connection is absent/],
    ['with another Connection', SWITCHING, withHeader(good, 'Connection', 'close'), /Connection is "close"/],
    ['without Accept', SWITCHING, withHeader(good, 'Sec-WebSocket-Accept', undefined), /Accept is absent/],
    ['with another Accept', SWITCHING, withHeader(good, 'Sec-WebSocket-Accept', 'x'), /Accept is "x"/],
  ])('%s is judged', (_name, line, headers, fault) => {
    if (fault === undefined) expect(faultWith(line, headers)).toBeUndefined();
    else expect(faultWith(line, headers)).toMatch(fault);
  });
});

/** Opens towards a server that does with the request as `answer` says. */
async function openTowards(answer: (socket: Socket, key: string) => void, options: OpenOptions = {}) {
  const log = new WireLog();
  const { port } = await listen((socket) => {
    socket.once('data', (bytes: Buffer) =>
      answer(socket, /^Sec-WebSocket-Key: (.*)\r$/m.exec(bytes.toString())![1]!),
    );
  });
  const encounter: Encounter = {
    subject: 'server',
    url: new URL(`ws://127.0.0.1:${port}/x`),
    log,
    memory: { handshakeKeys: new Set() },
    connect: async () => new RawConnection(await dialPlain(port), log),
  };
  return open(encounter, options);
}

const accepting =
  (...more: string[]) =>
  (socket: Socket, key: string): void => {
    socket.write(headBytes('HTTP/1.1 101 Switching Protocols', responseHeaders(key)).slice(0, -2));
    socket.write(`${more.map((line) => `${line}\r\n`).join('')}\r\n`);
  };

describe('opening towards a server', () => {
  it('comes about with a right answer', async () => {
    const { tester, response } = await openTowards(accepting('X: y'));
    expect(headerOf(response!, 'x')).toBe('y');
    expect(tester).toMatchObject({ subject: 'server', isOpen: true, codec: undefined });
    expect(tester.connection.log.records).toMatchObject([
      { kind: 'bytes', from: 'tester' },
      { kind: 'bytes', from: 'peer' },
    ]);
  });

  it('agrees on permessage-deflate where it was offered', async () => {
    const { tester } = await openTowards(accepting('Sec-WebSocket-Extensions: permessage-deflate'), {
      deflate: deflateProfile([{ noContextTakeover: false, windowBits: undefined }]),
    });
    expect(tester.codec).toBeDefined();
  });

  it.each<[string, (socket: Socket, key: string) => void, RegExp]>([
    ['a server that ends TCP', (socket) => socket.end(), /^No HTTP response: the peer ended TCP\.$/],
    [
      'a server that resets TCP',
      (socket) => socket.resetAndDestroy(),
      /^No HTTP response: the peer ended TCP\.$/,
    ],
    ['another protocol', (socket) => socket.end('220 mail\r\n\r\n'), /^The response is not HTTP/],
    [
      'a status',
      (socket) => socket.end('HTTP/1.1 404 Not Found\r\n\r\n'),
      /^The server answered with status 404, not 101\.$/,
    ],
    [
      'an extension unasked',
      accepting('Sec-WebSocket-Extensions: permessage-deflate'),
      /which was not offered/,
    ],
  ])('fails with %s', async (_name, answer, message) => {
    const opened = openTowards(answer);
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toBeInstanceOf(OpeningFailed);
  });

  it('fails with a wrong answer to an offer', async () => {
    const opened = openTowards(accepting('Sec-WebSocket-Extensions: permessage-deflate; bogus'), {
      deflate: deflateProfile([{ noContextTakeover: false, windowBits: undefined }]),
    });
    await expect(opened).rejects.toThrow(OpeningFailed);
  });
});

describe('opening towards a client', () => {
  async function answerTo(head: string) {
    const connection = new StubConnection();
    connection.request = { head: Buffer.from(head) };
    const encounter: Encounter = {
      subject: 'client',
      url: new URL('ws://127.0.0.1/'),
      log: connection.log,
      memory: { handshakeKeys: new Set() },
      connect: () => Promise.resolve(connection.asConnection),
    };
    await open(encounter);
    return connection.head;
  }

  it('answers with the Accept of its key', async () => {
    expect(await answerTo(upgradeRequest())).toMatch(`\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n`);
  });

  it('chooses the first subprotocol, and no extension', async () => {
    const headers = { 'Sec-WebSocket-Protocol': 'b, a', 'Sec-WebSocket-Extensions': 'permessage-deflate' };
    const answer = await answerTo(upgradeRequest({ headers }));
    expect(answer).toMatch(/\r\nSec-WebSocket-Protocol: b\r\n/);
    expect(answer).not.toMatch(/Extensions/);
  });

  it.each([
    ['no key', upgradeRequest({ headers: { 'Sec-WebSocket-Key': undefined } }), /no Sec-WebSocket-Key/],
    ['no HTTP', 'hello\r\n\r\n', /The request is not HTTP/],
    ['no Host', upgradeRequest({ headers: { Host: undefined } }), /The request is not HTTP/],
  ])('fails with %s', async (_name, head, message) => {
    await expect(answerTo(head)).rejects.toThrow(message);
  });

  it('fails where there is no request', async () => {
    const { connection } = await tcpPair();
    expect(() => readRequest(connection)).toThrow(OpeningFailed);
  });
});
