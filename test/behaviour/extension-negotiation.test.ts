// perMessageDeflate of a server: which offers are accepted, with which parameters, and which end the handshake.
import { expect, it } from 'vitest';
import { cast, portOf } from '../support/cast.js';
import { next, record, thrownBy } from '../support/events.js';
import { acceptingResponse, exchange, parseHead, upgradeRequest } from '../support/raw-peer.js';
import { silentAgent } from '../support/silent-agent.js';
import { behaviour, differs, type Package } from './implementations.js';

const PMD = 'permessage-deflate';
const REFUSED = 'Invalid or unacceptable Sec-WebSocket-Extensions header';

behaviour('extension negotiation', (implementation) => {
  const { ws: WebSocket } = implementation;
  const { client, pair, rawClient, rawServer, server } = cast(WebSocket);

  it.each<[unknown, string, string | undefined]>([
    [false, PMD, undefined],
    [false, 'not;;a==header', undefined],
    [true, PMD, PMD],
    [true, 'foo', undefined],
    [true, `foo, ${PMD}; client_max_window_bits`, PMD],
    [true, `${PMD}; client_max_window_bits`, PMD],
    [true, `${PMD}; client_max_window_bits=12`, `${PMD}; client_max_window_bits=12`],
    [true, `${PMD}; server_max_window_bits=10`, `${PMD}; server_max_window_bits=10`],
    [true, `${PMD}; server_max_window_bits="10"`, `${PMD}; server_max_window_bits=10`],
    [true, `${PMD}; server_no_context_takeover`, `${PMD}; server_no_context_takeover`],
    [true, `${PMD}; client_no_context_takeover`, `${PMD}; client_no_context_takeover`],
    [{ serverNoContextTakeover: true }, PMD, `${PMD}; server_no_context_takeover`],
    [{ clientNoContextTakeover: true }, PMD, `${PMD}; client_no_context_takeover`],
    [{ serverMaxWindowBits: 10 }, PMD, `${PMD}; server_max_window_bits=10`],
    [{ serverMaxWindowBits: 10 }, `${PMD}; server_max_window_bits=12`, `${PMD}; server_max_window_bits=10`],
    [{ clientMaxWindowBits: 11 }, `${PMD}; client_max_window_bits`, `${PMD}; client_max_window_bits=11`],
    [{ clientMaxWindowBits: 11 }, `${PMD}; client_max_window_bits=11`, `${PMD}; client_max_window_bits=11`],
    [{ clientMaxWindowBits: false }, `${PMD}; client_max_window_bits=10`, PMD],
    [{ serverMaxWindowBits: false }, `${PMD}; server_max_window_bits=10, ${PMD}`, PMD],
    [{ serverNoContextTakeover: false }, `${PMD}; server_no_context_takeover, ${PMD}`, PMD],
    [
      { serverMaxWindowBits: 12 },
      `${PMD}; server_max_window_bits=10, ${PMD}`,
      `${PMD}; server_max_window_bits=12`,
    ],
    [
      { clientMaxWindowBits: 12 },
      `${PMD}, ${PMD}; client_max_window_bits`,
      `${PMD}; client_max_window_bits=12`,
    ],
    [
      {
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
        serverMaxWindowBits: 10,
        clientMaxWindowBits: 11,
      },
      `${PMD}; client_max_window_bits`,
      `${PMD}; client_max_window_bits=11; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10`,
    ],
  ])('server, perMessageDeflate %j, offer %s -> response %s', async (perMessageDeflate, offer, accepted) => {
    const { socket, peer } = await rawClient(
      { perMessageDeflate },
      { headers: { 'Sec-WebSocket-Extensions': offer } },
    );
    expect(peer.head.headers['sec-websocket-extensions']).toBe(accepted);
    expect(socket.extensions).toBe(accepted === undefined ? '' : PMD);
  });

  it.each<[unknown, string]>([
    [true, `${PMD}; foo`],
    [true, `${PMD}; server_max_window_bits`],
    [true, `${PMD}; server_max_window_bits=7`],
    [true, `${PMD}; server_max_window_bits=16`],
    [true, `${PMD}; server_max_window_bits=8.5`],
    [true, `${PMD}; client_max_window_bits=7`],
    [true, `${PMD}; client_max_window_bits=16`],
    [true, `${PMD}; server_no_context_takeover=1`],
    [true, `${PMD}; client_no_context_takeover=x`],
    [true, `${PMD}; server_no_context_takeover; server_no_context_takeover`],
    [true, 'foo;'],
    [true, ''],
    [true, 'a b'],
    [{ clientMaxWindowBits: 11 }, PMD],
    [{ clientMaxWindowBits: 11 }, `${PMD}; client_max_window_bits=10`],
    [{ serverMaxWindowBits: 12 }, `${PMD}; server_max_window_bits=10`],
    [{ serverMaxWindowBits: false }, `${PMD}; server_max_window_bits=10`],
    [{ serverNoContextTakeover: false }, `${PMD}; server_no_context_takeover`],
  ])('server, perMessageDeflate %j, offer "%s" -> 400', async (perMessageDeflate, offer) => {
    const wss = await server({ perMessageDeflate });
    const answer = await exchange(
      portOf(wss),
      upgradeRequest({ headers: { 'Sec-WebSocket-Extensions': offer } }),
    );
    expect(answer).toBe(
      `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: ${REFUSED.length}\r\n\r\n${REFUSED}`,
    );
  });

  it('server, the offer in two header lines -> read as one list', async () => {
    const wss = await server({ perMessageDeflate: true });
    const request = upgradeRequest({
      headers: { 'Sec-WebSocket-Extensions': 'foo', 'sec-websocket-extensions': PMD },
    });
    const socket = next(wss, 'connection');
    void exchange(portOf(wss), request);
    const [accepted] = await socket;
    expect(accepted.extensions).toBe(PMD);
    accepted.terminate();
  });

  it.each([
    {},
    { serverNoContextTakeover: true },
    { clientNoContextTakeover: true },
    { serverNoContextTakeover: true, clientNoContextTakeover: true },
    { serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
    { serverMaxWindowBits: 8 },
    { zlibDeflateOptions: { level: 9, memLevel: 5 }, zlibInflateOptions: { chunkSize: 64 } },
  ])('both ends, %j -> many messages pass in both directions', async (perMessageDeflate) => {
    const { client: socket, server: peer } = await pair({
      perMessageDeflate: { threshold: 0, ...perMessageDeflate },
    });
    peer.on('message', (data: Buffer, isBinary: boolean) => peer.send(data, { binary: isBinary }));
    const received: string[] = [];
    socket.on('message', (data: Buffer) => received.push(String(data)));
    const sent = Array.from({ length: 20 }, (_, i) => `message ${i} `.repeat(i * 50));
    for (const text of sent) socket.send(text);
    while (received.length < sent.length) await next(socket, 'message');
    expect(received).toEqual(sent);
  });

  async function statusAndExtensions(offer: string): Promise<string> {
    const wss = await server({ perMessageDeflate: true });
    wss.on('connection', (socket: Package) => socket._socket.end());
    const answer = await exchange(
      portOf(wss),
      upgradeRequest({ headers: { 'Sec-WebSocket-Extensions': offer } }),
    );
    const { startLine, headers } = parseHead(answer.split('\r\n\r\n')[0]!);
    return `${startLine.split(' ')[1]} ${headers['sec-websocket-extensions'] ?? ''}`;
  }

  it('server, an offer with a fault before one without', async () => {
    const expected = differs(implementation, 'faulty-offer', { ws: '400 ', hawser: `101 ${PMD}` });
    expect(await statusAndExtensions(`${PMD}; foo, ${PMD}`)).toBe(expected);
  });

  it.each(['08', '1e1', '0xa'])('server, window bits "%s"', async (bits) => {
    const expected = differs(implementation, 'window-bits-digits', {
      ws: `101 ${PMD}; server_max_window_bits=${Number(bits)}`,
      hawser: '400 ',
    });
    expect(await statusAndExtensions(`${PMD}; server_max_window_bits=${bits}`)).toBe(expected);
  });

  /** How the handshake of a client ends: the extensions, or the error. */
  async function clientResult(perMessageDeflate: object, response: string): Promise<string> {
    const raw = await rawServer((request) =>
      acceptingResponse(request, { 'Sec-WebSocket-Extensions': response }),
    );
    const socket = client(raw.url, { perMessageDeflate });
    const log = record(socket, 'open', 'error');
    await Promise.race([next(socket, 'open'), next(socket, 'close')]);
    return log[0]![0] === 'open' ? socket.extensions : (log[0]![1] as Error).message;
  }

  it('client, response with a larger window than it asked for', async () => {
    const expected = differs(implementation, 'window-bits-response', {
      ws: PMD,
      hawser: 'Invalid Sec-WebSocket-Extensions header',
    });
    expect(await clientResult({ serverMaxWindowBits: 10 }, `${PMD}; server_max_window_bits=12`)).toBe(
      expected,
    );
    expect(await clientResult({ serverMaxWindowBits: 10 }, `${PMD}; server_max_window_bits=9`)).toBe(PMD);
  });

  it('client, response with the extension twice', async () => {
    const expected = differs(implementation, 'single-extension', {
      ws: PMD,
      hawser: 'Invalid Sec-WebSocket-Extensions header',
    });
    expect(await clientResult({}, `${PMD}, ${PMD}`)).toBe(expected);
  });

  it('client, window bits of its own that do not exist', () => {
    const check = differs(implementation, 'window-bits-option', {
      ws: () => {
        const agent = silentAgent();
        client('ws://127.0.0.1', { agent, perMessageDeflate: { clientMaxWindowBits: 16 } });
        expect(agent.asked).toHaveLength(1);
      },
      hawser: () => {
        for (const options of [{ clientMaxWindowBits: 16 }, { serverMaxWindowBits: 7 }]) {
          const error = thrownBy(() => new WebSocket('ws://127.0.0.1', { perMessageDeflate: options }));
          expect(error).toBeInstanceOf(RangeError);
        }
      },
    });
    check();
  });

  it('client, serverMaxWindowBits true', async () => {
    const raw = await rawServer();
    await next(client(raw.url, { perMessageDeflate: { serverMaxWindowBits: true } }), 'open');
    const expected = differs(implementation, 'window-bits-flag', {
      ws: `${PMD}; server_max_window_bits; client_max_window_bits`,
      hawser: `${PMD}; client_max_window_bits`,
    });
    expect(raw.requests[0]!.headers['sec-websocket-extensions']).toBe(expected);
  });

  it('client, zlibDeflateOptions -> the level that was asked for', async () => {
    const sizes: number[] = [];
    for (const level of [0, 9]) {
      const raw = await rawServer((request) =>
        acceptingResponse(request, { 'Sec-WebSocket-Extensions': PMD }),
      );
      const socket = client(raw.url, { perMessageDeflate: { zlibDeflateOptions: { level } } });
      const [peer] = await Promise.all([raw.nextPeer(), next(socket, 'open')]);
      socket.send('x'.repeat(1000));
      const frame = await peer.nextFrame();
      expect(frame.rsv1).toBe(true);
      sizes.push(frame.payload.length);
    }
    expect(sizes[0]).toBeGreaterThan(1000);
    expect(sizes[1]).toBeLessThan(100);
  });
});
