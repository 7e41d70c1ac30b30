// Messages that have no number yet, because there is no connection or no room on it; and what happens when there are too
// many. A message is dropped here or never.

import { type Waiting, waitAmong } from './abortable.js';
import { SessionError } from './errors.js';
import type { Data } from './link.js';
import {
  checkQueueOptions,
  type DroppedMessage,
  type DropReason,
  type QueueOptions,
  type QueuePolicy,
  type SendOptions,
  type SendOutcome,
} from './queue-options.js';

/** An accepted message on its way to a number. */
export interface QueuedMessage {
  data: Data;
  readonly key: unknown;
  expiresAt: number;
  /** Zero while it waits, -1 once dropped. */
  number: number;
}

/** A `send()` that waits for room. */
type Waiter = { message: QueuedMessage } & Waiting<SendOutcome>;

/** What the queue needs to know of the messages behind it, which have numbers. */
interface Sent {
  readonly count: number;
  readonly bytes: number;
}

const NEVER = Number.POSITIVE_INFINITY;
/** For queues that have none: of its own each takes 190 bytes, and a server may keep thousands of sessions. */
const NO_KEYS: Map<unknown, QueuedMessage> = new Map();
const NOBODY: Set<Waiter> = new Set();

export class SendQueue {
  readonly maxBytes: number;
  readonly maxMessages: number;
  readonly policy: QueuePolicy;
  /** Payload bytes of the messages that wait for a number. */
  bytes = 0;
  /** When the first message expires, on the clock of `now`. */
  nextExpiry = NEVER;

  readonly #ttlMs: number;
  readonly #onDrop: (dropped: DroppedMessage) => void;
  /** In order; those before `#head` are gone. */
  #messages: QueuedMessage[] = [];
  #head = 0;
  #byKey = NO_KEYS;
  /** In order, after the messages. A Set, so that an aborted one leaves without a search. */
  #waiters = NOBODY;

