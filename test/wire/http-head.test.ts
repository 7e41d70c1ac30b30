import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  findHeadEnd,
  type HeadLimits,
  parseRequestHead,
  parseResponseHead,
  serializeHead,
} from '../../src/wire/http-head.js';
import { countingBytes } from '../support/counting.js';

const LIMITS: HeadLimits = { maxHeadBytes: 16 * 1024, maxHeaderFields: 2000 };
const NO_LIMITS: HeadLimits = { maxHeadBytes: Infinity, maxHeaderFields: Infinity };

const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const request = (...lines: string[]) => latin1(`${lines.join('\r\n')}\r\n\r\n`);
const nativeDecode = (bytes: Uint8Array, start: number, end: number) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', start, end);

const HANDSHAKE = [
  'GET /chat?room=1 HTTP/1.1',
  'Host: server.example.com',
  'Upgrade: websocket',
  'Connection: keep-alive, Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-VERSION:13',
  'X-Empty:',
  'X-Opaque: \t caf\xe9 au  lait \t',
];
const RAW_HEADERS = [
  ...['Host', 'server.example.com', 'Upgrade', 'websocket', 'Connection', 'keep-alive, Upgrade'],
  ...['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-VERSION', '13'],
  ...['X-Empty', '', 'X-Opaque', 'caf\xe9 au  lait'],
];
const RESPONSE = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Sec-WebSocket-Accept: abc='];

describe('findHeadEnd', () => {
  it.each([
    ['', -1],
    ['\r\n', -1],
    ['a\r\n\r', -1],
    ['a\r\nb\r\n', -1],
    ['a\r\n\r\n', 5],
    ['a\r\n\r\nframes\r\n\r\n', 5],
    ['ab\r\n\r\n', 6],
    ['a\n\n', 3],
    ['a\n\r\n', 4],
    ['a\r\n\n', 4],
    ['a\r\r\n\n', 5],
    ['a\r\r\r\n', -1],
    ['\n\n', 2],
    ['\r\n\r\n', 4],
  ])('the head in %j ends at %i', (text, end) => {
    expect(findHeadEnd(latin1(text))).toBe(end);
  });

  it('finds the same end however the bytes arrive', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\r', '\n', '\r\n', '\r\n\r\n') });
    fc.assert(
      fc.property(text, fc.array(fc.nat(40)), (input, cuts) => {
        const bytes = latin1(input);
        const expected = input.match(/^[\s\S]*?\n\r?\n/)?.[0].length ?? -1;
        let searched = 0;
        let found = -1;
        for (const cut of [...cuts.sort((a, b) => a - b), bytes.length]) {
          if (found !== -1 || cut > bytes.length) continue;
          found = findHeadEnd(bytes.subarray(0, cut), searched);
          searched = cut;
        }
        expect(found).toBe(expected);
      }),
    );
  });

  it('reads trickled bytes a few times each, not from the start again', () => {
    const bytes = latin1('a: b\r\n'.repeat(2000));
    let total = 0;
    for (let length = 1; length <= bytes.length; length++) {
      const { counted, reads } = countingBytes(bytes.subarray(0, length));
      expect(findHeadEnd(counted, length - 1)).toBe(-1);
      total += reads();
    }
    expect(total).toBeLessThanOrEqual(4 * bytes.length);
  });
});

describe.each([
  ['a native decoder', nativeDecode],
  ['no decoder', undefined],
])('parseRequestHead with %s', (_, decode) => {
  const bytes = request(...HANDSHAKE);

  it('reads method, target, version and fields of a whole head', () => {
    const head = parseRequestHead(bytes, LIMITS, decode);
    expect(head).toEqual({
      ok: true,
      method: 'GET',
      target: '/chat?room=1',
      httpVersion: '1.1',
      headers: Object.assign(Object.create(null), {
        host: 'server.example.com',
        upgrade: 'websocket',
        connection: 'keep-alive, Upgrade',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-version': '13',
        'x-empty': '',
        'x-opaque': 'caf\xe9 au  lait',
      }),
      rawHeaders: RAW_HEADERS,
      headLength: bytes.length,
    });
  });

  it('waits for the last byte when the head comes byte by byte', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(parseRequestHead(bytes.subarray(0, length), LIMITS, decode)).toBeUndefined();
    }
    expect(parseRequestHead(bytes, LIMITS, decode)).toMatchObject({ ok: true, headLength: bytes.length });
  });

  it('leaves the bytes behind the head alone', () => {
    const trailing = Uint8Array.from([...bytes, 0x81, 0x80, 1, 2, 3, 4, 13, 10, 13, 10]);
    expect(parseRequestHead(trailing, LIMITS, decode)).toEqual(parseRequestHead(bytes, LIMITS, decode));
  });

  it('reads a head that is longer than one piece of decoding', () => {
    const long = 'x'.repeat(10_000);
    expect(
      parseRequestHead(request('GET / HTTP/1.1', 'Host: x', `A: ${long}`), LIMITS, decode),
    ).toMatchObject({
      headers: { a: long },
    });
  });
});

