// Programs add their own members to the types.
import { type IncomingMessage } from 'node:http';
import { type ClientOptions, type ServerOptions, WebSocket, WebSocketServer } from 'ws';

declare module 'ws' {
  interface WebSocket {
    isAlive: boolean;
  }
  interface WebSocketServer {
    startedAt: number;
  }
  interface ClientOptions {
    traceId?: string;
  }
  interface ServerOptions {
    traceIds?: string[];
  }
}

const socket: WebSocket = new WebSocket(null) as WebSocket;
socket.isAlive = true;
export const client: ClientOptions = { traceId: 'x' };
export const server: ServerOptions = { traceIds: ['x'] };
const started = new WebSocketServer() as WebSocketServer;
started.startedAt = 1;
started.on('connection', (client: WebSocket, _request: IncomingMessage) => {
  client.isAlive = false;
});
