// A WebSocket peer made by hand over node:net, so that tests can say and see the exact bytes: a client that asks a
// server, and a server that answers clients. It performs no rule of the protocol by itself.
import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { FrameCollector, type FrameFields, serializeFrame, type WireFrame } from './frames.js';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const CLIENT_KEY = Buffer.from([0x11, 0x22, 0x33, 0x44]);
const END_OF_HEAD = '\r\n\r\n';

export function acceptFor(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/** The request line or status line, and the header lines, of an HTTP message. */
export interface Head {
  text: string;
  startLine: string;
  /** Raw header lines, in order. */
  lines: string[];
  /** By lower-case name; the last line wins. */
  headers: Record<string, string>;
}

export function parseHead(text: string): Head {
  const [startLine = '', ...lines] = text.split('\r\n');
  const pairs = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { text, startLine, lines, headers: Object.fromEntries(pairs) };
}

/** One end of an established connection. */
export class RawPeer {
  /** Every frame that came so far. */
  readonly frames: WireFrame[] = [];
  /** Resolves when the other side has sent its FIN or the socket is closed. */
  readonly ended: Promise<void>;
  readonly closed: Promise<void>;
  #collector = new FrameCollector();
  #taken = 0;
  #isOver = false;
  #wake: (() => void) | undefined;

  constructor(
    readonly socket: Duplex,
    readonly head: Head,
    readonly isClient: boolean,
    early: Uint8Array,
  ) {
    const over = () => {
      this.#isOver = true;
      this.#wake?.();
    };
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    this.ended = Promise.race([
      new Promise<void>((resolve) => socket.once('end', () => resolve())),
      this.closed,
    ]);
    socket.on('error', over).on('end', over).on('close', over);
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#take(early);
  }

  /** Sends frames in one write; a client's are masked unless they say how. */
  send(...frames: FrameFields[]): void {
    const mask = this.isClient ? { maskingKey: CLIENT_KEY } : {};
    this.socket.write(Buffer.concat(frames.map((fields) => serializeFrame({ ...mask, ...fields }))));
  }

  /** The next frame that was not taken yet; rejects when the connection ends first. */
  async nextFrame(): Promise<WireFrame> {
    while (this.frames.length === this.#taken) {
      if (this.#isOver) throw new Error('the connection ended before another frame came');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.frames[this.#taken++]!;
  }

  async nextFrames(count: number): Promise<WireFrame[]> {
    const frames: WireFrame[] = [];
    while (frames.length < count) frames.push(await this.nextFrame());
    return frames;
  }

  #take(bytes: Uint8Array): void {
    this.frames.push(...this.#collector.push(bytes));
    this.#wake?.();
  }
}

const REQUEST_HEADERS = {
  Host: 'localhost',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
};

export interface RequestFields {
  method?: string;
  path?: string;
  version?: string;
  /** Replaces or adds; `undefined` leaves the header out. */
  headers?: Record<string, string | undefined>;
}

/** The bytes of an opening handshake, valid unless `fields` say otherwise. */
export function upgradeRequest({
  method = 'GET',
  path = '/',
  version = '1.1',
  headers,
}: RequestFields = {}): string {
  const lines = Object.entries({ ...REQUEST_HEADERS, ...headers })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/${version}\r\n${lines.join('')}\r\n`;
}

/** Opens a connection to a server under test, with its handshake. `after` is sent in the same write as the request. */
export async function connectRaw(
  port: number,
  fields: RequestFields = {},
  after: FrameFields[] = [],
): Promise<RawPeer> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const frames = after.map((frame) => serializeFrame({ maskingKey: CLIENT_KEY, ...frame }));
  socket.write(Buffer.concat([Buffer.from(upgradeRequest(fields)), ...frames]));
  const { head, rest } = await readHead(socket);
  if (!head.startLine.startsWith('HTTP/1.1 101')) throw new Error(`not upgraded: ${head.startLine}`);
  return new RawPeer(socket, head, true, rest);
}

/** Sends bytes and returns everything that comes back until the connection ends. */
export function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks).toString('latin1')));
    socket.on('error', reject);
    socket.write(bytes);
  });
}

/**
 * What a raw server does with a request: a string is sent as it is; undefined means a correct 101 response; null
 * leaves the request without an answer.
 */
export type Respond = (request: Head, socket: net.Socket) => string | Buffer | null | undefined;

/** A correct 101 response, with header lines replaced, added or (undefined) left out. */
export function acceptingResponse(request: Head, headers: Record<string, string | undefined> = {}): string {
  const lines = Object.entries({
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Accept': acceptFor(request.headers['sec-websocket-key'] ?? ''),
    ...headers,
  })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`;
}

/** A server for clients under test; `requests` and `peers` grow as they come. */
export class RawServer {
  readonly requests: Head[] = [];
  readonly sockets: net.Socket[] = [];
  #server: net.Server;
  #peers: RawPeer[] = [];
  #waiting: ((peer: RawPeer) => void)[] = [];

  private constructor(respond: Respond) {
    this.#server = net.createServer({ allowHalfOpen: true }, async (socket) => {
      this.sockets.push(socket);
      socket.on('error', () => {});
      const read = await readHead(socket).catch(() => undefined);
      if (read === undefined) return;
      this.requests.push(read.head);
      const response = respond(read.head, socket);
      if (response === null) {
        socket.resume();
        return;
      }
      socket.write(response ?? acceptingResponse(read.head), 'latin1');
      const peer = new RawPeer(socket, read.head, false, read.rest);
      const waiting = this.#waiting.shift();
      if (waiting) waiting(peer);
      else this.#peers.push(peer);
    });
  }

  /** Listens on a free port of 127.0.0.1, or on a path. */
  static async listen(respond: Respond = () => undefined, path?: string): Promise<RawServer> {
    const server = new RawServer(respond);
    await new Promise<void>((resolve) => {
      if (path === undefined) server.#server.listen(0, '127.0.0.1', resolve);
      else server.#server.listen(path, resolve);
    });
    return server;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** The peer of the next request that was answered. */
  nextPeer(): Promise<RawPeer> {
    const peer = this.#peers.shift();
    return peer ? Promise.resolve(peer) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** Fresh key for a handshake written by hand. */
export function handshakeKey(): string {
  return randomBytes(16).toString('base64');
}

function readHead(socket: net.Socket): Promise<{ head: Head; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf(END_OF_HEAD);
      if (end === -1) return;
      socket.off('data', onData).off('error', reject).off('end', onEnd);
      resolve({
        head: parseHead(bytes.toString('latin1', 0, end)),
        rest: bytes.subarray(end + END_OF_HEAD.length),
      });
    };
    const onEnd = () => reject(new Error('the connection ended before the head did'));
    socket.on('data', onData).on('error', reject).on('end', onEnd);
  });
}
