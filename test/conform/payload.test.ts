import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cycled,
  describePayload,
  equalBytes,
  fromHex,
  type Payload,
  payloadBytes,
  payloadLength,
  repeated,
} from '../../src/conform/payload.js';

const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array({ maxLength: 200 }),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat({ max: 300 }))
    .map(([cycle, length]) => cycled(cycle, length)),
);

describe('a payload', () => {
  it('has the length that it says, and a description that shows it', () => {
    fc.assert(
      fc.property(payload, (one) => {
        const bytes = payloadBytes(one);
        expect(bytes.length).toBe(payloadLength(one));
        const described = describePayload(one);
        if (bytes.length === 0) expect(described).toBe('empty');
        else if (bytes.length > 24) expect(described).toContain(`${bytes.length} bytes`);
        expect(described.length).toBeLessThan(100);
      }),
    );
  });

  it('that is a cycle repeats its bytes, and is cut where it has to be', () => {
    expect(Buffer.from(payloadBytes(cycled('abc', 8))).toString()).toBe('abcabcab');
    expect(payloadBytes(repeated('*', 3))).toEqual(Buffer.from('***'));
    expect(payloadBytes(repeated(0xfe, 2))).toEqual(Buffer.from([0xfe, 0xfe]));
    expect(payloadBytes(repeated(0xfe, 0))).toEqual(new Uint8Array(0));
  });

  it('that is a string stands for its UTF-8', () => {
    expect(payloadBytes('κ€')).toEqual(Buffer.from(fromHex('cebae282ac')));
    expect(payloadLength('κ€')).toBe(5);
  });

  it.each([
    [Buffer.from('Hello'), '"Hello"'],
    [Uint8Array.of(0, 255), '00ff'],
    [repeated('a', 25), `25 bytes, "${'a'.repeat(24)}"…`],
    [repeated(0, 65_536), `65536 bytes, ${'00'.repeat(24)}…`],
  ])('is described in a few words: %#', (one, words) => {
    expect(describePayload(one)).toBe(words);
  });

  it('equals another by its bytes alone', () => {
    expect(equalBytes(Buffer.from('ab'), Uint8Array.of(0x61, 0x62))).toBe(true);
    expect(equalBytes(Buffer.from('ab'), Buffer.from('ac'))).toBe(false);
    expect(equalBytes(Buffer.from('ab'), Buffer.from('abc'))).toBe(false);
    expect(equalBytes(new Uint8Array(0), Buffer.alloc(0))).toBe(true);
  });
});
