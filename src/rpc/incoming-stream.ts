// The consumer's end of a stream: items that have come wait here, as far as credit was granted, until the application asks for
// them. It grants more when half of that is consumed.

import { offAbort, onAbort } from '../agent/abort-listeners.js';
import { CallError, RPC } from './errors.js';
import { STREAM_WINDOW } from './limits.js';
import type { Sender } from './outbox.js';
import type { RpcStream } from './stream.js';

export interface IncomingStreamOwner {
  /** The application has consumed so much. @param sender told when the producer is about to know */
  grant(stream: number, items: number, bytes: number, sender: Sender): void;
  /** The application wants no more; the peer has to know. */
  cancel(stream: number, reason: string | undefined): void;
  /** Nothing more is expected: it ended, or was cancelled. */
  onOver(stream: number): void;
}

interface Reader {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: Error): void;
}

/** The items of one message. */
interface Batch {
  items: unknown[];
  taken: number;
  length: number;
}

const END: IteratorResult<never, undefined> = { done: true, value: undefined };

export class IncomingStream implements RpcStream<unknown>, Sender {
  readonly #number: number;
  readonly #owner: IncomingStreamOwner;
  #batches: Batch[] = [];
  readonly #readers: Reader[] = [];
  /** What the producer may still send. */
  readonly #credit: { items: number; bytes: number } = { ...STREAM_WINDOW };
  /** What was read and is not granted. */
  #consumed = { items: 0, bytes: 0 };
  /** Whether a grant waits to be sent. Who does not read what we send gets no second one. */
  #isGranting = false;
  #end: { error: Error | undefined } | undefined;
  #signal: AbortSignal | undefined;

  constructor(number: number, owner: IncomingStreamOwner) {
    this.#number = number;
    this.#owner = owner;
  }

  /** Whether nothing more is expected from the producer. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** Fails the stream when the signal is aborted. */
  follow(signal: AbortSignal): void {
    this.#signal = signal;
    if (signal.aborted) this.#onAbort();
    else onAbort(signal, this.#onAbort);
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    const batch = this.#batches[0];
    if (batch !== undefined) return Promise.resolve({ done: false, value: this.#take(batch) });
    if (this.#end === undefined) {
      return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    }
    const { error } = this.#end;
    // Told once: whoever asks again gets the end.
    this.#end.error = undefined;
    return error === undefined ? Promise.resolve(END) : Promise.reject(error);
  }

  async return(): Promise<IteratorResult<unknown, undefined>> {
    await this.cancel();
    return END;
  }

  async cancel(reason?: string): Promise<void> {
    if (!this.isOver) {
      this.#owner.cancel(this.#number, reason);
      this.#finish(undefined);
    }
    this.#batches = [];
    this.#end = { error: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancel();
  }

  /**
   * Items have come.
   *
   * @param length of the message, in UTF-16 code units
   * @returns false when the producer had no credit for them
   */
  receive(items: unknown[], length: number): boolean {
    const credit = this.#credit;
    if (credit.items < items.length || credit.bytes <= 0) return false;
    credit.items -= items.length;
    credit.bytes -= length;
    this.#batches.push({ items, taken: 0, length });
    while (this.#readers.length > 0 && this.#batches.length > 0) {
      const value = this.#take(this.#batches[0]!);
      this.#readers.shift()!.resolve({ done: false, value });
    }
    return true;
  }

  /** No more will come. What has come can still be read. */
  end(error: Error | undefined): void {
    if (!this.isOver) this.#finish(error);
  }

  /** Nobody is there any more for what would come: the producer has to know. What has come can still be read. */
  abandon(error: Error): void {
    if (this.isOver) return;
    this.#owner.cancel(this.#number, undefined);
    this.#finish(error);
  }

  onSent(): void {
    this.#isGranting = false;
    this.#grant();
  }

  #take(batch: Batch): unknown {
    const item = batch.items[batch.taken]!;
    batch.taken++;
    const consumed = this.#consumed;
    consumed.items++;
    if (batch.taken === batch.items.length) {
      this.#batches.shift();
      consumed.bytes += batch.length;
    }
    this.#grant();
    return item;
  }

  /** When half of the window is consumed. */
  #grant(): void {
    const { items, bytes } = this.#consumed;
    const isHalf = items * 2 >= STREAM_WINDOW.items || bytes * 2 >= STREAM_WINDOW.bytes;
    if (!isHalf || this.#isGranting || this.isOver) return;
    this.#isGranting = true;
    this.#consumed = { items: 0, bytes: 0 };
    this.#credit.items += items;
    this.#credit.bytes += bytes;
    this.#owner.grant(this.#number, items, bytes, this);
  }

  #finish(error: Error | undefined): void {
    this.#end = { error };
    if (this.#signal !== undefined) offAbort(this.#signal, this.#onAbort);
    this.#owner.onOver(this.#number);
    for (const reader of this.#readers.splice(0)) this.next().then(reader.resolve, reader.reject);
  }

  readonly #onAbort = (): void => {
    if (this.isOver) return;
    this.#owner.cancel(this.#number, 'aborted');
    this.#batches = [];
    this.#finish(
      new CallError(
        { code: RPC.CANCELLED, message: 'the stream was cancelled' },
        { cause: this.#signal!.reason },
      ),
    );
  };
}
