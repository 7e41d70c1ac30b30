// Takes sessions in: on a server of ours, on an `http.Server`, or on upgrades that somebody else routes. Every connection
// is authenticated, the first one of a session like all that resume it.

import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Hello } from './control.js';
import { type ActiveEntry, track, untrack } from './debug.js';
import { Emitter } from './emitter.js';
import { Entrance } from './entrance.js';
import { type Environment, LONGEST_TIMEOUT_MS, environment as machine } from './environment.js';
import { CLOSE } from './errors.js';
import { closeLink, type Link } from './link.js';
import { type Principal, Reception } from './reception.js';
import type {
  DrainOptions,
  DrainResult,
  SessionServerEvents,
  SessionServerOptions,
  SessionServerStats,
} from './server-options.js';
import { ServerSession, type ServerTerms, type SessionKeeper } from './server-session.js';
import { SessionRegistry } from './session-registry.js';
import { type TimerWheel, wheelOf } from './timer-wheel.js';

const HELLO_TIMEOUT_MS = 10_000;

export class SessionServer extends Emitter<SessionServerEvents> implements SessionKeeper {
  /** @internal */
  readonly terms: ServerTerms;

  readonly #options: SessionServerOptions;
  readonly #environment: Environment;
  readonly #wheel: TimerWheel;
  readonly #registry: SessionRegistry<ServerSession>;
  readonly #reception: Reception;
  readonly #entrance: Entrance;
  readonly #createdAt: number;
  #state: 'running' | 'draining' | 'closed' = 'running';
  #drain: { result: DrainResult; done: () => void } | undefined;
  #closed: Promise<void> | undefined;
  #created = 0;
  #resumed = 0;
  #refusedResumes = 0;

