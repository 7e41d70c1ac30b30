// A session as what carries conversations. Drops show nowhere; when the session is lost the next conversation begins, and
// when the client moves to another server the one under way goes on with the former until it is done.

import type { FormerSession } from '../agent/former-session.js';
import type { Data } from '../agent/link.js';
import type { Session } from '../agent/session.js';
import type { Carrier, Connection, ConnectionOwner, ConversationHandler } from './carrier.js';
import { RPC, RpcError } from './errors.js';

export class SessionConnection implements Connection, Carrier {
  readonly #session: Session;
  readonly #owner: ConnectionOwner;
  #conversation: ConversationHandler;
  /** What had come before anybody listened. It waits until the peer is made, and has its handlers. */
  #early: Data[] | undefined = [];

  /**
   * @throws TypeError for a session that drops messages, leaves their acknowledgement to others, or sends them again where
   *   nobody knows what they answer
   */
  constructor(session: Session, owner: ConnectionOwner) {
    if (session.policy !== 'block') {
      throw new TypeError(
        `calls need the policy 'block' of the session's queue, which is '${session.policy}'`,
      );
    }
    if (session.isManual) {
      throw new TypeError(
        "calls need a session that acknowledges by itself: its option acknowledge is 'manual'",
      );
    }
    const { resend = 'none' } = session as { resend?: string };
    if (resend !== 'none') {
      throw new TypeError(`calls cannot be sent again to another session: its option resend is ${resend}`);
    }
    this.#session = session;
    this.#owner = owner;
    this.#conversation = owner.begin(this);
    session.on('message', this.#onMessage);
    if (this.#early!.length > 0) queueMicrotask(() => this.#handOverEarly());
    else this.#early = undefined;
    session.on('room', this.#onRoom);
    session.on('sessionlost', this.#onLost);
    session.on('moved', this.#onMoved);
    session.on('close', this.#onClose);
    // A session that is over tells nobody.
    if (session.state === 'closed') queueMicrotask(() => this.#onClose({}));
  }

  get hasRoom(): boolean {
    return this.#session.hasRoom;
  }

  hasRoomFor(length: number): boolean {
    return this.#session.hasRoomFor(length);
  }

  get maxBytes(): number {
    return this.#session.maxBytes;
  }

  send(text: string): void {
    this.#session.send(text);
  }

  fail(_code: number, reason: string): void {
    this.#session.fail(reason);
  }

  release(): void {}

  close(): Promise<void> {
    this.#onClose({});
    return this.#session.close();
  }

  readonly #onMessage = (data: Data): void => {
    if (this.#early !== undefined) this.#early.push(data);
    else this.#conversation.onMessage(data);
  };

  readonly #onRoom = (): void => this.#conversation.onRoom();

  readonly #onLost = ({ reason }: { reason: string }): void => {
    const error = new RpcError(RPC.LOST, `the session is lost: ${reason}`);
    const lost = this.#conversation;
    this.#conversation = this.#owner.begin(this);
    lost.onEnd(error);
    this.#owner.onLost(error);
  };

  /** The client is with another server now, which knows nothing of what is under way. */
  readonly #onMoved = (former: FormerSession): void => {
    const moving = this.#conversation;
    this.#conversation = this.#owner.begin(this);
    moving.moveTo(new FormerCarrier(former, moving));
  };

  readonly #onClose = ({ error }: { error?: Error | undefined }): void => {
    const session = this.#session;
    session.off('message', this.#onMessage);
    session.off('room', this.#onRoom);
    session.off('sessionlost', this.#onLost);
    session.off('moved', this.#onMoved);
    session.off('close', this.#onClose);
    this.#conversation.onEnd(new RpcError(RPC.LOST, 'the session is closed', { cause: error }));
    this.#owner.onClosed(error);
  };

  #handOverEarly(): void {
    for (const data of this.#early!) this.#conversation.onMessage(data);
    this.#early = undefined;
  }
}

/** What is left of a session at the server that the client has left. */
class FormerCarrier implements Carrier {
  readonly maxBytes = Number.POSITIVE_INFINITY;
  readonly #former: FormerSession;

  constructor(former: FormerSession, conversation: ConversationHandler) {
    this.#former = former;
    former.keep({
      onMessage: (data) => conversation.onMessage(data),
      onRoom: () => conversation.onRoom(),
      onEnd: (error) =>
        conversation.onEnd(new RpcError(RPC.LOST, 'the former session is over', { cause: error })),
    });
  }

  get hasRoom(): boolean {
    return this.#former.hasRoom;
  }

  hasRoomFor(length: number): boolean {
    return this.#former.hasRoomFor(length);
  }

  send(text: string): void {
    this.#former.send(text);
  }

  fail(_code: number, reason: string): void {
    this.#former.fail(reason);
  }

  release(): void {
    this.#former.release();
  }
}
