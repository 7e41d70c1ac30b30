// ping(), pong() and the automatic pong.
import { expect, it } from 'vitest';
import { cast, endTcp, ROLES } from '../support/cast.js';
import { called, next, record, several, thrownBy } from '../support/events.js';
import { silentAgent } from '../support/silent-agent.js';
import { behaviour, differs } from './implementations.js';

const METHODS = [
  ['ping', 9],
  ['pong', 10],
] as const;

behaviour('ping and pong', (implementation) => {
  const { ws: WebSocket } = implementation;
  const { against, client, pair } = cast(WebSocket);

  it.each(METHODS)('client, %s() while CONNECTING -> throws', (method) => {
    const socket = client('ws://127.0.0.1', { agent: silentAgent() });
    for (const args of [[], ['x'], ['x', true], [() => {}], ['x', true, () => {}]]) {
      expect(thrownBy(() => socket[method](...args)).message).toBe(
        'WebSocket is not open: readyState 0 (CONNECTING)',
      );
    }
  });

  for (const [method, opcode] of METHODS) {
    it.each([
      [2, 'CLOSING'],
      [3, 'CLOSED'],
    ])(
      `${method}() when readyState is %i -> the callback gets the error in the next tick`,
      async (state, name) => {
        const { client: socket } = await pair();
        socket.close();
        if (state === 3) await next(socket, 'close');
        expect(socket[method]()).toBeUndefined();
        let isSynchronous = true;
        const errors = Promise.all([
          called((callback) => socket[method]((...args: unknown[]) => callback(isSynchronous, ...args))),
          called((callback) => socket[method]('x', (...args: unknown[]) => callback(isSynchronous, ...args))),
          called((callback) =>
            socket[method]('x', true, (...args: unknown[]) => callback(isSynchronous, ...args)),
          ),
        ]);
        isSynchronous = false;
        for (const result of await errors) {
          expect(result).toEqual([false, new Error(`WebSocket is not open: readyState ${state} (${name})`)]);
        }
      },
    );

    for (const role of ROLES) {
      it(`${role}, ${method}() in all forms -> frames, masked by the client unless told otherwise`, async () => {
        const { socket, peer } = await against(role);
        const isMasked = role === 'client';
        const done: unknown[] = [];
        const callback = (...args: unknown[]) => done.push(args);
        expect(socket[method]()).toBeUndefined();
        socket[method]('data');
        socket[method](Buffer.from('data'));
        socket[method]('data', !isMasked);
        socket[method]('data', undefined, callback);
        socket[method]('data', callback);
        socket[method](callback);
        socket[method](42);
        const frames = await peer.nextFrames(8);
        expect(frames.map((frame) => [String(frame.payload), frame.maskingKey !== undefined])).toEqual([
          ['', isMasked],
          ['data', isMasked],
          ['data', isMasked],
          ['data', !isMasked],
          ['data', isMasked],
          ['data', isMasked],
          ['', isMasked],
          ['42', isMasked],
        ]);
        for (const frame of frames) expect(frame).toMatchObject({ opcode, fin: true, rsv1: false });
        await called((written) => socket[method](written));
        expect(done).toEqual([[null], [null], [null]]);
      });

      it(`${role}, ${method}() of 125 bytes -> sent; of more -> RangeError`, async () => {
        const { socket, peer } = await against(role);
        for (const data of [
          'x'.repeat(126),
          'ä'.repeat(63),
          Buffer.alloc(126),
          new Blob(['x'.repeat(126)]),
        ]) {
          const error = thrownBy(() => socket[method](data));
          expect(error).toBeInstanceOf(RangeError);
          expect(error.message).toBe('The data size must not be greater than 125 bytes');
        }
        socket[method](Buffer.alloc(125));
        expect((await peer.nextFrame()).payload).toHaveLength(125);
        expect(socket.readyState).toBe(WebSocket.OPEN);
      });

      it(`${role}, a ${method} is received -> "${method}" with the payload as a Buffer`, async () => {
        const { socket, peer } = await against(role);
        const log = record(socket, method);
        const both = several(socket, method, 2);
        peer.send({ opcode, payload: 'hi' }, { opcode });
        await both;
        expect(log).toEqual([
          [method, Buffer.from('hi')],
          [method, Buffer.alloc(0)],
        ]);
        for (const [, data] of log) expect(Buffer.isBuffer(data)).toBe(true);
      });
    }
  }

  it.each(ROLES)('%s, a ping is received -> a pong with its payload, masked by the client', async (role) => {
    const { socket, peer } = await against(role);
    peer.send({ opcode: 9, payload: 'one' }, { opcode: 9, payload: Buffer.alloc(125, 1) }, { opcode: 9 });
    const frames = await peer.nextFrames(3);
    expect(frames.map(({ opcode, payload }) => [opcode, payload])).toEqual([
      [10, Buffer.from('one')],
      [10, Buffer.alloc(125, 1)],
      [10, Buffer.alloc(0)],
    ]);
    for (const { maskingKey } of frames) expect(maskingKey !== undefined).toBe(role === 'client');
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });

  it.each(ROLES)(
    '%s, binaryType arraybuffer -> payloads of pings and pongs are Buffers all the same',
    async (role) => {
      const { socket, peer } = await against(role);
      socket.binaryType = 'arraybuffer';
      const payloads = Promise.all([next(socket, 'ping'), next(socket, 'pong')]);
      peer.send({ opcode: 9, payload: 'x' }, { opcode: 10, payload: 'y' });
      expect(await payloads).toEqual([[Buffer.from('x')], [Buffer.from('y')]]);
    },
  );

  it.each(ROLES)('%s, a listener of "ping" sends -> the pong is on the wire before', async (role) => {
    const { socket, peer } = await against(role);
    socket.on('ping', () => socket.send('from the listener'));
    peer.send({ opcode: 9 });
    const frames = await peer.nextFrames(2);
    expect(frames.map(({ opcode }) => opcode)).toEqual([10, 1]);
  });

  it.each(ROLES)('%s, autoPong false -> "ping" is emitted, no pong is sent', async (role) => {
    const { socket, peer } = await against(role, { autoPong: false });
    const pinged = next(socket, 'ping');
    peer.send({ opcode: 9, payload: 'x' });
    await pinged;
    socket.send('fence');
    expect((await peer.nextFrame()).opcode).toBe(1);
  });

  it.each(ROLES)('%s, a ping inside a fragmented message -> answered at once', async (role) => {
    const { socket, peer } = await against(role);
    const message = next(socket, 'message');
    peer.send({ opcode: 1, payload: 'a', fin: false }, { opcode: 9, payload: 'p' });
    expect((await peer.nextFrame()).opcode).toBe(10);
    peer.send({ opcode: 0, payload: 'b' });
    expect(String((await message)[0])).toBe('ab');
  });

  it.each(ROLES)('%s, a ping arrives while CLOSING -> "ping" is emitted; hawser answers it', async (role) => {
    const { socket, peer } = await against(role);
    const both = Promise.all([next(socket, 'ping'), next(socket, 'close')]);
    socket.close();
    peer.send({ opcode: 9, payload: 'x' }, { opcode: 8 });
    await peer.nextFrame();
    await endTcp(role, peer);
    await both;
    const expected = differs(implementation, 'pong-while-closing', { ws: [8], hawser: [8, 10] });
    expect(peer.frames.map(({ opcode }) => opcode)).toEqual(expected);
  });

  it.each(ROLES)('%s, maxPendingAutoPongs pings in one chunk -> all are answered', async (role) => {
    const { socket, peer } = await against(role);
    const all = several(socket, 'ping', 60);
    peer.send(...Array.from({ length: 60 }, () => ({ opcode: 9 })));
    await all;
    await peer.nextFrames(60);
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });

  it.each([
    ['client', undefined, 60],
    ['server', undefined, 60],
    ['client', 3, 3],
    ['server', 3, 3],
  ])(
    '%s, maxPendingAutoPongs %s, one ping more in one chunk -> terminated: 1006, no error',
    async (role, option, limit) => {
      const { socket, peer } = await against(
        role as 'client' | 'server',
        option === undefined ? {} : { maxPendingAutoPongs: option },
      );
      const log = record(socket, 'error', 'close');
      const closed = next(socket, 'close');
      peer.send(...Array.from({ length: limit + 1 }, () => ({ opcode: 9 })));
      await closed;
      expect(log).toEqual([['close', 1006, Buffer.alloc(0)]]);
      expect(peer.frames.every(({ opcode }) => opcode === 10)).toBe(true);
    },
  );

  it.each(ROLES)('%s, maxPendingAutoPongs 0 -> no limit', async (role) => {
    const { socket, peer } = await against(role, { maxPendingAutoPongs: 0 });
    const all = several(socket, 'ping', 500);
    peer.send(...Array.from({ length: 500 }, () => ({ opcode: 9 })));
    await all;
    await peer.nextFrames(500);
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });

  it.each(ROLES)('%s, many chunks of pings whose pongs are flushed -> all are answered', async (role) => {
    const { socket, peer } = await against(role, { maxPendingAutoPongs: 5 });
    for (let i = 0; i < 20; i++) {
      peer.send(...Array.from({ length: 5 }, () => ({ opcode: 9 })));
      await peer.nextFrames(5);
    }
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });
});
