// createWebSocketStream(ws, options).
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { cast } from '../support/cast.js';
import { next, record, several, thrownBy, turn } from '../support/events.js';
import { closePayload } from '../support/frames.js';
import { acceptingResponse } from '../support/raw-peer.js';
import { behaviour } from './implementations.js';

behaviour('createWebSocketStream', ({ ws: WebSocket }) => {
  const { client, pair, rawPair, rawServer } = cast(WebSocket);
  const { createWebSocketStream } = WebSocket;

  it('returns a Duplex; autoDestroy, emitClose and object modes of writing are fixed', async () => {
    const { client: socket } = await pair();
    const duplex = createWebSocketStream(socket, {
      ...{ autoDestroy: true, emitClose: true, objectMode: true, writableObjectMode: true },
    });
    expect(duplex).toBeInstanceOf(Duplex);
    expect([duplex.readableObjectMode, duplex.writableObjectMode]).toEqual([false, false]);
    expect(duplex._readableState.autoDestroy).toBe(false);
    expect(duplex._readableState.emitClose).toBe(false);
  });

  it('options -> readableObjectMode, highWaterMark and encoding are honoured', async () => {
    const { client: socket, server: peer } = await pair();
    const duplex = createWebSocketStream(socket, {
      ...{ readableObjectMode: true, highWaterMark: 1234, encoding: 'utf8' },
    });
    expect([duplex.readableObjectMode, duplex.writableHighWaterMark, duplex.readableEncoding]).toEqual([
      true,
      1234,
      'utf8',
    ]);
    peer.send('x');
    expect(await once(duplex, 'data')).toEqual(['x']);
  });

  it.each([
    ['by default', {}, ['text', 'binary'], [true, true]],
    ['with readableObjectMode', { readableObjectMode: true }, ['text', 'binary'], [false, true]],
  ])('reading %s -> text is a string in object mode only', async (_case, options, contents, areBuffers) => {
    const { client: socket, server: peer } = await pair();
    const duplex = createWebSocketStream(socket, options);
    const chunks: unknown[] = [];
    duplex.on('data', (chunk: unknown) => chunks.push(chunk));
    peer.send('text');
    peer.send(Buffer.from('binary'));
    while (chunks.length < 2) await turn();
    expect(chunks.map(String)).toEqual(contents);
    expect(chunks.map((chunk) => Buffer.isBuffer(chunk))).toEqual(areBuffers);
  });

  it.each<[string, object, unknown, number]>([
    ['a Buffer', {}, Buffer.from('data'), 2],
    ['a string', {}, 'data', 2],
    ['a string with decodeStrings false', { decodeStrings: false }, 'data', 1],
    ['a Buffer with decodeStrings false', { decodeStrings: false }, Buffer.from('data'), 2],
  ])('writing %s -> a message', async (_case, options, chunk, opcode) => {
    const { socket, peer } = await rawPair();
    const duplex = createWebSocketStream(socket, options);
    duplex.write(chunk);
    const frame = await peer.nextFrame();
    expect([frame.opcode, String(frame.payload)]).toEqual([opcode, 'data']);
  });

  it('writing what a stream does not take -> throws as streams do', async () => {
    const { client: socket } = await pair();
    const duplex = createWebSocketStream(socket);
    expect(thrownBy(() => duplex.write(42)).code).toBe('ERR_INVALID_ARG_TYPE');
    expect(thrownBy(() => duplex.write(null)).code).toBe('ERR_STREAM_NULL_VALUES');
  });

  it('writing and ending while CONNECTING -> waits for "open"', async () => {
    const raw = await rawServer();
    const socket = client(raw.url);
    const duplex = createWebSocketStream(socket);
    duplex.write('first');
    duplex.end('last');
    const peer = await raw.nextPeer();
    const frames = await peer.nextFrames(3);
    expect(frames.map(({ opcode, payload }) => [opcode, String(payload)])).toEqual([
      [2, 'first'],
      [2, 'last'],
      [8, ''],
    ]);
  });

  it('end() -> a Close frame without a code, then finish, end and close', async () => {
    const { client: socket, server: peer } = await pair();
    const duplex = createWebSocketStream(socket);
    const log = record(duplex, 'finish', 'end', 'close', 'error');
    const peerClosed = next(peer, 'close');
    const streamClosed = next(duplex, 'close');
    let isSocketFinished: boolean | undefined;
    duplex.on('finish', () => {
      isSocketFinished = socket._socket.writableFinished;
    });
    duplex.resume();
    duplex.end();
    expect(await peerClosed).toEqual([1005, Buffer.alloc(0)]);
    await streamClosed;
    expect(log).toEqual([['finish'], ['end'], ['close']]);
    expect(isSocketFinished).toBe(true);
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  });

  it('the peer closes -> the readable side ends; the stream closes when it is consumed and ended', async () => {
    const { client: socket, server: peer } = await pair();
    const duplex = createWebSocketStream(socket);
    const log = record(duplex, 'end', 'finish', 'close', 'error');
    duplex.on('end', () => duplex.end());
    duplex.resume();
    peer.send('x');
    peer.close();
    await next(duplex, 'close');
    expect(log).toEqual([['end'], ['finish'], ['close']]);
  });

  it('destroy() -> terminates the WebSocket; "close" of the stream after that of the WebSocket', async () => {
    const { client: socket, server: peer } = await pair();
    const duplex = createWebSocketStream(socket);
    const order: string[] = [];
    socket.on('close', (code: number) => order.push(`ws ${code}`));
    duplex.on('close', () => order.push('stream'));
    const peerClosed = next(peer, 'close');
    duplex.destroy();
    expect(socket.readyState).toBe(WebSocket.CLOSING);
    await next(duplex, 'close');
    expect(order).toEqual(['ws 1006', 'stream']);
    expect((await peerClosed)[0]).toBe(1006);
  });

  it('destroy(error) -> "error" with it, then "close"', async () => {
    const { client: socket } = await pair();
    const duplex = createWebSocketStream(socket);
    const log = record(duplex, 'error', 'close');
    const failure = new Error('oops');
    duplex.destroy(failure);
    await next(duplex, 'close');
    expect(log).toEqual([['error', failure], ['close']]);
  });

  it('destroy() while CONNECTING -> the handshake is aborted', async () => {
    const raw = await rawServer(() => null);
    const socket = client(raw.url);
    const duplex = createWebSocketStream(socket);
    const log = record(duplex, 'error', 'close');
    duplex.destroy();
    await next(duplex, 'close');
    expect(log).toEqual([
      [
        'error',
        expect.objectContaining({ message: 'WebSocket was closed before the connection was established' }),
      ],
      ['close'],
    ]);
  });

  it('destroy() of a stream whose WebSocket is closed -> "close"', async () => {
    const { client: socket } = await pair();
    const duplex = createWebSocketStream(socket);
    socket.terminate();
    await next(socket, 'close');
    duplex.destroy();
    await next(duplex, 'close');
    expect(duplex.destroyed).toBe(true);
  });

  it('the handshake fails -> the stream is destroyed with the error', async () => {
    const raw = await rawServer((request) => acceptingResponse(request, { 'Sec-WebSocket-Accept': 'x' }));
    const duplex = createWebSocketStream(client(raw.url));
    const log = record(duplex, 'error', 'close');
    duplex.write('never');
    await next(duplex, 'close');
    expect(log).toEqual([
      ['error', expect.objectContaining({ message: 'Invalid Sec-WebSocket-Accept header' })],
      ['close'],
    ]);
  });

  it('the peer breaks the protocol -> the stream is destroyed with the error, and the Close frame gets out', async () => {
    const { socket, peer } = await rawPair();
    const duplex = createWebSocketStream(socket);
    const log = record(duplex, 'error', 'close');
    const closed = next(duplex, 'close');
    let isTerminated: boolean | undefined;
    socket.on('error', () => {
      isTerminated = socket._socket.destroyed;
    });
    peer.send({ opcode: 5 });
    expect((await peer.nextFrame()).payload).toEqual(closePayload(1002));
    await peer.ended;
    peer.socket.end();
    await closed;
    expect(isTerminated).toBe(false);
    expect(log).toEqual([['error', expect.objectContaining({ code: 'WS_ERR_INVALID_OPCODE' })], ['close']]);
  });

  it('a reader that does not read -> the WebSocket is paused; reading resumes it', async () => {
    const { client: socket, server: peer } = await pair();
    const duplex = createWebSocketStream(socket, { highWaterMark: 1000 });
    // The first read starts the flow; nobody takes what it brings.
    duplex.read();
    peer.send(Buffer.alloc(600, 1));
    peer.send(Buffer.alloc(600, 2));
    while (!socket.isPaused) await turn();
    peer.send(Buffer.alloc(600, 3));
    for (let i = 0; i < 5; i++) await turn();
    expect(duplex.readableLength).toBeLessThanOrEqual(1800);
    let total = 0;
    duplex.on('data', (chunk: Buffer) => {
      total += chunk.length;
    });
    while (total < 1800) await turn();
    expect(socket.isPaused).toBe(false);
  });

  it('write() -> its callback and backpressure follow send()', async () => {
    const { client: socket, server: peer } = await pair();
    const duplex = createWebSocketStream(socket, { highWaterMark: 100 });
    const messages = several(peer, 'message', 2);
    expect(duplex.write(Buffer.alloc(200))).toBe(false);
    const drained = once(duplex, 'drain');
    duplex.write(Buffer.alloc(10));
    await drained;
    expect((await messages).map(([data]) => (data as Buffer).length)).toEqual([200, 10]);
  });

  it('two streams piped into each other over a connection -> all bytes arrive', async () => {
    const { client: socket, server: peer } = await pair();
    const near = createWebSocketStream(socket);
    const far = createWebSocketStream(peer);
    far.pipe(far);
    const received: Buffer[] = [];
    near.on('data', (chunk: Buffer) => received.push(chunk));
    const sent = Array.from({ length: 50 }, (_, i) => Buffer.alloc(10_000, i));
    for (const chunk of sent) near.write(chunk);
    const expected = Buffer.concat(sent);
    while (received.reduce((sum, chunk) => sum + chunk.length, 0) < expected.length) await turn();
    expect(Buffer.concat(received).equals(expected)).toBe(true);
    near.end();
    await next(near, 'close');
  });

  it('an error of the stream -> destroys it, and is thrown when nobody else listens', async () => {
    const { client: socket } = await pair();
    const lonely = createWebSocketStream(socket);
    expect(() => lonely.emit('error', new Error('unheard'))).toThrow('unheard');
    expect(lonely.destroyed).toBe(true);

    const { client: other } = await pair();
    const watched = createWebSocketStream(other);
    const log = record(watched, 'error');
    watched.emit('error', new Error('heard'));
    expect([log.length, watched.destroyed]).toEqual([1, true]);
  });
});
