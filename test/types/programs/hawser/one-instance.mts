// A value that came through `require` has the same type as one that came through `import`.
import WebSocket, { Server, type WebSocketServer } from 'hawser';

import required = require('hawser');

export const there: required = new WebSocket(null);
export const back: WebSocket = new required(null);
export const server: required.Server = new Server();
export const serverBack: WebSocketServer = new required.WebSocketServer();
export const sameClass: typeof required = WebSocket;
export const statics: WebSocket.Server = new WebSocket.Server();
