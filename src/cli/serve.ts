// `hawser serve`: a server to try WebSocket against, and a page that shows each frame of a connection as the server
// sees it on the wire. Meant for one's own machine: it has no authentication.
import { readFileSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { WebSocket } from '../ws/websocket.js';
import { WebSocketServer } from '../ws/websocket-server.js';
import { type CommandSpec, EXIT, type ParsedArguments } from './arguments.js';
import { ConnectionRecorder } from './connection-recorder.js';
import { type Channel, isChannelName, Observatory } from './observatory.js';
import { isAllowedOrigin } from './origin-policy.js';
import { paletteFor } from './terminal.js';
import { WireTap } from './wire-tap.js';

export const serveCommand: CommandSpec = {
  name: 'serve',
  summary: 'Start a server to try WebSocket on, with a page that shows every frame on the wire.',
  operands: '',
  minOperands: 0,
  maxOperands: 0,
  options: {
    port: {
      short: 'p',
      value: 'PORT',
      help: 'the port to listen on; 0 takes any that is free (default 8787)',
    },
    host: { value: 'HOST', help: 'the name or address to listen on (default 127.0.0.1)' },
  },
  notes: `
What it serves:
  /            the page: connect, send, ping, close, and watch every frame
  /echo        a WebSocket that sends every message back
  /broadcast   a WebSocket that sends every message to all who are connected to it
  /observe     where the page receives its records

Both WebSockets take two parameters: ?deflate=off does without compression, and ?watch=NAME shows the connection
on every page that watches NAME:
  hawser connect 'ws://127.0.0.1:8787/echo?watch=me'

Pages of other sites may not connect (RFC 6455 §10.2); programs, which send no Origin header, may. There is no
authentication: think before you listen on more than 127.0.0.1. Ctrl+C closes every connection with 1001.

Exit code: 0 after Ctrl+C or SIGTERM, 1 when it cannot listen, 2 for bad arguments.`,
};

/** Runs the command until a signal ends it. @returns the exit code */
export async function serve(parsed: ParsedArguments): Promise<number> {
  const host = parsed.value('host') ?? '127.0.0.1';
  const port = parsed.integer('port', 0, 65535, 8787);
  const server = new DemoServer(host);
  try {
    await server.listen(port);
  } catch (error) {
    process.stderr.write(`hawser: ${explainListenError(error as NodeJS.ErrnoException, host, port)}\n`);
    return EXIT.FAILED;
  }
  process.stdout.write(formatBanner(server.url));
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  // A second signal finds no listener and ends the process at once.
  process.stdout.write('\nclosing\n');
  await server.close();
  return EXIT.OK;
}

function formatBanner(url: string): string {
  const { bold, dim } = paletteFor(process.stdout);
  const socketUrl = url.replace('http', 'ws');
  return `${bold(url)}   ${dim('the page that shows every frame')}
${socketUrl}echo
${socketUrl}broadcast
${dim('Ctrl+C ends it')}
`;
}

function explainListenError(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'EADDRINUSE') return `port ${port} of ${host} is in use; choose another with --port`;
  if (error.code === 'EACCES')
    return `not allowed to listen on port ${port} of ${host}; choose another with --port`;
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') {
    return `cannot listen on ${host}: it is not an address of this machine`;
  }
  return `cannot listen on ${host} port ${port}: ${error.message}`;
}

const CLOSE_GRACE_MS = 2000;
/** A peer that leaves this much unread holds up its own echo, and is cut off from the broadcast. */
const MAX_UNREAD_BYTES = 1024 * 1024;
const MAX_BROADCAST_UNREAD_BYTES = 16 * 1024 * 1024;
const MAX_REQUEST_BYTES = 4096;

type Endpoint = (socket: WebSocket) => void;

