// CommonJS form through `import`, as with esModuleInterop: default, names, namespace.

import type * as types from 'ws';
import type { ClientOptions, WebSocket as NamedType } from 'ws';
import * as namespace from 'ws';
import WebSocket, { WebSocket as Named, Server, WebSocketServer } from 'ws';

export const sockets: WebSocket[] = [
  new WebSocket(null),
  new Named(null),
  new namespace.WebSocket(null),
  new namespace.default(null),
  new WebSocket.WebSocket(null),
];
export const servers: WebSocket.Server[] = [
  new Server(),
  new WebSocketServer(),
  new WebSocket.Server(),
  new WebSocket.WebSocketServer(),
  new namespace.Server(),
  new namespace.WebSocketServer(),
];
export const named: NamedType = new WebSocket(null);
export const options: [ClientOptions, types.ClientOptions, namespace.ClientOptions] = [{}, {}, {}];
type Imported = import('ws').WebSocket;
export const imported: Imported = new WebSocket(null);
class Sub extends Named {}
export const sub = new WebSocketServer<typeof Sub>({ WebSocket: Sub });
