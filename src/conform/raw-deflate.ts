// Raw DEFLATE with context (RFC 7692 §7.2) for the tester's own messages: synchronous, with the native object of
// `node:zlib`, because the streams around it take longer than zlib itself. Node.js has no public way to that object;
// where it is not found as expected, the constructors say so. Whether a peer keeps to what was agreed is not seen here
// (see `deflate-reader.ts`).

import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib';

/** What one direction of a connection has agreed on. */
export interface DeflateContext {
  /** From 8 to 15. */
  windowBits: number;
  noContextTakeover: boolean;
}

export interface DeflaterOptions extends DeflateContext {
  level?: number;
  memLevel?: number;
}

export interface InflaterOptions extends DeflateContext {
  /** A message may not become longer than this. */
  maxBytes: number;
}

/**
 * - `CORRUPT`: the peer's data is no DEFLATE data, or refers to what is not in the window
 * - `TOO_LARGE`: the message is longer than `maxBytes`
 * - `CLOSED`: used after `close()`
 * - `UNAVAILABLE`: the zlib of this Node.js is not the one that this file knows
 */
export type RawDeflateErrorCode = 'CORRUPT' | 'TOO_LARGE' | 'CLOSED' | 'UNAVAILABLE';

export class RawDeflateError extends Error {
  override name = 'RawDeflateError';
  readonly code: RawDeflateErrorCode;

