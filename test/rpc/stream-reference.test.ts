import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeParams,
  decodeValue,
  encodeParams,
  encodeValue,
  isAsyncIterable,
} from '../../src/rpc/stream-reference.js';
import { yielding } from '../support/rpc-stage.js';

const never = (): never => {
  throw new Error('there is no stream');
};

/** As it comes out at the other end. */
const travelled = (value: unknown) =>
  decodeValue(JSON.parse(JSON.stringify(encodeValue(value, never))), never);
const paramsTravelled = (params: unknown) =>
  decodeParams(JSON.parse(JSON.stringify(encodeParams(params, never))), never);

/** What JSON makes of it by itself. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

/** Values that look like references, and like what stands for those. */
const { lookalike } = fc.letrec((tie) => ({
  lookalike: fc.oneof(
    fc.record({ stream: tie('inner') }),
    fc.record({ stream: tie('inner'), value: tie('inner') }),
    fc.record({ stream: tie('inner'), value: tie('inner'), more: tie('inner') }, { requiredKeys: [] }),
  ),
  inner: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(5, 1, 0, -1, 1.5, null, true, '5', Number.NaN, 2 ** 60, {}, []),
    fc.constantFrom<unknown>(undefined, () => {}, Symbol('s'), new Date(0), Object(5)),
    tie('lookalike'),
  ),
}));

const value = fc.oneof(fc.jsonValue(), lookalike);

describe('values', () => {
  it('a stream -> its number in its place', () => {
    const items = yielding([]);
    const announced: unknown[] = [];
    const encoded = encodeValue(items, (each) => announced.push(each) + 6);
    expect(encoded).toEqual({ stream: 7 });
    expect(announced).toEqual([items]);
    expect(decodeValue(encoded, (number) => `stream ${number}`)).toBe('stream 7');
  });

  it.each([
    [{ stream: 5 }, { stream: null, value: { stream: 5 } }],
    [{ stream: 'x' }, { stream: null, value: { stream: 'x' } }],
    [
      { stream: null, value: 1 },
      { stream: null, value: { stream: null, value: 1 } },
    ],
    [
      { stream: 5, name: 'x' },
      { stream: 5, name: 'x' },
    ],
    [{ streams: 5 }, { streams: 5 }],
    [[{ stream: 5 }], [{ stream: 5 }]],
    [null, null],
    ['stream', 'stream'],
  ])('%j travels as %j', (plainValue, encoded) => {
    expect(encodeValue(plainValue, never)).toEqual(encoded);
    expect(travelled(plainValue)).toEqual(plainValue);
  });

  it.each<[string, object]>([
    ['a member without a value', { stream: 5, name: undefined }],
    ['a function', { stream: 5, f() {} }],
    ['a symbol', { stream: 5, s: Symbol('s') }],
    ['a number in an object', { stream: Object(5) }],
    ['what JSON makes null', { stream: Number.NaN, value: 1 }],
    ['null, and a member without a value', { stream: null, value: 1, name: undefined }],
  ])('what only JSON makes a lookalike is one: %s', (_, lookalikeInJson) => {
    expect(travelled(lookalikeInJson)).toEqual(plain(lookalikeInJson));
  });

  it.each([
    { stream: 0 },
    { stream: -1 },
    { stream: 1.5 },
    { stream: '1' },
    { stream: null },
    { stream: 1, more: 1 },
    { stream: null, value: 1, more: 1 },
    { value: 1 },
  ])('%j from a peer is what it is', (sent) => {
    expect(decodeValue(sent, never)).toEqual(sent);
  });

  it('whatever is sent comes, and is no stream', () => {
    fc.assert(
      fc.property(value, (sent) => {
        expect(travelled(sent)).toEqual(plain(sent));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('params', () => {
  it('streams may be direct members, or elements', () => {
    const items = yielding([]);
    let last = 0;
    const announce = () => ++last;
    expect(encodeParams({ a: 1, b: items, c: { d: 1 } }, announce)).toEqual({
      a: 1,
      b: { stream: 1 },
      c: { d: 1 },
    });
    expect(encodeParams([items, 1, items], announce)).toEqual([{ stream: 2 }, 1, { stream: 3 }]);
    const accept = (number: number) => `stream ${number}`;
    expect(decodeParams({ a: { stream: 1 }, b: [{ stream: 2 }] }, accept)).toEqual({
      a: 'stream 1',
      b: [{ stream: 2 }],
    });
    expect(decodeParams([{ stream: 2 }, 1], accept)).toEqual(['stream 2', 1]);
    expect(decodeParams({ stream: 5 }, accept)).toEqual({ stream: 5 });
  });

  it('the object of the caller stays as it is', () => {
    const params = Object.freeze({ a: { stream: 5 }, b: Object.freeze([1]) });
    expect(encodeParams(params, never)).toEqual({ a: { stream: null, value: { stream: 5 } }, b: [1] });
    const without = { a: 1 };
    expect(encodeParams(without, never)).toBe(without);
  });

  it('a member named __proto__ is a member like any other', () => {
    const sent = JSON.parse('{"__proto__":{"stream":1},"a":1}');
    const decoded = decodeParams(sent, () => 'a stream') as object;
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
    expect(Object.entries(decoded)).toEqual([
      ['__proto__', 'a stream'],
      ['a', 1],
    ]);
    const escaped = JSON.parse('{"__proto__":{"stream":1},"a":1}');
    expect(Object.entries(paramsTravelled(escaped) as object)).toEqual(Object.entries(sent));
  });

  it('a __proto__ within a value changes nothing', () => {
    const sent = JSON.parse('{"a":{"__proto__":{"stream":1}}}');
    expect(decodeParams(sent, never)).toBe(sent);
  });

  it('whatever is sent comes, and is no stream', () => {
    const params = fc.oneof(fc.array(value), fc.dictionary(fc.string(), value), lookalike);
    fc.assert(
      fc.property(params, (sent) => {
        expect(paramsTravelled(sent)).toEqual(plain(sent));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('isAsyncIterable', () => {
  it.each([yielding([]), new ReadableStream(), { [Symbol.asyncIterator]: () => {} }])('%o', (items) => {
    expect(isAsyncIterable(items)).toBe(true);
  });

  it.each([null, undefined, 'x', [], {}, new Map(), { [Symbol.asyncIterator]: 1 }])('not %o', (items) => {
    expect(isAsyncIterable(items)).toBe(false);
  });
});
