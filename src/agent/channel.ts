// One session's rules for both directions, the same at either end: numbers, acknowledgements, replay, the window. It has a
// link for a while, loses it, and gets another; who makes links, and what a session is to its user, is decided above.

import {
  type Control,
  type Drain,
  escapeText,
  isMarked,
  parseControl,
  serializeAcknowledgement,
  serializeControl,
  unescapeText,
  type Window,
} from './control.js';
import { CLOSE } from './errors.js';
import type { Inbox } from './inbox.js';
import { closeLink, type Data, type Link, type LinkEnd, type LinkHandler } from './link.js';
import { Liveness, type LivenessOptions } from './liveness.js';
import { ReplayBuffer } from './replay-buffer.js';
import type { TimerWheel, WheelTimer } from './timer-wheel.js';

/** Who is told what happens to a channel. */
export interface ChannelOwner {
  /** Messages were acknowledged, or the connection has room again. */
  onRoom(channel: Channel): void;
  /** The connection is gone, by itself or because the peer was silent. */
  onDetached(channel: Channel, end: LinkEnd): void;
  /** The peer broke the rules; `code` is the close code that says which. */
  onViolation(channel: Channel, code: number, text: string): void;
  onBye(channel: Channel): void;
  onDrain(channel: Channel, drain: Drain): void;
}

/** Where messages go. */
type Recipient = Pick<Inbox, 'push'>;

export interface ChannelOptions {
  owner: ChannelOwner;
  inbox: Recipient;
  wheel: TimerWheel;
  /** Whether the application acknowledges by itself, with {@link Channel.acknowledge}. */
  isManual: boolean;
  /** As much may wait in a link before messages wait for a number instead, in bytes. */
  highWaterMark: number;
}

const ACKNOWLEDGE_AFTER_MESSAGES = 64;
const ACKNOWLEDGE_AFTER_BYTES = 64 * 1024;
const ACKNOWLEDGE_AFTER_MS = 200;

/** Asking a socket how much it holds costs more than sending a small message: it is asked once in so many bytes. */
const LOOK_AFTER_BYTES = 16 * 1024;
/** UTF-8 has up to four bytes for what is one character to a sender in another language. */
const COUNTING_SLACK = 4;
/** What a message costs beside its payload. */
const OVERHEAD_BYTES = 16;
/** Larger payloads are sent from our own copy, because a socket may keep what it is given. */
const LARGE_BYTES = 4096;

export class Channel implements LinkHandler {
  /** What was sent and not acknowledged. */
  readonly sent = new ReplayBuffer();
  /** The highest number that has come. */
  received = 0;
  /** The highest number that the application was given. */
  handedOver = 0;
  /** The highest number that the application is done with, as far as we are concerned. */
  acknowledged = 0;

  readonly #owner: ChannelOwner;
  #inbox: Recipient;
  readonly #wheel: TimerWheel;
  readonly #isManual: boolean;
  readonly #highWaterMark: number;

  #link: Link | undefined;
  #liveness: Liveness | undefined;
  #window: Window = { messages: 0, bytes: 0 };
  #isCongested = false;
  #bytesUntilLook = LOOK_AFTER_BYTES;
  /** The number of the last message of this connection. */
  #number = 0;
  /** What the peer knows to be acknowledged. */
  #reported = 0;
  #bytesToReport = 0;
  /** What is acknowledged at once, and not after a while. */
  #reportAfter: Window = { messages: 0, bytes: 0 };
  /** Bytes that have come and were not handed over. */
  #unhandedBytes = 0;
  #reportTimer: WheelTimer | undefined;
  #holdsReports = false;

  constructor({ owner, inbox, wheel, isManual, highWaterMark }: ChannelOptions) {
    this.#owner = owner;
    this.#inbox = inbox;
    this.#wheel = wheel;
    this.#isManual = isManual;
    this.#highWaterMark = highWaterMark;
  }

  /** Whether there is a connection. */
  get isAttached(): boolean {
    return this.#link !== undefined;
  }

  /** Whether a peer that says it has messages up to `number` can be right. */
  canResumeFrom(number: number): boolean {
    return number >= this.sent.acked && number <= this.sent.seq;
  }

