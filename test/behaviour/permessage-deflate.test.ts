// The class PerMessageDeflate: offer(), accept(), compress(), decompress(), cleanup().
import { expect, it } from 'vitest';
import { called, thrownBy } from '../support/events.js';
import { behaviour, type Package } from './implementations.js';

behaviour('PerMessageDeflate', ({ ws: WebSocket }) => {
  const { extension, PerMessageDeflate } = WebSocket;

  /** The offers or the response of a header, parsed. */
  const parsed = (params: string) => extension.parse(`permessage-deflate${params}`)['permessage-deflate'];

  it('has its registered name', () => {
    expect(PerMessageDeflate.extensionName).toBe('permessage-deflate');
    expect(new PerMessageDeflate().params).toBeNull();
  });

  it.each([
    [undefined, { client_max_window_bits: true }],
    [{}, { client_max_window_bits: true }],
    [{ clientMaxWindowBits: false }, {}],
    [{ clientMaxWindowBits: 10 }, { client_max_window_bits: 10 }],
    [{ serverMaxWindowBits: 10 }, { server_max_window_bits: 10, client_max_window_bits: true }],
    [
      { serverNoContextTakeover: true, clientNoContextTakeover: true },
      { server_no_context_takeover: true, client_no_context_takeover: true, client_max_window_bits: true },
    ],
  ])('offer(), options %j -> %j', (options, offer) => {
    expect(new PerMessageDeflate(options).offer()).toEqual(offer);
  });

  it.each<[object, string, object]>([
    [{}, '', {}],
    [{}, '; client_max_window_bits', {}],
    [{}, '; client_max_window_bits=10', { client_max_window_bits: 10 }],
    [{}, '; server_max_window_bits=8', { server_max_window_bits: 8 }],
    [
      { serverMaxWindowBits: 11, clientMaxWindowBits: 11 },
      '; client_max_window_bits',
      { server_max_window_bits: 11, client_max_window_bits: 11 },
    ],
    [{ serverNoContextTakeover: true }, '', { server_no_context_takeover: true }],
  ])('server, accept(), options %j, offer "%s" -> %j', (options, params, accepted) => {
    const server = new PerMessageDeflate({ ...options, isServer: true });
    expect(server.accept(parsed(params))).toEqual(accepted);
    expect(server.params).toEqual(accepted);
  });

  it.each<[object, string, object]>([
    [{}, '', {}],
    [{ clientMaxWindowBits: 10 }, '', { client_max_window_bits: 10 }],
    [{ clientMaxWindowBits: 10 }, '; client_max_window_bits=9', { client_max_window_bits: 9 }],
    [
      {},
      '; client_max_window_bits=10; server_max_window_bits=9',
      { client_max_window_bits: 10, server_max_window_bits: 9 },
    ],
    [{}, '; client_no_context_takeover', { client_no_context_takeover: true }],
  ])('client, accept(), options %j, response "%s" -> %j', (options, params, accepted) => {
    expect(new PerMessageDeflate(options).accept(parsed(params))).toEqual(accepted);
  });

  it.each<[object, string, string]>([
    [{ isServer: true }, '; foo', 'Unknown parameter "foo"'],
    [{}, '; foo=1', 'Unknown parameter "foo"'],
    [
      { isServer: true },
      '; server_max_window_bits=7',
      'Invalid value for parameter "server_max_window_bits": 7',
    ],
    [
      { isServer: true },
      '; server_max_window_bits',
      'Invalid value for parameter "server_max_window_bits": true',
    ],
    [
      { isServer: true },
      '; client_max_window_bits=16',
      'Invalid value for parameter "client_max_window_bits": 16',
    ],
    [{}, '; client_max_window_bits', 'Invalid value for parameter "client_max_window_bits": true'],
    [
      { isServer: true },
      '; server_no_context_takeover=x',
      'Invalid value for parameter "server_no_context_takeover": x',
    ],
    [
      { isServer: true },
      '; server_max_window_bits=10; server_max_window_bits=11',
      'Parameter "server_max_window_bits" must have only a single value',
    ],
    [
      { isServer: true, serverNoContextTakeover: false },
      '; server_no_context_takeover',
      'None of the extension offers can be accepted',
    ],
    [{ isServer: true, clientMaxWindowBits: 10 }, '', 'None of the extension offers can be accepted'],
    [
      { clientNoContextTakeover: false },
      '; client_no_context_takeover',
      'Unexpected parameter "client_no_context_takeover"',
    ],
    [
      { clientMaxWindowBits: false },
      '; client_max_window_bits=10',
      'Unexpected or invalid parameter "client_max_window_bits"',
    ],
    [
      { clientMaxWindowBits: 10 },
      '; client_max_window_bits=11',
      'Unexpected or invalid parameter "client_max_window_bits"',
    ],
  ])('accept(), options %j, "%s" -> throws', (options, params, message) => {
    expect(thrownBy(() => new PerMessageDeflate(options).accept(parsed(params))).message).toBe(message);
  });

  function agreed(params: string, options: object = {}): [Package, Package] {
    const server = new PerMessageDeflate({ threshold: 0, ...options, isServer: true });
    const client = new PerMessageDeflate({ threshold: 0, ...options });
    const response = server.accept(parsed(params));
    client.accept(
      extension.parse(extension.format({ 'permessage-deflate': [response] }))['permessage-deflate'],
    );
    return [server, client];
  }

  async function run(method: string, from: Package, data: unknown, fin = true): Promise<Buffer> {
    const [error, result] = await called((callback) => from[method](data, fin, callback));
    expect(error).toBeNull();
    expect(Buffer.isBuffer(result)).toBe(true);
    return result as Buffer;
  }

  it.each([
    '',
    '; server_no_context_takeover; client_no_context_takeover',
    '; server_max_window_bits=9; client_max_window_bits=9',
  ])(
    'compress() and decompress(), agreed "%s" -> the same bytes, in both directions and more than once',
    async (params) => {
      const [server, client] = agreed(params);
      for (const [from, to] of [
        [server, client],
        [client, server],
      ]) {
        for (const text of ['Hello', 'Hello', '', 'x'.repeat(50_000)]) {
          const compressed = await run('compress', from, Buffer.from(text));
          expect(String(await run('decompress', to, compressed))).toBe(text);
        }
      }
      server.cleanup();
      client.cleanup();
    },
  );

  it('compress() -> the bytes of the RFC, with the context taken over or not', async () => {
    const [server] = agreed('');
    expect((await run('compress', server, Buffer.from('Hello'))).toString('hex')).toBe('f248cdc9c90700');
    // The RFC has a literal and a match of four, as zlib; hawser's encoder finds a match of five.
    expect((await run('compress', server, Buffer.from('Hello'))).toString('hex')).toMatch(
      /^(f200110000|02130000)$/,
    );
    const [fresh] = agreed('; server_no_context_takeover');
    for (let i = 0; i < 2; i++) {
      expect((await run('compress', fresh, Buffer.from('Hello'))).toString('hex')).toBe('f248cdc9c90700');
    }
  });

  it('compress() takes a string too', async () => {
    const [server, client] = agreed('');
    expect(String(await run('decompress', client, await run('compress', server, 'Hellö')))).toBe('Hellö');
  });

  it('fragments -> compressed with fin false and true, decompressed one by one', async () => {
    const [server, client] = agreed('');
    const parts = [
      await run('compress', server, Buffer.from('frag'), false),
      await run('compress', server, Buffer.from('ment')),
    ];
    const inflated = [
      await run('decompress', client, parts[0], false),
      await run('decompress', client, parts[1]),
    ];
    expect(Buffer.concat(inflated).toString()).toBe('fragment');
  });

  it('decompress() of a block with BFINAL -> goes on with the next message', async () => {
    const [server, client] = agreed('');
    const withFinal = Buffer.from('f348cdc9c9070000', 'hex');
    expect(String(await run('decompress', client, withFinal))).toBe('Hello');
    expect(String(await run('decompress', client, withFinal))).toBe('Hello');
    server.cleanup();
  });

  it('decompress() of what is no deflate -> the error of zlib', async () => {
    const [server] = agreed('');
    const [error] = await called((callback) => server.decompress(Buffer.from([0xff, 0xff]), true, callback));
    expect(error).toMatchObject({ code: 'Z_DATA_ERROR', errno: -3 });
  });

  it('decompress() beyond maxPayload -> error', async () => {
    const [, client] = agreed('');
    const [limited] = agreed('', { maxPayload: 25 });
    const compressed = await run('compress', client, Buffer.alloc(26));
    const [error] = await called((callback) => limited.decompress(compressed, true, callback));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({
      code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
      message: 'Max payload size exceeded',
    });
  });

  it('cleanup() while compressing -> the callback gets an error', async () => {
    const [server] = agreed('');
    const result = called((callback) => server.compress(Buffer.alloc(1_000_000), true, callback));
    server.cleanup();
    const [error] = await result;
    expect((error as Error).message).toBe('The deflate stream was closed while data was being processed');
  });

  it('cleanup() twice, or before use -> nothing', () => {
    const [server] = agreed('');
    expect([server.cleanup(), server.cleanup()]).toEqual([undefined, undefined]);
  });
});