/** The server behind the command; it can be started and stopped within a process. */
export class DemoServer {
  readonly #host: string;
  readonly #http: Server;
  readonly #compressing = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  readonly #plain = new WebSocketServer({ noServer: true });
  readonly #observing = new WebSocketServer({ noServer: true, maxPayload: MAX_REQUEST_BYTES });
  readonly #observatory = new Observatory();
  readonly #listeners = new Set<WebSocket>();
  readonly #endpoints = new Map<string, Endpoint>([
    ['/echo', echo],
    ['/broadcast', (socket) => this.#joinBroadcast(socket)],
  ]);

  constructor(host: string) {
    this.#host = host;
    const page = readPage();
    this.#http = createServer((request, response) => servePage(page, this.#endpoints, request, response));
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

  /** Says goodbye with 1001, and waits for the peers' answers, but not long. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#http.close(resolve));
    const goodbye = { code: 1001, reason: 'the server is shutting down', timeoutMs: CLOSE_GRACE_MS };
    await Promise.all(
      [this.#compressing, this.#plain, this.#observing].map((server) => server.close(goodbye)),
    );
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
    const endpoint = this.#endpoints.get(pathname);
    if (pathname === '/observe') this.#observe(parameters.get('id') ?? '', request, socket, head);
    else if (endpoint !== undefined) this.#connect(endpoint, parameters, request, socket, head);
    else refuse(socket, 404, 'There is no WebSocket at this path.');
  }

  #connect(
    endpoint: Endpoint,
    parameters: URLSearchParams,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): void {
    const server = parameters.get('deflate') === 'off' ? this.#plain : this.#compressing;
    const name = parameters.get('watch');
    if (name === null) {
      server.handleUpgrade(request, socket, head, (webSocket) => start(webSocket, endpoint));
      return;
    }
    const channel = this.#channelFor(name, socket);
    if (channel === undefined) return;
    const connection = channel.addConnection();
    const recorder = new ConnectionRecorder(request, (record) => channel.publish(connection, record));
    // What came with the request head goes back into the socket, so that the tap sees it.
    if (head.length > 0) socket.unshift(head);
    const tap = new WireTap(socket, recorder);
    socket.once('close', () => channel.removeConnection(connection));
    server.handleUpgrade(request, tap, Buffer.alloc(0), (webSocket) => {
      channel.setEndpoint(connection, webSocket);
      start(webSocket, endpoint);
    });
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

  #joinBroadcast(socket: WebSocket): void {
    this.#listeners.add(socket);
    socket.on('close', () => this.#listeners.delete(socket));
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      const filter = (client: WebSocket): boolean => this.#listeners.has(client) && keepsUp(client);
      this.#compressing.broadcast(data, { binary: isBinary, filter });
      this.#plain.broadcast(data, { binary: isBinary, filter });
    });
  }
}

function keepsUp(listener: WebSocket): boolean {
  const isBehind = listener.bufferedAmount > MAX_BROADCAST_UNREAD_BYTES;
  if (isBehind) listener.terminate();
  return !isBehind;
}

function start(socket: WebSocket, endpoint: Endpoint): void {
  // A peer's fault ends its connection only; the observer sees the Close frame that says why.
  socket.on('error', ignore);
  endpoint(socket);
}

function ignore(): void {}

/** Sends every message back, and stops reading while its peer does not read. */
function echo(socket: WebSocket): void {
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    socket.send(data, { binary: isBinary }, () => {
      if (socket.isPaused && socket.bufferedAmount <= MAX_UNREAD_BYTES) socket.resume();
    });
    if (socket.bufferedAmount > MAX_UNREAD_BYTES) socket.pause();
  });
}

/** Path and query of a request target, whatever its form. */
function splitTarget(target: string): { pathname: string; parameters: URLSearchParams } {
  const [path = '/', query = ''] = target.split(/\?(.*)/s);
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

interface Asset {
  type: string;
  body: Buffer;
}

function readPage(): Map<string, Asset> {
  const read = (file: string, type: string): Asset => ({
    type: `${type}; charset=utf-8`,
    body: readFileSync(join(__dirname, 'page', file)),
  });
  return new Map([
    ['/', read('index.html', 'text/html')],
    ['/style.css', read('style.css', 'text/css')],
    ['/page.js', read('page.js', 'text/javascript')],
    ['/frame-log.js', read('frame-log.js', 'text/javascript')],
  ]);
}

const PAGE_HEADERS = {
  // The page runs its own script, talks to its own server, and appears in no frame of another page.
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
};

function servePage(
  page: Map<string, Asset>,
  endpoints: Map<string, Endpoint>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { pathname } = splitTarget(request.url ?? '/');
  const asset = page.get(pathname);
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (asset !== undefined && isRead) {
    response.writeHead(200, {
      ...PAGE_HEADERS,
      'Content-Type': asset.type,
      'Content-Length': asset.body.length,
    });
    response.end(request.method === 'HEAD' ? undefined : asset.body);
  } else if (asset !== undefined) {
    answer(response, 405, { Allow: 'GET, HEAD' }, 'Only GET and HEAD work here.');
  } else if (endpoints.has(pathname) || pathname === '/observe') {
    answer(
      response,
      426,
      { Upgrade: 'websocket', Connection: 'Upgrade' },
      'This is a WebSocket: connect with ws://',
    );
  } else {
    answer(response, 404, {}, 'Nothing is here; the page is at /');
  }
}

function answer(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  text: string,
): void {
  response.writeHead(status, { ...headers, 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}
