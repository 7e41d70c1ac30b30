// What both ends of a session offer to their users: sending with a bounded queue, receiving, waiting for acknowledgements,
// numbers about it all. How connections come and go is decided by `client-session.ts` and `server-session.ts`.

import { Channel, type ChannelOwner } from './channel.js';
import type { Drain, Window } from './control.js';
import { type ActiveEntry, track, untrack } from './debug.js';
import { Emitter } from './emitter.js';
import { type Environment, LONGEST_TIMEOUT_MS } from './environment.js';
import { abortError, CLOSE, closedError, SessionError } from './errors.js';
import { Flushes } from './flush.js';
import { Inbox } from './inbox.js';
import type { Data, LinkEnd } from './link.js';
import { type Sendable, toData } from './payload.js';
import {
  checkSendOptions,
  type DroppedMessage,
  type QueueOptions,
  type QueuePolicy,
  type SendOptions,
  type SendOutcome,
} from './queue-options.js';
import { quiet } from './quiet.js';
import { RoomWatch } from './room.js';
import { SendQueue } from './send-queue.js';
import type { SessionEnd, SessionEvents, SessionStats } from './session-events.js';
import { SessionNews } from './session-news.js';
import { type TimerWheel, type WheelTimer, wheelOf } from './timer-wheel.js';

export interface SessionOptions {
  /** Bounds and policy of what is to be sent. */
  queue?: QueueOptions;
  /**
   * `auto`, the default: a message is acknowledged when it is handed over; `manual`: when {@link Session.acknowledge} is
   * called, so that a message whose handling was cut short by a crash counts as not processed.
   */
  acknowledge?: 'auto' | 'manual';
}

/** Resolved already: to send costs no promise of its own. */
const ACCEPTED: Promise<SendOutcome> = Promise.resolve('accepted');

/** Where messages can be dropped or replaced, the fewer are in the connection the better. */
const HIGH_WATER_MARK_BYTES = { keeping: 256 * 1024, dropping: 64 * 1024 };
const CLOSE_TIMEOUT_MS = 5000;

export abstract class Session extends Emitter<SessionEvents> implements ChannelOwner {
  protected readonly environment: Environment;
  protected readonly wheel: TimerWheel;
  protected readonly inbox: Inbox;
  protected readonly queue: SendQueue;
  protected readonly news: SessionNews;
  /** The one that new messages take. */
  protected channel: Channel;

  readonly #isManual: boolean;
  readonly #flushes = new Flushes();
  readonly #createdAt: number;
  #dropped = 0;
  #resumes = 0;
  #lastStats: SessionStats | undefined;
  #closed: Promise<void> | undefined;
  #isClosing = false;
  #isOver = false;
  #expiryTimer: WheelTimer | undefined;
  /** When the timer fires, if there is one. */
  #expiryAt = Number.POSITIVE_INFINITY;
  #isPumping = false;
  #room: RoomWatch | undefined;

