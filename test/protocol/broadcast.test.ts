import { describe, expect, it } from 'vitest';
import { createDeflater } from '../../src/io/zlib.js';
import { Broadcast } from '../../src/protocol/broadcast.js';
import type { Deflater } from '../../src/protocol/compression.js';
import { RepeatedCompression } from '../../src/protocol/repeated-message.js';
import { AGREED, Endpoint, testPlatform } from '../support/engine.js';
import { serializeFrame } from '../support/frames.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A compressor that counts, and answers with `z`; with a promise where `isSlow`. */
function countingCompression(windowBits: number, isSlow = false) {
  const counts = { deflated: 0 };
  const deflater: Deflater = {
    deflate: () => {
      counts.deflated++;
      return isSlow ? turn().then(() => Buffer.from(`z${windowBits}`)) : Buffer.from(`z${windowBits}`);
    },
    close: () => {},
  };
  return {
    counts,
    shared: { windowBits, createDeflater: () => deflater, repeated: new RepeatedCompression() },
  };
}

describe('Broadcast', () => {
  it.each([
    ['text', 'é'.repeat(100), false],
    ['binary', Buffer.alloc(70_000, 7), true],
    ['nothing', '', false],
  ])('%s -> one frame, encoded once', (_, payload, isBinary) => {
    const message = new Broadcast(payload, isBinary, true, testPlatform().platform);
    expect(Buffer.compare(message.frame(), serializeFrame({ opcode: isBinary ? 2 : 1, payload }))).toBe(0);
    expect(message.frame()).toBe(message.frame());
  });

  it('compresses once for each window, with RSV1', async () => {
    for (const isSlow of [false, true]) {
      const message = new Broadcast('text', false, true, testPlatform().platform);
      const small = countingCompression(9, isSlow);
      const large = countingCompression(15, isSlow);
      for (const { shared } of [small, large, small]) {
        const frame = await message.compressedFrame(shared);
        const payload = `z${shared.windowBits}`;
        expect(Buffer.compare(frame, serializeFrame({ opcode: 1, rsv1: true, payload }))).toBe(0);
      }
      expect([small.counts.deflated, large.counts.deflated]).toEqual([1, 1]);
    }
  });
});

describe('sendBroadcast', () => {
  const message = (payload: string | Uint8Array, compress = true) =>
    new Broadcast(payload, typeof payload !== 'string', compress, testPlatform().platform);

  it('server, no compression -> the shared frame', () => {
    const shared = message('hello');
    for (let i = 0; i < 2; i++) {
      const server = new Endpoint('server');
      server.connection.sender.sendBroadcast(shared);
      expect(server.takeOutput()).toEqual(serializeFrame({ opcode: 1, payload: 'hello' }));
    }
  });

  it('[RFC6455-5.1-1] client -> a frame of its own, masked', () => {
    const client = new Endpoint('client');
    client.connection.sender.sendBroadcast(message('hello'));
    const [frame] = client.takeFrames();
    expect(frame!.maskingKey).toBeDefined();
    expect(String(frame!.payload)).toBe('hello');
  });

  it('[RFC6455-5.4-3] server, large messages compressed in the background for several receivers -> all get them, in order', async () => {
    const agreed = { ...AGREED, serverNoContextTakeover: true };
    const makeDeflater = () => createDeflater(agreed, 'server');
    const sharedCompression = {
      windowBits: 15,
      createDeflater: makeDeflater,
      repeated: new RepeatedCompression(),
    };
    const servers = [0, 1].map(() => new Endpoint('server', { deflater: makeDeflater(), sharedCompression }));
    const large = message(Buffer.alloc(200_000, 'abc'));
    for (const { connection } of servers) {
      connection.sender.sendBroadcast(large);
      connection.sender.sendBroadcast(message('small', false));
    }
    servers[0]!.connection.transportClosed();
    const other = servers[1]!;
    while (other.connection.sender.queuedBytes > 0) await turn();
    const frames = other.takeFrames();
    expect(frames.map(({ opcode, rsv1 }) => [opcode, rsv1])).toEqual([
      [2, true],
      [1, false],
    ]);
    expect(other.events).toEqual([]);
  });
});
