// maxPayload, maxFragments, maxBufferedChunks: what they count, their defaults, and how they are coerced.
import { expect, it } from 'vitest';
import { cast, ROLES } from '../support/cast.js';
import { called, next, record, writeAndWait } from '../support/events.js';
import { closePayload, type FrameFields, serializeFrame } from '../support/frames.js';
import { behaviour, differs, type Package } from './implementations.js';

const TOO_LONG = {
  code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  message: 'Max payload size exceeded',
  name: 'RangeError',
};
const FRAGMENTS = {
  code: 'WS_ERR_TOO_MANY_BUFFERED_PARTS',
  message: 'Too many message fragments',
  name: 'RangeError',
};
const CHUNKS = {
  code: 'WS_ERR_TOO_MANY_BUFFERED_PARTS',
  message: 'Too many buffered chunks',
  name: 'RangeError',
};

behaviour('limits', (implementation) => {
  const { ws: WebSocket } = implementation;
  const { against, pair } = cast(WebSocket);

  async function fails(
    role: 'client' | 'server',
    options: object,
    frames: FrameFields[],
  ): Promise<[unknown, number]> {
    const { socket, peer } = await against(role, options);
    const failed = next(socket, 'error');
    peer.send(...frames);
    const frame = await peer.nextFrame();
    expect(frame.opcode).toBe(8);
    return [(await failed)[0], frame.payload.readUInt16BE()];
  }

  async function passes(role: 'client' | 'server', options: object, frames: FrameFields[]): Promise<Buffer> {
    const { socket, peer } = await against(role, options);
    const message = next(socket, 'message');
    peer.send(...frames);
    return (await message)[0];
  }

  for (const role of ROLES) {
    it(`${role}, maxPayload -> checked on the declared length, before the payload comes`, async () => {
      const [error, code] = await fails(role, { maxPayload: 20 }, [{ opcode: 2, declaredLength: 21n }]);
      expect(error).toMatchObject(TOO_LONG);
      expect(code).toBe(1009);
      expect(await passes(role, { maxPayload: 20 }, [{ opcode: 2, payload: Buffer.alloc(20) }])).toHaveLength(
        20,
      );
    });

    it(`${role}, maxPayload -> counts all fragments of one message, and control frames not`, async () => {
      const fragments: FrameFields[] = [
        { opcode: 2, payload: Buffer.alloc(10), fin: false },
        { opcode: 9, payload: Buffer.alloc(100) },
        { opcode: 0, payload: Buffer.alloc(10), fin: false },
      ];
      const last = (length: number): FrameFields => ({ opcode: 0, payload: Buffer.alloc(length) });
      expect(await passes(role, { maxPayload: 20 }, [...fragments, last(0)])).toHaveLength(20);
      const { socket, peer } = await against(role, { maxPayload: 20 });
      const failed = next(socket, 'error');
      peer.send(...fragments, last(1));
      expect((await failed)[0]).toMatchObject(TOO_LONG);
      expect((await peer.nextFrames(2))[1]!.payload).toEqual(closePayload(1009));
    });

    it.each<[unknown, number]>([
      [10.9, 10],
      ['10', 10],
      [true, 1],
    ])(`${role}, maxPayload %j -> means %i`, async (maxPayload, limit) => {
      const frame = (length: number): FrameFields[] => [{ opcode: 2, payload: Buffer.alloc(length) }];
      expect(await passes(role, { maxPayload }, frame(limit))).toHaveLength(limit);
      expect((await fails(role, { maxPayload }, frame(limit + 1)))[0]).toMatchObject(TOO_LONG);
    });

    it.each([0, null, -1])(`${role}, maxPayload %s -> no limit`, async (maxPayload) => {
      const { socket, peer } = await against(role, { maxPayload });
      peer.send({ opcode: 9 }, { opcode: 2, declaredLength: 10_000_000_000n });
      expect((await peer.nextFrame()).opcode).toBe(10);
      expect(socket.readyState).toBe(WebSocket.OPEN);
    });

    it(`${role}, maxPayload 2^31 and a message of one byte more`, async () => {
      const { socket, peer } = await against(role, { maxPayload: 2 ** 31 });
      socket.on('error', () => {});
      peer.send({ opcode: 9 }, { opcode: 2, declaredLength: 2n ** 31n + 1n });
      expect((await peer.nextFrame()).opcode).toBe(10);
      const state = differs(implementation, 'wide-limits', { ws: WebSocket.OPEN, hawser: WebSocket.CLOSING });
      expect(socket.readyState).toBe(state);
    });

    it(`${role}, maxFragments -> counts the frames of one message, empty ones too`, async () => {
      const fragments: FrameFields[] = [
        { opcode: 2, payload: 'a', fin: false },
        { opcode: 0, fin: false },
      ];
      expect(await passes(role, { maxFragments: 3 }, [...fragments, { opcode: 0, payload: 'c' }])).toEqual(
        Buffer.from('ac'),
      );
      const [error, code] = await fails(role, { maxFragments: 3 }, [
        ...fragments,
        { opcode: 0, fin: false },
        { opcode: 0, fin: false },
      ]);
      expect(error).toMatchObject(FRAGMENTS);
      expect(code).toBe(1008);
    });

    it(`${role}, maxFragments -> starts again with each message`, async () => {
      const { socket, peer } = await against(role, { maxFragments: 2 });
      const log = record(socket, 'message');
      const message: FrameFields[] = [
        { opcode: 1, payload: 'a', fin: false },
        { opcode: 0, payload: 'b' },
      ];
      peer.send(...message, ...message, ...message, { opcode: 9 });
      await peer.nextFrame();
      expect(log).toHaveLength(3);
    });

    it(`${role}, 4 MiB in fragments of 64 bytes, limits left at their defaults`, async () => {
      const size = 4 * 1024 * 1024;
      const count = size / 64;
      const frames = Array.from({ length: count }, (_, index) => ({
        opcode: index === 0 ? 2 : 0,
        payload: Buffer.alloc(64, index),
        fin: index === count - 1,
      }));
      const { socket, peer } = await against(role);
      const outcome = Promise.race([next(socket, 'message'), next(socket, 'error')]);
      peer.send(...frames);
      const [result] = await outcome;
      const check = differs(implementation, 'count-limits', {
        ws: () => expect(result).toMatchObject(FRAGMENTS),
        hawser: () => expect((result as Buffer).length).toBe(size),
      });
      check();
    });
  }

  it('maxPayload -> bounds the inflated length', async () => {
    for (const compressed of [true, false]) {
      const { client: socket, server: peer } = await pair({
        perMessageDeflate: { threshold: 0 },
        maxPayload: 1000,
      });
      const log = record(peer, 'error', 'message');
      const closed = next(socket, 'close');
      socket.send('x'.repeat(1000), { compress: compressed });
      socket.send('x'.repeat(1001), { compress: compressed });
      expect((await closed)[0]).toBe(1009);
      expect(log.map(([name]) => name)).toEqual(['message', 'error']);
      expect(log[1]![1]).toMatchObject(TOO_LONG);
    }
  });

  it('maxPayload -> bounds the inflated length over all fragments', async () => {
    const { client: socket, server: peer } = await pair({ perMessageDeflate: true, maxPayload: 1000 });
    const log = record(peer, 'error');
    const closed = next(socket, 'close');
    for (let i = 0; i < 4; i++) socket.send('x'.repeat(300), { fin: i === 3 });
    expect((await closed)[0]).toBe(1009);
    expect(log[0]![1]).toMatchObject(TOO_LONG);
  });

  /** Writes to a Receiver and returns the error that it emitted. */
  async function received(options: object, chunks: Buffer[]): Promise<Error | undefined> {
    const receiver: Package = new WebSocket.Receiver(options);
    let error: Error | undefined;
    receiver.on('error', (failure: Error) => {
      error = failure;
    });
    for (const chunk of chunks) {
      if (error) break;
      await called((callback) => receiver.write(chunk, callback));
    }
    return error;
  }

  it('maxBufferedChunks -> counts the chunks of a frame that is not complete', async () => {
    const frame = serializeFrame({ opcode: 2, payload: Buffer.alloc(20) });
    const bytes = Array.from(frame, (byte) => Buffer.from([byte]));
    expect(await received({ maxBufferedChunks: 5 }, bytes)).toMatchObject(CHUNKS);
    expect(await received({ maxBufferedChunks: 30 }, bytes)).toBeUndefined();
    expect(await received({ maxBufferedChunks: 0 }, bytes)).toBeUndefined();
  });

  it.each(ROLES)('%s, maxBufferedChunks -> 1008', async (role) => {
    const { socket, peer } = await against(role, { maxBufferedChunks: 3 });
    const failed = next(socket, 'error');
    const mask = role === 'server' ? { maskingKey: Buffer.alloc(4) } : {};
    const [first, ...rest] = serializeFrame({ opcode: 2, payload: Buffer.alloc(20), ...mask });
    peer.socket.write(
      Buffer.from([0x89, role === 'server' ? 0x80 : 0, ...(role === 'server' ? [0, 0, 0, 0] : []), first!]),
    );
    await peer.nextFrame();
    for (const byte of rest) {
      if (socket.readyState !== WebSocket.OPEN) break;
      await writeAndWait(peer.socket, Buffer.from([byte]), socket._socket);
    }
    expect((await failed)[0]).toMatchObject(CHUNKS);
    expect((await peer.nextFrame()).payload).toEqual(closePayload(1008));
  });

  it.each<[object, string, object | undefined]>([
    [{ maxPayload: 5 }, 'abcdef', TOO_LONG],
    [{ maxPayload: 6 }, 'abcdef', undefined],
    [{}, 'x'.repeat(1000), undefined],
  ])('Receiver with %j -> its own limits, which are off by default', async (options, payload, expected) => {
    const error = await received(options, [serializeFrame({ opcode: 1, payload })]);
    if (expected) expect(error).toMatchObject(expected);
    else expect(error).toBeUndefined();
  });

  it('server, the defaults of the limits -> in wss.options', () => {
    const { options } = new WebSocket.WebSocketServer({ noServer: true });
    expect(options.maxPayload).toBe(104_857_600);
    expect(options.maxPendingAutoPongs).toBe(60);
    expect([options.maxFragments, options.maxBufferedChunks]).toEqual(
      differs(implementation, 'count-limits', { ws: [16_384, 262_144], hawser: [0, 0] }),
    );
  });
});
