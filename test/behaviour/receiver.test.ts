// Receiver: a Writable that turns the bytes of a peer into events, used on its own.
import { Writable } from 'node:stream';
import { deflateRawSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { called, next, record, turn } from '../support/events.js';
import { closePayload, type FrameFields, serializeFrame } from '../support/frames.js';
import { behaviour, differs, type Package } from './implementations.js';

const EVENTS = ['message', 'ping', 'pong', 'conclude', 'error'];
const KEY = Buffer.from([1, 2, 3, 4]);

behaviour('Receiver', (implementation) => {
  const { ws: WebSocket } = implementation;
  const { PerMessageDeflate, Receiver } = WebSocket;

  function frames(...list: FrameFields[]): Buffer {
    return Buffer.concat(list.map(serializeFrame));
  }

  /** Writes in pieces of `size` and returns the log of events. */
  async function feed(receiver: Package, bytes: Buffer, size = bytes.length): Promise<unknown[][]> {
    const log = record(receiver, ...EVENTS);
    for (let at = 0; at < bytes.length; at += size) {
      if (receiver.writableEnded || receiver.destroyed) break;
      await called((callback) => receiver.write(bytes.subarray(at, at + size), callback));
    }
    await turn();
    return log;
  }

  it('is a Writable with its own defaults', () => {
    const receiver = new Receiver();
    expect(receiver).toBeInstanceOf(Writable);
    expect(receiver._maxPayload).toBe(0);
  });

  const SCRIPT = frames(
    { opcode: 1, payload: 'Hello' },
    { opcode: 2, payload: Buffer.alloc(300, 1) },
    { opcode: 1, payload: 'frag', fin: false },
    { opcode: 9, payload: 'ping' },
    { opcode: 0, payload: 'ment' },
    { opcode: 10, payload: 'pong' },
    { opcode: 2, payload: Buffer.alloc(70_000, 2) },
    { opcode: 1 },
    { opcode: 8, payload: closePayload(1000, 'DONE') },
  );
  const EVENTS_OF_SCRIPT = [
    ['message', Buffer.from('Hello'), false],
    ['message', Buffer.alloc(300, 1), true],
    ['ping', Buffer.from('ping')],
    ['message', Buffer.from('fragment'), false],
    ['pong', Buffer.from('pong')],
    ['message', Buffer.alloc(70_000, 2), true],
    ['message', Buffer.alloc(0), false],
    ['conclude', 1000, Buffer.from('DONE')],
  ];

  it.each([1_000_000, 997, 3, 1])('a script in pieces of %i bytes -> the same events', async (size) => {
    const script = size < 10 ? SCRIPT.subarray(0, 400) : SCRIPT;
    const log = await feed(new Receiver(), script, size);
    expect(log).toEqual(size < 10 ? EVENTS_OF_SCRIPT.slice(0, 5) : EVENTS_OF_SCRIPT);
  });

  it('a script with allowSynchronousEvents false -> the same events', async () => {
    const receiver = new Receiver({ allowSynchronousEvents: false });
    const log = record(receiver, ...EVENTS);
    const concluded = next(receiver, 'conclude');
    receiver.write(SCRIPT);
    await concluded;
    expect(log).toEqual(EVENTS_OF_SCRIPT);
  });

  it('isServer -> masked frames', async () => {
    const receiver = new Receiver({ isServer: true });
    const log = await feed(receiver, frames({ opcode: 1, payload: 'masked', maskingKey: KEY }));
    expect(log).toEqual([['message', Buffer.from('masked'), false]]);
  });

  it.each<[object, FrameFields, string, string]>([
    [
      { isServer: true },
      { opcode: 1, payload: 'x' },
      'WS_ERR_EXPECTED_MASK',
      'Invalid WebSocket frame: MASK must be set',
    ],
    [
      {},
      { opcode: 1, maskingKey: KEY },
      'WS_ERR_UNEXPECTED_MASK',
      'Invalid WebSocket frame: MASK must be clear',
    ],
    [{}, { opcode: 1, rsv1: true }, 'WS_ERR_UNEXPECTED_RSV_1', 'Invalid WebSocket frame: RSV1 must be clear'],
    [{}, { opcode: 3 }, 'WS_ERR_INVALID_OPCODE', 'Invalid WebSocket frame: invalid opcode 3'],
    [
      { maxPayload: 3 },
      { opcode: 1, payload: 'four' },
      'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
      'Max payload size exceeded',
    ],
  ])('%j and %j -> error, and the writable side fails with it', async (options, frame, code, message) => {
    const receiver = new Receiver(options);
    const log = record(receiver, ...EVENTS);
    const [error] = await called((callback) =>
      receiver.write(frames(frame, { opcode: 1, payload: 'behind' }), callback),
    );
    await turn();
    expect(error).toMatchObject({ code, message });
    expect(log).toEqual([['error', error]]);
  });

  it('conclude -> 1005 for an empty Close frame; what follows is ignored and the stream finishes', async () => {
    const receiver = new Receiver();
    const log = record(receiver, ...EVENTS, 'finish');
    const finished = next(receiver, 'finish');
    receiver.write(frames({ opcode: 8 }, { opcode: 1, payload: 'x' }));
    await finished;
    expect(log).toEqual([['conclude', 1005, Buffer.alloc(0)], ['finish']]);
    expect(receiver.writableEnded).toBe(true);
  });

  it('binaryType -> the data of binary messages', async () => {
    const receiver = new Receiver({ binaryType: 'fragments' });
    const log = await feed(
      receiver,
      frames({ opcode: 2, payload: 'a', fin: false }, { opcode: 0, payload: 'b' }),
    );
    expect(log).toEqual([['message', [Buffer.from('a'), Buffer.from('b')], true]]);
    const asArrayBuffer = await feed(
      new Receiver({ binaryType: 'arraybuffer' }),
      frames({ opcode: 2, payload: 'abc' }),
    );
    expect(asArrayBuffer[0]![1]).toBeInstanceOf(ArrayBuffer);
  });

  it('_maxPayload -> can be changed between messages', async () => {
    const receiver = new Receiver({ maxPayload: 100 });
    expect(receiver._maxPayload).toBe(100);
    receiver._maxPayload = 3;
    const log = record(receiver, 'error');
    await called((callback) => receiver.write(frames({ opcode: 1, payload: 'four' }), callback));
    await turn();
    expect(log[0]![1]).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
  });

  it('skipUTF8Validation -> text is not checked', async () => {
    const log = await feed(
      new Receiver({ skipUTF8Validation: true }),
      frames({ opcode: 1, payload: Buffer.from([0xff]) }),
    );
    expect(log).toEqual([['message', Buffer.from([0xff]), false]]);
  });

  it('extensions -> compressed messages, fragmented ones too', async () => {
    const extension = new PerMessageDeflate();
    extension.accept([{}]);
    const receiver = new Receiver({ extensions: { 'permessage-deflate': extension } });
    const log = record(receiver, ...EVENTS);
    const data = deflateRawSync('Hello', { finishFlush: 2 }).subarray(0, -4);
    const last = new Promise((resolve) =>
      receiver.on('message', (_data: Buffer, isBinary: boolean) => isBinary && resolve(0)),
    );
    receiver.write(frames({ opcode: 1, rsv1: true, payload: data }));
    receiver.write(
      frames(
        { opcode: 1, rsv1: true, fin: false, payload: data.subarray(0, 2) },
        { opcode: 0, payload: data.subarray(2) },
      ),
    );
    receiver.write(frames({ opcode: 2, payload: 'plain' }));
    await last;
    expect(log).toEqual([
      ['message', Buffer.from('Hello'), false],
      ['message', Buffer.from('Hello'), false],
      ['message', Buffer.from('plain'), true],
    ]);
  });

  it('a writer that is too fast -> write() returns false, and "drain" tells that it may go on', async () => {
    const receiver = new Receiver({ allowSynchronousEvents: false });
    const log = record(receiver, 'message', 'drain');
    const drained = next(receiver, 'drain');
    const message: FrameFields = { opcode: 2, payload: Buffer.alloc(30_000) };
    expect(receiver.write(frames(message, message, message))).toBe(false);
    await drained;
    expect(log.map(([name]) => name)).toEqual(['message', 'message', 'message', 'drain']);
  });

  it('a limit of 2^31 -> what it means', async () => {
    const receiver = new Receiver({ maxPayload: 2 ** 31 });
    const log = await feed(receiver, frames({ opcode: 2, declaredLength: 2n ** 31n + 1n }));
    const count = differs(implementation, 'wide-limits', { ws: 0, hawser: 1 });
    expect(log).toHaveLength(count);
  });
});
