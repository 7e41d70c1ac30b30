// One direction of a connection through the fault proxy: bytes are read, wait for their time in a bounded queue, and are
// written in the order in which they came. It obeys the rules; who sets them, and when, is decided elsewhere.
import type { Socket } from 'node:net';

/** As the target sees it: `in` is from client to target, `out` from target to client. */
export type Direction = 'in' | 'out';
export type Directions = Direction | 'both';

/** How a connection is cut. `blackhole`: nothing passes any more, and neither end is told. */
export type CutMode = 'rst' | 'fin' | 'blackhole';

/** What happens to bytes on their way. May be changed at any time; counts for what arrives, or is written, afterwards. */
export interface Faults {
  /** Milliseconds that each byte takes, one way. */
  latencyMs: number;
  /** Up to so many milliseconds more, at random; the order stays. */
  jitterMs: number;
  /** Bytes per second, for each connection and direction. */
  bytesPerSecond: number;
  /** Bytes of the longest write. */
  chunkBytes: number;
  /** Where all this applies. */
  direction: Directions;
}

/** A cut that is due when a connection has forwarded exactly so many bytes in a direction since it was opened. */
export interface CutOrder {
  bytes: number;
  direction: Directions;
  how: CutMode;
}

/** What all pipes of a proxy share. */
export interface Rules {
  readonly faults: Faults;
  /** Directions in which nothing passes now. */
  readonly held: Set<Direction>;
  cutOrder: CutOrder | undefined;
  /** At least 0 and below 1. */
  random(): number;
}

export interface PipeOptions {
  source: Socket;
  sink: Socket;
  direction: Direction;
  rules: Rules;
  /** Called when the bytes of the cut order have been handed to the operating system. */
  onCutDue(): void;
}

/** What waits: bytes, or the news that no more will come. */
interface Parcel {
  content: Buffer | 'fin' | 'rst';
  /** On the clock of `performance.now()`. */
  dueAt: number;
}

/** Bytes that may wait in one direction of a connection; then the source is not read. */
export const QUEUE_BYTES = 1024 * 1024;
/** What a parcel costs besides its bytes, so that many small ones are bounded too. */
const PARCEL_BYTES = 256;
/** A limited rate is spread in slices of about this length. */
const SLICE_MS = 20;

export class FaultPipe {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #direction: Direction;
  readonly #rules: Rules;
  readonly #onCutDue: () => void;
  #queue: Parcel[] = [];
  #queuedBytes = 0;
  #forwardedBytes = 0;
  /** When the link is free again, at a limited rate. */
  #freeAt = 0;
  #timer: NodeJS.Timeout | undefined;
  /** A write, or a cut, is under way. */
  #isBusy = false;
  #isLost = false;
  #isStopped = false;

