// Peers that are no WebSocket endpoints at all, or stop being ones: they hang, flood, speak something else. What a server
// of this kind does is all in what it does with a socket; as clients they do it after, or in place of, their request.

import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { findHeadEnd } from '../../../src/wire/http-head.js';
import type { Role } from './peer.js';
import type { EchoServer } from './peer-opening.js';

export interface Unruly {
  name: string;
  /** Begins after the opening handshake, not in its place. */
  isAfterHandshake: boolean;
  misbehave(socket: Socket): void;
  /** What the finding has to speak of. */
  says: Record<Role, RegExp>;
}

const FLOOD_BYTES = 16 * 1024;

/** Writes the same bytes as long as the other end takes them. */
function flood(socket: Socket, bytes: Uint8Array): void {
  const more = (): void => {
    while (socket.writable && socket.write(bytes)) {
      // The socket's own buffer ends it.
    }
  };
  socket.on('drain', more);
  more();
}

/** Frames one behind the other, of the one role or the other. */
function frames(first: number, role: Role): Uint8Array {
  const frame = role === 'server' ? [first, 2, 0x68, 0x69] : [first, 0x82, 0, 0, 0, 0, 0x68, 0x69];
  return Buffer.concat(Array<Uint8Array>(FLOOD_BYTES / frame.length).fill(Uint8Array.from(frame)));
}

export const UNRULY: readonly Unruly[] = [
  {
    name: 'hangs in place of the handshake',
    isAfterHandshake: false,
    misbehave: () => {},
    says: { server: /No HTTP response|nothing complete|neither answered/, client: /./ },
  },
];

export async function startUnrulyServer(unruly: Unruly): Promise<EchoServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    if (!unruly.isAfterHandshake) {
      socket.resume();
      return unruly.misbehave(socket);
    }
    afterHead(socket, (head) => {
      const key = /sec-websocket-key: *(\S+)/i.exec(head)?.[1] ?? '';
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      unruly.misbehave(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
