// Joins a connection to a socket (any Duplex): what is read goes straight to the receiver, what is sent while a chunk is
// being parsed, or in one turn of the event loop, leaves in one write. Owns the closing deadline.

import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import {
  Connection,
  type ConnectionOptions,
  type ConnectionSink,
  type Transport,
} from '../protocol/connection.js';
import type { WriteCallback } from '../protocol/message-sender.js';
import { lendCopy } from './lent-memory.js';
import { outputBlock, platform } from './platform.js';
import { readIntoSharedBlock } from './shared-read.js';
import { attempt, WriteReport } from './write-report.js';

export interface DriverOwner extends ConnectionSink {
  /** The socket is gone and every message that it brought has been handed over. */
  onDisconnected(): void;
  /** A write that the socket found too much has left. */
  onDrain(): void;
}

/**
 * So many reads that fill the shared block one socket may have before the others have a turn: 2 MiB, the most that Node.js
 * reads at once from a stream. It would read 8, and a flood of empty messages keep everybody waiting for 104 ms, not 24.
 */
const FULL_READS_IN_A_TURN = 8;

/** As much as a stream reads at once. */
const SLICE_BYTES = 64 * 1024;

const DRIVER = Symbol('driver');
const TCP_SOCKET: unknown = Socket;
const SOCKET_PAUSE: unknown = Socket.prototype.pause;
const SOCKET_WRITE: unknown = Socket.prototype.write;
const SOCKET_WRITE_ONE: unknown = Socket.prototype._write;
const SOCKET_WRITE_MANY: unknown = Socket.prototype._writev;
type DrivenSocket = Duplex & { [DRIVER]?: Driver };

/** True when a connection has the socket already. */
export function isDriven(socket: Duplex): boolean {
  return (socket as DrivenSocket)[DRIVER] !== undefined;
}

/** Counts turns of the event loop in which something was sent, to tell a lone message from the second of a burst. */
let turn = 0;
let isTurnMarked = false;

function nextTurn(): void {
  isTurnMarked = false;
  turn++;
}

/** Drivers that will write at the end of the turn. */
let scheduled: Driver[] = [];
/** The driver whose input is being handled; it leads to the one that it interrupted, if any. */
let receiving: Driver | undefined;

function flushScheduled(): void {
  const drivers = scheduled;
  scheduled = [];
  for (const driver of drivers) attempt(() => driver.flushAtEndOfTurn());
}

// What was sent before `process.exit()` leaves, as it would have if it had not been gathered.
process.on('exit', () => {
  flushScheduled();
  for (let driver = receiving; driver !== undefined; driver = driver.interrupted) driver.flush();
});

export class Driver implements Transport {
  readonly connection: Connection;
  /** Set whenever bytes arrive; whoever watches over the peer clears it. */
  hasReceived = false;
  /** The application has paused. */
  isPaused = false;
  /** While input is being handled: the driver that was at it before. */
  interrupted: Driver | undefined;

  readonly #socket: DrivenSocket;
  readonly #owner: DriverOwner;
  #callbacks: WriteCallback[] | undefined;
  /** Bytes of a write past the stream that are on their way, and what is called when they have left. */
  #directBytes = 0;
  #isDirectTooMuch = false;
  #onDirectWritten: WriteCallback | undefined;
  #isReceiving = false;
  #isFlushScheduled = false;
  #lastTurn = -1;
  #awaitsDrain = false;
  #isReadingStopped = false;
  #isSharingSought = false;
  #fullReads = 0;
  #isClosed = false;
  #deadline: NodeJS.Timeout | undefined;

  /**
   * Takes the socket over.
   *
   * @param socket connected and upgraded
   * @param head bytes of the connection that were read together with the handshake
   */
  constructor(socket: Duplex, head: Uint8Array, options: ConnectionOptions, owner: DriverOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.connection = new Connection(options, owner, this);
    this.#socket[DRIVER] = this;
    // Not every Duplex is a net.Socket; and one that never had a timeout is left as small as it is.
    if ('setTimeout' in socket && hasTimeout(socket as Socket)) (socket as Socket).setTimeout(0);
    if ('setNoDelay' in socket) (socket as Socket).setNoDelay();
    if (head.length > 0) socket.unshift(head);
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('close', onClose);
    socket.on('error', onError);
  }

  get socket(): Duplex {
    return this.#socket;
  }

  /** Bytes that were accepted for sending and have not reached the operating system. */
  get bufferedBytes(): number {
    return this.#socket.writableLength + this.#directBytes + this.connection.bufferedBytes;
  }

