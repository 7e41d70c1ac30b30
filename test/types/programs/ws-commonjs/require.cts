// CommonJS form: the class is the module, everything else hangs on it.
import http = require('node:http');
import WebSocket = require('ws');

const socket: WebSocket = new WebSocket('ws://127.0.0.1');
const again: WebSocket.WebSocket = new WebSocket.WebSocket('ws://127.0.0.1', {
  origin: '',
} as WebSocket.ClientOptions);
const server: WebSocket.Server = new WebSocket.Server({ port: 0 } satisfies WebSocket.ServerOptions);
const server2: WebSocket.WebSocketServer = new WebSocket.WebSocketServer({ noServer: true });
const both: [WebSocket.Server, WebSocket.WebSocketServer] = [server2, server];
const generic = new WebSocket.Server<typeof WebSocket.WebSocket, typeof http.IncomingMessage>();
const aliased: WebSocket = again;
const states: [0, 1, 2, 3] = [
  WebSocket.CONNECTING,
  WebSocket.WebSocket.OPEN,
  WebSocket.CLOSING,
  WebSocket.WebSocket.CLOSED,
];
const { WebSocket: Named, WebSocketServer, Server, createWebSocketStream } = WebSocket;
const named: InstanceType<typeof Named> = new Named(null);
const servers = [new WebSocketServer(), new Server()];
createWebSocketStream(named).end();
class Sub extends WebSocket.WebSocket {}
class SubServer extends WebSocket.Server<typeof Sub> {}
new SubServer({ WebSocket: Sub }).on('connection', function (sub: Sub) {
  sub.send(String(this.clients.size));
});
class Sub2 extends WebSocket {}
server.on('connection', (client: WebSocket, request: http.IncomingMessage) => client.send(request.url ?? ''));
server.on('connection', (client) => {
  const x: WebSocket = client;
  x.on('message', (data: WebSocket.RawData) => data.toString());
});
const types = {
  data: '' as WebSocket.Data,
  cert: '' as WebSocket.CertMeta,
  deflate: {} as WebSocket.PerMessageDeflateOptions,
  event: { type: 'open', target: socket } as WebSocket.Event,
  error: {} as WebSocket.ErrorEvent,
  close: {} as WebSocket.CloseEvent,
  message: {} as WebSocket.MessageEvent,
  map: {} as WebSocket.WebSocketEventMap,
  listener: {} as WebSocket.EventListenerOptions,
  address: server.address() as WebSocket.AddressInfo,
  verifySync: (() => true) as WebSocket.VerifyClientCallbackSync,
  verifyAsync: ((_info, callback) =>
    callback(true)) as WebSocket.VerifyClientCallbackAsync<http.IncomingMessage>,
  finish: ((request) => request.end()) as WebSocket.FinishRequestCallback,
};
export = { aliased, both, generic, servers, states, Sub2, types };
