import { STATUS_CODES } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildResponse,
  checkRequest,
  checkSubprotocols,
  type HandshakeRequest,
  rejection,
  serializeRejection,
  serializeResponse,
  UNACCEPTABLE_EXTENSIONS,
} from '../../src/protocol/server-handshake.js';
import { parseRequestHead, parseResponseHead } from '../../src/wire/http-head.js';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const LIMITS = { maxHeadBytes: Infinity, maxHeaderFields: Infinity };
const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const FIELDS = {
  Host: 'x',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': KEY,
  'Sec-WebSocket-Version': '13',
};
type Change = Record<string, string | string[] | undefined>;

/** A request as the parser of HTTP gives it, with fields of a good handshake changed, or left out where undefined. */
function request(change: Change = {}, other: Partial<HandshakeRequest> = {}): HandshakeRequest {
  const all: Change = { ...FIELDS, ...change };
  const headers: HandshakeRequest['headers'] = Object.create(null);
  const rawHeaders: string[] = [];
  for (const [name, value] of Object.entries(all)) {
    if (value === undefined) continue;
    const values = [value].flat();
    headers[name.toLowerCase()] = values.join(', ');
    for (const each of values) rawHeaders.push(name, each);
  }
  return { method: 'GET', url: '/', httpVersion: '1.1', headers, rawHeaders, ...other };
}

const INVALID_METHOD = { ok: false, status: 405, message: 'Invalid HTTP method' };
const INVALID_UPGRADE = { ok: false, status: 400, message: 'Invalid Upgrade header' };
const INVALID_KEY = { ok: false, status: 400, message: 'Missing or invalid Sec-WebSocket-Key header' };
const INVALID_VERSION = {
  ok: false,
  status: 400,
  message: 'Missing or invalid Sec-WebSocket-Version header',
  headers: { 'Sec-WebSocket-Version': '13, 8' },
};
const INVALID_HOST = { ok: false, status: 400, message: 'Missing or duplicate Host header' };
const INVALID_CONNECTION = { ok: false, status: 400, message: 'Invalid Connection header' };
const INVALID_HTTP = { ok: false, status: 400, message: 'HTTP version must be 1.1 or higher' };
const INVALID_TARGET = { ok: false, status: 400, message: 'Invalid request target' };

describe('checkRequest accepts', () => {
  it("[RFC6455-4.2.2-1] server, the RFC's example as bytes -> its key and version", () => {
    const text = Object.entries(FIELDS).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = parseRequestHead(latin1(`GET /chat HTTP/1.1\r\n${text.join('')}\r\n`), LIMITS);
    if (!head?.ok) throw new Error('not parsed');
    expect(checkRequest({ ...head, url: head.target })).toEqual({
      ...{ ok: true, key: KEY, version: 13, origin: undefined },
    });
  });

  it('[RFC6455-4.2.1-8] server, Origin -> handed on; none -> undefined', () => {
    expect(checkRequest(request({ Origin: 'http://o' }))).toMatchObject({ origin: 'http://o' });
    expect(checkRequest(request())).toHaveProperty('origin', undefined);
  });

  it('server, version 8 -> accepted, with the origin of its own header', () => {
    const change = { 'Sec-WebSocket-Version': '8', Origin: 'no', 'Sec-WebSocket-Origin': 'http://o' };
    expect(checkRequest(request(change))).toEqual({ ok: true, key: KEY, version: 8, origin: 'http://o' });
  });

  it.each<[string, Change]>([
    ['[RFC6455-4.2.1-4] Upgrade in another case', { Upgrade: 'WebSocket' }],
    ['[RFC6455-4.2.1-5] Connection as a list', { Connection: 'keep-alive, upgrade' }],
    ['[RFC6455-4.2.1-9] unknown fields', { 'X-Unknown': 'a', constructor: 'b' }],
    ['an empty Host', { Host: '' }],
  ])('server, %s', (_, change) => {
    expect(checkRequest(request(change))).toMatchObject({ ok: true, key: KEY });
  });

  it.each(['/', '/chat?a#b', 'http://x/chat', 'HTTPS://x/'])('[RFC6455-4.2.1-2] server, target %j', (url) => {
    expect(checkRequest(request({}, { url }))).toMatchObject({ ok: true });
  });

  it('server, a request that an application made, without raw fields, with a number as version', () => {
    const headers: Record<string, unknown> = {
      ...{ connection: 'upgrade', upgrade: 'websocket' },
      ...{ 'sec-websocket-key': KEY, 'sec-websocket-version': 13 },
    };
    const made = { method: 'GET', headers: headers as HandshakeRequest['headers'] };
    expect(checkRequest(made)).toMatchObject({ ok: true, version: 13 });
    expect(checkRequest({ ...made, rawHeaders: [] })).toMatchObject({ ok: true });
  });
});

