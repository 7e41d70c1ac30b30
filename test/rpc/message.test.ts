import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RPC } from '../../src/rpc/errors.js';
import {
  parseMessage,
  peekId,
  serializeError,
  serializeNext,
  serializeNotification,
  serializeOurs,
  serializeRequest,
  serializeResult,
  serializeWithin,
} from '../../src/rpc/message.js';

const parse = (value: unknown, idLength = 1024) =>
  parseMessage(typeof value === 'string' ? value : JSON.stringify(value), idLength);

const message = (fields: object) => ({ jsonrpc: '2.0', ...fields });

const invalid = (id: unknown, reason: unknown, code: number = RPC.INVALID_REQUEST) => ({
  kind: 'invalid',
  id,
  code,
  reason,
});

const NO_OBJECT = 'not a JSON-RPC 2.0 object';
const NO_ID = expect.stringContaining('an id is');
const NO_PARAMS = 'params are an object or an array';
const NEITHER = 'neither a call nor an answer';
const noAnswer = { ...invalid(null, NEITHER), answers: 1 };
const wrong = (method: string) => invalid(null, `${method}: wrong params`);
const ours = (method: string, params?: unknown) => message({ method, params });

describe('parseMessage: what is right', () => {
  it.each([
    ['a request', { id: 1, method: 'a' }, { kind: 'request', id: 1, method: 'a' }],
    ['params in an object', { id: 'x', method: 'a', params: { b: 1 } }, { id: 'x', params: { b: 1 } }],
    ['params in an array', { id: 0, method: '', params: [1] }, { id: 0, method: '', params: [1] }],
    ['an id that is negative, or no integer', { id: -1.5, method: 'a' }, { id: -1.5 }],
    ['an empty id', { id: '', method: 'a' }, { kind: 'request', id: '' }],
    ['an idempotency key', { id: 1, method: 'a', idempotencyKey: 'k' }, { idempotencyKey: 'k' }],
    ['a notification', { method: 'a', params: {} }, { kind: 'notification', method: 'a', params: {} }],
    ['a result', { id: 1, result: 0 }, { kind: 'result', id: 1, result: 0 }],
    ['a result of null', { id: '1', result: null }, { kind: 'result', id: '1', result: null }],
    ['a result beside an error of null', { id: 1, result: 2, error: null }, { kind: 'result', result: 2 }],
    [
      'an error',
      { id: 1, error: { code: 5, message: 'm', data: [1] } },
      { kind: 'error', id: 1, error: { code: 5, message: 'm', data: [1] } },
    ],
    ['an error without id', { id: null, error: { code: 5, message: '' } }, { kind: 'error', id: null }],
    ['members that nobody knows', { id: 1, method: 'a', more: 1 }, { kind: 'request', id: 1 }],
  ])('%s', (_, fields, expected) => {
    expect(parse(message(fields))).toMatchObject(expected);
  });

  it.each([
    ['$/next', { s: 1, items: [null] }, { kind: 'next', stream: 1, items: [null] }],
    ['$/end', { s: 1 }, { kind: 'end', stream: 1, error: undefined }],
    [
      '$/end',
      { s: 1, error: { code: 1, message: '' } },
      { kind: 'end', stream: 1, error: { code: 1, message: '' } },
    ],
    ['$/credit', { s: 1, n: 0, bytes: 9 }, { kind: 'credit', stream: 1, items: 0, bytes: 9 }],
    ['$/cancel', { s: 1 }, { kind: 'cancel-stream', stream: 1, reason: undefined }],
    ['$/cancel', { s: 1, reason: 'r' }, { kind: 'cancel-stream', stream: 1, reason: 'r' }],
    ['$/cancel', { id: 'x', reason: 'r' }, { kind: 'cancel', id: 'x', reason: 'r' }],
    ['$/progress', { id: 1, progress: -0.5 }, { kind: 'progress', id: 1, progress: -0.5 }],
    [
      '$/progress',
      { id: 1, progress: 1, total: 2, message: 'm' },
      { kind: 'progress', id: 1, progress: 1, total: 2, message: 'm' },
    ],
  ])('%s %j', (method, params, expected) => {
    expect(parse(ours(method, params))).toEqual(expect.objectContaining(expected));
  });

  it('a method with $/ that we do not know may be left alone', () => {
    expect(parse(ours('$/setTrace', { a: 1 }))).toEqual({ kind: 'unknown' });
    expect(parse(message({ id: 1, method: '$/setTrace' }))).toMatchObject({ kind: 'request', id: 1 });
  });

  it('ids of 1,024 characters are taken, of 1,025 not', () => {
    const id = 'é'.repeat(1024);
    expect(parse(message({ id, method: 'a' }))).toMatchObject({ kind: 'request', id });
    expect(parse(message({ id, result: 1 }))).toMatchObject({ kind: 'result', id });
    expect(parse(message({ id: `${id}x`, method: 'a' }))).toEqual(invalid(null, NO_ID));
    expect(parse(message({ id: `${id}x`, result: 1 }))).toEqual(invalid(null, NEITHER));
    expect(parse(message({ id: 'four', method: 'a' }), 3)).toEqual(invalid(null, NO_ID));
  });

  it('__proto__ is a name like any other', () => {
    const parsed = parse('{"jsonrpc":"2.0","id":1,"method":"__proto__","params":{"__proto__":{"a":1}}}');
    expect(parsed).toMatchObject({ kind: 'request', method: '__proto__' });
    expect(Object.hasOwn((parsed as { params: object }).params, '__proto__')).toBe(true);
    expect(parse('{"__proto__":{"jsonrpc":"2.0","method":"a"}}')).toEqual(invalid(null, NO_OBJECT));
  });
});

