// `Receiver` as `ws` exports it: a Writable that takes the bytes of a peer and emits messages. The work is done by
// `protocol/message-receiver.ts`.

import { Writable } from 'node:stream';
import { platform } from '../io/platform.js';
import { MessageReceiver, type MessageSink } from '../protocol/message-receiver.js';
import { BINARY_TYPES, type BinaryType } from './constants.js';
import { inBinaryType } from './payload.js';
import { PerMessageDeflate } from './permessage-deflate.js';

export interface ReceiverOptions {
  allowSynchronousEvents?: boolean;
  binaryType?: BinaryType;
  extensions?: Record<string, PerMessageDeflate | undefined>;
  /** Whether the peer is a client, whose frames are masked. */
  isServer?: boolean;
  maxBufferedChunks?: number;
  maxFragments?: number;
  maxPayload?: number;
  skipUTF8Validation?: boolean;
}

type Callback = (error?: Error | null) => void;

export class Receiver extends Writable implements MessageSink {
  readonly #receiver: MessageReceiver;
  readonly #binaryType: BinaryType;
  readonly #emitsSynchronously: boolean;
  #error: Error | undefined;
  /** Of the write that is being parsed. */
  #callback: Callback | undefined;

  /** @param options limits default to 0, which is none */
  constructor(options: ReceiverOptions = {}) {
    super();
    this.#binaryType = options.binaryType ?? BINARY_TYPES[0];
    this.#emitsSynchronously = options.allowSynchronousEvents ?? true;
    this.#receiver = new MessageReceiver(
      {
        role: options.isServer ? 'server' : 'client',
        platform,
        inflater: options.extensions?.[PerMessageDeflate.extensionName]?.createInflater(),
        maxPayload: options.maxPayload ?? 0,
        maxFragments: options.maxFragments,
        maxBufferedChunks: options.maxBufferedChunks,
        skipUtf8Validation: options.skipUTF8Validation,
      },
      this,
    );
    this.#receiver.keepsFragments = this.#binaryType === 'fragments';
  }

  get _maxPayload(): number {
    return this.#receiver.maxPayload;
  }

  set _maxPayload(bytes: number) {
    this.#receiver.maxPayload = bytes;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#callback = callback;
    this.#receiver.receive(chunk);
    this.#settle();
  }

  // MessageSink

  onMessage(data: Uint8Array, isBinary: boolean): void {
    const value = isBinary
      ? inBinaryType(data as Buffer, this.#binaryType, this.#receiver.fragmentEnds)
      : data;
    this.#emit('message', value, isBinary);
  }

  onPing(payload: Uint8Array): void {
    this.#emit('ping', payload);
  }

  onPong(payload: Uint8Array): void {
    this.#emit('pong', payload);
  }

  onClose(code: number, reason: Uint8Array): void {
    this.emit('conclude', code, Buffer.from(reason));
    this.end();
  }

  onFail(error: Error): void {
    this.#error = error;
  }

  onReady(): void {
    process.nextTick(() => this.#receiver.resume());
  }

  onIdle(): void {
    this.#settle();
  }

  #emit(type: string, ...args: unknown[]): void {
    if (this.#emitsSynchronously) {
      this.emit(type, ...args);
      return;
    }
    this.#receiver.pause();
    setImmediate(() => {
      this.emit(type, ...args);
      this.#receiver.resume();
    });
  }

  #settle(): void {
    if (!this.#receiver.isIdle || this.#callback === undefined) return;
    const callback = this.#callback;
    this.#callback = undefined;
    callback(this.#error);
  }
}
