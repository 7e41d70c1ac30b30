// CommonJS form with esModuleInterop: the namespace is no class any more, but programs go on using its name as a type.
import * as WebSocket from 'ws';

const server = new WebSocket.Server({ port: 0 });
const echo = (socket: WebSocket, data: WebSocket.RawData): void => socket.send(data);
server.on('connection', (socket: WebSocket) => {
  socket.on('message', (data: WebSocket.RawData) => echo(socket, data));
  WebSocket.createWebSocketStream(socket).end();
});
export const socket: WebSocket.WebSocket = new WebSocket.WebSocket('ws://127.0.0.1');
socket.on('open', () => WebSocket.createWebSocketStream(socket).end());
export const options: WebSocket.ServerOptions = { noServer: true, WebSocket: WebSocket.WebSocket };
