import { runInNewContext } from 'node:vm';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isStandardSchema, type StandardSchema, validate } from '../../src/rpc/standard-schema.js';
import { later, refusing, schemaOf, throwing } from './schemas.js';

const libraries: Array<[name: string, schema: StandardSchema, asynchronous: StandardSchema]> = [
  [
    'zod',
    z.object({ a: z.array(z.object({ b: z.coerce.number() })) }),
    z.string().refine(async (text) => text === 'yes'),
  ],
  [
    'valibot',
    v.object({ a: v.array(v.object({ b: v.pipe(v.unknown(), v.transform(Number), v.number()) })) }),
    v.pipeAsync(
      v.string(),
      v.checkAsync(async (text) => text === 'yes'),
    ),
  ],
];

describe.each(libraries)('a schema of %s', (_name, schema, asynchronous) => {
  it('is a Standard Schema', () => {
    expect(isStandardSchema(schema)).toBe(true);
  });

  it('a valid value -> what the validator made of it, at once', () => {
    expect(validate(schema, { a: [{ b: '1' }] })).toEqual({ value: { a: [{ b: 1 }] } });
  });

  it('an invalid value -> plain issues with their paths, at once', () => {
    const validation = validate(schema, { a: [{ b: '1' }, { b: 'x' }] });
    expect(validation).toEqual({
      issues: [{ path: ['a', 1, 'b'], message: expect.stringMatching(/number/) }],
    });
    expect(JSON.parse(JSON.stringify(validation))).toEqual(validation);
  });

  it('an asynchronous validator -> a promise', async () => {
    const [valid, invalid] = [validate(asynchronous, 'yes'), validate(asynchronous, 'no')];
    expect([valid, invalid]).toEqual([expect.any(Promise), expect.any(Promise)]);
    expect(await valid).toEqual({ value: 'yes' });
    expect(await invalid).toEqual({ issues: [{ path: [], message: expect.any(String) }] });
  });
});

describe('isStandardSchema', () => {
  it('a function that carries one, as those of ArkType -> true', () => {
    expect(isStandardSchema(Object.assign(() => {}, later))).toBe(true);
  });

  it.each([
    ['null', null],
    ['a string', '~standard'],
    ['an object without one', {}],
    ['another version', { '~standard': { version: 2, vendor: 'test', validate() {} } }],
    ['no validate()', { '~standard': { version: 1, vendor: 'test' } }],
  ])('%s -> false', (_name, value) => {
    expect(isStandardSchema(value)).toBe(false);
  });
});

describe('a validator that cannot judge', () => {
  const failed = { issues: [{ path: [], message: 'the validator failed' }] };

  it('throws -> the value is not valid, and only the cause says what was thrown', () => {
    const validation = validate(throwing, 1);
    expect(validation).toEqual({ ...failed, cause: new Error('SELECT secret') });
    expect(JSON.stringify((validation as typeof failed).issues)).not.toContain('secret');
  });

  it('rejects -> the same', async () => {
    const cause = new Error('secret');
    expect(
      await validate(
        schemaOf(() => Promise.reject(cause)),
        1,
      ),
    ).toEqual({ ...failed, cause });
  });

  it.each([
    ['nothing', undefined],
    ['issues that are no list', { issues: 5 }],
    ['an issue that is none', { issues: [null] }],
  ])('answers %s -> the value is not valid', async (_name, answer) => {
    expect(
      validate(
        schemaOf(() => answer as never),
        1,
      ),
    ).toMatchObject(failed);
    expect(
      await validate(
        schemaOf(async () => answer as never),
        1,
      ),
    ).toMatchObject(failed);
  });

  it('answers with a promise of another realm -> it is waited for', async () => {
    const promise = runInNewContext('Promise.resolve({ issues: [] })');
    expect(
      await validate(
        schemaOf(() => promise),
        1,
      ),
    ).toEqual({ issues: [] });
  });
});

describe('issues', () => {
  it('segments of a path may be objects, and keys symbols -> strings and numbers', () => {
    const path = ['a', 1, { key: 'b' }, { key: 2 }, Symbol('c'), { key: Symbol('d') }];
    expect(validate(refusing({ message: 'no', path }), 1)).toEqual({
      issues: [{ path: ['a', 1, 'b', 2, 'Symbol(c)', 'Symbol(d)'], message: 'no' }],
    });
  });

  it('only path and message travel', () => {
    const issue = { message: 'no', path: ['a'], input: 'secret', expected: 'number' };
    expect(validate(refusing(issue), 1)).toEqual({ issues: [{ path: ['a'], message: 'no' }] });
  });

  it('there are many, and long -> 32, with paths of 16, keys of 64 characters and messages of 256', () => {
    const long = { message: 'm'.repeat(1000), path: Array<string>(1000).fill('k'.repeat(1000)) };
    const issues = Array<typeof long>(1000).fill(long);
    const bounded = { message: 'm'.repeat(256), path: Array(16).fill('k'.repeat(64)) };
    expect(validate(refusing(...issues), 1)).toEqual({ issues: Array(32).fill(bounded) });
  });
});
