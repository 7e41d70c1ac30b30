// Latency at a fixed rate, in an open loop (see open-loop.ts). The loop spins while a message is due soon: a timer would
// be up to a millisecond late, many times what is measured.
import { ClientShareMeter } from './client-share.js';
import { PlainEchoCheck } from './echo-check.js';
import type { LogHistogram } from './histogram.js';
import { Load, type LoadPlan } from './load.js';
import { maskedFrame } from './message-block.js';
import { PlainMessages } from './messages.js';
import { OpenLoop } from './open-loop.js';
import type { LatencyMeasurement, Percentiles } from './report.js';
import { measureThroughput } from './throughput.js';

/** Messages that may wait for their echo, over all connections. */
const MOST_WAITING = 131_072;
const MOST_WAITING_BYTES = 256 * 1024 * 1024;
/** Messages are numbered by their first octet. */
const PERIOD = 256;
/** With less time than this to the next message, the loop spins instead of sleeping. */
const SPIN_BELOW_MS = 3;
/** A timer is asked to come so much before the message is due. */
const WAKE_EARLY_MS = 2;
const CALIBRATION_MS = 1000;

export interface LatencyPlan extends LoadPlan {
  size: number;
  /** Messages a second over all connections; null chooses one. */
  ratePerSecond: number | null;
}

/** @throws BenchmarkFailure by rejection */
export async function measureLatency(plan: LatencyPlan): Promise<LatencyMeasurement> {
  const ratePerSecond = plan.ratePerSecond ?? (await chooseRate(plan));
  const load = await Load.open(plan);
  const messages = new PlainMessages(plan.size, PERIOD);
  const checks = load.connections.map(() => new PlainEchoCheck(messages));
  const loop = new OpenLoop({
    ratePerSecond,
    lanes: plan.connections,
    capacity: Math.ceil(Math.min(MOST_WAITING, MOST_WAITING_BYTES / plan.size) / plan.connections),
    now: () => performance.now(),
    send: (lane) => {
      const payload = messages.common;
      payload[0] = checks[lane]!.sent++ & 0xff;
      load.connections[lane]!.write(maskedFrame(messages.first, payload));
    },
  });
  const spinning = new Spinning(load, loop);
  for (const [lane, connection] of load.connections.entries()) {
    const check = checks[lane]!;
    check.onEcho = () => {
      loop.answered(lane);
      if (!spinning.isRunning && loop.waiting === 0) load.wake();
    };
    connection.sink = check;
  }
  try {
    spinning.start();
    const owesAnswer = (): boolean => loop.waiting > 0;
    await load.pass(plan.warmupMs, owesAnswer);
    loop.openWindow();
    const meter = new ClientShareMeter();
    const startedMs = performance.now();
    await load.pass(plan.durationMs, owesAnswer);
    loop.closeWindow();
    const seconds = (performance.now() - startedMs) / 1000;
    const client = meter.read();
    spinning.finish();
    await load.drain(() => {
      dropLostLanes(load, loop);
      return loop.waiting === 0;
    });
    const latencyUs = percentilesUs(loop.latency);
    const latenessUs = percentilesUs(loop.lateness);
    return {
      case: 'latency',
      status: 'measured',
      size: plan.size,
      connections: plan.connections,
      ratePerSecond,
      isAutomaticRate: plan.ratePerSecond === null,
      seconds,
      messages: loop.latency.count,
      latencyUs,
      latenessUs,
      client,
      isClientBound: latenessUs.p99 > latencyUs.p99 / 4,
      lost: load.lost,
    };
  } catch (error) {
    spinning.stop();
    load.reset();
    throw error;
  } finally {
    await load.close();
  }
}

/** Half of what a closed loop of one message a connection reaches, in two digits. */
async function chooseRate(plan: LatencyPlan): Promise<number> {
  const durationMs = Math.min(CALIBRATION_MS, plan.durationMs);
  const { messagesPerSecond } = await measureThroughput({
    ...plan,
    durationMs,
    warmupMs: Math.min(plan.warmupMs, durationMs / 2),
    pipeline: 1,
  });
  const half = Math.max(1, messagesPerSecond / 2);
  const step = 10 ** Math.max(0, Math.floor(Math.log10(half)) - 1);
  return Math.max(1, Math.floor(half / step) * step);
}

/** Runs an open loop in real time until it is stopped, or fails. */
class Spinning {
  isRunning = false;
  readonly #load: Load;
  readonly #loop: OpenLoop;

  constructor(load: Load, loop: OpenLoop) {
    this.#load = load;
    this.#loop = loop;
  }

  start(): void {
    this.isRunning = true;
    this.#turn();
  }

  stop(): void {
    this.isRunning = false;
  }

  /** Sends what is due until now, and nothing any more: what was due in the window shall not be missing. */
  finish(): void {
    this.#turn();
    this.stop();
  }

  #turn = (): void => {
    if (!this.isRunning) return;
    try {
      if (this.#load.lost.count > 0) dropLostLanes(this.#load, this.#loop);
      const waitMs = this.#loop.run();
      if (waitMs < SPIN_BELOW_MS) setImmediate(this.#turn);
      else setTimeout(this.#turn, waitMs - WAKE_EARLY_MS);
    } catch (error) {
      this.stop();
      this.#load.fail(error);
    }
  };
}

function dropLostLanes(load: Load, loop: OpenLoop): void {
  for (const [lane, connection] of load.connections.entries()) {
    if (connection.lost !== null) loop.drop(lane);
  }
}

export function percentilesUs(nanoseconds: LogHistogram): Percentiles {
  const at = (percent: number): number => nanoseconds.percentile(percent) / 1000;
  return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: at(100) };
}
