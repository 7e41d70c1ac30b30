// An established connection, without a socket and without a clock: bytes in, messages out, and the closing handshake
// (RFC 6455 §5.5.1, §7). It tells its sink what arrived and its transport what to do; time is handed in.

import { NO_STATUS_RECEIVED } from '../wire/close-code.js';
import { serializeClosePayload } from '../wire/close-payload.js';
import type { ProtocolError } from '../wire/errors.js';
import { CLOSE, PING, PONG } from '../wire/opcode.js';
import {
  CLOSE_EXCHANGED,
  CLOSE_RECEIVED,
  CLOSE_SENT,
  CLOSED,
  type ConnectionEvent,
  type ConnectionState,
  FAILED,
  maySend,
  nextState,
  OPEN,
} from './connection-state.js';
import { LIMITS } from './limits.js';
import { MessageReceiver, type MessageSink, type ReceiverOptions } from './message-receiver.js';
import {
  MessageSender,
  type Payload,
  type SenderOptions,
  type SenderOwner,
  type WriteCallback,
} from './message-sender.js';
import { closesTransportFirst, type Role } from './role.js';

/** What the connection asks of whoever holds the socket. */
export interface Transport {
  /** The application has paused: it wants to hear of nothing, not of a Close frame either. */
  readonly isPaused: boolean;
  /** There is output to write, soon and in one go; `callback` when it has left. */
  wake(callback?: WriteCallback): void;
  /** Ends the outgoing direction once all is written. */
  end(): void;
  /** Drops the socket. */
  destroy(): void;
  /** Calls `handleTimeout()` after so many milliseconds, instead of any time asked for before; `undefined`: not at all. */
  setDeadline(ms: number | undefined): void;
  /** All bytes that were handed in are parsed, after a time in which they were not. */
  onIdle(): void;
  /** What had to be compressed or read before it could be sent is with the transport. */
  onQueueEmpty(): void;
  /** Parsing can go on: call `receiver.resume()`, outside of the present call. */
  onReady(): void;
}

export interface ConnectionSink extends Omit<MessageSink, 'onIdle' | 'onReady' | 'onFail'> {
  /** The peer broke a rule, or a message could not be compressed or read. Nothing follows. */
  onFail(error: Error): void;
}

export interface ConnectionOptions extends ReceiverOptions, SenderOptions {
  autoPong?: boolean | undefined;
  maxPendingAutoPongs?: number | undefined;
  closeTimeoutMs?: number | undefined;
}

const EMPTY = new Uint8Array(0);

export class Connection implements MessageSink, SenderOwner {
  readonly receiver: MessageReceiver;
  readonly sender: MessageSender;
  readonly role: Role;
  autoPong: boolean;
  maxPendingAutoPongs: number;

  readonly #sink: ConnectionSink;
  readonly #transport: Transport;
  readonly #closeTimeoutMs: number;
  #state: ConnectionState = OPEN;
  #closeWritten = false;
  #waitsForServer = false;
  #heldClose: { code: number; reason: Uint8Array } | undefined;
  #pendingPongs = 0;
  #onPongWritten: WriteCallback | undefined;

