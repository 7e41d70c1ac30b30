// A connection through the fault proxy: the socket of the client, the socket to the target, and a pipe each way. Ends
// as they really happen are passed on: a FIN as a FIN, a reset as a reset.
import type { Socket } from 'node:net';
import { type CutMode, FaultPipe, type Rules } from './fault-pipe.js';

/** Who ended a connection first; `unreachable`: the target did not accept it. */
export type EndedBy = 'client' | 'target' | 'cut' | 'unreachable' | 'proxy';

export interface ConnectionOptions {
  number: number;
  client: Socket;
  /** Connecting still, or connected. */
  target: Socket;
  rules: Rules;
  /** The bytes of the cut order have passed. */
  onCutDue(connection: FaultConnection): void;
  onCut(connection: FaultConnection, how: CutMode): void;
  /** Both sockets are closed. */
  onClose(connection: FaultConnection): void;
}

export class FaultConnection {
  /** The first connection of a proxy is number 1. */
  readonly number: number;
  /** Of the client, such as `127.0.0.1:40000`. */
  readonly remoteAddress: string;
  /** Resolves when both sockets are closed. */
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #target: Socket;
  readonly #in: FaultPipe;
  readonly #out: FaultPipe;
  readonly #onCut: ConnectionOptions['onCut'];
  readonly #openedAt = performance.now();
  #endedBy: EndedBy | undefined;
  #cutMode: CutMode | undefined;

  constructor({ number, client, target, rules, onCutDue, onCut, onClose }: ConnectionOptions) {
    this.number = number;
    this.remoteAddress = `${client.remoteAddress}:${client.remotePort}`;
    this.#client = client;
    this.#target = target;
    this.#onCut = onCut;
    const shared = { rules, onCutDue: () => onCutDue(this) };
    this.#in = new FaultPipe({ source: client, sink: target, direction: 'in', ...shared });
    this.#out = new FaultPipe({ source: target, sink: client, direction: 'out', ...shared });
    const clientClosed = this.#follow(client, this.#in, 'client');
    const targetClosed = this.#follow(target, this.#out, 'target');
    this.closed = Promise.all([clientClosed, targetClosed]).then(() => {
      this.#in.stop();
      this.#out.stop();
      onClose(this);
    });
  }

  /** Bytes that were written to the target. */
  get bytesIn(): number {
    return this.#in.forwardedBytes;
  }

  /** Bytes that were written to the client. */
  get bytesOut(): number {
    return this.#out.forwardedBytes;
  }

  /** What waits in the proxy, both ways. */
  get queuedBytes(): number {
    return this.#in.queuedBytes + this.#out.queuedBytes;
  }

  /** Milliseconds since the client connected. */
  get ageMs(): number {
    return performance.now() - this.#openedAt;
  }

  /** `undefined` while nobody has. */
  get endedBy(): EndedBy | undefined {
    return this.#endedBy;
  }

  /** Ends the connection at both ends, or with `blackhole` at none. What waits in the proxy is lost. */
  cut(how: CutMode): void {
    if (this.#cutMode === how || (this.#client.destroyed && this.#target.destroyed)) return;
    this.#cutMode = how;
    this.#endedBy ??= 'cut';
    for (const pipe of [this.#in, this.#out]) {
      if (how === 'blackhole') pipe.lose();
      else pipe.stop();
    }
    for (const socket of [this.#client, this.#target]) {
      if (how === 'fin') socket.end();
      else if (how === 'rst') socket.resetAndDestroy();
    }
    this.#onCut(this, how);
  }

  /** To be called when the rules have changed. */
  wake(): void {
    this.#in.wake();
    this.#out.wake();
  }

  destroy(): void {
    this.#endedBy ??= 'proxy';
    this.#in.stop();
    this.#out.stop();
    this.#client.destroy();
    this.#target.destroy();
  }

  /** @param pipe the one that leads away from `socket` */
  #follow(socket: Socket, pipe: FaultPipe, side: 'client' | 'target'): Promise<void> {
    // Only the target's can be connecting.
    let isConnected = !socket.connecting;
    socket.once('connect', () => {
      isConnected = true;
    });
    // 'close' follows, and tells whether there was an error.
    socket.on('error', () => {});
    socket.on('end', () => {
      this.#endedBy ??= side;
      // Its peer has given up; the other one must not hear of it.
      if (this.#cutMode === 'blackhole') socket.destroy();
    });
    return new Promise((resolve) => {
      socket.once('close', (hadError) => {
        this.#endedBy ??= isConnected ? side : 'unreachable';
        if (hadError || !socket.readableEnded) pipe.reset();
        resolve();
      });
    });
  }
}
