// From messages to frames (RFC 6455 §6.1): opcode and FIN, masking, and compression (RFC 7692 §6.1). Frames leave in the
// order in which they were handed in, also when one of them has to be compressed in the background first.

import { BINARY, CONTINUATION, TEXT } from '../wire/opcode.js';
import type { Broadcast, SharedCompression } from './broadcast.js';
import type { Deflater } from './compression.js';
import { FrameQueue, type OutputBlock } from './frame-queue.js';
import type { Platform } from './platform.js';
import { encodeText, type RepeatedText } from './repeated-message.js';
import { type Role, sendsMasked } from './role.js';

/** Called once the bytes have been handed to the operating system, or with the error that prevented it. */
export type WriteCallback = (error?: Error | null) => void;

/** Whoever owns the sender. */
export interface SenderOwner {
  /** `output` has grown; `callback` is that of the frame that was appended. */
  wake(callback?: WriteCallback): void;
  /** Nothing waits for a compressor, or to be read, any more. */
  onQueueEmpty(): void;
  /** A message could not be compressed or read, for a reason other than the connection's end. */
  onSendError(error: Error): void;
}

export interface SenderOptions {
  role: Role;
  platform: Platform;
  block: OutputBlock;
  /** Present when permessage-deflate was agreed. */
  deflater?: Deflater | undefined;
  /** Messages of fewer bytes are not compressed; applies where no context is kept. */
  compressFromBytes?: number | undefined;
  /** Present where the deflater keeps no context: compressed frames may be shared. */
  sharedCompression?: SharedCompression | undefined;
  /** Replaces the platform's source of masking keys. */
  maskingKey?: (() => number) | undefined;
}

export interface MessageOptions {
  isBinary: boolean;
  isFinal: boolean;
  compress: boolean;
  /** Defaults to what the role demands. */
  isMasked?: boolean | undefined;
}

/** What can be sent; a function is called when its turn has come, and holds up everything behind it until then. */
export type Payload = Uint8Array | string | (() => Promise<Uint8Array>);

interface Job {
  first: number;
  payload: Payload;
  byteLength: number;
  /** Whether the payload goes through the compressor; and where in the message it stands. */
  compress: boolean;
  isFirst: boolean;
  isMasked: boolean;
  callback: WriteCallback | undefined;
}

const FIN = 0x80;
const RSV1 = 0x40;
/** In place of a frame's first byte: the payload is a frame already. */
const RAW = -1;

export class MessageSender {
  /** What is ready for the wire. */
  readonly output: FrameQueue;
  /** Bytes that wait for a compressor, or to be read. */
  queuedBytes = 0;

  readonly #platform: Platform;
  readonly #masks: boolean;
  readonly #maskingKey: () => number;
  readonly #owner: SenderOwner;
  readonly #compressFromBytes: number;
  readonly #sharedCompression: SharedCompression | undefined;
  readonly #repeatedText: RepeatedText;
  #deflater: Deflater | undefined;
  #isFirstFragment = true;
  #compressesMessage = false;
  /** Broadcasts that came in the middle of a fragmented message and go behind it (§5.4). */
  #deferred: Broadcast[] | undefined;
  /** Present while a job is under way; what is sent meanwhile waits in it. */
  #queue: Job[] | undefined;
  #isAborted = false;

  constructor(options: SenderOptions, owner: SenderOwner) {
    this.#platform = options.platform;
    this.output = new FrameQueue(options.platform, options.block);
    this.#masks = sendsMasked(options.role);
    this.#maskingKey = options.maskingKey ?? options.platform.randomMaskingKey;
    this.#deflater = options.deflater;
    this.#compressFromBytes = options.compressFromBytes ?? 0;
    this.#sharedCompression = options.sharedCompression;
    this.#repeatedText = options.block.repeatedText;
    this.#owner = owner;
  }

  /**
   * Sends a message [RFC6455-6.1-1], or a fragment of one [RFC6455-6.1-5]. What the first fragment says about type and
   * compression holds for the message.
   *
   * @param byteLength of a payload that is read later
   */
  sendMessage(payload: Payload, options: MessageOptions, callback?: WriteCallback, byteLength = 0): void {
    // A whole message with nothing to wait for is what most calls are about; it stays short enough to be inlined.
    if (
      this.#deflater === undefined &&
      this.#queue === undefined &&
      this.#isFirstFragment &&
      options.isFinal &&
      typeof payload !== 'function'
    ) {
      // [RFC6455-6.1-6] [RFC6455-6.1-7] [RFC6455-6.1-8]
      const first = options.isBinary ? FIN | BINARY : FIN | TEXT;
      this.#append(first, payload, options.isMasked ?? this.#masks, callback);
      return;
    }
    this.#sendFragment(payload, options, callback, byteLength);
  }

