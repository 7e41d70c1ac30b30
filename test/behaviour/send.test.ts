// send(data, options, callback): frames on the wire, options, masking, compression, states.
import { expect, it } from 'vitest';
import { cast, ROLES } from '../support/cast.js';
import { called, next, thrownBy } from '../support/events.js';
import { acceptingResponse } from '../support/raw-peer.js';
import { silentAgent } from '../support/silent-agent.js';
import { behaviour } from './implementations.js';

const PMD = 'permessage-deflate';

behaviour('send', ({ ws: WebSocket }) => {
  const { against, client, pair, rawClient, rawPair } = cast(WebSocket);

  it('client, CONNECTING -> throws', () => {
    const socket = client('ws://127.0.0.1', { agent: silentAgent() });
    const error = thrownBy(() => socket.send('x', () => {}));
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toBe('WebSocket is not open: readyState 0 (CONNECTING)');
  });

  it.each([
    [2, 'CLOSING'],
    [3, 'CLOSED'],
  ])('readyState %i -> does not throw; the callback gets the error in the next tick', async (state, name) => {
    const { client: socket } = await pair();
    socket.close();
    if (state === 3) await next(socket, 'close');
    expect(socket.readyState).toBe(state);
    expect(socket.send('silent')).toBeUndefined();
    let isSynchronous = true;
    const result = called((callback) => {
      socket.send('x', (...args: unknown[]) => callback(isSynchronous, ...args));
    });
    isSynchronous = false;
    expect(await result).toEqual([false, new Error(`WebSocket is not open: readyState ${state} (${name})`)]);
    const [error] = await called((callback) => socket.send('x', { binary: true }, callback));
    expect((error as Error).message).toBe(`WebSocket is not open: readyState ${state} (${name})`);
  });

  it.each(ROLES)('%s -> returns undefined', async (role) => {
    const { socket } = await against(role);
    expect(socket.send('x')).toBeUndefined();
    expect(socket.send('x', () => {})).toBeUndefined();
  });

  describeFrames([
    ['a string', ['hi'], { opcode: 1, payload: 'hi' }],
    ['a Buffer', [Buffer.from('hi')], { opcode: 2, payload: 'hi' }],
    ['a string, binary', ['hi', { binary: true }], { opcode: 2, payload: 'hi' }],
    ['a Buffer, not binary', [Buffer.from('hi'), { binary: false }], { opcode: 1, payload: 'hi' }],
    ['not final', ['hi', { fin: false }], { opcode: 1, payload: 'hi', fin: false }],
    ['compress without the extension', ['hi', { compress: true }], { opcode: 1, payload: 'hi' }],
    ['empty options', ['hi', {}], { opcode: 1, payload: 'hi' }],
    ['null options', ['hi', null], { opcode: 1, payload: 'hi' }],
    ['a callback in place of options', ['hi', () => {}], { opcode: 1, payload: 'hi' }],
  ]);

  function describeFrames(
    cases: [string, unknown[], { opcode: number; payload: string; fin?: boolean }][],
  ): void {
    for (const role of ROLES) {
      it.each(cases)(`${role}, %s -> one frame, masked by the client only`, async (_case, args, expected) => {
        const { socket, peer } = await against(role);
        socket.send(...args);
        const frame = await peer.nextFrame();
        expect({ ...frame, payload: String(frame.payload) }).toMatchObject({
          fin: true,
          rsv1: false,
          ...expected,
        });
        expect(frame.maskingKey !== undefined).toBe(role === 'client');
      });
    }
  }

  for (const role of ROLES) {
    it.each([0, 1, 125, 126, 127, 65535, 65536, 70000])(
      `${role}, %i bytes -> the shortest length form`,
      async (length) => {
        const { socket, peer } = await against(role);
        const payload = Buffer.alloc(length, 'payload');
        socket.send(payload);
        const frame = await peer.nextFrame();
        expect(frame.payload.equals(payload)).toBe(true);
        const form = length < 126 ? 7 : length < 65536 ? 16 : 64;
        expect(frame.lengthForm).toBe(form);
        expect(frame.bytes).toHaveLength(
          { 7: 2, 16: 4, 64: 10 }[form] + (role === 'client' ? 4 : 0) + length,
        );
      },
    );
  }

  it.each(ROLES)(
    '%s, fragments -> continuation frames; binary and compress of later ones are ignored',
    async (role) => {
      const { socket, peer } = await against(role);
      socket.send('a', { fin: false });
      socket.send(Buffer.from('b'), { fin: false, binary: true, compress: true });
      socket.ping('p');
      socket.send('', { fin: true });
      socket.send('next');
      const frames = await peer.nextFrames(5);
      expect(frames.map(({ opcode, fin, payload }) => [opcode, fin, String(payload)])).toEqual([
        [1, false, 'a'],
        [0, false, 'b'],
        [9, true, 'p'],
        [0, true, ''],
        [1, true, 'next'],
      ]);
    },
  );

  it('client, mask false -> not masked', async () => {
    const { socket, peer } = await rawPair();
    socket.send('hi', { mask: false });
    const frame = await peer.nextFrame();
    expect(frame.bytes).toEqual(Buffer.from([0x81, 2, 0x68, 0x69]));
  });

  it('server, mask true -> masked', async () => {
    const { socket, peer } = await rawClient();
    socket.send('hi', { mask: true });
    const frame = await peer.nextFrame();
    expect(frame.maskingKey).toHaveLength(4);
    expect(String(frame.payload)).toBe('hi');
  });

  it('client -> a fresh masking key for each frame', async () => {
    const { socket, peer } = await rawPair();
    for (let i = 0; i < 50; i++) socket.send('same');
    const keys = (await peer.nextFrames(50)).map((frame) => frame.maskingKey!.toString('hex'));
    expect(new Set(keys).size).toBe(50);
  });

  it('client, generateMask -> is given 4 bytes to fill, for each frame', async () => {
    let calls = 0;
    const { socket, peer } = await rawPair({
      generateMask: (mask: Buffer) => {
        expect(mask).toHaveLength(4);
        mask.set([1, 2, 3, ++calls]);
      },
    });
    socket.send('abcde');
    socket.ping('p');
    socket.close(1000);
    const frames = await peer.nextFrames(3);
    expect(frames.map(({ maskingKey, payload }) => [...maskingKey!, String(payload)])).toEqual([
      [1, 2, 3, 1, 'abcde'],
      [1, 2, 3, 2, 'p'],
      [1, 2, 3, 3, '\x03\xe8'.replace('\xe8', '\ufffd')],
    ]);
  });

  it('client, generateMask leaves zeros -> the payload travels as it is', async () => {
    const { socket, peer } = await rawPair({ generateMask: (mask: Buffer) => mask.fill(0) });
    socket.send('hi');
    expect((await peer.nextFrame()).bytes).toEqual(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
  });

  it.each([10, 100, 1000, 100_000])(
    'client, %i bytes of the caller -> never changed by masking',
    async (length) => {
      const { socket, peer } = await rawPair();
      const buffer = Buffer.alloc(length, 7);
      const array = new Uint8Array(length).fill(7);
      const plain = new Uint8Array(length).fill(7).buffer;
      socket.send(buffer);
      socket.send(array);
      socket.send(plain);
      for (const frame of await peer.nextFrames(3))
        expect(frame.payload.equals(Buffer.alloc(length, 7))).toBe(true);
      for (const bytes of [buffer, array, new Uint8Array(plain)])
        expect(bytes.every((byte) => byte === 7)).toBe(true);
    },
  );

  for (const role of ROLES) {
    it.each([10, 100, 2_000, 10_000, 50_000])(
      `${role}, a Buffer of %i bytes is filled anew after each send() -> each frame has what it had`,
      async (length) => {
        const { socket, peer } = await against(role);
        const buffer = Buffer.alloc(length);
        for (let i = 1; i <= 5; i++) socket.send(buffer.fill(i));
        buffer.fill(99);
        const frames = await peer.nextFrames(5);
        expect(frames.map(({ payload }) => [payload[0], payload[length - 1]])).toEqual(
          [1, 2, 3, 4, 5].map((i) => [i, i]),
        );
      },
    );
  }

  /** A connection of the role under test with the extension agreed as `params` says. */
  async function compressing(role: string, params = '', options: object = {}) {
    if (role === 'client') {
      const header = PMD + params;
      return rawPair({ perMessageDeflate: options }, (request) =>
        acceptingResponse(request, { 'Sec-WebSocket-Extensions': header }),
      );
    }
    return rawClient(
      { perMessageDeflate: options },
      { headers: { 'Sec-WebSocket-Extensions': PMD + params } },
    );
  }

  it.each(ROLES)(
    '%s, extension with context takeover -> compresses whatever the threshold is',
    async (role) => {
      const { socket, peer } = await compressing(role, '', { threshold: 1024 });
      socket.send('hi');
      socket.send(Buffer.from('hi'));
      socket.send('hi', { compress: false });
      const frames = await peer.nextFrames(3);
      expect(frames.map(({ opcode, rsv1 }) => [opcode, rsv1])).toEqual([
        [1, true],
        [2, true],
        [1, false],
      ]);
    },
  );

  it.each(ROLES)(
    '%s, extension without context takeover -> compresses from the threshold on',
    async (role) => {
      const { socket, peer } = await compressing(role, `; ${role}_no_context_takeover`);
      socket.send('x'.repeat(1023));
      socket.send('x'.repeat(1024));
      const frames = await peer.nextFrames(2);
      expect(frames.map(({ rsv1 }) => rsv1)).toEqual([false, true]);
    },
  );

  it.each(ROLES)('%s, threshold option without context takeover -> that threshold', async (role) => {
    const { socket, peer } = await compressing(role, `; ${role}_no_context_takeover`, { threshold: 3 });
    socket.send('xx');
    socket.send('xxx');
    const frames = await peer.nextFrames(2);
    expect(frames.map(({ rsv1 }) => rsv1)).toEqual([false, true]);
  });

  it.each(ROLES)(
    '%s, no context takeover of the other side -> the threshold does not matter',
    async (role) => {
      const other = role === 'client' ? 'server' : 'client';
      const { socket, peer } = await compressing(role, `; ${other}_no_context_takeover`);
      socket.send('x');
      expect((await peer.nextFrame()).rsv1).toBe(true);
    },
  );

  it.each(ROLES)('%s, compressed fragments -> RSV1 on the first only', async (role) => {
    const { socket, peer } = await compressing(role);
    socket.send('a', { fin: false });
    socket.send('b', { compress: false, fin: true });
    const frames = await peer.nextFrames(2);
    expect(frames.map(({ opcode, rsv1, fin }) => [opcode, rsv1, fin])).toEqual([
      [1, true, false],
      [0, false, true],
    ]);
    expect(String(frames[1]!.payload)).not.toBe('b');
  });

  it.each(ROLES)('%s, first fragment not compressed -> none is', async (role) => {
    const { socket, peer } = await compressing(role);
    socket.send('a', { fin: false, compress: false });
    socket.send('b', { compress: true });
    const frames = await peer.nextFrames(2);
    expect(frames.map(({ rsv1, payload }) => [rsv1, String(payload)])).toEqual([
      [false, 'a'],
      [false, 'b'],
    ]);
  });

  it.each(ROLES)(
    '%s, uncompressed, ping and close behind a compression in flight -> strict order',
    async (role) => {
      const { socket, peer } = await compressing(role);
      socket.send('x'.repeat(300_000));
      socket.send('y', { compress: false });
      socket.ping('z');
      socket.close(1000);
      const frames = await peer.nextFrames(4);
      expect(frames.map(({ opcode, rsv1 }) => [opcode, rsv1])).toEqual([
        [1, true],
        [1, false],
        [9, false],
        [8, false],
      ]);
    },
  );

  it('both ends with the extension -> text, binary, empty and fragmented messages arrive as they were sent', async () => {
    const { client: socket, server: peer } = await pair({ perMessageDeflate: { threshold: 0 } });
    const received: unknown[][] = [];
    peer.on('message', (data: Buffer, isBinary: boolean) => received.push([String(data), isBinary]));
    socket.send('text ä');
    socket.send(Buffer.from('binary'));
    socket.send('');
    socket.send('frag', { fin: false });
    socket.send('ments');
    socket.send('x'.repeat(100_000));
    socket.close();
    await next(peer, 'close');
    expect(received).toEqual([
      ['text ä', false],
      ['binary', true],
      ['', false],
      ['fragments', false],
      ['x'.repeat(100_000), false],
    ]);
  });
});
