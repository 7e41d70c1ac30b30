// The calls and notifications that the peer makes: from what came to the handler, and from what the handler gives to the
// answer. How many there may be, what is done once, and what an error tells of itself, are decided here.

import { SessionError } from '../agent/errors.js';
import type { AnyHandler, ConversationParts, ErrorContext } from './conversation-parts.js';
import { CallError, type ErrorObject, RPC, RpcError } from './errors.js';
import { handleOnce } from './idempotent-call.js';
import { IncomingCall, type IncomingCallOwner } from './incoming-call.js';
import type { IncomingStream } from './incoming-stream.js';
import { type Id, serializeError, serializeOurs, serializeResult, serializeWithin } from './message.js';
import { decodeParams, discard, encodeValue, isAsyncIterable } from './stream-reference.js';
import { receiveParams } from './validation.js';

/** For calls without streams, which are nearly all. */
const NONE: readonly IncomingStream[] = [];

interface ReceivedParams {
  params: unknown;
  streams: readonly IncomingStream[];
  /** There is no room for one of them, or its number is none. */
  error: RpcError | undefined;
}

export class Responder<Peer> implements IncomingCallOwner<Peer> {
  readonly #parts: ConversationParts<Peer>;
  readonly #calls = new Map<Id, IncomingCall<Peer>>();
  /** Notifications whose handlers are at work. */
  readonly #notifications = new Set<IncomingCall<Peer>>();
  /** Answers to calls that were refused, which have not left. */
  #refusals = 0;

  constructor(parts: ConversationParts<Peer>) {
    this.#parts = parts;
  }

  get peer(): Peer {
    return this.#parts.host.peer;
  }

  /** Those at work, and those whose answer has not left. */
  get size(): number {
    return this.#calls.size + this.#notifications.size;
  }

  onCall(id: Id, method: string, sentParams: unknown, idempotencyKey: string | undefined): void {
    const { host } = this.#parts;
    const { params, streams, error } = this.#receiveStreams(sentParams);
    const handler = host.handlerOf(method);
    const refusal = error ?? this.#refusalOf(id, handler, idempotencyKey);
    if (refusal !== undefined) {
      for (const stream of streams) stream.cancel();
      this.refuse(id, refusal);
      return;
    }
    const startedAt = host.isObserved ? host.environment.now() : 0;
    const call = new IncomingCall<Peer>(id, method, idempotencyKey, this, startedAt, streams);
    this.#calls.set(id, call);
    this.#run(call, handler!, params);
  }

  onNotification(method: string, sentParams: unknown): void {
    const { host } = this.#parts;
    const { params, streams, error } = this.#receiveStreams(sentParams);
    const handler = host.handlerOf(method);
    let refusal = error;
    if (streams.length > 0)
      refusal ??= new RpcError(RPC.INVALID_REQUEST, 'a notification takes no streams along');
    refusal ??= this.#refusalOf(undefined, handler, undefined);
    if (refusal !== undefined) {
      for (const stream of streams) stream.cancel();
      host.onError(refusal, { method });
      return;
    }
    const startedAt = host.isObserved ? host.environment.now() : 0;
    const call = new IncomingCall<Peer>(undefined, method, undefined, this, startedAt, NONE);
    this.#notifications.add(call);
    this.#run(call, handler!, params);
  }

  /** The caller has given up. */
  onCancel(id: Id, reason: string | undefined): void {
    this.#calls.get(id)?.abort(new RpcError(RPC.CANCELLED, reason ?? 'the caller gave up'));
  }

