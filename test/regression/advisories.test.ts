// One test for each published advisory on an implementation of WebSockets, with the input that triggered it. The rules
// behind them are tested at length in the files beside this one; docs/learned-from.md tells what went wrong there.
import net from 'node:net';
import tls from 'node:tls';
import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseSubprotocols } from '../../src/protocol/subprotocol.js';
import { parseExtensions } from '../../src/wire/extension-header.js';
import type { Package } from '../behaviour/implementations.js';
import { portOf, ROLES } from '../support/cast.js';
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js';
import { countingText } from '../support/counting.js';
import { next, thrownBy, turn } from '../support/events.js';
import { acceptingResponse, connectRaw, exchange, upgradeRequest } from '../support/raw-peer.js';
import { judge, LISTENERS, perform, stage } from './stage.js';

const { against, atEnd, client, listen, rawClient, rawServer, server } = stage();
const MiB = 1024 * 1024;

async function expectService(wss: Package): Promise<void> {
  const connection = next(wss, 'connection');
  const peer = await connectRaw(portOf(wss));
  await connection;
  peer.socket.destroy();
}

function dial(wss: Package): net.Socket {
  const socket = net.connect({ port: portOf(wss), host: '127.0.0.1' });
  return atEnd(
    socket.on('error', () => {}),
    () => socket.destroy(),
  );
}

