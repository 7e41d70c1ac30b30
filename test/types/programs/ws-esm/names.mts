// ESM form: a default export and names.
import type { ClientRequest, IncomingMessage } from 'node:http';
import * as namespace from 'ws';
import WebSocket, {
  type AddressInfo,
  type CertMeta,
  type ClientOptions,
  type CloseEvent,
  createWebSocketStream,
  type Data,
  type ErrorEvent,
  type Event,
  type EventListenerOptions,
  type FinishRequestCallback,
  type MessageEvent,
  WebSocket as Named,
  type PerMessageDeflateOptions,
  type RawData,
  type Server,
  type ServerOptions,
  type VerifyClientCallbackAsync,
  type VerifyClientCallbackSync,
  WebSocketServer,
} from 'ws';

export const sockets: WebSocket[] = [
  new WebSocket(null),
  new Named(null),
  new namespace.WebSocket(null),
  new namespace.default(null),
];
export const servers: Server[] = [new WebSocketServer(), new namespace.WebSocketServer()];
export const typed: WebSocketServer = new WebSocketServer<typeof Named, typeof IncomingMessage>();
export const states: [0, 1, 2, 3] = [
  WebSocket.CONNECTING,
  Named.OPEN,
  WebSocket.CLOSING,
  namespace.WebSocket.CLOSED,
];
createWebSocketStream(new Named(null)).end();
class Sub extends Named {}
class SubServer extends WebSocketServer<typeof Sub> {}
new SubServer({ WebSocket: Sub }).on('connection', function (sub: Sub) {
  sub.send(String(this.clients.size));
});
export const types: {
  data: Data | RawData | WebSocket.Data | WebSocket.RawData;
  cert: CertMeta;
  client: ClientOptions & WebSocket.ClientOptions;
  deflate: PerMessageDeflateOptions;
  event: Event;
  error: ErrorEvent;
  close: CloseEvent;
  message: MessageEvent;
  listener: EventListenerOptions;
  server: ServerOptions;
  sync: VerifyClientCallbackSync;
  async: VerifyClientCallbackAsync;
  finish: FinishRequestCallback;
  address: AddressInfo;
}[] = [];
export const late: Promise<WebSocket> = import('ws').then(({ default: WebSocket }) => new WebSocket(null));
export type Request = ClientRequest;
