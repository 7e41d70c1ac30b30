import { describe, expect, it } from 'vitest';
import { CLIENT_HANDSHAKE_CASES } from '../../../src/conform/cases/client-handshake.js';
import { ClientJudge } from '../../../src/conform/client-judge.js';
import { WebSocket } from '../../../src/ws/websocket.js';
import { CERTIFICATE, PRIVATE_KEY } from '../../support/certificate.js';
import { hawserClient, judgeClient, notOk, rawClient } from './raw-peers.js';

const idsOf = (pattern: RegExp): string[] =>
  CLIENT_HANDSHAKE_CASES.map(({ id }) => id).filter((id) => pattern.test(id));
const only = (pattern: RegExp) => CLIENT_HANDSHAKE_CASES.filter(({ id }) => pattern.test(id));
const REFUSALS = /client-(?:refuses|ends|bounds)/;
const ACCEPTANCES = /client-accepts/;
const REQUESTS = /client-(?!refuses|ends|bounds|accepts|names-the-server)/;

describe('cases on the responses to a client', () => {
  it('hawser as the client -> all OK', async () => {
    const results = await judgeClient(CLIENT_HANDSHAKE_CASES, hawserClient());
    // Without TLS there is no server name to see.
    expect(notOk(results)).toEqual(['handshake.client-names-the-server-in-tls']);
    expect(results.length).toBe(CLIENT_HANDSHAKE_CASES.length);
  }, 20_000);

  it('a client that takes every response -> each wrong one is noticed', async () => {
    const results = await judgeClient(only(REFUSALS), rawClient({ neverEnds: true }));
    expect(notOk(results)).toEqual(idsOf(REFUSALS));
    const lenient = results.filter(({ behavior }) => behavior === 'NON-STRICT').map(({ id }) => id);
    expect(lenient).toEqual([
      'handshake.client-refuses-accept-twice',
      'handshake.client-refuses-http-1.0',
      'handshake.client-refuses-field-without-colon',
      'handshake.client-bounds-the-head',
    ]);
  }, 20_000);

  it('a client that takes every response -> accepts each unusual one', async () => {
    const results = await judgeClient(only(ACCEPTANCES), rawClient());
    // It takes 100 and 103 for the final response, and the rest for frames.
    expect(notOk(results)).toEqual([
      'handshake.client-accepts-interim-response',
      'handshake.client-accepts-early-hints',
    ]);
  }, 20_000);

  it('a client that ends TCP at every response -> fails where it should go on, and nowhere else', async () => {
    const client = rawClient({ takes: 'end' });
    const right = await judgeClient(only(ACCEPTANCES), client);
    expect(notOk(right)).toEqual(idsOf(ACCEPTANCES));
    const wrong = await judgeClient(only(/client-refuses/), client);
    expect(notOk(wrong)).toEqual([]);
  }, 20_000);

  it('a client that leaves TCP open at every response -> fails, except where HTTP lets it', async () => {
    const results = await judgeClient(only(/client-refuses/), rawClient({ takes: 'stay' }));
    expect(notOk(results)).toEqual(idsOf(/client-refuses-(?!status-[2-5]\d\d$)/));
    expect(results.find(({ id }) => id.endsWith('no-accept'))?.finding).toContain(
      'did not end the connection',
    );
  }, 20_000);
});

describe('cases on the request of a client', () => {
  const good = only(REQUESTS);
  it.each<[string, (head: string, key: string) => string, string[]]>([
    ['a right one', (head) => head, []],
    ['POST', (head) => head.replace('GET', 'POST'), ['request-line']],
    ['HTTP/1.0', (head) => head.replace('HTTP/1.1', 'HTTP/1.0'), ['request-line']],
    ['a target with a fragment', (head) => head.replace(' HTTP', '#top HTTP'), ['request-target']],
    ['Host without the port', (head) => head.replace(/(Host: [^:]*):\d+/, '$1'), ['host']],
    ['another Upgrade', (head) => head.replace('Upgrade: websocket', 'Upgrade: h2c'), ['upgrade']],
    ['Connection: close', (head) => head.replace('Connection: Upgrade', 'Connection: close'), ['connection']],
    ['version 8', (head) => head.replace('Version: 13', 'Version: 8'), ['version']],
    ['a key of 15 bytes', (head, key) => head.replace(key, Buffer.alloc(15, 7).toString('base64')), ['key']],
    ['a published key', (head, key) => head.replace(key, 'dGhlIHNhbXBsZSBub25jZQ=='), ['key', 'fresh-key']],
    ['two keys', (head, key) => `${head}\r\nSec-WebSocket-Key: ${key}`, ['one-of-each-field']],
    ['two versions', (head) => `${head}\r\nSec-WebSocket-Version: 13`, ['one-of-each-field']],
    ['a body announced', (head) => `${head}\r\nContent-Length: 3`, ['request-has-no-body']],
    ['a field of responses', (head) => `${head}\r\nSec-WebSocket-Accept: x`, ['has-no-accept']],
  ])('%s -> that rule is blamed, and no other', async (_, request, expected) => {
    const results = await judgeClient(good, rawClient({ request }));
    expect(notOk(results)).toEqual(expected.map((name) => `handshake.client-${name}`));
  });

  it('[RFC6455-4.1-33] a client that sends before the response -> FAILED', async () => {
    const [result] = await judgeClient(only(/waits-for-response/), rawClient({ early: '......' }));
    expect(result).toMatchObject({ behavior: 'FAILED' });
    expect(result?.finding).toContain('6 bytes came before the response');
  });

  it('[RFC6455-4.1-24] a client whose keys share a bit -> FAILED once there are 41 of them', async () => {
    const many = Array.from({ length: 48 }, () => good.find(({ id }) => id.endsWith('fresh-key'))!);
    const cases = many.map((one, at) => ({ ...one, id: `handshake.${at}` }));
    let n = 0;
    const ascii: typeof hawserClient = () => (url) =>
      rawClient({ key: Buffer.from(`key of request${10 + n++}`).toString('base64') })(url);
    const results = await judgeClient(cases, ascii());
    expect(results.slice(0, 32).map(({ behavior }) => behavior)).not.toContain('FAILED');
    expect(results.at(-1)?.finding).toContain('is the same in all');
  });
});

describe('the server name in TLS', () => {
  it.each([
    ['the name of the URL', 'localhost', undefined, 'OK'],
    ['another name', 'localhost', 'other.example', 'FAILED'],
    ['none, for an address', '127.0.0.1', undefined, 'INFORMATIONAL'],
  ])('client asks for %s -> %s', async (_, host, servername, behavior) => {
    const judge = new ClientJudge({
      cases: only(/names-the-server-in-tls/),
      tls: { cert: CERTIFICATE, key: PRIVATE_KEY },
    });
    const url = (await judge.listen()).replace('127.0.0.1', host);
    const socket = new WebSocket(`${url}/runCase?case=1&agent=a`, {
      ca: CERTIFICATE,
      family: 4,
      ...(servername !== undefined && { servername, checkServerIdentity: () => undefined }),
    });
    await new Promise((resolve) => socket.on('close', resolve));
    await judge.close();
    expect(judge.results.map((result) => result.behavior)).toEqual([behavior]);
  });
});
