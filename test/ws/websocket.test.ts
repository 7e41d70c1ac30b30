// What the WebSocket class has beyond `ws`: promises, iteration, backpressure, heartbeat, limits that change, and no
// crash of the process. What it shares with `ws` is tested in `behaviour/`, against both.
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { ClientOptions } from '../../src/ws/opening-handshake.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { type ServerOptions, WebSocketServer } from '../../src/ws/websocket-server.js';
import { next } from '../support/events.js';
import { connectRaw, RawServer } from '../support/raw-peer.js';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listen(options: ServerOptions = {}): Promise<WebSocketServer> {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  cleanups.push(() => wss.close({ timeoutMs: 100 }));
  await next(wss, 'listening');
  return wss;
}

function urlOf(wss: WebSocketServer): string {
  return `ws://127.0.0.1:${(wss.address() as AddressInfo).port}`;
}

/** Both ends of a connection. */
async function pair(
  serverOptions: ServerOptions = {},
  clientOptions: ClientOptions = {},
): Promise<{ client: WebSocket; server: WebSocket; wss: WebSocketServer }> {
  const wss = await listen(serverOptions);
  const client = new WebSocket(urlOf(wss), clientOptions);
  cleanups.push(() => client.terminate());
  const [[server]] = (await Promise.all([next(wss, 'connection'), next(client, 'open')])) as [
    [WebSocket],
    unknown,
  ];
  return { client, server, wss };
}

describe('sent()', () => {
  it('open -> resolves once the bytes have left', async () => {
    const { client, server } = await pair();
    const message = next(server, 'message');
    await expect(client.sent('hello')).resolves.toBeUndefined();
    expect(String((await message)[0])).toBe('hello');
  });

  it('connecting -> rejects as send() throws; closed -> rejects with the error of the callback', async () => {
    const wss = await listen();
    const client = new WebSocket(urlOf(wss));
    await expect(client.sent('x')).rejects.toThrow('WebSocket is not open: readyState 0 (CONNECTING)');
    await next(client, 'open');
    await client.closed(1000);
    await expect(client.sent('x')).rejects.toThrow('WebSocket is not open: readyState 3 (CLOSED)');
  });
});

describe('pinged()', () => {
  it('resolves with the round trip time when its own Pong comes', async () => {
    const { client, server } = await pair();
    server.pong('another one');
    const payloads: string[] = [];
    server.on('ping', (data) => payloads.push(String(data)));
    expect(await client.pinged()).toBeGreaterThan(0);
    expect(await client.pinged('mine')).toBeGreaterThan(0);
    expect(payloads[1]).toBe('mine');
    expect(client.listenerCount('pong')).toBe(0);
    expect(client.listenerCount('close')).toBe(0);
  });

  it('the connection ends first -> rejects', async () => {
    const { client, server } = await pair({ autoPong: false });
    server.once('ping', () => server.terminate());
    await expect(client.pinged()).rejects.toThrow('closed before the Pong arrived');
  });
});

describe('closed()', () => {
  it('starts the closing handshake and tells how it ended', async () => {
    const { client, server } = await pair();
    const peer = next(server, 'close');
    expect(await client.closed(4001, 'done')).toEqual({ code: 4001, reason: 'done', wasClean: true });
    expect((await peer)[0]).toBe(4001);
    expect(server.wasClean).toBe(true);
    expect(await client.closed()).toEqual({ code: 4001, reason: 'done', wasClean: true });
  });

  it('a handshake that never succeeds -> 1006', async () => {
    const wss = await listen({ verifyClient: () => false });
    const client = new WebSocket(urlOf(wss));
    expect(await client.closed()).toEqual({ code: 1006, reason: '', wasClean: false });
  });

  it('invalid code -> rejects, and the connection stays open', async () => {
    const { client } = await pair();
    await expect(client.closed(1005)).rejects.toThrow(TypeError);
    expect(client.readyState).toBe(WebSocket.OPEN);
  });

  it('await using -> closed at the end of the block', async () => {
    const { client, server } = await pair();
    const closed = next(server, 'close');
    await client[Symbol.asyncDispose]();
    expect(client.readyState).toBe(WebSocket.CLOSED);
    expect((await closed)[0]).toBe(1005);
  });
});

