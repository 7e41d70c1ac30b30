// Attributes of a WebSocket: constants, readyState, binaryType, bufferedAmount, extensions, protocol, url, isPaused.
import { expect, it } from 'vitest';
import { cast, ROLES, urlOf } from '../support/cast.js';
import { called, next, several } from '../support/events.js';
import { acceptingResponse } from '../support/raw-peer.js';
import { silentAgent } from '../support/silent-agent.js';
import { behaviour } from './implementations.js';

behaviour('state and attributes', ({ ws: WebSocket }) => {
  const { against, client, pair, rawServer, server } = cast(WebSocket);

  it.each([
    ['CONNECTING', 0],
    ['OPEN', 1],
    ['CLOSING', 2],
    ['CLOSED', 3],
  ])('%s is %i on the class and its prototype: enumerable, not writable, not configurable', (name, value) => {
    const expected = { configurable: false, enumerable: true, value, writable: false };
    expect(Object.getOwnPropertyDescriptor(WebSocket, name)).toEqual(expected);
    expect(Object.getOwnPropertyDescriptor(WebSocket.prototype, name)).toEqual(expected);
  });

  it.each(['binaryType', 'onopen', 'onmessage', 'onclose', 'onerror'])(
    '%s is an enumerable accessor',
    (name) => {
      const descriptor = Object.getOwnPropertyDescriptor(WebSocket.prototype, name)!;
      expect([descriptor.enumerable, typeof descriptor.get, typeof descriptor.set]).toEqual([
        true,
        'function',
        'function',
      ]);
    },
  );

  it.each(['bufferedAmount', 'extensions', 'isPaused', 'protocol', 'readyState', 'url'])(
    '%s is an enumerable accessor without a setter',
    (name) => {
      const descriptor = Object.getOwnPropertyDescriptor(WebSocket.prototype, name)!;
      expect([descriptor.enumerable, typeof descriptor.get, descriptor.set]).toEqual([
        true,
        'function',
        undefined,
      ]);
    },
  );

  it('addEventListener and removeEventListener are enumerable on the prototype, the methods are not', () => {
    const enumerable = Object.keys(WebSocket.prototype);
    expect(enumerable).toEqual(expect.arrayContaining(['addEventListener', 'removeEventListener']));
    for (const method of ['close', 'send', 'ping', 'pong', 'terminate', 'pause', 'resume']) {
      expect(enumerable).not.toContain(method);
    }
  });

  it('readyState -> 0, 1, 2, 3 over the life of both ends', async () => {
    const wss = await server();
    const connection = next(wss, 'connection');
    const socket = client(urlOf(wss));
    const states = [socket.readyState];
    await next(socket, 'open');
    const [peer] = await connection;
    states.push(socket.readyState, peer.readyState);
    const closed = Promise.all([next(socket, 'close'), next(peer, 'close')]);
    socket.close();
    states.push(socket.readyState);
    await closed;
    expect([...states, socket.readyState, peer.readyState]).toEqual([0, 1, 1, 2, 3, 3]);
  });

  it('defaults before the handshake', () => {
    const socket = client('ws://127.0.0.1', { agent: silentAgent() });
    expect(socket.binaryType).toBe('nodebuffer');
    expect(socket.bufferedAmount).toBe(0);
    expect([socket.extensions, socket.protocol, socket.isPaused]).toEqual(['', '', false]);
    expect([socket.onopen, socket.onmessage, socket.onclose, socket.onerror]).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect([socket.readyState, socket.CONNECTING, socket.OPEN, socket.CLOSING, socket.CLOSED]).toEqual([
      0, 0, 1, 2, 3,
    ]);
  });

  it('attributes without a setter -> assignment throws in strict mode and changes nothing', () => {
    const socket = client('ws://127.0.0.1', { agent: silentAgent() });
    for (const name of [
      'bufferedAmount',
      'extensions',
      'isPaused',
      'protocol',
      'readyState',
      'url',
      'CONNECTING',
    ]) {
      expect(() => {
        socket[name] = 'x';
      }, name).toThrow(TypeError);
    }
  });

  it('server end -> url is undefined, protocol and extensions are those agreed', async () => {
    const { server: peer, client: socket } = await pair({ perMessageDeflate: true }, {});
    expect(peer.url).toBeUndefined();
    expect([peer.extensions, socket.extensions]).toEqual(['permessage-deflate', 'permessage-deflate']);
    expect([peer.protocol, socket.protocol]).toEqual(['', '']);
  });

  it('protocol -> the one that the server chose', async () => {
    const wss = await server({ handleProtocols: () => 'b' });
    const connection = next(wss, 'connection');
    const socket = client(urlOf(wss), ['a', 'b']);
    await next(socket, 'open');
    const [peer] = await connection;
    expect([peer.protocol, socket.protocol]).toEqual(['b', 'b']);
  });

  it.each(ROLES)(
    '%s, binaryType -> only the four known values are taken, the others ignored',
    async (role) => {
      const { socket } = await against(role);
      for (const type of ['arraybuffer', 'fragments', 'blob', 'nodebuffer']) {
        socket.binaryType = type;
        expect(socket.binaryType).toBe(type);
      }
      for (const type of ['foo', '', null, undefined, 7, 'Blob']) {
        socket.binaryType = type;
        expect(socket.binaryType).toBe('nodebuffer');
      }
    },
  );

  it.each(ROLES)(
    '%s, binaryType set before the message -> the type of binary data; text is always a Buffer',
    async (role) => {
      const { socket, peer } = await against(role);
      const messages: unknown[][] = [];
      socket.on('message', (...args: unknown[]) => messages.push(args));
      for (const type of ['nodebuffer', 'arraybuffer', 'fragments', 'blob']) {
        socket.binaryType = type;
        const both = several(socket, 'message', 2);
        peer.send(
          { opcode: 2, payload: 'ab', fin: false },
          { opcode: 0, payload: '', fin: false },
          { opcode: 0, payload: 'c' },
        );
        peer.send({ opcode: 1, payload: 'text' });
        await both;
      }
      const [node, , array, , fragments, , blob] = messages as [unknown, boolean][];
      expect(node).toEqual([Buffer.from('abc'), true]);
      expect(Buffer.isBuffer(node![0])).toBe(true);
      expect(array![0]).toBeInstanceOf(ArrayBuffer);
      expect(Buffer.from(array![0] as ArrayBuffer).toString()).toBe('abc');
      expect(fragments).toEqual([[Buffer.from('ab'), Buffer.from('c')], true]);
      expect(blob![0]).toBeInstanceOf(Blob);
      expect(await (blob![0] as Blob).text()).toBe('abc');
      const texts = messages.filter(([, isBinary]) => !isBinary);
      expect(texts).toHaveLength(4);
      for (const [data] of texts) {
        expect(Buffer.isBuffer(data)).toBe(true);
        expect(String(data)).toBe('text');
      }
    },
  );

  it.each(ROLES)('%s, binaryType, one frame and an empty message -> the exact bytes', async (role) => {
    const { socket, peer } = await against(role);
    const data: Record<string, unknown[]> = {};
    for (const type of ['nodebuffer', 'arraybuffer', 'fragments', 'blob']) {
      socket.binaryType = type;
      const both = several(socket, 'message', 2);
      peer.send({ opcode: 2, payload: 'abc' }, { opcode: 2 });
      data[type] = (await both).map(([message]) => message);
    }
    expect(data.nodebuffer).toEqual([Buffer.from('abc'), Buffer.alloc(0)]);
    expect((data.arraybuffer as ArrayBuffer[]).map((buffer) => Buffer.from(buffer).toString())).toEqual([
      'abc',
      '',
    ]);
    expect(data.fragments).toEqual([[Buffer.from('abc')], []]);
    expect(await Promise.all((data.blob as Blob[]).map((blob) => blob.text()))).toEqual(['abc', '']);
  });

  it('client, binaryType set while CONNECTING -> kept', async () => {
    const raw = await rawServer();
    const socket = client(raw.url);
    socket.binaryType = 'arraybuffer';
    const [peer] = await Promise.all([raw.nextPeer(), next(socket, 'open')]);
    peer.send({ opcode: 2, payload: 'x' });
    const [data] = await next(socket, 'message');
    expect(data).toBeInstanceOf(ArrayBuffer);
  });

  it.each(ROLES)(
    '%s, bufferedAmount -> counts frames with their headers until they are flushed',
    async (role) => {
      const { socket } = await against(role);
      const headerLength = role === 'client' ? 14 : 10;
      expect(socket.bufferedAmount).toBe(0);
      // More than the kernel takes at once.
      const payload = Buffer.alloc(16 * 1024 * 1024);
      const sent = called((callback) => socket.send(payload, callback));
      expect(socket.bufferedAmount).toBe(payload.length + headerLength);
      await sent;
      expect(socket.bufferedAmount).toBe(0);
    },
  );

  it('bufferedAmount -> counts what waits for the compressor', async () => {
    const { client: socket } = await pair({ perMessageDeflate: true });
    const payload = 'x'.repeat(1024 * 1024);
    const flushed = Promise.all([
      called((callback) => socket.send(payload, callback)),
      called((callback) => socket.send(payload, callback)),
    ]);
    expect(socket.bufferedAmount).toBeGreaterThan(payload.length);
    await flushed;
    expect(socket.bufferedAmount).toBe(0);
  });

  it('bufferedAmount -> counts a Blob that is being read', async () => {
    const { client: socket } = await pair();
    const sent = called((callback) => socket.send(new Blob(['x'.repeat(1000)]), callback));
    expect(socket.bufferedAmount).toBe(1000);
    await sent;
    expect(socket.bufferedAmount).toBe(0);
  });

  it.each<[string, (socket: typeof WebSocket) => void, number]>([
    ['send of a string', (socket) => socket.send('hällo'), 6],
    ['send of a Buffer', (socket) => socket.send(Buffer.alloc(7)), 7],
    ['send of a Blob', (socket) => socket.send(new Blob(['12345678'])), 8],
    ['send of a number', (socket) => socket.send(42), 2],
    ['send of nothing', (socket) => socket.send(), 0],
    ['ping', (socket) => socket.ping('abc'), 3],
    ['pong', (socket) => socket.pong('abcd'), 4],
    ['ping of nothing', (socket) => socket.ping(), 0],
  ])('%s when CLOSED -> bufferedAmount grows by its length', async (_case, action, length) => {
    const { client: socket } = await pair();
    socket.close();
    await next(socket, 'close');
    expect(socket.bufferedAmount).toBe(0);
    action(socket);
    action(socket);
    expect(socket.bufferedAmount).toBe(2 * length);
  });

  it('send while CLOSING -> bufferedAmount grows by its length', async () => {
    const { client: socket } = await pair();
    socket.close();
    const before = socket.bufferedAmount;
    socket.send('abc');
    socket.ping('de');
    expect(socket.bufferedAmount - before).toBe(5);
  });

  it('send when the handshake failed -> bufferedAmount grows by its length', async () => {
    const raw = await rawServer((request) => acceptingResponse(request, { 'Sec-WebSocket-Accept': 'x' }));
    const socket = client(raw.url);
    socket.on('error', () => {});
    await next(socket, 'close');
    socket.send('hi');
    socket.ping();
    socket.pong(Buffer.alloc(5));
    expect(socket.bufferedAmount).toBe(7);
  });

  it.each(ROLES)('%s, isPaused -> only pause() and resume() change it', async (role) => {
    const { socket, peer } = await against(role);
    expect(socket.isPaused).toBe(false);
    socket.pause();
    expect(socket.isPaused).toBe(true);
    socket.resume();
    expect(socket.isPaused).toBe(false);
    socket.send('x');
    await peer.nextFrame();
    expect(socket.isPaused).toBe(false);
  });
});
