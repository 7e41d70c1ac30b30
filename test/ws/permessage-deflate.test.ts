// `PerMessageDeflate` as it is exported: one list of behaviours for npm `ws` and for ours, then what only ours does.
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { parseExtensions } from '../../src/wire/extension-header.js';
import { PerMessageDeflate } from '../../src/ws/permessage-deflate.js';
import { bytes, noise, prose } from '../rfc7692/codecs.js';

type Class = typeof PerMessageDeflate;

// @types/ws leave these out.
const { PerMessageDeflate: WsPerMessageDeflate } = ws as unknown as { PerMessageDeflate: Class };

const IMPLEMENTATIONS: [string, Class][] = [
  ['ws', WsPerMessageDeflate],
  ['hawser', PerMessageDeflate],
];

function accepted(
  Implementation: Class,
  options: object = {},
  header = 'permessage-deflate',
): PerMessageDeflate {
  const deflate = new Implementation(options);
  deflate.accept(parseExtensions(header)['permessage-deflate']!);
  return deflate;
}

/** What the callback is called with, and that it is not called before the function returns. */
function call(
  action: (callback: (error: Error | null, data?: Buffer) => void) => void,
): Promise<[Error | null, Buffer?]> {
  return new Promise((resolve, reject) => {
    let hasReturned = false;
    action((...results: [Error | null, Buffer?]) => {
      if (!hasReturned) reject(new Error('The callback was called at once'));
      resolve(results);
    });
    hasReturned = true;
  });
}

const compress = (deflate: PerMessageDeflate, data: Buffer | string, fin = true) =>
  call((callback) => deflate.compress(data, fin, callback));
const decompress = (deflate: PerMessageDeflate, data: Buffer, fin = true) =>
  call((callback) => deflate.decompress(data, fin, callback));

