// The model: the real classes of a client and its servers on a network of the model's, one scenario at a time. What the
// messages of it should become is known to the ledger.
import type { ClientSession } from '../../../src/agent/client-session.js';
import type { ServerSession } from '../../../src/agent/server-session.js';
import type { Session } from '../../../src/agent/session.js';
import type { SessionServer } from '../../../src/agent/session-server.js';
import { Clock } from './clock.js';
import { Consumer } from './consumer.js';
import { FakeNetwork, SIDES, type Side } from './fake-network.js';
import { FakeProcess } from './fake-process.js';
import { Ledger, type Life } from './ledger.js';
import { payloadOf } from './payload.js';
import { type Scenario, type Step, WINDOW_MS } from './scenario.js';
import { Servers } from './servers.js';
import { type Entry, violation } from './transcript.js';

/** What is tested: the classes of src/agent/, or those of a changed copy. */
export interface Implementation {
  ClientSession: typeof ClientSession;
  SessionServer: typeof SessionServer;
}

/** After the faults everything has to come right within so long; the longest delays are those of `OPTIONS`. */
const RECOVERY_MS = 60_000;
const OPTIONS = {
  connectTimeoutMs: 2000,
  backoff: { baseMs: 100, capMs: 2000, resetAfterMs: 1000 },
};
const PROBE = { do: 'send', kind: 'text', size: 0, key: 0, ttlMs: 0, count: 1 } as const;

export class Model {
  readonly #scenario: Scenario;
  readonly #clock = new Clock();
  readonly #network: FakeNetwork;
  readonly #ledger: Ledger;
  readonly #clientProcess: FakeProcess;
  readonly #client: ClientSession;
  readonly #servers: Servers;
  readonly #clientConsumer: Consumer;
  readonly #consumers = new Map<Life, Consumer>();
  readonly #flushes = new Set<{ session: Session; process: FakeProcess }>();
  /** Messages of both applications so far. */
  #sent = 0;
  #isClosed = false;
  #failure: unknown;

