// A connection without a network: the test says what comes in, and sees what goes out.

import { Changes } from '../../src/conform/changes.js';
import type { RawConnection } from '../../src/conform/raw-connection.js';
import type { Side } from '../../src/conform/result.js';
import { WireLog } from '../../src/conform/wire-log.js';
import { FrameCollector, type WireFrame } from '../support/frames.js';

export class StubConnection {
  readonly changes = new Changes();
  readonly log = new WireLog();
  readonly sent: WireFrame[] = [];
  /** Bytes of each write that holds frames. */
  readonly writes: number[] = [];
  /** What went out as text, which is the opening handshake. */
  head = '';
  /** Where a client under test is played. */
  request: { head: Uint8Array } | undefined;
  /** What the peer does when a frame comes to it. */
  onSent: (frame: WireFrame) => void = () => {};
  /** The peer ends TCP when the tester does. */
  endsToo = true;
  isOver = false;
  isCongested = false;
  canWrite = true;
  wasReset = false;
  droppedBy: Side | null = null;
  readonly #collector = new FrameCollector();
  #onBytes: (bytes: Uint8Array) => void = () => {};
  #onClosed: () => void = () => {};

  /** What a Tester takes it for. */
  get asConnection(): RawConnection {
    return this as unknown as RawConnection;
  }

  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#onBytes = listener;
  }

  onClosed(listener: () => void): void {
    this.#onClosed = listener;
  }

  /** Bytes come in from the peer. */
  receive(...parts: readonly Uint8Array[]): void {
    for (const bytes of parts) this.#onBytes(bytes);
    this.changes.notify();
  }

  /** The peer ends TCP. */
  peerEnds(): void {
    this.isOver = true;
    this.droppedBy ??= 'peer';
    this.#onClosed();
    this.changes.notify();
  }

  write(bytes: Uint8Array): Promise<void> {
    if (Buffer.from(bytes).toString('latin1', 0, 5) === 'HTTP/') {
      this.head += Buffer.from(bytes).toString('latin1');
      return Promise.resolve();
    }
    this.writes.push(bytes.length);
    for (const frame of this.#collector.push(bytes)) {
      this.sent.push(frame);
      this.onSent(frame);
    }
    return Promise.resolve();
  }

  async writeChopped(bytes: Uint8Array, size: number): Promise<void> {
    for (let at = 0; at < bytes.length; at += size) await this.write(bytes.subarray(at, at + size));
  }

  end(): void {
    this.droppedBy ??= 'tester';
    this.canWrite = false;
    if (this.endsToo) this.isOver = true;
    this.changes.notify();
  }

  destroy(): void {
    this.endsToo = true;
    this.end();
    this.#onClosed();
  }

  until(condition: () => boolean, limitMs: number): Promise<boolean> {
    return this.changes.until(condition, limitMs);
  }
}
