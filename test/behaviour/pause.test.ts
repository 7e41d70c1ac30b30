// pause() and resume().
import { expect, it } from 'vitest';
import { cast, ROLES } from '../support/cast.js';
import { next, record, turn } from '../support/events.js';
import { closePayload } from '../support/frames.js';
import { silentAgent } from '../support/silent-agent.js';
import { behaviour } from './implementations.js';

const EMPTY = Buffer.alloc(0);

behaviour('pause and resume', ({ ws: WebSocket }) => {
  const { against, client, pair } = cast(WebSocket);

  it('client, CONNECTING -> no-ops', () => {
    const socket = client('ws://127.0.0.1', { agent: silentAgent() });
    expect(socket.pause()).toBeUndefined();
    expect(socket.isPaused).toBe(false);
    expect(socket.resume()).toBeUndefined();
    expect(socket.isPaused).toBe(false);
  });

  it('CLOSED -> no-ops', async () => {
    const { client: socket } = await pair();
    socket.close();
    await next(socket, 'close');
    socket.pause();
    expect(socket.isPaused).toBe(false);
    socket.resume();
    expect(socket.isPaused).toBe(false);
  });

  it.each(ROLES)('%s, OPEN -> return undefined, and can be repeated', async (role) => {
    const { socket } = await against(role);
    expect(socket.pause()).toBeUndefined();
    expect(socket.isPaused).toBe(true);
    socket.pause();
    expect(socket.isPaused).toBe(true);
    expect(socket.resume()).toBeUndefined();
    expect(socket.isPaused).toBe(false);
    socket.resume();
    expect(socket.isPaused).toBe(false);
  });

  it.each(ROLES)('%s, paused -> messages wait for resume(), sends go out', async (role) => {
    const { socket, peer } = await against(role);
    const log = record(socket, 'message');
    socket.pause();
    peer.send({ opcode: 1, payload: 'waiting' });
    socket.send('out');
    await peer.nextFrame();
    await turn();
    await turn();
    expect(log).toEqual([]);
    const message = next(socket, 'message');
    socket.resume();
    expect(await message).toEqual([Buffer.from('waiting'), false]);
  });

  it.each(ROLES)(
    '%s, pause() in a listener -> messages of the same chunk are still emitted',
    async (role) => {
      const { socket, peer } = await against(role);
      const log: unknown[] = [];
      socket.on('message', (data: Buffer) => {
        socket.pause();
        log.push([String(data), socket.isPaused]);
      });
      peer.send({ opcode: 1, payload: 'a' }, { opcode: 1, payload: 'b' }, { opcode: 1, payload: 'c' });
      await next(socket, 'message');
      await turn();
      expect(log).toEqual([
        ['a', true],
        ['b', true],
        ['c', true],
      ]);
    },
  );

  it.each(ROLES)(
    '%s, pause() while events are deferred -> what arrives later waits, also once the deferred ones are out',
    async (role) => {
      const { socket, peer } = await against(role, { allowSynchronousEvents: false });
      const log: number[] = [];
      socket.on('message', (data: Buffer) => {
        if (log.length === 0) socket.pause();
        log.push(data.length);
      });
      // More than a stream takes at once, so that the socket is stopped and started again behind it.
      const first = [
        { opcode: 2, payload: Buffer.alloc(20_000) },
        { opcode: 2, payload: Buffer.alloc(20_001) },
      ];
      peer.send(...first);
      while (log.length < 2) await turn();
      peer.send({ opcode: 2, payload: Buffer.alloc(3) });
      for (let i = 0; i < 20; i++) await turn();
      expect([log, socket.isPaused]).toEqual([[20_000, 20_001], true]);
      const message = next(socket, 'message');
      socket.resume();
      await message;
      expect(log).toEqual([20_000, 20_001, 3]);
    },
  );

  it.each(ROLES)('%s, paused while CLOSING -> "close" waits for resume()', async (role) => {
    const { socket, peer } = await against(role);
    const log = record(socket, 'message', 'close');
    socket.close();
    await peer.nextFrame();
    socket.pause();
    expect(socket.isPaused).toBe(true);
    peer.send({ opcode: 1, payload: 'late' }, { opcode: 8, payload: closePayload(1000) });
    peer.socket.end();
    for (let i = 0; i < 10; i++) await turn();
    expect(log).toEqual([]);
    const closed = next(socket, 'close');
    socket.resume();
    await closed;
    expect(log).toEqual([
      ['message', Buffer.from('late'), false],
      ['close', 1000, EMPTY],
    ]);
  });

  it.each(ROLES)('%s, paused, the peer sends and ends -> nothing is lost after resume()', async (role) => {
    const { socket, peer } = await against(role);
    const log = record(socket, 'message', 'close');
    socket.pause();
    peer.send({ opcode: 1, payload: 'a' }, { opcode: 2, payload: 'b' });
    peer.socket.end();
    for (let i = 0; i < 10; i++) await turn();
    expect([log, socket.readyState]).toEqual([[], WebSocket.OPEN]);
    const closed = next(socket, 'close');
    socket.resume();
    await closed;
    expect(log).toEqual([
      ['message', Buffer.from('a'), false],
      ['message', Buffer.from('b'), true],
      ['close', 1006, EMPTY],
    ]);
  });

  it.each(ROLES)(
    '%s, terminate() while paused -> what the socket had read is delivered, then "close"',
    async (role) => {
      const { socket, peer } = await against(role);
      const log = record(socket, 'message', 'close');
      // The kernel's bytes are lost by terminate(); those that node has read are not.
      socket.pause();
      peer.send({ opcode: 1, payload: 'read' });
      while (socket._socket.readableLength === 0) {
        socket._socket.read(0);
        await turn();
      }
      const closed = next(socket, 'close');
      socket.terminate();
      await closed;
      expect(log).toEqual([
        ['message', Buffer.from('read'), false],
        ['close', 1006, EMPTY],
      ]);
    },
  );

  it('terminate() while a message is being inflated -> the message is delivered, then "close"', async () => {
    const { client: socket, server: peer } = await pair({ perMessageDeflate: true });
    const log = record(peer, 'message', 'close');
    const { bytesRead } = peer._socket;
    socket.send('x'.repeat(1000));
    while (peer._socket.bytesRead === bytesRead) await turn();
    peer.terminate();
    if (peer.readyState !== WebSocket.CLOSED) await next(peer, 'close');
    expect(log).toEqual([
      ['message', Buffer.from('x'.repeat(1000)), false],
      ['close', 1006, EMPTY],
    ]);
  });
});
