// All streams of one conversation, in both directions: who has which number, and how many there may be.

import { CallError, type ErrorObject, RPC, RpcError } from './errors.js';
import { IncomingStream, type IncomingStreamOwner } from './incoming-stream.js';
import type { RpcLimits } from './limits.js';
import { serializeOurs } from './message.js';
import type { Outbox, Sender } from './outbox.js';
import { StreamSender } from './stream-sender.js';

export interface StreamsOptions {
  outbox: Outbox;
  limits: Required<RpcLimits>;
  maxBytes: number;
  /** What the consumer is told of what a producer threw, for a call of this method. */
  describe(error: unknown, method: string): ErrorObject;
  /** One is over. */
  onOver(): void;
}

/** What to do with a message of a stream: it was taken, it comes too late for anybody, or it must not come. */
export type Verdict = 'taken' | 'late' | 'unannounced' | 'overrun';

export class Streams implements IncomingStreamOwner {
  readonly #options: StreamsOptions;
  readonly #incoming = new Map<number, IncomingStream>();
  readonly #outgoing = new Map<number, StreamSender>();
  /** The highest number that the peer has given, and that we have. */
  #announced = 0;
  #last = 0;
  /** Those that have not left. */
  #cancellations = 0;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  get incoming(): number {
    return this.#incoming.size;
  }

  get outgoing(): number {
    return this.#outgoing.size;
  }

  // To the peer

  /** @throws RpcError `OVERLOADED` when there is no room for so many more */
  checkRoom(count: number): void {
    if (this.#outgoing.size + count > this.#options.limits.streams) throw tooMany();
  }

  nextNumber(): number {
    return ++this.#last;
  }

  /** Begins to produce, for a stream whose number is on its way. */
  produce(
    number: number,
    items: AsyncIterable<unknown>,
    method: string,
    onOver?: (wasStopped: boolean) => void,
  ): void {
    const { outbox, maxBytes } = this.#options;
    const sender = new StreamSender({
      number,
      items,
      outbox,
      maxBytes,
      describe: (error) => this.#options.describe(error, method),
      onOver: (wasStopped) => {
        this.#outgoing.delete(number);
        onOver?.(wasStopped);
        this.#options.onOver();
      },
    });
    this.#outgoing.set(number, sender);
    sender.start();
  }

  /** Nobody reads any more. */
  stop(number: number): void {
    this.#outgoing.get(number)?.stop();
  }

  onCredit(number: number, items: number, bytes: number): void {
    this.#outgoing.get(number)?.grant(items, bytes);
  }

  // From the peer

  /**
   * The peer has announced a stream.
   *
   * @throws RpcError `INVALID_REQUEST` for a number that does not rise; `OVERLOADED` when there are too many, of which the
   *   producer is told
   */
  accept(number: number): IncomingStream {
    if (number <= this.#announced) {
      throw new RpcError(RPC.INVALID_REQUEST, `stream ${number} comes after stream ${this.#announced}`);
    }
    this.#announced = number;
    if (this.#incoming.size >= this.#options.limits.streams) {
      this.cancel(number, 'too many streams');
      throw tooMany();
    }
    const stream = new IncomingStream(number, this);
    this.#incoming.set(number, stream);
    return stream;
  }

  /** Nobody is there for a stream that was announced. */
  refuse(number: number): void {
    if (number <= this.#announced) return;
    this.#announced = number;
    this.cancel(number, undefined);
  }

  /** @param length of the message, in UTF-16 code units */
  onNext(number: number, items: unknown[], length: number): Verdict {
    const stream = this.#incoming.get(number);
    if (stream === undefined) return this.#judge(number);
    return stream.receive(items, length) ? 'taken' : 'overrun';
  }

  onEnd(number: number, error: ErrorObject | undefined): Verdict {
    const stream = this.#incoming.get(number);
    if (stream === undefined) return this.#judge(number);
    stream.end(error && new CallError(error, { isRemote: true }));
    return 'taken';
  }

  /** What has come of it cannot be used. */
  abandon(number: number, error: Error): void {
    this.#incoming.get(number)?.abandon(error);
  }

  /** The conversation is over. */
  endAll(error: Error): void {
    for (const stream of this.#incoming.values()) stream.end(error);
    for (const sender of this.#outgoing.values()) sender.stop();
  }

  // What incoming streams tell

  grant(s: number, n: number, bytes: number, sender: Sender): void {
    this.#options.outbox.send(serializeOurs('$/credit', { s, n, bytes }), sender);
  }

  /** Who announces streams and does not read that nobody wants them is told no more than so often. */
  cancel(s: number, reason: string | undefined): void {
    const { outbox, limits } = this.#options;
    if (this.#cancellations >= limits.calls) return;
    this.#cancellations++;
    outbox.send(serializeOurs('$/cancel', { s, reason }), { onSent: () => this.#cancellations-- });
  }

  onOver(number: number): void {
    const stream = this.#incoming.get(number);
    // A grant that has not left is of no use.
    if (stream !== undefined) this.#options.outbox.withdraw(stream);
    this.#incoming.delete(number);
    this.#options.onOver();
  }

  #judge(number: number): Verdict {
    return number > this.#announced ? 'unannounced' : 'late';
  }
}

function tooMany(): RpcError {
  return new RpcError(RPC.OVERLOADED, 'too many streams are open');
}
