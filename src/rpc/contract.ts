// Which methods a peer has, and what goes in and out of them: as plain types, which check nothing at run time, or as
// schemas, by which each end validates what it receives (validation.ts). The types of calls and handlers follow from both.

import {
  type InferInput,
  type InferOutput,
  isStandardSchema,
  type StandardSchema,
} from './standard-schema.js';
import type { RpcStream } from './stream.js';

/**
 * Methods by name. Either as a type, `interface Tools { add(params: { a: number; b: number }): number }`, where an
 * `AsyncIterable` that is the result or a direct member of params is a stream; or as schemas, see {@link defineContract}.
 */
export type Contract = object;

/** A contract that is there at run time. */
export interface SchemaContract {
  readonly [method: string]: MethodSchemas;
}

/** A method in schemas. Without `params` and `streams` it takes none, without `result` and `items` it gives none. */
export interface MethodSchemas {
  /** The params, but for those members that are streams. */
  readonly params?: StandardSchema;
  /** Each member of params that is a stream, with a schema of its items. */
  readonly streams?: { readonly [member: string]: StandardSchema };
  readonly result?: StandardSchema;
  /** The items, where the result is a stream. */
  readonly items?: StandardSchema;
}

const MEMBERS = ['params', 'streams', 'result', 'items'];

/**
 * A contract in schemas of any library that follows standardschema.dev:
 *
 * ```ts
 * const tools = defineContract({
 *   add: { params: z.object({ a: z.number(), b: z.number() }), result: z.number() },
 *   ticks: { params: z.object({ everyMs: z.number() }), items: z.string() },
 *   sum: { streams: { numbers: z.number() }, result: z.number() },
 * });
 * ```
 *
 * @returns the same object, frozen
 * @throws TypeError when it is no contract
 */
export function defineContract<C extends SchemaContract>(contract: C): Readonly<C> {
  if (!isRecord(contract)) throw new TypeError('contract: an object of methods was expected');
  for (const [name, method] of Object.entries(contract)) checkMethod(name, method);
  return Object.freeze(contract);
}

/** What a contract says of a method. Names come from the peer, and `toString` is none of the contract's. */
export function schemasOf(contract: SchemaContract, method: string): MethodSchemas | undefined {
  return Object.hasOwn(contract, method) ? contract[method] : undefined;
}

function checkMethod(name: string, method: unknown): void {
  if (name === '') throw new TypeError('contract: the name of a method is empty');
  if (name.startsWith('$/'))
    throw new TypeError(`contract: ${name}: names that begin with $/ are the protocol's`);
  if (!isRecord(method)) throw new TypeError(`contract: ${name}: an object with schemas was expected`);
  for (const [member, value] of Object.entries(method)) {
    if (!MEMBERS.includes(member)) throw new TypeError(`contract: ${name}.${member}: unknown member`);
    if (member === 'streams') checkStreams(name, value);
    else checkSchema(`${name}.${member}`, value);
  }
  if (Object.hasOwn(method, 'result') && Object.hasOwn(method, 'items')) {
    throw new TypeError(`contract: ${name}: a result is either a value (result) or a stream (items)`);
  }
  Object.freeze(method);
}

function checkStreams(name: string, streams: unknown): void {
  if (!isRecord(streams)) throw new TypeError(`contract: ${name}.streams: an object of schemas was expected`);
  for (const [member, schema] of Object.entries(streams)) checkSchema(`${name}.streams.${member}`, schema);
  Object.freeze(streams);
}

function checkSchema(where: string, schema: unknown): void {
  if (!isStandardSchema(schema)) throw new TypeError(`contract: ${where}: a Standard Schema was expected`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Without a contract (`any`) every string is one. */
export type MethodName<C> = {
  [M in keyof C]: C[M] extends MethodFunction | MethodSchemas ? M : never;
}[keyof C] &
  string;

/** What the caller passes; `undefined` where the method has no params. */
export type CallParams<C, M extends MethodName<C>> = Sides<C[M & keyof C]>['callParams'];

/** What the caller's promise gives. */
export type CallResult<C, M extends MethodName<C>> = Sides<C[M & keyof C]>['callResult'];

/** What the handler gets. */
export type HandlerParams<C, M extends MethodName<C>> = Sides<C[M & keyof C]>['handlerParams'];

/** What the handler returns, or its promise gives. */
export type HandlerResult<C, M extends MethodName<C>> =
  | Sides<C[M & keyof C]>['handlerResult']
  | Promise<Sides<C[M & keyof C]>['handlerResult']>;

export type Handler<C, M extends MethodName<C>, Context> = (
  params: HandlerParams<C, M>,
  context: Context,
) => HandlerResult<C, M>;

export type Handlers<C, Context> = { [M in MethodName<C>]?: Handler<C, M, Context> };

/** What follows the method's name in a notification. */
export type NotifyArguments<C, M extends MethodName<C>> =
  undefined extends CallParams<C, M> ? [params?: CallParams<C, M>] : [params: CallParams<C, M>];

/** What follows the method's name in a call. */
export type CallArguments<C, M extends MethodName<C>, Options> = [
  ...NotifyArguments<C, M>,
  options?: Options,
];

type MethodFunction = (params: never) => unknown;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** A method as its caller and its handler see it. */
type Sides<Method> =
  IsAny<Method> extends true
    ? AnySides
    : Method extends MethodFunction
      ? FunctionSides<Parameters<Method>[0], Awaited<ReturnType<Method>>>
      : Method extends MethodSchemas
        ? SchemaSides<Method>
        : never;

// biome-ignore-start lint/suspicious/noExplicitAny: without a contract a call is as lax as JSON.parse()
interface AnySides {
  callParams: any;
  callResult: any;
  handlerParams: any;
  handlerResult: any;
}
// biome-ignore-end lint/suspicious/noExplicitAny: see above

interface FunctionSides<Params, Result> {
  callParams: Params;
  callResult: Received<Result>;
  handlerParams: unknown extends Params ? Params : { [K in keyof Params]: Received<Params[K]> };
  /** Where nothing is expected, whatever an arrow function happens to return is fine. */
  // biome-ignore lint/suspicious/noConfusingVoidType: it is what methods without a result are declared with
  handlerResult: [Result] extends [void] ? unknown : Result;
}

type Received<T> = T extends AsyncIterable<infer Item> ? RpcStream<Item> : T;

interface SchemaSides<S extends MethodSchemas> {
  callParams: S extends { streams: infer Streams }
    ? Input<S, 'params', unknown> & { [K in keyof Streams]: AsyncIterable<Input<Streams, K>> }
    : Input<S, 'params', undefined>;
  callResult: S extends { items: StandardSchema } ? RpcStream<Output<S, 'items'>> : Output<S, 'result', void>;
  handlerParams: S extends { streams: infer Streams }
    ? Output<S, 'params', unknown> & { [K in keyof Streams]: RpcStream<Output<Streams, K>> }
    : Output<S, 'params', undefined>;
  handlerResult: S extends { items: StandardSchema }
    ? AsyncIterable<Input<S, 'items'>>
    : Input<S, 'result', unknown>;
}

/** What the schema in `S[K]` takes, or `Absent` without one. */
type Input<S, K, Absent = never> = K extends keyof S
  ? NonNullable<S[K]> extends infer Schema extends StandardSchema
    ? InferInput<Schema>
    : never
  : Absent;

/** What the schema in `S[K]` makes of that. */
type Output<S, K, Absent = never> = K extends keyof S
  ? NonNullable<S[K]> extends infer Schema extends StandardSchema
    ? InferOutput<Schema>
    : never
  : Absent;
