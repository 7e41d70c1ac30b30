// The client's end of a session: it connects, connects again whenever the connection is gone, and moves to another server
// when told to. What a connection carries is decided in `channel.ts`.

import { Backoff, impossibleError, shouldRetry, stopError } from './backoff.js';
import type { Channel } from './channel.js';
import { type Address, type ClientSessionOptions, CONNECT_TIMEOUT_MS, requestOf } from './client-options.js';
import { type Drain, type Hello, narrower, VERSION, type Welcome } from './control.js';
import type { Environment } from './environment.js';
import { CLOSE, closedError, lostError, SessionError } from './errors.js';
import { FormerSession } from './former-session.js';
import { CLOSE_TIMEOUT_MS, type Connect, closeLink, type Link, type LinkEnd } from './link.js';
import { Opening } from './opening.js';
import { quietDeferred } from './quiet.js';
import { Session } from './session.js';
import { onWake } from './wake.js';

export type ClientState = 'idle' | 'connecting' | 'open' | 'reconnecting' | 'closed';

export class ClientSession extends Session {
  readonly side = 'client';
  readonly #address: Address;
  readonly #options: ClientSessionOptions;
  readonly #connect: Connect;
  readonly #backoff: Backoff;
  /** What the session is called at the server. */
  #identity: { sid: string; tok: string; epoch: string } | undefined;
  #generation = 0;
  #state: ClientState = 'idle';
  #opening: Opening | undefined;
  #retryTimer: unknown;
  #stopWaking: (() => void) | undefined;
  #ready = quietDeferred();
  /** Sessions at servers that go away. */
  readonly #formers = new Map<Channel, FormerSession>();
  /** When the server that drains closes. */
  #drainsUntil = 0;

