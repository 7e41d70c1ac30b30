// Who uses which zlib stream: streams that keep no context between messages are shared by all connections with the
// same settings, the others belong to one connection; and how many of them work in the thread pool at once.

import type { ZlibOptions } from 'node:zlib';
import { type Direction, ZlibSettings, ZlibStream } from './zlib-stream.js';

/** A few streams (a deflater has 256 KiB) stay for the next message; the rest of a burst is freed. */
const SPARE_STREAMS = 4;
/** To wipe a deflater of 1 KiB takes 2 us, of 4 KiB 7 us; a new one takes 5 us. */
const MOST_WIPED_BYTES = 2 * 1024;

const ZEROS = new Uint8Array(MOST_WIPED_BYTES);
const IGNORED = new Uint8Array(2 * MOST_WIPED_BYTES);

/** A stream that waits, reset, and what its memory still holds. */
interface Spare {
  stream: ZlibStream;
  /** Whose bytes they are, and how many. */
  user: StreamLease;
  length: number;
}

/** Makes streams of one kind, and keeps those that wait for the next message. */
export class StreamPool {
  readonly #direction: Direction;
  readonly #settings: ZlibSettings;
  readonly #spare: Spare[] = [];

  constructor(direction: Direction, options: ZlibOptions) {
    this.#direction = direction;
    this.#settings = new ZlibSettings(direction, options);
  }

  /** A stream with an empty window, for a message of `user`; the one that it used last, if that waits here. */
  take(user: StreamLease): ZlibStream {
    const own = this.#spare.findIndex((spare) => spare.user === user);
    if (own !== -1) return this.#spare.splice(own, 1)[0]!.stream;
    const spare = this.#spare.pop();
    if (spare === undefined) return new ZlibStream(this.#settings);
    // A deflater that is reset leaves the old bytes in its memory, and Chromium's zlib looks at some of them where it
    // searches for matches: the length of a message would tell what stood in that of another connection. So they
    // are overwritten before the stream changes hands. Messages of one connection come in bursts: 1 KiB of JSON, echoed,
    // takes 16 us instead of 20 for that. Where a connection must not learn from its own earlier messages, do not compress.
    const { stream, length } = spare;
    if (this.#direction === 'inflate') return stream;
    if (length > MOST_WIPED_BYTES) {
      stream.close();
      return new ZlibStream(this.#settings);
    }
    stream.runSync(ZEROS, 0, length, IGNORED, IGNORED.length);
    stream.reset();
    return stream;
  }

  /** @param length how many bytes of `user` were handed to the stream */
  giveBack(stream: ZlibStream, user: StreamLease, length: number): void {
    if (this.#spare.length === SPARE_STREAMS) {
      stream.close();
      return;
    }
    stream.reset();
    this.#spare.push({ stream, user, length });
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
  #length = 0;

  constructor(pool: StreamPool, keepsContext: boolean) {
    this.#pool = pool;
    this.#keepsContext = keepsContext;
  }

  /** The stream for the next bytes; it is made or borrowed when it is needed first. */
  use(length: number): ZlibStream {
    this.#stream ??= this.#pool.take(this);
    this.#length += length;
    return this.#stream;
  }

  /** A message is through. */
  endMessage(): void {
    if (this.#keepsContext || this.#stream === undefined) return;
    this.#pool.giveBack(this.#stream, this, this.#length);
    this.#stream = undefined;
    this.#length = 0;
  }

  /** The stream failed, or nobody needs it any more. */
  close(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }
}
