// Frames on their way out of one connection. Small ones are copied one behind the other into a block that all connections
// share, so that what a connection sends in one go leaves in one write; large payloads are not copied (unless they must be
// masked) and leave in the same gathering write.

import { MAX_FRAME_HEADER_BYTES, writeFrameHeader } from '../wire/frame-writer.js';
import { applyMask, wordsOf } from '../wire/mask.js';
import { LIMITS } from './limits.js';
import type { Platform } from './platform.js';
import { RepeatedText } from './repeated-message.js';

/** The shared block: bytes up to `offset` are taken. */
export class OutputBlock {
  readonly #platform: Platform;
  readonly #first: () => Uint8Array | undefined;
  bytes: Uint8Array;
  words: Int32Array;
  offset = 0;
  /** Shared like the block: a text is often for many connections. */
  readonly repeatedText: RepeatedText;

  /** @param first makes the first block, where that is to lie in a particular place */
  constructor(platform: Platform, first: () => Uint8Array | undefined = () => undefined) {
    this.#platform = platform;
    this.#first = first;
    this.bytes = platform.allocate(0);
    this.words = wordsOf(this.bytes);
    this.repeatedText = new RepeatedText(platform);
  }

  /** Makes room for `length` bytes in one piece; starts a new block where the old one has none. */
  reserve(length: number): void {
    if (this.offset + length <= this.bytes.length) return;
    const first = this.bytes.length === 0 ? this.#first() : undefined;
    this.bytes = first ?? this.#platform.allocate(LIMITS.outputBlockBytes);
    this.words = wordsOf(this.bytes);
    this.offset = 0;
  }
}

export class FrameQueue {
  /** Bytes that wait to be taken. */
  byteLength = 0;
  /** Whether among them is memory of the application's, to be written before it changes. */
  isBorrowing = false;

  readonly #platform: Platform;
  readonly #block: OutputBlock;
  /** Finished pieces, in order, in front of the open one. */
  #pieces: Uint8Array[] | undefined;
  /** The open piece: `bytes[start, end)` of a shared block. */
  #bytes: Uint8Array | undefined;
  #start = 0;
  #end = 0;

  constructor(platform: Platform, block: OutputBlock) {
    this.#platform = platform;
    this.#block = block;
  }

  /**
   * Appends a frame.
   *
   * @param first FIN, RSV1-3 and opcode
   * @param payload a string goes as UTF-8; bytes are not changed, and bytes that will be masked are copied at once
   * @param isMasked whether to mask with `key`
   * @param isOwned the payload is ours: it may be masked in place
   */
  append(first: number, payload: Uint8Array | string, isMasked: boolean, key: number, isOwned = false): void {
    const length = typeof payload === 'string' ? this.#platform.textLength(payload) : payload.length;
    if (length > LIMITS.copiedPayloadBytes) {
      this.#appendLarge(first, payload, length, isMasked, key, isOwned);
      return;
    }
    const bytes = this.#open(length + MAX_FRAME_HEADER_BYTES);
    const position = writeFrameHeader(bytes, this.#end, first, length, isMasked, key);
    if (typeof payload === 'string') this.#platform.writeText(bytes, payload, position);
    else bytes.set(payload, position);
    if (isMasked) applyMask(bytes, position, position + length, key, this.#block.words);
    this.#close(position + length);
  }

  /** Appends bytes that are frames already. */
  appendRaw(bytes: Uint8Array): void {
    if (bytes.length > LIMITS.copiedPayloadBytes) {
      this.#push(bytes);
      this.isBorrowing = true;
      return;
    }
    this.#open(bytes.length).set(bytes, this.#end);
    this.#close(this.#end + bytes.length);
  }

  /** Hands over everything that waits: one piece, several, or `undefined` for none. */
  take(): Uint8Array | Uint8Array[] | undefined {
    if (this.byteLength === 0) return undefined;
    this.byteLength = 0;
    this.isBorrowing = false;
    if (this.#pieces === undefined) {
      const piece = this.#platform.view(this.#bytes!, this.#start, this.#end);
      this.#bytes = undefined;
      return piece;
    }
    this.#seal();
    const pieces = this.#pieces;
    this.#pieces = undefined;
    return pieces;
  }

  /** Gives the space of the piece just taken back; only when nobody looks at it any more. */
  release(piece: Uint8Array): void {
    const block = this.#block;
    if (piece.buffer === block.bytes.buffer && this.#end === block.offset) block.offset = this.#start;
  }

  #appendLarge(
    first: number,
    payload: Uint8Array | string,
    length: number,
    isMasked: boolean,
    key: number,
    isOwned: boolean,
  ): void {
    let body: Uint8Array;
    if (typeof payload === 'string') {
      body = this.#platform.allocate(length);
      this.#platform.writeText(body, payload, 0);
    } else if (isMasked && !isOwned) {
      // [RFC6455-10.3-2] what the application does to its bytes from now on reaches neither the mask nor the wire
      body = this.#platform.allocate(length);
      body.set(payload);
    } else {
      body = payload;
      if (!isOwned) this.isBorrowing = true;
    }
    if (isMasked) applyMask(body, 0, length, key);
    const bytes = this.#open(MAX_FRAME_HEADER_BYTES);
    this.#close(writeFrameHeader(bytes, this.#end, first, length, isMasked, key));
    this.#push(body);
  }

  /** The block, with room for `length` bytes at `#end`. */
  #open(length: number): Uint8Array {
    const block = this.#block;
    block.reserve(length);
    // Another connection wrote meanwhile, or the block is a new one: go on in a piece of its own.
    if (this.#bytes !== block.bytes || this.#end !== block.offset) {
      this.#seal();
      this.#bytes = block.bytes;
      this.#start = block.offset;
      this.#end = block.offset;
    }
    return block.bytes;
  }

  #close(end: number): void {
    this.byteLength += end - this.#end;
    this.#end = end;
    this.#block.offset = end;
  }

  #seal(): void {
    if (this.#bytes === undefined) return;
    if (this.#end > this.#start) {
      this.#pieces ??= [];
      this.#pieces.push(this.#bytes.subarray(this.#start, this.#end));
    }
    this.#bytes = undefined;
  }

  #push(piece: Uint8Array): void {
    this.#seal();
    this.#pieces ??= [];
    this.#pieces.push(piece);
    this.byteLength += piece.length;
  }
}
