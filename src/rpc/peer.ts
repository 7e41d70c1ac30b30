// What users have of it: a peer that calls and is called, over a session or a WebSocket. Both ends are alike.

import { type ActiveEntry, track, untrack } from '../agent/debug.js';
import { channels, type RpcMessage } from '../agent/diagnostics.js';
import { Emitter } from '../agent/emitter.js';
import { type Environment, environment as machine } from '../agent/environment.js';
import type { IdempotencyStore } from '../agent/idempotency.js';
import { quiet } from '../agent/quiet.js';
import type { Session } from '../agent/session.js';
import { checkMethod } from './caller.js';
import type { Carrier, Connection, ConnectionOwner, ConversationHandler } from './carrier.js';
import {
  type CallArguments,
  type CallResult,
  type Contract,
  defineContract,
  type Handler,
  type Handlers,
  type MethodName,
  type NotifyArguments,
  type SchemaContract,
  schemasOf,
} from './contract.js';
import { Conversation } from './conversation.js';
import type { AnyHandler, ConversationHost, ErrorContext } from './conversation-parts.js';
import { lostError, ofCall } from './errors.js';
import type { CallContext } from './incoming-call.js';
import { checkLimits, type RpcLimits } from './limits.js';
import type { CallOptions } from './outgoing-call.js';
import { SessionConnection } from './session-connection.js';
import { type RpcSocket, SocketConnection } from './socket-connection.js';

export interface RpcPeerOptions<Remote = Contract, Local = Contract, Peer = unknown> {
  /** What the peer offers, where it is to be checked at run time: its results and items are validated. */
  remote?: Remote & SchemaContract;
  /** What we offer: params are validated. Methods that are not in it can be handled all the same, unchecked. */
  local?: Local & SchemaContract;
  /** By name, as members of its own; more can be added with {@link RpcPeer.handle}. */
  handlers?: Handlers<Local, CallContext<Peer>>;
  /**
   * Remembers the results of calls that bring an idempotency key. One store for all peers of a server, or a client that comes
   * back with a lost session's key finds nothing. `principal` is whose keys they are: over a server's session its principal,
   * elsewhere to be given.
   */
  idempotency?: { store: IdempotencyStore; principal?: string };
  limits?: RpcLimits;
  /** Closes the peer when it is aborted. */
  signal?: AbortSignal;
}

export interface RpcEvents {
  /**
   * What a handler threw and its caller was not told, what the peer sent that made no sense, what was refused. Nothing is
   * thrown where nobody listens.
   */
  error: [error: unknown, about: ErrorContext];
  /** The session was lost: what was in flight has failed, and a new session begins. */
  lost: [error: Error];
  /** It is over. `error` unless one of the two ends wanted it. */
  close: [end: { error: Error | undefined }];
}

/** What is in flight, to the peer (`out`) and from it (`in`). */
export interface RpcStats {
  callsOut: number;
  callsIn: number;
  streamsOut: number;
  streamsIn: number;
}

