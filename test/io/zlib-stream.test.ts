import * as zlibModule from 'node:zlib';
import { constants, deflateRawSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isZlibStreamUsable, ZlibSettings, ZlibStream } from '../../src/io/zlib-stream.js';
import { agreedWith, bytes, noise, prose } from '../rfc7692/codecs.js';

const HELLO = bytes('f2 48 cd c9 c9 07 00 00 00 ff ff');
const HELLO_AGAIN = bytes('f2 00 11 00 00 00 00 ff ff');

function runToEnd(stream: ZlibStream, input: Buffer): Buffer {
  const output = Buffer.alloc(200_000);
  stream.runSync(input, 0, input.length, output, output.length);
  expect(stream.inputLeft).toBe(0);
  return output.subarray(0, output.length - stream.outputLeft);
}

describe('ZlibStream', () => {
  it('this version of Node.js -> is known', () => {
    expect(isZlibStreamUsable()).toBe(true);
  });

  it('runSync() and run() in turn -> one stream with one window', async () => {
    const stream = new ZlibStream(new ZlibSettings('inflate', {}));
    expect(runToEnd(stream, HELLO).toString()).toBe('Hello');
    const output = Buffer.alloc(10);
    await stream.run(HELLO_AGAIN, 0, HELLO_AGAIN.length, output, output.length);
    expect([output.toString('latin1', 0, 5), stream.outputLeft, stream.inputLeft]).toEqual(['Hello', 5, 0]);
    expect(runToEnd(stream, HELLO_AGAIN).toString()).toBe('Hello');
    stream.reset();
    expect(() => runToEnd(stream, HELLO_AGAIN)).toThrow('invalid distance too far back');
    stream.close();
  });

  it.each([1, 100, 16_000, 100_000])(
    'run() of %d bytes -> what runSync() gives, and plain zlib',
    async (length) => {
      for (const message of [prose(length), noise(length)]) {
        const expected = deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH });
        const [first, second] = [0, 1].map(() => new ZlibStream(new ZlibSettings('deflate', {})));
        expect(runToEnd(first!, message).equals(expected)).toBe(true);
        const output = Buffer.alloc(200_000);
        await second!.run(message, 0, message.length, output, output.length);
        expect(output.subarray(0, output.length - second!.outputLeft).equals(expected)).toBe(true);
      }
    },
  );

  it('used while it runs, or after it was closed -> Error, where the native stream would end the process', async () => {
    const stream = new ZlibStream(new ZlibSettings('deflate', {}));
    const input = noise(50_000);
    const output = Buffer.alloc(100_000);
    const running = stream.run(input, 0, input.length, output, output.length);
    expect(() => stream.runSync(input, 0, 1, output, 10)).toThrow('The zlib stream is in use');
    expect(() => stream.reset()).toThrow('The zlib stream is in use');
    await running;
    stream.reset();
    stream.close();
    stream.close();
    expect(() => stream.runSync(input, 0, 1, output, 10)).toThrow('The zlib stream is closed');
    expect(() => stream.run(input, 0, 1, output, 10)).toThrow('The zlib stream is closed');
  });

  it('closed while it runs -> the promise is rejected', async () => {
    const stream = new ZlibStream(new ZlibSettings('deflate', {}));
    const output = Buffer.alloc(1_000_000);
    const running = stream.run(noise(900_000), 0, 900_000, output, output.length);
    stream.close();
    await expect(running).rejects.toThrow('The zlib stream is closed');
  });

  it('bad data -> the error of node:zlib, thrown or as a rejection', async () => {
    const garbage = Buffer.alloc(10, 0xff);
    const output = Buffer.alloc(10);
    const error = { message: 'invalid block type', code: 'Z_DATA_ERROR', errno: -3, closeCode: 1007 };
    const [first, second] = [0, 1].map(() => new ZlibStream(new ZlibSettings('inflate', {})));
    expect(() => first!.runSync(garbage, 0, 10, output, 10)).toThrow(expect.objectContaining(error));
    await expect(second!.run(garbage, 0, 10, output, 10)).rejects.toMatchObject(error);
  });

  it('options that node:zlib refuses -> its error', () => {
    expect(() => new ZlibSettings('inflate', { windowBits: 7 })).toThrow(RangeError);
    expect(() => new ZlibSettings('deflate', { level: 10 })).toThrow(RangeError);
  });
});

/** Loads the compressor anew, on a zlib whose streams are changed. */
async function onChangedZlib(change: (stream: { _handle: unknown; _processChunk: unknown }) => void) {
  vi.resetModules();
  vi.doMock('node:zlib', () => ({
    ...zlibModule,
    createInflateRaw: (options?: zlibModule.ZlibOptions) => {
      const stream = zlibModule.createInflateRaw(options) as never;
      change(stream);
      return stream;
    },
  }));
  const { isZlibStreamUsable: isUsable } = await import('../../src/io/zlib-stream.js');
  return { isUsable, ...(await import('../../src/io/zlib.js')) };
}

describe('a runtime whose zlib is another', () => {
  afterEach(() => {
    vi.doUnmock('node:zlib');
    vi.resetModules();
  });

  it.each<[string, Parameters<typeof onChangedZlib>[0]]>([
    ['has no native stream', (stream) => Object.assign(stream, { _handle: undefined })],
    [
      'has a native stream without functions',
      (stream) => Object.assign(stream, { _handle: { close: () => {} } }),
    ],
    ['does not use the native stream', (stream) => Object.assign(stream, { _processChunk: () => {} })],
    [
      'hands over something else',
      (stream) => {
        const handle = stream._handle as { writeSync: (...parameters: unknown[]) => void };
        Object.assign(stream, { _processChunk: () => handle.writeSync(2, HELLO, 0, HELLO.length, HELLO) });
        handle.writeSync = () => {};
      },
    ],
  ])('%s -> public functions do the work', async (_, change) => {
    const { isUsable, createDeflater, createInflater } = await onChangedZlib(change);
    expect(isUsable()).toBe(false);
    const payload = await createDeflater(agreedWith(), 'client').deflate(prose(500), true, true);
    expect(prose(500).equals(await createInflater(agreedWith(), 'server').inflate(payload, 0))).toBe(true);
  });

  it('none -> the changed module works as the real one', async () => {
    const { isUsable } = await onChangedZlib(() => {});
    expect(isUsable()).toBe(true);
  });
});
