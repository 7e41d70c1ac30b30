// Callbacks of send(), ping() and pong(): argument, order, and errors when the socket goes away.
import { expect, it } from 'vitest';
import { cast, ROLES, urlOf } from '../support/cast.js';
import { runProgram } from '../support/child.js';
import { called, next, record } from '../support/events.js';
import { behaviour } from './implementations.js';

const DURING_COMPRESSION = 'The socket was closed while data was being compressed';
const DURING_BLOB = 'The socket was closed while the blob was being read';

behaviour('send callbacks', ({ ws: WebSocket, main }) => {
  const { against, pair, server } = cast(WebSocket);

  for (const role of ROLES) {
    it.each<[string, unknown[]]>([
      ['send', ['x']],
      ['send', ['x', { binary: true }]],
      ['send', ['']],
      ['send', ['x'.repeat(200_000)]],
      ['send', [new Blob(['x'])]],
      ['ping', []],
      ['ping', ['x']],
      ['ping', ['x', role === 'client']],
      ['pong', []],
      ['pong', ['x']],
      ['pong', ['x', role === 'client']],
    ])(`${role}, %s -> the callback gets null, later`, async (method, args) => {
      const { socket } = await against(role);
      let isSynchronous = true;
      const result = called((callback) =>
        socket[method](...args, (...given: unknown[]) => callback(isSynchronous, given)),
      );
      isSynchronous = false;
      expect(await result).toEqual([false, [null]]);
    });

    it(`${role}, many sends of all kinds -> callbacks in the order of the sends`, async () => {
      const { socket } = await against(role);
      const order: number[] = [];
      const kinds = ['x', Buffer.alloc(100_000), '', new Blob(['blob']), 'y', Buffer.alloc(10)];
      await new Promise<void>((resolve) => {
        for (let i = 0; i < 60; i++) {
          socket.send(kinds[i % kinds.length], () => {
            order.push(i);
            if (order.length === 60) resolve();
          });
        }
      });
      expect(order).toEqual(Array.from({ length: 60 }, (_, i) => i));
    });
  }

  it('compressed and not compressed -> callbacks in the order of the sends', async () => {
    const { client: socket } = await pair({ perMessageDeflate: true });
    const order: number[] = [];
    await new Promise<void>((resolve) => {
      for (let i = 0; i < 20; i++) {
        socket.send('x'.repeat(i % 3 === 0 ? 100_000 : 10), { compress: i % 2 === 0 }, () => {
          order.push(i);
          if (order.length === 20) resolve();
        });
      }
    });
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it('a Blob -> sends behind it wait', async () => {
    const { client: socket, server: peer } = await pair();
    const log = record(peer, 'message');
    socket.send(new Blob(['first']));
    socket.send('second');
    socket.send(new Blob(['third']));
    socket.close();
    await next(peer, 'close');
    expect(log.map(([, data, isBinary]) => [String(data), isBinary])).toEqual([
      ['first', true],
      ['second', false],
      ['third', true],
    ]);
  });

  it('a Blob -> can be a fragment, and be compressed', async () => {
    const { client: socket, server: peer } = await pair({ perMessageDeflate: true });
    socket.send(new Blob(['frag']), { fin: false });
    socket.send(new Blob(['ment']), { fin: true });
    const [data, isBinary] = await next(peer, 'message');
    expect([String(data), isBinary]).toEqual(['fragment', true]);
  });

  it('terminate() while data is being compressed -> every callback gets the error', async () => {
    const { client: socket } = await pair({ perMessageDeflate: true });
    const results = Promise.all([
      called((callback) => socket.send('x'.repeat(1_000_000), callback)),
      called((callback) => socket.send('y', callback)),
      called((callback) => socket.send('z', { compress: false }, callback)),
      called((callback) => socket.ping('p', callback)),
    ]);
    socket.terminate();
    for (const [error] of await results) {
      expect(error).toBeInstanceOf(Error);
      expect((error as Error).message).toBe(DURING_COMPRESSION);
    }
  });

  it.each(ROLES)(
    '%s, terminate() while a Blob is being read -> every callback gets the error',
    async (role) => {
      const { socket } = await against(role);
      const results = Promise.all([
        called((callback) => socket.send(new Blob(['x'.repeat(1000)]), callback)),
        called((callback) => socket.send('y', callback)),
        called((callback) => socket.pong(callback)),
      ]);
      socket.terminate();
      for (const [error] of await results) expect((error as Error).message).toBe(DURING_BLOB);
    },
  );

  it.each(ROLES)(
    '%s, terminate() after sends -> each callback is called once, then "close"',
    async (role) => {
      const { socket } = await against(role);
      const calls = [0, 0, 0];
      socket.send('x', () => calls[0]!++);
      socket.send(Buffer.alloc(5_000_000), () => calls[1]!++);
      socket.send('y', () => calls[2]!++);
      socket.terminate();
      await next(socket, 'close');
      expect(calls).toEqual([1, 1, 1]);
    },
  );

  it.each(['server', 'client'] as const)(
    '%s, sends, then terminate() in the same tick -> the peer gets them',
    async (role) => {
      const ends = await pair();
      const other = role === 'server' ? ends.client : ends.server;
      const log = record(other, 'message', 'close');
      for (const text of ['a', 'b', 'c']) ends[role].send(text);
      ends[role].terminate();
      await next(other, 'close');
      expect(log.map(([name, data]) => (name === 'message' ? String(data) : data))).toEqual([
        'a',
        'b',
        'c',
        1006,
      ]);
    },
  );

  it('sends, then process.exit() in the same tick -> the peer gets them', async () => {
    const wss = await server();
    const connection = next(wss, 'connection');
    const program = `
      const WebSocket = require(${JSON.stringify(main)});
      const socket = new WebSocket('${urlOf(wss)}');
      socket.on('open', () => {
        for (const text of ['a', 'b', 'c']) socket.send(text);
        process.exit();
      });`;
    const outcome = runProgram(program);
    const [socket] = await connection;
    const log = record(socket, 'message');
    await next(socket, 'close');
    expect((await outcome).stderr).toBe('');
    expect(log.map(([, data]) => String(data))).toEqual(['a', 'b', 'c']);
  });

  it('a Blob that cannot be read -> callbacks and "error" get that error, then close 1006', async () => {
    const { client: socket, server: peer } = await pair();
    const failure = new Error('unreadable');
    const blob = {
      ...{ size: 3, type: '', stream: () => {}, [Symbol.toStringTag]: 'Blob' },
      arrayBuffer: () => Promise.reject(failure),
    };
    const log = record(socket, 'error', 'close');
    const peerClosed = next(peer, 'close');
    const closed = next(socket, 'close');
    const results = await Promise.all([
      called((callback) => socket.send(blob, callback)),
      called((callback) => socket.send('behind', callback)),
    ]);
    expect(results).toEqual([[failure], [failure]]);
    await closed;
    expect(log).toEqual([
      ['error', failure],
      ['close', 1006, Buffer.alloc(0)],
    ]);
    expect((await peerClosed)[0]).toBe(1006);
  });
});
