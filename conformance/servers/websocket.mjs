// An echo server on npm websocket. By default it takes 64 KiB in a frame and 1 MiB in a message; the suite sends 16 MiB.
// No `autoAcceptConnections`: with it a request that offers the subprotocol `a b` ends the process, because accept() throws.
import { createServer } from 'node:http';
import websocket from 'websocket';

const http = createServer((_request, response) => response.writeHead(404).end());
const server = new websocket.server({
  httpServer: http,
  maxReceivedFrameSize: 64 << 20,
  maxReceivedMessageSize: 64 << 20,
});
server.on('request', (request) => {
  const connection = request.accept();
  connection.on('error', () => {});
  connection.on('message', (message) => {
    if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
    else connection.sendBytes(message.binaryData);
  });
});
http.listen(0, '127.0.0.1', () => console.log(`ws://127.0.0.1:${http.address().port}/`));
