// RPC peers without a network: two that are joined, or one against messages written by hand. What carries them has the face
// of a session, and a switch for its room; time is a clock that the test advances.
import { afterEach, expect } from 'vitest';
import { debug } from '../../src/agent/debug.js';
import { Emitter } from '../../src/agent/emitter.js';
import type { Data } from '../../src/agent/link.js';
import type { Session } from '../../src/agent/session.js';
import type { ErrorContext } from '../../src/rpc/conversation-parts.js';
import { RpcError } from '../../src/rpc/errors.js';
import type { CallContext } from '../../src/rpc/incoming-call.js';
import { RpcPeer, type RpcPeerOptions } from '../../src/rpc/peer.js';
import { FakeEnvironment } from './fake-environment.js';
import { pass } from './fake-link.js';

const EVENTS = ['message', 'room', 'sessionlost', 'moved', 'close'] as const;

interface FakeSessionEvents {
  message: [data: Data];
  room: [];
  sessionlost: [info: { reason: string }];
  moved: [former: unknown];
  close: [end: { error?: Error }];
}

/** Of a session what an RpcPeer uses. Messages to the other end are under way for some microtasks. */
export class FakeSession extends Emitter<FakeSessionEvents> {
  policy = 'block';
  resend = 'none';
  maxBytes = 16 * 2 ** 20;
  state = 'open';
  /** Everybody is the same, as without `authenticate`. */
  principal: string | undefined = '';
  /** The other end, if it is not the test. */
  other: FakeSession | undefined;
  /** All that was sent. */
  readonly sent: string[] = [];
  /** Why the peer called it corrupt. */
  failure: string | undefined;
  #hasRoom = true;

  get hasRoom(): boolean {
    return this.#hasRoom && this.state === 'open';
  }

  hasRoomFor(_length: number): boolean {
    return this.hasRoom;
  }

  /** Takes the room away, or gives it back and tells so. */
  set hasRoom(hasRoom: boolean) {
    this.#hasRoom = hasRoom;
    if (hasRoom) this.emit('room');
  }

  /** Gives the room back, before anybody is told. */
  makeRoom(): void {
    this.#hasRoom = true;
  }

  send(text: string): void {
    if (!this.hasRoom) throw new Error(`sent without room: ${text}`);
    this.sent.push(text);
    const { other } = this;
    if (other !== undefined) queueMicrotask(() => other.receive(text));
  }

  /** What was sent since the last call, parsed and without `jsonrpc`, which has to be right. */
  takeSent(): Record<string, unknown>[] {
    return this.sent.splice(0).map((text) => {
      const { jsonrpc, ...message } = JSON.parse(text);
      expect(jsonrpc).toBe('2.0');
      return message;
    });
  }

  /** A message has come: as it is, or an object to which `jsonrpc` is added. */
  receive(message: Data | object): void {
    const isData = typeof message === 'string' || message instanceof Uint8Array;
    this.emit('message', isData ? message : JSON.stringify({ jsonrpc: '2.0', ...message }));
  }

  fail(reason: string): void {
    this.failure = reason;
    this.end(new Error(reason));
  }

  async close(): Promise<void> {
    this.end();
  }

