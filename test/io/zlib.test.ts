import { createDeflateRaw, deflateRawSync, inflateRawSync, constants as zlib } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type CompressionOptions, createDeflater, createInflater } from '../../src/io/zlib.js';
import { ZlibStream } from '../../src/io/zlib-stream.js';
import { StreamPool } from '../../src/io/zlib-stream-pool.js';
import type { Deflater } from '../../src/protocol/compression.js';
import { encode } from '../../src/wire/deflate/block.js';
import { agreedWith, bytes, CODECS, noise, prose, text } from '../rfc7692/codecs.js';

const TAIL = bytes('00 00 ff ff');
const KEEPING = agreedWith();
const KEEPING_NOTHING = agreedWith({ noContext: true });
/** Small messages that keep no context go through our own encoder, unless zlib's options are used. */
const ASKING_FOR_ZLIB: CompressionOptions = { zlibDeflateOptions: { level: 6 } };

function plainDeflate(message: Uint8Array): Buffer {
  return deflateRawSync(message, { finishFlush: zlib.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** Data that inflates to `copies` MiB of zeros; one MiB is 1 KiB. */
async function zeros(copies: number): Promise<Buffer> {
  const stream = createDeflateRaw();
  stream.write(Buffer.alloc(1024 * 1024));
  await new Promise<void>((resolve) => stream.flush(zlib.Z_FULL_FLUSH, resolve));
  const block = stream.read() as Buffer;
  stream.close();
  return Buffer.concat([...new Array<Buffer>(copies).fill(block), bytes('00')]);
}

/** What an inflater or deflater throws or rejects with. */
async function failureOf(action: () => unknown): Promise<Error & { code?: string; closeCode?: number }> {
  try {
    await action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('It did not fail');
}

/** Messages cut into fragments: sizes below and above what is worked on at once. */
const messages = fc.array(
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.uint8Array({ maxLength: 40 }) },
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 3000 }).map((length) => prose(length, length)) },
      {
        weight: 1,
        arbitrary: fc.integer({ min: 15_000, max: 90_000 }).map((length) => prose(length, length)),
      },
      {
        weight: 1,
        arbitrary: fc.integer({ min: 15_000, max: 90_000 }).map((length) => noise(length, length)),
      },
    ),
    { minLength: 1, maxLength: 4 },
  ),
  { minLength: 1, maxLength: 5 },
);