describe.each(IMPLEMENTATIONS)('PerMessageDeflate of %s', (_, Implementation) => {
  it('the class -> has the shape of ws', () => {
    expect(Implementation.name).toBe('PerMessageDeflate');
    expect(Implementation).toHaveLength(1);
    expect(Implementation.extensionName).toBe('permessage-deflate');
    expect(new Implementation().params).toBe(null);
    expect(new Implementation({ maxPayload: 5, isServer: true })).toMatchObject({
      _maxPayload: 5,
      _isServer: true,
    });
  });

  it('offer() -> the parameters', () => {
    expect(new Implementation().offer()).toEqual({ client_max_window_bits: true });
    expect(new Implementation({ serverMaxWindowBits: 9, clientMaxWindowBits: false }).offer()).toEqual({
      server_max_window_bits: 9,
    });
  });

  it('accept() as a server -> the response, which is kept in params', () => {
    const deflate = new Implementation({ isServer: true, serverNoContextTakeover: true });
    const params = deflate.accept([{ client_max_window_bits: ['11'] }]);
    expect(params).toEqual({ client_max_window_bits: 11, server_no_context_takeover: true });
    expect(deflate.params).toBe(params);
  });

  it('accept() as a client -> the response, which is kept in params', () => {
    const deflate = new Implementation({ clientMaxWindowBits: 10 });
    expect(deflate.accept([{}])).toEqual({ client_max_window_bits: 10 });
    expect(deflate.params).toEqual({ client_max_window_bits: 10 });
  });

  it('accept() of what cannot be accepted -> throws, params stays null', () => {
    const deflate = new Implementation({ isServer: true, clientMaxWindowBits: 10 });
    expect(() => deflate.accept([{}])).toThrow(new Error('None of the extension offers can be accepted'));
    expect(() => deflate.accept([{ foo: [true] }])).toThrow(new Error('Unknown parameter "foo"'));
    expect(() => deflate.accept([{ server_max_window_bits: ['7'] }])).toThrow(
      new TypeError('Invalid value for parameter "server_max_window_bits": 7'),
    );
    expect(deflate.params).toBe(null);
  });

  it('compress() before accept() -> TypeError', () => {
    expect(() => new Implementation({}).compress('a', true, () => {})).toThrow(TypeError);
  });

  it.each(['Hello', Buffer.from('Hello')])('compress(%o) -> null and a Buffer, later', async (data) => {
    const [error, compressed] = await compress(accepted(Implementation), data);
    expect(error).toBe(null);
    expect(Buffer.isBuffer(compressed)).toBe(true);
    expect(bytes(compressed!)).toBe('f2 48 cd c9 c9 07 00');
  });

  it('compress() and decompress(), fragments -> what is left of the tail, and the parts of the message', async () => {
    const deflate = accepted(
      Implementation,
      { isServer: true },
      'permessage-deflate; server_no_context_takeover',
    );
    const message = prose(3000);
    const [, first] = await compress(deflate, message.subarray(0, 1000), false);
    const [, last] = await compress(deflate, message.subarray(1000), true);
    expect(bytes(first!.subarray(-4))).toBe('00 00 ff ff');
    const client = accepted(Implementation);
    const [, start] = await decompress(client, first!, false);
    const [, end] = await decompress(client, last!, true);
    expect(Buffer.concat([start!, end!]).equals(message)).toBe(true);
  });

  it('compress(), nothing to send -> an empty block', async () => {
    const deflate = accepted(Implementation);
    expect(bytes((await compress(deflate, Buffer.alloc(0), false))[1]!)).toBe('00 00 00 ff ff');
    expect(bytes((await compress(deflate, Buffer.alloc(0), true))[1]!)).toBe('00');
  });

  it('compress(), context -> kept or not as agreed, for each role', async () => {
    for (const [isServer, parameter] of [
      [true, 'server_no_context_takeover'],
      [false, 'client_no_context_takeover'],
    ] as const) {
      const keeping = accepted(Implementation, { isServer });
      await compress(keeping, 'Hello');
      expect(bytes((await compress(keeping, 'Hello'))[1]!)).toMatch(/^(f2 00 11 00 00|02 13 00 00)$/);
      const keepingNothing = accepted(Implementation, { isServer }, `permessage-deflate; ${parameter}`);
      await compress(keepingNothing, 'Hello');
      expect(bytes((await compress(keepingNothing, 'Hello'))[1]!)).toBe('f2 48 cd c9 c9 07 00');
    }
  });

  it('compress(), several calls at once -> are answered in order', async () => {
    const deflate = accepted(Implementation);
    const order: number[] = [];
    await Promise.all(
      [prose(100_000), Buffer.from('Hello'), noise(30_000), Buffer.from('Hello')].map((data, i) =>
        compress(deflate, data).then(() => order.push(i)),
      ),
    );
    expect(order).toEqual([0, 1, 2, 3]);
  });

  it('decompress(), a block with BFINAL -> the message, and those after it', async () => {
    const deflate = accepted(Implementation, { isServer: true });
    expect(String((await decompress(deflate, bytes('f3 48 cd c9 c9 07 00 00')))[1])).toBe('Hello');
    expect(String((await decompress(deflate, bytes('f2 48 cd c9 c9 07 00')))[1])).toBe('Hello');
  });

  it('decompress() of garbage -> the error of zlib; the next message starts anew', async () => {
    const deflate = accepted(Implementation, { isServer: true });
    const results = await decompress(deflate, Buffer.from('garbage!!!'));
    expect(results).toEqual([results[0], undefined]);
    expect(results[0]).toMatchObject({ message: 'invalid block type', code: 'Z_DATA_ERROR', errno: -3 });
    expect(String((await decompress(deflate, bytes('f2 48 cd c9 c9 07 00')))[1])).toBe('Hello');
  });

  it.each([50, 100_000])(
    'decompress(), %d bytes, more than maxPayload -> RangeError with code',
    async (length) => {
      const deflate = accepted(Implementation, { isServer: true, maxPayload: 25 });
      const [, compressed] = await compress(accepted(Implementation), noise(length));
      const results = await decompress(deflate, compressed!);
      expect(results).toEqual([results[0], undefined]);
      expect(results[0]).toBeInstanceOf(RangeError);
      expect(results[0]).toMatchObject({
        message: 'Max payload size exceeded',
        code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
      });
    },
  );

  it('cleanup() while compressing -> the callback gets an error, once', async () => {
    const deflate = accepted(Implementation, { isServer: true });
    const calls: unknown[][] = [];
    deflate.compress(noise(500_000), true, (...results) => calls.push(results));
    await new Promise((resolve) => setImmediate(resolve));
    deflate.cleanup();
    expect(calls).toEqual([
      [new Error('The deflate stream was closed while data was being processed'), undefined],
    ]);
    await compress(accepted(Implementation), noise(500_000));
    expect(calls).toHaveLength(1);
    deflate.cleanup();
  });
});

