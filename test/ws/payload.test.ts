import { describe, expect, it } from 'vitest';
import {
  byteLengthOf,
  checkCloseCode,
  checkControlLength,
  checkReason,
  inBinaryType,
  isBlob,
  maskingKeyFrom,
  readBlob,
  toBytes,
} from '../../src/ws/payload.js';
import { thrownBy } from '../support/events.js';

const SOURCE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

describe('toBytes', () => {
  it('views every buffer source as it is, offset and length included', () => {
    const views = [
      SOURCE.subarray(2, 6),
      new DataView(SOURCE.buffer, 2, 4),
      new Uint16Array(SOURCE.buffer, 2, 2),
      new Int32Array(SOURCE.slice(2, 6).buffer),
      SOURCE.slice(2, 6).buffer,
    ];
    for (const view of views) expect([...toBytes(view)]).toEqual([3, 4, 5, 6]);
  });

  it('does not copy views', () => {
    expect(toBytes(new DataView(SOURCE.buffer)).buffer).toBe(SOURCE.buffer);
    expect(toBytes(SOURCE)).toBe(SOURCE);
  });

  it.each([true, 5, {}, null, undefined, Symbol('x')])('%s has no bytes -> TypeError', (value) => {
    expect(thrownBy(() => toBytes(value))).toBeInstanceOf(TypeError);
  });
});

describe('blobs', () => {
  it('are known, also by their shape', () => {
    expect(isBlob(new Blob(['a']))).toBe(true);
    for (const value of [null, undefined, 'a', SOURCE, {}, { arrayBuffer() {} }])
      expect(isBlob(value)).toBe(false);
  });

  it('are read', async () => {
    expect(Buffer.from(await readBlob(new Blob(['é']))).toString()).toBe('é');
  });
});

it.each([
  ['text', 'é€', 5],
  ['a view', new Uint16Array(3), 6],
  ['an ArrayBuffer', new ArrayBuffer(7), 7],
  ['a Blob', new Blob(['abc']), 3],
])('byteLengthOf %s', (_, data, length) => {
  expect(byteLengthOf(data)).toBe(length);
});

describe('inBinaryType', () => {
  const data = Buffer.from('xabcdefx').subarray(1, 7);

  it('nodebuffer -> the Buffer itself', () => {
    expect(inBinaryType(data, 'nodebuffer', undefined)).toBe(data);
  });

  it('arraybuffer -> exactly the bytes; without a copy where nothing else is in the memory', () => {
    const cut = inBinaryType(data, 'arraybuffer', undefined) as ArrayBuffer;
    expect(Buffer.from(cut).toString()).toBe('abcdef');
    const own = Buffer.from(Uint8Array.of(1, 2).buffer);
    expect(inBinaryType(own, 'arraybuffer', undefined)).toBe(own.buffer);
  });

  it('blob -> the bytes', async () => {
    expect(await (inBinaryType(data, 'blob', undefined) as Blob).text()).toBe('abcdef');
  });

  it('fragments -> cut where they ended; one piece without boundaries, none for no bytes', () => {
    const texts = (ends?: number[]) => (inBinaryType(data, 'fragments', ends) as Buffer[]).map(String);
    expect(texts([2, 3, 6])).toEqual(['ab', 'c', 'def']);
    expect(texts()).toEqual(['abcdef']);
    expect(inBinaryType(Buffer.alloc(0), 'fragments', undefined)).toEqual([]);
  });
});

describe('checkCloseCode', () => {
  it('[RFC6455-7.4-1] both roles, no code -> 1005, for an empty Close frame', () => {
    expect(checkCloseCode(undefined)).toBe(1005);
  });

  it.each([1000, 1014, 3000, 4999])('%i is taken', (code) => {
    expect(checkCloseCode(code)).toBe(code);
  });

  it.each([0, 999, 1004, 1005, 1006, 1015, 2999, 5000, Number.NaN, '1000', null])(
    '%s -> TypeError',
    (code) => {
      expect(thrownBy(() => checkCloseCode(code as number))).toBeInstanceOf(TypeError);
    },
  );
});

describe('checkReason', () => {
  it('[RFC6455-5.5-1] both roles, 123 bytes -> taken; 124 -> RangeError', () => {
    expect(checkReason('x'.repeat(123))).toHaveLength(123);
    expect(checkReason(`${'é'.repeat(61)}x`)).toHaveLength(123);
    expect(thrownBy(() => checkReason('é'.repeat(62)))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => checkReason(new Uint8Array(124)))).toBeInstanceOf(RangeError);
  });

  it('nothing -> nothing', () => {
    for (const reason of [undefined, '', new Uint8Array(0)]) expect(checkReason(reason)).toHaveLength(0);
  });

  it('anything else with a length -> TypeError', () => {
    for (const reason of [[1], new Float32Array(20)]) {
      expect(thrownBy(() => checkReason(reason as unknown as string))).toBeInstanceOf(TypeError);
    }
  });
});

it('[RFC6455-5.5-1] both roles, a control frame of 125 bytes -> may be sent; of 126 -> RangeError', () => {
  checkControlLength(125);
  expect(thrownBy(() => checkControlLength(126))).toBeInstanceOf(RangeError);
});

it('maskingKeyFrom calls the function for each key, its first byte the lowest', () => {
  let count = 0;
  const next = maskingKeyFrom((mask) => mask.set([++count, 2, 3, 4]));
  expect([next(), next()]).toEqual([0x04030201, 0x04030202]);
});