async function deflateFragments(deflater: Deflater, fragments: Uint8Array[]): Promise<Buffer> {
  const payloads: Uint8Array[] = [];
  for (const [i, fragment] of fragments.entries()) {
    payloads.push(await deflater.deflate(fragment, i === 0, i === fragments.length - 1));
  }
  return Buffer.concat(payloads);
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(CODECS)('any messages, $kind, $role', ({ role, inflater, deflater }) => {
  it.each([
    [false, 15],
    [true, 15],
    [false, 9],
    [true, 8],
  ])(
    'fragmented in any way, noContext %s, %d bits -> every kind of decompressor gives them back',
    async (noContext, windowBits) => {
      const agreed = agreedWith({ noContext, windowBits });
      const receivers = CODECS.filter((other) => other.role === role);
      await fc.assert(
        fc.asyncProperty(messages, async (sent) => {
          const sender = deflater(agreed);
          const inflaters = receivers.map((receiver) => receiver.inflater(agreed));
          for (const fragments of sent) {
            const payload = await deflateFragments(sender, fragments);
            for (const receiver of inflaters) {
              expect(Buffer.concat(fragments).equals(await receiver.inflate(payload, 0))).toBe(true);
            }
          }
          for (const codec of [sender, ...inflaters]) codec.close();
        }),
        { numRuns: 25 },
      );
    },
  );

  it('any size, a level asked for -> the bytes of plain zlib', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60_000 }), fc.boolean(), async (length, isProse) => {
        const message = isProse ? prose(length, length) : noise(length, length);
        for (const sender of [
          deflater(KEEPING, ASKING_FOR_ZLIB),
          deflater(KEEPING_NOTHING, ASKING_FOR_ZLIB),
        ]) {
          expect(plainDeflate(message).equals(await sender.deflate(message, true, true))).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('payload cut into fragments anywhere -> the parts of the message, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 90_000 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
        async (length, cuts) => {
          const message = noise(length, length);
          const payload = plainDeflate(message);
          const ends = [
            ...cuts.sort((a, b) => a - b).map((cut) => Math.floor(cut * payload.length)),
            payload.length,
          ];
          const receiver = inflater(KEEPING_NOTHING);
          const parts: Uint8Array[] = [];
          for (const [i, end] of ends.entries()) {
            const fragment = payload.subarray(ends[i - 1] ?? 0, end);
            parts.push(await receiver.inflateFragment(fragment, i === ends.length - 1, 0));
          }
          expect(message.equals(Buffer.concat(parts))).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('arbitrary bytes -> bytes, or an error with code and close code, and never anything else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (payload) => {
        try {
          const inflated = await inflater(KEEPING).inflate(payload, 10_000);
          expect(inflated.length).toBeLessThanOrEqual(10_000);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect([
            ['Z_DATA_ERROR', 1007],
            ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009],
          ]).toContainEqual([(error as { code: string }).code, (error as { closeCode: number }).closeCode]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('garbage, small and large -> the error of zlib with close code 1007', async () => {
    for (const size of [20, 200_000]) {
      const error = await failureOf(() => inflater(KEEPING).inflate(Buffer.alloc(size, 0xff), 0));
      expect(error).toMatchObject({
        message: 'invalid block type',
        code: 'Z_DATA_ERROR',
        errno: -3,
        closeCode: 1007,
      });
    }
  });

  it('garbage behind good data, beyond what is worked on at once -> the error of zlib', async () => {
    const payload = Buffer.concat([plainDeflate(noise(200_000)).subarray(0, -1), Buffer.alloc(20, 0xff)]);
    const error = await failureOf(() => inflater(KEEPING).inflate(payload, 0));
    expect(error).toMatchObject({ code: 'Z_DATA_ERROR', closeCode: 1007 });
  });

  it('an empty payload -> an empty message, and those behind it are not harmed', async () => {
    const receiver = inflater(KEEPING);
    expect((await receiver.inflate(new Uint8Array(0), 0)).length).toBe(0);
    expect(String(await receiver.inflate(bytes('f2 48 cd c9 c9 07 00'), 0))).toBe('Hello');
  });

  it.each([10, 1000, 100_000, 700_000])(
    'message of %d bytes -> passes a limit of that many, fails one less',
    async (length) => {
      for (const message of [prose(length), noise(length), Buffer.alloc(length)]) {
        const payload = plainDeflate(message);
        expect(message.equals(await inflater(KEEPING).inflate(payload, length))).toBe(true);
        const error = await failureOf(() => inflater(KEEPING).inflate(payload, length - 1));
        expect(error).toBeInstanceOf(RangeError);
        expect(error).toMatchObject({
          message: 'Max payload size exceeded',
          code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
          closeCode: 1009,
        });
      }
    },
  );

  it('a message that inflates to 1 GiB -> fails at the limit, and no more than the limit is held', async () => {
    const limit = 2 * 1024 * 1024;
    const bomb = await zeros(1024);
    expect(bomb.length).toBeLessThan(1.1 * limit);
    const receiver = inflater(KEEPING);
    const before = process.memoryUsage();
    const error = await failureOf(() => receiver.inflate(bomb, limit));
    const after = process.memoryUsage();
    expect(error).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', closeCode: 1009 });
    // The limit, a copy of the payload, and space that zlib did not fill.
    expect(after.external - before.external).toBeLessThan(2.5 * limit);
  });

  it('nothing but blocks with BFINAL -> an error, as each costs far more than its two bytes', async () => {
    for (const size of [60_000, 200_000]) {
      const error = await failureOf(() => inflater(KEEPING).inflate(Buffer.alloc(size, bytes('03 00')), 0));
      expect(error).toMatchObject({
        message: 'too many final blocks',
        code: 'Z_DATA_ERROR',
        closeCode: 1007,
      });
    }
  });

  it('what comes out -> belongs to the caller', async () => {
    for (const length of [100, 50_000]) {
      const sender = deflater(KEEPING_NOTHING);
      const receiver = inflater(KEEPING_NOTHING);
      const first = await sender.deflate(prose(length), true, true);
      const firstCopy = Buffer.from(first);
      const second = await sender.deflate(prose(length, 2), true, true);
      expect(firstCopy.equals(first)).toBe(true);
      second.fill(0);
      expect(firstCopy.equals(first)).toBe(true);
      const message = await receiver.inflate(first, 0);
      (await receiver.inflate(await sender.deflate(prose(length, 3), true, true), 0)).fill(0);
      expect(prose(length).equals(message)).toBe(true);
    }
  });

  it('what goes in -> is left as it is, and may be changed as soon as the call returns', async () => {
    for (const length of [100, 200_000]) {
      const message = noise(length);
      const compressing = deflater(KEEPING).deflate(message, true, true);
      expect(noise(length).equals(message)).toBe(true);
      message.fill(1);
      const payload = Buffer.from(await compressing);
      const before = Buffer.from(payload);
      const inflating = inflater(KEEPING).inflate(payload, 0);
      expect(before.equals(payload)).toBe(true);
      payload.fill(0xff);
      expect(noise(length).equals(await inflating)).toBe(true);
    }
  });

  it('closed while a message is under way -> its promise is rejected at once, and nothing works afterwards', async () => {
    const sender = deflater(KEEPING);
    const receiver = inflater(KEEPING);
    const payload = plainDeflate(noise(300_000));
    const pending = [sender.deflate(noise(300_000), true, true), receiver.inflate(payload, 0)];
    sender.close();
    receiver.close();
    const outcomes = await Promise.allSettled(pending);
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && String(outcome.reason))).toEqual([
      'Error: The socket was closed while data was being compressed',
      'Error: The socket was closed while data was being decompressed',
    ]);
    expect((await failureOf(() => sender.deflate(text('a'), true, true))).message).toContain('closed');
    expect((await failureOf(() => receiver.inflate(bytes('00'), 0))).message).toContain('closed');
    sender.close();
    receiver.close();
  });

  it('a second message before the first is done -> Error, and the first is not harmed', async () => {
    const sender = deflater(KEEPING);
    const first = sender.deflate(noise(100_000), true, true);
    expect((await failureOf(() => sender.deflate(text('a'), true, true))).message).toContain(
      'still being worked on',
    );
    expect(plainDeflate(noise(100_000)).equals(await first)).toBe(true);
  });

  it.each<CompressionOptions>([
    { zlibDeflateOptions: { level: 0 } },
    { zlibDeflateOptions: { level: 1, memLevel: 1 } },
    { zlibDeflateOptions: { level: 9, memLevel: 9, chunkSize: 64 }, zlibInflateOptions: { chunkSize: 64 } },
    { zlibDeflateOptions: { strategy: zlib.Z_FIXED, memLevel: 1 } },
    { zlibDeflateOptions: { strategy: zlib.Z_RLE } },
    { zlibDeflateOptions: { strategy: zlib.Z_HUFFMAN_ONLY } },
    { zlibDeflateOptions: { windowBits: 9 }, zlibInflateOptions: { windowBits: 9 } },
  ])('options %j -> messages of any size come back', async (options) => {
    for (const agreed of [KEEPING, KEEPING_NOTHING]) {
      const sender = deflater(agreed, options);
      const receiver = inflater(agreed, options);
      for (const message of [prose(10), noise(16_384), prose(16_384), text(''), noise(40_000), prose(300)]) {
        const payload = await sender.deflate(message, true, true);
        expect(Buffer.from(message).equals(await receiver.inflate(payload, 0))).toBe(true);
      }
    }
  });
});

describe('createInflater, createDeflater', () => {
  it('either role, small messages -> are answered at once; large ones with a promise', async () => {
    const sender = createDeflater(KEEPING, 'server');
    const receiver = createInflater(KEEPING, 'client');
    const payload = sender.deflate(prose(16 * 1024), true, true) as Uint8Array;
    expect(payload).toBeInstanceOf(Uint8Array);
    expect(receiver.inflate(payload, 0)).toBeInstanceOf(Uint8Array);
    const large = sender.deflate(noise(100_000), true, true);
    expect(large).toBeInstanceOf(Promise);
    const inflating = receiver.inflate(await large, 0);
    expect(inflating).toBeInstanceOf(Promise);
    await inflating;
  });

  it('4 MiB came out in one turn of the event loop -> the next message is for the thread pool, and in order; in the next turn none is', async () => {
    const sender = createDeflater(KEEPING, 'client');
    const receiver = createInflater(KEEPING, 'server');
    const message = prose(16_000);
    await new Promise(setImmediate);
    let count = 0;
    let inflating: Uint8Array | Promise<Uint8Array>;
    do {
      inflating = receiver.inflate(await sender.deflate(message, true, true), 0);
      count++;
    } while (!(inflating instanceof Promise) && count < 1000);
    expect(count).toBe(Math.ceil((4 * 1024 * 1024) / (16_000 + 1024)) + 1);
    expect(Buffer.from(message).equals(await inflating)).toBe(true);
    // A thread may be done before the turn is.
    await new Promise(setImmediate);
    const next = receiver.inflate(await sender.deflate(message, true, true), 0);
    expect(next).not.toBeInstanceOf(Promise);
    expect(Buffer.from(message).equals(await next)).toBe(true);
  });

  it('either role, a small message that turns out large -> goes on with a promise, and the context is kept', async () => {
    const sender = createDeflater(KEEPING, 'server');
    const receiver = createInflater(KEEPING, 'client');
    const message = Buffer.concat([Buffer.alloc(3_000_000), prose(500)]);
    const payload = await sender.deflate(message, true, true);
    expect(payload.length).toBeLessThan(10_000);
    const inflating = receiver.inflate(payload, 0);
    expect(inflating).toBeInstanceOf(Promise);
    // What else is inflated meanwhile does not disturb it.
    createInflater(KEEPING, 'client').inflate(plainDeflate(noise(60_000)), 0);
    expect(String(createInflater(KEEPING, 'client').inflate(bytes('f2 48 cd c9 c9 07 00'), 0))).toBe('Hello');
    expect(message.equals(await inflating)).toBe(true);
    const again = await sender.deflate(prose(500), true, true);
    expect(again.length).toBeLessThan(50);
    expect(prose(500).equals(await receiver.inflate(again, 0))).toBe(true);
  });

  it('either role, compressors that keep no context -> share a stream, and never what went through it', () => {
    const secret = noise(500);
    const expected = plainDeflate(secret);
    createDeflater(KEEPING_NOTHING, 'server').deflate(secret, true, true);
    expect(
      expected.equals(createDeflater(KEEPING_NOTHING, 'server').deflate(secret, true, true) as Buffer),
    ).toBe(true);
    const [first, second] = [
      createInflater(KEEPING_NOTHING, 'server'),
      createInflater(KEEPING_NOTHING, 'server'),
    ];
    first.inflate(expected, 0);
    // A match 500 bytes back would be the secret.
    const reference = deflateRawSync(secret, { dictionary: secret, finishFlush: zlib.Z_SYNC_FLUSH }).subarray(
      0,
      -4,
    );
    expect(reference.length).toBeLessThan(20);
    expect(() => second.inflate(reference, 0)).toThrow('invalid distance too far back');
  });

  it('either role, fragments of several connections in turn, no context kept -> do not mix', async () => {
    const senders = Array.from({ length: 12 }, () => createDeflater(KEEPING_NOTHING, 'client'));
    const receivers = senders.map(() => createInflater(KEEPING_NOTHING, 'server'));
    const sent = senders.map((_, i) => [prose(300, i + 1), prose(30_000, i + 50), text(''), prose(5, i + 1)]);
    const inflated = senders.map(() => [] as Uint8Array[]);
    for (const part of [0, 1, 2, 3]) {
      const payloads = await Promise.all(
        senders.map((sender, i) => sender.deflate(sent[i]![part]!, part === 0, part === 3)),
      );
      const parts = await Promise.all(
        receivers.map((receiver, i) => receiver.inflateFragment(payloads[i]!, part === 3, 0)),
      );
      for (const [i, bytesOfPart] of parts.entries()) inflated[i]!.push(bytesOfPart);
    }
    for (const [i, fragments] of sent.entries()) {
      expect(Buffer.concat(fragments).equals(Buffer.concat(inflated[i]!))).toBe(true);
    }
  });

  it('either role, an inflater whose data was bad -> its stream is not given to another connection', () => {
    for (let i = 0; i < 10; i++) {
      expect(() => createInflater(KEEPING_NOTHING, 'server').inflate(Buffer.alloc(9, 0xff), 0)).toThrow();
    }
    const receiver = createInflater(KEEPING_NOTHING, 'server');
    expect(String(receiver.inflate(bytes('f2 48 cd c9 c9 07 00'), 0))).toBe('Hello');
  });

  it('either role, connections that compressed and were closed -> each stream is closed', () => {
    const close = vi.spyOn(ZlibStream.prototype, 'close');
    const take = vi.spyOn(StreamPool.prototype, 'take');
    const codecs = Array.from({ length: 20 }, () => {
      const deflater = createDeflater(KEEPING, 'server', ASKING_FOR_ZLIB);
      const inflater = createInflater(KEEPING, 'server');
      inflater.inflate(deflater.deflate(prose(500), true, true) as Uint8Array, 0);
      return [deflater, inflater];
    }).flat();
    expect(take).toHaveBeenCalledTimes(40);
    // What waited in the pool with a large message of somebody else was closed instead of wiped.
    close.mockClear();
    for (const codec of codecs) codec.close();
    expect(new Set(close.mock.contexts)).toEqual(new Set(take.mock.results.map(({ value }) => value)));
  });

  it('either role, small whole messages, no context kept -> our own encoder, and zlib for all others', async () => {
    const take = vi.spyOn(StreamPool.prototype, 'take');
    const sender = createDeflater(KEEPING_NOTHING, 'server');
    const own = sender.deflate(prose(16 * 1024), true, true) as Uint8Array;
    expect(Buffer.from(encode(prose(16 * 1024), 2 ** 15)).equals(own)).toBe(true);
    expect(take).not.toHaveBeenCalled();
    sender.deflate(prose(300), true, false);
    sender.deflate(prose(300), false, true);
    expect(take).toHaveBeenCalledTimes(1);
    await sender.deflate(prose(16 * 1024 + 1), true, true);
    expect(take).toHaveBeenCalledTimes(2);
    for (const zlibDeflateOptions of [{ level: 6 }, { strategy: 0 }, { dictionary: noise(9) }]) {
      createDeflater(KEEPING_NOTHING, 'server', { zlibDeflateOptions }).deflate(prose(9), true, true);
    }
    expect(take).toHaveBeenCalledTimes(5);
  });

  it('either role, context kept -> our own encoder up to 32 KiB, also for fragments; zlib for more, and where memory is limited', async () => {
    const take = vi.spyOn(StreamPool.prototype, 'take');
    const sender = createDeflater(KEEPING, 'server');
    for (const isFinal of [false, true]) sender.deflate(prose(300), !isFinal, isFinal);
    expect(sender.deflate(prose(32 * 1024), true, true)).toBeInstanceOf(Uint8Array);
    expect(take).not.toHaveBeenCalled();
    await sender.deflate(prose(32 * 1024 + 1), true, true);
    expect(take).toHaveBeenCalledTimes(1);
    for (const zlibDeflateOptions of [
      { level: 6 },
      { strategy: 0 },
      { dictionary: noise(9) },
      { memLevel: 5 },
    ]) {
      createDeflater(KEEPING, 'server', { zlibDeflateOptions }).deflate(prose(9), true, true);
    }
    expect(take).toHaveBeenCalledTimes(5);
  });

  it('either role, context kept, a message before this one -> is referred to, whoever compressed it; never that of another connection', async () => {
    const message = noise(2000);
    for (const before of [message, Buffer.concat([noise(90_000, 5), message])]) {
      const sender = createDeflater(KEEPING, 'server');
      const receiver = createInflater(KEEPING, 'client');
      expect(before.equals(await receiver.inflate(await sender.deflate(before, true, true), 0))).toBe(true);
      const again = await sender.deflate(message, true, true);
      expect(again.length).toBeLessThan(50);
      expect(message.equals(await receiver.inflate(again, 0))).toBe(true);
      expect(createDeflater(KEEPING, 'server').deflate(message, true, true)).toHaveLength(message.length + 6);
    }
  });

  it('either role, fragments by our own encoder and by zlib in turn -> each refers to what the receiver has', async () => {
    const sender = createDeflater(KEEPING, 'server');
    const receiver = createInflater(KEEPING, 'client');
    const fragments = [40_000, 500, 50_000, 40_000, 900].map((length) => prose(length));
    for (let i = 0; i < 2; i++) {
      const payload = await deflateFragments(sender, fragments);
      expect(Buffer.concat(fragments).equals(await receiver.inflate(payload, 0))).toBe(true);
    }
  });

  it('either role, connections that did not compress -> never took a stream', () => {
    const take = vi.spyOn(StreamPool.prototype, 'take');
    for (const codec of [createDeflater(KEEPING, 'server'), createInflater(KEEPING, 'server')]) codec.close();
    expect(take).not.toHaveBeenCalled();
  });

  it('either role, 60 large messages at once, no context kept -> no more streams than may work at once', async () => {
    const take = vi.spyOn(StreamPool.prototype, 'take');
    const giveBack = vi.spyOn(StreamPool.prototype, 'giveBack');
    const message = noise(20_000);
    let most = 0;
    await Promise.all(
      Array.from({ length: 60 }, async () => {
        await createDeflater(KEEPING_NOTHING, 'server').deflate(message, true, true);
        most = Math.max(most, take.mock.calls.length - giveBack.mock.calls.length);
      }),
    );
    expect(take).toHaveBeenCalledTimes(60);
    expect(giveBack).toHaveBeenCalledTimes(60);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(10);
  });

  it('either role, many messages, no context kept -> a few streams serve them', () => {
    const take = vi.spyOn(StreamPool.prototype, 'take');
    const compress = (i: number) =>
      createDeflater(KEEPING_NOTHING, 'server', ASKING_FOR_ZLIB).deflate(prose(500, i), true, true);
    for (let i = 0; i < 4; i++) compress(i);
    expect(take).toHaveBeenCalledTimes(4);
    const close = vi.spyOn(ZlibStream.prototype, 'close');
    for (let i = 0; i < 100; i++) compress(i);
    expect(close).not.toHaveBeenCalled();
  });

  it('either role, one connection again and again -> its own stream, not wiped in between', () => {
    const deflater = createDeflater(KEEPING_NOTHING, 'server', ASKING_FOR_ZLIB);
    const first = deflater.deflate(prose(500), true, true);
    const runs = vi.spyOn(ZlibStream.prototype, 'runSync');
    expect(deflater.deflate(prose(500), true, true)).toEqual(first);
    expect(runs).toHaveBeenCalledTimes(1);
  });

  it('either role, a limit -> zlib never gets space for more than one byte beyond it', async () => {
    const spies = [vi.spyOn(ZlibStream.prototype, 'runSync'), vi.spyOn(ZlibStream.prototype, 'run')];
    for (const [size, limit] of [
      [1, 10],
      [1, 1000],
      [300, 2_000_000],
    ] as const) {
      const bomb = await zeros(size);
      for (const spy of spies) spy.mockClear();
      await failureOf(() => createInflater(KEEPING, 'server').inflate(bomb, limit));
      const spaces = spies.flatMap((spy) => spy.mock.calls.map((call) => call[4] as number));
      expect(spaces.reduce((sum, space) => sum + space, 0)).toBeLessThanOrEqual(limit + 1);
    }
  });

  // What a deflater finds must not depend on what it was used for before, or the length of a message, which an attacker
  // may have chosen, would tell about the message of somebody else.
  it('either role, shared compressors, whatever went through them -> the bytes of a fresh one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 16_000 }),
        fc.integer({ min: 1, max: 3000 }),
        (before, length) => {
          const compress = (message: Uint8Array) =>
            createDeflater(KEEPING_NOTHING, 'server', ASKING_FOR_ZLIB).deflate(message, true, true);
          compress(prose(before, length));
          const payload = compress(prose(length, length));
          expect(plainDeflate(prose(length, length)).equals(payload as Buffer)).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it.each<CompressionOptions>([
    { zlibDeflateOptions: { level: 10 } },
    { zlibDeflateOptions: { memLevel: 0 } },
  ])('either role, options %j -> the error of node:zlib, before any message', (options) => {
    expect(() => createDeflater(KEEPING, 'server', options)).toThrow(
      expect.objectContaining({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }),
    );
  });

  it('both roles, a dictionary -> is used, and its streams are shared with nobody', async () => {
    const dictionary = noise(300);
    const options = { zlibDeflateOptions: { dictionary }, zlibInflateOptions: { dictionary } };
    const payload = await createDeflater(KEEPING_NOTHING, 'server', options).deflate(dictionary, true, true);
    expect(payload.length).toBeLessThan(20);
    expect(
      dictionary.equals(await createInflater(KEEPING_NOTHING, 'client', options).inflate(payload, 0)),
    ).toBe(true);
    const other = await createDeflater(KEEPING_NOTHING, 'server').deflate(dictionary, true, true);
    expect(
      inflateRawSync(Buffer.concat([other, TAIL]), { finishFlush: zlib.Z_SYNC_FLUSH }).equals(dictionary),
    ).toBe(true);
  });
});
