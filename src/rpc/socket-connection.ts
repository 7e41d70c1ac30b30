// A plain WebSocket as what carries a conversation: the end of the socket is the end of it all. For hawser's class, npm `ws`,
// and those with the standard's face.

import type { Environment, Timer } from '../agent/environment.js';
import { closeLink, type Data, type Link, type LinkEnd, type LinkHandler } from '../agent/link.js';
import { linkOf, type NodeWebSocket, type StandardWebSocket } from '../agent/socket-link.js';
import { wheelOf } from '../agent/timer-wheel.js';
import type { Carrier, Connection, ConnectionOwner, ConversationHandler } from './carrier.js';
import { RPC, RpcError } from './errors.js';

/** A WebSocket, open or being opened. */
export type RpcSocket = (NodeWebSocket | StandardWebSocket) & { readonly readyState: number };

const OPEN = 1;
/** As much may wait in the socket before calls wait here instead. */
const HIGH_WATER_MARK_BYTES = 256 * 1024;
/** Asking a socket how much it holds costs more than sending a small message: it is asked once in so many. */
const LOOK_AFTER_BYTES = 16 * 1024;
const OVERHEAD_BYTES = 16;
/** Where nobody tells that a socket has room again, it is looked at so often. */
const LOOK_EVERY_MS = 10;

export class SocketConnection implements Connection, Carrier, LinkHandler {
  readonly maxBytes = Number.POSITIVE_INFINITY;
  readonly #link: Link;
  readonly #owner: ConnectionOwner;
  readonly #environment: Environment;
  readonly #conversation: ConversationHandler;
  #isOpen: boolean;
  #isCongested = false;
  #bytesUntilLook = LOOK_AFTER_BYTES;
  #lookTimer: Timer;
  #isOver = false;
  #closed: Promise<void> = Promise.resolve();

  constructor(socket: RpcSocket, owner: ConnectionOwner, environment: Environment) {
    this.#owner = owner;
    this.#environment = environment;
    this.#isOpen = socket.readyState === OPEN;
    this.#link = linkOf(socket);
    this.#conversation = owner.begin(this);
    this.#link.handler = this;
    // A socket that is gone already tells nobody.
    if (socket.readyState > OPEN) queueMicrotask(() => this.onEnd({ code: 1006, reason: '' }));
  }

  get hasRoom(): boolean {
    return this.#isOpen && !this.#isCongested;
  }

  hasRoomFor(): boolean {
    return this.hasRoom;
  }

  send(text: string): void {
    this.#link.send(text);
    this.#bytesUntilLook -= text.length + OVERHEAD_BYTES;
    if (this.#bytesUntilLook < 0) this.#look();
  }

  fail(code: number, reason: string): void {
    this.#close(code, reason, new RpcError(RPC.LOST, reason));
  }

  /** Conversations over a socket never move. */
  release(): void {}

  close(): Promise<void> {
    this.#close(1000, '', undefined);
    return this.#closed;
  }

  // What the link tells

  onOpen(): void {
    this.#isOpen = true;
    this.#conversation.onRoom();
  }

  onMessage(data: Data): void {
    this.#conversation.onMessage(data);
  }

  onDrain(): void {
    if (this.#isCongested) this.#look();
    if (this.hasRoom) this.#conversation.onRoom();
  }

  onEnd({ code, reason, error }: LinkEnd): void {
    const description = reason === '' ? `${code}` : `${code}, ${reason}`;
    this.#end(
      new RpcError(RPC.LOST, `the connection is closed (${description})`, { cause: error }),
      code === 1000,
    );
  }

  #close(code: number, reason: string, error: Error | undefined): void {
    if (this.#isOver) return;
    this.#closed = closeLink(this.#link, code, reason, wheelOf(this.#environment));
    this.#end(error ?? new RpcError(RPC.LOST, 'the connection is closed'), error === undefined);
  }

  #end(error: Error, wasWanted: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#isOpen = false;
    this.#environment.clearTimeout(this.#lookTimer);
    this.#conversation.onEnd(error);
    this.#owner.onClosed(wasWanted ? undefined : error);
  }

  #look(): void {
    this.#bytesUntilLook = LOOK_AFTER_BYTES;
    this.#isCongested = this.#link.bufferedAmount > HIGH_WATER_MARK_BYTES;
    if (!this.#isCongested || this.#isOver) return;
    this.#lookTimer ??= this.#environment.setTimeout(() => {
      this.#lookTimer = undefined;
      this.onDrain();
    }, LOOK_EVERY_MS);
  }
}
