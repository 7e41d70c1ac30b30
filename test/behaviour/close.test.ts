// close(code, reason): arguments, the closing handshake in both directions, what "close" reports, the time-out.
import { expect, it } from 'vitest';
import { cast, endTcp, ROLES } from '../support/cast.js';
import { runProgram } from '../support/child.js';
import { next, record, thrownBy, turn } from '../support/events.js';
import { closePayload } from '../support/frames.js';
import { behaviour, differs } from './implementations.js';

const EMPTY = Buffer.alloc(0);
const INVALID_CODE = 'First argument must be a valid error code number';

behaviour('close', (implementation) => {
  const { main, ws: WebSocket } = implementation;
  const { against, pair } = cast(WebSocket);

  for (const role of ROLES) {
    it.each<[unknown[], Buffer]>([
      [[], EMPTY],
      [[undefined, 'ignored'], EMPTY],
      [[1000], closePayload(1000)],
      [[1000, ''], closePayload(1000)],
      [[1000, undefined], closePayload(1000)],
      [[1000, EMPTY], closePayload(1000)],
      [[1000, 7], closePayload(1000)],
      [[1000, true], closePayload(1000)],
      [[1000, {}], closePayload(1000)],
      [[1000, 'some reason'], closePayload(1000, 'some reason')],
      [[1000, 'ä€'], closePayload(1000, 'ä€')],
      [[1000, Buffer.from('bytes')], closePayload(1000, 'bytes')],
      [[1000, new Uint8Array([0x68, 0x69])], closePayload(1000, 'hi')],
      [[1000, 'x'.repeat(123)], closePayload(1000, 'x'.repeat(123))],
      [[1000.5], closePayload(1000)],
      ...[1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999].map(
        (code): [unknown[], Buffer] => [[code], closePayload(code)],
      ),
    ])(`${role}, close(%j) -> that payload in the Close frame`, async (args, payload) => {
      const { socket, peer } = await against(role);
      expect(socket.close(...args)).toBeUndefined();
      expect(socket.readyState).toBe(WebSocket.CLOSING);
      const frame = await peer.nextFrame();
      expect(frame).toMatchObject({ opcode: 8, fin: true, rsv1: false });
      expect(frame.payload).toEqual(payload);
      expect(frame.maskingKey !== undefined).toBe(role === 'client');
    });
  }

  it.each<[unknown[], string, string]>([
    ...[
      0,
      999,
      1004,
      1005,
      1006,
      1015,
      1016,
      2000,
      2999,
      5000,
      -1,
      65536,
      Number.NaN,
      null,
      '1000',
      true,
      {},
      EMPTY,
    ].map((code): [unknown[], string, string] => [[code], 'TypeError', INVALID_CODE]),
    [[1000, 'x'.repeat(124)], 'RangeError', 'The message must not be greater than 123 bytes'],
    [[1000, 'ä'.repeat(62)], 'RangeError', 'The message must not be greater than 123 bytes'],
    [[1000, Buffer.alloc(124)], 'RangeError', 'The message must not be greater than 123 bytes'],
    [[1000, new Float32Array(20)], 'TypeError', 'Second argument must be a string or a Uint8Array'],
    [[1000, new Uint16Array(2)], 'TypeError', 'Second argument must be a string or a Uint8Array'],
  ])('close(%j) -> throws, and the connection stays OPEN', async (args, name, message) => {
    const { client: socket, server: peer } = await pair();
    const error = thrownBy(() => socket.close(...args));
    expect([error.name, error.message]).toEqual([name, message]);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.send('still open');
    expect(String((await next(peer, 'message'))[0])).toBe('still open');
  });

  it.each([[[1, 2]], [{ length: 1 }]])('close(1000, %j) -> a TypeError, and OPEN', async (reason) => {
    const { client: socket } = await pair();
    expect(thrownBy(() => socket.close(1000, reason))).toBeInstanceOf(TypeError);
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });

  it.each<[unknown[], number, string]>([
    [[], 1005, ''],
    [[1000], 1000, ''],
    [[1000, 'some reason'], 1000, 'some reason'],
    [[4001, 'ä'], 4001, 'ä'],
  ])('close(%j) -> both ends report %i, as the peer echoes the code', async (args, code, reason) => {
    const { client: socket, server: peer } = await pair();
    const both = Promise.all([next(socket, 'close'), next(peer, 'close')]);
    socket.close(...args);
    for (const result of await both) {
      expect(result).toEqual([code, Buffer.from(reason)]);
      expect(Buffer.isBuffer(result[1])).toBe(true);
    }
    expect([socket.readyState, peer.readyState]).toEqual([WebSocket.CLOSED, WebSocket.CLOSED]);
  });

  for (const role of ROLES) {
    it.each<[Buffer, number, string]>([
      [EMPTY, 1005, ''],
      [closePayload(1000), 1000, ''],
      [closePayload(1001, 'going'), 1001, 'going'],
      [closePayload(4999, 'ä'), 4999, 'ä'],
    ])(
      `${role}, Close frame %j is received -> echoed, the socket is ended, "close" has %i`,
      async (payload, code, reason) => {
        const { socket, peer } = await against(role);
        const log = record(socket, 'close', 'error');
        const closed = next(socket, 'close');
        peer.send({ opcode: 8, payload });
        const frame = await peer.nextFrame();
        expect(frame.opcode).toBe(8);
        expect(frame.payload).toEqual(payload);
        expect(socket.readyState).toBe(WebSocket.CLOSING);
        await endTcp(role, peer);
        await closed;
        expect(log).toEqual([['close', code, Buffer.from(reason)]]);
        expect(socket.readyState).toBe(WebSocket.CLOSED);
      },
    );

    it(`${role}, close() and the peer answers with another code -> that code is reported`, async () => {
      const { socket, peer } = await against(role);
      const closed = next(socket, 'close');
      socket.close(1000, 'mine');
      await peer.nextFrame();
      peer.send({ opcode: 8, payload: closePayload(4000, 'theirs') });
      await endTcp(role, peer);
      expect(await closed).toEqual([4000, Buffer.from('theirs')]);
      expect(peer.frames).toHaveLength(1);
    });

    it(`${role}, the peer ends without a Close frame -> CLOSING, then close 1006 without an error`, async () => {
      const { socket, peer } = await against(role);
      const log = record(socket, 'close', 'error');
      const closed = next(socket, 'close');
      peer.socket.end();
      await closed;
      expect(log).toEqual([['close', 1006, EMPTY]]);
      await peer.ended;
      expect(peer.frames).toEqual([]);
    });

    it(`${role}, the peer ends after our Close without its own -> close 1006`, async () => {
      const { socket, peer } = await against(role);
      const closed = next(socket, 'close');
      socket.close(1000);
      await peer.nextFrame();
      peer.socket.end();
      expect(await closed).toEqual([1006, EMPTY]);
    });

    it(`${role}, the peer never answers -> after closeTimeout the socket is destroyed: 1006`, async () => {
      const { socket, peer } = await against(role, { closeTimeout: 50 });
      const closed = next(socket, 'close');
      socket.close(1000);
      expect((await peer.nextFrame()).opcode).toBe(8);
      expect(await closed).toEqual([1006, EMPTY]);
      await peer.ended;
    });

    it(`${role}, the peer answers but never ends -> after closeTimeout "close" with its code`, async () => {
      const { socket, peer } = await against(role, { closeTimeout: 500 });
      const closed = next(socket, 'close');
      socket.close(1000);
      await peer.nextFrame();
      peer.send({ opcode: 8, payload: closePayload(1000, 'bye') });
      await peer.ended;
      expect(socket.readyState).toBe(WebSocket.CLOSING);
      expect(await closed).toEqual([1000, Buffer.from('bye')]);
    });

    it(`${role}, close() twice -> one Close frame`, async () => {
      const { socket, peer } = await against(role);
      socket.close(1000);
      expect(socket.close(1001)).toBeUndefined();
      expect(socket.close(7)).toBeUndefined();
      await peer.nextFrame();
      peer.send({ opcode: 8 });
      const closed = next(socket, 'close');
      await endTcp(role, peer);
      await closed;
      expect(peer.frames).toHaveLength(1);
      expect(socket.close(7)).toBeUndefined();
      expect(socket.terminate()).toBeUndefined();
    });

    it(`${role}, messages that arrive before the peer's Close -> delivered while CLOSING`, async () => {
      const { socket, peer } = await against(role);
      const log = record(socket, 'message', 'close');
      const states: number[] = [];
      socket.on('message', () => states.push(socket.readyState));
      const closed = next(socket, 'close');
      socket.close();
      await peer.nextFrame();
      peer.send({ opcode: 1, payload: 'late' }, { opcode: 8, payload: closePayload(1000) });
      await endTcp(role, peer);
      await closed;
      expect(states).toEqual([WebSocket.CLOSING]);
      expect(log).toEqual([
        ['message', Buffer.from('late'), false],
        ['close', 1000, EMPTY],
      ]);
    });

    it(`${role}, frames after the peer's Close frame -> ignored`, async () => {
      const { socket, peer } = await against(role);
      const log = record(socket, 'message', 'ping', 'error', 'close');
      const closed = next(socket, 'close');
      peer.send(
        { opcode: 8, payload: closePayload(1000) },
        { opcode: 1, payload: 'x' },
        { opcode: 9 },
        { opcode: 5 },
      );
      await endTcp(role, peer);
      await closed;
      expect(log).toEqual([['close', 1000, EMPTY]]);
    });

    it(`${role}, terminate() -> CLOSING at once, close 1006 later, no Close frame`, async () => {
      const { socket, peer } = await against(role);
      const log = record(socket, 'close', 'error');
      expect(socket.terminate()).toBeUndefined();
      expect(socket.readyState).toBe(WebSocket.CLOSING);
      expect(log).toEqual([]);
      await next(socket, 'close');
      expect(log).toEqual([['close', 1006, EMPTY]]);
      await peer.ended;
      expect(peer.frames).toEqual([]);
    });

    it(`${role}, terminate() after close() -> close 1006 at once`, async () => {
      const { socket } = await against(role);
      socket.close();
      socket.terminate();
      expect(await next(socket, 'close')).toEqual([1006, EMPTY]);
    });

    it(`${role}, terminate() after the peer's Close frame -> its code`, async () => {
      const { socket, peer } = await against(role);
      peer.send({ opcode: 8, payload: closePayload(4000) });
      await peer.nextFrame();
      socket.terminate();
      expect(await next(socket, 'close')).toEqual([4000, EMPTY]);
    });

    it(`${role}, the connection is reset -> close 1006, no error`, async () => {
      const { socket, peer } = await against(role);
      const log = record(socket, 'close', 'error');
      const closed = next(socket, 'close');
      (peer.socket as unknown as { resetAndDestroy(): void }).resetAndDestroy();
      await closed;
      expect(log).toEqual([['close', 1006, EMPTY]]);
    });
  }

  it.each([true, false])(
    'both Close frames went through, started by the client: %s -> who ends TCP',
    async (isFirst) => {
      for (const role of ROLES) {
        const { socket, peer } = await against(role);
        let isEnded = false;
        void peer.ended.then(() => {
          isEnded = true;
        });
        if ((role === 'client') === isFirst) {
          socket.close(1000);
          await peer.nextFrame();
          peer.send({ opcode: 8, payload: closePayload(1000) });
        } else {
          peer.send({ opcode: 8, payload: closePayload(1000) });
          await peer.nextFrame();
        }
        for (let i = 0; i < 20; i++) await turn();
        expect(isEnded).toBe(
          role === 'server' || differs(implementation, 'tcp-close', { ws: true, hawser: false }),
        );
        const closed = next(socket, 'close');
        peer.socket.end();
        expect(await closed).toEqual([1000, EMPTY]);
      }
    },
  );

  it('sends before close() -> arrive before it, even when large', async () => {
    const { client: socket, server: peer } = await pair();
    let received = 0;
    peer.on('message', (data: Buffer) => {
      received += data.length;
    });
    for (let i = 0; i < 20; i++) socket.send(Buffer.alloc(100_000));
    socket.close(1000);
    expect(await next(peer, 'close')).toEqual([1000, EMPTY]);
    expect(received).toBe(2_000_000);
  });

  it('after a clean close -> nothing keeps the process alive', async () => {
    const program = `
      const { WebSocket, WebSocketServer } = require(${JSON.stringify(main)});
      const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
        const client = new WebSocket('ws://127.0.0.1:' + wss.address().port);
        client.on('open', () => client.close(1000));
        client.on('close', (code) => console.log(code));
      });
      wss.on('connection', () => wss.close());`;
    expect(await runProgram(program)).toEqual({ code: 0, stdout: '1000\n', stderr: '' });
  });

  it('both ends close at the same time -> both are clean', async () => {
    const { client: socket, server: peer } = await pair();
    const both = Promise.all([next(socket, 'close'), next(peer, 'close')]);
    socket.close(4000, 'a');
    peer.close(4001, 'b');
    expect(await both).toEqual([
      [4001, Buffer.from('b')],
      [4000, Buffer.from('a')],
    ]);
  });

  it('"close" is emitted once, though terminate() and close() go on', async () => {
    const { client: socket, server: peer } = await pair();
    const log = record(socket, 'close');
    socket.on('close', () => {
      socket.terminate();
      socket.close();
    });
    peer.terminate();
    await next(socket, 'close');
    await turn();
    await turn();
    expect(log).toHaveLength(1);
  });
});
