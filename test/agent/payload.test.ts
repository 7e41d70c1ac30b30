import { describe, expect, it } from 'vitest';
import { countUtf8, sizeOf, toData } from '../../src/agent/payload.js';

describe('toData', () => {
  it('text and bytes stay what they are', () => {
    const bytes = Uint8Array.of(1, 2);
    expect(toData('a')).toBe('a');
    expect(toData(bytes)).toBe(bytes);
  });

  it('a view of some bytes -> just these, not copied', () => {
    const { buffer } = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7);
    const data = toData(new DataView(buffer, 2, 3)) as Uint8Array;
    expect([...data]).toEqual([2, 3, 4]);
    expect(data.buffer).toBe(buffer);
    expect([...(toData(new Uint16Array(buffer, 2, 2)) as Uint8Array)]).toEqual([2, 3, 4, 5]);
    expect([...(toData(buffer) as Uint8Array)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [1, 'number'],
    [[1], 'Array'],
    [{}, 'Object'],
    [Object.create(null), 'an object'],
    [new Blob([]), 'Blob'],
  ])('%s -> TypeError that names it', (value, name) => {
    expect(() => toData(value)).toThrow(TypeError);
    expect(() => toData(value)).toThrow(`got ${name}`);
  });
});

describe('sizeOf', () => {
  it('bytes count as they are, text as UTF-8', () => {
    expect(sizeOf(new Uint8Array(3))).toBe(3);
    expect(sizeOf('aé€😀')).toBe(1 + 2 + 3 + 4);
  });
});

describe('countUtf8', () => {
  const texts = [
    '',
    '\u0000\u007f',
    '\u0080\u07ff',
    '\u0800\uffff',
    '😀',
    'a😀b',
    // Lone surrogates, in all orders.
    '\ud800',
    '\udc00',
    '\ud800a',
    'a\udc00',
    '\udc00\ud800',
    '\ud800\ud800\udc00',
    '\ud83d\ude00\ude00',
  ];
  it.each(texts)('%j -> as TextEncoder', (text) => {
    expect(countUtf8(text)).toBe(new TextEncoder().encode(text).length);
  });
});
