import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDeflater, createInflater } from '../../src/io/zlib.js';
import type { Deflater } from '../../src/protocol/compression.js';
import { encodeText, RepeatedCompression, RepeatedText } from '../../src/protocol/repeated-message.js';
import { AGREED, Endpoint, testPlatform } from '../support/engine.js';
import { serializeFrame } from '../support/frames.js';

const { platform } = testPlatform();

/** A compressor of this test's own, counted; without context it gives the same for the same. */
function countingDeflater(): { deflater: Deflater; counts: { deflated: number } } {
  const counts = { deflated: 0 };
  const inner = createDeflater({ ...AGREED, serverNoContextTakeover: true }, 'server');
  const deflater: Deflater = {
    deflate(payload, isFirst, isFinal) {
      counts.deflated++;
      return inner.deflate(payload, isFirst, isFinal);
    },
    close: () => inner.close(),
  };
  return { deflater, counts };
}

/** Servers that keep no context and share what they compress. */
function servers(count: number) {
  const { deflater, counts } = countingDeflater();
  const sharedCompression = {
    windowBits: 15,
    createDeflater: () => deflater,
    repeated: new RepeatedCompression(),
  };
  const all = Array.from({ length: count }, () => new Endpoint('server', { deflater, sharedCompression }));
  return { all, counts };
}

/** The message in a compressed frame. */
function inflated(frame: { payload: Uint8Array; rsv1: boolean }): Buffer {
  expect(frame.rsv1).toBe(true);
  const inflater = createInflater({ ...AGREED, serverNoContextTakeover: true }, 'client');
  return Buffer.from(inflater.inflate(frame.payload, 0) as Uint8Array);
}

describe('RepeatedText', () => {
  it('the same text twice -> its bytes from the second time on, encoded once', () => {
    const texts = new RepeatedText(platform);
    const text = 'é漢'.repeat(50);
    expect(texts.bytesOf(text)).toBeUndefined();
    const bytes = texts.bytesOf(text)!;
    expect(Buffer.from(bytes).toString()).toBe(text);
    // Another string with the same characters is the same text.
    expect(texts.bytesOf(Buffer.from(text).toString())).toBe(bytes);
  });

  it('another text, or a later turn -> forgotten', async () => {
    const texts = new RepeatedText(platform);
    texts.bytesOf('one');
    expect(texts.bytesOf('two')).toBeUndefined();
    expect(texts.bytesOf('one')).toBeUndefined();
    expect(texts.bytesOf('one')).toBeDefined();
    await Promise.resolve();
    expect(texts.bytesOf('one')).toBeUndefined();
    await Promise.resolve();
    expect(texts.bytesOf('')).toBeUndefined();
    expect(texts.bytesOf('')).toHaveLength(0);
  });
});

describe('RepeatedCompression', () => {
  const compressed = Buffer.from('z');

  it('text -> recalled where it is the same; forgotten in a later turn', async () => {
    const memory = new RepeatedCompression();
    expect(memory.recall('text', platform)).toBeUndefined();
    memory.remember('text', compressed, platform);
    expect(memory.recall('text', platform)).toBe(compressed);
    expect(memory.recall('texT', platform)).toBeUndefined();
    expect(memory.recall(Buffer.from('text'), platform)).toBeUndefined();
    for (let turn = 0; turn < 2; turn++) {
      await Promise.resolve();
      expect(memory.recall('text', platform)).toBeUndefined();
      memory.remember('text', compressed, platform);
      expect(memory.recall('text', platform)).toBe(compressed);
    }
  });

  it('bytes -> recalled from the third time on, in any view; not where they changed or moved', () => {
    const memory = new RepeatedCompression();
    const memoryOf = Buffer.from('abcabc');
    const bytes = memoryOf.subarray(0, 3);
    for (let i = 0; i < 2; i++) {
      expect(memory.recall(bytes, platform)).toBeUndefined();
      memory.remember(bytes, compressed, platform);
    }
    expect(memory.recall(bytes, platform)).toBe(compressed);
    expect(memory.recall(memoryOf.subarray(0, 3), platform)).toBe(compressed);
    for (const other of [memoryOf.subarray(3), memoryOf.subarray(0, 2), Buffer.from('abc'), 'abc']) {
      expect(memory.recall(other, platform)).toBeUndefined();
    }
    bytes[1] = 0;
    expect(memory.recall(bytes, platform)).toBeUndefined();
    bytes[1] = 98;
    expect(memory.recall(bytes, platform)).toBe(compressed);
  });
});