  /** The timer of the closing handshake, while one runs. */
  get deadline(): NodeJS.Timeout | undefined {
    return this.#deadline;
  }

  /** Stops reading from the socket; what has been read is still handed over. */
  pause(): void {
    this.isPaused = true;
    pause(this.#socket);
  }

  resume(): void {
    this.isPaused = false;
    // Not at once: a stream above resumes before it passes on what it holds.
    if (this.connection.isCloseHeld) process.nextTick(releaseClose, this);
    if (!this.#isReadingStopped) this.#socket.resume();
  }

  /** Writes what waits, now. */
  flush(): void {
    const output = this.connection.sender.output;
    let pieces = output.take();
    if (pieces === undefined) return;
    const socket = this.#socket;
    if (this.#callbacks === undefined && this.#isStreamIdle()) {
      this.#writeDirectly(socket as Socket, pieces);
      if (this.#directBytes === 0 && !Array.isArray(pieces)) output.release(pieces);
      return;
    }
    if (Array.isArray(pieces)) {
      if (!(socket instanceof Socket)) pieces = pieces.map(copyOfOurs);
    } else if (!this.#isAllWritten || !(socket instanceof Socket)) {
      // It has to wait, or goes who knows where: in memory of its own, lest a few bytes for a slow reader keep a whole block.
      const copy = platform.copy(pieces, 0, pieces.length);
      output.release(pieces);
      pieces = copy;
    }
    const report = this.#callbacks && new WriteReport(socket, this.#callbacks);
    this.#callbacks = undefined;
    let isBelowMark: boolean;
    if (Array.isArray(pieces)) {
      const last = pieces.length - 1;
      socket.cork();
      for (let i = 0; i < last; i++) socket.write(pieces[i]!);
      isBelowMark = socket.write(pieces[last]!, report?.callback);
      socket.uncork();
    } else {
      const lent = socket.writableLength === 0 ? lendCopy(pieces, socket) : undefined;
      if (lent !== undefined) {
        output.release(pieces);
        lent.listener = report?.callback;
        isBelowMark = socket.write(lent.bytes, lent.callback);
      } else {
        isBelowMark = report === undefined ? socket.write(pieces) : socket.write(pieces, report.callback);
        if (isPlainSocket(socket) && this.#isAllWritten) output.release(pieces);
      }
    }
    if (report !== undefined) report.hasLeft = this.#isAllWritten;
    if (!isBelowMark && !this.#awaitsDrain) {
      this.#awaitsDrain = true;
      socket.once('drain', onDrain);
    }
  }

  /** The operating system has taken everything. Of a plain socket that is reliable; another Duplex may keep what it was given. */
  get #isAllWritten(): boolean {
    return this.#socket.writableLength === 0 && this.#directBytes === 0;
  }

  /** Nothing waits in the stream, so that bytes may pass it by. */
  #isStreamIdle(): boolean {
    const socket = this.#socket;
    return isPlainSocket(socket) && this.#isAllWritten && socket.writable && socket.writableCorked === 0;
  }

  /**
   * Hands bytes to the socket's own `_write`, past the bookkeeping of the stream: an echo of one small message takes
   * 8 % less CPU time, one of 20 KB, which is two pieces, 9 %. What the operating system does not take at once goes out
   * behind it in order, by libuv.
   */
  #writeDirectly(socket: Socket, pieces: Uint8Array | Uint8Array[]): void {
    this.#directBytes = Array.isArray(pieces)
      ? pieces.reduce((sum, { length }) => sum + length, 0)
      : pieces.length;
    this.#onDirectWritten ??= (error) => {
      const wasTooMuch = this.#isDirectTooMuch;
      this.#directBytes = 0;
      this.#isDirectTooMuch = false;
      if (error) socket.destroy(error);
      // Node reports a write that was under way when its socket was destroyed as a success.
      else if (wasTooMuch && !socket.destroyed) this.onWritten();
    };
    if (Array.isArray(pieces)) socket._writev!(pieces.map(asChunk), this.#onDirectWritten);
    else socket._write(pieces, 'buffer' as BufferEncoding, this.#onDirectWritten);
    this.#isDirectTooMuch = this.#directBytes > 0 && this.#directBytes >= socket.writableHighWaterMark;
  }

  /** Writes what was gathered since the first frame of the turn. */
  flushAtEndOfTurn(): void {
    this.#isFlushScheduled = false;
    this.flush();
  }

  /** Goes on with a receiver that was paused. */
  resumeReceiving(): void {
    this.#receive(undefined, false);
  }

  // Transport

  wake(callback?: WriteCallback): void {
    if (callback !== undefined) {
      this.#callbacks ??= [];
      this.#callbacks.push(callback);
    }
    // What the application lends us is written while it is what it was.
    if (this.connection.sender.output.isBorrowing) {
      this.flush();
      return;
    }
    if (this.#isReceiving || this.#isFlushScheduled) return;
    // A lone message leaves at once; from the second in a turn on they leave together at its end.
    if (this.#lastTurn === turn) {
      this.#isFlushScheduled = true;
      if (scheduled.push(this) === 1) process.nextTick(flushScheduled);
      return;
    }
    this.#lastTurn = turn;
    if (!isTurnMarked) {
      isTurnMarked = true;
      process.nextTick(nextTurn);
    }
    this.flush();
  }

  end(): void {
    this.flush();
    this.#socket.end();
  }

  destroy(): void {
    this.flush();
    this.#socket.destroy();
  }

  setDeadline(ms: number | undefined): void {
    if (this.#deadline !== undefined) clearTimeout(this.#deadline);
    this.#deadline = ms !== undefined && !this.#isClosed ? setTimeout(onDeadline, ms, this) : undefined;
  }

  onIdle(): void {
    if (this.#isClosed) {
      this.#owner.onDisconnected();
      return;
    }
    if (!this.#isReadingStopped) return;
    this.#isReadingStopped = false;
    if (!this.isPaused) this.#socket.resume();
  }

  onQueueEmpty(): void {
    process.nextTick(onQueueEmpty, this);
  }

  onReady(): void {
    process.nextTick(resumeReceiving, this);
  }

  // Events of the socket

  /** Bytes from the stream; they are ours. */
  onData(chunk: Uint8Array): void {
    this.hasReceived = true;
    // A stream in memory may answer in the middle of a chunk: the receiver keeps that for later, and we are at it already.
    if (this.#isReceiving) this.connection.receiver.receive(chunk);
    else this.#receive(chunk, false);
    // The first bytes come as the handshake left the socket; then there is a cheaper way.
    if (!this.#isSharingSought && this.#socket.readableLength === 0) {
      this.#isSharingSought = true;
      readIntoSharedBlock(this.#socket, onRead);
    }
  }

  /**
   * Bytes in memory that the next read overwrites. They are handled in slices, because what is copied for many small
   * messages at once stays alive with each of them, and because who pauses wants to get little after that.
   *
   * @returns false to stop reading: some of it waits in the stream
   */
  onRead(bytes: Uint8Array): boolean {
    this.hasReceived = true;
    const { length } = bytes;
    const socket = this.#socket;
    let start = 0;
    let mayGoOn = true;
    try {
      do {
        const end = Math.min(start + SLICE_BYTES, length);
        const slice = length <= SLICE_BYTES ? bytes : platform.view(bytes, start, end);
        start = end;
        this.#receive(slice, true);
      } while (start < length && socket.readableFlowing === true);
    } finally {
      // After a pause, or when a listener threw.
      if (start < length) mayGoOn = pushCopies(socket, bytes, start);
    }
    return mayGoOn;
  }

  /** Counts a read behind which there is probably more. False: not in this turn. */
  mayReadOn(): boolean {
    this.#fullReads = (this.#fullReads + 1) % FULL_READS_IN_A_TURN;
    if (this.#fullReads > 0) return true;
    setImmediate(readOn, this.#socket);
    return false;
  }

  onEnd(): void {
    this.connection.receiveEnd();
    // Both directions are over. A socket knows that by itself; not every Duplex does.
    const socket = this.#socket;
    if (socket.writableFinished) socket.destroy();
    else socket.once('finish', () => socket.destroy());
  }

  onDrain(): void {
    this.#awaitsDrain = false;
    this.onWritten();
  }

  /** Something that could not leave at once has left. */
  onWritten(): void {
    // What was sent since then goes first; it may fill the socket again.
    this.flush();
    if (!this.#awaitsDrain && !this.#isDirectTooMuch) this.#owner.onDrain();
  }

  onError(): void {
    // A reset is no news to the application beyond close code 1006.
    this.connection.terminate();
  }

  onClose(): void {
    const { receiver } = this.connection;
    this.#socket.removeListener('data', onData);
    this.#socket.removeListener('end', onEnd);
    this.#isClosed = true;
    this.setDeadline(undefined);
    // What a pause kept in the socket has arrived all the same.
    const rest = this.#socket.readableLength > 0 && !receiver.isEnded ? this.#socket.read() : null;
    try {
      if (rest !== null) this.#receive(rest, false);
    } finally {
      this.connection.transportClosed();
      this.flush();
    }
    if (receiver.isIdle) this.#owner.onDisconnected();
  }

  #receive(chunk: Uint8Array | undefined, isLent: boolean): void {
    const { receiver } = this.connection;
    let isInterrupted = true;
    this.#isReceiving = true;
    this.interrupted = receiving;
    receiving = this;
    try {
      if (chunk === undefined) receiver.resume();
      else receiver.receive(chunk, isLent);
      isInterrupted = false;
    } finally {
      this.#isReceiving = false;
      receiving = this.interrupted;
      this.interrupted = undefined;
      this.flush();
      // A listener threw: that is for the process to deal with, and the connection goes on.
      if (isInterrupted) setImmediate(resumeReceiving, this);
      if (!receiver.isIdle && !this.#isReadingStopped) {
        this.#isReadingStopped = true;
        pause(this.#socket);
      }
    }
  }
}

function hasTimeout(socket: Socket): boolean {
  return !(socket instanceof Socket) || socket.timeout !== undefined;
}

/** A stream in memory may hand on what it is given: not together with the block, in which there is more. */
function copyOfOurs(piece: Uint8Array): Uint8Array {
  return piece.buffer === outputBlock.bytes.buffer ? platform.copy(piece, 0, piece.length) : piece;
}

/** As `_writev` wants it. */
function asChunk(chunk: Uint8Array): { chunk: Uint8Array; encoding: BufferEncoding } {
  return { chunk, encoding: 'buffer' as BufferEncoding };
}

/** A TCP or Unix socket that nobody has changed; TLS sockets and others derived from it are not. */
function isPlainSocket(socket: Duplex): boolean {
  return (
    socket.constructor === TCP_SOCKET &&
    socket.write === SOCKET_WRITE &&
    socket._write === SOCKET_WRITE_ONE &&
    socket._writev === SOCKET_WRITE_MANY
  );
}

/** Pauses as a stream does, which reads on until its buffer is full, and so learns of the connection's end. */
function pause(socket: Duplex): void {
  if (socket.pause === SOCKET_PAUSE) Duplex.prototype.pause.call(socket);
  else socket.pause();
}

// One function for all sockets, instead of closures for each.

function onData(this: DrivenSocket, chunk: Uint8Array): void {
  this[DRIVER]!.onData(chunk);
}

/** What does not go straight to the driver, because it pauses or others listen too, goes the way of a stream. */
function onRead(this: Socket, length: number, block: Uint8Array): boolean {
  const bytes = platform.view(block, 0, length);
  const isOursAlone = this.listenerCount('data') === 1 && this.listenerCount('data', onData) === 1;
  if (this.readableFlowing === true && this.readableLength === 0 && isOursAlone) {
    const driver = (this as DrivenSocket)[DRIVER]!;
    return driver.onRead(bytes) && (length < block.length || driver.mayReadOn());
  }
  return pushCopies(this, bytes, 0);
}

/** Hands lent bytes to the stream, in pieces of the size in which it would have read them. */
function pushCopies(socket: Duplex, bytes: Uint8Array, from: number): boolean {
  let mayGoOn = true;
  for (let start = from; start < bytes.length; start += SLICE_BYTES) {
    mayGoOn = socket.push(platform.copy(bytes, start, Math.min(start + SLICE_BYTES, bytes.length)));
  }
  return mayGoOn;
}

function readOn(socket: Duplex): void {
  // Begins to read again, and takes nothing from the stream's buffer.
  if (!socket.destroyed) socket.read(0);
}

function onEnd(this: DrivenSocket): void {
  this[DRIVER]!.onEnd();
}

function onDrain(this: DrivenSocket): void {
  this[DRIVER]!.onDrain();
}

function onError(this: DrivenSocket): void {
  this[DRIVER]!.onError();
}

function onClose(this: DrivenSocket): void {
  this[DRIVER]!.onClose();
}

function onDeadline(driver: Driver): void {
  driver.connection.handleTimeout();
}

function releaseClose(driver: Driver): void {
  if (!driver.isPaused) driver.connection.releaseClose();
}

function onQueueEmpty(driver: Driver): void {
  driver.onWritten();
}

function resumeReceiving(driver: Driver): void {
  driver.resumeReceiving();
}