  constructor(options: ConnectionOptions, sink: ConnectionSink, transport: Transport) {
    this.role = options.role;
    this.autoPong = options.autoPong ?? true;
    this.maxPendingAutoPongs = options.maxPendingAutoPongs ?? LIMITS.maxPendingAutoPongs;
    this.#closeTimeoutMs = options.closeTimeoutMs ?? LIMITS.closeTimeoutMs;
    this.#sink = sink;
    this.#transport = transport;
    this.receiver = new MessageReceiver(options, this);
    this.sender = new MessageSender(options, this);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** [RFC6455-6.1-2] [RFC6455-5.1-7] Data may be sent. */
  get isOpen(): boolean {
    return maySend(this.#state);
  }

  /** [RFC6455-7.1.4-1] Both Close frames went through. */
  wasClean = false;

  /** Bytes accepted for sending that the transport has not been given yet. */
  get bufferedBytes(): number {
    return this.sender.queuedBytes + this.sender.output.byteLength;
  }

  /**
   * Starts the closing handshake (§7.1.2), or answers the peer's, at any time [RFC6455-7.3-1]. Does nothing when a
   * Close frame was sent already.
   *
   * @param code a sendable status code, or 1005 for a Close frame without one
   * @param reason UTF-8, at most 123 bytes
   */
  close(code: number = NO_STATUS_RECEIVED, reason: Uint8Array = EMPTY): void {
    const state = this.#state;
    if (state !== OPEN && state !== CLOSE_RECEIVED) return;
    // [RFC6455-7.1.3-1]
    this.#advance('sendClose');
    // [RFC6455-7.1.2-1] [RFC6455-7.3-3]
    this.#sendClose(code, reason);
  }

  /** [RFC6455-7.1.1-2] Drops the transport without a closing handshake. */
  terminate(): void {
    this.#advance('fail');
    this.#transport.destroy();
    this.sender.abort();
  }

  /** The peer ended its direction of the transport: nothing more will come. */
  receiveEnd(): void {
    this.releaseClose();
    this.#advance('fail');
    // Who has stopped sending and does not take what we still have must not keep the socket for ever.
    this.#transport.setDeadline(this.#closeTimeoutMs);
    this.#transport.end();
  }

  /** [RFC6455-7.2.1-2] The transport is gone. What was received and not parsed yet counts; nothing more can be sent. */
  transportClosed(): void {
    this.releaseClose();
    this.#advance('transportClosed');
    this.#transport.setDeadline(undefined);
    this.sender.abort();
    if (this.receiver.isIdle) this.receiver.stop();
  }

  /** The time asked for with `setDeadline` has come. */
  handleTimeout(): void {
    if (this.#waitsForServer) {
      // [RFC6455-5.5.1-14] [RFC6455-7.1.1-4] the server had its time
      this.#waitsForServer = false;
      this.#transport.end();
      this.#transport.setDeadline(this.#closeTimeoutMs);
    } else {
      this.#transport.destroy();
    }
  }

  // MessageSink: what the receiver found

  onMessage(data: Uint8Array, isBinary: boolean): void {
    this.#sink.onMessage(data, isBinary);
  }

  onPing(payload: Uint8Array): void {
    // STRICTER: [RFC6455-5.5.2-2] until a Close has come, also when ours is sent; `ws` stops answering there
    if (this.autoPong && (this.isOpen || this.#state === CLOSE_SENT)) {
      // [RFC6455-10.7-2] A peer that pings and does not read must not fill our memory with Pongs.
      if (this.maxPendingAutoPongs > 0 && this.#pendingPongs >= this.maxPendingAutoPongs) {
        this.receiver.stop();
        this.terminate();
        return;
      }
      this.#pendingPongs++;
      this.#onPongWritten ??= () => {
        this.#pendingPongs--;
      };
      // [RFC6455-5.5.2-2] [RFC6455-5.5.3-1] the same payload back, [RFC6455-5.5.2-3] at once
      this.sender.sendControl(PONG, payload, this.#onPongWritten);
    }
    this.#sink.onPing(payload);
  }

  onPong(payload: Uint8Array): void {
    // [RFC6455-5.5.3-3] No answer, whether we asked for it or not.
    this.#sink.onPong(payload);
  }

  onClose(code: number, reason: Uint8Array): void {
    // DIFFERS(ws): a Close frame that was read together with the message at which the application paused waits with what comes
    // behind it. The application may still send what it has, and so finish what it passes on [RFC6455-5.5.1-10].
    if (this.#transport.isPaused) this.#heldClose = { code, reason };
    else this.#receiveClose(code, reason);
  }

  /** A Close frame waits until the application goes on reading. */
  get isCloseHeld(): boolean {
    return this.#heldClose !== undefined;
  }

  /** The application goes on reading, or nothing more will come. */
  releaseClose(): void {
    const held = this.#heldClose;
    this.#heldClose = undefined;
    if (held !== undefined) this.#receiveClose(held.code, held.reason);
  }

  #receiveClose(code: number, reason: Uint8Array): void {
    const answers = this.#state === OPEN;
    this.#advance('receiveClose');
    // [RFC6455-5.5.1-7] [RFC6455-5.5.1-8] echo the code, [RFC6455-5.5.1-9] at once
    this.#sink.onClose(code, reason);
    if (answers) this.close(code, reason);
    else this.#endAfterClose();
  }

  onFail(error: ProtocolError): void {
    const mustSendClose = this.#state === OPEN || this.#state === CLOSE_RECEIVED;
    this.#advance('fail');
    // [RFC6455-7.1.7-5] [RFC6455-10.7-3] the peer is told why; [RFC6455-7.1.7-6] not again, once Close is sent
    if (mustSendClose) this.#sendClose(error.closeCode, EMPTY);
    else this.#endAfterClose();
    // [RFC6455-7.1.7-2] [RFC6455-7.1.7-4] and so is our own side
    this.#sink.onFail(error);
  }

  onIdle(): void {
    if (this.#state === CLOSED) this.receiver.stop();
    this.#transport.onIdle();
  }

  onReady(): void {
    this.#transport.onReady();
  }

  /** Pings the peer [RFC6455-5.5.2-4]; the payload is at most 125 bytes [RFC6455-5.5.2-1]. */
  ping(payload: Payload, callback?: WriteCallback, isMasked?: boolean): void {
    this.sender.sendControl(PING, payload, callback, isMasked);
  }

  /** Sends a Pong, asked for or not (§5.5.3). */
  pong(payload: Payload, callback?: WriteCallback, isMasked?: boolean): void {
    this.sender.sendControl(PONG, payload, callback, isMasked);
  }

  // SenderOwner

  wake(callback?: WriteCallback): void {
    this.#transport.wake(callback);
  }

  onQueueEmpty(): void {
    this.#transport.onQueueEmpty();
  }

  /** A message is missing from what we sent: nothing sensible can follow it. */
  onSendError(error: Error): void {
    this.#advance('fail');
    this.#transport.setDeadline(this.#closeTimeoutMs);
    this.#transport.end();
    this.#sink.onFail(error);
  }

  #sendClose(code: number, reason: Uint8Array): void {
    this.#transport.setDeadline(this.#closeTimeoutMs);
    // [RFC6455-7.4-1]
    const payload = code === NO_STATUS_RECEIVED ? EMPTY : serializeClosePayload(code, reason);
    this.sender.sendControl(CLOSE, payload, (error) => {
      if (error) return;
      this.#closeWritten = true;
      this.#endAfterClose();
    });
  }

  /** [RFC6455-5.5.1-11] [RFC6455-7.1.2-2] Both Close frames went through, or ours was the last word: close TCP. */
  #endAfterClose(): void {
    if (!this.#closeWritten) return;
    if (this.#state === FAILED || (this.#state === CLOSE_EXCHANGED && closesTransportFirst(this.role))) {
      // [RFC6455-5.5.1-12] [RFC6455-7.1.1-5] [RFC6455-7.1.7-1] [RFC6455-7.1.7-3] [RFC6455-7.1.1-1] at once, in order
      this.#transport.end();
    } else if (this.#state === CLOSE_EXCHANGED) {
      // [RFC6455-5.5.1-13] the client leaves the first step to the server, for a while
      this.#waitsForServer = true;
      this.#transport.setDeadline(Math.min(LIMITS.serverClosesFirstMs, this.#closeTimeoutMs));
    }
  }

  #advance(event: ConnectionEvent): void {
    this.#state = nextState(this.#state, event);
    if (this.#state === CLOSE_EXCHANGED) this.wasClean = true;
  }
}
