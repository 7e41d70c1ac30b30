import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatHex, parseHex } from '../../src/cli/hex.js';

describe('parseHex', () => {
  it.each([
    ['8185', [0x81, 0x85]],
    ['81 85', [0x81, 0x85]],
    ['81:85', [0x81, 0x85]],
    ['81-85', [0x81, 0x85]],
    ['0x81, 0x85', [0x81, 0x85]],
    ['\\x81\\x85', [0x81, 0x85]],
    ['81\n\t85\r\n', [0x81, 0x85]],
    ['FFfe', [0xff, 0xfe]],
    ['', []],
    ['  ', []],
  ])('reads %j', (text, bytes) => {
    expect([...parseHex(text)]).toEqual(bytes);
  });

  it.each([
    ['zz', 'not hexadecimal: "zz"'],
    ['81 8', 'odd number of hexadecimal digits: "8"'],
    ['81 g', 'not hexadecimal: "g"'],
    ['é'.repeat(100), `not hexadecimal: "${'é'.repeat(24)}…"`],
  ])('refuses %j and names the piece', (text, message) => {
    expect(() => parseHex(text)).toThrow(new SyntaxError(message));
  });

  it('reads back what formatHex wrote', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect([...parseHex(formatHex(bytes))]).toEqual([...bytes]);
      }),
    );
  });
});

describe('formatHex', () => {
  it('separates bytes with one space', () => {
    expect(formatHex(new Uint8Array([0, 0x0f, 0xff]))).toBe('00 0f ff');
  });

  it('shows the bytes of a view, not of its buffer', () => {
    expect(formatHex(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))).toBe('02 03');
  });
});
