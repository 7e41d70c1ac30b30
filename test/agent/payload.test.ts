import { describe, expect, it } from 'vitest';
import { toData } from '../../src/agent/payload.js';

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
