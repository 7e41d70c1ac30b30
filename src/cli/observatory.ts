// Who watches which connection. A connection that was opened with `?watch=NAME` and the observers of that name meet in
// a channel; the channel keeps a bounded record of what was seen, so that a late observer sees the handshake too.
import { describeCloseCode, isSendableCloseCode } from '../wire/close-code.js';
import type { WebSocket } from '../ws/websocket.js';
import type { WireRecord } from './connection-recorder.js';

const MAX_CHANNELS = 32;
const MAX_MEMBERS = 16;
const MAX_BACKLOG_RECORDS = 500;
const MAX_BACKLOG_LENGTH = 1024 * 1024;
/** An observer that has this much unread misses records, and is told so. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** Names that a person can type and a URL can carry. */
export function isChannelName(name: string): boolean {
  return /^[\w.~-]{1,64}$/.test(name);
}

export class Observatory {
  readonly #channels = new Map<string, Channel>();

  /** @returns the channel of that name, made when needed, or `undefined` when there are too many */
  channel(name: string): Channel | undefined {
    const existing = this.#channels.get(name);
    if (existing !== undefined) return existing;
    if (this.#channels.size >= MAX_CHANNELS) return undefined;
    const channel: Channel = new Channel(() => {
      if (this.#channels.get(name) === channel) this.#channels.delete(name);
    });
    this.#channels.set(name, channel);
    return channel;
  }
}

/** What an observer may ask for. */
interface Request {
  request: 'ping' | 'close' | 'terminate';
  payload?: unknown;
  code?: unknown;
  reason?: unknown;
}

export class Channel {
  readonly #onEmpty: () => void;
  readonly #observers = new Set<Observer>();
  readonly #connections = new Map<number, WebSocket | undefined>();
  #connectionsSeen = 0;
  readonly #backlog: string[] = [];
  #backlogLength = 0;
  #forgotten = 0;

  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty;
  }

  get isFull(): boolean {
    return this.#observers.size + this.#connections.size >= MAX_MEMBERS;
  }

  /** Adds a connection that is about to open. @returns its number in this channel */
  addConnection(): number {
    this.#connectionsSeen += 1;
    this.#connections.set(this.#connectionsSeen, undefined);
    return this.#connectionsSeen;
  }

  /** Hands over the endpoint of a connection, so that observers can make it send. */
  setEndpoint(connection: number, socket: WebSocket): void {
    this.#connections.set(connection, socket);
  }

  removeConnection(connection: number): void {
    this.#connections.delete(connection);
    this.releaseIfEmpty();
  }

  addObserver(socket: WebSocket): void {
    const observer = new Observer(socket);
    this.#observers.add(observer);
    observer.send(JSON.stringify({ type: 'hello', closeCodes: CLOSE_CODES }));
    if (this.#forgotten > 0) observer.send(JSON.stringify({ type: 'dropped', count: this.#forgotten }));
    for (const line of this.#backlog) observer.send(line);
    socket.on('message', (data) => {
      const answer = this.#serve(data.toString());
      if (answer !== undefined) observer.send(JSON.stringify({ type: 'notice', text: answer }));
    });
    socket.on('close', () => {
      this.#observers.delete(observer);
      this.releaseIfEmpty();
    });
  }

  /** Tells every observer, now and later, what happened on a connection. */
  publish(connection: number, record: WireRecord): void {
    const at = performance.timeOrigin + performance.now();
    const line = JSON.stringify({ connection, at, ...record });
    this.#backlog.push(line);
    this.#backlogLength += line.length;
    while (this.#backlog.length > MAX_BACKLOG_RECORDS || this.#backlogLength > MAX_BACKLOG_LENGTH) {
      this.#backlogLength -= this.#backlog.shift()!.length;
      this.#forgotten += 1;
    }
    for (const observer of this.#observers) observer.send(line);
  }

  /** Does what an observer asks. @returns what to tell the observer, if anything */
  #serve(text: string): string | undefined {
    let message: Request;
    try {
      message = (JSON.parse(text) ?? {}) as Request;
    } catch {
      return 'not understood: the request is not JSON';
    }
    const endpoints = [...this.#connections.values()].filter((socket) => socket !== undefined);
    if (endpoints.length === 0) return 'no connection is open under this name';
    try {
      for (const socket of endpoints) order(socket, message);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Forgets the channel when nobody is in it. */
  releaseIfEmpty(): void {
    if (this.#observers.size === 0 && this.#connections.size === 0) this.#onEmpty();
  }
}

function order(socket: WebSocket, { request, payload, code, reason }: Request): void {
  if (request === 'ping') socket.ping(typeof payload === 'string' ? payload : '');
  else if (request === 'terminate') socket.terminate();
  else if (request === 'close' && code === undefined) socket.close();
  else if (request === 'close') socket.close(Number(code), typeof reason === 'string' ? reason : '');
  else throw new Error('not understood: a request is ping, close or terminate');
}

/** One watching WebSocket, with a bound on what waits for it. */
class Observer {
  readonly #socket: WebSocket;
  #dropped = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  send(line: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.#dropped += 1;
      return;
    }
    this.#tellDropped();
    this.#socket.send(line, () => {
      if (this.#socket.bufferedAmount === 0) this.#tellDropped();
    });
  }

  #tellDropped(): void {
    if (this.#dropped === 0 || this.#socket.readyState !== this.#socket.OPEN) return;
    const count = this.#dropped;
    this.#dropped = 0;
    this.#socket.send(JSON.stringify({ type: 'dropped', count }));
  }
}

// 3000 and 4000 stand for their ranges (§7.4.2).
const CLOSE_CODES = [...Array.from({ length: 16 }, (_, index) => 1000 + index), 3000, 4000].map((code) => ({
  code,
  isSendable: isSendableCloseCode(code),
  ...describeCloseCode(code),
}));
