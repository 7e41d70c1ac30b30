// Opening handshakes in a second, the time that one takes, and connections that are open and silent.
import { BOUND_FROM_PERCENT, ClientShareMeter } from './client-share.js';
import { BenchConnection } from './connection.js';
import { PlainEchoCheck } from './echo-check.js';
import { BenchmarkFailure } from './failure.js';
import { LogHistogram } from './histogram.js';
import { percentilesUs } from './latency.js';
import { Load, type LoadPlan, OPENED_AT_ONCE } from './load.js';
import { PlainMessages } from './messages.js';
import type { ConnectMeasurement } from './report.js';

const NS_PER_MS = 1e6;
/** A server that refuses so many handshakes is not asked for more. */
const MOST_FAILED = 100;
const IDLE_MESSAGE_BYTES = 64;

export interface ConnectPlan extends LoadPlan {
  idleConnections: number;
}

/** Opens connections one after the other in a few rows, and drops each as soon as it is open. */
class Handshakes {
  opening = new LogHistogram();
  failed = 0;
  firstFailure: Error | null = null;
  isOver = false;
  readonly #plan: ConnectPlan;
  readonly #rows: Promise<unknown>;

  constructor(plan: ConnectPlan, concurrency: number) {
    this.#plan = plan;
    this.#rows = Promise.all(Array.from({ length: concurrency }, () => this.#row()));
  }

  /** Forgets what was measured so far: it was the warm-up. */
  begin(): void {
    this.opening = new LogHistogram();
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.#rows;
  }

  async #row(): Promise<void> {
    while (!this.isOver && this.failed < MOST_FAILED) {
      const startedMs = performance.now();
      try {
        const connection = await BenchConnection.open(this.#plan.target, false, this.#plan.timeoutMs);
        if (!this.isOver) this.opening.record((performance.now() - startedMs) * NS_PER_MS);
        connection.reset();
      } catch (error) {
        this.firstFailure ??= error as Error;
        this.failed++;
      }
    }
  }
}

/** @throws BenchmarkFailure by rejection */
export async function measureConnect(plan: ConnectPlan): Promise<ConnectMeasurement> {
  const handshakes = new Handshakes(plan, OPENED_AT_ONCE);
  await sleep(plan.warmupMs);
  handshakes.begin();
  const meter = new ClientShareMeter();
  const startedMs = performance.now();
  const hasNothingYet = (): boolean => handshakes.opening.count === 0 && handshakes.failed === 0;
  // A window that is too short for a single handshake becomes longer; a handshake ends within the timeout.
  do await sleep(plan.durationMs);
  while (hasNothingYet() && performance.now() - startedMs < plan.timeoutMs);
  const seconds = (performance.now() - startedMs) / 1000;
  const client = meter.read();
  const { count } = handshakes.opening;
  await handshakes.end();
  if (count === 0) {
    throw handshakes.firstFailure ?? new BenchmarkFailure('timeout', 'no opening handshake was completed');
  }
  const { idle, lost } = await holdIdle(plan);
  return {
    case: 'connect',
    status: 'measured',
    seconds,
    connections: OPENED_AT_ONCE,
    handshakes: count,
    handshakesPerSecond: count / seconds,
    failedHandshakes: handshakes.failed,
    firstFailure: handshakes.firstFailure?.message ?? '',
    openingUs: percentilesUs(handshakes.opening),
    client,
    isClientBound: client.cpuPercent > BOUND_FROM_PERCENT,
    idle,
    lost,
  };
}

/** Opens connections, leaves them alone, and asks each of them afterwards whether it is still there. */
async function holdIdle(plan: ConnectPlan): Promise<Pick<ConnectMeasurement, 'idle' | 'lost'>> {
  const startedMs = performance.now();
  const load = await Load.open({ ...plan, connections: plan.idleConnections });
  const openedMs = performance.now() - startedMs;
  try {
    await load.pass(plan.durationMs, () => false);
    const heldSeconds = (performance.now() - startedMs - openedMs) / 1000;
    const messages = new PlainMessages(IDLE_MESSAGE_BYTES, 1);
    const block = messages.block();
    let answering = 0;
    for (const connection of load.connections) {
      if (connection.lost !== null) continue;
      const check = new PlainEchoCheck(messages);
      check.sent = 1;
      check.onEcho = () => {
        answering++;
        load.wake();
      };
      connection.sink = check;
      block.renewKeys();
      connection.write(Uint8Array.from(block.bytes));
    }
    try {
      await load.drain(() => answering + load.lost.count >= plan.idleConnections);
    } catch (error) {
      // Those that do not answer are counted.
      if (!(error instanceof BenchmarkFailure && error.kind === 'timeout')) throw error;
    }
    return { idle: { connections: plan.idleConnections, openedMs, heldSeconds, answering }, lost: load.lost };
  } catch (error) {
    load.reset();
    throw error;
  } finally {
    await load.close();
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
