// Sender: Sender.frame byte for byte, and a Sender over any socket.
import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { called, record, thrownBy } from '../support/events.js';
import { closePayload, FrameCollector } from '../support/frames.js';
import { behaviour, type Package } from './implementations.js';

const KEY = [1, 2, 3, 4];
const generateMask = (mask: Buffer) => mask.set(KEY);

/** A Writable that collects what is written, as the Sender sees a socket. */
class Sink extends Writable {
  readonly chunks: Buffer[] = [];
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    done();
  }
  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
  get frames() {
    return new FrameCollector().push(this.bytes);
  }
}

behaviour('Sender', ({ ws: WebSocket }) => {
  const { PerMessageDeflate, Sender } = WebSocket;

  /** hex of the header (or the whole), then of the payload if it is a chunk of its own */
  const FRAMES: [string, unknown, object, string[]][] = [
    ['text', Buffer.from('hi'), { fin: true, opcode: 1 }, ['8102', '6869']],
    ['a string', 'hi', { fin: true, opcode: 1 }, ['8102', '6869']],
    ['not final', Buffer.from('hi'), { fin: false, opcode: 1 }, ['0102', '6869']],
    ['no fin option', Buffer.from('hi'), { opcode: 2 }, ['0202', '6869']],
    ['RSV1', Buffer.from('hi'), { fin: true, opcode: 1, rsv1: true }, ['c102', '6869']],
    ['empty', Buffer.alloc(0), { fin: true, opcode: 9 }, ['8900']],
    ['an empty string', '', { fin: true, opcode: 1 }, ['8100']],
    ['read-only', Buffer.from('hi'), { fin: true, opcode: 1, readOnly: true }, ['8102', '6869']],
    [
      'masked',
      Buffer.from('hi'),
      { fin: true, opcode: 1, mask: true, generateMask },
      ['818201020304', '696b'],
    ],
    [
      'masked and read-only',
      Buffer.from('hi'),
      { fin: true, opcode: 1, mask: true, readOnly: true, generateMask },
      ['818201020304696b'],
    ],
    ['masked string', 'hi', { fin: true, opcode: 1, mask: true, generateMask }, ['818201020304', '696b']],
    [
      'masked and empty',
      Buffer.alloc(0),
      { fin: true, opcode: 8, mask: true, generateMask },
      ['888001020304'],
    ],
    [
      'masked with zeros',
      Buffer.from('hi'),
      { fin: true, opcode: 1, mask: true, readOnly: true, generateMask: (mask: Buffer) => mask.fill(0) },
      ['818200000000', '6869'],
    ],
    ['125 bytes', Buffer.alloc(125), { fin: true, opcode: 2 }, ['827d', '00'.repeat(125)]],
    ['126 bytes', Buffer.alloc(126), { fin: true, opcode: 2 }, ['827e007e', '00'.repeat(126)]],
    ['65535 bytes', Buffer.alloc(65535), { fin: true, opcode: 2 }, ['827effff', '00'.repeat(65535)]],
    [
      '65536 bytes',
      Buffer.alloc(65536),
      { fin: true, opcode: 2 },
      ['827f0000000000010000', '00'.repeat(65536)],
    ],
    [
      '126 bytes, masked',
      Buffer.alloc(126),
      { fin: true, opcode: 2, mask: true, readOnly: true, generateMask },
      [`82fe007e01020304${'01020304'.repeat(32).slice(0, 252)}`],
    ],
  ];

  it.each(FRAMES)('Sender.frame, %s -> these chunks', (_case, data, options, expected) => {
    const list = Sender.frame(typeof data === 'string' ? data : Buffer.from(data as Buffer), options);
    expect(list.map((chunk: Buffer | string) => Buffer.from(chunk).toString('hex'))).toEqual(expected);
  });

  it('Sender.frame, read-only and masked -> the data is not changed', () => {
    for (const length of [5, 50, 500]) {
      const data = Buffer.alloc(length, 7);
      Sender.frame(data, { fin: true, opcode: 2, mask: true, readOnly: true });
      expect(data.equals(Buffer.alloc(length, 7))).toBe(true);
    }
  });

  it('Sender.frame, not read-only and masked -> the data is masked in place', () => {
    const data = Buffer.from([0, 0, 0, 0, 0]);
    const [, payload] = Sender.frame(data, {
      fin: true,
      opcode: 2,
      mask: true,
      readOnly: false,
      generateMask,
    });
    expect(payload).toBe(data);
    expect([...data]).toEqual([1, 2, 3, 4, 1]);
  });

  it('Sender.frame, not masked -> the data itself is the second chunk', () => {
    const data = Buffer.alloc(100);
    expect(Sender.frame(data, { fin: true, opcode: 2, mask: false, readOnly: true })[1]).toBe(data);
  });

  it('Sender.frame, maskBuffer -> is filled with the key', () => {
    const maskBuffer = Buffer.alloc(4);
    const [frame] = Sender.frame(Buffer.from('x'), {
      fin: true,
      opcode: 2,
      mask: true,
      readOnly: true,
      maskBuffer,
      generateMask,
    });
    expect([...maskBuffer]).toEqual(KEY);
    expect([...frame.subarray(2, 6)]).toEqual(KEY);
  });

  it('Sender.frame, masked without generateMask -> random keys', () => {
    const keys = new Set<string>();
    for (let i = 0; i < 3000; i++) {
      const [frame] = Sender.frame(Buffer.from('x'), { fin: true, opcode: 2, mask: true, readOnly: true });
      keys.add(frame.toString('hex', 2, 6));
    }
    expect(keys.size).toBeGreaterThan(2990);
  });

  it('Sender.frame as socket.io calls it -> a frame that a server can write', () => {
    const list = Sender.frame(Buffer.from('payload'), {
      readOnly: false,
      mask: false,
      rsv1: false,
      opcode: 1,
      fin: true,
    });
    expect(Buffer.concat(list).toString('latin1')).toBe('\x81\x07payload');
  });

  it('new Sender(socket) -> fields of a fresh sender', () => {
    const sink = new Sink();
    const sender = new Sender(sink);
    expect(sender._socket).toBe(sink);
    expect(sender._bufferedBytes).toBe(0);
    expect(sender._extensions).toEqual({});
    expect([typeof sender.dispatch, typeof sender.enqueue]).toEqual(['function', 'function']);
  });

  it('send, ping, pong, close -> frames in order on the socket', async () => {
    const sink = new Sink();
    const sender = new Sender(sink);
    sender.send('text', { binary: false, fin: true, mask: false, compress: false });
    sender.send(Buffer.from('bin'), { binary: true, fin: false, mask: false, compress: false });
    sender.send('end', { binary: true, fin: true, mask: false });
    sender.ping('pi', false);
    sender.pong(Buffer.from('po'), false);
    await called((callback) => sender.close(1000, 'bye', false, callback));
    expect(sink.frames.map(({ opcode, fin, payload }) => [opcode, fin, String(payload)])).toEqual([
      [1, true, 'text'],
      [2, false, 'bin'],
      [0, true, 'end'],
      [9, true, 'pi'],
      [10, true, 'po'],
      [8, true, String(closePayload(1000, 'bye'))],
    ]);
  });

  it('mask true and generateMask of the constructor -> masked frames', async () => {
    const sink = new Sink();
    const sender = new Sender(sink, undefined, generateMask);
    await called((callback) => sender.send('hi', { fin: true, mask: true }, callback));
    await called((callback) => sender.ping('', true, callback));
    expect(sink.bytes.toString('hex')).toBe('818201020304696b898001020304');
  });

  it('sendFrame(list, callback) -> writes the chunks as they are, and calls back', async () => {
    const sink = new Sink();
    const sender = new Sender(sink);
    const two = called((callback) => sender.sendFrame([Buffer.from([0x81, 2]), Buffer.from('hi')], callback));
    const one = called((callback) => sender.sendFrame([Buffer.from([0x89, 0])], callback));
    await Promise.all([two, one]);
    expect(sink.bytes.toString('hex')).toBe('81026869' + '8900');
  });

  it('dispatch(data, compress, options, callback) -> a frame as the options say', async () => {
    const sink = new Sink();
    const options = { fin: true, opcode: 1, mask: false, readOnly: true, rsv1: false };
    await called((callback) => new Sender(sink).dispatch(Buffer.from('hi'), false, options, callback));
    expect(sink.bytes.toString('hex')).toBe('81026869');
  });

  it('close, ping and pong -> check their arguments', () => {
    const sender = new Sender(new Sink());
    expect(thrownBy(() => sender.close(1004, '', false)).message).toBe(
      'First argument must be a valid error code number',
    );
    expect(thrownBy(() => sender.close(1000, 'x'.repeat(124), false)).message).toBe(
      'The message must not be greater than 123 bytes',
    );
    for (const method of ['ping', 'pong']) {
      expect(thrownBy(() => sender[method]('x'.repeat(126), false)).message).toBe(
        'The data size must not be greater than 125 bytes',
      );
    }
  });

  /** A Sender whose extension has agreed on `params`. */
  function compressing(params: object, options: object = {}): { sink: Sink; sender: Package } {
    const extension = new PerMessageDeflate({ isServer: true, ...options });
    extension.accept([params]);
    const sink = new Sink();
    return { sink, sender: new Sender(sink, { 'permessage-deflate': extension }) };
  }

  it('extension -> compresses when asked, and counts what waits', async () => {
    const { sink, sender } = compressing({}, { threshold: 0 });
    const options = { compress: true, fin: true };
    const all = Promise.all([
      called((callback) => sender.send('x'.repeat(100_000), options, callback)),
      called((callback) => sender.send('hi', { compress: false, fin: true }, callback)),
    ]);
    expect(sender._bufferedBytes + sink.writableLength).toBeGreaterThan(0);
    await all;
    expect(sink.frames.map(({ opcode, rsv1 }) => [opcode, rsv1])).toEqual([
      [1, true],
      [1, false],
    ]);
    expect(sender._bufferedBytes).toBe(0);
  });

  it('extension without context takeover -> threshold decides', async () => {
    const { sink, sender } = compressing({ server_no_context_takeover: [true] }, { threshold: 3 });
    await called((callback) => sender.send('hi', { compress: true, fin: true }, callback));
    await called((callback) => sender.send('hi!', { compress: true, fin: true }, callback));
    expect(sink.frames.map(({ rsv1 }) => rsv1)).toEqual([false, true]);
  });

  it('a Blob that cannot be read -> callbacks get the error', async () => {
    const sender = new Sender(new Sink());
    const failure = new Error('unreadable');
    const blob = {
      ...{ size: 3, type: '', stream: () => {}, [Symbol.toStringTag]: 'Blob' },
      arrayBuffer: () => Promise.reject(failure),
    };
    const results = await Promise.all([
      called((callback) => sender.send(blob, { fin: true }, callback)),
      called((callback) => sender.send('behind', { fin: true }, callback)),
    ]);
    expect(results).toEqual([[failure], [failure]]);
  });

  it('the socket fails -> callbacks get the error', async () => {
    const sink = new Sink();
    const log = record(sink, 'error');
    const sender = new Sender(sink);
    sink.destroy(new Error('gone'));
    const [error] = await called((callback) => sender.send('x', { fin: true }, callback));
    expect(error).toBeInstanceOf(Error);
    expect(log).toHaveLength(1);
  });
});
