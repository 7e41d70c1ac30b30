// A server: every option, method and event, alone and on servers of the user's.
import {
  createServer,
  type Server as HttpServer,
  type IncomingHttpHeaders,
  IncomingMessage,
  ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import WebSocket, {
  type AddressInfo,
  createWebSocketStream,
  type Server,
  type ServerOptions,
  type VerifyClientCallbackAsync,
  type VerifyClientCallbackSync,
  WebSocketServer,
} from 'ws';

const sync: VerifyClientCallbackSync = ({ origin, secure, req }) => secure && origin === req.headers.host;
const async: VerifyClientCallbackAsync = (info, callback) => {
  if (info.secure) callback(true);
  else if (info.origin) callback(false, 401);
  else if (info.req.url) callback(false, 401, 'Unauthorized');
  else
    callback(false, 401, 'Unauthorized', {
      'WWW-Authenticate': 'Basic',
      'X-List': ['a', 'b'],
      'X-Number': 1,
    });
};
const options: ServerOptions = {
  host: '127.0.0.1',
  port: 0,
  backlog: 10,
  server: createServer(),
  verifyClient: sync,
  handleProtocols: (protocols, request) =>
    request.url === '/' ? false : (protocols.values().next().value ?? false),
  path: '/chat',
  noServer: false,
  allowSynchronousEvents: true,
  autoPong: true,
  clientTracking: false,
  perMessageDeflate: { threshold: 10 },
  maxPayload: 10,
  maxBufferedChunks: 10,
  maxFragments: 10,
  skipUTF8Validation: false,
  WebSocket,
};
options.verifyClient = async;
options.perMessageDeflate = true;
export const nothing: ServerOptions = {
  host: undefined,
  port: undefined,
  server: undefined,
  WebSocket: undefined,
};

export const servers = [
  new WebSocketServer(),
  new WebSocketServer(options),
  new WebSocketServer({ port: 0 }, () => {}),
  new WebSocketServer({ server: createServer({ keepAlive: true }) }),
  new WebSocketServer({ server: createSecureServer({ key: '', cert: '' }), path: '/' }),
  new WebSocketServer({
    noServer: true,
    verifyClient: (info: { secure: boolean }, cb: (ok: boolean, code?: number) => void) =>
      cb(info.secure, 403),
  }),
  new WebSocketServer({ noServer: true, verifyClient: (info: { origin: string }) => info.origin.length > 0 }),
];

const server = new WebSocketServer({ port: 0 });
export const asServer: Server = server;
export const asWebSocketServer: WebSocketServer = server;
server.options.perMessageDeflate = false;
server.options.handleProtocols = (protocols) => [...protocols][0] ?? false;
server.path = '/elsewhere';
export const clients: Set<WebSocket> = server.clients;
for (const client of server.clients) if (client.readyState === WebSocket.OPEN) client.send('to all');
for (const client of server.clients) client.terminate();

const address = server.address();
if (address !== null && typeof address !== 'string') address.port.toFixed();
export const port: number = (server.address() as AddressInfo).port;
export const family: string = (address as WebSocket.AddressInfo).family + (address as AddressInfo).address;

server.close();
server.close((error) => {
  const reported: Error | undefined = error;
  throw reported;
});
declare function done(error?: Error): void;
server.close(done);
server.close(undefined);
export const closing: Promise<void> = promisify(server.close.bind(server))();
export const closing2: Promise<void> = new Promise((resolve, reject) => {
  server.close((error) => (error ? reject(error) : resolve()));
});
type CloseArguments = Parameters<WebSocketServer['close']>;
export const closeArguments: CloseArguments = [done];

const http: HttpServer = createServer((_request: IncomingMessage, response: ServerResponse) =>
  response.end(),
);
http.on('upgrade', (request, socket, head) => {
  if (server.shouldHandle(request) === false) return socket.destroy();
  server.handleUpgrade(request, socket, head, (client, { url }) => {
    client.send(url ?? '');
    server.emit('connection', client, request, { user: 'x' });
  });
});
http.on('upgrade', function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer) {
  server.handleUpgrade(request, socket, head, function complete(client: WebSocket): void {
    client.ping();
  });
});
server.shouldHandle = (request) => request.url === '/';

const onConnection = (client: WebSocket, request: IncomingMessage): void => client.send(request.url ?? '');
for (const listen of ['on', 'once', 'off', 'addListener', 'removeListener'] as const) {
  server[listen]('connection', onConnection);
  server[listen]('any event', (...everything: unknown[]) => everything.length);
}
server
  .on('connection', (client, request) => {
    const headers: IncomingHttpHeaders = request.headers;
    client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }));
    client.send(headers.host ?? '');
  })
  .on('error', (error) => error.message)
  .on('headers', (headers, request) => headers.push(`X-Url: ${request.url}`))
  .on('close', () => {})
  .on('listening', () => {})
  .on('wsClientError', (error, socket, request) => socket.end(error.message + request.url))
  .on('custom', (anything) => anything)
  .on(Symbol('custom'), () => {});
server.once('connection', function () {
  this.close();
});
server.on('connection', function connection(client) {
  client.send(String(this.clients.size));
});

interface Client extends WebSocket {
  isAlive: boolean;
}
function markAlive(this: WebSocket): void {
  (this as Client).isAlive = true;
}
server.on('connection', (client: Client, request) => {
  client.isAlive = request.url !== undefined;
  client.on('pong', markAlive);
  client.on('pong', () => {
    client.isAlive = true;
  });
});
server.on(
  'connection',
  async (client: WebSocket & { id: string }, _request: IncomingMessage, user: { name: string }) => {
    client.id = user.name;
  },
);
for (const client of server.clients as Set<Client>) client.isAlive = false;
server.clients.forEach((client) => {
  client.ping(() => {});
});

export const duplex: Duplex = createWebSocketStream(new WebSocket(null));
duplex.pipe(createWebSocketStream(new WebSocket(null), { encoding: 'utf8', readableObjectMode: true }));
