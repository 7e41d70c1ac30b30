// The server behind `hawser serve`: it takes each upgrade to its endpoint, and puts a tap between socket and endpoint
// where someone watches. What the endpoints do, and the page, are elsewhere.
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ServerSession, SessionServer } from '../agent/index.js';
import { serveMcp } from '../mcp/index.js';
import type { WebSocket } from '../ws/websocket.js';
import { WebSocketServer } from '../ws/websocket-server.js';
import { serveAgent } from './agent-endpoint.js';
import { tools } from './agent-tools/tools.js';
import { ConnectionRecorder } from './connection-recorder.js';
import { BroadcastGroup, echo, echoSession } from './endpoints.js';
import { McpToolServer } from './mcp-tool-server.js';
import { type Channel, type Endpoint, isChannelName, Observatory } from './observatory.js';
import { isAllowedOrigin } from './origin-policy.js';
import { readPage, servePage } from './page-files.js';
import { readVersion } from './version.js';
import { WireTap } from './wire-tap.js';

/** How long clients may take to answer when the server shuts down. */
const CLOSE_GRACE_MS = 2000;
/** An echo is there to be quick: level 1 takes less than half the time of zlib's default, 6. */
const FAST_DEFLATE = { zlibDeflateOptions: { level: 1, memLevel: 9 } };
/** As much as one message may have, so that there is always room for the echo of the one that was taken. */
const SESSION_QUEUE_BYTES = 16 * 2 ** 20;
/** What an observer asks for is short. */
const MAX_REQUEST_BYTES = 4096;

/** What a WebSocket is for. */
type Purpose = (socket: WebSocket) => void;

/** Who opens connections, and keeps what goes over them. */
interface UpgradeHandler {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): Promise<void>;
}

/** A connection before its handshake, tapped or not. */
interface Incoming {
  socket: Duplex;
  head: Buffer;
  /** Lets those who watch make it send. */
  setEndpoint(endpoint: Endpoint): void;
}

