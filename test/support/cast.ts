// The cast of a behaviour test: servers, clients and raw peers that are put away when the test ends.
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import type { Package } from '../behaviour/implementations.js';
import { next } from './events.js';
import type { FrameFields } from './frames.js';
import { connectRaw, type RawPeer, RawServer, type RequestFields, type Respond } from './raw-peer.js';

/** Both ends of a connection made by the implementation under test. */
export interface Pair {
  wss: Package;
  client: Package;
  /** The server's end. */
  server: Package;
  req: Package;
}

export type Cast = ReturnType<typeof cast>;

export function cast(WebSocket: Package) {
  const disposals: (() => unknown)[] = [];
  const atEnd = <T>(thing: T, dispose: (thing: T) => unknown): T => {
    disposals.push(() => dispose(thing));
    return thing;
  };
  const putAway = (socket: Package) => {
    socket.on('error', () => {});
    socket.terminate();
  };

  afterEach(async () => {
    for (const dispose of disposals.splice(0).reverse()) await dispose();
  });

  /** A WebSocketServer on a free port; it is listening. */
  async function server(options: object = {}): Promise<Package> {
    const wss = new WebSocket.WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
    wss.on('connection', (socket: Package) => atEnd(socket, putAway));
    atEnd(wss, () => wss.close());
    await next(wss, 'listening');
    return wss;
  }

  /** A client; in CONNECTING when this returns. */
  function client(...args: unknown[]): Package {
    return atEnd(new WebSocket(...args), putAway);
  }

  /** Both ends, open. */
  async function pair(serverOptions: object = {}, clientOptions: object = {}): Promise<Pair> {
    const wss = await server(serverOptions);
    const connection = next(wss, 'connection');
    const socket = client(urlOf(wss), clientOptions);
    await next(socket, 'open');
    const [serverEnd, req] = await connection;
    return { wss, client: socket, server: serverEnd, req };
  }

  /** The server's end under test, and a client made by hand. */
  async function rawClient(
    serverOptions: object = {},
    request: RequestFields = {},
    after: FrameFields[] = [],
  ) {
    const wss = await server(serverOptions);
    const connection = next(wss, 'connection');
    const peer = atEnd(await connectRaw(portOf(wss), request, after), ({ socket }) => socket.destroy());
    const [socket, req] = await connection;
    return { wss, socket: socket as Package, req: req as Package, peer };
  }

  async function rawServer(respond?: Respond, path?: string): Promise<RawServer> {
    return atEnd(await RawServer.listen(respond, path), (raw) => raw.close());
  }

  /** A client under test that is open, and a server made by hand. */
  async function rawPair(clientOptions: object = {}, respond?: Respond) {
    const raw = await rawServer(respond);
    const socket = client(raw.url, clientOptions);
    const [peer] = await Promise.all([raw.nextPeer(), next(socket, 'open')]);
    return { raw, socket, peer: peer as RawPeer };
  }

  /** One end under test against one made by hand, in either role. */
  async function against(
    role: 'client' | 'server',
    options: object = {},
  ): Promise<{ socket: Package; peer: RawPeer }> {
    return role === 'server' ? rawClient(options) : rawPair(options);
  }

  return { atEnd, server, client, pair, rawClient, rawServer, rawPair, against };
}

export const ROLES = ['client', 'server'] as const;

/** Ends TCP after the closing handshake as the RFC wants it, for a socket under test in `role`: the server first. */
export async function endTcp(role: string, peer: RawPeer): Promise<void> {
  if (role === 'server') await peer.ended;
  peer.socket.end();
}

export function portOf(wss: Package): number {
  return (wss.address() as AddressInfo).port;
}

export function urlOf(wss: Package, path = ''): string {
  return `ws://127.0.0.1:${portOf(wss)}${path}`;
}