/**
 * One end of a conversation. It takes all messages of its session or socket, and closes it when it is closed.
 *
 * @example
 * ```ts
 * interface Tools { add(params: { a: number; b: number }): number; ticks(): AsyncIterable<string> }
 * const peer = new RpcPeer<Tools>(connectSession('wss://tools.example/agent'));
 * console.log(await peer.call('add', { a: 1, b: 2 }));
 * for await (const tick of await peer.call('ticks')) console.log(tick);
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: without a contract every method is one, with any params
export class RpcPeer<Remote extends Contract = any, Local extends Contract = any> extends Emitter<RpcEvents> {
  readonly #options: RpcPeerOptions<Remote, Local, this>;
  readonly #handlers: Map<string, AnyHandler<this>>;
  readonly #environment: Environment;
  readonly #createdAt: number;
  readonly #host: ConversationHost<this>;
  readonly #connection: Connection;
  #conversation!: Conversation<this>;
  /** Those of former sessions, with calls in flight. */
  readonly #leaving = new Set<Conversation<this>>();
  #isClosed = false;

  /**
   * @param connection a session, or a WebSocket with the face of `ws` or of the standard; open, or being opened
   * @param environment time and randomness; only tests bring their own
   * @throws TypeError for a session whose queue drops messages, and for a contract that is none; RangeError for limits that
   *   are none
   */
  constructor(
    connection: Session | RpcSocket,
    options: RpcPeerOptions<Remote, Local, RpcPeer<Remote, Local>> = {},
    environment: Environment = machine,
  ) {
    super();
    for (const contract of [options.remote, options.local])
      if (contract !== undefined) defineContract(contract);
    this.#options = options as RpcPeerOptions<Remote, Local, this>;
    this.#handlers = new Map(Object.entries(options.handlers ?? {}) as [string, AnyHandler<this>][]);
    this.#environment = environment;
    this.#createdAt = environment.now();
    this.#host = this.#createHost(connection, checkLimits(options.limits ?? {}));
    const owner: ConnectionOwner = {
      begin: (carrier) => this.#begin(carrier),
      onLost: (error) => this.emit('lost', error),
      onClosed: (error) => this.#onClosed(error),
    };
    this.#connection =
      'readyState' in connection
        ? new SocketConnection(connection, owner, environment)
        : new SessionConnection(connection, owner);
    track(this);
    const { signal } = options;
    signal?.addEventListener('abort', this.#onAbort);
    if (signal?.aborted) this.#onAbort();
  }

  /**
   * Calls a method of the peer.
   *
   * @returns its result; for a streamed one, a stream as soon as it begins
   * @throws (rejects) RpcError, with one of the codes {@link RPC} or one of the handler's own; RangeError for options that are
   *   none. Nothing happens when nobody listens: a peer that goes away does not end the process.
   */
  call<M extends MethodName<Remote>>(
    method: M,
    ...args: CallArguments<Remote, M, CallOptions>
  ): Promise<CallResult<Remote, M>> {
    const [params, options] = args as unknown as [unknown, CallOptions | undefined];
    return this.#attempt(() => this.#conversation.caller.call(method, params, options)) as Promise<
      CallResult<Remote, M>
    >;
  }

  /**
   * Tells the peer something that has no answer, not even that it arrived.
   *
   * @returns when it has left
   * @throws (rejects) RpcError `LOST` when it never will; nobody has to listen
   */
  notify<M extends MethodName<Remote>>(method: M, ...args: NotifyArguments<Remote, M>): Promise<void> {
    return this.#attempt(() => quiet(this.#conversation.caller.notify(method, args[0])));
  }

  /** Answers calls of a method, and its notifications, from now on. @throws TypeError for names that begin with `$/` */
  handle<M extends MethodName<Local>>(method: M, handler: Handler<Local, M, CallContext<this>>): this {
    checkMethod(method);
    this.#handlers.set(method, handler as AnyHandler<this>);
    return this;
  }

  /** From now on there is no such method. Calls in flight go on. */
  unhandle(method: MethodName<Local>): this {
    this.#handlers.delete(method);
    return this;
  }

  stats(): RpcStats {
    const stats: RpcStats = { callsOut: 0, callsIn: 0, streamsOut: 0, streamsIn: 0 };
    for (const { counts } of [this.#conversation, ...this.#leaving]) {
      for (const name of Object.keys(stats) as (keyof RpcStats)[]) stats[name] += counts[name];
    }
    return stats;
  }

  /** Whether it is over. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Ends it at once, and the session or socket with it: calls in flight fail, handlers are aborted. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For `debug.active()`. @internal */
  describe(): ActiveEntry {
    const ageMs = this.#environment.now() - this.#createdAt;
    return {
      kind: 'rpc peer',
      id: undefined,
      state: this.#isClosed ? 'closed' : 'open',
      ageMs,
      ...this.stats(),
    };
  }

  readonly #onAbort = (): void => {
    this.close();
  };

  /** What it throws rejects. */
  #attempt<T>(run: () => Promise<T>): Promise<T> {
    const { end } = this.#conversation;
    if (end !== undefined) return quiet(Promise.reject(lostError('not-sent', end)));
    try {
      return run();
    } catch (error) {
      return quiet(Promise.reject(ofCall(error)));
    }
  }

  #begin(carrier: Carrier): ConversationHandler {
    const former = this.#conversation as Conversation<this> | undefined;
    if (former !== undefined && former.end === undefined) this.#leaving.add(former);
    this.#conversation = new Conversation(this.#host, carrier);
    return this.#conversation;
  }

  #onClosed(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    for (const conversation of this.#leaving) conversation.onEnd(error ?? this.#conversation.end!);
    untrack(this);
    this.emit('close', { error });
    this.removeAllListeners();
  }

  #createHost(connection: Session | RpcSocket, limits: Required<RpcLimits>): ConversationHost<this> {
    const { remote, local, idempotency } = this.#options;
    const { principal = (connection as { principal?: string }).principal } = idempotency ?? {};
    if (idempotency !== undefined && principal === undefined) {
      // Who guesses a key of somebody else would have its result.
      throw new TypeError('idempotency.principal: whose keys they are was expected, as no session says it');
    }
    return {
      peer: this,
      environment: this.#environment,
      limits,
      idempotency: idempotency && { store: idempotency.store, principal: principal! },
      handlerOf: (method) => this.#handlers.get(method),
      localSchemas: (method) => local && schemasOf(local, method),
      remoteSchemas: (method) => remote && schemasOf(remote, method),
      onError: (error, about) => this.emit('error', error, about),
      get isObserved() {
        return channels.rpc.hasSubscribers;
      },
      onCallEnd: (direction, method, startedAt, code) => this.#publish(direction, method, startedAt, code),
      onDone: (conversation) => this.#leaving.delete(conversation as Conversation<this>),
    };
  }

  #publish(direction: 'out' | 'in', method: string, startedAt: number, code: number | undefined): void {
    const durationMs = this.#environment.now() - startedAt;
    const message: RpcMessage = { peer: this, direction, method, durationMs, code };
    channels.rpc.publish(message);
  }
}