describe('checkRequest refuses', () => {
  it.each<[string, HandshakeRequest, object]>([
    ['[RFC6455-4.2.1-2] POST', request({}, { method: 'POST' }), INVALID_METHOD],
    ['[RFC6455-4.2.1-2] get', request({}, { method: 'get' }), INVALID_METHOD],
    ['[RFC6455-4.2.1-2] no method', request({}, { method: undefined }), INVALID_METHOD],
    ['[RFC6455-4.2.1-4] no Upgrade', request({ Upgrade: undefined }), INVALID_UPGRADE],
    ['[RFC6455-4.2.1-4] another Upgrade', request({ Upgrade: 'h2c' }), INVALID_UPGRADE],
    [
      '[RFC6455-4.2.1-4] a list in Upgrade, as ws does',
      request({ Upgrade: 'websocket, h2c' }),
      INVALID_UPGRADE,
    ],
    ['[RFC6455-4.2.1-6] no key', request({ 'Sec-WebSocket-Key': undefined }), INVALID_KEY],
    ['[RFC6455-4.2.1-6] a short key', request({ 'Sec-WebSocket-Key': 'AAAA' }), INVALID_KEY],
    ['[RFC6455-11.3.1-1] two keys', request({ 'Sec-WebSocket-Key': [KEY, KEY] }), INVALID_KEY],
    ['[RFC6455-4.2.1-7] no version', request({ 'Sec-WebSocket-Version': undefined }), INVALID_VERSION],
    ['[RFC6455-4.2.2-7] version 25', request({ 'Sec-WebSocket-Version': '25' }), INVALID_VERSION],
    ['[RFC6455-4.4-1] version 7', request({ 'Sec-WebSocket-Version': '7' }), INVALID_VERSION],
    ['[RFC6455-4.3-2] version 013', request({ 'Sec-WebSocket-Version': '013' }), INVALID_VERSION],
    ['[RFC6455-4.3-2] version 0xd', request({ 'Sec-WebSocket-Version': '0xd' }), INVALID_VERSION],
    ['[RFC6455-4.3-2] version 13.0', request({ 'Sec-WebSocket-Version': '13.0' }), INVALID_VERSION],
    ['[RFC6455-11.3.5-2] two versions', request({ 'Sec-WebSocket-Version': ['13', '13'] }), INVALID_VERSION],
    ['[RFC6455-4.2.1-2] HTTP/1.0', request({}, { httpVersion: '1.0' }), INVALID_HTTP],
    ['[RFC6455-4.2.1-2] HTTP/0.9', request({}, { httpVersion: '0.9' }), INVALID_HTTP],
    ['[RFC6455-4.2.1-2] a version that is none', request({}, { httpVersion: 'x' }), INVALID_HTTP],
    ['[RFC6455-4.2.1-2] target *', request({}, { url: '*' }), INVALID_TARGET],
    ['[RFC6455-4.2.1-2] a target of another scheme', request({}, { url: 'ftp://x/' }), INVALID_TARGET],
    ['[RFC6455-4.2.1-3] no Host', request({ Host: undefined }), INVALID_HOST],
    ['[RFC6455-4.2.1-3] two Hosts', request({ Host: ['x', 'y'] }), INVALID_HOST],
    ['[RFC6455-4.2.1-3] two Hosts in two cases', request({ hOsT: 'y' }), INVALID_HOST],
    ['[RFC6455-4.2.1-5] no Connection', request({ Connection: undefined }), INVALID_CONNECTION],
    ['[RFC6455-4.2.1-5] another Connection', request({ Connection: 'keep-alive' }), INVALID_CONNECTION],
  ])('server, %s', (_, given, refusal) => {
    expect(checkRequest(given)).toEqual(refusal);
  });

  it('server, everything wrong -> the first fault in the order of ws', () => {
    const faults: [Change, Partial<HandshakeRequest>, object][] = [
      [{}, { method: 'POST' }, INVALID_METHOD],
      [{ Upgrade: undefined }, {}, INVALID_UPGRADE],
      [{ 'Sec-WebSocket-Key': undefined }, {}, INVALID_KEY],
      [{ 'Sec-WebSocket-Version': undefined }, {}, INVALID_VERSION],
      [{}, { httpVersion: '1.0' }, INVALID_HTTP],
      [{}, { url: '*' }, INVALID_TARGET],
      [{ Host: undefined }, {}, INVALID_HOST],
      [{ Connection: undefined }, {}, INVALID_CONNECTION],
    ];
    for (const [index, fault] of faults.entries()) {
      const rest = faults.slice(index);
      const change = Object.assign({}, ...rest.map(([fields]) => fields));
      const other = Object.assign({}, ...rest.map(([, properties]) => properties));
      expect(checkRequest(request(change, other))).toEqual(fault[2]);
    }
  });

  it('[RFC6455-10.1-1] server, any fields missing or odd -> an answer, never an exception', () => {
    const name = fc.constantFrom(...Object.keys(FIELDS), 'Origin', 'Sec-WebSocket-Protocol', 'constructor');
    const value = fc.oneof(fc.constant(undefined), fc.string(), fc.array(fc.string()));
    fc.assert(
      fc.property(
        fc.dictionary(name, value),
        fc.option(fc.string(), { nil: undefined }),
        (change, httpVersion) => {
          const given = request(change, { httpVersion });
          expect(typeof checkRequest(given).ok).toBe('boolean');
          expect(typeof checkSubprotocols(given).ok).toBe('boolean');
        },
      ),
    );
    expect(checkRequest({ headers: {} })).toEqual(INVALID_METHOD);
    expect(checkRequest({ method: 'GET', headers: {} })).toEqual(INVALID_UPGRADE);
  });
});

