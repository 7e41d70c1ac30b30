// Subclasses of both classes, requests of a class of the user's, and code that is generic over them.
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import WebSocket, {
  type ClientOptions,
  type RawData,
  type Server,
  type ServerOptions,
  WebSocketServer,
} from 'ws';

class User extends WebSocket {
  override binaryType = 'arraybuffer' as const;
  name = 'nobody';
  isAlive?: boolean;

  constructor(address: any, protocols?: any, options?: ClientOptions) {
    super(address, protocols, options);
    this.on('message', this.#onMessage);
  }
  #onMessage(this: WebSocket, data: RawData): void {
    this.send(data);
  }
  override send(data: any, options?: any, cb?: any): void {
    super.send(data, options, cb);
  }
  override ping(data?: any, mask?: boolean, cb?: (err: Error) => void): void {
    super.ping(data, mask, cb);
  }
  override pong(data?: any, mask?: boolean, cb?: (err: Error) => void): void {
    super.pong(data, mask, cb);
  }
  override close(code?: number, data?: string | Buffer): void {
    super.close(code, data);
  }
  override terminate(): void {
    super.terminate();
  }
  override on(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this {
    return super.on(event, listener);
  }
}

class Plain extends WebSocket {
  override onopen = null;
  override readonly url = 'ws://127.0.0.1';
  override on(event: 'message', listener: (this: WebSocket, data: RawData, isBinary: boolean) => void): this;
  override on(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;
  override on(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this {
    return super.on(event, listener);
  }
}

class Request extends IncomingMessage {
  user?: string;
}

const server = new WebSocketServer<typeof User>({ noServer: true, WebSocket: User });
server.on('connection', (user, request) => [user.name.trim(), request.url]);
server.on('connection', (user: User) => user.isAlive);
for (const user of server.clients) user.name = 'somebody';
export const plain: Server = new WebSocketServer();
export const users: Server<typeof User> = server;
export const inferred = new WebSocketServer({ noServer: true, WebSocket: User });
inferred.clients.forEach((user) => user.name);

const both = new WebSocketServer<typeof Plain, typeof Request>({
  WebSocket: Plain,
  server: createServer<typeof Request>({ IncomingMessage: Request }),
  verifyClient: ({ req }: { req: Request }) => req.user === 'x',
  handleProtocols: (protocols, request) => request.user ?? [...protocols][0] ?? false,
});
both.on('connection', (client, request) => client.send(request.user ?? ''));
both.on('headers', (headers, request) => headers.push(request.user ?? ''));
both.on('wsClientError', (_error, socket, request) => socket.end(request.user));
export function upgrade(request: Request, socket: Duplex, head: Buffer): void {
  both.handleUpgrade(request, socket, head, (client, { user }) => both.emit('connection', client, user));
}
createServer({ IncomingMessage: Request, ServerResponse });
export const requestOptions: ServerOptions<typeof Plain, typeof Request> = both.options;

class Chat extends WebSocketServer {
  rooms = new Map<string, Set<WebSocket>>();
  constructor(options?: ServerOptions, callback?: () => void) {
    super({ clientTracking: false, ...options }, callback);
  }
  override close(cb?: (err?: Error) => void): void {
    this.rooms.clear();
    super.close(cb);
  }
  override shouldHandle(request: IncomingMessage): boolean {
    return super.shouldHandle(request) !== false && request.url !== '/';
  }
  override handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    upgradeHead: Buffer,
    callback: (client: WebSocket, request: IncomingMessage) => void,
  ): void {
    super.handleUpgrade(request, socket, upgradeHead, callback);
  }
  override address(): ReturnType<WebSocketServer['address']> {
    return super.address();
  }
}
export const chat: WebSocketServer = new Chat();

export function eachOpen<T extends typeof WebSocket>(
  server: Server<T>,
  visit: (client: InstanceType<T>) => void,
): void {
  server.clients.forEach(visit);
  server.on('connection', (client) => visit(client));
  server.on('connection', (client) => client.send('generic'));
}
export function connect<T extends WebSocket>(Class: new (address: string) => T): T {
  return new Class('ws://127.0.0.1');
}
export const connected: WebSocket = connect(WebSocket);
export type Factory = (url: string, options: ClientOptions) => InstanceType<typeof WebSocket>;
export const factory: Factory = (url, options) => new WebSocket(url, options);

// Structural use: a library that names only what it needs.
interface SocketLike {
  readonly readyState: number;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  onmessage: ((event: any) => void) | null;
  addEventListener(type: 'message', listener: (event: { data: any }) => void): void;
  on(event: string, listener: (...args: any[]) => void): unknown;
  ping(data?: any, mask?: boolean, cb?: (err: Error) => void): void;
}
export const like: SocketLike = new WebSocket('ws://127.0.0.1');
export type Narrow = Pick<WebSocket, 'send' | 'close' | 'on' | 'readyState' | 'ping'>;
export const narrow: Narrow = new User('ws://127.0.0.1');
interface Tagged extends WebSocket {
  tag: string;
  on(event: 'tagged', listener: (tag: string) => void): this;
  on(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;
}
export const tagged = Object.assign(new WebSocket(null), { tag: 'x' }) as Tagged;
tagged.on('tagged', (tag) => tag.trim());
interface TaggedOptions extends ClientOptions, Pick<ServerOptions, 'port' | 'path'> {
  tag: string;
}
export const taggedOptions: TaggedOptions = { tag: 'x', port: 1, origin: '' };
type EventNames = Parameters<WebSocket['addEventListener']>[0];
export const eventName: EventNames = 'open';
