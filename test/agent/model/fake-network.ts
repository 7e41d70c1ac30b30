// The network of the model: connections between client processes and one server, and everything that goes wrong with them.
// A connection that had no fault is healthy, and nobody may end it without a reason; the model looks at `unprovoked`.
import type { ConnectRequest, Link, LinkEnd } from '../../../src/agent/link.js';
import type { Clock } from './clock.js';
import { FakeLink } from './fake-link.js';
import type { FakeProcess } from './fake-process.js';
import { Flow } from './flow.js';

/** What happens to a connection. Ends "learn" when their socket reports the end. */
export type Fault =
  /** Both ends learn; what was under way is lost. */
  | 'reset'
  /** Both ends learn, behind what was under way. */
  | 'fin'
  /** Only the client learns. */
  | 'client-learns'
  /** Only the server learns. */
  | 'server-learns'
  /** Neither end learns. */
  | 'black-hole'
  /** Only one direction works any more. */
  | 'deaf-server'
  | 'deaf-client';

/** How attempts to connect go. */
export type Admission =
  | 'open'
  /** Nobody listens: the attempt fails at once. */
  | 'refused'
  /** HTTP 503 with a Retry-After. */
  | 'unavailable'
  /** The SYN is lost: only the client's timeout ends it. */
  | 'silent'
  /** The answer to the upgrade takes seconds. */
  | 'slow'
  /** Once: the first message takes seconds, and may arrive when the client has long given up. */
  | 'late';

export type Side = 'client' | 'server';
export const SIDES = ['client', 'server'] as const;

interface Connection {
  readonly client: FakeLink;
  readonly server: FakeLink;
  isHealthy: boolean;
}

export interface Listener {
  process: FakeProcess;
  accept: (link: Link) => void;
  /** Whether it may turn connections away. */
  isLeaving?: boolean;
}

export interface NetworkOptions {
  clock: Clock;
  /** At least 0 and below 1. */
  random: () => number;
  /** Each message takes at least 1 ms and at most so long. */
  maxLatencyMs: number;
  /** False as where a browser is the client. */
  clientHasPing: boolean;
}