  constructor(scenario: Scenario, implementation: Implementation) {
    this.#scenario = scenario;
    const { seed, maxLatencyMs, clientHasPing, heartbeat, resend, client } = scenario;
    const dice = new FakeProcess(this.#clock, seed);
    const random = () => dice.random();
    this.#network = new FakeNetwork({ clock: this.#clock, random, maxLatencyMs, clientHasPing });
    this.#ledger = new Ledger(scenario);
    this.#servers = new Servers({
      scenario,
      SessionServer: implementation.SessionServer,
      clock: this.#clock,
      network: this.#network,
      ledger: this.#ledger,
      onSession: (session, process) => this.#guard(() => this.#onSession(session, process)),
    });
    this.#clientProcess = new FakeProcess(this.#clock, seed + 1);
    this.#client = new implementation.ClientSession(
      'ws://model/',
      { ...OPTIONS, heartbeat, resend, queue: client.queue, acknowledge: client.acknowledge },
      (request) => this.#network.connect(this.#clientProcess, request),
      this.#clientProcess,
    );
    this.#listenToClient();
    this.#clientConsumer = new Consumer(this.#client, client, {
      onMessage: (data, number) => this.#guard(() => this.#ledger.onClientMessage(data, number)),
      onAcknowledged: () => this.#ledger.present?.down.acknowledge(),
    });
  }

  /** @throws when the session does not keep a promise */
  async run(): Promise<void> {
    for (const step of this.#scenario.steps) await this.#take(step);
    const { ending } = this.#scenario;
    if (ending === 'settled') await this.#recover();
    await this.#endClient(ending);
    await this.#endServers();
  }

  async #take(step: Step): Promise<void> {
    const { connections } = this.#network;
    const connection = 'age' in step ? connections.at(-1 - step.age) : undefined;
    switch (step.do) {
      case 'send':
        for (let i = 0; i < step.count; i++) this.#send(step);
        break;
      case 'flush':
        this.#flush(step.side);
        break;
      case 'wait':
        await this.#advance(step.ms);
        break;
      case 'damage':
        if (connection) this.#network.damage(connection, step.fault);
        break;
      case 'stall':
      case 'congest':
        if (connection) this.#network[step.do](connection, step.side, step.ms);
        break;
      case 'admit':
        this.#network.admission = step.admission;
        break;
      case 'block':
        this.#network.block(step.side === 'client' ? this.#clientProcess : this.#servers.process, step.ms);
        break;
      case 'hold':
        this.#consumerOf(step.side)?.hold(step.isHeld);
        break;
      case 'acknowledge':
        this.#consumerOf(step.side)?.acknowledge();
        break;
      case 'restart':
        this.#servers.kill(step.downMs, step.isMachineGone);
        break;
      case 'drain':
        this.#servers.drain(step.deadlineMs, step.spreadMs, step.hasSuccessor);
    }
    await this.#advance(0);
  }

  /** The faults stop: everybody has to get everything, also what is sent now. */
  async #recover(): Promise<void> {
    this.#network.admission = 'open';
    const until = this.#clock.now + RECOVERY_MS;
    const lastOfSteps = this.#sent;
    for (;;) {
      const isSettled = this.#client.state === 'open' && this.#ledger.isComplete && !this.#servers.isDraining;
      if (isSettled && this.#ledger.isProvenSince(lastOfSteps)) break;
      if (this.#clock.now > until) violation(`stuck: the client is ${this.#describe()}`);
      if (isSettled) for (const side of SIDES) this.#send({ ...PROBE, side });
      for (let i = 0; i < 10; i++) await this.#goOn();
    }
    let isReady = false;
    this.#client.ready.then(() => {
      isReady = true;
    });
    await this.#advance(0);
    if (!isReady) violation('the client is open and not ready');
    for (const side of SIDES) this.#flush(side);
    for (let i = 0; i < 100 && this.#isFlushing; i++) await this.#goOn();
    if (this.#isFlushing) violation(`flush() is stuck: the client is ${this.#describe()}`);
    this.#ledger.checkLeft();
  }

  /** Both applications take everything, for a while. */
  async #goOn(): Promise<void> {
    this.#clientConsumer.goOn();
    for (const [{ process }, consumer] of this.#consumers) if (process.isAlive) consumer.goOn();
    await this.#advance(100);
  }

  async #endClient(ending: Scenario['ending']): Promise<void> {
    this.#ledger.isEnding = true;
    this.#network.isEnding = true;
    const { present } = this.#ledger;
    let isClosed = ending === 'terminate';
    if (ending === 'terminate') this.#client.terminate();
    else
      this.#client.close({ timeoutMs: 500 }).then(() => {
        isClosed = true;
      });
    await this.#advance(ending === 'settled' ? 1000 : 3 * WINDOW_MS.mortal);
    this.#clientConsumer.hold(false);
    await this.#advance(0);
    const { state } = this.#client;
    if (!isClosed || !this.#isClosed || state !== 'closed')
      violation(`the client does not close: it is ${state}`);
    if (this.#clientConsumer.isLooping) violation('the loop over messages does not end');
    if (ending !== 'settled' && this.#scenario.isMortal) this.#servers.checkExpired();
    if (ending === 'settled' && present?.isOver !== true) violation('the server has not heard of the end');
  }

  /** Nothing may be left. */
  async #endServers(): Promise<void> {
    this.#servers.close();
    await this.#advance(40_000);
    this.#servers.checkClosed();
    const timers = this.#clientProcess.pendingTimers;
    if (timers > 0) violation(`${timers} timers of the client are left`);
    if (this.#network.openEnds > 0) violation(`${this.#network.openEnds} ends of connections are left`);
    const flushes = [...this.#flushes].filter(({ process }) => process.isAlive);
    if (flushes.length > 0) violation(`${flushes.length} calls of flush() were never settled`);
  }

  async #advance(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    const [unprovoked] = this.#network.unprovoked;
    if (unprovoked !== undefined) violation(`a healthy connection was ended by the ${unprovoked}`);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Whether calls of flush() wait. A session that the client does not know may keep them waiting until its end. */
  get #isFlushing(): boolean {
    const sessions: (Session | undefined)[] = [this.#client, this.#ledger.present?.session];
    return [...this.#flushes].some(({ session }) => sessions.includes(session));
  }

  #send(step: Step & { do: 'send' }): void {
    const session = step.side === 'client' ? this.#client : this.#ledger.current?.session;
    if (session === undefined) return;
    const { policy, ttlMs } = this.#scenario[step.side].queue;
    const isKept = policy === 'block' && ttlMs === undefined && step.ttlMs === 0 && !this.#scenario.isMortal;
    const data = payloadOf(step, ++this.#sent, isKept);
    const entry: Entry = { data, key: step.key, isWaiting: true };
    const down = this.#ledger.current?.down;
    const settle = (isAccepted: boolean) => {
      entry.isWaiting = false;
      if (isAccepted) return;
      // What waits may have gone from one session of the client to the next.
      (step.side === 'client' ? this.#ledger.up : down!).withdraw(entry);
    };
    (step.side === 'client' ? this.#ledger.up : down!).add(entry);
    session.send(data, { key: step.key, ...(step.ttlMs > 0 && { ttlMs: step.ttlMs }) }).then(
      () => settle(true),
      () => settle(false),
    );
  }

  /** However it ends, it has to. */
  #flush(side: Side): void {
    const { current } = this.#ledger;
    if (side === 'server' && current === undefined) return;
    const { session, process } =
      side === 'server' ? current! : { session: this.#client, process: this.#clientProcess };
    const flush = { session, process };
    const settle = () => this.#flushes.delete(flush);
    this.#flushes.add(flush);
    session.flush().then(settle, settle);
  }

  #listenToClient(): void {
    const client = this.#client;
    client.on('open', () => this.#guard(() => this.#ledger.open(client)));
    client.on('sessionlost', (lost) => this.#guard(() => this.#ledger.onLost(lost)));
    client.on('drop', ({ reason, data }) => this.#guard(() => this.#ledger.up.drop(reason, data)));
    client.on('close', (end) => {
      this.#isClosed = true;
      this.#guard(() => this.#ledger.onClientClosed(end));
    });
  }

  #onSession(session: ServerSession, process: FakeProcess): void {
    const life = this.#ledger.begin(session, process);
    const consumer = new Consumer(session, this.#scenario.server, {
      onMessage: (data, number) => this.#guard(() => this.#ledger.onServerMessage(life, data, number)),
      onAcknowledged: () => life.up?.acknowledge(),
    });
    this.#consumers.set(life, consumer);
    session.on('drop', ({ reason, data }) => this.#guard(() => life.down.drop(reason, data)));
    session.on('close', (end) => this.#guard(() => this.#ledger.onServerSessionClosed(life, end)));
  }

  #consumerOf(side: Side): Consumer | undefined {
    return side === 'client' ? this.#clientConsumer : this.#consumers.get(this.#ledger.current!);
  }

  #describe(): string {
    return `${this.#client.state}, ${this.#ledger.description}`;
  }

  /** Listeners must not throw into the session: the model throws later. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (failure) {
      this.#failure ??= failure;
    }
  }
}