describe('checkSubprotocols', () => {
  it('server, no header -> an empty offer', () => {
    expect(checkSubprotocols(request())).toEqual({ ok: true, offer: new Set() });
  });

  it('[RFC6455-11.3.4-1] server, two headers -> one list', () => {
    expect(checkSubprotocols(request({ 'Sec-WebSocket-Protocol': ['a', 'b'] }))).toEqual({
      ...{ ok: true, offer: new Set(['a', 'b']) },
    });
  });

  it.each(['', 'a b', 'a, a', 'a,', '"a"'])('[RFC6455-4.3-2] server, header %j -> 400', (header) => {
    expect(checkSubprotocols(request({ 'Sec-WebSocket-Protocol': header }))).toEqual({
      ...{ ok: false, status: 400, message: 'Invalid Sec-WebSocket-Protocol header' },
    });
  });
});

describe('the response that accepts', () => {
  it('[RFC6455-4.2.2-15] [RFC6455-4.2.2-16] [RFC6455-4.2.2-17] server, nothing agreed -> four lines', () => {
    expect(serializeResponse(buildResponse('s3pPLMBiTxaQ9kYGzzhZRbK+xOo='))).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    );
  });

  it('[RFC6455-4.2.2-19] server, subprotocol and extension agreed -> in this order', () => {
    expect(buildResponse('A', 'chat', 'permessage-deflate').slice(3)).toEqual([
      'Sec-WebSocket-Accept: A',
      'Sec-WebSocket-Protocol: chat',
      'Sec-WebSocket-Extensions: permessage-deflate',
    ]);
  });

  it('[RFC6455-4.2.2-10] [RFC6455-4.2.2-11] [RFC6455-4.2.2-13] server, empty values -> no header', () => {
    expect(buildResponse('A', '', '')).toHaveLength(4);
  });

  it('[RFC6455-4.2.2-14] server, lines added by an application -> a valid head', () => {
    const text = serializeResponse([...buildResponse('A'), 'Set-Cookie: a=b', 'X-Tight:y', 'X-Empty:']);
    expect(parseResponseHead(latin1(text), LIMITS)).toMatchObject({
      ...{ ok: true, statusCode: 101, headLength: text.length },
      headers: { 'set-cookie': ['a=b'], 'x-tight': 'y', 'x-empty': '' },
    });
  });

  it.each(['', 'A', 'A: b\r\nC: d', 'A: b\n', 'A: b\0', 'A\r\n: b', ' A: b', 'A : b', ': b'])(
    'server, line %j added by an application -> TypeError',
    (line) => {
      expect(() => serializeResponse([...buildResponse('A'), line])).toThrow(TypeError);
    },
  );

  it.each([undefined, null, 5, {}])('server, %j added instead of a line -> TypeError', (line) => {
    expect(() => serializeResponse([...buildResponse('A'), line as string])).toThrow(TypeError);
  });
});

