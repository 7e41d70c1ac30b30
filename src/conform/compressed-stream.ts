// The compressed form of messages that many cases send alike: Autobahn's compression cases send the same thousand messages
// five times cut in five ways, and eight times under eight agreements. zlib takes longer than all the rest of such a
// case, so what it gave once is kept, within bounds.

import { type DeflateContext, RawDeflater } from './raw-deflate.js';

/** So much is kept of one stream, if its messages can be compressed on their own. Some have 112 MB. */
const KEPT_OF_STREAM_BYTES = 24 << 20;
/** Above this, streams that no case uses are dropped, the longest unused first. */
const KEPT_BYTES = 32 << 20;

interface Stream {
  readonly deflater: RawDeflater;
  readonly context: DeflateContext;
  readonly messages: Uint8Array[];
  bytes: number;
  users: number;
}

/** In the order of their last use. */
const streams = new Map<string, Stream>();
let heldBytes = 0;

export interface CompressedStream {
  /**
   * The compressed form of message `n`, counted from 0. Each user asks for them in order, at its own pace.
   *
   * @param content the message, the same for every user
   */
  message(n: number, content: Uint8Array): Uint8Array;
  /** To be called at the end of the case. */
  release(): void;
}

/** @param name what is sent: the same name stands for the same messages */
export function compressedStream(name: string, context: DeflateContext): CompressedStream {
  const key = `${name} ${context.windowBits} ${context.noContextTakeover}`;
  const stream = streams.get(key) ?? {
    deflater: new RawDeflater(context),
    context,
    messages: [],
    bytes: 0,
    users: 0,
  };
  streams.delete(key);
  streams.set(key, stream);
  stream.users++;
  let isReleased = false;
  return {
    message: (n, content) => stream.messages[n] ?? compress(stream, content),
    release: () => {
      if (!isReleased) stream.users--;
      isReleased = true;
      dropUnused();
    },
  };
}

function compress(stream: Stream, content: Uint8Array): Uint8Array {
  const message = stream.deflater.message(content);
  // A message that refers to the ones before it cannot be made anew, so then all are kept.
  if (stream.context.noContextTakeover && stream.bytes > KEPT_OF_STREAM_BYTES) return message;
  stream.messages.push(message);
  stream.bytes += message.length;
  heldBytes += message.length;
  if (heldBytes > KEPT_BYTES) dropUnused();
  return message;
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