describe('parseMessage: what is not', () => {
  it.each(['', 'x', '{"jsonrpc":"2.0"', '\u0000', '{"jsonrpc":"2.0","id":1,"method":"a",}', '\ufeff{}'])(
    'not JSON: %j',
    (text) => {
      expect(parse(text)).toEqual(invalid(null, 'not JSON', RPC.PARSE_ERROR));
    },
  );

  it.each(['[]', '[1]', `[${JSON.stringify(message({ id: 1, method: 'a' }))}]`])('a batch: %s', (text) => {
    expect(parse(text)).toEqual(invalid(null, expect.stringContaining('batches are not supported')));
  });

  it.each<[unknown, unknown]>([
    ...['null', '1', '"x"', 'true', '{}'].map((text): [unknown, unknown] => [text, invalid(null, NO_OBJECT)]),
    [{ jsonrpc: '1.0', id: 1, method: 'a' }, invalid(null, NO_OBJECT)],
    [{ jsonrpc: 2, id: 1, method: 'a' }, invalid(null, NO_OBJECT)],
    [{ id: 1, method: 'a' }, invalid(null, NO_OBJECT)],
    [message({}), invalid(null, NEITHER)],
    [message({ id: 1 }), noAnswer],
    [message({ result: 1 }), invalid(null, NEITHER)],
    [message({ id: null, result: 1 }), invalid(null, NEITHER)],
    [message({ id: 1, error: 'x' }), noAnswer],
    [message({ id: 1, error: { code: 'x', message: 'm' } }), noAnswer],
    [message({ id: 1, error: { code: 1.5, message: 'm' } }), noAnswer],
    [message({ id: 1, error: { code: 1 } }), noAnswer],
    [message({ error: { code: 1, message: 'm' } }), invalid(null, NEITHER)],
    [message({ id: null, method: 'a' }), invalid(null, NO_ID)],
    [message({ id: true, method: 'a' }), invalid(null, NO_ID)],
    [message({ id: {}, method: 'a' }), invalid(null, NO_ID)],
    ['{"jsonrpc":"2.0","id":1e999,"method":"a"}', invalid(null, NO_ID)],
    [message({ id: 1, method: 5 }), invalid(1, 'a method is a text')],
    [message({ id: 1, method: null }), invalid(1, 'a method is a text')],
    [message({ method: {} }), invalid(null, 'a method is a text')],
    [message({ id: 'x', method: 'a', params: 5 }), invalid('x', NO_PARAMS)],
    [message({ id: 1, method: 'a', params: null }), invalid(1, NO_PARAMS)],
    [message({ id: 1, method: 'a', params: 'x' }), invalid(1, NO_PARAMS)],
    [message({ method: 'a', params: true }), invalid(null, NO_PARAMS)],
    [message({ method: '$/cancel', params: 1 }), invalid(null, NO_PARAMS)],
    ...['', 5, null, {}, 'x'.repeat(1025)].map((idempotencyKey): [unknown, unknown] => [
      message({ id: 1, method: 'a', idempotencyKey }),
      invalid(1, expect.stringContaining('an idempotency key is a text')),
    ]),
  ])('%j', (value, expected) => {
    expect(parse(value)).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ['$/next', undefined],
    ['$/next', []],
    ['$/next', { s: 1 }],
    ['$/next', { s: 1, items: [] }],
    ['$/next', { s: 1, items: { length: 1 } }],
    ...[0, -1, 1.5, '1', null, 2 ** 53].map((s): [string, unknown] => ['$/next', { s, items: [1] }]),
    ['$/end', {}],
    ['$/end', { s: 1, error: null }],
    ['$/end', { s: 1, error: { code: 1 } }],
    ['$/credit', { s: 1 }],
    ['$/credit', { s: 1, n: 1 }],
    ['$/credit', { s: 1, n: -1, bytes: 1 }],
    ['$/credit', { s: 1, n: 1, bytes: -1 }],
    ['$/credit', { s: 1, n: 1.5, bytes: 1 }],
    ['$/credit', { s: 1, n: 2 ** 53, bytes: 1 }],
    ['$/credit', { n: 1, bytes: 1 }],
    ['$/cancel', {}],
    ['$/cancel', { s: 1, id: 1 }],
    ['$/cancel', { s: 1, reason: 5 }],
    ['$/cancel', { id: null }],
    ['$/cancel', { id: 'x'.repeat(1025) }],
    ['$/progress', {}],
    ['$/progress', { id: 1 }],
    ['$/progress', { id: 1, progress: '1' }],
    ['$/progress', { id: 1, progress: null }],
    ['$/progress', { id: 1, progress: 1, total: '2' }],
    ['$/progress', { id: 1, progress: 1, message: 5 }],
    ['$/progress', { id: null, progress: 1 }],
  ])('%s %j', (method, params) => {
    expect(parse(ours(method, params))).toEqual(wrong(method));
  });

  it.each(['{"s":1,"n":1e999,"bytes":1}', '{"s":1e999,"n":1,"bytes":1}'])(
    'numbers too large: %s',
    (params) => {
      expect(parse(`{"jsonrpc":"2.0","method":"$/credit","params":${params}}`)).toEqual(wrong('$/credit'));
    },
  );

  it('whatever comes is read, or refused with a code', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .record(
              {
                jsonrpc: fc.constant('2.0'),
                id: fc.oneof(fc.jsonValue(), fc.nat()),
                method: fc.oneof(
                  fc.jsonValue(),
                  fc.constantFrom('$/next', '$/end', '$/credit', '$/cancel', '$/progress', 'a'),
                ),
                params: fc.jsonValue(),
                result: fc.jsonValue(),
                error: fc.jsonValue(),
              },
              { requiredKeys: ['jsonrpc'] },
            )
            .map((fields) => JSON.stringify(fields)),
        ),
        (text) => {
          const parsed = parseMessage(text, 1024);
          if (parsed.kind === 'invalid')
            expect([RPC.PARSE_ERROR, RPC.INVALID_REQUEST]).toContain(parsed.code);
        },
      ),
    );
  });

  it('JSON of any depth is no more than JSON', () => {
    const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
    expect(parse(`{"jsonrpc":"2.0","id":1,"method":"a","params":${deep}}`).kind).toBe('request');
    expect(parse(deep).kind).toBe('invalid');
  });
});

