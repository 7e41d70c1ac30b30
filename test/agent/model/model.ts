// The model: the real classes of a client and a server on a network of the model's, one scenario at a time. It knows what the
// two applications have sent and what may be lost, and throws as soon as a session does not keep what it promises.
import type { IncomingMessage } from 'node:http';
import type { ClientSession } from '../../../src/agent/client-session.js';
import type { Data } from '../../../src/agent/link.js';
import type { ServerSession } from '../../../src/agent/server-session.js';
import type { Session } from '../../../src/agent/session.js';
import type { SessionServer } from '../../../src/agent/session-server.js';
import { Clock } from './clock.js';
import { Consumer } from './consumer.js';
import { FakeNetwork, SIDES, type Side } from './fake-network.js';
import { FakeProcess } from './fake-process.js';
import { payloadOf } from './payload.js';
import type { Scenario, Step } from './scenario.js';
import { type Entry, Transcript, violation } from './transcript.js';

/** What is tested: the classes of src/agent/, or those of a changed copy. */
export interface Implementation {
  ClientSession: typeof ClientSession;
  SessionServer: typeof SessionServer;
}

/** One session as the server knows it; the client may never have heard of it. */
interface Life {
  session: ServerSession;
  consumer: Consumer;
  /** What the server sends. */
  down: Transcript;
  /** What the client sends; undefined until it knows of the session. */
  up: Transcript | undefined;
  isOver: boolean;
}

/** After the faults everything has to come right within so long; the longest delays are those of `OPTIONS`. */
const RECOVERY_MS = 60_000;
const PROBE = { do: 'send', kind: 'text', size: 0, key: 0, ttlMs: 0 } as const;
const PRINCIPAL = 'somebody';
const REQUEST = {} as IncomingMessage;
const OPTIONS = {
  connectTimeoutMs: 2000,
  helloTimeoutMs: 2500,
  noHeartbeat: { intervalMs: 3_600_000, timeoutMs: 3_600_000 },
  backoff: { baseMs: 100, capMs: 2000, resetAfterMs: 1000 },
  windowMs: { mortal: 8000, immortal: 10_000_000 },
};

export class Model {
  readonly #scenario: Scenario;
  readonly #implementation: Implementation;
  readonly #clock = new Clock();
  readonly #random: FakeProcess;
  readonly #network: FakeNetwork;
  readonly #clientProcess: FakeProcess;
  #serverProcess!: FakeProcess;
  #server!: SessionServer;
  readonly #client: ClientSession;
  readonly #clientConsumer: Consumer;
  readonly #lives = new Map<string, Life>();
  /** The session that the server has heard of last. */
  #newest: Life | undefined;
  /** Sessions whose messages the client's application may still be given, oldest first. */
  readonly #reading: Life[] = [];
  #up: Transcript;
  /** Messages of both applications so far, and when the faults stopped. */
  #sent = 0;
  #lastOfSteps = 0;
  #isEnding = false;
  #isClosed = false;
  #failure: unknown;

