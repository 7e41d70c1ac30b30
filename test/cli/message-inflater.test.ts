import { constants, createDeflateRaw, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MessageInflater } from '../../src/cli/message-inflater.js';

/** Compresses messages as a sender with context takeover does (RFC 7692 §7.2.1). */
async function compressAll(messages: Buffer[]): Promise<Buffer[]> {
  const deflate = createDeflateRaw();
  const compressed: Buffer[] = [];
  for (const message of messages) {
    const chunks: Buffer[] = [];
    deflate.on('data', (chunk: Buffer) => chunks.push(chunk));
    deflate.write(message);
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve));
    deflate.removeAllListeners('data');
    compressed.push(Buffer.concat(chunks).subarray(0, -4));
  }
  deflate.close();
  return compressed;
}

describe('MessageInflater', () => {
  it('[RFC7692-6.2-1] reads the example of RFC 7692 §7.2.3.1, and the one that refers to it', () => {
    const inflater = new MessageInflater(100);
    expect(inflater.inflate(Buffer.from('f248cdc9c90700', 'hex'))?.toString()).toBe('Hello');
    expect(inflater.inflate(Buffer.from('f200110000', 'hex'))?.toString()).toBe('Hello');
  });

  it('reads messages that refer to earlier ones, over more than a window', async () => {
    const messages = Array.from({ length: 40 }, (_, index) => Buffer.from(`${index} `.repeat(index * 300)));
    const inflater = new MessageInflater(1_000_000);
    for (const [index, compressed] of (await compressAll(messages)).entries()) {
      expect(inflater.inflate(compressed)?.equals(messages[index]!)).toBe(true);
    }
  });

  it('gives up a message that inflates beyond the limit, and what follows it', () => {
    const inflater = new MessageInflater(1000);
    expect(inflater.inflate(deflateRawSync(Buffer.alloc(1_000_000)))).toBeUndefined();
    expect(inflater.inflate(Buffer.from('f248cdc9c90700', 'hex'))).toBeUndefined();
  });

  it('gives up bytes that are not compressed data', () => {
    expect(new MessageInflater(1000).inflate(Buffer.from('ffffffff', 'hex'))).toBeUndefined();
  });

  it('reads an empty message', () => {
    expect(new MessageInflater(10).inflate(Buffer.from([0]))).toHaveLength(0);
  });
});