describe('peekId', () => {
  const rest = 'x'.repeat(2 ** 20);

  it.each([
    [serializeRequest(7, 'a', `"${rest}"`, undefined), { id: 7, isRequest: true }],
    [serializeResult(7, `"${rest}"`), { id: 7, isRequest: false }],
    [serializeResult('a"\\é', `"${rest}"`), { id: 'a"\\é', isRequest: false }],
    [serializeError(7, { code: 1, message: rest }), { id: 7, isRequest: false }],
  ])('our own messages %#', (text, expected) => {
    expect(peekId(text, 1024)).toEqual(expected);
  });

  it.each([
    serializeNotification('a', `"${rest}"`),
    serializeError(null, { code: 1, message: rest }),
    '',
    rest,
    `{"jsonrpc":"2.0","id":"${rest}`,
    `{"jsonrpc":"2.0","id":1e5,"method":"${rest}`,
    // What is no JSON text.
    '{"jsonrpc":"2.0","id":"\\q","method":"',
    '{"jsonrpc":"2.0","id":"\\u12","method":"',
    '{"jsonrpc":"2.0","id":"\n","method":"',
  ])('others have none %#', (text) => {
    expect(peekId(text, 1024)).toBeUndefined();
  });

  it('an id longer than ids may be -> none', () => {
    expect(peekId('{"jsonrpc":"2.0","id":"four","method":"', 4)).toEqual({ id: 'four', isRequest: true });
    expect(peekId('{"jsonrpc":"2.0","id":"four","method":"', 3)).toBeUndefined();
  });

  it('any text is read', () => {
    const start = fc.constantFrom('{"jsonrpc":"2.0","id":"', '{"jsonrpc":"2.0","id":');
    const end = fc.constantFrom('","method":', ',"result":', '');
    fc.assert(
      fc.property(start, fc.string({ unit: fc.constantFrom(...'\\"u0a\n') }), end, (...parts) => {
        const head = peekId(parts.join(''), 1024);
        if (head !== undefined) expect(['string', 'number']).toContain(typeof head.id);
      }),
    );
  });
});

