// Faces of objects that `ws` has inside and other packages reach for: `_receiver` and `_sender`. They are made when
// somebody asks for them, and do what those packages do with them.

import { EventEmitter } from 'node:events';
import type { Driver } from '../io/driver.js';
import type { Connection } from '../protocol/connection.js';
import type { WriteCallback } from '../protocol/message-sender.js';

/** `webSocket._receiver`: an emitter of 'ping' and 'conclude', and the place where some set their own limit. */
export class ReceiverFace extends EventEmitter {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    super();
    this.#connection = connection;
  }

  get _maxPayload(): number {
    return this.#connection.receiver.maxPayload;
  }

  set _maxPayload(bytes: number) {
    this.#connection.receiver.maxPayload = bytes;
  }

  /** In `ws` the listener of 'ping' sends the Pong: without it none is sent, which tests rely on. */
  override removeAllListeners(type?: string | symbol): this {
    if (type === undefined || type === 'ping') this.#connection.autoPong = false;
    return super.removeAllListeners(type);
  }
}

/** `webSocket._sender`: writes frames that somebody has made with `Sender.frame()`. */
export class SenderFace {
  readonly #driver: Driver;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  get _bufferedBytes(): number {
    return this.#driver.connection.sender.queuedBytes;
  }

  get _socket(): unknown {
    return this.#driver.socket;
  }

  /** Writes the pieces of one frame. */
  sendFrame(pieces: Uint8Array[], callback?: WriteCallback): void {
    if (pieces.some((piece) => piece.length > 0)) this.#driver.connection.sender.sendRaw(pieces, callback);
    else if (callback !== undefined) process.nextTick(callback);
  }
}
