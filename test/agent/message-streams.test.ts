import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Emitter } from '../../src/agent/emitter.js';
import { SessionError } from '../../src/agent/errors.js';
import { connectSession } from '../../src/agent/index.js';
import type { Data } from '../../src/agent/link.js';
import { messageStreams } from '../../src/agent/message-streams.js';
import type { QueueOptions } from '../../src/agent/queue-options.js';
import type { ServerSession } from '../../src/agent/server-session.js';
import { SessionServer } from '../../src/agent/session-server.js';
import type { StreamableSession } from '../../src/agent/session-streams.js';
import { WebSocketError } from '../../src/agent/stream-view.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import { fromPeer } from '../support/engine.js';
import { next, turn } from '../support/events.js';
import { closePayload } from '../support/frames.js';
import { until } from '../support/tcp.js';
import { webSocketOnStream } from '../support/web-socket.js';

const texts = (...payloads: string[]) =>
  fromPeer('server', ...payloads.map((payload) => ({ opcode: 1, payload })));
const closeFrame = (code = 1000, reason = '') =>
  fromPeer('server', { opcode: 8, payload: closePayload(code, reason) });

/** A socket in memory and its streams; what the test writes to `peer` arrives. */
async function streamsOnSocket() {
  const stage = webSocketOnStream();
  const streams = messageStreams(stage.webSocket);
  return { ...stage, streams, ...(await streams.opened) };
}

async function readAll(readable: ReadableStream<Data>): Promise<Data[]> {
  const all: Data[] = [];
  for await (const data of readable) all.push(data);
  return all;
}

const listenersOf = (webSocket: WebSocket) =>
  ['open', 'message', 'error', 'close', 'drain'].map((name) => webSocket.listenerCount(name));

