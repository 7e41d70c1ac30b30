// Programs add their own members to the types.
import { type ClientOptions, type ServerOptions, WebSocketServer } from 'ws';

declare module 'ws' {
  interface WebSocketServer {
    startedAt: number;
  }
}

const started = new WebSocketServer() as WebSocketServer;
started.startedAt = 1;
export const client: ClientOptions = { origin: '' };
export const server: ServerOptions = { port: 0 };
