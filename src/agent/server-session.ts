// The server's end of a session: it outlives its connections for a while, and goes on over the next one of the same client.

import type { Channel } from './channel.js';
import { type Hello, narrower, serializeControl, type Welcome } from './control.js';
import type { Environment } from './environment.js';
import { CLOSE, SessionError } from './errors.js';
import type { Link, LinkEnd } from './link.js';
import type { LivenessOptions } from './liveness.js';
import { Session, type SessionOptions } from './session.js';

export type ServerState = 'open' | 'detached' | 'closed';

/** What a server tells every client alike. */
export interface ServerTerms {
  epoch: string;
  windowMs: number;
  heartbeat: LivenessOptions;
}

/** Who keeps the session. */
export interface SessionKeeper {
  readonly terms: ServerTerms;
  onSessionAttached(session: ServerSession): void;
  onSessionDetached(session: ServerSession): void;
  onSessionRetainedBytes(session: ServerSession): void;
  onSessionOver(session: ServerSession): void;
}

export class ServerSession extends Session {
  /** Names the session; not a secret. */
  readonly id: string;
  /** Who the client is, as `authenticate` said. */
  readonly principal: string;
  readonly side = 'server';
  readonly #token: string;
  readonly #keeper: SessionKeeper;
  #generation = 0;
  #isDraining = false;

  /** @internal Sessions are made by a `SessionServer`. */
  constructor(principal: string, keeper: SessionKeeper, options: SessionOptions, environment: Environment) {
    super(options, environment);
    this.id = environment.randomId();
    this.#token = environment.randomId();
    this.principal = principal;
    this.#keeper = keeper;
  }

  get state(): ServerState {
    if (this.isOver) return 'closed';
    return this.channel.isAttached ? 'open' : 'detached';
  }

  /** @internal What is in memory because of the client, in either direction. */
  get retainedBytes(): number {
    return this.heldBytes + this.channel.unhandedBytes;
  }

  /** @internal What a client has to know to resume. */
  get token(): string {
    return this.#token;
  }

  /** @internal Whether a client that resumes has not been overtaken by a later connection of its own. */
  isNewer(generation: number): boolean {
    return generation > this.#generation;
  }

  /** @internal Whether a client that says it has our messages up to `number` can be right. */
  canResumeFrom(number: number): boolean {
    return this.channel.canResumeFrom(number);
  }

  /** @internal Goes on over this link; a former one is heard no more. */
  resume(link: Link, hello: Hello, isResumed: boolean, reason: string | undefined): void {
    this.#generation = hello.gen;
    const { epoch, windowMs, heartbeat } = this.#keeper.terms;
    const limits = narrower(hello.caps, this.ownWindow);
    const { acknowledged } = this.channel;
    const welcome: Welcome = {
      t: 'welcome',
      sid: this.id,
      tok: this.#token,
      gen: hello.gen,
      resumed: isResumed,
      recv: acknowledged,
      epoch,
      ttl: windowMs,
      hb: { interval: heartbeat.intervalMs, timeout: heartbeat.timeoutMs },
      limits,
      ...(reason !== undefined && { reason }),
    };
    link.send(serializeControl(welcome));
    const replayed = this.channel.attach(link, acknowledged, hello.recv, limits, heartbeat);
    this.#keeper.onSessionAttached(this);
    this.onAttached(hello.gen, isResumed, replayed);
    this.pump();
  }

  /** @internal Asks the client to go elsewhere. */
  drain(inMs: number): void {
    this.#isDraining = true;
    this.channel.sendControl({ t: 'drain', in: Math.max(0, Math.round(inMs)) });
    this.emit('drain', { inMs, retryAfterMs: undefined });
  }

  /** @internal Whether the client was asked to go elsewhere. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** @internal The server keeps the session no longer. */
  expire(reason: string): void {
    this.finish(1006, reason, new SessionError('closed', `the session is ${reason}`));
  }

  // What the channel tells

  onDetached(_channel: Channel, end: LinkEnd): void {
    if (this.isOver) return;
    if (end.code === CLOSE.CORRUPT) {
      this.finish(
        end.code,
        end.reason,
        new SessionError('protocol', 'the client found counters that disagree'),
      );
      return;
    }
    this.channel.sent.compact();
    this.onConnectionLost(end);
    this.#keeper.onSessionDetached(this);
    this.emit('detached', { code: end.code });
  }

  onViolation(channel: Channel, code: number, text: string): void {
    channel.close(code, text);
    if (code === CLOSE.CORRUPT) {
      this.finish(code, text, new SessionError('protocol', text, { closeCode: code }));
    } else {
      this.onDetached(channel, { code, reason: text });
    }
  }

  onBye(channel: Channel): void {
    // A client that moves on waits for what it is still owed.
    if (this.#isDraining && this.heldCount > 0) {
      this.close({ timeoutMs: Number.MAX_SAFE_INTEGER });
      return;
    }
    channel.report();
    channel.close(CLOSE.OVER, '');
    this.finish(CLOSE.OVER, 'the client ended the session', undefined);
  }

  /** Only servers drain. */
  onDrain(channel: Channel): void {
    this.onViolation(channel, CLOSE.MALFORMED, 'a client does not drain');
  }

  protected override onHeldBytes(): void {
    this.#keeper.onSessionRetainedBytes(this);
  }

  protected override finish(code: number, reason: string, error: SessionError | undefined): void {
    if (this.isOver) return;
    this.#keeper.onSessionOver(this);
    super.finish(code, reason, error);
  }
}