describe('the response that refuses', () => {
  const serialize = (...given: Parameters<typeof rejection>) =>
    serializeRejection(rejection(...given), STATUS_CODES);

  it('[RFC6455-4.2.1-1] server, bad request -> closes, with the reason as the body', () => {
    expect(serialize(400, 'Invalid Upgrade header')).toBe(
      'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/html\r\n' +
        'Content-Length: 22\r\n\r\nInvalid Upgrade header',
    );
  });

  it('[RFC6455-4.4-1] server, bad version -> extra header behind the others', () => {
    const refusal = checkRequest(request({ 'Sec-WebSocket-Version': '25' }));
    if (refusal.ok) throw new Error('accepted');
    expect(serializeRejection(refusal, STATUS_CODES)).toBe(
      'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 47\r\n' +
        'Sec-WebSocket-Version: 13, 8\r\n\r\nMissing or invalid Sec-WebSocket-Version header',
    );
  });

  it('server, unacceptable extensions -> 400 with the text of ws', () => {
    expect(UNACCEPTABLE_EXTENSIONS).toEqual({
      ...{ ok: false, status: 400, message: 'Invalid or unacceptable Sec-WebSocket-Extensions header' },
    });
  });

  it.each([
    [401, 'Unauthorized'],
    [503, 'Service Unavailable'],
  ])('server, %i without a message -> the reason phrase as the body', (status, phrase) => {
    expect(serialize(status)).toContain(`HTTP/1.1 ${status} ${phrase}\r\n`);
    expect(serialize(status, '').endsWith(`\r\n\r\n${phrase}`)).toBe(true);
  });

  it('[RFC6455-4.2.2-6] server, 403 with a message beyond ASCII -> its length in UTF-8', () => {
    expect(serialize(403, 'Süd')).toContain('Content-Length: 4\r\n\r\nSüd');
  });

  it('[RFC6455-4.2.2-3] [RFC6455-4.2.2-4] server, headers of a hook -> sent; numbers and lists too', () => {
    const text = serialize(302, '', {
      Location: '/x',
      'Retry-After': 5,
      'Set-Cookie': ['a', 'b'],
      Gone: undefined,
    });
    expect(text).toBe(
      'HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 5\r\n' +
        'Location: /x\r\nRetry-After: 5\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\nFound',
    );
  });

  it('server, a header of a hook in another case -> replaces the default in its place', () => {
    expect(serialize(403, 'no', { 'content-type': 'text/plain' })).toBe(
      'HTTP/1.1 403 Forbidden\r\nConnection: close\r\ncontent-type: text/plain\r\nContent-Length: 2\r\n\r\nno',
    );
  });

  it('server, a status without a reason phrase -> an empty one', () => {
    expect(serialize(799)).toBe(
      'HTTP/1.1 799 \r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n',
    );
  });

  it.each([undefined, null, 0, 99, 1000, 40.5, Number.NaN, '200 OK\r\nX: y'])(
    'server, a hook gives the status %j -> TypeError',
    (status) => {
      expect(() => serialize(status as number, 'no')).toThrow(TypeError);
    },
  );

  it.each<Record<string, string>>([
    { Location: '/x\r\nX-Evil: 1' },
    { Location: '/x\nX-Evil: 1' },
    { Location: '/x\0' },
    { 'X\r\nX-Evil': '1' },
    { 'X-Evil: 1\r\nX': '1' },
    { '': '1' },
  ])('server, a hook gives the headers %j -> TypeError', (headers) => {
    expect(() => serialize(302, 'no', headers)).toThrow(TypeError);
  });
});