describe('sendMessage', () => {
  const JSON_TEXT = JSON.stringify(Array.from({ length: 40 }, (_, id) => ({ id, name: `näme ${id}` })));

  it('[RFC7692-7.1.1.1-1] servers without context, the same text to each -> compressed once, all get it', () => {
    const { all, counts } = servers(5);
    for (const server of all) server.send(JSON_TEXT, { compress: true });
    expect(counts.deflated).toBe(1);
    for (const server of all) expect(String(inflated(server.takeFrames()[0]!))).toBe(JSON_TEXT);
  });

  it('the same bytes to each, changed in between -> each gets what they were', () => {
    const { all, counts } = servers(8);
    const bytes = Buffer.from(JSON_TEXT);
    all.forEach((server, i) => {
      if (i === 5) bytes[3] = 0x21;
      server.send(bytes, { compress: true });
    });
    // twice until it shows that they repeat, and once for the change
    expect(counts.deflated).toBe(3);
    all.forEach((server, i) => {
      const expected = Buffer.from(JSON_TEXT);
      if (i >= 5) expected[3] = 0x21;
      expect(Buffer.compare(inflated(server.takeFrames()[0]!), expected)).toBe(0);
    });
  });

  it('fragments -> compressed for each', () => {
    const { all, counts } = servers(2);
    for (const server of all) {
      for (const isFinal of [false, true]) server.send('half', { compress: true, isFinal });
      const [first, last] = server.takeFrames();
      expect(String(inflated({ rsv1: true, payload: Buffer.concat([first!.payload, last!.payload]) }))).toBe(
        'halfhalf',
      );
    }
    expect(counts.deflated).toBe(4);
  });

  it('a server that masks after all -> its masked frame spoils nobody else’s', () => {
    const { all } = servers(3);
    // compressed it is still too large to be copied into the block
    const text = randomBytes(12_000).toString('base64');
    all.forEach(({ connection }, i) => {
      const options = { isBinary: false, isFinal: true, compress: true, isMasked: i === 1 };
      connection.sender.sendMessage(text, options);
    });
    for (const server of all) expect(String(inflated(server.takeFrames()[0]!))).toBe(text);
  });

  it('any order of texts and bytes, any of them masked, in any turns -> the same frames as each alone', async () => {
    const large = '漢é'.repeat(3000);
    const payloads = [
      'lone \ud800',
      '',
      'a',
      'é',
      JSON_TEXT,
      large,
      Buffer.from(JSON_TEXT),
      Buffer.from(large),
      Buffer.alloc(0),
    ];
    const step = fc.record({
      payload: fc.constantFrom(...payloads),
      isMasked: fc.boolean(),
      compress: fc.boolean(),
      endsTurn: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const { all } = servers(1);
        const [server] = all;
        for (const { payload, isMasked, compress, endsTurn } of steps) {
          const isBinary = typeof payload !== 'string';
          server!.connection.sender.sendMessage(payload, { isBinary, isFinal: true, compress, isMasked });
          if (endsTurn) await Promise.resolve();
        }
        const frames = server!.takeFrames();
        expect(frames).toHaveLength(steps.length);
        frames.forEach((frame, i) => {
          const { payload, isMasked, compress } = steps[i]!;
          expect([frame.opcode, frame.maskingKey !== undefined, frame.rsv1]).toEqual([
            typeof payload === 'string' ? 1 : 2,
            isMasked,
            compress,
          ]);
          const message = compress ? inflated(frame) : frame.payload;
          expect(Buffer.compare(message, Buffer.from(payload as string))).toBe(0);
        });
      }),
      { numRuns: 200 },
    );
  });

  it('large text to each -> the same memory, encoded once', () => {
    const all = [0, 1, 2].map(() => new Endpoint('server'));
    const text = 'é'.repeat(5000);
    const [first, ...others] = all;
    // An engine of the tests has a block of its own: what is shared shows within one.
    for (let i = 0; i < 4; i++) first!.send(text);
    expect(
      Buffer.compare(
        first!.takeOutput(),
        Buffer.concat(Array(4).fill(serializeFrame({ opcode: 1, payload: text }))),
      ),
    ).toBe(0);
    expect(first!.usage.bytes).toBeLessThan(3 * 10_000 + 70_000);
    for (const other of others) other.send(text);
    for (const other of others)
      expect(Buffer.compare(other.takeOutput(), serializeFrame({ opcode: 1, payload: text }))).toBe(0);
  });
});

describe('encodeText', () => {
  it('text -> UTF-8', () => {
    for (const text of ['', 'a', 'é漢😀', '\ud800']) {
      expect(Buffer.compare(encodeText(text, platform), Buffer.from(text))).toBe(0);
    }
  });
});
