import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptKey, isValidKey } from '../../src/protocol/accept-key.js';

const sha1Base64 = (text: string) => createHash('sha1').update(text).digest('base64');

describe('acceptKey', () => {
  it("[RFC6455-4.2.2-18] server, the RFC's example key -> the RFC's example digest", () => {
    expect(acceptKey('dGhlIHNhbXBsZSBub25jZQ==', sha1Base64)).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  });

  it('[RFC6455-4.2.2-18] server, any key -> hashes its text with the GUID behind it', () => {
    expect(acceptKey('key', (text) => `<${text}>`)).toBe('<key258EAFA5-E914-47DA-95CA-C5AB0DC85B11>');
  });
});

describe('isValidKey', () => {
  it('[RFC6455-4.2.1-6] server, base64 of 16 bytes -> valid; of any other number of bytes -> not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(isValidKey(Buffer.from(bytes).toString('base64'))).toBe(bytes.length === 16);
      }),
    );
    expect(isValidKey(Buffer.alloc(16).toString('base64'))).toBe(true);
  });

  it('[RFC6455-4.2.1-6] server, bits in the padding as in erratum 3150 -> valid', () => {
    expect(isValidKey('AQIDBAUGBwgJCgsMDQ4PEC==')).toBe(true);
  });

  it.each([
    '',
    'dGhlIHNhbXBsZSBub25jZQ',
    'dGhlIHNhbXBsZSBub25jZQ=',
    'dGhlIHNhbXBsZSBub25jZQ===',
    'dGhlIHNhbXBsZSBub25jZ-==',
    'dGhlIHNhbXBsZSBub25jZ_==',
    ' dGhlIHNhbXBsZSBub25jZQ==',
    'dGhlIHNhbXBsZSBub25jZQ==\n',
    'dGhlIHNhbXBsZSBub25j\nQ==',
  ])('[RFC6455-4.2.1-6] server, key %j -> not valid', (key) => {
    expect(isValidKey(key)).toBe(false);
  });

  it('[RFC6455-11.3.1-1] server, two key headers joined by Node.js -> not valid', () => {
    expect(isValidKey('dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==')).toBe(false);
  });
});
