// What is to be sent, and in which order: calls and answers as they come, then the newest progress of each call, then items,
// one message of each stream in turn. While the connection has no room all of it waits here.

import type { Carrier } from './carrier.js';

/** A stream that has items, or its end, to send. */
export interface ItemSource {
  /** @returns the next message, which is sent at once; undefined when there is none for now */
  takeMessage(): string | undefined;
}

/** Who wants to know what becomes of its message. */
export interface Sender {
  onSent(): void;
  /** It will not be sent any more. */
  onLost?(error: Error): void;
}

interface Waiting {
  text: string;
  sender: Sender | undefined;
}

export class Outbox {
  #carrier: Carrier;
  #messages: Waiting[] = [];
  readonly #progress = new Map<unknown, string>();
  readonly #sources = new Set<ItemSource>();
  #isFlushScheduled = false;
  /** Counts what streams have added, to see when they pause. */
  #added = 0;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  set carrier(carrier: Carrier) {
    this.#carrier = carrier;
    this.flush();
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0 && this.#progress.size === 0 && this.#sources.size === 0;
  }

  /** @param sender told when the connection has taken the message, perhaps at once */
  send(text: string, sender?: Sender): void {
    if (this.#hasRoomFor(text)) {
      this.#carrier.send(text);
      sender?.onSent();
    } else {
      this.#messages.push({ text, sender });
    }
  }

  /** @returns whether the message of this sender was still waiting; it is not sent then */
  withdraw(sender: Sender): boolean {
    const index = this.#messages.findIndex((waiting) => waiting.sender === sender);
    if (index >= 0) this.#messages.splice(index, 1);
    return index >= 0;
  }

  /** For what need not be sent to a peer that does not read. */
  sendIfRoom(text: string): void {
    if (this.#hasRoomFor(text)) this.#carrier.send(text);
  }

  /** Sends the progress of a call, or keeps it, without the one before. */
  sendProgress(id: unknown, text: string): void {
    this.#progress.delete(id);
    if (this.#hasRoomFor(text)) this.#carrier.send(text);
    else this.#progress.set(id, text);
  }

  /** The call is answered, or nobody waits for it any more. */
  dropProgress(id: unknown): void {
    this.#progress.delete(id);
  }

  /**
   * A stream has something to send. It goes out when the streams pause, so that items which come one right after the
   * other share a message.
   */
  addSource(source: ItemSource): void {
    this.#added++;
    this.#sources.add(source);
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    this.#flushWhenQuiet();
  }

  removeSource(source: ItemSource): void {
    this.#sources.delete(source);
  }

  /** Sends what waits, as far as there is room. */
  flush(): void {
    if (this.#messages.length > 0) this.#flushMessages();
    for (const [id, text] of this.#progress) {
      if (!this.#hasRoomFor(text)) return;
      this.#progress.delete(id);
      this.#carrier.send(text);
    }
    // Who has more comes again after all others: a Set keeps the order in which its members were added.
    for (const source of this.#sources) {
      if (this.#messages.length > 0 || !this.#carrier.hasRoom) return;
      this.#sources.delete(source);
      const text = source.takeMessage();
      if (text === undefined) continue;
      this.#sources.add(source);
      this.send(text);
    }
  }

  /** Nothing is sent any more. */
  close(error: Error): void {
    this.#carrier = CLOSED;
    const messages = this.#messages;
    this.#messages = [];
    this.#progress.clear();
    this.#sources.clear();
    for (const { sender } of messages) sender?.onLost?.(error);
  }

  #hasRoomFor(text: string): boolean {
    return this.#messages.length === 0 && this.#carrier.hasRoomFor(text.length);
  }

  #flushMessages(): void {
    const messages = this.#messages;
    let sent = 0;
    for (; sent < messages.length; sent++) {
      const { text, sender } = messages[sent]!;
      if (!this.#carrier.hasRoomFor(text.length)) break;
      this.#carrier.send(text);
      sender?.onSent();
      // Who was told has ended it all.
      if (this.#messages !== messages) return;
    }
    messages.splice(0, sent);
  }

  async #flushWhenQuiet(): Promise<void> {
    for (let added = -1; added !== this.#added; ) {
      added = this.#added;
      // As long as a generator takes from one `yield` to the next when it does not wait for anything.
      for (let turn = 0; turn < QUIET_TURNS; turn++) await undefined;
    }
    this.#isFlushScheduled = false;
    this.flush();
  }
}

/** Takes everything, and sends nothing. */
const CLOSED: Carrier = {
  hasRoom: true,
  hasRoomFor: () => true,
  maxBytes: Number.POSITIVE_INFINITY,
  send() {},
  fail() {},
  release() {},
};

const QUIET_TURNS = 6;