  constructor(code: RawDeflateErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
const FIRST_OUTPUT_BYTES = 16 * 1024;

export class RawDeflater {
  readonly #zlib: NativeZlib;
  readonly #noContextTakeover: boolean;
  #output = new Uint8Array(FIRST_OUTPUT_BYTES);

  constructor({ windowBits, noContextTakeover, level = 6, memLevel = 8 }: DeflaterOptions) {
    // [RFC7692-7.2.1-12] [RFC7692-7.2.1-14] Node.js makes a window of 9 bits of one of 8. That keeps to what was agreed
    // all the same: zlib refers back no farther than the window less 262 bytes, which is 250 of the 256 allowed.
    this.#zlib = new NativeZlib(createDeflateRaw({ windowBits, level, memLevel }));
    this.#noContextTakeover = noContextTakeover;
  }

  /**
   * Compresses a message into the payload that goes on the wire, which is the caller's from then on.
   *
   * @throws RawDeflateError CLOSED
   */
  message(bytes: Uint8Array): Uint8Array {
    // zlib writes nothing where there is nothing to flush. §7.2.3.6: an empty message is the one byte 00.
    if (bytes.length === 0) return Uint8Array.of(0x00);
    // More than the worst that zlib does, which is 9 bits for each byte: one run is always enough.
    const bound = bytes.length + (bytes.length >> 3) + (bytes.length >> 6) + 64;
    if (this.#output.length < bound) this.#output = new Uint8Array(2 * bound);
    this.#zlib.run(bytes, 0, this.#output, 0);
    const end = this.#output.length - this.#zlib.outputLeft;
    // [RFC7692-7.2.1-8] [RFC7692-7.2.1-10]
    if (this.#noContextTakeover) this.#zlib.reset();
    return this.#output.slice(0, end - TAIL.length);
  }

  close(): void {
    this.#zlib.close();
  }
}

export class RawInflater {
  readonly #zlib: NativeZlib;
  readonly #noContextTakeover: boolean;
  readonly #maxBytes: number;
  #output: Uint8Array;
  #length = 0;
  #failure: RawDeflateError | undefined;

  constructor({ windowBits, noContextTakeover, maxBytes }: InflaterOptions) {
    this.#zlib = new NativeZlib(createInflateRaw({ windowBits }));
    this.#noContextTakeover = noContextTakeover;
    this.#maxBytes = maxBytes;
    // One byte more than allowed, so that a full output means that there is more, and never that it just fits.
    this.#output = new Uint8Array(Math.min(FIRST_OUTPUT_BYTES, maxBytes + 1));
  }

  /**
   * Decompresses the payload of a message. The result is a view that is valid until the next message. A payload that
   * ends too early is not noticed: what it stands for is just missing.
   *
   * @throws RawDeflateError and from then on the same one for each message
   */
  message(payload: Uint8Array): Uint8Array {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#inflate(payload);
    } catch (error) {
      if (error instanceof RawDeflateError) this.#failure = error;
      throw error;
    }
    if (this.#noContextTakeover) this.#zlib.reset();
    return this.#output.subarray(0, this.#length);
  }

  close(): void {
    this.#zlib.close();
  }

  #inflate(payload: Uint8Array): void {
    if (payload.length === 0) throw new RawDeflateError('CORRUPT', 'a compressed message without any byte');
    this.#length = 0;
    // A final block ends zlib's stream, not the message [RFC7692-7.2.1-4]: what follows begins a new one, with an empty window.
    for (let at = 0; ; this.#zlib.reset()) {
      at = this.#run(payload, at);
      if (at === payload.length) break;
    }
    // LENIENT: behind a final block belongs a byte 00, which with the tail makes an empty block. Without it nothing of the
    // tail is read, because zlib's stream has ended before; the next message begins a new one.
    const read = this.#run(TAIL, 0);
    if (read > 0 && read < TAIL.length) {
      throw new RawDeflateError('CORRUPT', 'a final block that ends in the tail');
    }
  }

  /** Inflates until the input is read or the stream has ended; returns how far it was read. */
  #run(input: Uint8Array, start: number): number {
    for (let at = start; ; ) {
      this.#zlib.run(input, at, this.#output, this.#length);
      at = input.length - this.#zlib.inputLeft;
      this.#length = this.#output.length - this.#zlib.outputLeft;
      if (this.#zlib.outputLeft > 0) return at;
      this.#grow();
    }
  }

  #grow(): void {
    if (this.#length > this.#maxBytes) {
      throw new RawDeflateError('TOO_LARGE', `a message of more than ${this.#maxBytes} bytes`);
    }
    const larger = new Uint8Array(Math.min(2 * this.#output.length, this.#maxBytes + 1));
    larger.set(this.#output);
    this.#output = larger;
  }
}

/** The object inside a stream of `node:zlib`, as Node.js itself uses it. */
interface NativeHandle {
  onerror: (message: string, errno: number, code: string) => void;
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void;
  reset(): void;
}

interface StreamWithHandle {
  close(): void;
  /** null once the stream is closed. */
  readonly _handle?: NativeHandle | null;
  /** What of the output and of the input was left by the last run. */
  readonly _writeState?: Uint32Array;
}

class NativeZlib {
  readonly #stream: StreamWithHandle;
  readonly #state: Uint32Array;
  #error: RawDeflateError | undefined;

  constructor(stream: object) {
    this.#stream = stream as StreamWithHandle;
    const { _handle: handle, _writeState: state } = this.#stream;
    if (typeof handle?.writeSync !== 'function' || !(state instanceof Uint32Array) || state.length !== 2) {
      throw new RawDeflateError(
        'UNAVAILABLE',
        `cannot drive the zlib of Node.js ${process.version} directly`,
      );
    }
    this.#state = state;
    handle.onerror = (message) => {
      this.#error = new RawDeflateError('CORRUPT', message);
    };
  }

  get outputLeft(): number {
    return this.#state[0]!;
  }

  get inputLeft(): number {
    return this.#state[1]!;
  }

  /** Runs zlib until the input is read from `inputStart` on, or the output is full from `outputStart` on. */
  run(input: Uint8Array, inputStart: number, output: Uint8Array, outputStart: number): void {
    this.#handle.writeSync(
      constants.Z_SYNC_FLUSH,
      input,
      inputStart,
      input.length - inputStart,
      output,
      outputStart,
      output.length - outputStart,
    );
    if (this.#error !== undefined) throw this.#error;
  }

  reset(): void {
    this.#handle.reset();
  }

  close(): void {
    this.#stream.close();
  }

  /** Node.js aborts the process when a closed handle is used: an error is better. */
  get #handle(): NativeHandle {
    const handle = this.#stream._handle;
    if (handle === null || handle === undefined) throw new RawDeflateError('CLOSED', 'used after close()');
    return handle;
  }
}
