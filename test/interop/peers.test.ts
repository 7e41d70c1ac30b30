// hawser and npm `ws` over real sockets, in both roles: every length form, fragments, pings, close codes,
// permessage-deflate with and without context takeover, backpressure, TLS and unix sockets.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { Package } from '../behaviour/implementations.js';
import { cast, type Pair, urlOf } from '../support/cast.js';
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js';
import { next, several } from '../support/events.js';
import { isHawser, LENGTHS, pattern, subject, subjectName, textOf } from './subject.js';

// Not imported: as an ES module it lacks its statics.
const ws: Package = require('ws');

/** Options of the server and of the client, and the parameters of permessage-deflate that they agree on. */
const COMPRESSIONS: Record<string, { server: object | false; client: object | false; agreed?: object }> = {
  'no extension': { server: false, client: false },
  'context takeover both ways': { server: { threshold: 0 }, client: { threshold: 0 }, agreed: {} },
  'no context takeover of the server': {
    server: { threshold: 0, serverNoContextTakeover: true },
    client: { threshold: 0 },
    agreed: { server_no_context_takeover: true },
  },
  'no context takeover of the client': {
    server: { threshold: 0, clientNoContextTakeover: true },
    client: { threshold: 0 },
    agreed: { client_no_context_takeover: true },
  },
  'no context takeover at all, asked by the client': {
    server: { threshold: 0 },
    client: { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
    agreed: { server_no_context_takeover: true, client_no_context_takeover: true },
  },
  'windows of 9 bits': {
    server: { threshold: 0, serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
    client: { threshold: 0 },
    agreed: { server_max_window_bits: 9, client_max_window_bits: 9 },
  },
  'default threshold, no context takeover': {
    server: { serverNoContextTakeover: true, clientNoContextTakeover: true },
    client: {},
    agreed: { server_no_context_takeover: true, client_no_context_takeover: true },
  },
};

/** Codes that an endpoint may send (RFC 6455 §7.4), reserved and private ones included. */
const CODES = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
];

const PAIRINGS = [
  { title: `${subjectName} as server, npm ws as client`, Server: subject, Client: ws },
  { title: `npm ws as server, ${subjectName} as client`, Server: ws, Client: subject },
];

function echo(socket: Package): void {
  socket.on('message', (data: Buffer, isBinary: boolean) => socket.send(data, { binary: isBinary }));
}

describe.each(PAIRINGS)('$title', ({ Server, Client }) => {
  const servers = cast(Server);
  const clients = cast(Client);

  async function pair(
    serverOptions: object = {},
    clientOptions: object = {},
    protocols?: string[],
  ): Promise<Pair> {
    const wss = await servers.server(serverOptions);
    const connection = next(wss, 'connection');
    const client = clients.client(urlOf(wss), protocols ?? [], clientOptions);
    await next(client, 'open');
    const [server, req] = await connection;
    return { wss, client, server, req };
  }

  describe.each(Object.entries(COMPRESSIONS))('%s', (_title, compression) => {
    const { agreed } = compression;
    const options = [
      { perMessageDeflate: compression.server },
      { perMessageDeflate: compression.client },
    ] as const;

    it('text and binary of every length form, echoed -> the same bytes and type', async () => {
      const ends = await pair(...options);
      for (const end of [ends.client, ends.server]) {
        expect(end.extensions).toBe(agreed ? 'permessage-deflate' : '');
        expect(end._extensions['permessage-deflate']?.params).toEqual(agreed);
      }
      echo(ends.server);
      for (const length of LENGTHS) {
        const echoed = several(ends.client, 'message', 2);
        ends.client.send(pattern(length));
        ends.client.send(textOf(length));
        const [binary, text] = await echoed;
        expect((binary![0] as Buffer).equals(pattern(length)) && binary![1] === true, `${length} bytes`).toBe(
          true,
        );
        expect(text![0]!.toString() === textOf(length) && text![1] === false, `${length} of text`).toBe(true);
      }
    });

    it('500 messages of mixed lengths in one burst, echoed -> all of them in order', async () => {
      const ends = await pair(...options);
      echo(ends.server);
      const sent = Array.from({ length: 500 }, (_, i) => pattern((i * 7919) % 3000));
      const echoed = several(ends.client, 'message', sent.length);
      for (const bytes of sent) ends.client.send(bytes);
      const wrong = (await echoed).findIndex(([data], i) => !(data as Buffer).equals(sent[i]!));
      expect(wrong).toBe(-1);
    });

    it.each(['client', 'server'] as const)(
      'fragments of the %s with a ping between -> one message',
      async (from) => {
        const ends = await pair(...options);
        const [sender, receiver] =
          from === 'client' ? [ends.client, ends.server] : [ends.server, ends.client];
        const message = next(receiver, 'message');
        const ping = next(receiver, 'ping');
        const pong = next(sender, 'pong');
        const text = textOf(100_000);
        sender.send(text.slice(0, 7), { fin: false });
        sender.send('', { fin: false });
        sender.ping('between');
        sender.send(text.slice(7, 40_001), { fin: false });
        sender.send(text.slice(40_001), { fin: true });
        expect(String((await ping)[0])).toBe('between');
        expect(String((await pong)[0])).toBe('between');
        const [data, isBinary] = await message;
        expect(data.toString() === text && isBinary === false).toBe(true);
      },
    );
  });

  it.each(['client', 'server'] as const)(
    'ping of the %s with 0, 1 and 125 bytes -> pong with the same',
    async (from) => {
      const ends = await pair();
      const sender = from === 'client' ? ends.client : ends.server;
      for (const length of [0, 1, 125]) {
        const pong = next(sender, 'pong');
        sender.ping(pattern(length));
        expect((await pong)[0]).toEqual(pattern(length));
      }
    },
  );

  it.each(['client', 'server'] as const)(
    'close of the %s with each code -> both ends report it',
    async (from) => {
      const wss = await servers.server();
      for (const code of CODES) {
        const connection = next(wss, 'connection');
        const client = clients.client(urlOf(wss));
        await next(client, 'open');
        const [server] = await connection;
        const closes = Promise.all([next(client, 'close'), next(server, 'close')]);
        const reason = code % 2 ? '' : `no. ${code} ☃`;
        (from === 'client' ? client : server).close(code, reason);
        const [[clientCode, clientReason], [serverCode, serverReason]] = await closes;
        expect([clientCode, serverCode]).toEqual([code, code]);
        // The closing end hears the code echoed; npm ws echoes no reason.
        expect(String(from === 'client' ? serverReason : clientReason)).toBe(reason);
      }
    },
  );

  it.each(['client', 'server'] as const)(
    'close of the %s without a code -> 1005 at both ends',
    async (from) => {
      const { client, server } = await pair();
      const closes = Promise.all([next(client, 'close'), next(server, 'close')]);
      (from === 'client' ? client : server).close();
      expect((await closes).map(([code]) => code)).toEqual([1005, 1005]);
    },
  );

  it.each(['client', 'server'] as const)('terminate of the %s -> 1006 at both ends', async (from) => {
    const { client, server } = await pair();
    const closes = Promise.all([next(client, 'close'), next(server, 'close')]);
    (from === 'client' ? client : server).terminate();
    expect((await closes).map(([code]) => code)).toEqual([1006, 1006]);
  });

  it('messages sent right before close -> delivered before the close', async () => {
    const { client, server } = await pair({ perMessageDeflate: true });
    const seen: string[] = [];
    client.on('message', (data: Buffer) => seen.push(String(data.length)));
    const closed = next(client, 'close');
    for (const length of [1, 70_000, 2]) server.send(pattern(length));
    server.close(1001, 'done');
    expect(await closed).toEqual([1001, Buffer.from('done')]);
    expect(seen).toEqual(['1', '70000', '2']);
  });

  it.each(['client', 'server'] as const)('message above the limit of the %s -> 1009', async (limited) => {
    const limits = { maxPayload: 1000 };
    for (const perMessageDeflate of [false, { threshold: 0 }]) {
      const ends = await pair(
        { perMessageDeflate, ...(limited === 'server' && limits) },
        { perMessageDeflate, ...(limited === 'client' && limits) },
      );
      const [receiver, sender] =
        limited === 'client' ? [ends.client, ends.server] : [ends.server, ends.client];
      const error = next(receiver, 'error');
      const closed = next(sender, 'close');
      sender.send(Buffer.alloc(1000));
      expect((await next(receiver, 'message'))[0]).toHaveLength(1000);
      sender.send(Buffer.alloc(1001));
      expect((await error)[0].code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
      expect((await closed)[0]).toBe(1009);
    }
  });

  it('subprotocols offered -> both ends have the one that the server chose', async () => {
    const handleProtocols = (offered: Set<string>) => [...offered].at(-1);
    const { client, server, req } = await pair({ handleProtocols }, { headers: { 'X-Answer': '42' } }, [
      'a',
      'b',
    ]);
    expect([client.protocol, server.protocol, req.headers['x-answer']]).toEqual(['b', 'b', '42']);
  });

  it('stream of 8 MiB through createWebSocketStream, echoed -> the same bytes', async () => {
    const { client, server } = await pair();
    const back = Server.createWebSocketStream(server);
    back.pipe(back);
    const stream = Client.createWebSocketStream(client);
    const sent = pattern(8 << 20);
    let received = 0;
    let isSame = true;
    stream.on('data', (bytes: Buffer) => {
      isSame &&= bytes.equals(sent.subarray(received, received + bytes.length));
      received += bytes.length;
    });
    for (let at = 0; at < sent.length; at += 100_000) {
      if (!stream.write(sent.subarray(at, at + 100_000))) await once(stream, 'drain');
    }
    stream.end();
    await once(stream, 'end');
    expect([received, isSame]).toEqual([sent.length, true]);
  });

  it('a paused client -> the messages wait, and come in order after resume', async () => {
    const { wss, client, server } = await pair();
    const seen: number[] = [];
    client.on('message', (data: Buffer) => seen.push(data.length));
    client.pause();
    const lengths = Array.from({ length: 16 }, (_, i) => (1 << 20) + i);
    for (const length of lengths) server.send(Buffer.alloc(length));
    // Another connection opens, and is answered, in the meantime.
    const other = clients.client(urlOf(wss));
    await next(other, 'open');
    other.ping();
    await next(other, 'pong');
    expect([seen, server.bufferedAmount > 0]).toEqual([[], true]);
    client.resume();
    while (seen.length < lengths.length) await next(client, 'message');
    expect(seen).toEqual(lengths);
  });

  it('wss:// on an https server of the user -> echo', async () => {
    const httpsServer = https.createServer({ cert: CERTIFICATE, key: PRIVATE_KEY });
    servers.atEnd(httpsServer, () => httpsServer.close());
    const wss = new Server.WebSocketServer({ server: httpsServer, perMessageDeflate: true });
    wss.on('connection', echo);
    httpsServer.listen(0, '127.0.0.1');
    await once(httpsServer, 'listening');
    const { port } = httpsServer.address() as AddressInfo;
    const client = clients.client(`wss://127.0.0.1:${port}/`, { ca: CERTIFICATE });
    await next(client, 'open');
    for (const length of [1, 65_536, 1 << 20]) {
      client.send(pattern(length));
      expect((await next(client, 'message'))[0].equals(pattern(length))).toBe(true);
    }
    client.close();
    await next(client, 'close');
  });

  it('ws+unix: on an http server of the user -> echo', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hawser-unix-'));
    servers.atEnd(folder, () => rmSync(folder, { recursive: true, force: true }));
    const httpServer = http.createServer();
    servers.atEnd(httpServer, () => httpServer.close());
    const wss = new Server.WebSocketServer({ server: httpServer, path: '/echo' });
    wss.on('connection', echo);
    httpServer.listen(join(folder, 'socket'));
    await once(httpServer, 'listening');
    const client = clients.client(`ws+unix:${join(folder, 'socket')}:/echo`);
    await next(client, 'open');
    client.send('over a unix socket');
    expect(String((await next(client, 'message'))[0])).toBe('over a unix socket');
    client.close();
    await next(client, 'close');
  });
});

describe.runIf(isHawser)('what hawser adds, with npm ws at the other end', () => {
  const ours = cast(subject);
  const theirs = cast(ws);

  it('for await over a socket -> every message, then the end', async () => {
    const wss = await ours.server();
    const connection = next(wss, 'connection');
    const client = theirs.client(urlOf(wss));
    const [socket] = await connection;
    client.on('open', () => {
      for (let i = 0; i < 100; i++) client.send(i % 2 ? `${i}` : pattern(i * 100));
      client.close(1000);
    });
    const seen: [number, boolean][] = [];
    for await (const { data, isBinary } of socket) seen.push([data.length, isBinary]);
    const sent = Array.from({ length: 100 }, (_, i) => (i % 2 ? [`${i}`.length, false] : [i * 100, true]));
    expect(seen).toEqual(sent);
  });

  it('broadcast -> each client gets the message, with and without permessage-deflate', async () => {
    const wss = await ours.server({ perMessageDeflate: { threshold: 0 } });
    const clients = [true, true, false, false].map((perMessageDeflate) =>
      theirs.client(urlOf(wss), { perMessageDeflate }),
    );
    await Promise.all(clients.map((client) => next(client, 'open')));
    const heard = Promise.all(clients.map((client) => several(client, 'message', 2)));
    wss.broadcast('to all '.repeat(100));
    wss.broadcast(pattern(70_000));
    for (const [text, binary] of await heard) {
      expect([String(text![0]), text![1]]).toEqual(['to all '.repeat(100), false]);
      expect([(binary![0] as Buffer).equals(pattern(70_000)), binary![1]]).toEqual([true, true]);
    }
  });

  it('sent -> resolves, in order, for each message', async () => {
    const wss = await theirs.server();
    wss.on('connection', echo);
    const client = ours.client(urlOf(wss), { perMessageDeflate: false });
    await next(client, 'open');
    const echoed = several(client, 'message', 3);
    for (const data of ['a', pattern(100_000), 'c']) await client.sent(data);
    expect((await echoed).map(([data]) => (data as Buffer).length)).toEqual([1, 100_000, 1]);
  });

  it('close of the server with a code -> every client hears it, and the promise resolves', async () => {
    const wss = await ours.server();
    const clients = Array.from({ length: 3 }, () => theirs.client(urlOf(wss)));
    await Promise.all(clients.map((client) => next(client, 'open')));
    const closes = Promise.all(clients.map((client) => next(client, 'close')));
    await wss.close({ code: 1012, reason: 'restart', timeoutMs: 10_000 });
    expect(await closes).toEqual(clients.map(() => [1012, Buffer.from('restart')]));
  });
});
