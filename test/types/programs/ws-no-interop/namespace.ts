// CommonJS form without esModuleInterop: the namespace import is the class.
import * as WebSocket from 'ws';
import { createWebSocketStream, WebSocket as Named, Server, WebSocketServer } from 'ws';

import required = require('ws');

const socket: WebSocket = new WebSocket('ws://127.0.0.1', 'chat', {
  perMessageDeflate: false,
} as WebSocket.ClientOptions);
socket.on('message', (data: WebSocket.Data) => console.log(data));
socket.on('message', (data: WebSocket.RawData, isBinary) => isBinary || data.toString());
export const sockets: WebSocket[] = [
  socket,
  new Named(null),
  new required(null),
  new WebSocket.WebSocket(null),
];
export const servers: WebSocket.Server[] = [
  new WebSocket.Server({ port: 0 }),
  new Server(),
  new WebSocketServer(),
];
createWebSocketStream(socket).end();
export class Sub extends WebSocket {
  id = 0;
}
new WebSocket.Server<typeof Sub>({ WebSocket: Sub }).on('connection', (sub, request) => [
  sub.id,
  request.url,
]);
export const open: boolean = socket.readyState === WebSocket.OPEN;