describe('ws', () => {
  it.each(ROLES)(
    'CVE-2016-10518 GHSA-2mhh-w6q8-5hxw: %s, ping(50) -> "50", not 50 bytes of memory',
    async (role) => {
      const { socket, peer } = await against(role);
      socket.ping(50);
      expect(String((await peer.nextFrame()).payload)).toBe('50');
    },
  );

  it.each(ROLES)('CVE-2016-10542: %s, default options, 1 GiB announced -> 1009 at once', async (role) => {
    const { socket, peer } = await against(role);
    expect((await judge(socket, peer, { opcode: 2, declaredLength: 2n ** 30n })).told).toBe(1009);
  });

  it.each(LISTENERS)(
    'GHSA-5v72-xg48-5rpm: { %s }, extensions named as in Object.prototype -> no crash',
    async (listener) => {
      const wss = await listen(listener, { perMessageDeflate: true });
      for (const offer of [
        'constructor',
        ',;constructor',
        ';constructor',
        'permessage-deflate; constructor',
      ]) {
        const socket = dial(wss);
        socket.write(upgradeRequest({ headers: { 'Sec-WebSocket-Extensions': offer } }));
        expect(String((await next(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 (101|400) /);
      }
      await expectService(wss);
    },
  );

  it('CVE-2021-32640: subprotocol, spaces, another character -> linear work', () => {
    const { counted, reads } = countingText(`b${' '.repeat(15_000)}x`);
    expect(() => parseSubprotocols(counted)).toThrow(SyntaxError);
    expect(reads()).toBeLessThan(15_000 * 4);
  });

  it.each(LISTENERS)(
    'CVE-2024-37890 GHSA-3h5v-q93c-6h6q: { %s }, so many fields that Upgrade is cut off -> no crash',
    async (listener) => {
      const wss = await listen(listener);
      for (const count of [1004, 2010]) {
        const socket = dial(wss);
        const fields = Array.from({ length: count }, (_, i) => `x${i}:\r\n`).join('');
        socket.write(upgradeRequest().replace('\r\n', `\r\n${fields}`));
        expect(String((await next(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 4\d\d /);
      }
      await expectService(wss);
    },
  );

  it('CVE-2024-37890, the other way round: client, the answer has too many fields -> error, no crash', async () => {
    const fields = Array.from({ length: 1004 }, (_, i) => `x${i}:\r\n`).join('');
    const raw = await rawServer((request) => acceptingResponse(request).replace('\r\n', `\r\n${fields}`));
    const socket = client(raw.url);
    const opened = next(socket, 'open').then(() => socket.terminate());
    const [code] = await Promise.race([next(socket, 'close'), opened.then(() => next(socket, 'close'))]);
    expect(code).toBe(1006);
  });

  it.each(ROLES)(
    'CVE-2026-45736 GHSA-58qx-3vcg-4xpx: %s, close(1000, Float32Array) -> TypeError',
    async (role) => {
      const { socket } = await against(role);
      expect(thrownBy(() => socket.close(1000, new Float32Array(20)))).toBeInstanceOf(TypeError);
    },
  );

  it('CVE-2026-48779 GHSA-96hv-2xvq-fx4p: 131,072 fragments of one byte -> no more than their bytes and a constant', async () => {
    const { held } = await perform('fragments', { count: 130_000, payload: 'x' });
    expect(held).toBeLessThan(2 * MiB);
  });

  it('CVE-2026-48779, one frame in reads of one byte -> no more than its bytes and a constant', async () => {
    const { held } = await perform('drip', { count: 130_000 });
    expect(held).toBeLessThan(2 * MiB);
  });

  it('CVE-2026-62389 (ws#2329, ws#2331): empty fragments -> nothing is held', async () => {
    const { held } = await perform('fragments', { count: 130_000, payload: '' });
    expect(held).toBeLessThan(2 * MiB);
  });

  it('ws 8.23.0: Pings whose Pongs nobody reads -> cut off', async () => {
    const { code, most } = await perform('pings', { count: 200_000 });
    expect(code).toBe(1006);
    expect(most).toBeLessThan(MiB);
  });

  it('ws#2013: redirect to another host -> no Authorization, no Cookie', async () => {
    const other = await rawServer();
    const first = await rawServer(
      () => `HTTP/1.1 301 Moved\r\nLocation: ${other.url}\r\nContent-Length: 0\r\n\r\n`,
    );
    const headers = { Authorization: 'Basic c2VjcmV0', Cookie: 'a=secret' };
    await next(client(first.url, { followRedirects: true, headers }), 'open');
    expect(other.requests[0]!.headers).not.toMatchObject({ authorization: expect.anything() });
    expect(other.requests[0]!.headers).not.toMatchObject({ cookie: expect.anything() });
  });

  it('ws#2285: inflating past maxPayload -> WS_ERR_UNSUPPORTED_MESSAGE_LENGTH and 1009', async () => {
    const { socket, peer } = await rawClient(
      { perMessageDeflate: true, maxPayload: 1000 },
      { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } },
    );
    const bytes = deflateRawSync(Buffer.alloc(5000), { finishFlush: constants.Z_SYNC_FLUSH });
    const judgement = await judge(socket, peer, { opcode: 2, rsv1: true, payload: bytes.subarray(0, -4) });
    expect(judgement).toMatchObject({ told: 1009, errors: ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'] });
  });
});

describe('undici', () => {
  it('CVE-2026-1526 GHSA-vrm6-8vpv-qv8q: 256 MiB in a small frame -> stopped at the limit', async () => {
    const result = await perform('inflate', { megabytes: 256, maxPayload: MiB });
    expect(result).toMatchObject({ agreed: true, told: 1009, messages: 0 });
    expect(result.most).toBeLessThan(64 * MiB);
  });

  it.each(ROLES)('CVE-2026-1528: %s, length above 2^53 -> 1009, no exception', async (role) => {
    const { socket, peer } = await against(role);
    expect((await judge(socket, peer, { opcode: 2, declaredLength: 2n ** 53n + 2n ** 20n })).told).toBe(1009);
  });

  it('CVE-2026-2229 GHSA-v9p9-hfj2-hcw8: server_max_window_bits outside of 8 to 15 -> error, no exception', async () => {
    for (const bits of [0, 7, 16, 1000]) {
      const raw = await rawServer((request) =>
        acceptingResponse(request, {
          'Sec-WebSocket-Extensions': `permessage-deflate; server_max_window_bits=${bits}`,
        }),
      );
      expect((await next(client(raw.url), 'close'))[0]).toBe(1006);
    }
  });

  it('CVE-2026-1527 GHSA-4992-7rv2-5pvq: CR LF in Upgrade -> not on the wire', async () => {
    const raw = await rawServer();
    const forged = 'websocket\r\nX-Forged: 1';
    expect(thrownBy(() => client(raw.url, { headers: { upgrade: forged } }))).toBeInstanceOf(TypeError);
    expect(raw.requests).toEqual([]);
  });

  it('CVE-2026-12151: 1,000,000 empty continuation frames below the limit in bytes -> nothing is held', async () => {
    const { held } = await perform('fragments', {
      count: 1_000_000,
      payload: '',
      options: { maxPayload: 1000 },
    });
    expect(held).toBeLessThan(2 * MiB);
  });

  it.each(ROLES)('CVE-2026-9675: %s, endless fragments, each below the limit -> 1009', async (role) => {
    const { socket, peer } = await against(role, { maxPayload: 1000 });
    const fragment = { opcode: 0, fin: false, payload: Buffer.alloc(999) };
    expect((await judge(socket, peer, { ...fragment, opcode: 2 }, fragment, fragment)).told).toBe(1009);
  });
});

describe('others', () => {
  it('CVE-2020-7662 CVE-2020-7663 (websocket-extensions): a quoted value that does not end -> linear work', () => {
    const { counted, reads } = countingText(`a; b="${'\\c'.repeat(8000)}`);
    expect(() => parseExtensions(counted)).toThrow(SyntaxError);
    expect(reads()).toBeLessThan(16_000 * 8);
  });

  it.each(LISTENERS)(
    'CVE-2020-7693 (sockjs): { %s }, Upgrade: websocket and nothing else -> refused, no crash',
    async (listener) => {
      const wss = await listen(listener);
      const none = { 'Sec-WebSocket-Key': undefined, 'Sec-WebSocket-Version': undefined };
      const response = await exchange(portOf(wss), upgradeRequest({ headers: none }));
      expect(response).toMatch(/^HTTP\/1\.1 400 /);
      await expectService(wss);
    },
  );

  it.each(LISTENERS)(
    'CVE-2022-21676 CVE-2022-41940 (engine.io): { %s }, reset at every point of the handshake -> no crash',
    async (listener) => {
      const wss = await listen(listener);
      const request = upgradeRequest();
      for (const length of [0, 1, 20, request.length - 2, request.length]) {
        const socket = dial(wss);
        await next(socket, 'connect');
        if (length > 0) await new Promise((resolve) => socket.write(request.slice(0, length), resolve));
        await turn();
        socket.resetAndDestroy();
        await next(socket, 'close');
      }
      await expectService(wss);
    },
  );

  it('CVE-2022-41940 (engine.io): reset while verifyClient thinks -> no crash, whatever it says', async () => {
    const verdicts: ((isVerified: boolean) => void)[] = [];
    const wss = await server({
      verifyClient: (_info: Package, verdict: () => void) => verdicts.push(verdict),
    });
    for (const isVerified of [true, false]) {
      const socket = dial(wss);
      socket.write(upgradeRequest());
      while (verdicts.length === 0) await turn();
      socket.resetAndDestroy();
      await next(socket, 'close');
      verdicts.pop()!(isVerified);
      await turn();
    }
    wss.options.verifyClient = null;
    await expectService(wss);
  });

  it('CVE-2024-38355 (socket.io): errors that nobody listens to -> the process stays', async () => {
    expect(await perform('faults')).toEqual({ message: 'still here' });
  });

  it('CVE-2020-15133 CVE-2020-15134 (faye): certificate that nobody vouches for -> error, nothing is sent', async () => {
    let requests = 0;
    const secure = tls.createServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, (socket) => {
      requests++;
      socket.destroy();
    });
    secure.on('tlsClientError', () => {});
    atEnd(secure, () => secure.close());
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const socket = client(`wss://localhost:${(secure.address() as net.AddressInfo).port}`);
    const [error] = await next(socket, 'error');
    expect(error.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(requests).toBe(0);
  });

  it.each(ROLES)('CVE-2020-27813 (gorilla): %s, lengths whose sum overflows -> 1009', async (role) => {
    const { socket, peer } = await against(role, { maxPayload: 0 });
    const frames = [
      { opcode: 2, fin: false, payload: 'x' },
      { opcode: 0, declaredLength: 2n ** 63n - 2n ** 20n },
    ];
    expect((await judge(socket, peer, ...frames)).told).toBe(1009);
  });

  it.each(LISTENERS)(
    'CVE-2018-12122 (node): { %s }, headers that never end -> there is a deadline',
    async (listener) => {
      const wss = await listen(listener);
      expect(wss._server.headersTimeout).toBeGreaterThan(0);
      expect(wss._server.headersTimeout).toBeLessThanOrEqual(60_000);
    },
  );
});