  constructor(options: QueueOptions, onDrop: (dropped: DroppedMessage) => void) {
    this.maxBytes = options.maxBytes ?? 2 ** 20;
    this.maxMessages = options.maxMessages ?? 4096;
    this.policy = options.policy ?? 'block';
    this.#ttlMs = options.ttlMs ?? NEVER;
    this.#onDrop = onDrop;
    checkQueueOptions(this.maxBytes, this.maxMessages, this.policy, this.#ttlMs);
  }

  /** Messages that wait for a number. */
  get count(): number {
    return this.#messages.length - this.#head;
  }

  /** Calls of `send()` that wait for room. */
  get waiting(): number {
    return this.#waiters.size;
  }

  get isEmpty(): boolean {
    return this.#messages.length === this.#head && this.#waiters.size === 0;
  }

  /** The message that was accepted last, if it is still here. */
  get last(): QueuedMessage | undefined {
    return this.count > 0 ? this.#messages.at(-1) : undefined;
  }

  /**
   * Takes a message that cannot be sent at once.
   *
   * @param data never changed by anybody from now on
   * @returns a promise only where the policy waits
   * @throws SessionError `queue-full`
   */
  add(
    data: Data,
    options: SendOptions | undefined,
    sent: Sent,
    nowMs: number,
  ): SendOutcome | Promise<SendOutcome> {
    const key = options?.key;
    const message = { data, key, expiresAt: nowMs + (options?.ttlMs ?? this.#ttlMs), number: 0 };
    if (this.policy === 'volatile') return this.#drop(message, 'volatile');
    // A message must not overtake an older one with its key, which would then take its place.
    if (this.policy === 'conflate' && !this.#isAwaited(key) && this.#replace(message, sent))
      return 'displaced';
    if (this.#waiters.size === 0 && this.#fits(data.length, sent)) {
      this.#accept(message);
      return 'accepted';
    }
    switch (this.policy) {
      case 'error':
        throw new SessionError('queue-full', `the queue holds ${this.#describe(sent)}, which is all it may`);
      case 'drop-newest':
        return this.#drop(message, 'full');
      case 'drop-oldest':
        return this.#displace(message, sent);
      default:
        return this.#wait(message, options?.signal);
    }
  }

  /** The next message to send, which stays until {@link shift}. */
  peek(): QueuedMessage | undefined {
    return this.#messages[this.#head];
  }

  /** Removes the first message, which got a number. */
  shift(): void {
    const message = this.#messages[this.#head]!;
    this.#head++;
    this.#forget(message);
    if (this.#head === this.#messages.length) {
      this.#messages = [];
      this.#head = 0;
    } else if (this.#head >= 1024) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Takes in those who wait for room, as far as there is some. */
  admit(sent: Sent): void {
    for (const waiter of this.#waiters) {
      if (this.policy === 'conflate' && this.#replace(waiter.message, sent)) {
        waiter.resolve('displaced');
        continue;
      }
      if (!this.#fits(waiter.message.data.length, sent)) return;
      this.#accept(waiter.message);
      waiter.resolve('accepted');
    }
  }

  /** Drops what has waited too long. */
  expire(nowMs: number): void {
    if (nowMs < this.nextExpiry) return;
    const messages = this.#messages.slice(this.#head);
    const expired = messages.filter(({ expiresAt }) => expiresAt <= nowMs);
    this.#messages = messages.filter(({ expiresAt }) => expiresAt > nowMs);
    this.#head = 0;
    for (const message of expired) this.#forget(message);
    this.nextExpiry = NEVER;
    for (const { expiresAt } of this.#messages) this.nextExpiry = Math.min(this.nextExpiry, expiresAt);
    for (const { message } of this.#waiters) {
      if (message.expiresAt > nowMs) this.nextExpiry = Math.min(this.nextExpiry, message.expiresAt);
    }
    // Last, because whoever is told may send again.
    for (const message of expired) this.#drop(message, 'expired');
    for (const { message, resolve } of this.#waiters) {
      if (message.expiresAt <= nowMs) resolve(this.#drop(message, 'expired'));
    }
  }

  /** Takes everything out. Those who wait for room go on waiting. */
  takeAll(): QueuedMessage[] {
    const messages = this.#messages.slice(this.#head);
    for (const message of messages) {
      this.#forget(message);
      message.number = -1;
    }
    this.#messages = [];
    this.#head = 0;
    return messages;
  }

  /** Puts a message behind the others again that was taken out, or that lost its number together with its session. */
  restore(data: Data, key: unknown = undefined, expiresAt = NEVER): void {
    this.#accept({ data, key, expiresAt, number: 0 });
  }

  /** Ends those who wait for room. */
  rejectWaiters(error: SessionError): void {
    for (const waiter of this.#waiters) waiter.reject(error);
  }

  #fits(size: number, sent: Sent): boolean {
    return this.count + sent.count < this.maxMessages && this.bytes + sent.bytes + size <= this.maxBytes;
  }

  #accept(message: QueuedMessage): void {
    this.#messages.push(message);
    this.bytes += message.data.length;
    if (this.policy === 'conflate' && message.key !== undefined) {
      if (this.#byKey === NO_KEYS) this.#byKey = new Map();
      this.#byKey.set(message.key, message);
    }
    this.nextExpiry = Math.min(this.nextExpiry, message.expiresAt);
  }

  #forget(message: QueuedMessage): void {
    this.bytes -= message.data.length;
    if (this.#byKey.get(message.key) === message) this.#byKey.delete(message.key);
  }

  #drop(message: QueuedMessage, reason: DropReason): 'dropped' {
    message.number = -1;
    this.#onDrop({ reason, data: message.data, key: message.key });
    return 'dropped';
  }

  #isAwaited(key: unknown): boolean {
    for (const { message } of this.#waiters) if (message.key === key) return true;
    return false;
  }

  /** Puts a message in the place of the one with its key. @returns false when there is none, or no room */
  #replace(message: QueuedMessage, sent: Sent): boolean {
    const older = message.key === undefined ? undefined : this.#byKey.get(message.key);
    if (older === undefined) return false;
    const growth = message.data.length - older.data.length;
    if (this.bytes + sent.bytes + growth > this.maxBytes) return false;
    const { data, key } = older;
    older.data = message.data;
    older.expiresAt = message.expiresAt;
    this.bytes += growth;
    this.nextExpiry = Math.min(this.nextExpiry, message.expiresAt);
    this.#onDrop({ reason: 'conflated', data, key });
    return true;
  }

  #displace(message: QueuedMessage, sent: Sent): SendOutcome {
    // What has a number is never dropped. Where that alone leaves no room, nothing else makes any.
    if (sent.count >= this.maxMessages || sent.bytes + message.data.length > this.maxBytes) {
      return this.#drop(message, 'full');
    }
    const displaced: QueuedMessage[] = [];
    while (!this.#fits(message.data.length, sent)) {
      displaced.push(this.peek()!);
      this.shift();
    }
    this.#accept(message);
    // Last, because whoever is told may send again.
    for (const oldest of displaced) this.#drop(oldest, 'full');
    return 'displaced';
  }

  #wait(message: QueuedMessage, signal: AbortSignal | undefined): Promise<SendOutcome> {
    this.nextExpiry = Math.min(this.nextExpiry, message.expiresAt);
    if (this.#waiters === NOBODY) this.#waiters = new Set();
    return waitAmong(this.#waiters, { message }, signal);
  }

  #describe(sent: Sent): string {
    return `${this.count + sent.count} messages and ${this.bytes + sent.bytes} bytes`;
  }
}
