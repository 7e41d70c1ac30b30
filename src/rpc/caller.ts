// The calls and notifications that we make: from a method's name to the text that is sent, and from an answer to the promise
// it settles.

import { type WheelTimer, wheelOf } from '../agent/timer-wheel.js';
import type { ConversationParts } from './conversation-parts.js';
import { CallError, type ErrorObject, lostError, RPC, RpcError } from './errors.js';
import type { IncomingStream } from './incoming-stream.js';
import { type Id, serializeNotification, serializeOurs, serializeRequest } from './message.js';
import { type CallOptions, OutgoingCall, type OutgoingCallOwner, type Progress } from './outgoing-call.js';
import { decodeValue, encodeParams, isAsyncIterable } from './stream-reference.js';
import { receiveResult } from './validation.js';

/** For calls without streams, which are nearly all. */
const NONE: readonly never[] = [];

/** A stream among the params of a call. */
interface Produced {
  number: number;
  items: AsyncIterable<unknown>;
}

export class Caller<Peer> implements OutgoingCallOwner {
  readonly #parts: ConversationParts<Peer>;
  readonly #calls = new Map<Id, OutgoingCall>();
  #lastId = 0;
  /** For the deadlines of all calls: one for each would cost more than all else of a small call. */
  #timer: WheelTimer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(parts: ConversationParts<Peer>) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** @throws RpcError, RangeError, TypeError for what cannot be sent */
  call(method: string, params: unknown, options: CallOptions | undefined): Promise<unknown> {
    const { host, outbox, streams } = this.#parts;
    checkMethod(method);
    if (options !== undefined) checkOptions(options, host.limits.idLength);
    if (this.#calls.size >= host.limits.calls) {
      throw new RpcError(RPC.OVERLOADED, `${this.#calls.size} calls are in flight already`);
    }
    let produced: readonly Produced[] = NONE;
    const json = toJson(params, (items) => {
      const number = streams.nextNumber();
      produced = [...produced, { number, items }];
      return number;
    });
    streams.checkRoom(produced.length);
    const id = ++this.#lastId;
    const text = this.#checkLength(serializeRequest(id, method, json, options?.idempotencyKey));
    const nowMs = host.environment.now();
    const startedAt = host.isObserved ? nowMs : 0;
    const numbers = produced === NONE ? NONE : produced.map(({ number }) => number);
    const call = new OutgoingCall(id, method, this, options, nowMs, startedAt, numbers);
    this.#calls.set(id, call);
    this.#lookAt(call.deadline);
    outbox.send(text, call);
    for (const { number, items } of produced) {
      streams.produce(number, items, method);
      // Who makes the items has given the call up, or closed the peer.
      if (!this.#calls.has(id)) streams.stop(number);
    }
    return call.promise;
  }

  /**
   * @returns when it has left
   * @throws RpcError, TypeError for what cannot be sent
   */
  notify(method: string, params: unknown): Promise<void> {
    checkMethod(method);
    const json = toJson(params, () => {
      throw new TypeError(`${method}: a notification cannot take a stream along`);
    });
    const text = this.#checkLength(serializeNotification(method, json));
    return new Promise((resolve, reject) => {
      const onLost = (cause: Error): void => reject(lostError('not-sent', cause));
      this.#parts.outbox.send(text, { onSent: resolve, onLost });
    });
  }

  onResult(id: Id, result: unknown): void {
    const { streams, host } = this.#parts;
    const call = this.#calls.get(id);
    if (call === undefined) {
      // Too late for anybody. A stream that it brings would be kept for us for ever.
      decodeValue(result, (number) => streams.refuse(number));
      return;
    }
    let stream: IncomingStream | undefined;
    try {
      const value = decodeValue(result, (number) => {
        stream = streams.accept(number);
        call.hasStream = true;
        return stream;
      });
      if (call.signal !== undefined) stream?.follow(call.signal);
      const schemas = host.remoteSchemas(call.method);
      const received = schemas === undefined ? value : receiveResult(schemas, value);
      if (received instanceof Promise) {
        received.then(
          (valid) => call.resolve(valid),
          (error) => call.reject(error),
        );
      } else {
        call.resolve(received);
      }
    } catch (error) {
      stream?.cancel();
      call.hasStream = false;
      call.reject(error as Error);
    }
  }

  /** The call has failed, if anybody still waits for it. */
  onError(id: Id, error: ErrorObject): void {
    this.#calls.get(id)?.reject(new CallError(error, { isRemote: true }));
  }

  onProgress(id: Id, progress: Progress): void {
    this.#calls.get(id)?.onProgress(progress, this.#parts.host.environment.now());
  }

  /** The conversation is over. */
  endAll(error: Error): void {
    for (const call of this.#calls.values()) call.lose(error);
    this.stop();
  }

  /** Nothing is left of it. */
  stop(): void {
    if (this.#timer !== undefined) wheelOf(this.#parts.host.environment).cancel(this.#timer);
    this.#timer = undefined;
  }

  // What calls tell

  onSettled(call: OutgoingCall, code: number | undefined): void {
    const { host, streams } = this.#parts;
    this.#calls.delete(call.id);
    // While a streamed result goes on, the peer says itself when it wants no more of them.
    if (!call.hasStream) for (const number of call.streams) streams.stop(number);
    if (call.startedAt !== 0) host.onCallEnd('out', call.method, call.startedAt, code);
    this.#parts.onChange();
  }

  onGivenUp(call: OutgoingCall, reason: string): void {
    const { outbox } = this.#parts;
    if (!outbox.withdraw(call)) outbox.send(serializeOurs('$/cancel', { id: call.id, reason }));
  }

  /** Sees to it that deadlines are looked at when this one comes. */
  #lookAt(deadline: number): void {
    if (deadline >= this.#timerAt) return;
    const { environment } = this.#parts.host;
    const wheel = wheelOf(environment);
    if (this.#timer !== undefined) wheel.cancel(this.#timer);
    this.#timerAt = deadline;
    this.#timer = wheel.schedule(deadline - environment.now(), () => this.#look());
  }

  /** The call that it was set for may be answered long since: it is cheaper to look for nothing than to set it anew each time. */
  #look(): void {
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    const nowMs = this.#parts.host.environment.now();
    for (const call of this.#calls.values()) call.expire(nowMs);
    let next = Number.POSITIVE_INFINITY;
    for (const { deadline } of this.#calls.values()) next = Math.min(next, deadline);
    this.#lookAt(next);
  }

  #checkLength(text: string): string {
    const { maxBytes } = this.#parts;
    if (text.length <= maxBytes) return text;
    throw new RpcError(
      RPC.TOO_LARGE,
      `the message has a length of ${text.length}, and at most ${maxBytes} may be sent`,
    );
  }
}

/** @throws TypeError for the protocol's own */
export function checkMethod(method: string): void {
  if (method.startsWith('$/')) throw new TypeError(`${method}: names that begin with $/ are the protocol's`);
}

/** @throws RpcError `INVALID_PARAMS` for what JSON does not hold, and for what is neither object nor array in it */
function toJson(params: unknown, announce: (items: AsyncIterable<unknown>) => number): string | undefined {
  if (params === undefined) return undefined;
  if (typeof params !== 'object' || params === null || isAsyncIterable(params)) throw noParams();
  const encoded = encodeParams(params, announce);
  let json: string | undefined;
  try {
    json = JSON.stringify(encoded);
  } catch (cause) {
    throw new RpcError(RPC.INVALID_PARAMS, 'the params cannot be written as JSON', { cause });
  }
  // A Date is a text there.
  if (json?.[0] !== '{' && json?.[0] !== '[') throw noParams();
  return json;
}

function noParams(): RpcError {
  return new RpcError(RPC.INVALID_PARAMS, 'params are an object or an array');
}

/** @throws RpcError `CANCELLED`, RangeError */
function checkOptions(
  { signal, timeoutMs = 1, maxTotalMs = 1, idempotencyKey = '-' }: CallOptions,
  idLength: number,
): void {
  for (const [name, ms] of Object.entries({ timeoutMs, maxTotalMs })) {
    if (!(ms > 0)) throw new RangeError(`${name}: milliseconds above 0 were expected, got ${ms}`);
  }
  if (typeof idempotencyKey !== 'string' || idempotencyKey === '' || idempotencyKey.length > idLength) {
    throw new RangeError(`idempotencyKey: a text of 1 to ${idLength} characters was expected`);
  }
  if (signal?.aborted) {
    throw new RpcError(RPC.CANCELLED, 'the call was cancelled before it began', { cause: signal.reason });
  }
}
