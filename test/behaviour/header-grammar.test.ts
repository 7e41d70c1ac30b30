// extension.parse(), extension.format() and subprotocol.parse().
import { expect, it } from 'vitest';
import { thrownBy } from '../support/events.js';
import { behaviour } from './implementations.js';

behaviour('header grammar', ({ ws: WebSocket }) => {
  const { extension, subprotocol } = WebSocket;

  it('are two objects with these functions', () => {
    expect(Object.keys(extension).sort()).toEqual(['format', 'parse']);
    expect(Object.keys(subprotocol)).toEqual(['parse']);
  });

  it.each<[string, Record<string, object[]>]>([
    ['foo', { foo: [{}] }],
    ['foo,bar', { foo: [{}], bar: [{}] }],
    ['foo;bar', { foo: [{ bar: [true] }] }],
    ['foo;bar=baz', { foo: [{ bar: ['baz'] }] }],
    ['foo;bar="baz"', { foo: [{ bar: ['baz'] }] }],
    ['foo;bar="b\\az"', { foo: [{ bar: ['baz'] }] }],
    ['foo;bar=b;bar=c', { foo: [{ bar: ['b', 'c'] }] }],
    ['foo;bar;bar', { foo: [{ bar: [true, true] }] }],
    ['foo, foo;a', { foo: [{}, { a: [true] }] }],
    ['foo; bar; b=1, baz;q', { foo: [{ bar: [true], b: ['1'] }], baz: [{ q: [true] }] }],
    ['foo\t;\tbar , baz', { foo: [{ bar: [true] }], baz: [{}] }],
    [
      'permessage-deflate; client_max_window_bits',
      { 'permessage-deflate': [{ client_max_window_bits: [true] }] },
    ],
    [
      'hasOwnProperty; constructor; __proto__=x',
      { hasOwnProperty: [JSON.parse('{"constructor":[true],"__proto__":["x"]}')] },
    ],
  ])('extension.parse("%s")', (header, expected) => {
    const offers = extension.parse(header);
    expect(Object.getPrototypeOf(offers)).toBeNull();
    expect(Object.keys(offers)).toEqual(Object.keys(expected));
    for (const [name, params] of Object.entries(expected)) {
      expect(offers[name]).toHaveLength(params.length);
      for (const [index, param] of params.entries()) {
        expect(Object.getPrototypeOf(offers[name][index])).toBeNull();
        expect(Object.entries(offers[name][index])).toEqual(Object.entries(param));
      }
    }
  });

  it.each<[string, string]>([
    ['', 'Unexpected end of input'],
    ['foo,', 'Unexpected end of input'],
    ['foo;', 'Unexpected end of input'],
    ['foo;bar=', 'Unexpected end of input'],
    ['foo;bar="', 'Unexpected end of input'],
    ['foo;bar="baz', 'Unexpected end of input'],
    ['foo ', 'Unexpected end of input'],
    ['foo\t', 'Unexpected end of input'],
    ['foo;bar=1;', 'Unexpected end of input'],
    [';', 'Unexpected character at index 0'],
    [',', 'Unexpected character at index 0'],
    [' foo', 'Unexpected character at index 0'],
    ['foo,,bar', 'Unexpected character at index 4'],
    ['foo;;bar', 'Unexpected character at index 4'],
    ['foo bar', 'Unexpected character at index 4'],
    ['foo=bar', 'Unexpected character at index 3'],
    ['foo;bar=""', 'Unexpected character at index 9'],
    ['foo;bar=baz"', 'Unexpected character at index 11'],
    ['foo;bar="ba z"', 'Unexpected character at index 11'],
    ['foo;bar=;', 'Unexpected character at index 8'],
    ['foo;bar="b\\"z"', 'Unexpected character at index 11'],
    ['foo;bar =x', 'Unexpected character at index 8'],
    ['f\u00e4', 'Unexpected character at index 1'],
    ['foo;b(', 'Unexpected character at index 5'],
  ])('extension.parse("%s") -> SyntaxError', (header, message) => {
    const error = thrownBy(() => extension.parse(header));
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error.message).toBe(message);
  });

  it.each<[object, string]>([
    [{ foo: {} }, 'foo'],
    [{ foo: { bar: true } }, 'foo; bar'],
    [{ foo: { bar: 'baz' } }, 'foo; bar=baz'],
    [{ foo: { bar: 10 } }, 'foo; bar=10'],
    [{ foo: { bar: [true, 'x'] } }, 'foo; bar; bar=x'],
    [{ foo: [{ a: true }, {}] }, 'foo; a, foo'],
    [{ foo: [{ a: true }], bar: { b: [1] } }, 'foo; a, bar; b=1'],
    [{}, ''],
  ])('extension.format(%j)', (extensions, header) => {
    expect(extension.format(extensions)).toBe(header);
  });

  it.each(['foo', 'foo; bar; baz=1, foo, q; x=y; x'])(
    'extension.format(extension.parse("%s")) -> the same',
    (header) => {
      expect(extension.format(extension.parse(header))).toBe(header);
    },
  );

  it.each<[string, string[]]>([
    ['foo', ['foo']],
    ['foo,bar', ['foo', 'bar']],
    ['foo, bar\t,baz', ['foo', 'bar', 'baz']],
    ["!#$%&'*+-.^_`|~", ["!#$%&'*+-.^_`|~"]],
    ['constructor,__proto__', ['constructor', '__proto__']],
  ])('subprotocol.parse("%s")', (header, names) => {
    const set = subprotocol.parse(header);
    expect(set).toBeInstanceOf(Set);
    expect([...set]).toEqual(names);
  });

  it.each<[string, string]>([
    ['', 'Unexpected end of input'],
    ['foo,', 'Unexpected end of input'],
    ['foo ', 'Unexpected end of input'],
    ['foo, ', 'Unexpected end of input'],
    [',', 'Unexpected character at index 0'],
    [' foo', 'Unexpected character at index 0'],
    ['foo,,bar', 'Unexpected character at index 4'],
    ['foo bar', 'Unexpected character at index 4'],
    ['f(oo', 'Unexpected character at index 1'],
    ['f\u00e4', 'Unexpected character at index 1'],
    ['foo,foo', 'The "foo" subprotocol is duplicated'],
    ['foo, bar, foo', 'The "foo" subprotocol is duplicated'],
    ['foo,bar,bar,foo', 'The "bar" subprotocol is duplicated'],
  ])('subprotocol.parse("%s") -> SyntaxError', (header, message) => {
    const error = thrownBy(() => subprotocol.parse(header));
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error.message).toBe(message);
  });
});