  constructor(options: SessionOptions, environment: Environment) {
    super();
    this.environment = environment;
    this.wheel = wheelOf(environment);
    this.#isManual = options.acknowledge === 'manual';
    this.inbox = new Inbox(this.#isManual);
    this.queue = new SendQueue(options.queue ?? {}, (dropped) => this.#onDrop(dropped));
    this.channel = this.createChannel();
    this.#createdAt = environment.now();
    this.news = new SessionNews(this, environment);
    track(this);
  }

  /** The name of the session, once there is one; not a secret. */
  abstract get id(): string | undefined;
  abstract get state(): string;
  abstract readonly side: 'client' | 'server';

  /**
   * Sends a message. It is delivered exactly once and in order, as long as both processes live and the server keeps the
   * session.
   *
   * @param data text or bytes; bytes may be changed once the promise is settled
   * @returns what became of it; with the policy `block`, once there is room
   * @throws (rejects) SessionError `queue-full`, `too-large`, `closed`, `aborted`. Nothing happens when nobody listens to
   *   the promise: a peer that ends the session does not end the process.
   */
  send(data: Sendable, options?: SendOptions): Promise<SendOutcome> {
    try {
      return this.#send(toData(data), options);
    } catch (error) {
      if (error instanceof SessionError && error.code === 'queue-full') this.#onFull();
      return quiet(Promise.reject(error));
    }
  }

  /** What becomes of a message for which there is no room, as the options said. */
  get policy(): QueuePolicy {
    return this.queue.policy;
  }

  /** Whether {@link acknowledge} has to be called, as the options said. */
  get isManual(): boolean {
    return this.#isManual;
  }

  /** The longest message that can be sent: a text's `length`, or bytes. */
  get maxBytes(): number {
    return this.queue.maxBytes;
  }

  /**
   * Whether a message sent now goes out at once, unless it is too long for what is left of the window. Where not, the event
   * 'room' tells when it is so again.
   */
  get hasRoom(): boolean {
    return this.hasRoomFor(1);
  }

  /** As {@link hasRoom}, for a message of this length: a text's `length`, or bytes. */
  hasRoomFor(length: number): boolean {
    const hasRoom = this.#canSendNow(length);
    if (!hasRoom) this.#awaitRoom(length);
    return hasRoom;
  }

  /** Messages, one after the other. Leaving the loop leaves the session as it is. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Data, undefined> {
    return {
      next: () => this.inbox.next(),
      return: () => Promise.resolve({ done: true, value: undefined }),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /**
   * With the option `acknowledge: 'manual'`: everything up to this message is processed. Numbers are those of the event
   * 'message'; by default the message that was handed over last.
   *
   * @throws RangeError for what is no integer
   */
  acknowledge(number = this.inbox.handedOver): void {
    if (!Number.isSafeInteger(number)) {
      throw new RangeError(`acknowledge: the number of a message was expected, got ${number}`);
    }
    this.inbox.acknowledge(number);
  }

  /** The number of the message that was handed over last; counts on when a session is lost and another begins. */
  get received(): number {
    return this.inbox.handedOver;
  }

  /**
   * Waits until the peer has acknowledged all that was accepted so far (or it was dropped).
   *
   * @throws (rejects) SessionError `closed`, `lost`, `aborted`. As with `send()`, nobody has to listen.
   */
  flush({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    if (this.#isOver) return quiet(Promise.reject(closedError()));
    if (signal?.aborted) return quiet(Promise.reject(abortError(signal)));
    const flushed = this.#flushes.add(this.channels, this.queue.last, signal);
    this.settleFlushes();
    return quiet(flushed);
  }

  /**
   * Ends the session on purpose: sends what was accepted, over another connection if need be, and tells the peer, which
   * forgets the session.
   *
   * @param timeoutMs how long to wait for the peer to acknowledge everything, 5,000 by default; what is left then stands in
   *   the event 'close'
   */
  close({ timeoutMs = CLOSE_TIMEOUT_MS }: { timeoutMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(timeoutMs);
    return this.#closed;
  }

  /** Ends this end of the session at once. The peer learns nothing of it, and waits for us to come back. */
  terminate(): void {
    this.finish(1006, 'terminated', undefined);
  }

  /** The peer broke a rule of what runs over the session: both ends forget it (close code 4500). @internal */
  fail(reason: string): void {
    this.onViolation(this.channel, CLOSE.CORRUPT, reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** When the session is over, what they were then. */
  stats(): SessionStats {
    if (this.#lastStats !== undefined) return { ...this.#lastStats, state: this.state };
    const { sent, received, handedOver } = this.channel;
    return {
      state: this.state,
      sent: sent.seq,
      acknowledged: sent.acked,
      received,
      handedOver,
      unsent: this.queue.count,
      unacked: sent.count,
      queuedBytes: this.heldBytes,
      waiting: this.queue.waiting,
      dropped: this.#dropped,
      resumes: this.#resumes,
    };
  }

  /** For `debug.active()`. @internal */
  describe(): ActiveEntry {
    return {
      kind: `${this.side} session`,
      id: this.id,
      state: this.state,
      ageMs: this.environment.now() - this.#createdAt,
    };
  }

  // For the two ends

  protected get isOver(): boolean {
    return this.#isOver;
  }

  /** Where messages may wait for their acknowledgement, the oldest first. */
  protected get channels(): Channel[] {
    return [this.channel];
  }

  /** Payload bytes that are held for the peer. */
  get heldBytes(): number {
    return this.queue.bytes + this.channel.sent.bytes;
  }

  /** Messages that are held for the peer. */
  protected get heldCount(): number {
    return this.queue.count + this.channel.sent.count;
  }

  /** What is held for the peer at most, which is also what we take from it. */
  protected get ownWindow(): Window {
    return { messages: this.queue.maxMessages, bytes: this.queue.maxBytes };
  }

  protected createChannel(): Channel {
    const isKeeping = this.queue.policy === 'block' || this.queue.policy === 'error';
    return new Channel({
      owner: this,
      inbox: this.inbox,
      wheel: this.wheel,
      isManual: this.#isManual,
      highWaterMark: isKeeping ? HIGH_WATER_MARK_BYTES.keeping : HIGH_WATER_MARK_BYTES.dropping,
    });
  }

  /** Another connection carries the session. */
  protected onAttached(generation: number, isResumed: boolean, replayed: number): void {
    this.news.attached(generation, isResumed, replayed);
    if (!isResumed) return;
    this.#resumes++;
    this.emit('resumed', { replayed });
  }

  /** The connection is gone, and the session waits for the next. */
  protected onConnectionLost({ code, reason, error }: LinkEnd): void {
    this.news.detached(code, reason, error, this.queue.count, this.channel.sent.count);
  }

  /** Sends what waits, as far as the connection and the window have room. */
  protected pump(): void {
    // Who is told of a drop may send, and so come back here.
    if (this.#isPumping || this.#isOver) return;
    this.#isPumping = true;
    const { queue, channel } = this;
    queue.expire(this.environment.now());
    for (;;) {
      queue.admit(channel.sent);
      const message = queue.peek();
      if (message === undefined || !channel.canSend(message.data.length)) break;
      queue.shift();
      channel.transmit(message.data, true);
      message.number = channel.sent.seq;
    }
    this.#isPumping = false;
    // Who was told of a drop may have ended the session.
    if (this.#isOver) return;
    this.news.room(this.#fullness());
    this.#scheduleExpiry();
    if (!queue.isEmpty) this.#awaitRoom(1);
    this.settleFlushes();
    this.onHeldBytes();
    this.#room?.look();
  }

  /** The amount held for the peer may have changed. */
  protected onHeldBytes(): void {}

  /** Looks whether somebody waited for what is acknowledged now. */
  protected settleFlushes(): void {
    this.#flushes.settle(this.channel, this.queue.last);
  }

  /** Ends waits for acknowledgements that will not come: those of one channel, or all. */
  protected abandonFlushes(error: SessionError, channel?: Channel): void {
    this.#flushes.reject(error, channel);
  }

  /** The session is over: every promise is settled, every timer and buffer is gone. */
  protected finish(code: number, reason: string, error: SessionError | undefined): void {
    if (this.#isOver) return;
    this.#lastStats = this.stats();
    this.#isOver = true;
    this.#isClosing = true;
    const end: SessionEnd = {
      code,
      reason,
      ...(error !== undefined && { error }),
      unsent: this.queue.takeAll().map(({ data }) => data),
      unacked: this.channels.flatMap(({ sent }) => sent.list()),
    };
    for (const channel of this.channels) channel.detach();
    this.channel = this.createChannel();
    if (this.#expiryTimer !== undefined) this.wheel.cancel(this.#expiryTimer);
    this.#room?.stop();
    untrack(this);
    this.queue.rejectWaiters(error ?? closedError());
    this.abandonFlushes(error ?? closedError());
    this.inbox.end(error);
    this.news.over(code, reason, error, end.unsent.length, end.unacked.length);
    this.emit('close', end);
    this.removeAllListeners();
  }

  protected override onListenersChanged(name: keyof SessionEvents): void {
    if (name !== 'message') return;
    const listeners = this.listeners('message');
    this.inbox.listener =
      listeners.length === 0
        ? undefined
        : listeners.length === 1
          ? listeners[0]
          : (data, number) => this.emit('message', data, number);
  }

  // What a channel tells

  onRoom(_channel: Channel): void {
    if (this.queue.isEmpty && this.#flushes.size === 0) {
      this.news.room(this.#fullness());
      this.onHeldBytes();
      this.#room?.look();
    } else {
      this.pump();
    }
  }

  abstract onDetached(channel: Channel, end: LinkEnd): void;
  abstract onViolation(channel: Channel, code: number, text: string): void;
  abstract onBye(channel: Channel): void;
  abstract onDrain(channel: Channel, drain: Drain): void;

  #send(data: Data, options: SendOptions | undefined): Promise<SendOutcome> {
    const size = data.length;
    const { queue, channel } = this;
    if (this.#isClosing) throw closedError();
    if (options !== undefined) checkSendOptions(options);
    if (size > queue.maxBytes) {
      throw new SessionError(
        'too-large',
        `the message has a length of ${size}, and the queue holds ${queue.maxBytes}`,
      );
    }
    if (queue.isEmpty && channel.canSend(size)) {
      channel.transmit(data, false);
      return ACCEPTED;
    }
    this.#awaitRoom(1);
    const kept = typeof data === 'string' ? data : new Uint8Array(data);
    const outcome = queue.add(kept, options, channel.sent, this.environment.now());
    if (outcome === 'accepted') {
      this.pump();
      return ACCEPTED;
    }
    if (typeof outcome !== 'string') this.#onFull();
    this.pump();
    return quiet(Promise.resolve(outcome));
  }

  async #close(timeoutMs: number): Promise<void> {
    if (this.#isOver) return;
    this.#isClosing = true;
    this.queue.rejectWaiters(closedError());
    const timeout = new AbortController();
    const timer = this.environment.setTimeout(
      () => timeout.abort(),
      Math.min(timeoutMs, LONGEST_TIMEOUT_MS),
      true,
    );
    // Too late, lost, or ended by the peer: the event tells what is left.
    await this.flush({ signal: timeout.signal }).catch(() => {});
    this.environment.clearTimeout(timer);
    if (!this.#isOver) await this.sayBye('', undefined);
  }

  /** Tells the peer that the session is over, as far as it can be told. */
  protected async sayBye(reason: string, error: SessionError | undefined): Promise<void> {
    const { channel } = this;
    channel.report();
    channel.sendControl({ t: 'bye' });
    const isGone = channel.close(CLOSE.OVER, reason);
    this.finish(CLOSE.OVER, reason, error);
    await isGone;
  }

  /** @internal Ends the session at once, with this close code. @returns when the connection is gone */
  async cutOff(code: number, reason: string): Promise<void> {
    // The peer has to know what was processed.
    this.channel.report();
    const isGone = this.channel.close(code, reason);
    this.finish(code, reason, undefined);
    await isGone;
  }

  #onDrop(dropped: DroppedMessage): void {
    this.#dropped++;
    if (dropped.reason === 'full') this.#onFull();
    this.news.dropped(dropped);
    this.emit('drop', dropped);
  }

  #onFull(): void {
    this.news.full(this.heldCount, this.heldBytes, this.channel.bufferedAmount);
  }

  /** How much of the queue is in use, from 0 to 1. */
  #fullness(): number {
    const { maxMessages, maxBytes } = this.queue;
    return Math.max(this.heldCount / maxMessages, this.heldBytes / maxBytes);
  }

  #scheduleExpiry(): void {
    const { nextExpiry } = this.queue;
    if (nextExpiry >= this.#expiryAt) return;
    if (this.#expiryTimer !== undefined) this.wheel.cancel(this.#expiryTimer);
    this.#expiryAt = nextExpiry;
    this.#expiryTimer = this.wheel.schedule(nextExpiry - this.environment.now(), () => {
      this.#expiryTimer = undefined;
      this.#expiryAt = Number.POSITIVE_INFINITY;
      this.pump();
    });
  }

  #canSendNow(length: number): boolean {
    return !this.#isClosing && this.queue.isEmpty && this.channel.canSend(length);
  }

  #awaitRoom(length: number): void {
    this.#room ??= new RoomWatch(
      {
        channel: () => this.channel,
        canSend: (length) => this.#canSendNow(length),
        onRoom: () => this.emit('room'),
      },
      this.environment,
    );
    this.#room.await(length);
  }
}
