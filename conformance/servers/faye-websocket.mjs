// An echo server on npm faye-websocket, which has permessage-deflate as a package of its own: it is not used here.
import { createServer } from 'node:http';
import WebSocket from 'faye-websocket';

const http = createServer((_request, response) => response.writeHead(404).end());
http.on('upgrade', (request, socket, body) => {
  if (!WebSocket.isWebSocket(request)) return void socket.destroy();
  const connection = new WebSocket(request, socket, body);
  connection.on('error', () => {});
  connection.on('message', ({ data }) => connection.send(data));
});
http.listen(0, '127.0.0.1', () => console.log(`ws://127.0.0.1:${http.address().port}/`));