  #sendFragment(
    payload: Payload,
    options: MessageOptions,
    callback: WriteCallback | undefined,
    byteLength: number,
  ): void {
    const isFirst = this.#isFirstFragment;
    this.#isFirstFragment = options.isFinal;
    // [RFC6455-6.1-6] [RFC6455-5.4-2] type in the first frame, continuation in the others
    let first = isFirst ? (options.isBinary ? BINARY : TEXT) : CONTINUATION;
    // [RFC6455-6.1-7]
    if (options.isFinal) first |= FIN;
    // [RFC6455-6.1-8]
    const isMasked = options.isMasked ?? this.#masks;
    if (isFirst) {
      this.#compressesMessage =
        options.compress &&
        this.#deflater !== undefined &&
        (this.#compressFromBytes === 0 || this.#lengthOf(payload, byteLength) >= this.#compressFromBytes);
    }
    const compress = this.#compressesMessage;
    if (!compress && this.#queue === undefined && typeof payload !== 'function') {
      // [RFC7692-6.1-2] with RSV1 clear
      this.#append(first, payload, isMasked, callback);
    } else {
      // [RFC7692-6.1-1] RSV1 on the first frame only
      if (compress && isFirst) first |= RSV1;
      const length = this.#lengthOf(payload, byteLength);
      this.#submit({ first, payload, byteLength: length, compress, isFirst, isMasked, callback });
    }
    if (options.isFinal && this.#deferred !== undefined) this.#sendDeferred();
  }

  /**
   * Sends a control frame, which may stand between two fragments [RFC6455-5.4-3]; its payload is at most 125 bytes. A
   * client masks it like any other, Close too [RFC6455-5.5.1-5].
   */
  sendControl(
    opcode: number,
    payload: Payload,
    callback?: WriteCallback,
    isMasked = this.#masks,
    byteLength = 0,
  ): void {
    // [RFC6455-5.5.1-10] A message that is still being compressed or read goes first.
    if (this.#queue === undefined && typeof payload !== 'function') {
      this.#append(FIN | opcode, payload, isMasked, callback);
      return;
    }
    this.#submit({
      first: FIN | opcode,
      payload,
      byteLength: this.#lengthOf(payload, byteLength),
      compress: false,
      isFirst: false,
      isMasked,
      callback,
    });
  }

  /** Sends a message that others get too; takes the frame that was made for them wherever it is the same. */
  sendBroadcast(message: Broadcast): void {
    if (!this.#isFirstFragment) {
      this.#deferred ??= [];
      this.queuedBytes += message.payload.length;
      this.#deferred.push(message);
      return;
    }
    const { payload, isBinary, compress } = message;
    const compresses = compress && this.#deflater !== undefined && payload.length >= this.#compressFromBytes;
    if (this.#queue === undefined && !this.#masks) {
      if (!compresses) {
        this.#sendFrame(message.frame(), payload.length);
        return;
      }
      if (this.#sharedCompression !== undefined) {
        this.#sendFrame(message.compressedFrame(this.#sharedCompression), payload.length);
        return;
      }
    }
    this.sendMessage(payload, { isBinary, isFinal: true, compress });
  }

  /** Sends bytes that are frames already, ahead of whatever waits for a compressor. */
  sendRaw(pieces: Uint8Array[], callback?: WriteCallback): void {
    for (const piece of pieces) this.output.appendRaw(piece);
    this.#owner.wake(callback);
  }

  /** [RFC6455-6.1-3] The connection is gone: what waits is dropped, and its callbacks get an error. */
  abort(): void {
    this.#isAborted = true;
    this.#deflater?.close();
  }

  #append(
    first: number,
    payload: Uint8Array | string,
    isMasked: boolean,
    callback: WriteCallback | undefined,
    isOwned = false,
  ): void {
    // [RFC6455-6.1-4] in a frame; [RFC6455-5.3-2] a fresh key for each
    if (isMasked) this.output.append(first, payload, true, this.#maskingKey(), isOwned);
    else if (typeof payload !== 'string') this.output.append(first, payload, false, 0, isOwned);
    else this.output.append(first, this.#repeatedText.bytesOf(payload) ?? payload, false, 0, true);
    // [RFC6455-6.1-9]
    this.#owner.wake(callback);
  }

  #sendDeferred(): void {
    const deferred = this.#deferred!;
    this.#deferred = undefined;
    for (const message of deferred) {
      this.queuedBytes -= message.payload.length;
      this.sendBroadcast(message);
    }
  }

  /** Sends a frame that is made already, or will be. */
  #sendFrame(frame: Uint8Array | Promise<Uint8Array>, byteLength: number): void {
    if (frame instanceof Promise) {
      this.#submit({
        first: RAW,
        payload: () => frame,
        byteLength,
        compress: false,
        isFirst: false,
        isMasked: false,
        callback: undefined,
      });
    } else {
      this.output.appendRaw(frame);
      this.#owner.wake();
    }
  }

  #submit(job: Job): void {
    if (this.#queue !== undefined) {
      this.#queue.push(job);
      this.queuedBytes += job.byteLength;
      return;
    }
    const running = this.#run(job);
    if (running === undefined) return;
    this.#queue = [];
    this.queuedBytes += job.byteLength;
    this.#follow(running, job);
  }

  /** Does a job; where that takes time, returns the promise of the end of it. */
  #run(job: Job): Promise<void> | undefined {
    if (typeof job.payload === 'function')
      return job.payload().then((payload) => {
        if (this.#isAborted) throw new Error('The socket was closed while the blob was being read');
        job.payload = payload;
        return this.#run(job);
      });
    if (job.first === RAW) {
      this.sendRaw([job.payload as Uint8Array], job.callback);
      return undefined;
    }
    if (!job.compress) {
      this.#append(job.first, job.payload, job.isMasked, job.callback);
      return undefined;
    }
    const compressed = this.#deflate(job.payload, job);
    if (!(compressed instanceof Promise)) {
      this.#append(job.first, compressed, job.isMasked, job.callback, true);
      return undefined;
    }
    return compressed.then((bytes) => {
      if (this.#isAborted) throw new Error('The socket was closed while data was being compressed');
      this.#append(job.first, bytes, job.isMasked, job.callback, true);
    });
  }

  #follow(running: Promise<void>, job: Job): void {
    running.then(
      () => {
        this.queuedBytes -= job.byteLength;
        this.#runQueue();
      },
      (error) => this.#failQueue(error, job),
    );
  }

  #runQueue(): void {
    const queue = this.#queue!;
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      let running: Promise<void> | undefined;
      try {
        running = this.#run(job);
      } catch (error) {
        this.#failQueue(error as Error, job);
        return;
      }
      if (running !== undefined) {
        this.#follow(running, job);
        return;
      }
      this.queuedBytes -= job.byteLength;
    }
    this.#queue = undefined;
    this.#owner.onQueueEmpty();
  }

  #failQueue(error: Error, failed: Job): void {
    const jobs = [failed, ...this.#queue!];
    this.#queue = undefined;
    this.queuedBytes = 0;
    // Where the connection still stands a message is missing from it, and its compression context is lost.
    if (!this.#isAborted) this.#owner.onSendError(error);
    // Each in a turn of its own: what one throws is neither the others' affair nor that of a promise.
    for (const { callback } of jobs) if (callback !== undefined) queueMicrotask(() => callback(error));
  }

  #lengthOf(payload: Payload, promised: number): number {
    if (typeof payload === 'string') return this.#platform.textLength(payload);
    return typeof payload === 'function' ? promised : payload.length;
  }

  #deflate(
    payload: Uint8Array | string,
    { first, isFirst, isMasked }: Job,
  ): Uint8Array | Promise<Uint8Array> {
    const platform = this.#platform;
    const isFinal = first >= FIN;
    // Only of a whole message is it known that nothing went before. Bytes that will be masked are not shared.
    const repeated = isFirst && isFinal && !isMasked ? this.#sharedCompression?.repeated : undefined;
    const known = repeated?.recall(payload, platform);
    if (known !== undefined) return known;
    const bytes = typeof payload === 'string' ? encodeText(payload, platform) : payload;
    const compressed = this.#deflater!.deflate(bytes, isFirst, isFinal);
    if (!(compressed instanceof Promise)) repeated?.remember(payload, compressed, platform);
    return compressed;
  }
}
