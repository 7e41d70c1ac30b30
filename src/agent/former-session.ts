// The session at a server that goes away, once its client has moved on. It ends when all is acknowledged, unless a layer
// above keeps it for what is under way there. When a client moves, and what it has then, is decided in `client-session.ts`.

import type { Channel, ChannelOwner } from './channel.js';
import type { Environment } from './environment.js';
import { CLOSE, closedError, SessionError } from './errors.js';
import type { Inbox } from './inbox.js';
import type { Data } from './link.js';
import { type Sendable, toData } from './payload.js';
import { RoomWatch } from './room.js';
import { type WheelTimer, wheelOf } from './timer-wheel.js';

/** Who keeps a former session. */
export interface FormerSessionHandler {
  /** A message of the former server, acknowledged like one that the session's own listener gets. */
  onMessage(data: Data): void;
  /** There was no room, and now there is. */
  onRoom?(): void;
  /**
   * The former session is over; told once, and nothing is told after it.
   *
   * @param error undefined where one of the two ends wanted it
   * @param unacked messages that the server may or may not have. They are not in 'sessionlost'; where our own session has
   *   ended, they are in 'close' and not here
   */
  onEnd(error: SessionError | undefined, unacked: Data[]): void;
}

export interface FormerSessionOptions {
  id: string;
  channel: Channel;
  owner: ChannelOwner;
  inbox: Inbox;
  environment: Environment;
  /** How long until the server must have closed. */
  timeoutMs: number;
}

export class FormerSession {
  /** What the session is called at the former server; not a secret. */
  readonly id: string;
  readonly #channel: Channel;
  readonly #owner: ChannelOwner;
  readonly #inbox: Inbox;
  readonly #environment: Environment;
  readonly #timer: WheelTimer;
  /** Whether somebody may still keep it. */
  #isOffered = true;
  #handler: FormerSessionHandler | undefined;
  #room: RoomWatch | undefined;
  #isReleased = false;
  #hasSaidBye = false;
  #isOver = false;

  /** @internal Made by a client that moves. */
  constructor({ id, channel, owner, inbox, environment, timeoutMs }: FormerSessionOptions) {
    this.id = id;
    this.#channel = channel;
    this.#owner = owner;
    this.#inbox = inbox;
    this.#environment = environment;
    // A server that does not close in time never will.
    this.#timer = wheelOf(environment).schedule(timeoutMs, () => {
      channel.detach();
      owner.onDetached(channel, { code: 1006, reason: 'the server did not close' });
    });
  }

  /**
   * Goes on with the former server until {@link release}, or until it closes: it does so at the deadline of its drain. What
   * has come from there and was not handed over yet, and what will come, goes to the handler. Neither a lost connection
   * nor another server brings a former session back.
   *
   * @throws Error when somebody else keeps it, or the event 'moved' is over
   */
  keep(handler: FormerSessionHandler): void {
    if (!this.#isOffered || this.#handler !== undefined) {
      throw new Error("a former session is kept by one listener of 'moved', before it returns");
    }
    this.#handler = handler;
    this.#channel.handTo(this);
    for (const { data, number } of this.#inbox.take(this.#channel)) this.push(data, number);
  }

  /** As that of a session: where it is false, the handler's `onRoom` tells when it is true again. */
  get hasRoom(): boolean {
    return this.hasRoomFor(1);
  }

  /** @param length a text's `length`, or bytes */
  hasRoomFor(length: number): boolean {
    if (!this.#isUsable) return false;
    const hasRoom = this.#channel.canSend(length);
    if (!hasRoom) this.#watch().await(length);
    return hasRoom;
  }

  /**
   * Sends to the former server. There is no queue any more.
   *
   * @throws SessionError `queue-full` where {@link hasRoomFor} its length is false; `closed` when it is released, or over
   */
  send(data: Sendable): void {
    const message = toData(data);
    if (!this.#isUsable) throw closedError();
    if (!this.hasRoomFor(message.length)) {
      throw new SessionError('queue-full', 'there is no room on the way to the former server');
    }
    this.#channel.transmit(message, false);
  }

  /** Nothing more is to be sent: the session ends when both ends have what they were sent. */
  release(): void {
    this.#isReleased = true;
    this.#room?.stop();
    this.#settle();
  }

  /** The server broke a rule of what runs over the session: both ends forget it (close code 4500). @internal */
  fail(reason: string): void {
    if (!this.#isOver) this.#owner.onViolation(this.#channel, CLOSE.CORRUPT, reason);
  }

  // For the client

  /** @internal */
  get isKept(): boolean {
    return this.#handler !== undefined;
  }

  /** @internal From now on nobody can keep it. */
  begin(): void {
    this.#isOffered = false;
    this.#settle();
  }

  /** @internal The connection has room, or something is acknowledged. */
  onRoom(): void {
    this.#room?.look();
    this.#settle();
  }

  /** @internal Called by the channel of a session that is kept. */
  push(data: Data, number: number): void {
    this.#inbox.hand(data, number, this.#channel);
    this.#handler!.onMessage(data);
  }

  /** @internal Ends it now. @returns when the connection is gone */
  leave(): Promise<void> {
    this.#sayBye();
    return this.#channel.close(CLOSE.OVER, '');
  }

  /** @internal It is over. */
  end(error: SessionError | undefined, unacked: Data[]): void {
    this.#isOver = true;
    this.#isOffered = false;
    wheelOf(this.#environment).cancel(this.#timer);
    this.#room?.stop();
    this.#handler?.onEnd(error, unacked);
  }

  get #isUsable(): boolean {
    return this.#handler !== undefined && !this.#isReleased && !this.#isOver;
  }

  /** When we have nothing more to say; the server closes when it has nothing more either. */
  #settle(): void {
    if (this.#isUsable || this.#channel.sent.count > 0) return;
    this.#sayBye();
  }

  #sayBye(): void {
    if (this.#hasSaidBye) return;
    this.#hasSaidBye = true;
    this.#channel.report();
    this.#channel.sendControl({ t: 'bye' });
  }

  #watch(): RoomWatch {
    const channel = this.#channel;
    this.#room ??= new RoomWatch(
      {
        channel: () => channel,
        canSend: (length) => channel.canSend(length),
        onRoom: () => this.#handler!.onRoom?.(),
      },
      this.#environment,
    );
    return this.#room;
  }
}
