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
    this.sent.push(...this.#collector.push(bytes));
    return Promise.resolve();
  }

  writeChopped(bytes: Uint8Array): Promise<void> {
    return this.write(bytes);
  }

  end(): void {
    this.droppedBy ??= 'tester';
    this.canWrite = false;
    this.changes.notify();
  }

  until(condition: () => boolean, limitMs: number): Promise<boolean> {
    return this.changes.until(condition, limitMs);
  }
}