  /** Answers with an error at once. Who does not read its answers gets no more than so many. */
  refuse(id: Id | null, { code, message, data }: ErrorObject): void {
    const { outbox, host } = this.#parts;
    host.onError(new RpcError(code, message, { data }), { id: id ?? undefined });
    if (this.#refusals >= host.limits.calls) return;
    this.#refusals++;
    // An answer with the id of a call in flight would be taken for the answer of that call.
    const free = id !== null && this.#calls.has(id) ? null : id;
    outbox.send(serializeError(free, { code, message, data }), { onSent: () => this.#refusals-- });
  }

  /** The conversation is over. */
  endAll(error: Error): void {
    for (const call of [...this.#calls.values(), ...this.#notifications]) call.abort(error);
  }

  /** What the peer is told of an error, and nothing else of it. */
  describe(error: unknown, { method, id }: ErrorContext): ErrorObject {
    // What the caller is not told has to be told here.
    if (!isForCaller(error) || error.cause !== undefined) this.#parts.host.onError(error, { method, id });
    if (isForCaller(error)) {
      const { code, message, data } = error;
      return { code, message, data };
    }
    if (error instanceof SessionError && error.code === 'store-full') {
      return { code: RPC.OVERLOADED, message: 'too many idempotency keys are in use' };
    }
    return { code: RPC.INTERNAL_ERROR, message: 'internal error' };
  }

  // What calls tell

  sendProgress(
    { id }: IncomingCall<Peer>,
    progress: number,
    total: number | undefined,
    message: string | undefined,
  ): void {
    this.#parts.outbox.sendProgress(id, serializeOurs('$/progress', { id, progress, total, message }));
  }

  onOver(call: IncomingCall<Peer>): void {
    if (call.id === undefined) this.#notifications.delete(call);
    else this.#calls.delete(call.id);
    this.#parts.onChange();
  }

  /** Makes streams of their numbers. Those that there is no room for are refused. */
  #receiveStreams(sent: unknown): ReceivedParams {
    let streams = NONE;
    let error: RpcError | undefined;
    const params = decodeParams(sent, (number) => {
      if (error !== undefined) {
        // Quickly: a message has room for more of them than there is time to make errors for.
        this.#parts.streams.refuse(number);
        return undefined;
      }
      try {
        const stream = this.#parts.streams.accept(number);
        streams = [...streams, stream];
        return stream;
      } catch (refusal) {
        error = refusal as RpcError;
        return undefined;
      }
    });
    return { params, streams, error };
  }

  #refusalOf(
    id: Id | undefined,
    handler: AnyHandler<Peer> | undefined,
    idempotencyKey: string | undefined,
  ): RpcError | undefined {
    const { host } = this.#parts;
    if (id !== undefined && this.#calls.has(id)) {
      return new RpcError(RPC.INVALID_REQUEST, 'the id is that of a call in flight', { data: { id } });
    }
    if (this.size >= host.limits.calls) return new RpcError(RPC.OVERLOADED, 'too many calls are in flight');
    if (handler === undefined) return new RpcError(RPC.METHOD_NOT_FOUND, 'there is no such method');
    if (idempotencyKey !== undefined && host.idempotency === undefined) {
      return new RpcError(RPC.NOT_IDEMPOTENT, 'nothing is remembered here under an idempotency key');
    }
    return undefined;
  }

  /** Without a promise where neither validators nor handler make one. */
  #run(call: IncomingCall<Peer>, handler: AnyHandler<Peer>, params: unknown): void {
    const { host } = this.#parts;
    try {
      const schemas = host.localSchemas(call.method);
      const received = schemas === undefined ? params : receiveParams(schemas, params);
      const result =
        received instanceof Promise
          ? received.then((valid) => (call.isAwaited ? this.#handle(call, handler, valid) : undefined))
          : this.#handle(call, handler, received);
      if (isThenable(result)) {
        // One that is no Promise of the language may call both of them, and more than once.
        Promise.resolve(result).then(
          (value) => this.#answer(call, value),
          (error) => this.#fail(call, error),
        );
      } else {
        this.#answer(call, result);
      }
    } catch (error) {
      this.#fail(call, error);
    }
  }

  #handle(call: IncomingCall<Peer>, handler: AnyHandler<Peer>, params: unknown): unknown {
    if (call.idempotencyKey === undefined) return handler(params, call);
    const { store, principal } = this.#parts.host.idempotency!;
    // The caller's part as it is: with escapes it could be longer than a store takes.
    const key = JSON.stringify([principal, call.method]) + call.idempotencyKey;
    return handleOnce(call, store, key, async () => handler(params, call));
  }

  #answer(call: IncomingCall<Peer>, result: unknown): void {
    if (!call.isAwaited || call.id === undefined) {
      if (isAsyncIterable(result)) discard(result);
      this.#settle(call, undefined);
      this.onOver(call);
    } else if (isAsyncIterable(result)) {
      this.#answerWithStream(call, call.id, result);
    } else {
      try {
        const json = JSON.stringify(encodeValue(result, () => 0)) ?? 'null';
        const text = serializeResult(call.id, json);
        this.#checkLength(text);
        this.#settle(call, undefined);
        this.#parts.outbox.send(text, call);
      } catch (error) {
        this.#fail(call, error);
      }
    }
  }

  #answerWithStream(call: IncomingCall<Peer>, id: Id, items: AsyncIterable<unknown>): void {
    const { streams, outbox } = this.#parts;
    try {
      streams.checkRoom(1);
    } catch (error) {
      discard(items);
      this.#fail(call, error);
      return;
    }
    const number = streams.nextNumber();
    call.isAwaited = false;
    outbox.dropProgress(id);
    outbox.send(serializeResult(id, `{"stream":${number}}`), call);
    streams.produce(number, items, call.method, (wasStopped) => {
      if (wasStopped) call.abort(new RpcError(RPC.CANCELLED, 'nobody reads the stream any more'));
      this.#settle(call, wasStopped ? RPC.CANCELLED : undefined);
    });
  }

  #fail(call: IncomingCall<Peer>, error: unknown): void {
    // That it was given up is no news.
    const described = call.isAwaited ? this.describe(error, call) : undefined;
    this.#settle(call, described?.code ?? RPC.CANCELLED);
    if (described === undefined || call.id === undefined) {
      this.onOver(call);
      return;
    }
    const { outbox, maxBytes } = this.#parts;
    const { id } = call;
    outbox.send(
      serializeWithin(maxBytes, described, (error) => serializeError(id, error)),
      call,
    );
  }

  /** The handler is done. */
  #settle(call: IncomingCall<Peer>, code: number | undefined): void {
    const { host, outbox } = this.#parts;
    call.cancelStreams();
    outbox.dropProgress(call.id);
    call.isAwaited = false;
    if (call.startedAt !== 0) host.onCallEnd('in', call.method, call.startedAt, code);
  }

  #checkLength(text: string): void {
    const { maxBytes } = this.#parts;
    if (text.length <= maxBytes) return;
    throw new RpcError(
      RPC.TOO_LARGE,
      `the result has a length of ${text.length}, and at most ${maxBytes} may be sent`,
    );
  }
}

/** Whether a handler made it for its caller, rather than got it from a call of its own. */
function isForCaller(error: unknown): error is RpcError {
  return error instanceof RpcError && !(error instanceof CallError) && Number.isSafeInteger(error.code);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function'
  );
}
