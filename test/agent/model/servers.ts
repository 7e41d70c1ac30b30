// The servers of the model, one after the other: each is a process of its own with a SessionServer, which may die, or drain
// for a successor.
import type { IncomingMessage } from 'node:http';
import type { ServerSession } from '../../../src/agent/server-session.js';
import type { SessionServer } from '../../../src/agent/session-server.js';
import type { Clock } from './clock.js';
import type { FakeNetwork } from './fake-network.js';
import { FakeProcess } from './fake-process.js';
import type { Ledger } from './ledger.js';
import { type Scenario, WINDOW_MS } from './scenario.js';
import { violation } from './transcript.js';

interface Server {
  process: FakeProcess;
  sessions: SessionServer;
  isDraining: boolean;
}

export interface ServersOptions {
  scenario: Scenario;
  SessionServer: typeof SessionServer;
  clock: Clock;
  network: FakeNetwork;
  ledger: Ledger;
  onSession(session: ServerSession, process: FakeProcess): void;
}

const HELLO_TIMEOUT_MS = 2500;
const NO_HEARTBEAT = { intervalMs: 3_600_000, timeoutMs: 3_600_000 };
const PRINCIPAL = 'somebody';
const REQUEST = {} as IncomingMessage;

export class Servers {
  readonly #options: ServersOptions;
  /** The present one comes last. */
  readonly #servers: Server[] = [];

  constructor(options: ServersOptions) {
    this.#options = options;
    this.#start();
  }

  /** The process of the present one. */
  get process(): FakeProcess {
    return this.#servers.at(-1)!.process;
  }

  get isDraining(): boolean {
    return this.#servers.some(({ isDraining, process }) => isDraining && process.isAlive);
  }

  /** Makes the present one die. Another one starts `downMs` later. */
  kill(downMs: number, isMachineGone: boolean): void {
    const { process } = this;
    const { clock, network, ledger } = this.#options;
    network.listener = undefined;
    network.kill(process, isMachineGone);
    ledger.onServerGone(process);
    clock.after(downMs, () => {
      if (this.process === process) this.#start();
    });
  }

  /** Asks the clients to leave. Another one starts at once, or when this one is gone. */
  async drain(deadlineMs: number, spreadMs: number, hasSuccessor: boolean): Promise<void> {
    const server = this.#servers.at(-1)!;
    if (server.isDraining || !server.process.isAlive) return;
    const { network, ledger } = this.#options;
    server.isDraining = true;
    ledger.onServerLeaves(server.process);
    network.expectEnds();
    if (hasSuccessor) this.#start();
    else network.listener!.isLeaving = true;
    await server.sessions.drain({ deadlineMs, spreadMs });
    await server.sessions.close();
    server.isDraining = false;
    if (this.process === server.process) this.#start();
  }

  /** @throws when sessions still wait whose clients have long gone */
  checkExpired(): void {
    for (const { sessions, process } of this.#servers) {
      const detached = sessions.sessions.filter(({ state }) => state === 'detached').length;
      if (process.isAlive && detached > 0) violation(`${detached} sessions wait for nobody`);
    }
  }

  close(): void {
    for (const { sessions, process } of this.#servers) if (process.isAlive) sessions.close();
  }

  /** @throws when something is left behind */
  checkClosed(): void {
    for (const { sessions, process } of this.#servers) {
      if (!process.isAlive) continue;
      if (sessions.sessions.length > 0) violation(`${sessions.sessions.length} sessions are left`);
      if (process.pendingTimers > 0) violation(`${process.pendingTimers} timers of a server are left`);
    }
  }

  #start(): void {
    const { scenario, clock, network, SessionServer, onSession } = this.#options;
    const { seed, isMortal, heartbeat, isServerPatient, server } = scenario;
    const process = new FakeProcess(clock, seed + 2 + this.#servers.length);
    const options = {
      noServer: true,
      queue: server.queue,
      acknowledge: server.acknowledge,
      heartbeat: isServerPatient ? NO_HEARTBEAT : heartbeat,
      helloTimeoutMs: HELLO_TIMEOUT_MS,
      windowMs: isMortal ? WINDOW_MS.mortal : WINDOW_MS.immortal,
    };
    const sessions = new SessionServer(options, process);
    sessions.on('session', (session) => onSession(session, process));
    this.#servers.push({ process, sessions, isDraining: false });
    network.listener = { process, accept: (link) => sessions.onLink(link, PRINCIPAL, REQUEST) };
  }
}
