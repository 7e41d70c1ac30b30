// A request that never went through `node:http` has to look as if it had.

import { once } from 'node:events';
import http, { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { handshakeFields, UpgradeRequest } from '../../src/io/upgrade-request.js';
import { parseRawRequestHead, type RawRequestHead } from '../../src/wire/http-head.js';
import { duplexPair } from '../support/duplex-pair.js';

const LIMITS = { maxHeadBytes: 16 * 1024, maxHeaderFields: 1000 };

function headOf(bytes: Buffer): RawRequestHead {
  const head = parseRawRequestHead(bytes, LIMITS);
  if (head === undefined || !head.ok) throw new Error('a whole and faultless head was expected');
  return head;
}

function requestOf(bytes: Buffer, makesHeadersLater?: boolean): UpgradeRequest {
  const head = headOf(bytes);
  return new UpgradeRequest(new Socket(), head, handshakeFields(head.rawHeaders), makesHeadersLater);
}

/** What `node:http` makes of the same bytes. */
async function throughHttp(bytes: Buffer): Promise<IncomingMessage> {
  const server = http.createServer();
  const [ours, theirs] = duplexPair();
  const upgraded = once(server, 'upgrade');
  server.emit('connection', theirs);
  ours.write(bytes);
  const [request] = (await upgraded) as [IncomingMessage];
  ours.destroy();
  theirs.destroy();
  return request;
}

function view(request: IncomingMessage): unknown {
  return {
    // All but the parser, of which there was none.
    keys: Object.keys(request)
      .filter((key) => key !== 'parser')
      .sort(),
    line: [
      request.method,
      request.url,
      request.httpVersion,
      request.httpVersionMajor,
      request.httpVersionMinor,
    ],
    rawHeaders: request.rawHeaders,
    distinct: { ...request.headersDistinct },
    headers: request.headers,
    order: Object.keys(request.headers),
    trailers: [request.trailers, request.rawTrailers],
    state: [
      request.complete,
      request.aborted,
      (request as { upgrade?: unknown }).upgrade,
      request.statusCode,
    ],
    stream: [request.readable, request.readableEnded, request.destroyed, request.readableFlowing],
  };
}

const REPEATABLE = [
  'Cookie',
  'cookie',
  'Set-Cookie',
  'Host2',
  'X-Thing',
  'x-thing',
  'Authorization',
  'User-Agent',
  'user-agent',
  'Origin',
  'Sec-WebSocket-Protocol',
  'sec-websocket-protocol',
  'Sec-WebSocket-Extensions',
  'Sec-WebSocket-Key',
  'Referer',
  'ETag',
  'X-Forwarded-For',
  '__proto__',
  'constructor',
  'toString',
];

const head = fc
  .record({
    target: fc.constantFrom('/', '/chat?a=b', '*', 'http://example.com/x'),
    version: fc.constantFrom('1.1', '1.0'),
    fields: fc.array(
      fc.tuple(
        fc.constantFrom(...REPEATABLE),
        fc.string({ unit: fc.constantFrom(...'abc,; ="\t\xe9\xff'), maxLength: 20 }),
      ),
      { maxLength: 12 },
    ),
    isLast: fc.boolean(),
  })
  .map(({ target, version, fields, isLast }) => {
    const own = ['Host: example.com', 'Upgrade: websocket', 'Connection: Upgrade'];
    const lines = fields.map(([name, value]) => `${name}: ${value}`);
    const all = isLast ? [...lines, ...own] : [...own, ...lines];
    return Buffer.from(`GET ${target} HTTP/${version}\r\n${all.join('\r\n')}\r\n\r\n`, 'latin1');
  });

describe.each([
  ['headers made when they are asked for', true],
  ['headers made at once, where Node offers no other way', false],
])('%s', (_how, makesHeadersLater) => {
  it('any upgrade request -> as node:http would have made it', async () => {
    await fc.assert(
      fc.asyncProperty(head, async (bytes) => {
        // Node sets it as one sets a prototype, and so loses it.
        fc.pre(makesHeadersLater || !bytes.includes('__proto__'));
        const seen = view(requestOf(bytes, makesHeadersLater)) as { distinct: unknown };
        const expected = view(await throughHttp(bytes)) as { distinct: unknown };
        // Without Node's own way to hand headers in, it cannot derive this one.
        if (!makesHeadersLater) seen.distinct = expected.distinct;
        expect(seen).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('somebody reads the body -> it ends at once', async () => {
    const request = requestOf(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), makesHeadersLater);
    expect(request).toBeInstanceOf(IncomingMessage);
    for await (const _bytes of request) expect.unreachable('there is no body');
    expect(request.readableEnded).toBe(true);
  });
});

describe('handshakeOf()', () => {
  const bytes = Buffer.from(
    'GET / HTTP/1.1\r\nHost: x\r\nSEC-WebSocket-Protocol: a\r\nX-Other: 1\r\nsec-websocket-protocol: b\r\n\r\n',
  );

  it('nobody has looked at the headers -> those of the handshake, read from the wire', () => {
    const { headers } = UpgradeRequest.handshakeOf(requestOf(bytes));
    expect(headers).toMatchObject({ host: 'x', 'sec-websocket-protocol': 'a, b' });
    expect(headers).not.toHaveProperty('x-other');
  });

  it('the application changed a header -> that counts', () => {
    const request = requestOf(bytes);
    request.headers['sec-websocket-protocol'] = 'c';
    expect(UpgradeRequest.handshakeOf(request)).toBe(request);
    expect(request.headers['sec-websocket-protocol']).toBe('c');
  });

  it('the application replaced the headers -> those count', () => {
    const request = requestOf(bytes);
    request.headers = { host: 'y' };
    expect(UpgradeRequest.handshakeOf(request).headers).toEqual({ host: 'y' });
  });

  it('the application wraps the request -> the headers can be read and replaced there as well', () => {
    const request = requestOf(bytes);
    for (const wrapper of [Object.create(request) as IncomingMessage, new Proxy(request, {})]) {
      expect(wrapper.headers).toHaveProperty('x-other', '1');
      wrapper.headers = { host: 'y' };
      expect(wrapper.headers).toEqual({ host: 'y' });
    }
  });

  it('a request of node:http, or of the application itself -> the request', async () => {
    const request = new IncomingMessage(new Socket());
    expect(UpgradeRequest.handshakeOf(request)).toBe(request);
  });
});
