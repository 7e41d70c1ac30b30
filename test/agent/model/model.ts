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

interface Call {
  name: 'send()' | 'flush()';
  session: Session;
  process: FakeProcess;
}

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
  /** What has not said yet what became of it. */
  readonly #calls = new Set<Call>();
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
      onMessage: (data) => this.#guard(() => this.#ledger.onClientMessage(data)),
      onWrongNumber: (number, expected) => this.#guard(() => wrongNumber(number, expected)),
      onAcknowledged: () => this.#ledger.onClientAcknowledged(),
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
        for (let i = 0; i < step.count; i++) {
          this.#send(step);
          // So that it is known what became of it.
          await this.#advance(0);
        }
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
    this.#checkBounds('client', this.#client);
    this.#checkBounds('server', this.#ledger.current?.session);
  }

  /** A message that is larger than all room goes alone. */
  #checkBounds(side: Side, session: Session | undefined): void {
    if (session === undefined) return;
    const { maxMessages, maxBytes } = this.#scenario[side].queue;
    const { unsent, unacked, queuedBytes } = session.stats();
    const messages = unsent + unacked;
    if (messages > maxMessages!) violation(`the ${side} holds ${messages} messages`);
    if (messages > 1 && queuedBytes > maxBytes!) violation(`the ${side} holds ${queuedBytes} bytes`);
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
    if (ending === 'terminate') {
      this.#client.terminate();
      // Only sessions that were left may still take their leave.
      if (!this.#scenario.isMortal) this.#checkClientLeavesNothing();
    } else {
      this.#client.close({ timeoutMs: 500 }).then(() => {
        isClosed = true;
      });
    }
    await this.#advance(ending === 'settled' ? 1000 : 3 * WINDOW_MS.mortal);
    this.#checkClientLeavesNothing();
    this.#clientConsumer.hold(false);
    await this.#advance(0);
    const { state } = this.#client;
    if (!isClosed || !this.#isClosed || state !== 'closed')
      violation(`the client does not close: it is ${state}`);
    if (this.#clientConsumer.isLooping) violation('the loop over messages does not end');
    if (ending !== 'settled' && this.#scenario.isMortal) this.#servers.checkExpired();
    if (ending === 'settled' && present?.isOver !== true) violation('the server has not heard of the end');
  }

  #checkClientLeavesNothing(): void {
    const timers = this.#clientProcess.pendingTimers;
    if (timers > 0) violation(`${timers} timers of the client are left`);
    const ends = this.#network.openEnds('client');
    if (ends > 0) violation(`${ends} connections of the client are left`);
  }

  /** Nothing may be left. */
  async #endServers(): Promise<void> {
    this.#servers.close();
    await this.#advance(40_000);
    this.#servers.checkClosed();
    const ends = this.#network.openEnds('server');
    if (ends > 0) violation(`${ends} connections of servers are left`);
    const [call] = [...this.#calls].filter(({ process }) => process.isAlive);
    if (call !== undefined) violation(`${call.name} was never settled`);
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
    return [...this.#calls].some(({ name, session }) => name === 'flush()' && sessions.includes(session));
  }

  #send(step: Step & { do: 'send' }): void {
    const { current } = this.#ledger;
    const isUp = step.side === 'client';
    if (!isUp && current === undefined) return;
    const { isMortal, ending } = this.#scenario;
    const { policy, ttlMs } = this.#scenario[step.side].queue;
    const isKept =
      policy === 'block' && (step.ttlMs || ttlMs || 0) === 0 && !isMortal && ending === 'settled';
    const data = payloadOf(step, ++this.#sent, isKept);
    const entry: Entry = { data, key: step.key, isWaiting: true };
    // What waits may go from one session of the client to the next.
    const transcript = () => (isUp ? this.#ledger.up : current!.down);
    transcript().add(entry);
    this.#call('send()', step.side, (session) =>
      session.send(data, { key: step.key, ...(step.ttlMs > 0 && { ttlMs: step.ttlMs }) }).then(
        () => {
          entry.isWaiting = false;
        },
        () => transcript().withdraw(entry),
      ),
    );
  }

  #flush(side: Side): void {
    if (side === 'server' && this.#ledger.current === undefined) return;
    this.#call('flush()', side, (session) => session.flush());
  }

  /** However it ends, it has to. */
  #call(name: Call['name'], side: Side, begin: (session: Session) => Promise<unknown>): void {
    const { current } = this.#ledger;
    const session = side === 'client' ? this.#client : current!.session;
    const process = side === 'client' ? this.#clientProcess : current!.process;
    const call = { name, session, process };
    const settle = () => this.#calls.delete(call);
    this.#calls.add(call);
    begin(session).then(settle, settle);
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
      onMessage: (data) => this.#guard(() => this.#ledger.onServerMessage(life, data)),
      onWrongNumber: (number, expected) => this.#guard(() => wrongNumber(number, expected)),
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

function wrongNumber(number: number, expected: number): never {
  violation(`message ${expected} came as number ${number}`);
}
