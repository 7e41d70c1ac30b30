// The compressed form of messages that many cases send alike: Autobahn's compression cases send the same thousand messages
// five times cut in five ways, and eight times under eight agreements. zlib takes longer than all the rest of such a
// case, so what it gave once is kept, within bounds.

import { type DeflateContext, RawDeflater } from './raw-deflate.js';

/** Above this, what no case uses is dropped, the longest unused first. The largest stream has 112 MB. */
const KEPT_BYTES = 48 << 20;

interface Stream {
  readonly contents: Iterator<Uint8Array>;
  readonly deflater: RawDeflater;
  readonly messages: Uint8Array[];
  bytes: number;
  users: number;
}

/** In the order of their last use. */
const streams = new Map<string, Stream>();
let heldBytes = 0;

export interface CompressedStream {
  /** The compressed form of message `n`, counted from 0; asked for in order. */
  message(n: number): Uint8Array;
  /** To be called at the end of the case. */
  release(): void;
}

/**
 * @param name what is sent: the same name stands for the same messages
 * @param contents makes the messages anew, where they are not known yet
 */
export function compressedStream(
  name: string,
  context: DeflateContext,
  contents: () => Iterable<Uint8Array>,
): CompressedStream {
  const key = `${name} ${context.windowBits} ${context.noContextTakeover}`;
  const stream = streams.get(key) ?? {
    contents: contents()[Symbol.iterator](),
    deflater: new RawDeflater(context),
    messages: [],
    bytes: 0,
    users: 0,
  };
  streams.delete(key);
  streams.set(key, stream);
  stream.users++;
  let isReleased = false;
  return {
    message: (n) => {
      while (stream.messages.length <= n) extend(stream);
      return stream.messages[n]!;
    },
    release: () => {
      if (!isReleased) stream.users--;
      isReleased = true;
      dropUnused();
    },
  };
}

function extend(stream: Stream): void {
  const { value, done } = stream.contents.next();
  if (done === true) throw new RangeError('there is no such message');
  const message = stream.deflater.message(value);
  stream.messages.push(message);
  stream.bytes += message.length;
  heldBytes += message.length;
  if (heldBytes > KEPT_BYTES) dropUnused();
}

function dropUnused(): void {
  for (const [key, stream] of streams) {
    if (heldBytes <= KEPT_BYTES) return;
    if (stream.users > 0) continue;
    heldBytes -= stream.bytes;
    stream.deflater.close();
    streams.delete(key);
  }
}
