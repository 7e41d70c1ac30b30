// The model: two peers over the real sessions, on a network and a clock of the session model's own. What each call must come to
// is known to its record.
import type { IncomingMessage } from 'node:http';
import { ClientSession } from '../../../../src/agent/client-session.js';
import { debug } from '../../../../src/agent/debug.js';
import type { Session } from '../../../../src/agent/session.js';
import { SessionServer } from '../../../../src/agent/session-server.js';
import type { RpcError } from '../../../../src/rpc/errors.js';
import type { RpcPeer } from '../../../../src/rpc/peer.js';
import { Clock } from '../../../agent/model/clock.js';
import { FakeNetwork, type Side } from '../../../agent/model/fake-network.js';
import { FakeProcess } from '../../../agent/model/fake-process.js';
import { Application } from './application.js';
import { CallRecord, REFUSED, violation } from './call-record.js';
import type { Scenario, Step } from './scenario.js';
import { Wire } from './wire.js';

/** What is tested: the classes of src/rpc/, or those of a changed copy. */
export interface Implementation {
  RpcPeer: typeof RpcPeer;
  RpcError: typeof RpcError;
}

interface Server {
  process: FakeProcess;
  sessions: SessionServer;
  isDraining: boolean;
}

interface End {
  peer: RpcPeer;
  session: Session;
  process: FakeProcess;
  application: Application;
}

/** After the faults everything has to come right within so long. */
const RECOVERY_MS = 300_000;
const WINDOW_MS = { mortal: 8000, immortal: 10_000_000 };
const CLIENT = {
  connectTimeoutMs: 2000,
  backoff: { baseMs: 100, capMs: 2000, resetAfterMs: 1000 },
};

export class Model {
  readonly #scenario: Scenario;
  readonly #implementation: Implementation;
  readonly #clock = new Clock();
  readonly #network: FakeNetwork;
  readonly #records: CallRecord[] = [];
  readonly #servers: Server[] = [];
  /** The server's ends, the newest last. */
  readonly #ends: End[] = [];
  readonly #client: End;
  #isEnding = false;
  #failure: unknown;

