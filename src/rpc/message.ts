// Messages of the RPC wire: text to checked values, and back (JSON-RPC 2.0, docs/rpc-protocol.md). What they mean is left to
// `conversation.ts`.

import { type ErrorObject, RPC } from './errors.js';

export type Id = string | number;

/** A message as it came. What is `unknown` is the user's. */
export type Message =
  | { kind: 'request'; id: Id; method: string; params: unknown; idempotencyKey: string | undefined }
  | { kind: 'notification'; method: string; params: unknown }
  | { kind: 'result'; id: Id; result: unknown }
  | { kind: 'error'; id: Id | null; error: ErrorObject }
  | { kind: 'cancel'; id: Id; reason: string | undefined }
  | { kind: 'progress'; id: Id; progress: number; total: number | undefined; message: string | undefined }
  | { kind: 'next'; stream: number; items: unknown[] }
  | { kind: 'end'; stream: number; error: ErrorObject | undefined }
  | { kind: 'credit'; stream: number; items: number; bytes: number }
  | { kind: 'cancel-stream'; stream: number; reason: string | undefined }
  /** Of the methods with `$/`, one that we do not know: it may be left alone. */
  | { kind: 'unknown' }
  /** What is answered with an error; without an id that could be made out, with `id: null`. */
  | Invalid;

export interface Invalid {
  kind: 'invalid';
  id: Id | null;
  code: number;
  reason: string;
  /** The call that it was to answer. */
  answers?: Id;
}

type Fields = Record<string, unknown>;

/** Characters of what an error says, where it cannot be sent as it is. */
const LONGEST_MESSAGE = 1024;

/** @param idLength the longest id and idempotency key to take, in characters */
export function parseMessage(text: string, idLength: number): Message {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return invalid(null, 'not JSON', RPC.PARSE_ERROR);
  }
  if (Array.isArray(value)) return invalid(null, 'batches are not supported: send one message for each call');
  if (!isObject(value) || value.jsonrpc !== '2.0') {
    return invalid(null, 'not a JSON-RPC 2.0 object');
  }
  return readMessage(value, idLength);
}

/** The id of a message that is too long to be parsed, and whether it is a call; as our own messages begin. */
export function peekId(text: string, idLength: number): { id: Id; isRequest: boolean } | undefined {
  const head = /^\{"jsonrpc":"2\.0","id":(\d{1,15}|"(?:[^"\\]|\\.){0,1024}"),"(\w+)":/.exec(
    text.slice(0, 8192),
  );
  if (head === null) return undefined;
  try {
    const id: unknown = JSON.parse(head[1]!);
    return isId(id, idLength) ? { id, isRequest: head[2] === 'method' } : undefined;
  } catch {
    // It only looked like a text.
    return undefined;
  }
}

/** The stream of items that are too long to be parsed. */
export function peekStream(text: string): number | undefined {
  const head = /^\{"jsonrpc":"2\.0","method":"\$\/next","params":\{"s":(\d{1,15}),/.exec(text.slice(0, 128));
  return head === null ? undefined : Number(head[1]);
}

/** @param params JSON, or undefined where there are none */
export function serializeRequest(
  id: number,
  method: string,
  params: string | undefined,
  idempotencyKey: string | undefined,
): string {
  const key = idempotencyKey === undefined ? '' : `,"idempotencyKey":${JSON.stringify(idempotencyKey)}`;
  return `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)}${
    params === undefined ? '' : `,"params":${params}`
  }${key}}`;
}

/** @param params JSON, or undefined where there are none */
export function serializeNotification(method: string, params: string | undefined): string {
  const rest = params === undefined ? '' : `,"params":${params}`;
  return `{"jsonrpc":"2.0","method":${JSON.stringify(method)}${rest}}`;
}

/** @param result JSON */
export function serializeResult(id: Id, result: string): string {
  return `{"jsonrpc":"2.0","id":${typeof id === 'number' ? id : JSON.stringify(id)},"result":${result}}`;
}

export function serializeError(id: Id | null, { code, message, data }: ErrorObject): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, data } });
}

/**
 * Whatever a program put into its error, a message comes out: without the data where JSON does not hold them, or where they
 * would make it longer than `maxBytes`.
 */
export function serializeWithin(
  maxBytes: number,
  { code, message, data }: ErrorObject,
  serialize: (error: ErrorObject) => string,
): string {
  try {
    const text = serialize({ code, message, data });
    if (text.length <= maxBytes) return text;
  } catch {
    // They are circular, or a BigInt.
  }
  return serialize({ code, message: message.slice(0, LONGEST_MESSAGE) });
}