describe('parseRequestHead', () => {
  const parse = (bytes: Uint8Array) => parseRequestHead(bytes, LIMITS);
  const fields = (...lines: string[]) => parse(request('GET / HTTP/1.1', 'Host: x', ...lines));
  const badRequest = (message: string) => ({ ok: false, status: 400, message });

  it('ignores an empty line in front of the request line', () => {
    const head = parse(latin1('\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    expect(head).toMatchObject({ ok: true, method: 'GET', headLength: 29 });
  });

  it.each([
    'GET  / HTTP/1.1',
    ' GET / HTTP/1.1',
    'GET / HTTP/1.1 ',
    'GET /',
    'GET',
    '/ HTTP/1.1',
    'GET  HTTP/1.1',
    'G(T / HTTP/1.1',
    'GET /a b HTTP/1.1',
    'GET /\xe9 HTTP/1.1',
    'GET /\0 HTTP/1.1',
    'GET /\tHTTP/1.1',
    'GET / http/1.1',
    'GET / HTTP/1.2',
    'GET / HTTP/11',
    'GET / HTTP/2.0',
    'PRI * HTTP/2.0',
    'GET / HTTP/1.1\n',
    'GET / HTTP/1.1\r',
  ])('refuses the request line %j', (line) => {
    expect(parse(request(line, 'Host: x'))).toEqual(badRequest('Invalid request line'));
  });

  it.each(['A : b', ' folded', '\tfolded', ': b', 'A', 'A\0: b', 'caf\xe9: b', 'A b: c', '(A): b'])(
    'refuses the header line %j',
    (line) => {
      expect(fields('Before: x', line)).toEqual(badRequest('Invalid header name'));
    },
  );

  it.each(['A: b\0', 'A: b\x7f', 'A: \x01', 'A: b\rc', 'A: b\nC: d', 'A: b\r\r'])(
    'refuses the value in %j',
    (line) => {
      expect(fields(line)).toEqual(badRequest('Invalid header value'));
    },
  );

  it.each([
    ['request line', 'GET / HTTP/1.1\nHost: x\r\n\r\n', 'Invalid request line'],
    ['header line', 'GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n', 'Invalid header value'],
    ['all lines', 'GET / HTTP/1.1\nHost: x\n\n', 'Invalid request line'],
    ['empty line', 'GET / HTTP/1.1\r\nHost: x\r\n\n', 'Invalid header name'],
  ])('refuses a bare LF as the end of: %s', (_, text, message) => {
    expect(parse(latin1(text))).toEqual(badRequest(message));
  });

  it('[RFC6455-4.2.1-3] refuses an HTTP/1.1 request without Host, or with two', () => {
    expect(parse(request('GET / HTTP/1.1'))).toEqual(badRequest('Missing Host header'));
    expect(fields('A: b', 'hOST: x')).toEqual(badRequest('Duplicate Host header'));
    expect(parse(request('GET / HTTP/1.0'))).toMatchObject({ ok: true, httpVersion: '1.0' });
  });

  it('refuses at the first byte what is no HTTP, such as TLS', () => {
    expect(parse(Uint8Array.of(0x16, 0x03, 0x01))).toEqual(badRequest('Not an HTTP message'));
  });

  it('refuses a head above the limit of bytes, complete or not', () => {
    const bytes = request('GET / HTTP/1.1', 'Host: x');
    const tooLarge = { ok: false, status: 431, message: 'Header section too large' };
    const limits = { ...LIMITS, maxHeadBytes: bytes.length };
    expect(parseRequestHead(bytes, limits)).toMatchObject({ ok: true });
    expect(parseRequestHead(Uint8Array.from([...bytes, 1, 2, 3]), limits)).toMatchObject({ ok: true });
    expect(parseRequestHead(bytes, { ...limits, maxHeadBytes: bytes.length - 1 })).toEqual(tooLarge);
    expect(parseRequestHead(latin1('a'.repeat(bytes.length)), limits)).toBeUndefined();
    expect(parseRequestHead(latin1('a'.repeat(bytes.length + 1)), limits)).toEqual(tooLarge);
  });

  it('refuses more fields than the limit', () => {
    const limits = { ...LIMITS, maxHeaderFields: 3 };
    const lines = ['GET / HTTP/1.1', 'Host: x', 'A: b', 'A: b'];
    expect(parseRequestHead(request(...lines), limits)).toMatchObject({ ok: true });
    expect(parseRequestHead(request(...lines, 'A: b'), limits)).toEqual({
      ok: false,
      status: 431,
      message: 'Too many header fields',
    });
  });

  it('[RFC6455-4.1-42] [RFC6455-9.1-3] joins repeated fields as node:http does', () => {
    const head = fields(
      ...['Cookie: a', 'cookie: b', 'Set-Cookie: a', 'SET-COOKIE: b', 'X: 1', 'x: 2', 'X: 3'],
      ...['Origin: a', 'Origin: b', 'User-Agent: a', 'user-agent: b', 'Authorization: a', 'Authorization: b'],
      ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Version: 13', 'Upgrade:', 'Upgrade: websocket'],
    );
    expect(head).toMatchObject({
      headers: {
        host: 'x',
        cookie: 'a; b',
        'set-cookie': ['a', 'b'],
        x: '1, 2, 3',
        origin: 'a, b',
        'user-agent': 'a',
        authorization: 'a',
        'sec-websocket-version': '13, 13',
        upgrade: ', websocket',
      },
    });
  });

  it('keeps names of Object.prototype as plain names', () => {
    const head = fields('constructor: a', '__proto__: b', 'constructor: c', 'hasOwnProperty: d');
    if (!head?.ok) throw new Error('not parsed');
    expect(Object.getPrototypeOf(head.headers)).toBeNull();
    expect(Object.entries(head.headers)).toEqual([
      ['host', 'x'],
      ['constructor', 'a, c'],
      ['__proto__', 'b'],
      ['hasownproperty', 'd'],
    ]);
    const without = fields();
    expect(without?.ok && without.headers.constructor).toBeUndefined();
  });

  it('reads 5000 fields, and one repeated 5000 times, reading each byte a few times', () => {
    for (const line of [(n: number) => `x-${n}: ${n}`, () => 'x: y']) {
      const bytes = request('GET / HTTP/1.1', 'Host: x', ...Array.from({ length: 5000 }, (_, n) => line(n)));
      const { counted, reads } = countingBytes(bytes);
      const head = parseRequestHead(counted, NO_LIMITS, (_, start, end) => nativeDecode(bytes, start, end));
      expect(head?.ok && head.rawHeaders.length).toBe(10_002);
      expect(reads()).toBeLessThanOrEqual(4 * bytes.length);
    }
  });

  it('reads a value of 16 KiB of spaces between two letters in linear time', () => {
    const bytes = request(
      'GET / HTTP/1.1',
      'Host: x',
      `A: b${' '.repeat(16 * 1024)}x`,
      `B: ${' '.repeat(16 * 1024)}`,
    );
    const { counted, reads } = countingBytes(bytes);
    const head = parseRequestHead(counted, NO_LIMITS, (_, start, end) => nativeDecode(bytes, start, end));
    expect(head).toMatchObject({ ok: true, headers: { b: '' } });
    expect(reads()).toBeLessThanOrEqual(4 * bytes.length);
  });
});

describe('parseResponseHead', () => {
  const parse = (bytes: Uint8Array) => parseResponseHead(bytes, LIMITS);
  const bytes = request(...RESPONSE);

  it('reads version, status and fields of a whole head', () => {
    expect(parse(bytes)).toEqual({
      ok: true,
      httpVersion: '1.1',
      statusCode: 101,
      statusMessage: 'Switching Protocols',
      headers: Object.assign(Object.create(null), { upgrade: 'websocket', 'sec-websocket-accept': 'abc=' }),
      rawHeaders: ['Upgrade', 'websocket', 'Sec-WebSocket-Accept', 'abc='],
      headLength: bytes.length,
    });
  });

  it('waits for the last byte, and leaves the bytes behind it alone', () => {
    for (let length = 0; length < bytes.length; length++)
      expect(parse(bytes.subarray(0, length))).toBeUndefined();
    expect(parse(Uint8Array.from([...bytes, 0x81, 0, 0x0a, 0x0a]))).toEqual(parse(bytes));
  });

  it.each([
    ['HTTP/1.1 200 OK', 200, 'OK'],
    ['HTTP/1.0 404 Not  Found', 404, 'Not  Found'],
    ['HTTP/1.1 101 ', 101, ''],
    ['HTTP/1.1 101', 101, ''],
    ['HTTP/1.1 999 caf\xe9', 999, 'caf\xe9'],
  ])('accepts the status line %j', (line, statusCode, statusMessage) => {
    expect(parse(request(line))).toMatchObject({ ok: true, statusCode, statusMessage, rawHeaders: [] });
  });

  it.each([
    '',
    'HTTP/1.1',
    'HTTP/1.1 10',
    'HTTP/1.1 1x1 a',
    'HTTP/1.1 099 a',
    'HTTP/1.1 1010 a',
    'HTTP/1.1  101 a',
    'HTTP/2.0 101 a',
    'http/1.1 101 a',
    'ICY 200 OK',
    'HTTP/1.1 101 a\0',
    'HTTP/1.1 101 a\n',
  ])('refuses the status line %j', (line) => {
    expect(parse(request(line, 'A: b'))).toMatchObject({ ok: false, message: 'Invalid status line' });
  });
});

describe('serializeHead', () => {
  it('writes the start line, the fields and an empty line', () => {
    expect(serializeHead('GET / HTTP/1.1', ['Host', 'x', 'A', ''])).toBe(
      'GET / HTTP/1.1\r\nHost: x\r\nA: \r\n\r\n',
    );
  });

  it.each([
    ['start line', 'GET /\r\nA: b', []],
    ['name', 'GET / HTTP/1.1', ['A\r\nB', 'c']],
    ['name', 'GET / HTTP/1.1', ['A:', 'c']],
    ['name', 'GET / HTTP/1.1', ['', 'c']],
    ['value', 'GET / HTTP/1.1', ['A', 'b\r\nC: d']],
    ['value', 'GET / HTTP/1.1', ['A', 'b\nc']],
    ['value', 'GET / HTTP/1.1', ['A', 'b\0']],
    ['value', 'GET / HTTP/1.1', ['A', '\u010a']],
  ])('throws when a %s could forge another', (_, startLine, rawHeaders) => {
    expect(() => serializeHead(startLine, rawHeaders)).toThrow(TypeError);
  });
});

describe('properties', () => {
  const token = fc.string({
    unit: fc.constantFrom(..."!#$%&'*+-.^_`|~019azAZ"),
    minLength: 1,
    maxLength: 20,
  });
  const valueCharacter = fc
    .integer({ min: 0, max: 255 })
    .filter((code) => code === 9 || (code >= 32 && code !== 127));
  const value = fc
    .array(valueCharacter, { maxLength: 40 })
    .map((codes) => String.fromCharCode(...codes).replace(/^[ \t]+|[ \t]+$/g, ''));
  const rawHeaders = fc
    .array(fc.tuple(token, value))
    .map((fields) => fields.filter(([name]) => name.toLowerCase() !== 'host').flat());

  it('a request head comes back from its text', () => {
    fc.assert(
      fc.property(
        token,
        rawHeaders,
        fc.constantFrom('/', '*', '/a?b#c', 'http://h/x'),
        (method, fields, target) => {
          const raw = ['Host', 'h', ...fields];
          const bytes = latin1(serializeHead(`${method} ${target} HTTP/1.1`, raw));
          expect(parseRequestHead(bytes, NO_LIMITS)).toMatchObject({
            ...{ ok: true, method, target, httpVersion: '1.1' },
            ...{ rawHeaders: raw, headLength: bytes.length },
          });
        },
      ),
    );
  });

  it('a response head comes back from its text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 999 }), value, rawHeaders, (statusCode, statusMessage, raw) => {
        const bytes = latin1(serializeHead(`HTTP/1.1 ${statusCode} ${statusMessage}`, raw));
        expect(parseResponseHead(bytes, NO_LIMITS)).toMatchObject({
          ok: true,
          statusCode,
          statusMessage,
          rawHeaders: raw,
        });
      }),
    );
  });

  it('hostile bytes give a head, an error or nothing yet, and never throw', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'GET / HTTP/1.1\r\n',
        'HTTP/1.1 101 x\r\n',
        'Host: x\r\n',
        '\r\n',
        '\n',
        '\r',
        ': ',
        'A:b',
        '\0',
      ),
      fc.string({ unit: 'binary-ascii' }),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const bytes = latin1(pieces.join(''));
        for (const parse of [parseRequestHead, parseResponseHead]) {
          const head = parse(bytes, LIMITS);
          if (head?.ok) expect(head.headLength).toBe(findHeadEnd(bytes));
          else if (head !== undefined) expect([400, 431]).toContain(head.status);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
