// The short way of an upgrade request into a server that listens for itself: read, parsed and answered without the stream
// machinery of `node:http`, which costs more than the handshake. Whatever is not plainly an upgrade in one piece (other
// requests, trickled or malformed heads, requests with a body) is handed to `node:http` as if nothing had happened.

import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { type HeadLimits, parseRawRequestHead } from '../wire/http-head.js';
import { handshakeFields, UpgradeRequest } from './upgrade-request.js';

/** As in `node:http`: 16 KiB, and as many fields as it keeps. */
const HEAD_LIMITS: HeadLimits = { maxHeadBytes: 16 * 1024, maxHeaderFields: 1000 };

const GET_INITIAL = 0x47;

type OnUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => void;
type OnConnection = (this: Server, socket: Socket) => void;

/**
 * Lets `onUpgrade` have upgrade requests directly.
 *
 * @param server has not accepted connections yet; an 'upgrade' listener that somebody adds later gets them instead
 * @returns a function that drops the connections which have said nothing yet
 */
export function takeUpgrades(server: Server, onUpgrade: OnUpgrade): () => void {
  // A client that connects and says nothing has as long as one that says it slowly.
  const silent = new Waiting(() => server.headersTimeout);
  const [toHttp] = server.listeners('connection') as [OnConnection];
  server.removeListener('connection', toHttp);

  function onFirstBytes(this: Socket, bytes: Buffer): void {
    this.removeListener('data', onFirstBytes);
    this.removeListener('error', destroyOnError);
    this.removeListener('close', forget);
    this.allowHalfOpen = true;
    silent.delete(this);
    // Nobody listens for data until the request is accepted, which may take its time.
    (this as { readableFlowing: boolean | null }).readableFlowing = null;
    const upgrade = server.listenerCount('upgrade') === 1 ? readUpgrade(this, bytes) : undefined;
    if (upgrade !== undefined) {
      onUpgrade(upgrade.request, this, upgrade.head);
      return;
    }
    this.unshift(bytes);
    toHttp.call(server, this);
  }

  function forget(this: Socket): void {
    silent.delete(this);
  }

  server.on('connection', (socket: Socket) => {
    silent.add(socket);
    // The sockets of an HTTP server stay half-open unless told otherwise: who leaves without a word is let go.
    socket.allowHalfOpen = false;
    socket.on('error', destroyOnError);
    socket.on('close', forget);
    socket.on('data', onFirstBytes);
  });
  return () => silent.destroyAll();
}

/** The request, when `bytes` start with a whole and faultless head that asks for a WebSocket. */
function readUpgrade(socket: Socket, bytes: Buffer): { request: UpgradeRequest; head: Buffer } | undefined {
  if (bytes[0] !== GET_INITIAL) return undefined;
  const head = parseRawRequestHead(bytes, HEAD_LIMITS, decodeLatin1);
  if (head === undefined || !head.ok) return undefined;
  const fields = handshakeFields(head.rawHeaders);
  const isUpgrade = fields.upgrade !== undefined && fields.connection !== undefined;
  const hasBody = fields['content-length'] !== undefined || fields['transfer-encoding'] !== undefined;
  if (!isUpgrade || hasBody) return undefined;
  return { request: new UpgradeRequest(socket, head, fields), head: bytes.subarray(head.headLength) };
}

function decodeLatin1(bytes: Uint8Array, start: number, end: number): string {
  return (bytes as Buffer).toString('latin1', start, end);
}

function destroyOnError(this: Socket): void {
  this.destroy();
}

/**
 * Sockets that have said nothing yet. One timer for all: at every tick those that were there at the tick before are
 * destroyed, so each has one to two timeouts, and costs no timer of its own.
 */
class Waiting {
  readonly #timeoutMs: () => number;
  #young = new Set<Socket>();
  #old = new Set<Socket>();
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: () => number) {
    this.#timeoutMs = timeoutMs;
  }

  add(socket: Socket): void {
    this.#young.add(socket);
    const ms = this.#timeoutMs();
    if (this.#timer === undefined && ms > 0) this.#timer = setTimeout(() => this.#tick(), ms).unref();
  }

  delete(socket: Socket): void {
    this.#young.delete(socket);
    this.#old.delete(socket);
  }

  destroyAll(): void {
    for (const socket of [...this.#young, ...this.#old]) socket.destroy();
  }

  #tick(): void {
    for (const socket of this.#old) socket.destroy();
    this.#old = this.#young;
    this.#young = new Set();
    this.#timer = undefined;
    const ms = this.#timeoutMs();
    if (this.#old.size > 0 && ms > 0) this.#timer = setTimeout(() => this.#tick(), ms).unref();
  }
}