/** @param items JSON of each */
export function serializeNext(stream: number, items: string[]): string {
  return `{"jsonrpc":"2.0","method":"$/next","params":{"s":${stream},"items":[${items.join(',')}]}}`;
}

/** Our own notifications, all but `$/next`. */
export function serializeOurs(
  method: '$/cancel' | '$/progress' | '$/end' | '$/credit',
  params: object,
): string {
  return `{"jsonrpc":"2.0","method":"${method}","params":${JSON.stringify(params)}}`;
}

function readMessage(fields: Fields, idLength: number): Message {
  const { id, method } = fields;
  const hasId = Object.hasOwn(fields, 'id');
  if (method !== undefined) {
    if (!hasId) return readNotification(fields, idLength);
    if (!isId(id, idLength))
      return invalid(null, `an id is a number, or a text of at most ${idLength} characters`);
    return readRequest(fields, id, idLength);
  }
  if (isErrorObject(fields.error) && (id === null || isId(id, idLength))) {
    return { kind: 'error', id, error: fields.error };
  }
  if (isId(id, idLength) && Object.hasOwn(fields, 'result')) {
    return { kind: 'result', id, result: fields.result };
  }
  const neither = invalid(null, 'neither a call nor an answer');
  return isId(id, idLength) ? { ...neither, answers: id } : neither;
}

function readRequest(fields: Fields, id: Id, idLength: number): Message {
  const { method, params, idempotencyKey } = fields;
  if (typeof method !== 'string') return invalid(id, 'a method is a text');
  if (!isParams(params)) return invalid(id, 'params are an object or an array');
  if (!isText(idempotencyKey) || idempotencyKey === '' || (idempotencyKey?.length ?? 0) > idLength) {
    return invalid(id, `an idempotency key is a text of 1 to ${idLength} characters`);
  }
  return { kind: 'request', id, method, params, idempotencyKey };
}

function readNotification({ method, params }: Fields, idLength: number): Message {
  if (typeof method !== 'string') return invalid(null, 'a method is a text');
  if (!isParams(params)) return invalid(null, 'params are an object or an array');
  if (!method.startsWith('$/')) return { kind: 'notification', method, params };
  return readOurs(method, (params ?? {}) as Fields, idLength) ?? invalid(null, `${method}: wrong params`);
}

/** @returns undefined when the params are not as they have to be */
function readOurs(method: string, params: Fields, idLength: number): Message | undefined {
  const { s: stream, id, reason, message, total } = params;
  switch (method) {
    case '$/next': {
      const { items } = params;
      return isNumber(stream) && Array.isArray(items) && items.length > 0
        ? { kind: 'next', stream, items }
        : undefined;
    }
    case '$/credit': {
      const { n: items, bytes } = params;
      return isNumber(stream) && isCount(items) && isCount(bytes)
        ? { kind: 'credit', stream, items, bytes }
        : undefined;
    }
    case '$/end': {
      const { error } = params;
      return isNumber(stream) && (error === undefined || isErrorObject(error))
        ? { kind: 'end', stream, error }
        : undefined;
    }
    case '$/cancel':
      if (!isText(reason)) return undefined;
      if (isNumber(stream) && id === undefined) return { kind: 'cancel-stream', stream, reason };
      return isId(id, idLength) && stream === undefined ? { kind: 'cancel', id, reason } : undefined;
    case '$/progress': {
      const { progress } = params;
      const isRight =
        isId(id, idLength) &&
        Number.isFinite(progress) &&
        (total === undefined || Number.isFinite(total)) &&
        isText(message);
      return isRight
        ? { kind: 'progress', id, progress: progress as number, total: total as number | undefined, message }
        : undefined;
    }
    default:
      return { kind: 'unknown' };
  }
}

function invalid(id: Id | null, reason: string, code: number = RPC.INVALID_REQUEST): Invalid {
  return { kind: 'invalid', id, code, reason };
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function isId(value: unknown, idLength: number): value is Id {
  return typeof value === 'string' ? value.length <= idLength : Number.isFinite(value);
}

function isParams(value: unknown): boolean {
  return value === undefined || isObject(value);
}

/** The number of a stream. */
function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

function isErrorObject(value: unknown): value is ErrorObject {
  return isObject(value) && Number.isSafeInteger(value.code) && typeof value.message === 'string';
}
