// One block of memory into which all TCP sockets of the process read, one after the other. As a stream, a socket gets 64 KiB
// of new memory for every read and wraps what came in objects; a server that echoes 64 KiB messages spends more than
// half of its time on that. `net.connect({ onread })` avoids it for sockets that one opens oneself. For those that a
// server has accepted there is no public way, so this file does to them what that option does, where a probe shows
// that Node.js works as known. TLS sockets decrypt into the same block. Anywhere else, and with any other stream, 'data' events bring the bytes as ever.

import { Socket, type SocketConstructorOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { hasSimd, vectorReadBlock } from '../wire/mask-simd.js';

/** Four times what a stream reads at once: large messages come in fewer pieces, and it still fits a processor's cache. */
const BLOCK_BYTES = 256 * 1024;

/** Called with each read; the bytes are good until it returns. False stops reading from the socket. */
export type OnRead = (this: Socket, length: number, block: Uint8Array) => boolean;

/** A socket as the option `onread` leaves it, and the native object below. */
type ReadableSocket = Socket & {
  [hook: symbol]: unknown;
  _handle?: { useUserBuffer?: (block: Uint8Array) => void } | null;
};

/** Under which properties of a socket Node.js keeps the parts of `onread`. */
interface Hooks {
  block: symbol;
  callback: symbol;
}

let hooks: Hooks | null | undefined;
let block: Uint8Array | undefined;

/** Finds the properties by what the constructor puts there; `null` where it does something else. */
function findHooks(): Hooks | null {
  const buffer = new Uint8Array(1);
  const callback = (): boolean => true;
  const probe = new Socket({ onread: { buffer, callback } } as SocketConstructorOpts) as ReadableSocket;
  const plain = new Socket() as ReadableSocket;
  const keyOf = (value: unknown): symbol | undefined =>
    Object.getOwnPropertySymbols(probe).find((key) => probe[key] === value && plain[key] === null);
  const found = { block: keyOf(buffer), callback: keyOf(callback) };
  return found.block !== undefined && found.callback !== undefined ? (found as Hooks) : null;
}

/** Where vector instructions reach what was read, if there are any. */
function makeBlock(): Buffer {
  if (!hasSimd()) return Buffer.allocUnsafeSlow(BLOCK_BYTES);
  const { buffer, byteOffset, length } = vectorReadBlock();
  return Buffer.from(buffer, byteOffset, length);
}

/**
 * Has a socket read into the shared block from now on.
 *
 * @param socket flowing, with nothing in its buffer
 * @returns false where that is not to be had; then nothing has changed
 */
export function readIntoSharedBlock(socket: Duplex, onRead: OnRead): boolean {
  const target = socket as ReadableSocket;
  const kind: unknown = socket.constructor;
  // What else is derived from them may read in its own way. TLS over a stream in memory could be handed bytes in the middle
  // of another socket's read, for which the block is in use.
  const isKnown = kind === Socket || (kind === TLSSocket && target.remoteAddress !== undefined);
  if (!isKnown) return false;
  const handle = target._handle;
  if (typeof handle?.useUserBuffer !== 'function') return false;
  if (hooks === undefined) hooks = findHooks();
  if (hooks === null) return false;
  block ??= makeBlock();
  target[hooks.block] = block;
  target[hooks.callback] = onRead;
  handle.useUserBuffer(block);
  return true;
}
