// Attacks on a server's opening handshake (RFC 6455 §4.2, §10.2), against the server's own listener and against
// `node:http`.
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseSubprotocols } from '../../src/protocol/subprotocol.js';
import { parseExtensions } from '../../src/wire/extension-header.js';
import type { Package } from '../behaviour/implementations.js';
import { portOf } from '../support/cast.js';
import { countingText } from '../support/counting.js';
import { next, several, turn } from '../support/events.js';
import { serializeFrame } from '../support/frames.js';
import { connectRaw, exchange, type RequestFields, upgradeRequest } from '../support/raw-peer.js';
import { LISTENERS, stage, uncaughtDuring } from './stage.js';

const { atEnd, listen } = stage();

/** A connection that follows no rules. */
function dial(wss: Package): net.Socket {
  return atEnd(
    net.connect({ port: portOf(wss), host: '127.0.0.1' }).on('error', () => {}),
    (socket) => socket.destroy(),
  );
}

async function ask(wss: Package, fields: RequestFields): Promise<string> {
  return exchange(portOf(wss), upgradeRequest(fields));
}

/** A good client is still served. */
async function expectService(wss: Package): Promise<void> {
  const connection = next(wss, 'connection');
  const peer = await connectRaw(portOf(wss));
  const [socket] = await connection;
  const message = next(socket, 'message');
  peer.send({ opcode: 1, payload: 'served' });
  expect(String((await message)[0])).toBe('served');
  peer.socket.destroy();
}

function responsesIn(text: string): string[] {
  return text.match(/^HTTP\/1\.1 \d+/gm) ?? [];
}

