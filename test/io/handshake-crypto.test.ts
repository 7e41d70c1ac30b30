import { describe, expect, it } from 'vitest';
import { randomKey, sha1Base64 } from '../../src/io/handshake-crypto.js';
import { acceptKey, isValidKey } from '../../src/protocol/accept-key.js';

describe('handshake-crypto', () => {
  it("[RFC6455-4.2.2-18] server, the RFC's example key -> the RFC's example digest", () => {
    expect(acceptKey('dGhlIHNhbXBsZSBub25jZQ==', sha1Base64)).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  });

  it('[RFC6455-4.1-23] client, new key -> base64 of 16 bytes, without bits in the padding', () => {
    const key = randomKey();
    expect(isValidKey(key)).toBe(true);
    expect(key).toMatch(/[AQgw]==$/);
    expect(Buffer.from(key, 'base64')).toHaveLength(16);
  });

  it('[RFC6455-4.1-24] client, 10000 keys -> all different, and every byte takes many values', () => {
    const keys = new Set(Array.from({ length: 10_000 }, randomKey));
    expect(keys.size).toBe(10_000);
    for (let byte = 0; byte < 16; byte++) {
      const values = new Set([...keys].map((key) => Buffer.from(key, 'base64')[byte]));
      expect(values.size).toBeGreaterThan(250);
    }
  });
});