  /**
   * @param environment time and randomness; only tests bring their own
   * @throws TypeError unless exactly one of `server` and `noServer` is given; RangeError for times that clients would refuse
   */
  constructor(options: SessionServerOptions, environment: Environment = machine) {
    super();
    const { windowMs = 120_000, maxDetached = 10_000, maxDetachedBytes = 256 * 2 ** 20, signal } = options;
    const { heartbeat = { intervalMs: 25_000, timeoutMs: 20_000 }, helloTimeoutMs = HELLO_TIMEOUT_MS } =
      options;
    checkTimes({
      windowMs,
      'heartbeat.intervalMs': heartbeat.intervalMs,
      'heartbeat.timeoutMs': heartbeat.timeoutMs,
    });
    this.#options = options;
    this.#environment = environment;
    this.#wheel = wheelOf(environment);
    this.terms = { epoch: environment.randomId(), windowMs, heartbeat };
    this.#registry = new SessionRegistry({ windowMs, maxDetached, maxDetachedBytes }, this.#wheel);
    this.#createdAt = environment.now();
    this.#reception = new Reception(helloTimeoutMs, this.#wheel);
    this.#entrance = new Entrance(options, this);
    track(this);
    signal?.addEventListener('abort', this.#onAbort);
    if (signal?.aborted) this.close();
  }

  /** For `noServer`: takes the connection of an 'upgrade' event that was routed here. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#entrance.handleUpgrade(request, socket, head);
  }

  /** The sessions that there are, with a connection or without. */
  get sessions(): ServerSession[] {
    return this.#registry.all();
  }

  stats(): SessionServerStats {
    const { size, detachedCount, detachedBytes, evicted } = this.#registry;
    return {
      attached: size - detachedCount,
      detached: detachedCount,
      detachedBytes,
      pending: this.#reception.size,
      created: this.#created,
      resumed: this.#resumed,
      refusedResumes: this.#refusedResumes,
      evicted,
    };
  }

  /** @internal For `debug.active()`. */
  describe(): ActiveEntry {
    const ageMs = this.#environment.now() - this.#createdAt;
    return { kind: 'session server', id: this.terms.epoch, state: this.#state, ageMs, ...this.stats() };
  }

  /**
   * Sends the clients elsewhere: new connections are refused with 503, sessions are asked to move on, and end when the
   * client has done so and both ends have what they were sent. Whoever is left at the deadline is cut with 1012.
   */
  async drain({ deadlineMs = 30_000, spreadMs = 10_000 }: DrainOptions = {}): Promise<DrainResult> {
    if (this.#state !== 'running') throw new Error(`the server is ${this.#state}`);
    this.#state = 'draining';
    const result: DrainResult = { moved: 0, finished: 0, cut: 0 };
    const isEmpty = new Promise<void>((done) => {
      this.#drain = { result, done };
    });
    const timeoutMs = Math.min(deadlineMs, LONGEST_TIMEOUT_MS);
    const until = this.#environment.now() + timeoutMs;
    const timers = this.#registry.all().map((session) => {
      const delayMs = this.#environment.random() * Math.min(spreadMs, timeoutMs / 2);
      return this.#wheel.schedule(delayMs, () => session.drain(until - this.#environment.now()));
    });
    const deadline = this.#environment.setTimeout(() => this.#drain?.done(), timeoutMs, true);
    this.#checkDrained();
    await isEmpty;
    this.#environment.clearTimeout(deadline);
    for (const timer of timers) this.#wheel.cancel(timer);
    this.#drain = undefined;
    await this.#cutAll(result);
    return result;
  }

  /** Forgets all sessions, and closes their connections with 1012. An `http.Server` or `WebSocketServer` goes on. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#state = 'closed';
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#drain?.done();
    await Promise.all([
      this.#entrance.close(),
      this.#reception.close(CLOSE.RESTART, 'the server is closed'),
      this.#cutAll({ moved: 0, finished: 0, cut: 0 }),
    ]);
    untrack(this);
    this.removeAllListeners();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  get isOpen(): boolean {
    return this.#state === 'running';
  }

  /**
   * @internal A connection is there.
   *
   * @param principal who the client is, or a promise for it where that is not known yet
   * @param request handed on to the 'session' event
   */
  onLink(link: Link, principal: string | Promise<Principal>, request: IncomingMessage): void {
    if (this.isOpen) {
      this.#reception.receive(link, principal, (hello, name) => this.#admit(link, hello, name, request));
    } else {
      closeLink(link, CLOSE.RESTART, 'the server goes away', this.#wheel);
    }
  }

  // What sessions tell

  /** @internal */
  onSessionAttached(session: ServerSession): void {
    this.#registry.attached(session);
  }

  /** @internal */
  onSessionDetached(session: ServerSession): void {
    this.#registry.detached(session);
    this.#checkDrained();
  }

  /** @internal */
  onSessionRetainedBytes(session: ServerSession): void {
    this.#registry.retainedBytesChanged(session);
  }

  /** @internal */
  onSessionOver(session: ServerSession): void {
    this.#registry.remove(session);
    if (this.#drain === undefined) return;
    if (session.isDraining) this.#drain.result.moved++;
    else this.#drain.result.finished++;
    this.#checkDrained();
  }

  readonly #onAbort = (): void => {
    this.close();
  };

  #admit(link: Link, hello: Hello, principal: string, request: IncomingMessage): void {
    const session = this.#find(hello);
    if (!this.isOpen) {
      // It was let in before, and who it is took until now.
      closeLink(link, CLOSE.RESTART, 'the server goes away', this.#wheel);
    } else if (session === undefined) {
      const isResume = hello.sid !== undefined;
      if (isResume) this.#refusedResumes++;
      this.#begin(link, hello, principal, request, isResume ? 'unknown' : undefined);
    } else if (session.principal !== principal) {
      closeLink(link, CLOSE.FORBIDDEN, 'the session of another principal', this.#wheel);
    } else if (!session.isNewer(hello.gen)) {
      closeLink(link, CLOSE.SUPERSEDED, 'a later connection has taken over', this.#wheel);
    } else if (!session.canResumeFrom(hello.recv)) {
      session.expire('corrupt');
      closeLink(link, CLOSE.CORRUPT, `message ${hello.recv} was acknowledged out of turn`, this.#wheel);
    } else {
      this.#resumed++;
      session.resume(link, hello, true, undefined);
    }
  }

  /** A wrong token and an unknown session look the same from outside. */
  #find({ sid, tok }: Hello): ServerSession | undefined {
    const session = sid === undefined ? undefined : this.#registry.find(sid);
    return session !== undefined && isSameSecret(session.token, tok!) ? session : undefined;
  }

  #begin(
    link: Link,
    hello: Hello,
    principal: string,
    request: IncomingMessage,
    reason: string | undefined,
  ): void {
    const session = new ServerSession(principal, this, this.#options, this.#environment);
    this.#created++;
    this.#registry.add(session);
    // Nothing counts of a session that is not there any more.
    session.resume(link, { ...hello, recv: 0 }, false, reason);
    this.emit('session', session, request);
  }

  #checkDrained(): void {
    const { size, detachedCount } = this.#registry;
    // Who has no connection now will not get one any more.
    if (size === detachedCount) this.#drain?.done();
  }

  async #cutAll(result: DrainResult): Promise<void> {
    const sessions = this.#registry.all();
    result.cut += sessions.length;
    await Promise.all(sessions.map((session) => session.cutOff(CLOSE.RESTART, 'the server goes away')));
  }
}

/** Clients are told these (docs/session-protocol.md, section 1). */
function checkTimes(times: Record<string, number>): void {
  for (const [name, ms] of Object.entries(times)) {
    if (Number.isInteger(ms) && ms > 0 && ms <= LONGEST_TIMEOUT_MS) continue;
    throw new RangeError(
      `${name}: whole milliseconds from 1 to ${LONGEST_TIMEOUT_MS} were expected, got ${ms}`,
    );
  }
}

/** Without telling by the time it takes how much of a guess was right. */
function isSameSecret(secret: string, guess: string): boolean {
  const [a, b] = [Buffer.from(secret), Buffer.from(guess)];
  return a.length === b.length && timingSafeEqual(a, b);
}