describe('PerMessageDeflate', () => {
  it('cleanup() right behind calls -> every callback gets an error', async () => {
    const deflate = accepted(PerMessageDeflate);
    const errors: unknown[] = [];
    deflate.compress('a', true, (error) => errors.push(error));
    deflate.compress(noise(100_000), true, (error) => errors.push(error));
    // `ws` throws a TypeError into the process here
    deflate.decompress(bytes('f2 48 cd c9 c9 07 00'), true, (error) => errors.push(error));
    deflate.cleanup();
    expect(errors.map(String)).toEqual([
      'Error: The inflate stream was closed while data was being processed',
      'Error: The deflate stream was closed while data was being processed',
      'Error: The deflate stream was closed while data was being processed',
    ]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toHaveLength(3);
  });

  it('cleanup() -> it can be used again at once, without the context', async () => {
    const deflate = accepted(PerMessageDeflate);
    await compress(deflate, 'Hello');
    deflate.compress(noise(500_000), true, () => {});
    await new Promise((resolve) => setImmediate(resolve));
    deflate.cleanup();
    // `ws` throws a RangeError into the process here
    expect(bytes((await compress(deflate, 'Hello'))[1]!)).toBe('f2 48 cd c9 c9 07 00');
  });

  it('[RFC7692-7-1] server, a faulty offer before a good one -> the good one; ws gives up', () => {
    const offers = [{ server_max_window_bits: ['08'] }, {}];
    expect(new PerMessageDeflate({ isServer: true }).accept(offers)).toEqual({});
  });

  it('what connections ask for -> follows from role and agreement', () => {
    const header = 'permessage-deflate; server_no_context_takeover; server_max_window_bits=10';
    const server = accepted(PerMessageDeflate, { isServer: true, threshold: 77 }, header);
    const client = accepted(PerMessageDeflate, { threshold: 77 }, header);
    expect([server.compressFromBytes, server.sharedCompression?.windowBits]).toEqual([77, 10]);
    expect([client.compressFromBytes, client.sharedCompression]).toEqual([0, undefined]);
    const payload = server.createDeflater().deflate(prose(500), true, true) as Buffer;
    expect(prose(500).equals(client.createInflater().inflate(payload, 0) as Buffer)).toBe(true);
  });

  it('connections that compress alike -> share, those with another window or other options of zlib do not', () => {
    const sharedBy = (zlibDeflateOptions: object | undefined, bits: number) => {
      const header = `permessage-deflate; server_no_context_takeover; server_max_window_bits=${bits}`;
      return accepted(PerMessageDeflate, { isServer: true, zlibDeflateOptions }, header).sharedCompression;
    };
    const fast = { level: 1 };
    expect(sharedBy(fast, 10)).toBe(sharedBy(fast, 10));
    expect(sharedBy(undefined, 10)).toBe(sharedBy(undefined, 10));
    const all = [sharedBy(fast, 10), sharedBy(fast, 11), sharedBy({ level: 9 }, 10), sharedBy(undefined, 10)];
    expect(new Set(all).size).toBe(4);
    expect(all.map((shared) => shared?.windowBits)).toEqual([10, 11, 10, 10]);
  });
});