  constructor({ source, sink, direction, rules, onCutDue }: PipeOptions) {
    this.#source = source;
    this.#sink = sink;
    this.#direction = direction;
    this.#rules = rules;
    this.#onCutDue = onCutDue;
    source.on('data', (bytes: Buffer) => this.#enqueue(bytes));
    source.on('end', () => this.#enqueue('fin'));
  }

  /** Bytes that were written to the sink. */
  get forwardedBytes(): number {
    return this.#forwardedBytes;
  }

  /** What waits, with what the waiting costs. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** The source is gone without a FIN: so will the sink be, when what waits has been written. */
  reset(): void {
    this.#enqueue('rst');
  }

  /** Goes on where it can; to be called when the rules have changed. */
  wake(): void {
    this.#pump();
  }

  /** From now on nothing passes. The source is read until the queue is full, as if nobody acknowledged its bytes. */
  lose(): void {
    this.#isLost = true;
    this.#clear();
  }

  /** From now on nothing passes, and what comes is thrown away. */
  stop(): void {
    this.#isStopped = true;
    this.#clear();
  }

  #enqueue(content: Parcel['content']): void {
    if (this.#isStopped) return;
    const { latencyMs, jitterMs } = this.#rules.faults;
    const delayMs = this.#isFaulty ? latencyMs + jitterMs * this.#rules.random() : 0;
    this.#queue.push({ content, dueAt: performance.now() + delayMs });
    this.#queuedBytes += PARCEL_BYTES + (typeof content === 'string' ? 0 : content.length);
    if (this.#queuedBytes >= QUEUE_BYTES) this.#source.pause();
    this.#pump();
  }

  #pump(): void {
    if (this.#isStopped || this.#isLost || this.#isBusy) return;
    if (this.#bytesUntilCut() === 0) {
      this.#cutSoon();
      return;
    }
    const [head] = this.#queue;
    if (head === undefined || this.#timer !== undefined || this.#rules.held.has(this.#direction)) return;
    const waitMs = Math.max(head.dueAt, this.#freeAt) - performance.now();
    if (waitMs > 0) this.#pumpLater(waitMs);
    else if (typeof head.content === 'string') this.#end(head.content);
    else if (this.#sink.writable) this.#write(head.content);
    else this.#clear();
  }

  #pumpLater(waitMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#pump();
    }, Math.ceil(waitMs));
  }

  #end(how: 'fin' | 'rst'): void {
    this.#clear();
    if (how === 'fin') this.#sink.end();
    // Also after a FIN: who has only said that it sends no more may have vanished since.
    else if (!this.#sink.destroyed) this.#sink.resetAndDestroy();
  }

  /** Writes the beginning of the first parcel, and goes on when the operating system has taken it: this is the backpressure. */
  #write(content: Buffer): void {
    const bytes = content.subarray(0, Math.min(this.#longestWrite(), this.#bytesUntilCut()));
    this.#take(bytes.length);
    this.#forwardedBytes += bytes.length;
    this.#isBusy = true;
    this.#sink.write(bytes, () => {
      this.#isBusy = false;
      // In a turn of its own a chunk has a chance of being read on its own.
      if (this.#isFaulty && Number.isFinite(this.#rules.faults.chunkBytes)) setImmediate(() => this.#pump());
      else this.#pump();
    });
  }

  /**
   * Two turns of the event loop later a peer in this process has read what was written. A reset that finds bytes unread takes
   * them away on some systems; on Linux libuv reports it as a FIN.
   */
  #cutSoon(): void {
    this.#isBusy = true;
    setImmediate(() => {
      setImmediate(() => {
        this.#isBusy = false;
        // Another connection may have been first.
        if (this.#bytesUntilCut() > 0) this.#pump();
        else if (!this.#isStopped && !this.#isLost) this.#onCutDue();
      });
    });
  }

  #longestWrite(): number {
    if (!this.#isFaulty) return Number.POSITIVE_INFINITY;
    const { bytesPerSecond, chunkBytes } = this.#rules.faults;
    return Math.max(1, Math.min(chunkBytes, Math.ceil((bytesPerSecond * SLICE_MS) / 1000)));
  }

  /** Removes bytes from the first parcel, and the parcel when it is empty. */
  #take(byteLength: number): void {
    const head = this.#queue[0]!;
    const rest = (head.content as Buffer).subarray(byteLength);
    head.content = rest;
    this.#queuedBytes -= byteLength;
    if (rest.length === 0) {
      this.#queue.shift();
      this.#queuedBytes -= PARCEL_BYTES;
    }
    if (this.#isFaulty) {
      // A timer that fired late may be made up for, but not more than a slice of it.
      const startedAt = Math.max(this.#freeAt, performance.now() - SLICE_MS);
      this.#freeAt = startedAt + (byteLength * 1000) / this.#rules.faults.bytesPerSecond;
    }
    if (this.#queuedBytes < QUEUE_BYTES) this.#source.resume();
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#source.resume();
  }

  #bytesUntilCut(): number {
    const order = this.#rules.cutOrder;
    if (order === undefined || !includes(order.direction, this.#direction)) return Number.POSITIVE_INFINITY;
    return Math.max(0, order.bytes - this.#forwardedBytes);
  }

  get #isFaulty(): boolean {
    return includes(this.#rules.faults.direction, this.#direction);
  }
}

function includes(directions: Directions, direction: Direction): boolean {
  return directions === 'both' || directions === direction;
}