  constructor(scenario: Scenario, implementation: Implementation) {
    const { seed, maxLatencyMs, clientHasPing, heartbeat, queue } = scenario;
    this.#scenario = scenario;
    this.#implementation = implementation;
    const dice = new FakeProcess(this.#clock, seed);
    const random = () => dice.random();
    this.#network = new FakeNetwork({ clock: this.#clock, random, maxLatencyMs, clientHasPing });
    this.#startServer();
    const process = new FakeProcess(this.#clock, seed + 1);
    const session = new ClientSession(
      'ws://model/',
      { ...CLIENT, heartbeat, queue },
      (request) => this.#network.connect(process, request),
      process,
    );
    this.#client = this.#endOf(session, process);
  }

  /** @throws when a promise is not kept */
  async run(): Promise<void> {
    for (const step of this.#scenario.steps) await this.#take(step);
    if (this.#scenario.ending === 'settled') await this.#recover();
    await this.#end();
    const ends = [this.#client, ...this.#ends].filter(({ process }) => process.isAlive);
    // Who was killed can tell nothing, and left what it was at.
    const hasKilled = this.#servers.some(({ process }) => !process.isAlive);
    const hasBlocked = this.#scenario.steps.some((step) => step.do === 'block');
    for (const record of this.#records) {
      if (ends.some(({ peer }) => peer === record.caller)) {
        record.check(this.#circumstancesOf(record));
        if (!hasBlocked) record.checkTime();
      }
      if (record.producing > 0 && !hasKilled) violation(`${record.name}: a producer is left`);
    }
  }

  async #take(step: Step): Promise<void> {
    const connection = 'age' in step ? this.#network.connections.at(-1 - step.age) : undefined;
    switch (step.do) {
      case 'call':
        this.#call(step);
        break;
      case 'notify':
        this.#endAt(step.side)?.peer.notify('note');
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
        this.#network.block((step.side === 'client' ? this.#client : this.#servers.at(-1)!).process, step.ms);
        break;
      case 'restart':
        this.#restart(step.downMs);
        break;
      case 'drain':
        this.#drain(step.deadlineMs);
    }
    await this.#advance(0);
  }

  #call(step: Extract<Step, { do: 'call' }>): void {
    const end = this.#endAt(step.side);
    if (end === undefined) return;
    const number = this.#records.push(new CallRecord(step, this.#records.length, end.peer)) - 1;
    end.application.call(end.peer, number);
  }

  /** The faults stop: everything has to come to its end, but for what goes on for ever. */
  async #recover(): Promise<void> {
    this.#network.admission = 'open';
    const until = this.#clock.now + RECOVERY_MS;
    const isDone = (record: CallRecord): boolean =>
      record.isSettled || isEndless(record) || !this.#isReachable(record);
    for (;;) {
      const pending = this.#records.find((record) => !isDone(record));
      const endless = this.#records.filter((record) => isEndless(record) && !record.isSettled).length;
      const hasLeft = this.#servers.every(({ isDraining, process }) => !isDraining || !process.isAlive);
      const inFlight = Object.values(this.#client.peer.stats()).reduce((sum, count) => sum + count);
      if (pending === undefined && hasLeft && this.#client.session.state === 'open' && inFlight <= endless)
        return;
      if (this.#clock.now > until) {
        violation(
          `stuck: ${pending?.name}, ${JSON.stringify(this.#client.peer.stats())}, ${endless} endless`,
        );
      }
      await this.#advance(1000);
    }
  }

  /** The client closes, and the servers forget it: nothing may be left. */
  async #end(): Promise<void> {
    this.#isEnding = true;
    this.#network.isEnding = true;
    this.#client.peer.close();
    await this.#advance(3 * WINDOW_MS.mortal);
    for (const { sessions, process } of this.#servers) if (process.isAlive) sessions.close();
    // As long as the slowest producer takes to notice.
    await this.#advance(100_000);
    const ends = [this.#client, ...this.#ends].filter(({ process }) => process.isAlive);
    for (const { peer, process } of ends) {
      const stats = JSON.stringify(peer.stats());
      if (!peer.isClosed) violation('a peer is not closed');
      if (/[1-9]/.test(stats)) violation(`left at the end: ${stats}`);
      if (process.pendingTimers > 0) violation(`${process.pendingTimers} timers are left`);
    }
    if (debug.active().some(({ kind, state }) => kind === 'rpc peer' && state === 'closed'))
      violation('a closed peer is tracked');
  }

  #circumstancesOf(record: CallRecord): { mayBeLost: boolean; mayBeOverloaded: boolean } {
    const { isMortal, ending, limits } = this.#scenario;
    return {
      mayBeLost: isMortal || ending === 'close' || isEndless(record) || !this.#isReachable(record),
      mayBeOverloaded: limits.calls < 100 || limits.streams < 100,
    };
  }

  /** A client may never have learned of a session, or have lost it. */
  #isReachable({ caller }: CallRecord): boolean {
    if (caller === this.#client.peer) return true;
    const end = this.#ends.find(({ peer }) => peer === caller)!;
    return end.session.id === this.#client.session.id && end.process.isAlive;
  }

  #endAt(side: Side): End | undefined {
    return side === 'client' ? this.#client : this.#ends.at(-1);
  }

  #startServer(): void {
    const { seed, heartbeat, queue, isMortal } = this.#scenario;
    const process = new FakeProcess(this.#clock, seed + 2 + this.#servers.length);
    const windowMs = isMortal ? WINDOW_MS.mortal : WINDOW_MS.immortal;
    const sessions = new SessionServer(
      { noServer: true, queue, heartbeat, helloTimeoutMs: 2500, windowMs },
      process,
    );
    sessions.on('session', (session) => this.#ends.push(this.#endOf(session, process)));
    this.#servers.push({ process, sessions, isDraining: false });
    const request = {} as IncomingMessage;
    this.#network.listener = { process, accept: (link) => sessions.onLink(link, 'somebody', request) };
  }

  #restart(downMs: number): void {
    const { process } = this.#servers.at(-1)!;
    if (!process.isAlive) return;
    this.#network.listener = undefined;
    this.#network.kill(process, false);
    this.#clock.after(downMs, () => this.#startServer());
  }

  /** Another server is there at once. */
  async #drain(deadlineMs: number): Promise<void> {
    const server = this.#servers.at(-1)!;
    if (!server.process.isAlive) return;
    server.isDraining = true;
    this.#network.expectEnds();
    this.#startServer();
    await server.sessions.drain({ deadlineMs, spreadMs: 0 });
    server.isDraining = false;
    await server.sessions.close();
  }

  #endOf(session: Session, process: FakeProcess): End {
    const guard = (check: () => void): void => this.#guard(check);
    new Wire(session, guard);
    const { limits } = this.#scenario;
    const peer = new this.#implementation.RpcPeer(session, { limits }, process);
    // What a handler of ours throws is told to its caller: nothing else is to go wrong.
    peer.on('error', (error) => guard(() => this.#onError(error as Error)));
    const refuse = (message: string) => new this.#implementation.RpcError(REFUSED, message);
    const application = new Application(process, this.#records, refuse, guard);
    application.serve(peer);
    return { peer, session, process, application };
  }

  #onError(error: Error): void {
    const { limits } = this.#scenario;
    const isRefusal = (limits.calls < 100 || limits.streams < 100) && /too many/.test(error.message);
    if (!isRefusal && !this.#isEnding) throw new Error(`a peer tells of: ${error.message}`, { cause: error });
  }

  async #advance(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    if (this.#failure !== undefined) throw this.#failure;
    const [unprovoked] = this.#network.unprovoked;
    if (unprovoked !== undefined) violation(`a healthy connection was ended by the ${unprovoked}`);
  }

  /** Must not throw into the peers: the model throws later. */
  #guard(check: () => void): void {
    try {
      check();
    } catch (failure) {
      this.#failure ??= failure;
    }
  }
}

/** Ends with the session only. */
function isEndless({ step: { kind, cancelAfterMs, timeoutMs, maxTotalMs } }: CallRecord): boolean {
  return kind === 'forever' && cancelAfterMs + timeoutMs + maxTotalMs === 0;
}