describe('messageStreams over a socket', () => {
  it('one chunk is one message, text or binary, to the end', async () => {
    const { peer, readable, streams, webSocket } = await streamsOnSocket();
    // A byte order mark is part of the text.
    peer.write(Buffer.concat([texts('a', '\u{feff}b', ''), fromPeer('server', { opcode: 2, payload: 'c' })]));
    peer.end(closeFrame(4001, 'done'));
    expect(await readAll(readable)).toEqual(['a', '\u{feff}b', '', Buffer.from('c')]);
    expect(await streams.closed).toEqual({ closeCode: 4001, reason: 'done' });
    expect(listenersOf(webSocket)).toEqual([0, 0, 0, 0, 0]);
  });

  it('the socket gives binary messages in another form -> bytes all the same', async () => {
    const { webSocket, peer } = webSocketOnStream();
    webSocket.binaryType = 'fragments';
    const { readable } = await messageStreams(webSocket).opened;
    peer.end(Buffer.concat([fromPeer('server', { opcode: 2, payload: 'c' }), closeFrame()]));
    expect(await readAll(readable)).toEqual([Buffer.from('c')]);
  });

  it('chunks are sent as messages; closing the writable closes the connection', async () => {
    const { peer, frames, writable, streams } = await streamsOnSocket();
    const writer = writable.getWriter();
    await writer.write('a');
    await writer.write(Uint8Array.of(1));
    let isClosed = false;
    const closing = writer.close().then(() => {
      isClosed = true;
    });
    await until(() => frames.length === 3);
    expect(frames.map(({ opcode, payload }) => [opcode, ...payload])).toEqual([[1, 97], [2, 1], [8]]);
    expect(isClosed).toBe(false);
    peer.end(closeFrame());
    await closing;
    expect(await streams.closed).toEqual({ closeCode: 1000, reason: '' });
  });

  it('the reader lags -> at most one message waits, and the socket is not read', async () => {
    const { peer, readable, webSocket } = await streamsOnSocket();
    peer.write(texts('a'));
    await until(() => webSocket.isPaused);
    peer.write(texts('b'));
    for (let i = 0; i < 5; i++) await turn();
    expect(peer.writableLength).toBe(0);
    const reader = readable.getReader();
    expect(await reader.read()).toEqual({ done: false, value: 'a' });
    expect(await reader.read()).toEqual({ done: false, value: 'b' });
    await until(() => !webSocket.isPaused);
  });

  it('the connection is lost -> what had come is read, then streams and promises fail', async () => {
    const { peer, readable, writable, streams, webSocket } = await streamsOnSocket();
    peer.write(texts('a', 'b'));
    await until(() => webSocket.isPaused);
    webSocket.terminate();
    const lost = { name: 'WebSocketError', closeCode: 1006 };
    const reader = readable.getReader();
    await expect(writable.getWriter().closed).rejects.toMatchObject(lost);
    expect((await reader.read()).value).toBe('a');
    expect((await reader.read()).value).toBe('b');
    await expect(reader.read()).rejects.toMatchObject(lost);
    await expect(streams.closed).rejects.toMatchObject(lost);
    expect(listenersOf(webSocket)).toEqual([0, 0, 0, 0, 0]);
  });

  it('the peer breaks a rule -> that error is the cause', async () => {
    const { peer, readable, streams } = await streamsOnSocket();
    peer.end(Buffer.concat([fromPeer('server', { opcode: 3 }), closeFrame(1002)]));
    const broken = { name: 'WebSocketError', cause: { code: 'WS_ERR_INVALID_OPCODE' } };
    await expect(readable.getReader().read()).rejects.toMatchObject(broken);
    await expect(streams.closed).rejects.toMatchObject(broken);
  });

  it.each([
    ['a WebSocketError', new WebSocketError('', { closeCode: 4002, reason: 'enough' }), [4002, 'enough']],
    ['a code that must not be sent', new WebSocketError('', { closeCode: 1006 }), []],
    ['any other reason', 'bored', []],
  ] as const)('cancel and abort with %s -> the Close frame', async (_name, reason, [code, text]) => {
    const expected = { opcode: 8, payload: code === undefined ? Buffer.alloc(0) : closePayload(code, text) };
    const cancelled = await streamsOnSocket();
    await cancelled.readable.cancel(reason);
    await until(() => cancelled.frames.length === 1);
    expect(cancelled.frames[0]).toMatchObject(expected);
    const aborted = await streamsOnSocket();
    await aborted.writable.abort(reason);
    await until(() => aborted.frames.length === 1);
    expect(aborted.frames[0]).toMatchObject(expected);
  });

  it('cancel while paused -> messages on the way are dropped, the Close frame behind them is seen', async () => {
    const { peer, readable, streams, webSocket } = await streamsOnSocket();
    peer.write(texts('a', 'b'));
    await until(() => webSocket.isPaused);
    await readable.cancel();
    peer.end(Buffer.concat([texts('c'), closeFrame()]));
    expect(await streams.closed).toEqual({ closeCode: 1000, reason: '' });
    expect(listenersOf(webSocket)).toEqual([0, 0, 0, 0, 0]);
  });

  it('close() sends code and reason, a reason alone goes with 1000, nothing goes as nothing', async () => {
    for (const [info, payload] of [
      [{ closeCode: 3000, reason: 'x' }, closePayload(3000, 'x')],
      [{ reason: 'x' }, closePayload(1000, 'x')],
      [undefined, Buffer.alloc(0)],
    ] as const) {
      const { streams, frames } = await streamsOnSocket();
      streams.close(info);
      await until(() => frames.length === 1);
      expect(frames[0]).toMatchObject({ opcode: 8, payload });
    }
    const { streams, webSocket } = await streamsOnSocket();
    expect(() => streams.close({ closeCode: 1006 })).toThrow(TypeError);
    expect(webSocket.readyState).toBe(webSocket.OPEN);
  });

  it('the connection is closing or closed -> a write fails', async () => {
    const { peer, writable, streams, webSocket } = await streamsOnSocket();
    const writer = writable.getWriter();
    streams.close();
    expect(webSocket.readyState).toBe(webSocket.CLOSING);
    await expect(writer.write('late')).rejects.toMatchObject({ name: 'InvalidStateError' });
    const other = await streamsOnSocket();
    other.peer.end(closeFrame());
    const closed = other.writable.getWriter().closed;
    await expect(closed).rejects.toMatchObject({ name: 'InvalidStateError' });
    peer.destroy();
  });

  it('the socket is full -> a write waits until the operating system has taken it', async () => {
    const { webSocket, writable } = await streamsOnSocket();
    const writer = writable.getWriter();
    const taken: (() => void)[] = [];
    let buffered = 0;
    Object.defineProperty(webSocket, 'bufferedAmount', { get: () => buffered });
    webSocket.send = (data: unknown, callback: unknown) => {
      buffered += (data as string).length;
      taken.push(callback as () => void);
    };
    await writer.write('a'.repeat(65_536));
    let isWritten = false;
    const writing = writer.write('b').then(() => {
      isWritten = true;
    });
    await turn();
    expect(taken.length).toBe(2);
    expect(isWritten).toBe(false);
    taken[1]!();
    await writing;
  });

  it('the socket is closed already -> both promises fail, and no listener stays', async () => {
    const { webSocket, peer } = webSocketOnStream();
    const closed = once(webSocket, 'close');
    peer.end(closeFrame());
    await closed;
    const streams = messageStreams(webSocket);
    await expect(streams.opened).rejects.toMatchObject({ name: 'WebSocketError' });
    await expect(streams.closed).rejects.toMatchObject({ name: 'WebSocketError' });
    expect(listenersOf(webSocket)).toEqual([0, 0, 0, 0, 0]);
  });

  it('a socket that cannot be paused -> TypeError', () => {
    const fromBrowser = { readyState: 1, send() {} } as unknown as WebSocket;
    expect(() => messageStreams(fromBrowser)).toThrow(
      new TypeError(
        'This WebSocket has no pause() and resume(), so its messages would pile up: use a session, whose window holds the peer back',
      ),
    );
  });
});

