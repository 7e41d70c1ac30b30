// Between a connection and its WebSocket object: turns what the engine reports into events, in the forms and the order
// that users of `ws` know.

import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { Driver, type DriverOwner } from '../io/driver.js';
import type { ConnectionOptions } from '../protocol/connection.js';
import { ABNORMAL_CLOSURE } from '../wire/close-code.js';
import type { ReceiverFace } from './compat.js';
import type { BinaryType } from './constants.js';
import { EMPTY, inBinaryType } from './payload.js';

/** The WebSocket object, as far as a connection is concerned. */
interface WebSocketFace extends EventEmitter {
  readonly binaryType: BinaryType;
  emitClose(): void;
  _emitError(error: Error): void;
}

export class SocketOwner implements DriverOwner {
  readonly driver: Driver;
  /** The peer's code and reason: 1005 for a Close frame without a code, 1006 while none has come (§7.1.5, §7.1.6). */
  closeCode: number = ABNORMAL_CLOSURE;
  closeReason: Buffer = EMPTY;
  /** What listens in on the receiver, if anybody asked for it. */
  face: ReceiverFace | undefined;

  readonly #webSocket: WebSocketFace;
  readonly #emitsSynchronously: boolean;

  constructor(
    webSocket: WebSocketFace,
    socket: Duplex,
    head: Uint8Array,
    options: ConnectionOptions,
    emitsSynchronously: boolean,
  ) {
    this.#webSocket = webSocket;
    this.#emitsSynchronously = emitsSynchronously;
    this.driver = new Driver(socket, head, options, this);
  }

  onMessage(data: Uint8Array, isBinary: boolean): void {
    const { binaryType } = this.#webSocket;
    const value =
      isBinary && binaryType !== 'nodebuffer'
        ? inBinaryType(data as Buffer, binaryType, this.driver.connection.receiver.fragmentEnds)
        : data;
    if (this.#emitsSynchronously) this.#webSocket.emit('message', value, isBinary);
    else this.#emitLater('message', value, isBinary);
  }

  onPing(payload: Uint8Array): void {
    this.face?.emit('ping', payload);
    if (this.#emitsSynchronously) this.#webSocket.emit('ping', payload);
    else this.#emitLater('ping', payload);
  }

  onPong(payload: Uint8Array): void {
    if (this.#emitsSynchronously) this.#webSocket.emit('pong', payload);
    else this.#emitLater('pong', payload);
  }

  onClose(code: number, reason: Uint8Array): void {
    // [RFC6455-7.1.5-1] [RFC6455-7.1.6-1]
    this.closeCode = code;
    // A copy: the view would keep the whole read alive for as long as somebody remembers the reason.
    this.closeReason = reason.length > 0 ? Buffer.from(reason) : EMPTY;
    this.face?.emit('conclude', code, this.closeReason);
  }

  onFail(error: Error): void {
    this.#webSocket._emitError(error);
  }

  onDisconnected(): void {
    this.#webSocket.emitClose();
  }

  onDrain(): void {
    this.#webSocket.emit('drain');
  }

  /** One event a turn of the event loop, and parsing stands still meanwhile. */
  #emitLater(type: string, ...args: unknown[]): void {
    this.driver.connection.receiver.pause();
    setImmediate(() => {
      try {
        this.#webSocket.emit(type, ...args);
      } finally {
        this.driver.resumeReceiving();
      }
    });
  }
}
