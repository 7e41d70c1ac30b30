// RFC 7692 §7.2.2: what a decompressor has to understand.
import { createDeflateRaw, deflateRawSync, type ZlibOptions, constants as zlib } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readBlocks } from '../../src/conform/deflate-reader.js';
import { agreedWith, bytes, CODECS, noise, prose, text } from './codecs.js';

const TAIL = bytes('00 00 ff ff');

/** Messages as a peer sends them that keeps its window from one to the next. */
async function withContext(messages: Uint8Array[], options: ZlibOptions = {}): Promise<Buffer[]> {
  const stream = createDeflateRaw(options);
  let pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  const payloads: Buffer[] = [];
  for (const message of messages) {
    stream.write(message);
    await new Promise<void>((resolve) => stream.flush(zlib.Z_SYNC_FLUSH, resolve));
    payloads.push(Buffer.concat(pieces).subarray(0, -4));
    pieces = [];
  }
  stream.close();
  return payloads;
}

function alone(message: Uint8Array, options: ZlibOptions = {}): Buffer {
  return deflateRawSync(message, { ...options, finishFlush: zlib.Z_SYNC_FLUSH }).subarray(0, -4);
}

describe.each(CODECS)('RFC 7692 §7.2.2, $kind, $role', ({ inflater }) => {
  it('[RFC7692-7.2.2-1] [RFC7692-6.2-1] any message of a peer -> is inflated', async () => {
    for (const message of [
      text(''),
      text('a'),
      prose(1000),
      noise(1000),
      prose(70_000),
      noise(70_000),
      Buffer.alloc(600_000),
    ]) {
      const receiver = inflater(agreedWith({ noContext: true }));
      const inflated = await receiver.inflate(message.length === 0 ? bytes('00') : alone(message), 0);
      expect(Buffer.from(message).equals(inflated)).toBe(true);
    }
  });

  it.each([15, 12, 9])(
    '[RFC7692-7.2.2-3] [RFC7692-7.2.2-5] context is kept, window of %d bits -> 60 messages that refer to each other',
    async (windowBits) => {
      const messages = Array.from({ length: 60 }, (_, i) =>
        prose(i % 10 === 9 ? 30_000 : 200 + i, 1 + (i % 3)),
      );
      const payloads = await withContext(messages, { windowBits });
      const receiver = inflater(agreedWith({ windowBits }));
      for (const [i, payload] of payloads.entries()) {
        expect(messages[i]!.equals(await receiver.inflate(payload, 0))).toBe(true);
      }
    },
  );

  it('[RFC7692-7.2.2-2] [RFC7692-7.2.2-4] no context is kept -> a message that refers to the one before fails', async () => {
    const payloads = await withContext([prose(500), prose(500)]);
    const receiver = inflater(agreedWith({ noContext: true }));
    expect(prose(500).equals(await receiver.inflate(payloads[0]!, 0))).toBe(true);
    await expect(async () => receiver.inflate(payloads[1]!, 0)).rejects.toMatchObject({
      code: 'Z_DATA_ERROR',
      closeCode: 1007,
    });
  });

  it('[RFC7692-7.2.2-7] [RFC7692-7.2.2-9] no window was agreed -> a match 32,000 bytes back is followed', async () => {
    const piece = noise(258);
    const messages = [Buffer.concat([piece, noise(31_700, 2)]), piece];
    const payloads = await withContext(messages);
    expect(readBlocks(Buffer.concat([payloads[1]!, TAIL]))[0]!.maxDistance).toBe(31_958);
    const receiver = inflater(agreedWith());
    await receiver.inflate(payloads[0]!, 0);
    expect(piece.equals(await receiver.inflate(payloads[1]!, 0))).toBe(true);
  });

  it('[RFC7692-7.2.2-7] [RFC7692-7.2.2-9] no window was agreed -> a match exactly 32,768 bytes back is followed', async () => {
    // No BFINAL, fixed codes, length 3, the largest distance with its 13 extra bits, end of block, an empty block.
    const bits = ['0', '10', '0000001', '11101', '1111111111111', '0000000', '000', '00'].join('');
    const payload = Buffer.from(
      bits.match(/.{8}/g)!.map((byte) => Number.parseInt([...byte].reverse().join(''), 2)),
    );
    expect(readBlocks(Buffer.concat([payload, TAIL]))[0]).toMatchObject({ length: 3, maxDistance: 32_768 });
    const window = noise(32_768);
    const receiver = inflater(agreedWith());
    await receiver.inflate((await withContext([window]))[0]!, 0);
    expect(bytes(await receiver.inflate(payload, 0))).toBe(bytes(window.subarray(0, 3)));
  });

  it.each([8, 9, 10])(
    '[RFC7692-7.2.2-6] [RFC7692-7.2.2-8] window of %d bits -> what stays within it is inflated',
    async (windowBits) => {
      const receiver = inflater(agreedWith({ windowBits }));
      for (const payload of await withContext([prose(2000), prose(2000), prose(100)], { windowBits })) {
        const inflated = await receiver.inflate(payload, 0);
        expect(prose(2000).subarray(0, inflated.length).equals(inflated)).toBe(true);
      }
    },
  );

  it('[RFC7692-7.2.1-3] blocks of every type -> the message', async () => {
    const types = { stored: { level: 0 }, fixed: { strategy: zlib.Z_FIXED }, dynamic: { level: 9 } };
    for (const [type, options] of Object.entries(types)) {
      const payload = alone(prose(2000), options);
      expect(readBlocks(Buffer.concat([payload, TAIL]))[0]!.type).toBe(type);
      expect(prose(2000).equals(await inflater(agreedWith()).inflate(payload, 0))).toBe(true);
    }
  });

  it('[RFC7692-7.2.1-4] BFINAL anywhere in small and large messages -> all of them, and those behind', async () => {
    for (const length of [50, 5000, 100_000]) {
      const final = Buffer.from(deflateRawSync(noise(length)));
      const message = Buffer.concat([noise(length), prose(length), noise(length), prose(length)]);
      const payload = Buffer.concat([final, deflateRawSync(prose(length)), final, alone(prose(length))]);
      expect(readBlocks(Buffer.concat([payload, TAIL])).filter(({ isFinal }) => isFinal)).toHaveLength(3);
      const receiver = inflater(agreedWith());
      expect(message.equals(await receiver.inflate(payload, 0))).toBe(true);
      expect(prose(length).equals(await receiver.inflate(alone(prose(length)), 0))).toBe(true);
      // [RFC7692-7.2.1-5] the byte 00 behind it belongs there; LENIENT: some leave it out
      expect(noise(length).equals(await receiver.inflate(Buffer.concat([final, bytes('00')]), 0))).toBe(true);
      expect(noise(length).equals(await receiver.inflate(final, 0))).toBe(true);
      expect(prose(length).equals(await receiver.inflate(alone(prose(length)), 0))).toBe(true);
    }
  });
});
