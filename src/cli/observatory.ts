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

/** The server's end of a connection. Those that belong to a session only end: what they carry is the session's affair. */
export type Endpoint = Pick<WebSocket, 'terminate'> & Partial<Pick<WebSocket, 'ping' | 'close'>>;

/** What an observer may ask for. */
interface Request {
  request: 'ping' | 'close' | 'terminate';
  /** Of the connections that are meant; all of them, where it is left out. */
  path?: unknown;
  payload?: unknown;
  code?: unknown;
  reason?: unknown;
}

export class Channel {
  readonly #onEmpty: () => void;
  readonly #observers = new Set<Observer>();
  readonly #connections = new Map<number, { path: string; endpoint: Endpoint | undefined }>();
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
  addConnection(path: string): number {
    this.#connectionsSeen += 1;
    this.#connections.set(this.#connectionsSeen, { path, endpoint: undefined });
    return this.#connectionsSeen;
  }

  /** Hands over the endpoint of a connection, so that observers can make it send. */
  setEndpoint(connection: number, endpoint: Endpoint): void {
    const known = this.#connections.get(connection);
    if (known !== undefined) known.endpoint = endpoint;
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
    const endpoints = [...this.#connections.values()]
      .filter(({ path }) => message.path === undefined || message.path === path)
      .flatMap(({ endpoint }) => endpoint ?? []);
    if (endpoints.length === 0) return 'no connection is open under this name';
    try {
      for (const endpoint of endpoints) order(endpoint, message);
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

function order(endpoint: Endpoint, { request, payload, code, reason }: Request): void {
  if (request === 'terminate') endpoint.terminate();
  else if (request !== 'ping' && request !== 'close')
    throw new Error('not understood: a request is ping, close or terminate');
  else if (endpoint.ping === undefined || endpoint.close === undefined)
    throw new Error('the connection of a session can only be terminated');
  else if (request === 'ping') endpoint.ping(typeof payload === 'string' ? payload : '');
  else if (code === undefined) endpoint.close();
  else endpoint.close(Number(code), typeof reason === 'string' ? reason : '');
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
