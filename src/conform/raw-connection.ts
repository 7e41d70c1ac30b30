// The tester's end of a TCP or TLS connection: bytes out, bytes in, and how it ended. Knows nothing of frames. Nothing that
// the peer does is thrown from here: a reset is a state like the others.

import type { Socket } from 'node:net';
import { findHeadEnd } from '../wire/http-head.js';
import { Changes } from './changes.js';
import type { Side } from './result.js';
import type { WireLog } from './wire-log.js';

/** So much may lie in the send buffer before {@link RawConnection.write} waits. */
const HIGH_WATER_BYTES = 1 << 20;
const MAX_HEAD_BYTES = 64 * 1024;
/** Of what comes unasked so much is kept. */
const MAX_KEPT_BYTES = 4 << 20;
/** How long a peer may leave bytes unread before the tester stops writing. */
const DRAIN_LIMIT_MS = 20_000;

export interface IncomingRequest {
  /** The head of the request that a client under test sent, with its last empty line. */
  head: Uint8Array;
}

export interface RawConnectionOptions {
  /** Only where a client is under test. */
  request?: IncomingRequest;
  /** Every write goes out in TCP writes of that many bytes, the event loop turning in between. */
  chopBytes?: number | undefined;
}

export class RawConnection {
  readonly changes = new Changes();
  readonly log: WireLog;
  /** Only where a client is under test. */
  readonly request: IncomingRequest | undefined;
  readonly #socket: Socket;
  #received: Uint8Array[] = [];
  #keptBytes = 0;
  #onBytes: ((bytes: Uint8Array) => void) | undefined;
  #onClosed: (() => void) | undefined;
  /** The peer has sent FIN: nothing more will come. */
  peerEnded = false;
  /** The peer has cut the connection with RST, or the network has. */
  wasReset = false;
  isClosed = false;
  /** Who ended TCP first. */
  droppedBy: Side | null = null;

  readonly #chopBytes: number | undefined;
  /** Settles when a write in pieces is done: nothing may get in between its pieces. */
  #chopping: Promise<void> | undefined;

  /** @param socket connected, with `allowHalfOpen`, so that what a FIN of the peer means can be told apart */
  constructor(socket: Socket, log: WireLog, options: RawConnectionOptions = {}) {
    this.#socket = socket;
    this.log = log;
    this.request = options.request;
    this.#chopBytes = options.chopBytes;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#receive(bytes as Uint8Array));
    socket.resume();
    socket.on('drain', () => this.changes.notify());
    socket.on('end', () => {
      this.peerEnded = true;
      this.#drop('peer', 'the peer ended TCP');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.wasReset = true;
      this.#drop('peer', `TCP broke off: ${error.code ?? error.message}`);
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.#drop('peer', 'TCP was closed');
      this.#onClosed?.();
    });
  }

  /** Bytes travel in TLS. */
  get isSecure(): boolean {
    return 'encrypted' in this.#socket;
  }

  /** The name that a client under test asked for in its TLS handshake (SNI). */
  get serverName(): string | undefined {
    const { servername } = this.#socket as { servername?: string | false | null };
    return servername || undefined;
  }

  /** Nothing more can come from the peer. */
  get isOver(): boolean {
    return this.peerEnded || this.isClosed || this.wasReset;
  }

  get canWrite(): boolean {
    return this.#socket.writable && !this.isClosed;
  }

  /** The peer leaves so much unread that a write waits. */
  get isCongested(): boolean {
    return this.#socket.writableLength >= HIGH_WATER_BYTES;
  }

  /** Hands over what has come and what will come. Before that, bytes are kept. */
  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#onBytes = listener;
    const received = this.#received;
    this.#received = [];
    for (const bytes of received) listener(bytes);
  }

  /** Calls `listener` when the socket is gone for good: at once if it is already. */
  onClosed(listener: () => void): void {
    if (this.isClosed) listener();
    else this.#onClosed = listener;
  }

  /** All bytes that came and were not taken yet. */
  get received(): Uint8Array {
    if (this.#received.length !== 1) this.#received = [Buffer.concat(this.#received)];
    return this.#received[0]!;
  }

  /** The head of an HTTP message, or undefined when none was complete in time; what follows it is kept. */
  async readHead(limitMs: number): Promise<Uint8Array | undefined> {
    let end = -1;
    await this.changes.until(() => {
      end = findHeadEnd(this.received);
      return end !== -1 || this.isOver || this.received.length > MAX_HEAD_BYTES;
    }, limitMs);
    if (end === -1) return undefined;
    const bytes = this.received;
    this.#received = end < bytes.length ? [bytes.subarray(end)] : [];
    this.#keptBytes = bytes.length - end;
    return bytes.subarray(0, end);
  }

  /** Writes; waits while the peer does not read. A connection that is gone takes the bytes and drops them. */
  async write(bytes: Uint8Array): Promise<void> {
    while (this.#chopping !== undefined) await this.#chopping;
    if (this.#chopBytes !== undefined && bytes.length > this.#chopBytes) {
      await this.writeChopped(bytes, this.#chopBytes);
    } else {
      await this.#writeOnce(bytes);
    }
  }

  /** One write for every `size` bytes, the event loop turning in between, so that each is a segment of its own. */
  async writeChopped(bytes: Uint8Array, size: number): Promise<void> {
    while (this.#chopping !== undefined) await this.#chopping;
    const pieces = Math.min(size, this.#chopBytes ?? size);
    this.#chopping = this.#writePieces(bytes, pieces);
    await this.#chopping;
    this.#chopping = undefined;
  }

  async #writePieces(bytes: Uint8Array, size: number): Promise<void> {
    for (let at = 0; at < bytes.length && this.canWrite; at += size) {
      await this.#writeOnce(bytes.subarray(at, at + size));
      await turn();
    }
  }

  async #writeOnce(bytes: Uint8Array): Promise<void> {
    if (!this.canWrite) return;
    this.#socket.write(bytes);
    if (!this.isCongested) return;
    await this.until(() => !this.isCongested || !this.canWrite, DRAIN_LIMIT_MS);
  }

  until(condition: () => boolean, limitMs: number): Promise<boolean> {
    return this.changes.until(condition, limitMs);
  }

  /** Stops taking bytes from the network, as a peer that does not read. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends TCP in an orderly way: what was written still goes out. */
  end(): void {
    this.#drop('tester', 'the tester ended TCP');
    void this.#endBehindPieces();
  }

  /** A write in pieces that is under way goes out whole, and so does what waits for it. */
  async #endBehindPieces(): Promise<void> {
    while (this.#chopping !== undefined) await this.#chopping;
    this.#socket.end();
  }

  /** Cuts the connection off without a word to the peer beyond what TCP says. */
  destroy(): void {
    this.#drop('tester', 'the tester closed the socket');
    this.#socket.destroy();
  }

  /** Sends RST. */
  reset(): void {
    this.#drop('tester', 'the tester reset TCP');
    this.#socket.resetAndDestroy();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#onBytes !== undefined) this.#onBytes(bytes);
    else this.#keep(bytes);
    this.changes.notify();
  }

  #keep(bytes: Uint8Array): void {
    if (this.#keptBytes > MAX_KEPT_BYTES) return;
    this.#received.push(bytes);
    this.#keptBytes += bytes.length;
    if (this.#keptBytes > MAX_KEPT_BYTES)
      this.log.note('the peer floods: what comes from here on is thrown away');
  }

  #drop(by: Side, note: string): void {
    if (this.droppedBy === null) {
      this.droppedBy = by;
      this.log.note(note);
    }
    this.changes.notify();
  }
}

/** Lets the event loop turn once. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