  /** It is over; so is the other end, a little later. */
  end(error?: Error): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.emit('close', error === undefined ? {} : { error });
    const { other } = this;
    if (other !== undefined) queueMicrotask(() => other.end(error));
  }

  lose(reason = 'unknown'): void {
    this.emit('sessionlost', { reason });
  }

  /** To another server; `former` is what is left of it at this one. */
  move(former: object): void {
    this.emit('moved', former);
  }

  get listenersLeft(): number {
    return EVENTS.reduce((sum, name) => sum + this.listenerCount(name), 0);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: params are whatever a test sends
export type TestHandlers = Record<string, (params: any, context: CallContext<any>) => unknown>;

export interface TestOptions extends Omit<RpcPeerOptions, 'handlers'> {
  handlers?: TestHandlers;
}

type ErrorEvent = [error: Error, about: ErrorContext];

interface End {
  peer: RpcPeer;
  session: FakeSession;
  /** What the event 'error' told. */
  errors: ErrorEvent[];
}

/** Clock, and peers on it; when the test ends all of it is closed, and nothing may be left. */
export function rpcStage() {
  const environment = new FakeEnvironment();
  const ends: End[] = [];
  const make = (options: TestOptions, session: FakeSession): End => {
    const peer = new RpcPeer(session as unknown as Session, options as RpcPeerOptions, environment);
    const errors: ErrorEvent[] = [];
    peer.on('error', (error, about) => errors.push([error as Error, about]));
    const end = { peer, session, errors };
    ends.push(end);
    return end;
  };
  const end = async (): Promise<void> => {
    for (const { peer, session } of ends.splice(0)) {
      if (session.state === 'open') session.makeRoom();
      await peer.close();
      expect(peer.stats()).toEqual({ callsOut: 0, callsIn: 0, streamsOut: 0, streamsIn: 0 });
      expect(session.listenersLeft).toBe(0);
    }
    await environment.settle();
    expect(environment.pendingTimers).toBe(0);
    expect(debug.active()).toEqual([]);
  };
  const settle = () => environment.settle();
  /** One peer, whose other end is the test. */
  const alone = (options: TestOptions = {}, session = new FakeSession()) => make(options, session);
  return {
    environment,
    end,
    alone,
    /** A peer with these methods, and what it answers to a message. */
    answering(handlers: TestHandlers, options: TestOptions = {}, session?: FakeSession) {
      const end = alone({ handlers, ...options }, session);
      const ask = async (message: object | string) => {
        end.session.receive(message);
        await settle();
        return end.session.takeSent();
      };
      const call = (id: unknown, method: string, params?: unknown, more: object = {}) =>
        ask({ id, method, params, ...more });
      return { ...end, ask, call };
    },
    /** Two peers that are joined; `server` has the handlers of the first argument. */
    join(serverOptions: TestOptions = {}, clientOptions: TestOptions = {}) {
      const [left, right] = [new FakeSession(), new FakeSession()];
      left.other = right;
      right.other = left;
      return { client: make(clientOptions, left), server: make(serverOptions, right) };
    },
    settle,
    pass: (ms: number) => pass(environment, ms),
  };
}

/** A stage for each test of a file. */
export function useStage() {
  let stage = rpcStage();
  afterEach(async () => {
    const { end } = stage;
    stage = rpcStage();
    await end();
  });
  return {
    get environment() {
      return stage.environment;
    },
    join: (...options: Parameters<typeof stage.join>) => stage.join(...options),
    alone: (...options: Parameters<typeof stage.alone>) => stage.alone(...options),
    answering: (...options: Parameters<typeof stage.answering>) => stage.answering(...options),
    settle: () => stage.settle(),
    pass: (ms: number) => stage.pass(ms),
  };
}

/** What a promise is rejected with. */
export function rejection(promise: Promise<unknown>): Promise<RpcError> {
  return promise.then(
    (value) => {
      throw new Error(`fulfilled with ${JSON.stringify(value)}`);
    },
    (error: RpcError) => error,
  );
}

/** What has become of a promise by now: its value, the code of its error, or 'pending'. */
export function fateOf(promise: Promise<unknown>): Promise<unknown> {
  const pending = new Promise((resolve) => setImmediate(resolve, 'pending'));
  return Promise.race([promise, pending]).catch((error) => (error instanceof RpcError ? error.code : error));
}

/** An RpcError of this shape. */
export function rpcError(code: number, message: unknown = expect.any(String), data?: unknown): RpcError {
  return expect.objectContaining({ name: 'RpcError', code, message, ...(data !== undefined && { data }) });
}

/** Items that the test gives, one at a time, and what became of their consumer. */
export class TestSource implements AsyncIterableIterator<unknown, undefined> {
  /** How many were asked for. */
  asked = 0;
  returned = 0;
  readonly #readers: ((result: Promise<IteratorResult<unknown, undefined>>) => void)[] = [];
  readonly #given: Promise<IteratorResult<unknown, undefined>>[] = [];

  give(...items: unknown[]): void {
    for (const value of items) this.#add(Promise.resolve({ done: false, value }));
  }

  end(): void {
    this.#add(Promise.resolve({ done: true, value: undefined }));
  }

  fail(error: unknown): void {
    const failed = Promise.reject(error);
    failed.catch(() => {});
    this.#add(failed);
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    this.asked++;
    const given = this.#given.shift();
    return given ?? new Promise((resolve) => this.#readers.push(resolve));
  }

  async return(): Promise<IteratorResult<unknown, undefined>> {
    this.returned++;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #add(result: Promise<IteratorResult<unknown, undefined>>): void {
    const reader = this.#readers.shift();
    if (reader === undefined) this.#given.push(result);
    else reader(result);
  }
}

/** Yields these, and notes that it was left. */
export async function* yielding(items: Iterable<unknown>, onLeft: () => void = () => {}) {
  try {
    for (const item of items) yield item;
  } finally {
    onLeft();
  }
}

export async function readAll(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Calls whose handlers end when they are told to, or when they are aborted. */
export function pending() {
  const all: {
    params: unknown;
    context: CallContext;
    resolve(result?: unknown): void;
    reject(error: unknown): void;
  }[] = [];
  const handler = (params: unknown, context: CallContext) =>
    new Promise((resolve, reject) => {
      all.push({ params, context, resolve, reject });
      context.signal.addEventListener('abort', () => reject(context.signal.reason));
    });
  return { all, handler };
}

/** The answer of a call that failed. */
export const failed = (id: unknown, code: number, message: unknown = expect.any(String), data?: unknown) => ({
  id,
  error: { code, message, ...(data !== undefined && { data }) },
});

/** A message that is left alone. */
export const NOTHING = { method: '$/nothing' };

/** A handler that ends when it is aborted. */
export const untilAborted = (_: unknown, { signal }: CallContext) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

/** The numbers of a peer that has nothing to do. */
export const IDLE = { callsOut: 0, callsIn: 0, streamsOut: 0, streamsIn: 0 };