export class FakeNetwork {
  admission: Admission = 'open';
  listener: Listener | undefined;
  /** Set when the applications end everything. */
  isEnding = false;
  /** Ends of healthy connections that one end brought about, oldest first. */
  readonly unprovoked: string[] = [];
  readonly #options: NetworkOptions;
  readonly #connections = new Set<Connection>();

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** Connections with at least one end that is not ended. */
  get connections(): Connection[] {
    for (const connection of this.#connections) {
      if (connection.client.isEnded && connection.server.isEnded) this.#connections.delete(connection);
    }
    return [...this.#connections];
  }

  /** Ends that somebody holds. One that was never accepted belongs to nobody. */
  openEnds(side: Side): number {
    const ends = this.connections.map((connection) => connection[side]);
    return ends.filter(({ isEnded, isOpening }) => !isEnded && (side === 'client' || !isOpening)).length;
  }

  connect(client: FakeProcess, { timeoutMs }: ConnectRequest): Link {
    const admission = this.listener === undefined ? 'refused' : this.admission;
    if (admission === 'late') this.admission = 'open';
    const connection = this.#join(client, this.listener?.process ?? client);
    const { listener } = this;
    connection.isHealthy =
      admission === 'open' && !client.isBlocked && !listener?.process.isBlocked && !listener?.isLeaving;
    const failAfter = (ms: number, details: Partial<LinkEnd>): void => {
      this.#options.clock.after(ms, () => client.run(() => failOpening(connection, details)));
    };
    failAfter(timeoutMs, {});
    if (admission === 'refused') failAfter(this.#latencyMs(), {});
    else if (admission === 'unavailable') failAfter(this.#latencyMs(), { status: 503, retryAfterMs: 2000 });
    else if (admission !== 'silent') this.#upgrade(connection, admission, timeoutMs);
    return connection.client;
  }

  /** Damages a connection for good. */
  damage(connection: Connection, fault: Fault): void {
    connection.isHealthy = false;
    const { client, server } = connection;
    if (fault === 'reset' || fault === 'server-learns') client.flow.discard();
    if (fault === 'reset' || fault === 'client-learns') server.flow.discard();
    if (fault === 'fin') {
      client.flow.carry(() => this.#tell(server));
      server.flow.carry(() => this.#tell(client));
    }
    if (fault === 'reset' || fault === 'client-learns') this.#tell(client);
    if (fault === 'reset' || fault === 'server-learns') this.#tell(server);
    if (fault !== 'deaf-client') client.flow.stop();
    if (fault !== 'deaf-server') server.flow.stop();
  }

  /** What one end sends takes so long. */
  stall(connection: Connection, side: Side, ms: number): void {
    connection.isHealthy = false;
    connection[side].flow.stall(ms);
  }

  /** What one end sends stays in its buffer for so long. */
  congest(connection: Connection, side: Side, ms: number): void {
    connection.isHealthy = false;
    const link = connection[side];
    link.congest();
    this.#options.clock.after(ms, () => link.process.run(() => link.uncongest()));
  }

  /** Whatever process it is, its peers cannot expect answers in time. */
  block(process: FakeProcess, ms: number): void {
    for (const connection of this.connections) connection.isHealthy = false;
    process.block(ms);
  }

  /** A process dies. Its kernel tells the peers, unless the whole machine is gone. */
  kill(process: FakeProcess, isMachineGone: boolean): void {
    process.kill();
    for (const connection of this.connections) {
      connection.isHealthy = false;
      const [dead, peer] =
        connection.client.process === process
          ? [connection.client, connection.server]
          : [connection.server, connection.client];
      dead.abandon();
      if (!isMachineGone) dead.flow.carry(() => this.#tell(peer));
      dead.flow.stop();
    }
  }

  /** The connections that there are may be ended by either end. */
  expectEnds(): void {
    for (const connection of this.connections) connection.isHealthy = false;
  }

  #latencyMs(): number {
    return 1 + this.#options.random() * (this.#options.maxLatencyMs - 1);
  }

  #tell(link: FakeLink): void {
    this.#options.clock.after(this.#latencyMs(), () => link.process.run(() => link.end(BROKEN)));
  }

  #join(client: FakeProcess, server: FakeProcess): Connection {
    const { clock, clientHasPing } = this.#options;
    const end = (side: Side, process: FakeProcess, hasPing: boolean): FakeLink =>
      new FakeLink({
        process,
        hasPing,
        flow: new Flow(clock, () => this.#latencyMs()),
        onEndedHere: (how) => this.#onEnded(connection, side, how),
      });
    const connection: Connection = {
      client: end('client', client, clientHasPing),
      server: end('server', server, true),
      isHealthy: true,
    };
    FakeLink.join(connection.client, connection.server);
    this.#connections.add(connection);
    return connection;
  }

  #upgrade(connection: Connection, admission: Admission, timeoutMs: number): void {
    const { client, server } = connection;
    const { process, accept } = this.listener!;
    if (admission === 'slow') client.flow.stall(2 * timeoutMs * this.#options.random());
    client.flow.carry(() =>
      process.run(() => {
        server.open();
        accept(server);
        server.flow.carry(() =>
          client.process.run(() => {
            // Before the client says anything.
            if (admission === 'late') client.flow.stall(timeoutMs * (0.5 + 2 * this.#options.random()));
            client.open();
          }),
        );
      }),
    );
  }

  #onEnded(connection: Connection, side: Side, how: string): void {
    const other = side === 'client' ? connection.server : connection.client;
    if (connection.isHealthy && !other.isEnded && !this.isEnding) this.unprovoked.push(`${side}: ${how}`);
  }
}

const BROKEN = { code: 1006, reason: '' };

function failOpening({ client, server }: Connection, details: Partial<LinkEnd>): void {
  if (!client.isOpening) return;
  client.flow.carry(() => server.process.run(() => server.end(BROKEN)));
  client.end({ ...BROKEN, error: new Error('the opening handshake failed'), ...details });
}
