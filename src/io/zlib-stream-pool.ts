// Who uses which zlib stream: streams that keep no context between messages are shared by all connections with the
// same settings, the others belong to one connection; and how many of them work in the thread pool at once.

import type { ZlibOptions } from 'node:zlib';
import { type Direction, ZlibSettings, ZlibStream } from './zlib-stream.js';

/** A few streams (a deflater has 256 KiB) stay for the next message; the rest of a burst is given back. */
const SPARE_STREAMS = 4;

/** Makes streams of one kind, and keeps those that wait for the next message. */
export class StreamPool {
  readonly #settings: ZlibSettings;
  readonly #spare: ZlibStream[] = [];

  constructor(direction: Direction, options: ZlibOptions) {
    this.#settings = new ZlibSettings(direction, options);
  }

  /** A stream with an empty window. */
  take(): ZlibStream {
    return this.#spare.pop() ?? new ZlibStream(this.#settings);
  }

  giveBack(stream: ZlibStream): void {
    if (this.#spare.length === SPARE_STREAMS) {
      stream.close();
      return;
    }
    stream.reset();
    this.#spare.push(stream);
  }
}

const pools = new Map<string, StreamPool>();

/** The pool of the process for these options: there are as many as an application has kinds of compression. */
export function poolFor(direction: Direction, options: ZlibOptions): StreamPool {
  // A dictionary is not looked into: its streams are shared with nobody.
  if (options.dictionary !== undefined) return new StreamPool(direction, options);
  const key = [direction, options.windowBits, options.level, options.memLevel, options.strategy].join();
  let pool = pools.get(key);
  if (pool === undefined) {
    pool = new StreamPool(direction, options);
    pools.set(key, pool);
  }
  return pool;
}

/** The stream of one direction of one connection: its own where context is kept, else borrowed for a message. */
export class StreamLease {
  readonly #pool: StreamPool;
  readonly #keepsContext: boolean;
  #stream: ZlibStream | undefined;

  constructor(pool: StreamPool, keepsContext: boolean) {
    this.#pool = pool;
    this.#keepsContext = keepsContext;
  }

  /** Made or borrowed when it is needed first. */
  get stream(): ZlibStream {
    this.#stream ??= this.#pool.take();
    return this.#stream;
  }

  /** A message is through. */
  endMessage(): void {
    if (this.#keepsContext || this.#stream === undefined) return;
    this.#pool.giveBack(this.#stream);
    this.#stream = undefined;
  }

  /** The stream failed, or nobody needs it any more. */
  close(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }
}
