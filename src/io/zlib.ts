// Compressor and decompressor of permessage-deflate (RFC 7692 §7.2) on Node's zlib, and on our own encoder for small
// messages, for which a deflater of zlib takes twice the time: without context it wipes its tables before each. Small messages
// are done at once on the calling thread, because the way to the thread pool and back costs more than the work; large ones
// go there. What comes out is counted while it comes out, so that a small message cannot become more than the receiver allows.

import type { ZlibOptions } from 'node:zlib';
import {
  type AgreedDeflate,
  type Deflater,
  type DirectionAgreement,
  type Inflater,
  receivingAgreement,
  sendingAgreement,
} from '../protocol/compression.js';
import type { DeflateOptions } from '../protocol/permessage-deflate.js';
import type { Role } from '../protocol/role.js';
import { encode, encodeAfter } from '../wire/deflate/block.js';
import { History } from '../wire/deflate/history.js';
import { MAX_MESSAGE_BYTES } from '../wire/deflate/tokens.js';
import { protocolError } from '../wire/errors.js';
import { Codec } from './zlib-codec.js';
import { isTurnSpent, limitJobs, spendTurn } from './zlib-jobs.js';
import { OneShotDeflater, OneShotInflater } from './zlib-one-shot.js';
import { ZlibOutput } from './zlib-output.js';
import { isZlibStreamUsable, type ZlibStream, zlibError } from './zlib-stream.js';
import { poolFor, StreamLease } from './zlib-stream-pool.js';

/** Options of the extension, with the names that they have in npm `ws`. */
export interface CompressionOptions extends DeflateOptions {
  /** `level`, `memLevel`, `strategy` and `dictionary` as in `node:zlib`; the window is negotiated. */
  zlibDeflateOptions?: ZlibOptions | undefined;
  zlibInflateOptions?: ZlibOptions | undefined;
  /** How many messages of the process zlib works on in the thread pool at once; the first value that is given wins. */
  concurrencyLimit?: number | undefined;
}

/** An {@link Inflater} that also takes messages in fragments. */
export interface FragmentInflater extends Inflater {
  /**
   * As `inflate`, for the next fragment of a message; what it stands for may come out with a later one.
   *
   * @param maxBytes for what comes out of this fragment
   */
  inflateFragment(payload: Uint8Array, isFinal: boolean, maxBytes: number): Uint8Array | Promise<Uint8Array>;
}

// Measured on two cores with JSON, Node 20 to 26: deflating 16 KiB takes 0.1 ms here and 0.2 ms of CPU time through the
// thread pool, deflating 64 KiB 1 ms. Inflating 64 KiB takes 0.3 ms here, 0.5 ms through the thread pool.
const LARGEST_DEFLATED_AT_ONCE = 16 * 1024;
const LARGEST_INFLATED_AT_ONCE = 64 * 1024;
/** A message that turns out larger than that, as 256 bytes can, goes on in the thread pool. */
const MOST_INFLATED_AT_ONCE = 256 * 1024;

/** [RFC7692-7.2.1-1] [RFC7692-7.2.2-1] What every flush ends with, and what is not sent. */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** Makes the decompressor of one connection; it takes memory when the first message comes. */
export function createInflater(
  agreed: AgreedDeflate,
  role: Role,
  options: CompressionOptions = {},
): FragmentInflater {
  limitJobs(options.concurrencyLimit);
  const agreement = receivingAgreement(agreed, role);
  // [RFC7692-7.2.2-6] [RFC7692-7.2.2-8] The window is as large as agreed, [RFC7692-7.2.2-7] [RFC7692-7.2.2-9] or 32 KiB.
  const zlibOptions = { ...options.zlibInflateOptions, windowBits: agreement.maxWindowBits };
  if (!isZlibStreamUsable()) return new OneShotInflater(zlibOptions, agreement);
  return new ZlibInflater(zlibOptions, agreement);
}

/** Makes the compressor of one connection; it takes memory when the first message comes. */
export function createDeflater(
  agreed: AgreedDeflate,
  role: Role,
  options: CompressionOptions = {},
): Deflater {
  limitJobs(options.concurrencyLimit);
  const agreement = sendingAgreement(agreed, role);
  // [RFC7692-7.2.1-12] [RFC7692-7.2.1-14] No match is farther away than the agreed window is large. For 8 bits Node.js
  // has zlib take 9, but zlib keeps 262 bytes of a window free: the distances stay below 2^9 - 262 = 250.
  const zlibOptions = { ...options.zlibDeflateOptions, windowBits: agreement.maxWindowBits };
  if (!isZlibStreamUsable()) return new OneShotDeflater(zlibOptions, agreement);
  return new ZlibDeflater(zlibOptions, agreement);
}

class ZlibInflater extends Codec implements FragmentInflater {
  readonly #lease: StreamLease;