describe('for await', () => {
  it('yields text and binary in order, then ends with the connection', async () => {
    const { client, server } = await pair();
    server.send('one');
    server.send(Buffer.from('two'));
    server.close(1000);
    const seen: [string, boolean][] = [];
    for await (const { data, isBinary } of client) seen.push([String(data), isBinary]);
    expect(seen).toEqual([
      ['one', false],
      ['two', true],
    ]);
    expect(client.listenerCount('message')).toBe(0);
  });

  it('a consumer that lags -> the socket is not read, and the sender is held back', async () => {
    const { client, server } = await pair();
    const iterator = client[Symbol.asyncIterator]();
    const chunk = Buffer.alloc(256 * 1024);
    const first = iterator.next();
    server.send(chunk);
    expect((await first).value?.data).toHaveLength(chunk.length);
    // More than the buffers of the kernel hold: what cannot leave shows that nobody reads.
    const total = 64;
    for (let i = 0; i < total; i++) server.send(chunk);
    let parsed = 0;
    client.on('message', () => parsed++);
    // The consumer takes nothing: nobody reads, and what the kernel does not hold stays with the sender.
    for (let turns = 0; turns < 200; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(client.isPaused).toBe(true);
    expect(parsed).toBe(0);
    expect(server.bufferedAmount).toBeGreaterThan(1024 * 1024);
    for (let taken = 0; taken < total; taken++) await iterator.next();
    expect(parsed).toBe(total);
    expect(server.bufferedAmount).toBe(0);
  });

  it('the peer breaks a rule -> messages before it, then the error', async () => {
    const { socket, peer } = await rawClientOf();
    peer.send({ opcode: 1, payload: 'good' }, { opcode: 3 });
    const seen: string[] = [];
    await expect(async () => {
      for await (const { data } of socket) seen.push(String(data));
    }).rejects.toThrow('invalid opcode 3');
    expect(seen).toEqual(['good']);
  });

  it('the consumer leaves the loop -> the connection is closed', async () => {
    const { client, server } = await pair();
    const closed = next(server, 'close');
    server.send('only');
    for await (const { data } of client) {
      expect(String(data)).toBe('only');
      break;
    }
    expect((await closed)[0]).toBe(1005);
  });
});

/** A hawser server's end with a raw client as its peer. */
async function rawClientOf(options: ServerOptions = {}) {
  const wss = await listen(options);
  const [[socket], peer] = await Promise.all([
    next(wss, 'connection') as Promise<[WebSocket]>,
    connectRaw((wss.address() as AddressInfo).port),
  ]);
  cleanups.push(() => peer.socket.destroy());
  return { socket, peer, wss };
}

describe('send callbacks', () => {
  it('one throws -> those behind it are called, and the process hears of it', async () => {
    const { client, server } = await pair();
    const thrown = uncaught();
    const called: string[] = [];
    client.send('first');
    client.send('second', () => {
      called.push('second');
      throw new Error('callback');
    });
    client.send('third', () => called.push('third'));
    expect(((await thrown) as Error).message).toBe('callback');
    expect(await client.closed(1000)).toMatchObject({ code: 1000, wasClean: true });
    expect(called).toEqual(['second', 'third']);
    expect(server.readyState).not.toBe(WebSocket.OPEN);
  });

  it('a Blob that waits behind another and cannot be read -> its error, no unhandled rejection', async () => {
    const { client } = await pair();
    const blob = (read: () => Promise<ArrayBuffer>) => ({
      ...{ size: 3, type: '', stream: () => {}, [Symbol.toStringTag]: 'Blob' },
      arrayBuffer: read,
    });
    client.on('error', () => {});
    let isRead = false;
    client.send(blob(() => new Promise((resolve) => setTimeout(() => resolve(new ArrayBuffer(3)), 20))));
    const failed = new Promise((resolve) => {
      const unreadable = blob(() => {
        isRead = true;
        return Promise.reject(new Error('unreadable'));
      });
      client.send(unreadable, undefined, resolve as () => void);
    });
    expect(isRead).toBe(false);
    expect(await failed).toMatchObject({ message: 'unreadable' });
  });
});

/** The next exception that reaches the process, with the test runner's own listeners out of the way. */
function uncaught(): Promise<unknown> {
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  return new Promise((resolve) => {
    process.once('uncaughtException', (error) => {
      for (const listener of listeners) process.on('uncaughtException', listener);
      resolve(error);
    });
  });
}

describe('a stream in memory that answers while it is written to', () => {
  it('input inside of input -> parsed behind it, nothing lost', () => {
    const socket = new WebSocket(null);
    const frame = (text: string) =>
      Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
    const stream = new Duplex({
      read() {},
      write(_chunk, _encoding, callback) {
        if (answers > 0) stream.emit('data', frame(`answer ${answers--}`));
        callback();
      },
    });
    let answers = 2;
    const seen: string[] = [];
    socket.on('message', (data) => {
      seen.push(String(data));
      // Large enough to be written at once, in the middle of the chunk.
      if (seen.length === 1) socket.send(Buffer.alloc(100_000));
    });
    socket.setSocket(stream);
    stream.emit('data', Buffer.concat([frame('one'), frame('two'), frame('three')]));
    expect(seen.slice(0, 3)).toEqual(['one', 'two', 'three']);
    expect(seen.slice(3)).toEqual(['answer 2', 'answer 1']);
    socket.terminate();
  });
});

describe('closeTimeout', () => {
  it('0 -> a peer that does not answer is cut at once', async () => {
    const { socket } = await rawClientOf({ closeTimeout: 0 });
    socket.close();
    expect((await next(socket, 'close'))[0]).toBe(1006);
  });
});

describe('perMessageDeflate', () => {
  it.each([null, false, undefined])('%s -> not offered', async (perMessageDeflate) => {
    const raw = await RawServer.listen();
    cleanups.push(() => raw.close());
    const client = new WebSocket(raw.url, { perMessageDeflate } as ClientOptions);
    await next(client, 'open');
    expect(raw.requests[0]?.headers).not.toHaveProperty('sec-websocket-extensions');
    client.terminate();
  });

  it('a window that does not exist -> RangeError from the constructor of the server', () => {
    const options = { noServer: true, perMessageDeflate: { serverMaxWindowBits: 20 } };
    expect(() => new WebSocketServer(options)).toThrow(RangeError);
  });
});

describe('drain', () => {
  it('emitted once what the socket found too much has left', async () => {
    const { client, server } = await pair();
    client.pause();
    let sent = 0;
    while (server.bufferedAmount < 4 * 1024 * 1024) {
      server.send(Buffer.alloc(512 * 1024));
      sent++;
    }
    const drained = next(server, 'drain');
    let received = 0;
    client.on('message', () => received++);
    client.resume();
    await drained;
    expect(server.bufferedAmount).toBe(0);
    await client.pinged();
    expect(received).toBe(sent);
  });

  it('emitted when what waited for the compressor has left', async () => {
    const { client, server } = await pair({ perMessageDeflate: true });
    const received = next(client, 'message');
    const drained = next(server, 'drain');
    server.send(Buffer.alloc(1024 * 1024));
    expect(server.bufferedAmount).toBe(1024 * 1024);
    await drained;
    expect(server.bufferedAmount).toBe(0);
    expect((await received)[0]).toHaveLength(1024 * 1024);
  });
});

describe('heartbeat', () => {
  it.each(['server', 'client'] as const)('%s, the peer answers no Ping -> terminated, 1006', async (role) => {
    const heartbeat = { intervalMs: 20, timeoutMs: 40 };
    if (role === 'server') {
      const { socket, peer } = await rawClientOf({ heartbeat });
      const [code] = await next(socket, 'close');
      expect(code).toBe(1006);
      expect(peer.frames.every((frame) => frame.opcode === 9)).toBe(true);
      expect(peer.frames.length).toBeGreaterThan(0);
    } else {
      const raw = await RawServer.listen();
      cleanups.push(() => raw.close());
      const client = new WebSocket(raw.url, { heartbeat });
      await Promise.all([raw.nextPeer(), next(client, 'open')]);
      expect((await next(client, 'close'))[0]).toBe(1006);
    }
  });

  it('a peer that answers stays connected over many intervals', async () => {
    const { client, server } = await pair({ heartbeat: { intervalMs: 10 } });
    let pings = 0;
    await new Promise<void>((resolve) => {
      client.on('ping', () => {
        if (++pings === 12) resolve();
      });
    });
    expect(server.readyState).toBe(WebSocket.OPEN);
  });

  it('durations that are none -> RangeError', async () => {
    for (const intervalMs of [0, -1, Number.NaN, 2 ** 31]) {
      expect(() => new WebSocket(null, undefined, { heartbeat: { intervalMs } })).toThrow(RangeError);
      expect(() => new WebSocketServer({ noServer: true, heartbeat: { intervalMs } })).toThrow(RangeError);
    }
  });
});

describe('maxPayload', () => {
  it('set on an open socket -> holds from the next frame on', async () => {
    const { client, server } = await pair();
    expect(server.maxPayload).toBe(100 * 1024 * 1024);
    server.maxPayload = 3;
    const messages: string[] = [];
    server.on('message', (data) => messages.push(String(data)));
    const failed = next(server, 'error');
    client.send('abc');
    client.send('abcd');
    expect((await failed)[0]).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
    expect(messages).toEqual(['abc']);
    expect((await next(client, 'close'))[0]).toBe(1009);
  });

  it('before the connection stands -> what will hold', () => {
    expect(new WebSocket(null).maxPayload).toBe(100 * 1024 * 1024);
    expect(new WebSocket(null, undefined, { maxPayload: 7 }).maxPayload).toBe(7);
  });

  it('not a number of bytes -> RangeError', async () => {
    const { server } = await pair();
    expect(() => {
      server.maxPayload = -1;
    }).toThrow(RangeError);
  });
});

describe('signal', () => {
  it('aborted while connecting -> error, then close 1006', async () => {
    const raw = await RawServer.listen(() => null);
    cleanups.push(() => raw.close());
    const controller = new AbortController();
    const client = new WebSocket(raw.url, { signal: controller.signal });
    const events: string[] = [];
    client.on('error', (error) => events.push(error.name));
    controller.abort();
    expect((await next(client, 'close'))[0]).toBe(1006);
    expect(events).toEqual(['AbortError']);
  });

  it('aborted once open -> the connection goes on', async () => {
    const controller = new AbortController();
    const { client } = await pair({}, { signal: controller.signal });
    controller.abort();
    expect(await client.pinged()).toBeGreaterThan(0);
  });
});

describe('an error that nobody listens to', () => {
  it('by default -> the connection closes, the process goes on', async () => {
    const { socket, peer } = await rawClientOf({ closeTimeout: 20 });
    peer.send({ opcode: 3 });
    expect((await next(socket, 'close'))[0]).toBe(1006);
  });

  it('crashOnUnhandledError -> thrown into the process, as in ws', async () => {
    const { peer } = await rawClientOf({ crashOnUnhandledError: true, closeTimeout: 20 });
    const thrown = uncaught();
    peer.send({ opcode: 3 });
    expect(await thrown).toMatchObject({ code: 'WS_ERR_INVALID_OPCODE' });
  });
});
