// Peers that are no WebSocket endpoints, or stop being ones: they hang, flood, reset, speak something else. What makes
// one of them is what it does with its socket, in place of the opening handshake or behind it.

import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { findHeadEnd } from '../../../src/wire/http-head.js';
import type { Role } from './peer.js';
import type { EchoServer } from './peer-opening.js';

export interface Unruly {
  name: string;
  roles: readonly Role[];
  /** A client always sends its request: without one no case begins. */
  begins: 'in place of the handshake' | 'behind the handshake';
  misbehave(socket: Socket, role: Role): void;
  /** What every finding of a case that needs an echo says of it. */
  says: RegExp;
}

const FLOOD_BYTES = 16 * 1024;
const BOTH: readonly Role[] = ['server', 'client'];

/** Writes the same bytes as long as the other end takes them. */
function flood(socket: Socket, bytes: Uint8Array): void {
  const more = (): void => {
    if (!socket.writable) return;
    if (socket.write(bytes)) setImmediate(more);
    else socket.once('drain', more);
  };
  more();
}

/** Many copies of a frame of two bytes, masked by a client. */
function frames(firstByte: number, role: Role): Uint8Array {
  const frame = role === 'server' ? [firstByte, 2, 0x68, 0x69] : [firstByte, 0x82, 0, 0, 0, 0, 0x68, 0x69];
  return Buffer.concat(Array<Uint8Array>(FLOOD_BYTES / frame.length).fill(Uint8Array.from(frame)));
}

export const UNRULY: readonly Unruly[] = [
  {
    name: 'hangs',
    roles: ['server'],
    begins: 'in place of the handshake',
    misbehave: () => {},
    says: /nothing complete came within|neither answered nor ended TCP/,
  },
  {
    name: 'ends TCP at once',
    roles: ['server'],
    begins: 'in place of the handshake',
    misbehave: (socket) => socket.end(),
    says: /ended TCP/,
  },
  {
    name: 'resets TCP at once',
    roles: ['server'],
    begins: 'in place of the handshake',
    misbehave: (socket) => socket.resetAndDestroy(),
    says: /ended TCP|No connection|reset/,
  },
  {
    name: 'answers 200 with a page',
    roles: ['server'],
    begins: 'in place of the handshake',
    misbehave: (socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nHello\n'));
    },
    says: /200/,
  },
  {
    name: 'speaks another protocol',
    roles: ['server'],
    begins: 'in place of the handshake',
    misbehave: (socket) => socket.end('220 mail.example ESMTP\r\n\r\n'),
    says: /not (?:an )?HTTP/,
  },
  {
    name: 'floods with letters',
    roles: ['server'],
    begins: 'in place of the handshake',
    misbehave: (socket) => flood(socket, Buffer.alloc(FLOOD_BYTES, 'flood ')),
    says: /No HTTP response|not (?:an )?HTTP/,
  },
  {
    name: 'hangs',
    roles: BOTH,
    begins: 'behind the handshake',
    misbehave: () => {},
    says: /no message|nothing|No echo|never|No Pong|0 of|no Close frame/i,
  },
  {
    name: 'ends TCP at once',
    roles: BOTH,
    begins: 'behind the handshake',
    misbehave: (socket) => socket.end(),
    says: /TCP was ended by the peer|ended TCP/,
  },
  {
    name: 'resets TCP',
    roles: BOTH,
    begins: 'behind the handshake',
    misbehave: (socket) => socket.resetAndDestroy(),
    says: /TCP was reset|ended TCP|TCP was ended by the peer/,
  },
  {
    name: 'sends bytes that are no frames',
    roles: BOTH,
    begins: 'behind the handshake',
    misbehave: (socket) => socket.write(Buffer.alloc(300, 0xff)),
    says: /broke a rule|announces/,
  },
  {
    name: 'floods with texts',
    roles: BOTH,
    begins: 'behind the handshake',
    misbehave: (socket, role) => flood(socket, frames(0x81, role)),
    says: /text \(|No Pong came/,
  },
  {
    name: 'floods with Pings',
    roles: BOTH,
    begins: 'behind the handshake',
    misbehave: (socket, role) => flood(socket, frames(0x89, role)),
    says: /./,
  },
  {
    name: 'floods with one message that never ends',
    roles: BOTH,
    begins: 'behind the handshake',
    misbehave: (socket, role) => {
      socket.write(frames(0x02, role).subarray(0, role === 'server' ? 4 : 8));
      flood(socket, frames(0x00, role));
    },
    says: /./,
  },
  {
    name: 'floods with bytes that are no frames',
    roles: BOTH,
    begins: 'behind the handshake',
    misbehave: (socket) => flood(socket, Buffer.alloc(FLOOD_BYTES, 0xff)),
    says: /broke a rule|announces/,
  },
];

export async function startUnrulyServer(unruly: Unruly): Promise<EchoServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    if (unruly.begins === 'in place of the handshake') {
      unruly.misbehave(socket, 'server');
      return void socket.resume();
    }
    afterHead(socket, (head) => {
      const key = /sec-websocket-key: *(\S+)/i.exec(head)?.[1] ?? '';
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      const fields = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}`;
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n\r\n`, () =>
        unruly.misbehave(socket, 'server'),
      );
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

/** Comes for one case. Resolves when the judge has ended the connection. */
export function runUnrulyClient(url: URL, unruly: Unruly): Promise<void> {
  const socket = connect(Number(url.port), url.hostname);
  socket.on('error', () => socket.destroy());
  const fields = `Host: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13`;
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
  socket.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\n${fields}\r\n${key}\r\n\r\n`);
  afterHead(socket, () => unruly.misbehave(socket, 'client'));
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

/** Reads a head; what comes after it is thrown away. */
function afterHead(socket: Socket, onHead: (head: string) => void): void {
  let received: Uint8Array = new Uint8Array(0);
  const onData = (bytes: Uint8Array): void => {
    received = Buffer.concat([received, bytes]);
    if (findHeadEnd(received) === -1) return;
    socket.off('data', onData);
    socket.resume();
    onHead(Buffer.from(received).toString('latin1'));
  };
  socket.on('data', onData);
}