  /** @internal Users call `connectSession`. */
  constructor(address: Address, options: ClientSessionOptions, connect: Connect, environment: Environment) {
    super(options, environment);
    this.#address = address;
    this.#options = options;
    this.#connect = connect;
    this.#backoff = new Backoff(options.backoff ?? {}, environment);
    const { signal } = options;
    if (signal?.aborted) {
      this.#onAbort();
      return;
    }
    signal?.addEventListener('abort', this.#onAbort);
    this.#state = 'connecting';
    this.#open();
  }

  get id(): string | undefined {
    return this.#identity?.sid;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** What a new session sends of a lost one by itself, as the options said. */
  get resend(): NonNullable<ClientSessionOptions['resend']> {
    return this.#options.resend ?? 'none';
  }

  /** Resolves when the session is open, now or the next time. @throws (rejects) SessionError when it is over */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  // What the channel tells

  override onRoom(channel: Channel): void {
    if (channel === this.channel) {
      super.onRoom(channel);
    } else {
      this.settleFlushes();
      this.#formers.get(channel)?.onRoom();
    }
  }

  onDetached(channel: Channel, end: LinkEnd): void {
    this.#onConnectionEnded(channel, end, false);
  }

  onViolation(channel: Channel, code: number, text: string): void {
    channel.close(code, text);
    this.#onConnectionEnded(channel, { code, reason: text }, code === CLOSE.MALFORMED);
  }

  onBye(channel: Channel): void {
    channel.report();
    channel.close(CLOSE.OVER, '');
    if (!this.#hasLeft(channel, true)) this.finish(CLOSE.OVER, 'the server ended the session', undefined);
  }

  onDrain(channel: Channel, drain: Drain): void {
    if (channel !== this.channel) return;
    this.#drainsUntil = this.environment.now() + drain.in;
    this.emit('drain', { inMs: drain.in, retryAfterMs: drain.retryAfter });
    if (this.#options.movesOnDrain === false) return;
    // The next connection first; this one stays until that is there.
    if (this.isOver || this.#opening !== undefined || this.#retryTimer !== undefined) return;
    if (this.#formers.size === 0 && drain.retryAfter === undefined) {
      this.#open();
    } else {
      // Servers that send us round in circles are not followed at their speed.
      this.#retryIn(this.#backoff.nextDelayMs(drain.retryAfter));
    }
  }

  protected override get channels(): Channel[] {
    return [...this.#formers.keys(), this.channel];
  }

  protected override finish(code: number, reason: string, error: SessionError | undefined): void {
    if (this.isOver) return;
    // Who asks from now on is not told that it is open.
    if (this.#state === 'open') this.#ready = quietDeferred();
    this.#state = 'closed';
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#opening?.cancel();
    this.#opening = undefined;
    this.#stopWaiting();
    this.#ready.reject(error ?? closedError());
    super.finish(code, reason, error);
    for (const former of this.#formers.values()) former.end(error, []);
    this.#formers.clear();
  }

  /** Former servers are told as well, or they would wait for us until their deadline. */
  protected override async sayBye(reason: string, error: SessionError | undefined): Promise<void> {
    const left = [...this.#formers.values()].map((former) => former.leave());
    await Promise.all([super.sayBye(reason, error), ...left]);
  }

  readonly #onAbort = (): void => {
    const cause = this.#options.signal!.reason;
    this.sayBye('aborted', new SessionError('aborted', "the owner's signal was aborted", { cause }));
  };

  #open(): void {
    this.#opening = new Opening({
      request: () => requestOf(this.#address, this.#options),
      connect: this.#connect,
      hello: (link) => this.#hello(link),
      timeoutMs: this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      wheel: this.wheel,
      onWelcome: (link, welcome, hello) => this.#onWelcome(link, welcome, hello),
      onFailed: (end, isFinal) => {
        this.#opening = undefined;
        this.channel.resumeReports();
        this.#onFailed(end, isFinal);
      },
    });
  }

  #hello(link: Link): Hello {
    const gen = ++this.#generation;
    const caps = { ...this.ownWindow, ping: link.ping !== undefined };
    if (this.#identity === undefined) return { t: 'hello', v: VERSION, gen, recv: 0, caps };
    const { sid, tok } = this.#identity;
    this.channel.holdReports();
    return { t: 'hello', v: VERSION, sid, tok, gen, recv: this.channel.acknowledged, caps };
  }

  #onWelcome(link: Link, welcome: Welcome, hello: Hello): void {
    this.#opening = undefined;
    const { sid, tok, epoch, resumed, recv, hb } = welcome;
    // Whatever a server says, we hold no more than we can.
    const limits = narrower(welcome.limits, this.ownWindow);
    if (resumed && !this.channel.canResumeFrom(recv)) {
      closeLink(link, CLOSE.CORRUPT, `message ${recv} was acknowledged out of turn`, this.wheel);
      this.#lose('corrupt');
      this.#onFailed({ code: CLOSE.CORRUPT, reason: 'counters disagree' }, false);
      return;
    }
    this.#backoff.opened();
    const former = this.#identity;
    const heartbeat = this.#options.heartbeat ?? { intervalMs: hb.interval, timeoutMs: hb.timeout };
    if (!resumed && former !== undefined) {
      if (this.channel.isAttached) this.#move(former.sid);
      else this.#lose(former.epoch === epoch ? (welcome.reason ?? 'unknown') : 'restart');
      // Who is told of it may give up.
      if (this.isOver) {
        link.release();
        return;
      }
    }
    this.#identity = { sid, tok, epoch };
    // A new session counts from the beginning, whatever the hello said of the one that is lost.
    const replayed = this.channel.attach(link, resumed ? hello.recv : 0, recv, limits, heartbeat);
    this.#state = 'open';
    this.#ready.resolve();
    if (!resumed) this.emit('open');
    this.onAttached(hello.gen, resumed, replayed);
    this.pump();
  }

  #onConnectionEnded(channel: Channel, end: LinkEnd, isFinal: boolean): void {
    if (this.#hasLeft(channel, end.code === CLOSE.OVER)) return;
    this.onConnectionLost(end);
    if (end.code === CLOSE.CORRUPT) this.#lose('corrupt');
    this.#onFailed(end, isFinal);
  }

  /** There is no connection, or there will not be the one that was tried. */
  #onFailed(end: LinkEnd, isFinal: boolean): void {
    if (this.isOver) return;
    const isOver = isFinal || !(this.#options.shouldRetry ?? shouldRetry)(end);
    // What the next server says does not end a session that this one still serves.
    if (isOver && !this.channel.isAttached) {
      const { code, reason } = end;
      this.finish(code, reason, isFinal ? impossibleError(end) : stopError(end));
      return;
    }
    if (this.#state === 'open' && !this.channel.isAttached) {
      this.#state = 'reconnecting';
      this.#ready = quietDeferred();
    }
    // A server that drains was being left already.
    if (this.#opening !== undefined || this.#retryTimer !== undefined) return;
    const delayMs = this.#backoff.nextDelayMs(end.retryAfterMs);
    this.#retryIn(delayMs);
    // A server that said when to come back meant it.
    if (end.retryAfterMs === undefined) this.#stopWaking = onWake(() => this.#retry());
    this.emit('reconnecting', {
      attempt: this.#backoff.attempt,
      delayMs,
      code: end.status ?? end.code,
      error: end.error,
    });
  }

  #retryIn(delayMs: number): void {
    this.#retryTimer = this.environment.setTimeout(() => this.#retry(), delayMs, true);
  }

  #retry(): void {
    this.#stopWaiting();
    this.#open();
  }

  #stopWaiting(): void {
    if (this.#retryTimer !== undefined) this.environment.clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#stopWaking?.();
    this.#stopWaking = undefined;
  }

  /** The server does not have the session any more: a new one begins with the next connection. */
  #lose(reason: string): void {
    const { id } = this;
    const unacked = this.channel.sent.list();
    const unsent = this.queue.takeAll();
    this.channel.detach();
    this.channel = this.createChannel();
    this.#identity = undefined;
    this.abandonFlushes(lostError(reason));
    const { resend } = this;
    if (resend === 'all') for (const data of unacked) this.queue.restore(data);
    if (resend !== 'none') {
      for (const { data, key, expiresAt } of unsent) this.queue.restore(data, key, expiresAt);
    }
    this.news.lost(id, unsent.length, unacked.length, reason);
    this.emit('sessionlost', { unsent: unsent.map(({ data }) => data), unacked, reason });
  }

  /** Another server has a new session for us: what waits goes there, and the former one ends by itself. */
  #move(formerId: string): void {
    const { channel, inbox, environment } = this;
    channel.resumeReports();
    this.channel = this.createChannel();
    const timeoutMs = this.#drainsUntil - environment.now() + CLOSE_TIMEOUT_MS;
    const former = new FormerSession({ id: formerId, channel, owner: this, inbox, environment, timeoutMs });
    this.#formers.set(channel, former);
    this.emit('moved', former);
    former.begin();
  }

  /** A former server is done with us, or gone. @returns false when it is not a former one */
  #hasLeft(channel: Channel, isOnPurpose: boolean): boolean {
    const former = this.#formers.get(channel);
    if (former === undefined) return false;
    this.#formers.delete(channel);
    const unacked = channel.sent.list();
    if (unacked.length > 0) {
      this.abandonFlushes(lostError('drained'), channel);
      this.news.lost(former.id, 0, unacked.length, 'drained');
      if (!former.isKept) this.emit('sessionlost', { unsent: [], unacked, reason: 'drained' });
    }
    former.end(isOnPurpose && unacked.length === 0 ? undefined : lostError('drained'), unacked);
    return true;
  }
}
