// What the peer sent is held against the contract before the application sees it: params at the handler, results at the
// caller, and the items of streams as they are read. At once where the validators are.

import type { MethodSchemas } from './contract.js';
import { ofCall, RPC, RpcError } from './errors.js';
import {
  boundIssues,
  type Issue,
  type StandardSchema,
  type Validation,
  validate,
} from './standard-schema.js';
import type { RpcStream } from './stream.js';
import { isAsyncIterable } from './stream-reference.js';

/** Nothing in JSON is iterable like this: it is a stream of ours. */
const isStream = isAsyncIterable as (value: unknown) => value is RpcStream<unknown>;

interface Failure {
  issues: Issue[];
  cause?: unknown;
}

/** Makes the error of its direction. */
type Refusal = (failure: Failure) => unknown;

/** Where the validator itself failed, what it threw: that is no fault of the params, but ours, as when a handler fails. */
const invalidParams: Refusal = (failure) =>
  'cause' in failure ? failure.cause : invalid(RPC.INVALID_PARAMS, 'invalid params', failure);
const invalidResult: Refusal = (failure) =>
  ofCall(invalid(RPC.INVALID_RESULT, 'invalid result', failure)) as RpcError;

/**
 * The params for the handler, or a promise of them where a validator gave one. What the contract has no `params` for is left
 * out, but for streams: they cost something, so that one too many is an error. Who calls cancels them then.
 *
 * @throws RpcError `INVALID_PARAMS`, or what a validator threw; so does a stream in them where an item is not valid
 */
export function receiveParams(schemas: MethodSchemas, params: unknown): unknown {
  const streams = streamsIn(params);
  return whenSettled(validateParams(schemas, params, streams), (validation) => {
    if ('issues' in validation) throw invalidParams(validation);
    if (schemas.streams === undefined) return validation.value;
    const validated = Object.entries(schemas.streams).map(([member, schema]) => {
      return [member, new ValidatedStream(streams.get(member)!, schema, invalidParams, [member])];
    });
    return { ...(validation.value as object), ...Object.fromEntries(validated) };
  });
}

/**
 * The result for the caller, or a promise of it where a validator gave one. Without `result` in the contract it is left out.
 *
 * @throws RpcError `INVALID_RESULT`, as a stream does where an item is not valid
 */
export function receiveResult(schemas: MethodSchemas, result: unknown): unknown {
  if (schemas.items !== undefined) {
    if (isStream(result)) return new ValidatedStream(result, schemas.items, invalidResult, []);
    throw invalidResult({ issues: [{ path: [], message: 'a stream was expected' }] });
  }
  if (isStream(result)) throw invalidResult({ issues: [{ path: [], message: 'no stream was expected' }] });
  return (
    schemas.result &&
    whenSettled(validate(schemas.result, result), (validation) => {
      if ('issues' in validation) throw invalidResult(validation);
      return validation.value;
    })
  );
}

/** A stream whose items are validated as they are read. The first that is not valid ends it. */
class ValidatedStream implements RpcStream<unknown> {
  readonly #source: RpcStream<unknown>;
  readonly #schema: StandardSchema;
  readonly #refusal: Refusal;
  /** Where the stream is in the params. */
  readonly #path: string[];
  #index = 0;
  #isRefused = false;

  constructor(source: RpcStream<unknown>, schema: StandardSchema, refusal: Refusal, path: string[]) {
    this.#source = source;
    this.#schema = schema;
    this.#refusal = refusal;
    this.#path = path;
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    const result = await this.#source.next();
    if (result.done) return result;
    const index = this.#index++;
    const validation = await validate(this.#schema, result.value);
    // An item was asked for before the one ahead of it was refused.
    if (this.#isRefused) return { done: true, value: undefined };
    if ('value' in validation) return { done: false, value: validation.value };
    this.#isRefused = true;
    this.cancel('invalid item');
    const issues = validation.issues.map(({ path, message }) => ({
      path: [...this.#path, index, ...path],
      message,
    }));
    throw this.#refusal({ ...validation, issues });
  }

  async return(): Promise<IteratorResult<unknown, undefined>> {
    await this.cancel();
    return { done: true, value: undefined };
  }

  cancel(reason?: string): Promise<void> {
    return this.#source.cancel(reason);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cancel();
  }
}

function streamsIn(params: unknown): Map<string, RpcStream<unknown>> {
  const streams = new Map<string, RpcStream<unknown>>();
  if (typeof params !== 'object' || params === null) return streams;
  for (const [member, value] of Object.entries(params)) if (isStream(value)) streams.set(member, value);
  return streams;
}

/** Validates what is no stream; which streams there are is for the contract to say. */
function validateParams(
  { params: schema, streams: declared = {} }: MethodSchemas,
  params: unknown,
  streams: ReadonlyMap<string, unknown>,
): Validation<unknown> | Promise<Validation<unknown>> {
  const missing = Object.keys(declared).filter((member) => !streams.has(member));
  const unexpected = [...streams.keys()].filter((member) => !Object.hasOwn(declared, member));
  if (missing.length + unexpected.length > 0) {
    return {
      issues: boundIssues([
        ...missing.map((member) => ({ path: [member], message: 'a stream was expected' })),
        ...unexpected.map((member) => ({ path: [member], message: 'no stream was expected' })),
      ]),
    };
  }
  if (schema === undefined) return { value: undefined };
  if (streams.size === 0) return validate(schema, params);
  const others = Object.entries(params as object).filter(([member]) => !streams.has(member));
  return validate(schema, Object.fromEntries(others));
}

function invalid(code: number, what: string, { issues, cause }: Failure): RpcError {
  const first = issues[0];
  const where =
    first === undefined ? [] : [first.path.join('.'), first.message].filter((part) => part !== '');
  return new RpcError(code, [what, ...where].join(': '), { data: { issues }, cause });
}

function whenSettled<T, R>(value: T | Promise<T>, then: (value: T) => R): R | Promise<R> {
  return value instanceof Promise ? value.then(then) : then(value);
}
