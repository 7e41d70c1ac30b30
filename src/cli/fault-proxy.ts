// A TCP proxy that does to connections what bad networks do: delays, black holes, cuts at an exact byte. It knows nothing of
// WebSocket, so TLS passes through. For tests, by hand and in programs; `fault-schedule.ts` makes faults happen by the clock.
import { EventEmitter } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { FaultConnection } from './fault-connection.js';
import type { CutMode, Direction, Directions, Faults, Rules } from './fault-pipe.js';

/** Where the bytes of clients go. */
export interface ProxyTarget {
  /** By default 127.0.0.1. */
  host?: string;
  port: number;
}

export interface FaultProxyEvents {
  connection: [connection: FaultConnection];
  /** A connection was cut, and how. */
  cut: [connection: FaultConnection, how: CutMode];
  /** Both sockets of a connection are closed. */
  close: [connection: FaultConnection];
  /** A client was turned away. */
  refused: [];
  /** A black hole began or ended. */
  blackhole: [isOn: boolean, direction: Directions];
}

export interface ProxyStats {
  /** Accepted since `listen()`. */
  connections: number;
  /** Of these, not closed yet. */
  open: number;
  /** Cuts that the proxy made. */
  cut: number;
  refused: number;
  /** Bytes written to the target. */
  bytesIn: number;
  /** Bytes written to clients. */
  bytesOut: number;
}

/**
 * A proxy in front of a target. Faults and target can be changed at any time; a new target counts for new connections.
 *
 *     const proxy = new FaultProxy({ port: serverPort }, { latencyMs: 40 });
 *     await proxy.listen();
 *     proxy.cutAfter(1000, 'in', 'rst');
 *     const socket = new WebSocket(`ws://127.0.0.1:${proxy.address.port}/`);
 *     const [connection] = await once(proxy, 'cut');
 *     await proxy.close();
 */
export class FaultProxy extends EventEmitter<FaultProxyEvents> {
  /** Where new connections go. */
  target: ProxyTarget;
  readonly #server: Server;
  readonly #rules: Rules;
  readonly #connections = new Set<FaultConnection>();
  readonly #totals = { connections: 0, cut: 0, refused: 0, bytesIn: 0, bytesOut: 0 };
  #isRefusing = false;
  /** The order in force is for every connection, not only for the first that gets there. */
  #cutsEach = false;

  /** @param seed of the random numbers for the jitter */
  constructor(target: ProxyTarget, faults: Partial<Faults> = {}, seed = 1) {
    super();
    this.target = target;
    const none: Faults = {
      latencyMs: 0,
      jitterMs: 0,
      bytesPerSecond: Number.POSITIVE_INFINITY,
      chunkBytes: Number.POSITIVE_INFINITY,
      direction: 'both',
    };
    this.#rules = {
      faults: { ...none, ...faults },
      held: new Set(),
      cutOrder: undefined,
      random: randomNumbers(seed),
    };
    // Small writes must leave at once: what was forwarded before a reset has then arrived.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  /** To be changed in place: `proxy.faults.latencyMs = 40`. */
  get faults(): Faults {
    return this.#rules.faults;
  }

  /** Those that are not closed yet. */
  get connections(): ReadonlySet<FaultConnection> {
    return this.#connections;
  }

  /** Where clients connect to. Only while it listens. */
  get address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  /** @throws the error of `net.Server#listen` */
  listen(port = 0, host = '127.0.0.1'): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  stats(): ProxyStats {
    const stats = { ...this.#totals, open: this.#connections.size };
    for (const { bytesIn, bytesOut } of this.#connections) {
      stats.bytesIn += bytesIn;
      stats.bytesOut += bytesOut;
    }
    return stats;
  }

  /** Cuts every connection that is open. */
  cutAll(how: CutMode = 'rst'): void {
    for (const connection of [...this.#connections]) connection.cut(how);
  }

  /**
   * Cuts a connection when exactly so many bytes of a direction (of either, with `both`) were forwarded since it was opened, at
   * once if it is past that: by default only the first connection that gets there, `each` every one. Replaces the order before.
   *
   * The bytes have been handed to the operating system by then. On one machine a peer that reads gets all of them, and no
   * more; one that does not read may lose some to a reset, as on any network.
   */
  cutAfter(
    bytes: number,
    direction: Directions,
    how: CutMode = 'rst',
    which: 'first' | 'each' = 'first',
  ): void {
    this.#rules.cutOrder = { bytes, direction, how };
    this.#cutsEach = which === 'each';
    this.#wakeAll();
  }

  /**
   * While it is on nothing passes in that direction, no end of a connection either, and nobody is told. What was sent waits, in
   * the proxy and then at its sender, and goes on when it is off again, as TCP would have sent it again: a black hole delays.
   * What a connection loses, it loses when it is cut.
   */
  blackhole(isOn: boolean, direction: Directions = 'both'): void {
    const directions: Direction[] = direction === 'both' ? ['in', 'out'] : [direction];
    for (const each of directions) {
      if (isOn) this.#rules.held.add(each);
      else this.#rules.held.delete(each);
    }
    this.emit('blackhole', isOn, direction);
    this.#wakeAll();
  }

  /** While it is on new connections are reset as soon as they are accepted; the port stays ours. */
  refuse(isOn: boolean): void {
    this.#isRefusing = isOn;
  }

  /** Stops listening and ends every connection. Resolves when nothing is left. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    const connections = [...this.#connections];
    for (const connection of connections) connection.destroy();
    await Promise.all(connections.map((connection) => connection.closed));
    await closed;
  }

  #accept(client: Socket): void {
    if (this.#isRefusing) {
      this.#totals.refused++;
      client.resetAndDestroy();
      this.emit('refused');
      return;
    }
    const { host = '127.0.0.1', port } = this.target;
    const connection = new FaultConnection({
      number: ++this.#totals.connections,
      client,
      target: connect({ host, port, allowHalfOpen: true, noDelay: true }),
      rules: this.#rules,
      onCutDue: (due) => this.#cutByOrder(due),
      onCut: (cut, how) => {
        this.#totals.cut++;
        this.emit('cut', cut, how);
      },
      onClose: (closed) => this.#forget(closed),
    });
    this.#connections.add(connection);
    this.emit('connection', connection);
    // The order may be for 0 bytes.
    connection.wake();
  }

  #cutByOrder(connection: FaultConnection): void {
    const { how } = this.#rules.cutOrder!;
    if (!this.#cutsEach) this.#rules.cutOrder = undefined;
    connection.cut(how);
  }

  #forget(connection: FaultConnection): void {
    this.#connections.delete(connection);
    this.#totals.bytesIn += connection.bytesIn;
    this.#totals.bytesOut += connection.bytesOut;
    this.emit('close', connection);
  }

  #wakeAll(): void {
    for (const connection of [...this.#connections]) connection.wake();
  }
}

/** Numbers from 0 to below 1, the same for the same seed: xorshift with 32 bits (Marsaglia, 2003). */
function randomNumbers(seed: number): () => number {
  // Small seeds would begin with small numbers, and 0 would stay 0.
  let state = Math.imul(seed + 1, 0x9e3779b1) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
