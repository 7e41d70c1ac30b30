// A RawConnection, and at the other end of it a plain socket in the hands of the test.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { RawConnection, type RawConnectionOptions } from '../../src/conform/raw-connection.js';
import { WireLog } from '../../src/conform/wire-log.js';

export interface TcpPair {
  connection: RawConnection;
  /** The socket that the connection holds. */
  own: Socket;
  /** The other end: half-open, and nothing is read from it yet. */
  peer: Socket;
}

const sockets = new Set<Socket>();
const servers = new Set<Server>();

/** To be called after each test. */
export async function endPairs(): Promise<void> {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await Promise.all([...servers].map((server) => new Promise((resolve) => server.close(resolve))));
  servers.clear();
}

/** Listens on a free port of 127.0.0.1; what connects is destroyed by {@link endPairs}. */
export async function listen(onSocket: (socket: Socket) => void): Promise<{ port: number; server: Server }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  servers.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, server };
}

export async function dialPlain(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  sockets.add(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

export async function tcpPair(options: RawConnectionOptions = {}): Promise<TcpPair> {
  let onPeer = (_socket: Socket): void => {};
  const accepted = new Promise<Socket>((resolve) => {
    onPeer = resolve;
  });
  const { port } = await listen((socket) => onPeer(socket));
  const own = await dialPlain(port);
  return { connection: new RawConnection(own, new WireLog(), options), own, peer: await accepted };
}

/** Everything that comes until the other end sends FIN or is gone. */
export async function readToEnd(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => parts.push(bytes));
  await new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
  return Buffer.concat(parts);
}

/** The first `count` bytes that come. */
export function readBytes(socket: Socket, count: number): Promise<Buffer> {
  let received: Buffer = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.length >= count) resolve(received);
    });
    socket.once('end', () => reject(new Error(`the connection ended after ${received.length} bytes`)));
  });
}