for (const listener of LISTENERS) {
  describe(`{ ${listener} }`, () => {
    const open = (options: object = {}, httpOptions: object = {}) => listen(listener, options, httpOptions);

    describe('A1: a head that trickles in', () => {
      it.each([
        ['no byte at all', ''],
        ['half of a request line', 'GET / HT'],
        ['a head without its end', upgradeRequest().slice(0, -2)],
      ])('client, %s, then nothing -> the server ends the connection by itself', async (_name, bytes) => {
        const wss = await open(
          {},
          { headersTimeout: 60, requestTimeout: 60, connectionsCheckingInterval: 20 },
        );
        if (listener === 'port') {
          // What has begun is left to `node:http`, which looks every 30 seconds: too long for a test to wait.
          expect(wss._server.headersTimeout).toBeGreaterThan(0);
          expect(wss._server.headersTimeout).toBeLessThanOrEqual(60_000);
          if (bytes !== '') return;
          wss._server.headersTimeout = 60;
        }
        const socket = dial(wss);
        socket.write(bytes);
        socket.resume();
        await next(socket, 'close');
        await expectService(wss);
      });
    });

    describe('A2: more header fields than Node.js keeps', () => {
      it.each([900, 1004, 1100, 1990, 2010])(
        'client, %i fields in front of Upgrade -> an answer, and the server goes on',
        async (count) => {
          const wss = await open();
          const junk = Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}`, '']));
          const head = `GET / HTTP/1.1\r\n${Object.keys(junk)
            .map((name) => `x${name}:\r\n`)
            .join('')}`;
          const socket = dial(wss);
          socket.write(head + upgradeRequest().slice('GET / HTTP/1.1\r\n'.length));
          const [bytes] = await next(socket, 'data');
          expect(String(bytes)).toMatch(count < 1000 ? /^HTTP\/1\.1 101 / : /^HTTP\/1\.1 4\d\d /);
          socket.destroy();
          await expectService(wss);
        },
      );

      it('client, a head of 64 KiB -> refused, the server goes on', async () => {
        const wss = await open();
        const socket = dial(wss);
        const chunks: Buffer[] = [];
        socket.on('data', (chunk) => chunks.push(chunk));
        socket.write(upgradeRequest({ headers: { 'X-Long': 'x'.repeat(64 * 1024) } }));
        await next(socket, 'close');
        expect(String(Buffer.concat(chunks))).not.toMatch(/ 101 /);
        await expectService(wss);
      });
    });

    describe('A3: names of Object.prototype as extensions', () => {
      it.each(['constructor', '__proto__', 'toString; valueOf=1', 'x; constructor, y; __proto__=2'])(
        'client offers "%s" -> accepted without an extension',
        async (offer) => {
          const wss = await open({ perMessageDeflate: true });
          const peer = await connectRaw(portOf(wss), { headers: { 'Sec-WebSocket-Extensions': offer } });
          expect(peer.head.headers['sec-websocket-extensions']).toBeUndefined();
          peer.socket.destroy();
        },
      );

      it.each([
        ',;constructor',
        ';constructor',
        'permessage-deflate; constructor',
        'permessage-deflate; __proto__=1',
      ])('client offers "%s" -> 400', async (offer) => {
        const wss = await open({ perMessageDeflate: true });
        const response = await ask(wss, { headers: { 'Sec-WebSocket-Extensions': offer } });
        expect(responsesIn(response)).toEqual(['HTTP/1.1 400']);
        await expectService(wss);
      });
    });

    describe('A4: headers that take long to read', () => {
      it.each([
        ['Sec-WebSocket-Protocol', `b${' '.repeat(14_000)}x`],
        ['Sec-WebSocket-Protocol', 'a,'.repeat(7000)],
        ['Sec-WebSocket-Extensions', `b${' '.repeat(14_000)}x`],
        ['Sec-WebSocket-Extensions', `a; b="${'\\c'.repeat(7000)}`],
        ['Sec-WebSocket-Extensions', 'a;'.repeat(7000)],
      ])('client, %s: %.8s… -> 400', async (name, value) => {
        const wss = await open({ perMessageDeflate: true });
        expect(responsesIn(await ask(wss, { headers: { [name]: value } }))).toEqual(['HTTP/1.1 400']);
      });
    });

    describe('A5: fields that come twice', () => {
      const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

      it.each([
        ['[RFC6455-11.3.1-1] the key', { 'sec-websocket-key': KEY }],
        ['[RFC6455-11.3.5-2] the version', { 'sec-websocket-version': '13' }],
        ['[RFC6455-4.2.1-3] Host', { host: 'elsewhere' }],
      ])('client, %s twice -> 400', async (_name, headers) => {
        const wss = await open();
        expect(responsesIn(await ask(wss, { headers }))).toEqual(['HTTP/1.1 400']);
      });

      it.each(['13, 13', '013', '0xd', '1.3e1', '13.0', '+13', '13a'])(
        '[RFC6455-4.2.1-7] client, version "%s" -> 400',
        async (version) => {
          const wss = await open();
          const response = await ask(wss, { headers: { 'Sec-WebSocket-Version': version } });
          expect(responsesIn(response)).toEqual(['HTTP/1.1 400']);
        },
      );

      it.each([
        ['Transfer-Encoding', { 'Transfer-Encoding': 'chunked' }],
        ['Content-Length', { 'Content-Length': '30' }],
      ])('client, %s and a second request behind the upgrade -> no second answer', async (_name, headers) => {
        const wss = await open();
        const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
        const response = await exchange(portOf(wss), upgradeRequest({ headers }) + smuggled);
        expect(responsesIn(response).length).toBeLessThanOrEqual(1);
        await expectService(wss);
      });
    });

    describe('A6: requests that are not HTTP/1.1', () => {
      it.each([
        ['[RFC6455-4.2.1-2] HTTP/1.0', { version: '1.0' }, 400],
        ['[RFC6455-4.2.1-3] no Host', { headers: { Host: undefined } }, 400],
        ['[RFC6455-4.2.1-2] POST', { method: 'POST' }, 405],
        ['[RFC6455-4.2.1-5] no Connection: Upgrade', { headers: { Connection: 'keep-alive' } }, undefined],
      ])('client, %s -> refused', async (_name, fields: RequestFields, status) => {
        const wss = await open();
        const socket = dial(wss);
        socket.write(upgradeRequest(fields));
        // `node:http` does not see an upgrade in a request without the token; the user's server may leave it open.
        if (status === undefined && listener === 'server')
          wss._server.on('request', (_req: Package, res: Package) => res.writeHead(426).end());
        const [bytes] = await next(socket, 'data');
        expect(String(bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status ?? '4'}`));
        expect(wss.clients.size).toBe(0);
      });
    });

    describe('A7: tunnels through a proxy', () => {
      it('[RFC6455-4.4-1] client, unknown version with a request behind it -> one answer, then the end', async () => {
        const wss = await open();
        const response = await exchange(
          portOf(wss),
          `${upgradeRequest({ headers: { 'Sec-WebSocket-Version': '777' } })}GET /internal HTTP/1.1\r\nHost: x\r\n\r\n`,
        );
        expect(responsesIn(response)).toEqual(['HTTP/1.1 400']);
        expect(response).toMatch(/\r\nConnection: close\r\n/);
        expect(response).toMatch(/\r\nSec-WebSocket-Version: 13, 8\r\n/);
      });
    });

    describe('A8: pages of other sites', () => {
      const allowed = new Set(['https://good.example']);

      it.each([
        ['another site', 'https://evil.example'],
        ['a suffix', 'https://good.example.evil.example'],
        ['an opaque origin', 'null'],
        ['none', undefined],
      ])('[RFC6455-10.2-1] client, Origin is %s -> refused before the handshake', async (_name, origin) => {
        const wss = await open({ verifyClient: (info: Package) => allowed.has(info.origin) });
        const response = await ask(wss, { headers: { Origin: origin } });
        expect(responsesIn(response)).toEqual(['HTTP/1.1 401']);
        expect(wss.clients.size).toBe(0);
      });

      it('client, Origin is on the list -> accepted', async () => {
        const wss = await open({ verifyClient: (info: Package) => allowed.has(info.origin) });
        const peer = await connectRaw(portOf(wss), { headers: { Origin: 'https://good.example' } });
        peer.socket.destroy();
      });
    });

    describe('A9: answers that an application adds to', () => {
      it("'headers' listener adds a line with CR LF -> it does not reach the client", async () => {
        const wss = await open();
        wss.on('headers', (lines: string[]) => lines.push('X-Path: a\r\nSet-Cookie: forged=1'));
        wss.on('wsClientError', (_error: Error, socket: net.Socket) => socket.destroy());
        const response = await answerOf(wss);
        expect(response).not.toMatch(/forged/);
        expect(response).not.toMatch(/ 101 /);
      });

      it('verifyClient refuses with a header with CR LF -> it does not reach the client', async () => {
        const headers = { 'X-Reason': 'a\r\nSet-Cookie: forged=1' };
        const verifyClient = (_info: Package, verdict: Package) => verdict(false, 403, 'no', headers);
        const wss = await open({ verifyClient });
        const response = await answerOf(wss);
        expect(response).not.toMatch(/forged/);
        expect(responsesIn(response)).toEqual(['HTTP/1.1 500']);
      });

      it('handleProtocols chooses what is no token -> it does not reach the client, and nothing is thrown', async () => {
        const wss = await open({ handleProtocols: () => 'a\r\nSet-Cookie: forged=1' });
        const headers = { 'Sec-WebSocket-Protocol': 'a' };
        const { result, thrown } = await uncaughtDuring(() => ask(wss, { headers }), 1000);
        expect(thrown).toEqual([]);
        expect(result).not.toMatch(/forged/);
        expect(responsesIn(result as string)).toEqual(['HTTP/1.1 500']);
      });

      async function answerOf(wss: Package): Promise<string> {
        const socket = dial(wss);
        const chunks: Buffer[] = [];
        socket.on('data', (chunk) => chunks.push(chunk));
        socket.write(upgradeRequest());
        await next(socket, 'close');
        return String(Buffer.concat(chunks));
      }
    });

    describe('A10: what happens before the application has decided', () => {
      /** A server whose verdict is in the test's hands. */
      async function hesitant() {
        const verdicts: ((isVerified: boolean) => void)[] = [];
        const requests: Package[] = [];
        const wss = await open({
          verifyClient: ({ req }: Package, verdict: (isVerified: boolean) => void) => {
            verdicts.push(verdict);
            requests.push(req);
          },
        });
        const asked = async () => {
          while (verdicts.length === 0) await turn();
          return { verdict: verdicts[0]!, req: requests[0]! };
        };
        return { wss, asked };
      }

      it.each([true, false])(
        'client resets, then the verdict is %s -> no connection, no crash',
        async (isVerified) => {
          const { wss, asked } = await hesitant();
          let connections = 0;
          wss.on('connection', () => connections++);
          const socket = dial(wss);
          socket.write(upgradeRequest());
          const { verdict, req } = await asked();
          const gone = next(req.socket, 'close');
          socket.resetAndDestroy();
          // A reset shows when the socket is read or written to.
          req.socket.resume();
          await gone;
          verdict(isVerified);
          await turn();
          expect(connections).toBe(0);
          expect(wss.clients.size).toBe(0);
        },
      );

      it('client sends frames with and behind the request -> all are delivered, once it is accepted', async () => {
        const { wss, asked } = await hesitant();
        const maskingKey = Buffer.from([1, 2, 3, 4]);
        const socket = dial(wss);
        const frame = (payload: string) => serializeFrame({ opcode: 1, payload, maskingKey });
        socket.write(Buffer.concat([Buffer.from(upgradeRequest()), frame('with')]));
        const { verdict } = await asked();
        socket.write(frame('behind'));
        for (let i = 0; i < 20; i++) await turn();
        const messages = new Promise<unknown[][]>((resolve) =>
          wss.once('connection', (end: Package) => resolve(several(end, 'message', 2))),
        );
        verdict(true);
        expect((await messages).map(([data]) => String(data))).toEqual(['with', 'behind']);
      });

      it('client sends 32 MiB before the verdict -> it is held back', async () => {
        const { asked, wss } = await hesitant();
        const socket = dial(wss);
        socket.write(upgradeRequest());
        const { req } = await asked();
        socket.write(Buffer.alloc(32 * 1024 * 1024));
        for (let i = 0; i < 500; i++) await turn();
        expect(req.socket.bytesRead).toBeLessThan(1024 * 1024);
        expect(socket.writableLength).toBeGreaterThan(0);
      });
    });

    describe('A11: too many connections', () => {
      it('verifyClient refuses with 503 above a number -> the connection is closed, others stay', async () => {
        const wss: Package = await open({
          verifyClient: (_info: Package, verdict: Package) => verdict(wss.clients.size < 2, 503),
        });
        const peers = [await connectRaw(portOf(wss)), await connectRaw(portOf(wss))];
        expect(responsesIn(await ask(wss, {}))).toEqual(['HTTP/1.1 503']);
        expect(wss.clients.size).toBe(2);
        for (const { socket } of peers) socket.destroy();
      });

      it('maxConnections of the HTTP server -> holds for those that say nothing, too', async () => {
        const wss = await open();
        wss._server.maxConnections = 1;
        dial(wss);
        const second = dial(wss);
        second.resume();
        await next(second, 'close');
      });
    });

    describe('A12: bytes that have no place in a head', () => {
      it.each([
        ['NUL in a field', 'X: a\0b'],
        ['a bare CR in a field', 'X: a\rb'],
        ['a control character in the protocol', 'Sec-WebSocket-Protocol: a\x01'],
        ['UTF-8 in the protocol', 'Sec-WebSocket-Protocol: \xc3\xa9'],
        ['a space before the colon', 'X : a'],
        ['no colon', 'XYZ'],
        ['folding', 'X: a\r\n b'],
      ])('client, %s -> 400', async (_name, line) => {
        const wss = await open();
        const socket = dial(wss);
        socket.write(Buffer.from(upgradeRequest().replace('\r\n\r\n', `\r\n${line}\r\n\r\n`), 'latin1'));
        const [bytes] = await next(socket, 'data');
        expect(String(bytes)).toMatch(/^HTTP\/1\.1 400 /);
        expect(wss.clients.size).toBe(0);
      });

      it('client, UTF-8 in the key -> 400', async () => {
        const wss = await open();
        const response = await ask(wss, {
          headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j\xc3\xa9==' },
        });
        expect(responsesIn(response)).toEqual(['HTTP/1.1 400']);
      });
    });
  });
}

describe('A4: the work is linear', () => {
  it.each([
    ['subprotocols, spaces', parseSubprotocols, (n: number) => `b${' '.repeat(n)}x`],
    ['subprotocols, commas', parseSubprotocols, (n: number) => `a${' ,'.repeat(n)}`],
    ['extensions, spaces', parseExtensions, (n: number) => `b${' '.repeat(n)}x`],
    ['extensions, unclosed quote', parseExtensions, (n: number) => `a; b="${'\\c'.repeat(n)}`],
    ['extensions, spaces in parameters', parseExtensions, (n: number) => `a; b${' '.repeat(n)}c`],
  ])('%s, twice the length -> about twice the reads', (_name, parse: (text: string) => unknown, build) => {
    const readsFor = (length: number) => {
      const { counted, reads } = countingText(build(length));
      expect(() => parse(counted)).toThrow(SyntaxError);
      return reads();
    };
    const reads = readsFor(8000);
    expect(reads).toBeLessThan(8000 * 8);
    expect(readsFor(16_000) / reads).toBeLessThan(2.2);
  });
});
