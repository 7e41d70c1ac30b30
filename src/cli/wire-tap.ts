// A Duplex that stands between a socket and the endpoint that uses it, and shows every byte to an observer. It changes
// nothing: backpressure, half-close and errors pass through in both directions. RFC 6455 begins above it.
import { Duplex } from 'node:stream';
import type { Sender } from './frame-judge.js';

export interface WireObserver {
  /** Bytes that crossed the wire; valid during the call only. */
  bytes(from: Sender, bytes: Uint8Array): void;
  /** That side sends nothing more (FIN). */
  end(from: Sender): void;
  /** The TCP connection is gone. */
  close(error?: NodeJS.ErrnoException): void;
}

type Callback = (error?: Error | null) => void;

/** The server's view of `socket`: what is read from the tap came from the client. */
export class WireTap extends Duplex {
  readonly #socket: Duplex;
  readonly #observer: WireObserver;
  #error: NodeJS.ErrnoException | undefined;

  constructor(socket: Duplex, observer: WireObserver) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#observer = observer;
    socket.pause();
    // The observer comes first: the endpoint may unmask the bytes in place.
    socket.on('data', (chunk: Buffer) => {
      observer.bytes('client', chunk);
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => {
      observer.end('client');
      this.push(null);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error;
      this.destroy(error);
    });
    socket.on('close', () => {
      observer.close(this.#error);
      this.destroy();
    });
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#observer.bytes('server', chunk);
    this.#socket.write(chunk, callback);
  }

  /** Writes that came together leave together, as they would without the tap. */
  override _writev(writes: { chunk: Buffer }[], callback: Callback): void {
    const last = writes.length - 1;
    this.#socket.cork();
    writes.forEach(({ chunk }, index) => {
      this.#observer.bytes('server', chunk);
      if (index === last) this.#socket.write(chunk, callback);
      else this.#socket.write(chunk);
    });
    this.#socket.uncork();
  }

  override _final(callback: Callback): void {
    this.#observer.end('server');
    this.#socket.end(() => callback());
  }

  override _destroy(error: Error | null, callback: Callback): void {
    if (this.#socket.closed) {
      callback(error);
      return;
    }
    this.#socket.once('close', () => callback(error));
    this.#socket.destroy();
  }
}