/** The server behind the command; it can be started and stopped within a process. */
export class DemoServer {
  readonly #host: string;
  readonly #closeGraceMs: number;
  readonly #http: Server;
  readonly #compressing = new WebSocketServer({ noServer: true, perMessageDeflate: FAST_DEFLATE });
  readonly #plain = new WebSocketServer({ noServer: true });
  readonly #observing = new WebSocketServer({ noServer: true, maxPayload: MAX_REQUEST_BYTES });
  readonly #observatory = new Observatory();
  readonly #group = new BroadcastGroup([this.#compressing, this.#plain]);
  readonly #purposes = new Map<string, Purpose>([
    ['/echo', echo],
    ['/broadcast', (socket) => this.#group.join(socket)],
  ]);
  readonly #handlers = new Map<string, UpgradeHandler>([
    ['/session', sessionServer(echoSession)],
    ['/agent', sessionServer(serveAgent)],
    ['/mcp', mcpServer()],
  ]);

  /** @param host the name or address to listen on */
  constructor(host: string, closeGraceMs = CLOSE_GRACE_MS) {
    this.#host = host;
    this.#closeGraceMs = closeGraceMs;
    const page = readPage();
    const paths = [...this.#purposes.keys(), ...this.#handlers.keys(), '/observe'];
    this.#http = createServer((request, response) => servePage(page, paths, request, response));
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** @throws the error of `net.Server#listen` */
  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen(port, this.#host, () => {
        this.#http.off('error', reject);
        resolve();
      });
    });
  }

  /** Where the page is. */
  get url(): string {
    const { port } = this.#http.address() as AddressInfo;
    const isEverywhere = this.#host === '0.0.0.0' || this.#host === '::';
    const name = isEverywhere ? 'localhost' : isIPv6(this.#host) ? `[${this.#host}]` : this.#host;
    return `http://${name}:${port}/`;
  }

  /** Says goodbye with 1001, to sessions with 1012, and waits for the peers' answers, but not long. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#http.close(resolve));
    const goodbye = { code: 1001, reason: 'the server is shutting down', timeoutMs: this.#closeGraceMs };
    await Promise.all([
      ...Array.from(this.#handlers.values(), (handler) => handler.close()),
      ...[this.#compressing, this.#plain, this.#observing].map((server) => server.close(goodbye)),
    ]);
    this.#http.closeAllConnections();
    await closed;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // From here on the socket is ours, and so are its errors.
    socket.on('error', () => socket.destroy());
    // [RFC6455-10.2-2] 403, before anything else is answered
    if (!isAllowedOrigin(request.headers.origin, request.headers.host, this.#host)) {
      refuse(socket, 403, 'The Origin header names another site.');
      return;
    }
    const { pathname, parameters } = splitTarget(request.url ?? '/');
    const purpose = this.#purposes.get(pathname);
    const handler = this.#handlers.get(pathname);
    if (pathname === '/observe') {
      this.#observe(parameters.get('id') ?? '', request, socket, head);
    } else if (purpose === undefined && handler === undefined) {
      refuse(socket, 404, 'There is no WebSocket at this path.');
    } else {
      const incoming = this.#tap(pathname, parameters, request, socket, head);
      if (incoming === undefined) return;
      if (handler !== undefined) handler.handleUpgrade(request, incoming.socket, incoming.head);
      else this.#connect(purpose!, parameters.get('deflate') !== 'off', request, incoming);
    }
  }

  #connect(purpose: Purpose, isCompressing: boolean, request: IncomingMessage, incoming: Incoming): void {
    const server = isCompressing ? this.#compressing : this.#plain;
    server.handleUpgrade(request, incoming.socket, incoming.head, (webSocket) => {
      incoming.setEndpoint(webSocket);
      // A peer's fault ends its connection only; the observer sees the Close frame that says why.
      webSocket.on('error', ignore);
      purpose(webSocket);
    });
  }

  /** Puts a tap on the connection where it is to be watched. @returns `undefined` when it was refused */
  #tap(
    path: string,
    parameters: URLSearchParams,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Incoming | undefined {
    const name = parameters.get('watch');
    if (name === null) return { socket, head, setEndpoint: ignore };
    const channel = this.#channelFor(name, socket);
    if (channel === undefined) return undefined;
    const connection = channel.addConnection(path);
    const recorder = new ConnectionRecorder(request, (record) => channel.publish(connection, record));
    // What came with the request head goes back into the socket, so that the tap sees it.
    if (head.length > 0) socket.unshift(head);
    const tap = new WireTap(socket, recorder);
    channel.setEndpoint(connection, { terminate: () => tap.destroy() });
    socket.once('close', () => channel.removeConnection(connection));
    return {
      socket: tap,
      head: Buffer.alloc(0),
      setEndpoint: (endpoint) => channel.setEndpoint(connection, endpoint),
    };
  }

  #observe(name: string, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const channel = this.#channelFor(name, socket);
    if (channel === undefined) return;
    // A handshake that fails leaves no channel behind.
    socket.once('close', () => channel.releaseIfEmpty());
    this.#observing.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', ignore);
      channel.addObserver(webSocket);
    });
  }

  #channelFor(name: string, socket: Duplex): Channel | undefined {
    if (!isChannelName(name)) {
      refuse(socket, 400, 'A name to watch is 1 to 64 letters, digits, or any of _ . ~ -');
      return undefined;
    }
    const channel = this.#observatory.channel(name);
    if (channel !== undefined && !channel.isFull) return channel;
    refuse(socket, 503, 'Too many connections are being watched.');
    return undefined;
  }
}

function sessionServer(purpose: (session: ServerSession) => void): SessionServer {
  const server = new SessionServer({ noServer: true, queue: { maxBytes: SESSION_QUEUE_BYTES } });
  server.on('session', purpose);
  return server;
}

function mcpServer(): UpgradeHandler {
  const info = { name: 'hawser serve', version: readVersion() };
  // Origins have been looked at by then.
  return serveMcp({ noServer: true, origins: ['*'], factory: () => new McpToolServer(tools, info) });
}

function ignore(): void {}

/** Path and query of a request target, which may be an absolute URI [RFC6455-4.2.1-2]. */
function splitTarget(target: string): { pathname: string; parameters: URLSearchParams } {
  const [path = '/', query = ''] = target.replace(/^\w+:\/\/[^/?]*/, '').split(/\?(.*)/s);
  return { pathname: path, parameters: new URLSearchParams(query) };
}

function refuse(socket: Duplex, status: number, reason: string): void {
  const body = `${reason}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