  /**
   * Goes on over a new link, and sends again what the peer lacks.
   *
   * @param announced what the peer was told that we have; it sends from the next one on
   * @param peerHas the number up to which the peer has our messages, checked with {@link canResumeFrom}
   * @returns how many messages were sent again
   */
  attach(link: Link, announced: number, peerHas: number, window: Window, heartbeat: LivenessOptions): number {
    this.detach();
    this.sent.prune(peerHas);
    this.#number = announced;
    this.#reported = announced;
    this.#holdsReports = false;
    this.#bytesToReport = 0;
    this.#window = window;
    this.#reportAfter = {
      messages: Math.min(ACKNOWLEDGE_AFTER_MESSAGES, Math.floor(window.messages / 2)),
      bytes: Math.min(ACKNOWLEDGE_AFTER_BYTES, Math.floor(window.bytes / 2)),
    };
    this.#link = link;
    link.handler = this;
    const ping = (): void =>
      link.ping === undefined ? link.send(serializeControl({ t: 'p' })) : link.ping();
    const onDead = (): void => {
      this.detach();
      this.#owner.onDetached(this, { code: 1006, reason: 'the peer was silent' });
    };
    this.#liveness = new Liveness(link, this.#wheel, heartbeat, { ping, onDead });
    const { acked, seq } = this.sent;
    for (let number = acked + 1; number <= seq; number++) {
      const data = this.sent.get(number);
      // A copy, because a socket may keep what it is given for longer than we do: the peer can acknowledge it any time.
      link.send(typeof data === 'string' ? escapeText(data) : new Uint8Array(data));
    }
    this.#look();
    if (this.acknowledged > announced) this.#reportLater();
    return seq - acked;
  }

  /** Lets go of the link: nothing of it is heard any more. */
  detach(): void {
    this.#forgetLink()?.release();
  }

  /** Starts the closing handshake of the link, and lets go of it. @returns when the connection is gone */
  async close(code: number, reason: string): Promise<void> {
    const link = this.#forgetLink();
    if (link !== undefined) await closeLink(link, code, reason, this.#wheel);
  }

  canSend(size: number): boolean {
    if (this.#link === undefined || this.#isCongested) return false;
    const { count, bytes } = this.sent;
    // A message larger than the window goes alone.
    return count === 0 || (count < this.#window.messages && bytes + size <= this.#window.bytes);
  }

  /**
   * Numbers a message and sends it; {@link canSend} was asked before.
   *
   * @param isOwned false when the caller may change the bytes later
   */
  transmit(data: Data, isOwned: boolean): void {
    const size = data.length;
    this.sent.push(data, isOwned);
    const isLarge = size > LARGE_BYTES && typeof data !== 'string';
    this.#link!.send(toWire(isLarge ? this.sent.get(this.sent.seq) : data));
    this.#bytesUntilLook -= size + OVERHEAD_BYTES;
    if (this.#bytesUntilLook < 0) this.#look();
  }

  sendControl(control: Control): void {
    this.#link?.send(serializeControl(control));
  }

  /** What comes from now on goes there. */
  handTo(recipient: Recipient): void {
    this.#inbox = recipient;
  }

  /** The application is done with messages up to `number`, with the option `acknowledge: 'manual'`. */
  acknowledge(number: number): void {
    if (number <= this.acknowledged) return;
    this.acknowledged = Math.min(number, this.handedOver);
    this.#reportWhenDue();
  }

  /** A hello on its way says what is acknowledged: reports over this connection must not overtake it. */
  holdReports(): void {
    this.#holdsReports = true;
  }

  /** The hello came to nothing, or began another session. */
  resumeReports(): void {
    this.#holdsReports = false;
    this.#reportLater();
  }

  /** Tells the peer now what is acknowledged, if it does not know. */
  report(): void {
    if (this.#link === undefined || this.#holdsReports || this.acknowledged === this.#reported) return;
    this.#reported = this.acknowledged;
    this.#bytesToReport = 0;
    this.#link.send(serializeAcknowledgement(this.acknowledged, this.sent.seq));
  }

  /** Looks again whether the link has room, where it does not tell by itself. */
  lookAgain(): void {
    if (!this.#isCongested || this.#link === undefined) return;
    this.#look();
    if (!this.#isCongested) this.#owner.onRoom(this);
  }

  /** Length of what has come and was not handed over. */
  get unhandedBytes(): number {
    return this.#unhandedBytes;
  }

  get bufferedAmount(): number {
    return this.#link?.bufferedAmount ?? 0;
  }

  get isCongested(): boolean {
    return this.#isCongested;
  }

  // What the link tells

  onMessage(data: Data): void {
    if (typeof data === 'string' && isMarked(data)) {
      const text = unescapeText(data);
      if (text === undefined) this.#onControl(parseControl(data));
      else this.#onData(text);
    } else {
      this.#onData(data);
    }
  }

  onDrain(): void {
    this.lookAgain();
  }

  onEnd(end: LinkEnd): void {
    this.#forgetLink();
    this.#owner.onDetached(this, end);
  }

  /** Called by who got a message. */
  handed(number: number, data: Data): void {
    this.handedOver = number;
    this.#unhandedBytes -= data.length;
    this.#bytesToReport += data.length;
    // Who keeps books about what waits here without a connection.
    if (this.#link === undefined) this.#owner.onRoom(this);
    if (this.#isManual) return;
    this.acknowledged = number;
    this.#reportWhenDue();
  }

  #onData(data: Data): void {
    const number = ++this.#number;
    // The fence of replay: it begins behind what was acknowledged, and more may have come.
    if (number <= this.received) return;
    if (this.#overruns(number, data)) {
      this.#owner.onViolation(this, CLOSE.CORRUPT, 'more messages than the window has room for');
      return;
    }
    this.received = number;
    this.#unhandedBytes += data.length;
    this.#inbox.push(data, number, this);
  }

  /** Others may count the bytes of a text, or its characters: what they find is at most four times as much, or as little. */
  #overruns(number: number, data: Data): boolean {
    const { messages, bytes } = this.#window;
    if (number - this.#reported > messages) return true;
    return this.#unhandedBytes > 0 && this.#unhandedBytes + data.length > bytes * COUNTING_SLACK;
  }

  #onControl(control: Control | undefined): void {
    switch (control?.t) {
      case 'a':
        this.#onAcknowledgement(control.r, control.s);
        break;
      case 'p':
        this.sendControl({ t: 'q' });
        break;
      case 'q':
        // It has done its work by arriving.
        break;
      case 'bye':
        this.#owner.onBye(this);
        break;
      case 'drain':
        this.#owner.onDrain(this, control);
        break;
      default:
        this.#owner.onViolation(this, CLOSE.MALFORMED, 'not a control message that can come here');
    }
  }

  #onAcknowledgement(r: number, s: number): void {
    if (s !== this.#number) {
      this.#owner.onViolation(this, CLOSE.CORRUPT, `${s} messages were sent, ${this.#number} have come`);
    } else if (!this.canResumeFrom(r)) {
      this.#owner.onViolation(this, CLOSE.CORRUPT, `message ${r} was acknowledged out of turn`);
    } else {
      this.sent.prune(r);
      if (this.#isCongested) this.#look();
      this.#owner.onRoom(this);
    }
  }

  #reportWhenDue(): void {
    const { messages, bytes } = this.#reportAfter;
    const isDue = this.acknowledged - this.#reported >= messages || this.#bytesToReport >= bytes;
    if (isDue) this.report();
    else if (this.#reportTimer === undefined) this.#reportLater();
  }

  #reportLater(): void {
    if (this.#link === undefined) return;
    this.#reportTimer ??= this.#wheel.schedule(ACKNOWLEDGE_AFTER_MS, () => {
      this.#reportTimer = undefined;
      this.report();
    });
  }

  #look(): void {
    this.#bytesUntilLook = LOOK_AFTER_BYTES;
    this.#isCongested = this.#link!.bufferedAmount > this.#highWaterMark;
  }

  #forgetLink(): Link | undefined {
    const link = this.#link;
    this.#link = undefined;
    this.#isCongested = false;
    this.#liveness?.stop();
    this.#liveness = undefined;
    if (this.#reportTimer !== undefined) this.#wheel.cancel(this.#reportTimer);
    this.#reportTimer = undefined;
    return link;
  }
}

function toWire(data: Data): Data {
  return typeof data === 'string' ? escapeText(data) : data;
}