  constructor(zlibOptions: ZlibOptions, { noContextTakeover }: DirectionAgreement) {
    super('decompressed');
    // [RFC7692-7.2.2-3] [RFC7692-7.2.2-5] the window of the message before, [RFC7692-7.2.2-2] [RFC7692-7.2.2-4] or none
    this.#lease = new StreamLease(poolFor('inflate', zlibOptions), !noContextTakeover);
  }

  inflate(payload: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array> {
    // LENIENT: an empty message is one byte, 00; without it zlib would take the tail for something else
    if (payload.length === 0) return Buffer.alloc(0);
    return this.inflateFragment(payload, true, maxBytes);
  }

  inflateFragment(payload: Uint8Array, isFinal: boolean, maxBytes: number): Uint8Array | Promise<Uint8Array> {
    this.begin();
    const tail = isFinal ? TAIL.length : 0;
    const end = payload.length + tail;
    const isForPool = payload.length > LARGEST_INFLATED_AT_ONCE || isTurnSpent();
    const input = isForPool ? Buffer.allocUnsafeSlow(end) : sharedInput();
    input.set(payload);
    if (isFinal) input.set(TAIL, payload.length);
    const inflation = new Inflation(input, end, tail, maxBytes || Number.POSITIVE_INFINITY);
    if (!isForPool) {
      try {
        inflation.runSync(this.#lease.use(end));
        spendTurn(inflation.output.length);
      } catch (error) {
        this.discard();
        throw error;
      }
      if (inflation.isDone) {
        if (isFinal) this.#lease.endMessage();
        return inflation.output.bytes();
      }
      inflation.keepInput();
    }
    return this.inBackground(async () => {
      await inflation.run(this.#lease.use(end));
      if (isFinal) this.#lease.endMessage();
      return inflation.output.gather();
    });
  }

  protected override discard(): void {
    this.#lease.close();
  }
}

let input: Uint8Array | undefined;

/** Where compressed data and its tail are put together on the calling thread. */
function sharedInput(): Uint8Array {
  input ??= Buffer.allocUnsafeSlow(LARGEST_INFLATED_AT_ONCE + TAIL.length);
  return input;
}

/** One message on its way through zlib: how far its input was read, and what came out. */
class Inflation {
  readonly output: ZlibOutput;
  isDone = false;

  #input: Uint8Array;
  #start = 0;
  #end: number;
  readonly #tail: number;
  readonly #maxBytes: number;
  #restarts: number;

  constructor(input: Uint8Array, end: number, tail: number, maxBytes: number) {
    this.output = new ZlibOutput(maxBytes);
    this.#input = input;
    this.#end = end;
    this.#tail = tail;
    this.#maxBytes = maxBytes;
    // Each costs as much as inflating some hundred bytes: a message may not consist of nothing else.
    this.#restarts = 16 + (end >> 6);
  }

  /** Works on the calling thread, until it is done or the rest should go elsewhere. */
  runSync(stream: ZlibStream): void {
    const space = this.output.sharedSpace();
    // [RFC7692-7.2.1-2] [RFC7692-7.2.1-3] All blocks there are, of any type.
    do {
      const room = this.output.room(space);
      stream.runSync(this.#input, this.#start, this.#end, space, room);
      this.#advance(stream, space, room);
    } while (!this.isDone && this.output.length < MOST_INFLATED_AT_ONCE);
  }

  async run(stream: ZlibStream): Promise<void> {
    do {
      const space = this.output.ownSpace();
      await stream.run(this.#input, this.#start, this.#end, space, space.length);
      this.#advance(stream, space, space.length);
    } while (!this.isDone);
  }

  /** Makes what is still to be read independent of the shared memory. */
  keepInput(): void {
    this.#input = new Uint8Array(this.#input.subarray(this.#start, this.#end));
    this.#end -= this.#start;
    this.#start = 0;
  }

  #advance(stream: ZlibStream, space: Uint8Array, room: number): void {
    this.output.take(space, room - stream.outputLeft);
    if (this.output.length > this.#maxBytes) throw protocolError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    const { inputLeft } = stream;
    this.#start = this.#end - inputLeft;
    if (stream.outputLeft === 0) return;
    this.isDone = inputLeft === 0;
    if (this.isDone) return;
    // [RFC7692-7.2.1-4] There was space, and yet not all was read: a block with BFINAL has ended the stream of zlib,
    // and what follows is a new one. Where that is the tail alone, the sender left out the empty block before it.
    stream.reset();
    this.isDone = inputLeft <= this.#tail;
    if (--this.#restarts < 0) throw zlibError('too many final blocks', -3, 'Z_DATA_ERROR');
  }
}

class ZlibDeflater extends Codec implements Deflater {
  readonly #lease: StreamLease;
  /** The window for messages that our own encoder compresses; 0 where zlib has to do them all. */
  readonly #ownWindow: number;
  readonly #keepsContext: boolean;
  /** What our own encoder may refer to. */
  #history: History | undefined;

  constructor(zlibOptions: ZlibOptions, { noContextTakeover, maxWindowBits }: DirectionAgreement) {
    super('compressed');
    // Where each connection has memory, how much is the application's to say.
    const isSized = !noContextTakeover && zlibOptions.memLevel !== undefined;
    this.#ownWindow = isSized || needsZlib(zlibOptions) ? 0 : 1 << maxWindowBits;
    // [RFC7692-7.2.1-8] [RFC7692-7.2.1-10] a window that is empty for each message, [RFC7692-7.2.1-9] [RFC7692-7.2.1-11] or goes on
    this.#keepsContext = !noContextTakeover;
    this.#lease = new StreamLease(
      poolFor('deflate', zlibOptions),
      this.#keepsContext && this.#ownWindow === 0,
    );
  }

  deflate(payload: Uint8Array, isFirst: boolean, isFinal: boolean): Uint8Array | Promise<Uint8Array> {
    this.begin();
    if (payload.length === 0) return this.#deflateNothing(isFinal);
    if (this.#keepsContext && this.#ownWindow > 0) return this.#deflateAfter(payload, isFinal);
    if (payload.length <= LARGEST_DEFLATED_AT_ONCE) {
      // The fragments of a message refer to each other: those are left to zlib.
      if (this.#ownWindow !== 0 && isFirst && isFinal) return Buffer.from(encode(payload, this.#ownWindow));
      const output = deflateSync(this.#lease.use(payload.length), payload);
      return output.bytes(this.#end(output, isFinal));
    }
    return this.#deflateInBackground(payload, isFinal);
  }

  /** Compresses what may refer to everything before it. */
  #deflateAfter(payload: Uint8Array, isFinal: boolean): Uint8Array | Promise<Uint8Array> {
    this.#history ??= new History(this.#ownWindow);
    if (payload.length <= MAX_MESSAGE_BYTES) {
      const bytes = encodeAfter(this.#history, payload);
      return isFinal ? Buffer.from(bytes) : Buffer.concat([bytes, TAIL]);
    }
    // What is longer than any window has little from what was before: a stream of zlib that knows nothing of it does.
    this.#history.replace(payload);
    return this.#deflateInBackground(payload, isFinal);
  }

  #deflateInBackground(payload: Uint8Array, isFinal: boolean): Promise<Uint8Array> {
    // The application may change its bytes as soon as this function returns.
    const input = new Uint8Array(payload);
    return this.inBackground(async () => {
      const output = await deflate(this.#lease.use(input.length), input);
      return output.gather(this.#end(output, isFinal));
    });
  }

  /** §7.2.3.6: zlib has nothing to say about nothing. The flush before has ended at a byte, so a block can follow. */
  #deflateNothing(isFinal: boolean): Uint8Array {
    if (isFinal) this.#lease.endMessage();
    return isFinal ? Buffer.alloc(1) : Buffer.concat([Buffer.alloc(1), TAIL]);
  }

  /** How much of the output is sent. */
  #end(output: ZlibOutput, isFinal: boolean): number {
    // What our own encoder does next zlib would know nothing of.
    if (isFinal || this.#history !== undefined) this.#lease.endMessage();
    // [RFC7692-7.2.1-1] [RFC7692-7.2.1-6] the tail is cut off behind the last fragment only
    return isFinal ? output.length - TAIL.length : output.length;
  }

  protected override discard(): void {
    this.#lease.close();
    this.#history = undefined;
  }
}

/** Whether the application asked for something that our own encoder does not have. */
function needsZlib({ level, strategy, dictionary }: ZlibOptions): boolean {
  return level !== undefined || strategy !== undefined || dictionary !== undefined;
}

function deflateSync(stream: ZlibStream, input: Uint8Array): ZlibOutput {
  const output = new ZlibOutput(Number.POSITIVE_INFINITY);
  const space = output.sharedSpace();
  let start = 0;
  do {
    stream.runSync(input, start, input.length, space, space.length);
    output.take(space, space.length - stream.outputLeft);
    start = input.length - stream.inputLeft;
  } while (stream.outputLeft === 0);
  return output;
}

async function deflate(stream: ZlibStream, input: Uint8Array): Promise<ZlibOutput> {
  const output = new ZlibOutput(Number.POSITIVE_INFINITY);
  let start = 0;
  do {
    const space = output.ownSpace();
    await stream.run(input, start, input.length, space, space.length);
    output.take(space, space.length - stream.outputLeft);
    start = input.length - stream.inputLeft;
  } while (stream.outputLeft === 0);
  return output;
}