describe('serialize', () => {
  it.each([
    [
      serializeRequest(1, 'a"b', '{"c":1}', undefined),
      '{"jsonrpc":"2.0","id":1,"method":"a\\"b","params":{"c":1}}',
    ],
    [serializeRequest(1, 'a', undefined, 'k'), '{"jsonrpc":"2.0","id":1,"method":"a","idempotencyKey":"k"}'],
    [
      serializeRequest(1, 'a', '[]', 'k"'),
      '{"jsonrpc":"2.0","id":1,"method":"a","params":[],"idempotencyKey":"k\\""}',
    ],
    [serializeNotification('a', undefined), '{"jsonrpc":"2.0","method":"a"}'],
    [serializeNotification('a', '[1]'), '{"jsonrpc":"2.0","method":"a","params":[1]}'],
    [serializeResult(1, '2'), '{"jsonrpc":"2.0","id":1,"result":2}'],
    [serializeResult('"', 'null'), '{"jsonrpc":"2.0","id":"\\"","result":null}'],
    [serializeResult(1e21, '2'), '{"jsonrpc":"2.0","id":1e+21,"result":2}'],
    [
      serializeError(1, { code: -1, message: 'm', data: undefined }),
      '{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m"}}',
    ],
    [
      serializeError(null, { code: -1, message: 'm', data: 2 }),
      '{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"m","data":2}}',
    ],
    [serializeNext(3, ['1', '"x"']), '{"jsonrpc":"2.0","method":"$/next","params":{"s":3,"items":[1,"x"]}}'],
    [serializeOurs('$/end', { s: 1 }), '{"jsonrpc":"2.0","method":"$/end","params":{"s":1}}'],
  ])('%s', (text, expected) => {
    expect(text).toBe(expected);
  });

  it('an error with more in it than an error has -> none of that', () => {
    const error = Object.assign(new Error('m'), { code: 1, data: 2, secret: 3 });
    expect(JSON.parse(serializeError(1, error)).error).toEqual({ code: 1, message: 'm', data: 2 });
  });

  it.each<[string, unknown]>([
    ['JSON does not hold', 5n],
    ['are too long', 'x'.repeat(200)],
  ])(
    'an error with data that %s -> without them, and no more than 1,024 characters of its message',
    (_, data) => {
      const serialize = (error: object) => JSON.stringify(error);
      const error = { code: 1, message: 'm'.repeat(2000), data };
      expect(serializeWithin(200, error, serialize)).toBe(`{"code":1,"message":"${'m'.repeat(1024)}"}`);
      expect(serializeWithin(200, { code: 1, message: 'm', data: [2] }, serialize)).toBe(
        '{"code":1,"message":"m","data":[2]}',
      );
    },
  );
});