  constructor(scenario: Scenario, implementation: Implementation) {
    this.#scenario = scenario;
    this.#implementation = implementation;
    const { seed, maxLatencyMs, clientHasPing, heartbeat, client } = scenario;
    this.#random = new FakeProcess(this.#clock, seed);
    this.#network = new FakeNetwork({
      clock: this.#clock,
      random: () => this.#random.random(),
      maxLatencyMs,
      clientHasPing,
    });
    this.#startServer();
    this.#clientProcess = new FakeProcess(this.#clock, seed + 1);
    this.#up = new Transcript('client to server');
    this.#client = new implementation.ClientSession(
      'ws://model/',
      {
        ...OPTIONS,
        heartbeat,
        queue: client.queue,
        acknowledge: client.acknowledge,
        resend: scenario.resend,
      },
      (request) => this.#network.connect(this.#clientProcess, request),
      this.#clientProcess,
    );
    this.#listenToClient();
    this.#clientConsumer = new Consumer(this.#client, client, (data, number) =>
      this.#guard(() => this.#onClientMessage(data, number)),
    );
  }

  /** @throws when the session does not keep a promise */
  async run(): Promise<void> {
    for (const step of this.#scenario.steps) await this.#take(step);
    await this.#recover();
    await this.#end();
  }

  async #take(step: Step): Promise<void> {
    const { connections } = this.#network;
    const connection = 'age' in step ? connections.at(-1 - step.age) : undefined;
    switch (step.do) {
      case 'send':
        for (let i = 0; i < step.count; i++) this.#send(step);
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
        this.#network.block(step.side === 'client' ? this.#clientProcess : this.#serverProcess, step.ms);
        break;
      case 'hold':
        this.#consumerOf(step.side)?.hold(step.isHeld);
        break;
      case 'acknowledge':
        this.#consumerOf(step.side)?.acknowledge();
        break;
      case 'restart':
        await this.#restart(step.downMs, step.isMachineGone);
    }
    await this.#advance(0);
  }

  /** The faults stop: everybody has to get everything, also what is sent now. */
  async #recover(): Promise<void> {
    this.#network.admission = 'open';
    this.#lastOfSteps = this.#sent;
    const until = this.#clock.now + RECOVERY_MS;
    while (!(this.#isSettled() && this.#isProven())) {
      if (this.#clock.now > until) violation(`stuck: ${this.#describe()}`);
      if (this.#isSettled()) for (const side of SIDES) this.#send({ ...PROBE, side, count: 1 });
      for (let i = 0; i < 10; i++) await this.#goOn();
    }
    let isFlushed = false;
    Promise.all([this.#client.flush(), this.#attached?.session.flush()]).then(() => {
      isFlushed = true;
    });
    for (let i = 0; i < 20 && !isFlushed; i++) await this.#goOn();
    if (!isFlushed) violation(`flush() is stuck: ${this.#describe()}`);
  }

  /** Both applications take everything, for a while. */
  async #goOn(): Promise<void> {
    for (const side of SIDES) {
      this.#consumerOf(side)?.hold(false);
      this.#consumerOf(side)?.acknowledge();
    }
    await this.#advance(100);
  }

  /** The client ends the session, then the server ends: nothing may be left. */
  async #end(): Promise<void> {
    const life = this.#attached!;
    this.#isEnding = true;
    this.#network.expectEnds();
    let isClosed = false;
    this.#client.close().then(() => {
      isClosed = true;
    });
    await this.#advance(1000);
    if (!isClosed || !this.#isClosed) violation('the client does not close');
    if (!life.isOver) violation('the server has not heard that the session is over');
    this.#server.close();
    await this.#advance(40_000);
    const { sessions } = this.#server;
    if (sessions.length > 0) violation(`${sessions.length} sessions are left`);
    const timers = this.#clientProcess.pendingTimers + this.#serverProcess.pendingTimers;
    if (timers > 0) violation(`${timers} timers are left`);
    if (this.#network.openEnds > 0) violation(`${this.#network.openEnds} ends of connections are left`);
  }

  async #advance(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    const [unprovoked] = this.#network.unprovoked;
    if (unprovoked !== undefined) violation(`a healthy connection was ended by the ${unprovoked}`);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #startServer(): void {
    const { seed, isMortal, heartbeat, isServerPatient, server: settings } = this.#scenario;
    const process = new FakeProcess(this.#clock, seed + 2 + this.#clock.now);
    this.#serverProcess = process;
    this.#server = new this.#implementation.SessionServer(
      {
        noServer: true,
        queue: settings.queue,
        acknowledge: settings.acknowledge,
        heartbeat: isServerPatient ? OPTIONS.noHeartbeat : heartbeat,
        helloTimeoutMs: OPTIONS.helloTimeoutMs,
        windowMs: isMortal ? OPTIONS.windowMs.mortal : OPTIONS.windowMs.immortal,
      },
      process,
    );
    this.#server.on('session', (session) => this.#guard(() => this.#onSession(session)));
    const server = this.#server;
    this.#network.listener = {
      process,
      accept: (link) => server.onLink(link, PRINCIPAL, REQUEST),
    };
  }

  async #restart(downMs: number, isMachineGone: boolean): Promise<void> {
    this.#network.listener = undefined;
    this.#network.kill(this.#serverProcess, isMachineGone);
    for (const life of this.#lives.values()) life.isOver = true;
    this.#newest = undefined;
    await this.#advance(downMs);
    this.#startServer();
  }

  #send(step: Step & { do: 'send' }): void {
    const life = this.#current;
    const isUp = step.side === 'client';
    if (!isUp && (life === undefined || life.isOver)) return;
    const session: Session = isUp ? this.#client : life!.session;
    const transcript = () => (isUp ? this.#up : life!.down);
    const { policy, ttlMs } = this.#scenario[step.side].queue;
    const isKept = policy === 'block' && ttlMs === undefined && step.ttlMs === 0 && !this.#scenario.isMortal;
    const data = payloadOf(step, ++this.#sent, isKept);
    const entry: Entry = { data, key: step.key, isWaiting: true };
    const settle = (isAccepted: boolean) => {
      entry.isWaiting = false;
      if (!isAccepted) transcript().withdraw(entry);
    };
    transcript().add(entry);
    session.send(data, { key: step.key, ...(step.ttlMs > 0 && { ttlMs: step.ttlMs }) }).then(
      () => settle(true),
      () => settle(false),
    );
  }

  #listenToClient(): void {
    const client = this.#client;
    client.on('open', () => {
      const life = this.#lives.get(client.id!)!;
      life.up = this.#up;
      this.#reading.push(life);
    });
    client.on('sessionlost', (lost) => this.#guard(() => this.#onLost(lost)));
    client.on('drop', ({ reason, data }) => this.#guard(() => this.#up.drop(reason, data)));
    client.on('close', ({ code, reason, unsent, unacked }) => {
      this.#isClosed = true;
      this.#guard(() => {
        this.#up.lose({ unsent, unacked });
        if (!this.#isEnding) violation(`the client has closed: ${code} ${reason}`);
        if (unsent.length + unacked.length > 0) violation('close() leaves messages behind');
      });
    });
  }

  #onSession(session: ServerSession): void {
    const down = new Transcript('server to client');
    const consumer = new Consumer(session, this.#scenario.server, (data, number) =>
      this.#guard(() => {
        if (life.up === undefined) violation('the client sent before it knew of the session');
        life.up.receive(data, number);
      }),
    );
    const life: Life = { session, consumer, down, up: undefined, isOver: false };
    this.#lives.set(session.id, life);
    this.#newest = life;
    session.on('drop', ({ reason, data }) => this.#guard(() => down.drop(reason, data)));
    session.on('close', ({ code, reason, unsent, unacked }) => {
      life.isOver = true;
      this.#guard(() => {
        down.lose({ unsent, unacked });
        if (!this.#scenario.isMortal && !this.#isEnding && life.up !== undefined)
          violation(`a session of the server has closed: ${code} ${reason}`);
      });
    });
  }

  #onClientMessage(data: string | Uint8Array, number: number | undefined): void {
    // What had come of a session that was lost is still read, before what comes of the next one.
    while (this.#reading.length > 1 && !this.#reading[0]!.down.expects(data)) this.#reading.shift();
    const life = this.#reading[0];
    if (life === undefined) violation('a message came before a session was open');
    life.down.receive(data, number);
  }

  #onLost(lost: { unsent: Data[]; unacked: Data[]; reason: string }): void {
    const former = this.#reading.at(-1);
    if (former?.isOver !== true) violation(`a session that the server has was lost: ${lost.reason}`);
    if (!this.#scenario.isMortal) violation(`the session was lost: ${lost.reason}`);
    const { unsent, unacked, waiting } = this.#up.lose(lost);
    this.#up = new Transcript('client to server');
    const { resend } = this.#scenario;
    // A key belongs to a message that may still be replaced.
    if (resend === 'all')
      for (const { data } of unacked) this.#up.add({ data, key: undefined, isWaiting: false });
    if (resend !== 'none') for (const entry of unsent) this.#up.add(entry);
    for (const entry of waiting) this.#up.add(entry);
  }

  /** The server's side of the session that the client has. */
  get #attached(): Life | undefined {
    return this.#client.id === undefined ? undefined : this.#lives.get(this.#client.id);
  }

  /** The session that the application of the server cares for: the client may not know it, and never come back to it. */
  get #current(): Life | undefined {
    return this.#attached?.isOver === false ? this.#attached : this.#newest;
  }

  #consumerOf(side: Side): Consumer | undefined {
    return side === 'client' ? this.#clientConsumer : this.#current?.consumer;
  }

  #isSettled(): boolean {
    const life = this.#attached;
    return (
      this.#client.state === 'open' &&
      life?.session.state === 'open' &&
      life.up === this.#up &&
      this.#up.isComplete &&
      life.down.isComplete
    );
  }

  /** Whether the connection works: something was sent and delivered after the last fault. */
  #isProven(): boolean {
    const isProbe = (data: Data | undefined) => Number.parseInt(`${data}`, 10) > this.#lastOfSteps;
    return isProbe(this.#up.last) && isProbe(this.#attached?.down.last);
  }

  #describe(): string {
    const life = this.#attached;
    const states = `the client is ${this.#client.state}, the server's session is ${life?.session.state}`;
    return [states, this.#up.description, life?.down.description].join('; ');
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
