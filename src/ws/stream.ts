// A WebSocket as a Duplex stream: what is written becomes messages, messages become what is read, and backpressure holds
// in both directions.

import { Duplex, type DuplexOptions } from 'node:stream';
import { CLOSED, CONNECTING } from './constants.js';
import type { WebSocket } from './websocket.js';

type Callback = (error?: Error | null) => void;

class WebSocketStream extends Duplex {
  readonly #webSocket: WebSocket;
  /** False once the WebSocket has failed by itself: its Close frame shall still get out. */
  #terminatesOnDestroy = true;

  constructor(webSocket: WebSocket, options: DuplexOptions | undefined) {
    super({
      ...options,
      // The stream ends when the WebSocket does, which it learns from the WebSocket's events.
      autoDestroy: false,
      emitClose: false,
      objectMode: false,
      writableObjectMode: false,
    });
    this.#webSocket = webSocket;
    webSocket.on('message', (data: Buffer, isBinary: boolean) => {
      const chunk = !isBinary && this.readableObjectMode ? data.toString() : data;
      if (!this.push(chunk)) webSocket.pause();
    });
    webSocket.once('error', (error: Error) => {
      if (this.destroyed) return;
      this.#terminatesOnDestroy = false;
      this.destroy(error);
    });
    webSocket.once('close', () => {
      if (!this.destroyed) this.push(null);
    });
    this.on('end', destroyWhenDone);
    this.on('error', destroyOnError);
  }

  override _read(): void {
    if (this.#webSocket.isPaused) this.#webSocket.resume();
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, callback: Callback): void {
    if (this.#whenConnecting(() => this._write(chunk, _encoding, callback))) return;
    this.#webSocket.send(chunk, callback);
  }

  override _final(callback: Callback): void {
    if (this.#whenConnecting(() => this._final(callback))) return;
    const socket = this.#webSocket._socket;
    // The handshake failed; 'error' and 'close' of the WebSocket end the stream.
    if (socket === null) return;
    if (socket.writableFinished) {
      callback();
      if (this.readableEnded) this.destroy();
    } else {
      // Done when the socket is: after the Close frame.
      socket.once('finish', () => callback());
      this.#webSocket.close();
    }
  }

  override _destroy(error: Error | null, callback: Callback): void {
    if (this.#webSocket.readyState === CLOSED) {
      callback(error);
      process.nextTick(emitClose, this);
      return;
    }
    let isReported = false;
    this.#webSocket.once('error', (cause: Error) => {
      isReported = true;
      callback(cause);
    });
    this.#webSocket.once('close', () => {
      if (!isReported) callback(error);
      process.nextTick(emitClose, this);
    });
    if (this.#terminatesOnDestroy) this.#webSocket.terminate();
  }

  #whenConnecting(retry: () => void): boolean {
    if (this.#webSocket.readyState !== CONNECTING) return false;
    this.#webSocket.once('open', retry);
    return true;
  }
}

function emitClose(stream: WebSocketStream): void {
  stream.emit('close');
}

function destroyWhenDone(this: WebSocketStream): void {
  if (!this.destroyed && this.writableFinished) this.destroy();
}

function destroyOnError(this: WebSocketStream, error: Error): void {
  this.removeListener('error', destroyOnError);
  this.destroy();
  // Ours was the only listener: the error is the application's to see.
  if (this.listenerCount('error') === 0) this.emit('error', error);
}

/**
 * Wraps a WebSocket in a Duplex stream. Bytes are written as binary messages; text stays text only with
 * `decodeStrings: false` when written and `readableObjectMode: true` when read.
 *
 * @param options as for `stream.Duplex`, but for `objectMode`, `writableObjectMode`, `autoDestroy` and `emitClose`
 */
export function createWebSocketStream(webSocket: WebSocket, options?: DuplexOptions): Duplex {
  return new WebSocketStream(webSocket, options);
}