describe('messageStreams over TCP', () => {
  let server: WebSocketServer | undefined;
  afterEach(() => {
    for (const client of server?.clients ?? []) client.terminate();
    server?.close();
  });

  async function serve(): Promise<{ url: string; accepted: Promise<WebSocket> }> {
    server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    const accepted = once(server, 'connection').then(([webSocket]) => webSocket as WebSocket);
    await once(server, 'listening');
    return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, accepted };
  }

  it('nobody reads -> TCP holds the peer back, and everything is there afterwards', async () => {
    const { url, accepted } = await serve();
    const client = new WebSocket(url);
    const { readable, protocol, extensions } = await messageStreams(client).opened;
    expect([protocol, extensions]).toEqual(['', '']);
    const peer = await accepted;
    const message = Buffer.alloc(1_048_576);
    const count = 32;
    for (let i = 0; i < count; i++) peer.send(message);

    await until(() => client.isPaused);
    // The kernel's buffers fill; then nothing moves any more.
    for (let still = 0, last = -1; still < 50; still = peer.bufferedAmount === last ? still + 1 : 0) {
      last = peer.bufferedAmount;
      await turn();
    }
    expect(peer.bufferedAmount).toBeGreaterThan(message.length);
    expect((client._socket as Socket).bytesRead).toBeLessThan(3 * message.length);

    peer.close(1000, 'all');
    const sizes = (await readAll(readable)).map((data) => data.length);
    expect(sizes).toEqual(Array(count).fill(message.length));
  });

  it('the peer does not read -> the writer waits', async () => {
    const { url, accepted } = await serve();
    const client = new WebSocket(url);
    const { writable } = await messageStreams(client).opened;
    const peer = await accepted;
    peer.pause();
    const writer = writable.getWriter();
    const chunk = new Uint8Array(1_048_576);
    let written = 0;
    const writing = (async () => {
      for (; written < 32; written++) await writer.write(chunk);
    })();
    for (let still = 0, last = -1; still < 50; still = written === last ? still + 1 : 0) {
      last = written;
      await turn();
    }
    expect(written).toBeLessThan(32);
    expect(client.bufferedAmount).toBeLessThan(2 * chunk.length);
    peer.resume();
    await writing;
  });

  it('nobody listens there -> both promises fail', async () => {
    const { url } = await serve();
    await new Promise((resolve) => server!.close(resolve));
    const webSocket = new WebSocket(url);
    const streams = messageStreams(webSocket);
    const refused = { name: 'WebSocketError', closeCode: 1006, cause: { code: 'ECONNREFUSED' } };
    await expect(streams.opened).rejects.toMatchObject(refused);
    await expect(streams.closed).rejects.toMatchObject(refused);
    expect(streams.url).toBe(`${url}/`);
  });

  it('nobody looks at the promises, and the connection fails -> the process goes on', async () => {
    const { url } = await serve();
    await new Promise((resolve) => server!.close(resolve));
    const webSocket = new WebSocket(url);
    messageStreams(webSocket);
    // An unhandled rejection would fail the run.
    await next(webSocket, 'close');
    await turn();
  });
});

