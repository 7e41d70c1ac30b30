// One message for many receivers: encoded once, and compressed once for all that keep no compression context and agreed
// on the same window, since their frames are then the same to the byte.

import { frameHeaderLength, writeFrameHeader } from '../wire/frame-writer.js';
import { BINARY, TEXT } from '../wire/opcode.js';
import type { Deflater } from './compression.js';
import type { Platform } from './platform.js';
import { encodeText, type RepeatedCompression } from './repeated-message.js';

const FIN = 0x80;
const RSV1 = 0x40;

/** How receivers compress that keep no context: those with the same window get the same frame. */
export interface SharedCompression {
  windowBits: number;
  /** Makes a compressor that belongs to none of them, and so outlives each. */
  createDeflater(): Deflater;
  /** What one of them compressed a moment ago. */
  repeated: RepeatedCompression;
}

export class Broadcast {
  readonly payload: Uint8Array;
  readonly isBinary: boolean;
  readonly compress: boolean;

  readonly #platform: Platform;
  readonly #frames = new Map<number, Uint8Array | Promise<Uint8Array>>();

  /** @param payload bytes, or text that goes as UTF-8 */
  constructor(payload: Uint8Array | string, isBinary: boolean, compress: boolean, platform: Platform) {
    this.#platform = platform;
    this.isBinary = isBinary;
    this.compress = compress;
    this.payload = typeof payload === 'string' ? encodeText(payload, platform) : payload;
  }

  /** The unmasked frame, uncompressed. */
  frame(): Uint8Array {
    let frame = this.#frames.get(0) as Uint8Array | undefined;
    if (frame === undefined) {
      frame = this.#encode(0, this.payload);
      this.#frames.set(0, frame);
    }
    return frame;
  }

  /** The unmasked frame, compressed. */
  compressedFrame({ windowBits, createDeflater }: SharedCompression): Uint8Array | Promise<Uint8Array> {
    let frame = this.#frames.get(windowBits);
    if (frame === undefined) {
      const compressed = createDeflater().deflate(this.payload, true, true);
      frame =
        compressed instanceof Promise
          ? compressed.then((bytes) => this.#encode(RSV1, bytes))
          : this.#encode(RSV1, compressed);
      // Each sender hears of a failure when it takes the frame.
      if (frame instanceof Promise) frame.catch(() => {});
      this.#frames.set(windowBits, frame);
    }
    return frame;
  }

  #encode(rsv1: number, payload: Uint8Array): Uint8Array {
    const headerLength = frameHeaderLength(payload.length, false);
    const frame = this.#platform.allocate(headerLength + payload.length);
    writeFrameHeader(frame, 0, FIN | rsv1 | (this.isBinary ? BINARY : TEXT), payload.length, false, 0);
    frame.set(payload, headerLength);
    return frame;
  }
}
