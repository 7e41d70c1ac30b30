// The producer's end of a stream: takes items from an AsyncIterable while there is credit, and sends those that come one right
// after the other in one message. A generator's `yield` waits while the credit is used up.

import { type ErrorObject, RPC, RpcError } from './errors.js';
import { STREAM_WINDOW } from './limits.js';
import { serializeNext, serializeOurs, serializeWithin } from './message.js';
import type { ItemSource, Outbox } from './outbox.js';

/** Items share a message up to this length. */
const BATCH_LENGTH = 64 * 1024;
/** What a message has beside its items, at most. */
const ENVELOPE_LENGTH = 128;

export interface StreamSenderOptions {
  /** Names the stream to the consumer. */
  number: number;
  items: AsyncIterable<unknown>;
  outbox: Outbox;
  /** The longest message, in UTF-16 code units. */
  maxBytes: number;
  /** What the consumer is told of what the producer threw. */
  describe(error: unknown): ErrorObject;
  /** @param wasStopped whether the consumer wanted no more, or is gone */
  onOver(wasStopped: boolean): void;
}

export class StreamSender implements ItemSource {
  readonly #options: StreamSenderOptions;
  readonly #credit: { items: number; bytes: number } = { ...STREAM_WINDOW };
  #iterator: AsyncIterator<unknown> | undefined;
  /** JSON of the items that are not sent. */
  #waiting: string[] = [];
  #waitingLength = 0;
  #onRoom: (() => void) | undefined;
  #end: { error: ErrorObject | undefined } | undefined;
  #isOver = false;

  constructor(options: StreamSenderOptions) {
    this.#options = options;
  }

  /** Asks for the first item: whoever makes it may end the stream at once. */
  start(): void {
    this.#produce();
  }

  /** The consumer has room for more. */
  grant(items: number, bytes: number): void {
    this.#credit.items += items;
    this.#credit.bytes += bytes;
    if (this.#waiting.length > 0) this.#options.outbox.addSource(this);
    this.#wake();
  }

  /** The consumer wants no more, or is gone: the producer's `finally` runs. */
  stop(): void {
    if (this.#isOver) return;
    this.#finish(true);
    this.#options.outbox.removeSource(this);
    this.#wake();
    this.#return();
  }

  takeMessage(): string | undefined {
    if (this.#waiting.length > 0) return this.#takeItems();
    if (this.#end === undefined || this.#isOver) return undefined;
    this.#finish(false);
    const { number: s, maxBytes } = this.#options;
    const { error } = this.#end;
    if (error === undefined) return serializeOurs('$/end', { s });
    return serializeWithin(maxBytes, error, (sendable) => serializeOurs('$/end', { s, error: sendable }));
  }

  #takeItems(): string | undefined {
    const credit = this.#credit;
    if (credit.items <= 0 || credit.bytes <= 0) return undefined;
    const all = this.#waiting;
    const longest = Math.min(BATCH_LENGTH, this.#options.maxBytes - ENVELOPE_LENGTH);
    let count = 0;
    for (let length = 0; count < all.length && count < credit.items; count++) {
      length += all[count]!.length + 1;
      // One item, however long it is, goes alone.
      if (length > longest && count > 0) break;
    }
    const items = count === all.length ? all : all.slice(0, count);
    this.#waiting = count === all.length ? [] : all.slice(count);
    for (const item of items) this.#waitingLength -= item.length;
    const text = serializeNext(this.#options.number, items);
    credit.items -= count;
    credit.bytes -= text.length;
    this.#wake();
    return text;
  }

  async #produce(): Promise<void> {
    try {
      this.#iterator = this.#options.items[Symbol.asyncIterator]();
      for (;;) {
        if (!this.#hasRoom) await new Promise<void>((resolve) => (this.#onRoom = resolve));
        if (this.#isOver) return;
        const { done, value } = await this.#iterator.next();
        if (this.#isOver) return;
        if (done) break;
        this.#add(value);
      }
      this.#end = { error: undefined };
    } catch (error) {
      // It may be what an item is that was wrong, and the producer would go on.
      this.#return();
      if (this.#isOver) return;
      this.#end = { error: this.#options.describe(error) };
    }
    this.#options.outbox.addSource(this);
  }

  #add(value: unknown): void {
    const text = JSON.stringify(value) ?? 'null';
    if (text.length + ENVELOPE_LENGTH > this.#options.maxBytes) {
      throw new RpcError(RPC.TOO_LARGE, `an item of a stream has a length of ${text.length}`);
    }
    this.#waiting.push(text);
    this.#waitingLength += text.length;
    this.#options.outbox.addSource(this);
  }

  /** Whatever was granted, no more than a window is kept here for a connection that does not take it. */
  get #hasRoom(): boolean {
    const { items, bytes } = this.#credit;
    return (
      this.#waiting.length < Math.min(items, STREAM_WINDOW.items) &&
      this.#waitingLength < Math.min(bytes, STREAM_WINDOW.bytes)
    );
  }

  #wake(): void {
    if (!this.#hasRoom && !this.#isOver) return;
    this.#onRoom?.();
    this.#onRoom = undefined;
  }

  #finish(wasStopped: boolean): void {
    this.#isOver = true;
    this.#waiting = [];
    this.#options.onOver(wasStopped);
  }

  /** What a producer throws on its way out is nobody's any more. One that waits for something ends when that has come. */
  #return(): void {
    try {
      const returned = this.#iterator?.return?.();
      returned?.then(undefined, () => {});
    } catch {
      // As above.
    }
  }
}