/** A session that hands over what the test puts in, and that notes how far it was read. */
class FakeSession extends Emitter<{
  close: [{ code: number; reason: string; error?: Error }];
  sessionlost: [{ reason: string }];
}> {
  state = 'open';
  readonly url = 'ws://example.com/';
  ready: Promise<void> = Promise.resolve();
  handedOver = 0;
  readonly sent: Data[] = [];
  /** Sends that wait; the test lets them go. */
  readonly waiting: (() => void)[] = [];
  closeCalls = 0;
  loopsLeft = 0;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(readonly incoming: Data[] = []) {
    super();
  }

  send(data: Data): Promise<string> {
    this.sent.push(data);
    return new Promise((resolve) => this.waiting.push(() => resolve('accepted')));
  }

  async close(): Promise<void> {
    this.closeCalls++;
    this.end();
  }

  end(error?: Error): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.#failure = error;
    this.emit('close', { code: error ? 4409 : 1000, reason: 'r', ...(error && { error }) });
    this.#wake?.();
  }

  lose(reason: string): void {
    this.emit('sessionlost', { reason });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Data> {
    try {
      for (;;) {
        const data = this.incoming.shift();
        if (data !== undefined) {
          this.handedOver++;
          yield data;
        } else if (this.#failure !== undefined) throw this.#failure;
        else if (this.state === 'closed') return;
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
      }
    } finally {
      this.loopsLeft++;
    }
  }
}

describe('messageStreams over a session', () => {
  it('nothing is taken from the session that nobody reads', async () => {
    const session = new FakeSession(['a', Uint8Array.of(1)]);
    const streams = messageStreams(session);
    const { readable, protocol, extensions } = await streams.opened;
    expect([streams.url, protocol, extensions]).toEqual(['ws://example.com/', '', '']);
    await turn();
    expect(session.handedOver).toBe(0);
    const reader = readable.getReader();
    expect(await reader.read()).toEqual({ done: false, value: 'a' });
    await turn();
    expect(session.handedOver).toBe(1);
    expect(await reader.read()).toEqual({ done: false, value: Uint8Array.of(1) });
  });

  it('a write lasts as long as the send of the session', async () => {
    const session = new FakeSession();
    const { writable } = await messageStreams(session).opened;
    const writer = writable.getWriter();
    const first = writer.write('a');
    const second = writer.write('b');
    await turn();
    expect(session.sent).toEqual(['a']);
    session.waiting[0]!();
    await first;
    await turn();
    expect(session.sent).toEqual(['a', 'b']);
    session.waiting[1]!();
    await second;
    await writer.close();
    expect(session.closeCalls).toBe(1);
  });

  it('the session closes -> the reader gets what had come, then the end', async () => {
    const session = new FakeSession(['a', 'b']);
    const streams = messageStreams(session);
    const { readable, writable } = await streams.opened;
    session.end();
    expect(await streams.closed).toEqual({ closeCode: 1000, reason: 'r' });
    expect(await readAll(readable)).toEqual(['a', 'b']);
    await expect(writable.getWriter().closed).rejects.toMatchObject({ name: 'InvalidStateError' });
    expect(session.listenerCount('close') + session.listenerCount('sessionlost')).toBe(0);
  });

  it('the session fails -> its error, behind what had come', async () => {
    const session = new FakeSession(['a']);
    const streams = messageStreams(session);
    const { readable, writable } = await streams.opened;
    const error = new SessionError('superseded', 'taken over');
    session.end(error);
    const reader = readable.getReader();
    expect((await reader.read()).value).toBe('a');
    await expect(reader.read()).rejects.toBe(error);
    await expect(writable.getWriter().closed).rejects.toBe(error);
    await expect(streams.closed).rejects.toBe(error);
    expect(session.listenerCount('close') + session.listenerCount('sessionlost')).toBe(0);
  });

  it('cancel, abort and close() close the session, also while a message is waited for', async () => {
    for (const act of ['cancel', 'abort', 'close'] as const) {
      const session = new FakeSession();
      const streams = messageStreams(session);
      const { readable, writable } = await streams.opened;
      const reader = readable.getReader();
      const reading = reader.read();
      if (act === 'cancel') await reader.cancel();
      else if (act === 'abort') await writable.abort();
      else streams.close();
      expect(await reading).toEqual({ done: true, value: undefined });
      expect(session.closeCalls).toBe(1);
      expect(await streams.closed).toEqual({ closeCode: 1000, reason: 'r' });
    }
  });

  it('the server has lost the session -> the streams fail, and the new session is closed', async () => {
    const session = new FakeSession();
    const streams = messageStreams(session);
    const { readable, writable } = await streams.opened;
    const reading = readable.getReader().read();
    session.lose('restart');
    const lost = { name: 'SessionError', code: 'lost' };
    await expect(reading).rejects.toMatchObject(lost);
    await expect(writable.getWriter().closed).rejects.toMatchObject(lost);
    await expect(streams.closed).rejects.toMatchObject(lost);
    expect(session.closeCalls).toBe(1);
    expect(session.listenerCount('sessionlost') + session.listenerCount('close')).toBe(0);
  });

  it('cancel does not wait for the session to close, and leaves its loop', async () => {
    const session = new FakeSession(['a', 'b']);
    session.close = () => new Promise(() => {});
    const { readable } = await messageStreams(session).opened;
    const reader = readable.getReader();
    await reader.read();
    await reader.cancel();
    await turn();
    expect(session.loopsLeft).toBe(1);
    const idle = new FakeSession();
    idle.close = session.close;
    const waiting = (await messageStreams(idle).opened).readable.getReader();
    const reading = waiting.read();
    await waiting.cancel();
    expect(await reading).toEqual({ done: true, value: undefined });
  });

  it('the session ends before it opens, or had ended before -> both promises fail', async () => {
    const error = new SessionError('unauthorized', 'who?');
    const refused = new FakeSession();
    refused.ready = Promise.reject(error);
    const early = messageStreams(refused);
    refused.end(error);
    const late = messageStreams(refused);
    await expect(early.opened).rejects.toBe(error);
    await expect(early.closed).rejects.toBe(error);
    await expect(late.opened).rejects.toMatchObject({ code: 'closed' });
    await expect(late.closed).rejects.toMatchObject({ code: 'closed' });
    expect(refused.listenerCount('close')).toBe(0);
  });

  it('a session without `ready`, as a server has -> open from the start', async () => {
    const session: StreamableSession = new FakeSession();
    Object.defineProperty(session, 'ready', { value: undefined });
    await expect(messageStreams(session).opened).resolves.toHaveProperty('readable');
  });
});

describe('messageStreams over the sessions of both ends', () => {
  let server: SessionServer | undefined;
  let http: Server;
  afterEach(async () => {
    await server?.close();
    http.close();
  });

  async function sessions(queue: QueueOptions = {}) {
    http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    server = new SessionServer({ server: http, queue });
    const accepted = new Promise<ServerSession>((resolve) => server!.on('session', resolve));
    const { port } = http.address() as AddressInfo;
    const client = connectSession(`ws://127.0.0.1:${port}`, { queue });
    return { client, accepted };
  }

  it('what is piped through the other end comes back, and the end with it', async () => {
    const { client, accepted } = await sessions();
    const ours = await messageStreams(client).opened;
    const theirs = await messageStreams(await accepted).opened;
    const piping = theirs.readable.pipeTo(theirs.writable);
    piping.catch(() => {});
    const writer = ours.writable.getWriter();
    const reader = ours.readable.getReader();
    await writer.write('a');
    await writer.write(Uint8Array.of(1, 2));
    expect((await reader.read()).value).toBe('a');
    expect(Uint8Array.from((await reader.read()).value as Uint8Array)).toEqual(Uint8Array.of(1, 2));
    await writer.close();
    expect(await reader.read()).toEqual({ done: true, value: undefined });
    await expect(piping).rejects.toMatchObject({ name: 'InvalidStateError' });
  });

  it('nobody reads -> the writer of the other end waits for the window', async () => {
    const { client, accepted } = await sessions({ maxMessages: 8 });
    const { readable } = await messageStreams(client).opened;
    const peer = await accepted;
    const { writable } = await messageStreams(peer).opened;
    const writer = writable.getWriter();
    let written = 0;
    const writing = (async () => {
      for (; written < 20; written++) await writer.write(String(written));
      await writer.close();
    })();
    await until(() => peer.stats().waiting === 1);
    expect(written).toBe(8);
    expect(await readAll(readable)).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
    await writing;
  });
});
