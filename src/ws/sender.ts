// `Sender` as `ws` exports it: frames onto a socket, and `Sender.frame()` for those who send one frame to many sockets.
// The work is done by `protocol/message-sender.ts`.

import { randomFillSync } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { outputBlock, platform } from '../io/platform.js';
import { MessageSender, type SenderOwner, type WriteCallback } from '../protocol/message-sender.js';
import { NO_STATUS_RECEIVED } from '../wire/close-code.js';
import { serializeClosePayload } from '../wire/close-payload.js';
import { frameHeaderLength, writeFrameHeader } from '../wire/frame-writer.js';
import { applyMask, readMaskingKey } from '../wire/mask.js';
import { BINARY, CLOSE, PING, PONG } from '../wire/opcode.js';
import {
  checkCloseCode,
  checkControlLength,
  checkReason,
  EMPTY,
  isBlob,
  maskingKeyFrom,
  readBlob,
  toBytes,
} from './payload.js';
import { PerMessageDeflate } from './permessage-deflate.js';

export interface FrameOptions {
  fin?: boolean;
  opcode: number;
  rsv1?: boolean;
  mask?: boolean;
  /** Whether `data` must be left as it is; otherwise it is masked in place. */
  readOnly?: boolean;
  /** Fills the masking key. */
  generateMask?: (mask: Buffer) => void;
  /** Holds the masking key; made for the call when absent. */
  maskBuffer?: Buffer;
}

interface SendOptions {
  binary?: boolean;
  compress?: boolean;
  fin?: boolean;
  mask?: boolean;
}

export class Sender implements SenderOwner {
  readonly _socket: Duplex;
  readonly _extensions: Record<string, PerMessageDeflate | undefined>;
  readonly #sender: MessageSender;

  constructor(
    socket: Duplex,
    extensions?: Record<string, PerMessageDeflate | undefined>,
    generateMask?: (mask: Buffer) => void,
  ) {
    this._socket = socket;
    this._extensions = extensions ?? {};
    const deflate = this._extensions[PerMessageDeflate.extensionName];
    this.#sender = new MessageSender(
      {
        role: 'server',
        platform,
        block: outputBlock,
        deflater: deflate?.createDeflater(),
        compressFromBytes: deflate?.compressFromBytes,
        maskingKey: generateMask && maskingKeyFrom(generateMask),
      },
      this,
    );
  }

  /** Bytes that wait for a compressor or a Blob. */
  get _bufferedBytes(): number {
    return this.#sender.queuedBytes;
  }

  /**
   * Makes a frame.
   *
   * @returns header and payload, or both in one piece where they had to be copied anyway or the payload is empty
   */
  static frame(data: Uint8Array | string, options: FrameOptions): Buffer[] {
    const payload = typeof data === 'string' ? Buffer.from(data) : (data as Buffer);
    const length = payload.length;
    const isMasked = options.mask === true;
    const key = isMasked ? maskingKeyOf(options) : 0;
    const headerLength = frameHeaderLength(length, isMasked);
    const isCopied = isMasked && options.readOnly === true && key !== 0;
    const first = (options.fin ? 0x80 : 0) | (options.rsv1 ? 0x40 : 0) | options.opcode;
    const head = Buffer.allocUnsafe(isCopied ? headerLength + length : headerLength);
    writeFrameHeader(head, 0, first, length, isMasked, key);
    if (length === 0) return [head];
    if (isCopied) {
      head.set(payload, headerLength);
      applyMask(head, headerLength, head.length, key);
      return [head];
    }
    if (key !== 0) applyMask(payload, 0, length, key);
    return [head, payload];
  }

  send(data: unknown, options: SendOptions, callback?: WriteCallback): void {
    const message = {
      isBinary: options.binary ?? false,
      isFinal: options.fin ?? false,
      compress: options.compress ?? false,
      isMasked: options.mask ?? false,
    };
    if (isBlob(data)) this.#sender.sendMessage(() => readBlob(data), message, callback, data.size);
    else this.#sender.sendMessage(typeof data === 'string' ? data : toBytes(data), message, callback);
  }

  ping(data: unknown, mask?: boolean, callback?: WriteCallback): void {
    this.#control(PING, data, mask, callback);
  }

  pong(data: unknown, mask?: boolean, callback?: WriteCallback): void {
    this.#control(PONG, data, mask, callback);
  }

  close(code?: number, reason?: string | Uint8Array, mask?: boolean, callback?: WriteCallback): void {
    const status = checkCloseCode(code);
    const payload =
      status === NO_STATUS_RECEIVED ? EMPTY : serializeClosePayload(status, checkReason(reason));
    this.#sender.sendControl(CLOSE, payload, callback, mask ?? false);
  }

  /** Writes the pieces of a frame, ahead of what waits for a compressor. */
  sendFrame(pieces: Uint8Array[], callback?: WriteCallback): void {
    this.#sender.sendRaw(pieces, callback);
  }

  /** Sends a frame as `options` say; a compressed one as part of a message. */
  dispatch(data: Uint8Array, compress: boolean, options: FrameOptions, callback?: WriteCallback): void {
    if (!compress) {
      this.sendFrame(Sender.frame(data, options), callback);
      return;
    }
    const { opcode, fin = false, mask = false } = options;
    this.send(data, { binary: opcode === BINARY, compress, fin, mask }, callback);
  }

  /** Calls a method with its arguments. What has to wait for a compressor waits by itself. */
  enqueue([method, ...args]: [method: (...args: unknown[]) => unknown, ...args: unknown[]]): void {
    method.apply(this, args);
  }

  #control(
    opcode: number,
    data: unknown,
    mask: boolean | undefined,
    callback: WriteCallback | undefined,
  ): void {
    if (isBlob(data)) {
      checkControlLength(data.size);
      this.#sender.sendControl(opcode, () => readBlob(data), callback, mask ?? false, data.size);
      return;
    }
    const payload = typeof data === 'string' ? Buffer.from(data) : toBytes(data);
    checkControlLength(payload.length);
    this.#sender.sendControl(opcode, payload, callback, mask ?? false);
  }

  // SenderOwner

  /** Writes what is ready. */
  wake(callback?: WriteCallback): void {
    const taken = this.#sender.output.take();
    if (taken === undefined) {
      if (callback !== undefined) process.nextTick(callback);
      return;
    }
    const pieces = Array.isArray(taken) ? taken : [taken];
    const last = pieces.pop();
    this._socket.cork();
    for (const piece of pieces) this._socket.write(piece);
    if (callback === undefined) this._socket.write(last);
    else this._socket.write(last, callback);
    this._socket.uncork();
  }

  onQueueEmpty(): void {}

  /** The callback has got the error. */
  onSendError(): void {}
}

function maskingKeyOf({ generateMask, maskBuffer = Buffer.alloc(4) }: FrameOptions): number {
  if (generateMask !== undefined) generateMask(maskBuffer);
  else randomFillSync(maskBuffer, 0, 4);
  return readMaskingKey(maskBuffer, 0);
}
