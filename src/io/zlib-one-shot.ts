// Inflating and deflating with nothing but the public functions of `node:zlib` that take a whole message, for runtimes
// on which `zlib-stream.ts` does not work. What a message may refer to (RFC 7692 §7.2) is handed to zlib as a
// dictionary. The results are the same, but each message pays for a new stream and the way through the thread pool.

import { constants, deflateRaw, inflateRaw, type ZlibOptions } from 'node:zlib';
import type { Deflater, DirectionAgreement, Inflater } from '../protocol/compression.js';
import { protocolError } from '../wire/errors.js';
import { Codec } from './zlib-codec.js';
import { zlibError } from './zlib-stream.js';

const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** The end of what went through so far, as far as the next message may refer to it. */
class Window {
  readonly #size: number;
  #bytes: Buffer | undefined;

  constructor({ maxWindowBits }: DirectionAgreement) {
    this.#size = 2 ** maxWindowBits;
  }

  get option(): { dictionary?: Buffer } {
    return this.#bytes === undefined ? {} : { dictionary: this.#bytes };
  }

  push(bytes: Uint8Array): void {
    const all = Buffer.concat(this.#bytes === undefined ? [bytes] : [this.#bytes, bytes]);
    if (all.length > 0) this.#bytes = Buffer.from(all.subarray(-this.#size));
  }

  clear(): void {
    this.#bytes = undefined;
  }
}

abstract class OneShotCodec extends Codec {
  protected readonly options: ZlibOptions;
  protected readonly window: Window;
  readonly #keepsContext: boolean;

  constructor(work: string, options: ZlibOptions, agreement: DirectionAgreement) {
    super(work);
    this.options = { ...options, finishFlush: constants.Z_SYNC_FLUSH };
    this.window = new Window(agreement);
    this.#keepsContext = !agreement.noContextTakeover;
  }

  protected endMessage(): void {
    if (!this.#keepsContext) this.window.clear();
  }

  protected override discard(): void {
    this.window.clear();
  }
}

export class OneShotInflater extends OneShotCodec implements Inflater {
  #fragments: Uint8Array[] = [];

  constructor(options: ZlibOptions, agreement: DirectionAgreement) {
    super('decompressed', options, agreement);
  }

  async inflate(payload: Uint8Array, maxBytes: number): Promise<Uint8Array> {
    return this.inflateFragment(payload, true, maxBytes);
  }

  /** Everything comes out with the last fragment. */
  async inflateFragment(payload: Uint8Array, isFinal: boolean, maxBytes: number): Promise<Uint8Array> {
    this.begin();
    this.#fragments.push(Buffer.from(payload));
    if (!isFinal) return Buffer.alloc(0);
    const input = Buffer.concat([...this.#fragments, TAIL]);
    this.#fragments = [];
    if (input.length === TAIL.length) return Buffer.alloc(0);
    return this.inBackground(() => this.#inflate(input, maxBytes || Number.POSITIVE_INFINITY));
  }

  async #inflate(input: Buffer, maxBytes: number): Promise<Uint8Array> {
    const pieces: Buffer[] = [];
    let left = maxBytes;
    // Where zlib stops before the tail, a block with BFINAL ended its stream; the rest is a new one.
    for (let start = 0; start === 0 || start < input.length - TAIL.length; ) {
      const { bytes, inputLength } = await this.#inflateStream(input.subarray(start), left);
      left -= bytes.length;
      if (left < 0) throw protocolError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
      pieces.push(bytes);
      this.window.push(bytes);
      start += inputLength;
      if (pieces.length > 16 + (input.length >> 6)) {
        throw zlibError('too many final blocks', -3, 'Z_DATA_ERROR');
      }
    }
    this.endMessage();
    return Buffer.concat(pieces);
  }

  /** Inflates up to the end of a stream of zlib, or of the input. */
  #inflateStream(input: Buffer, maxBytes: number): Promise<{ bytes: Buffer; inputLength: number }> {
    const limit = Number.isFinite(maxBytes) ? { maxOutputLength: maxBytes + 1 } : {};
    const options = { ...this.options, ...limit, ...this.window.option, info: true };
    return new Promise((resolve, reject) => {
      inflateRaw(input, options, (error: NodeJS.ErrnoException | null, result: unknown) => {
        if (error?.code === 'ERR_BUFFER_TOO_LARGE')
          reject(protocolError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'));
        else if (error) reject(zlibError(error.message, error.errno ?? 0, error.code ?? ''));
        else {
          // The form that `info` asks for.
          const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } };
          resolve({ bytes: buffer, inputLength: engine.bytesWritten });
        }
      });
    });
  }
}

export class OneShotDeflater extends OneShotCodec implements Deflater {
  constructor(options: ZlibOptions, agreement: DirectionAgreement) {
    super('compressed', options, agreement);
  }

  async deflate(payload: Uint8Array, _isFirst: boolean, isFinal: boolean): Promise<Uint8Array> {
    this.begin();
    const input = Buffer.from(payload);
    return this.inBackground(async () => {
      const bytes = await this.#deflate(input);
      this.window.push(input);
      if (isFinal) this.endMessage();
      return isFinal ? bytes.subarray(0, -TAIL.length) : bytes;
    });
  }

  #deflate(input: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      deflateRaw(input, { ...this.options, ...this.window.option }, (error, bytes) => {
        if (error) reject(error);
        else resolve(bytes);
      });
    });
  }
}
