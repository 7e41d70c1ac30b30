// Measures any WebSocket server that echoes: throughput, latency, connections and compression, each case after a warm-up
// and from a single thread. What a server does wrong becomes a part of the report, never an exception.
import { measureConnect } from './connect.js';
import type { BenchConnection } from './connection.js';
import { PlainEchoCheck } from './echo-check.js';
import { BenchmarkFailure } from './failure.js';
import { measureLatency } from './latency.js';
import { Load, type LoadPlan } from './load.js';
import { PlainMessages } from './messages.js';
import type { BenchmarkCase, BenchmarkReport, EffectiveOptions, MachineInfo, Measurement } from './report.js';
import { formatSize } from './report.js';
import { type BenchTarget, isLoopbackHost, parseTarget } from './target.js';
import { measureDeflate, measureThroughput } from './throughput.js';

export * from './report.js';

export const BENCHMARK_CASES: readonly BenchmarkCase[] = ['throughput', 'latency', 'connect', 'deflate'];

const KIB = 1024;
const MIB = 1024 * KIB;

/** The bounds of the options; larger loads are another tool's task. */
export const BENCHMARK_LIMITS = {
  size: { min: 1, max: 64 * MIB },
  connections: { min: 1, max: 20_000 },
  pipeline: { min: 1, max: 65_536 },
  ratePerSecond: { min: 1, max: 1_000_000 },
  seconds: { min: 0.01, max: 3600 },
} as const;

export interface BenchmarkOptions {
  /** A ws or wss URL whose server sends every message back. */
  url: string;
  /** What the report calls the server; its host and port otherwise. */
  agent?: string;
  /** All of them otherwise. */
  cases?: readonly BenchmarkCase[];
  /** Message sizes in bytes; 64 B, 1 KiB, 64 KiB and 1 MiB otherwise. `latency` uses the first. */
  sizes?: readonly number[];
  /** Connections; otherwise 8 that send, and 256 that are held idle. */
  connections?: number;
  /**
   * Messages that a connection sends before it waits for them; 64 otherwise. Fewer where they would be more than 64 MiB,
   * or, without this option, more than 1 MiB.
   */
  pipeline?: number;
  /** Of each measurement, without its warm-up of half the time and at most one second; 3 otherwise. */
  seconds?: number;
  /** Messages a second in `latency`; otherwise half of what a closed loop reaches. */
  ratePerSecond?: number;
  /** How long the server may be silent; 5000 otherwise. */
  timeoutMs?: number;
  acceptsAnyCertificate?: boolean;
  /** Load goes to a host that is not this machine only with this. */
  isOwnHost?: boolean;
  /** What is known of the machine. */
  machine?: Partial<MachineInfo>;
  /** Told of each measurement when it is done. */
  onMeasurement?: (measurement: Measurement) => void;
}

/**
 * Measures a server. Takes about (duration + warm-up) for each size and case; nothing else should run meanwhile.
 *
 * @returns the report; what went wrong is in its `problems`
 * @throws TypeError by rejection, for options that make no sense or a host that is not this machine
 */
export async function runBenchmark(options: BenchmarkOptions): Promise<BenchmarkReport> {
  const target = parseTarget(options.url, options.acceptsAnyCertificate);
  if (!isLoopbackHost(target.host) && options.isOwnHost !== true) {
    throw new TypeError(`${target.host} is not this machine: load goes only to hosts that are one's own`);
  }
  const effective = effectiveOptions(options);
  const report: BenchmarkReport = {
    format: 'hawser-bench/1',
    agent: options.agent ?? target.authority,
    url: options.url,
    startedAt: new Date().toISOString(),
    machine: {
      node: process.version,
      platform: process.platform,
      cpu: '',
      cores: 0,
      loadAverage: 0,
      ...options.machine,
    },
    options: effective,
    measurements: [],
    problems: [],
  };
  const fault = await findFault(target, effective.timeoutMs);
  if (fault !== null) {
    report.problems.push(fault);
    return report;
  }
  let declined: BenchmarkCase | null = null;
  for (const step of stepsOf(target, effective, options)) {
    // What a server declines, it declines for messages of any size.
    if (step.case === declined) continue;
    const measurement = await outcomeOf(step);
    if (measurement.status === 'skipped') declined = step.case;
    report.measurements.push(measurement);
    report.problems.push(...problemsOf(measurement));
    options.onMeasurement?.(measurement);
  }
  return report;
}

function effectiveOptions(options: BenchmarkOptions): EffectiveOptions {
  const { seconds = 3, connections, pipeline = 64 } = options;
  const sizes = [...(options.sizes ?? [64, KIB, 64 * KIB, MIB])];
  check('seconds', seconds, BENCHMARK_LIMITS.seconds);
  for (const size of sizes) check('size', size, BENCHMARK_LIMITS.size, true);
  if (sizes.length === 0) throw new TypeError('at least one size is needed');
  check('connections', connections ?? 1, BENCHMARK_LIMITS.connections, true);
  check('pipeline', pipeline, BENCHMARK_LIMITS.pipeline, true);
  check('rate', options.ratePerSecond ?? 1, BENCHMARK_LIMITS.ratePerSecond);
  return {
    cases: BENCHMARK_CASES.filter((name) => (options.cases ?? BENCHMARK_CASES).includes(name)),
    sizes,
    connections: connections ?? 8,
    idleConnections: connections ?? 256,
    pipeline,
    seconds,
    warmupSeconds: Math.min(1, seconds / 2),
    ratePerSecond: options.ratePerSecond ?? 'automatic',
    timeoutMs: options.timeoutMs ?? 5000,
  };
}

function check(
  name: string,
  value: number,
  { min, max }: { min: number; max: number },
  isWhole = false,
): void {
  if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return;
  throw new TypeError(
    `${name} must be ${isWhole ? 'a whole number ' : ''}from ${min} to ${max}, not ${value}`,
  );
}

/** All connections together hold no more than this in their blocks. */
const MOST_BLOCK_BYTES = 512 * MIB;

/** Messages of this size in a block: as many as were asked for, unless they take too much memory. */
function pipelineFor(size: number, options: BenchmarkOptions, { pipeline, connections }: EffectiveOptions) {
  const most = Math.min(options.pipeline === undefined ? MIB : 64 * MIB, MOST_BLOCK_BYTES / connections);
  return Math.max(1, Math.min(pipeline, Math.floor(most / size)));
}

interface Step {
  case: BenchmarkCase;
  size: number | null;
  measure(): Promise<Measurement | null>;
}

function stepsOf(target: BenchTarget, effective: EffectiveOptions, options: BenchmarkOptions): Step[] {
  const { connections, sizes, idleConnections, ratePerSecond, timeoutMs } = effective;
  const plan: LoadPlan = {
    target,
    connections,
    timeoutMs,
    durationMs: effective.seconds * 1000,
    warmupMs: effective.warmupSeconds * 1000,
  };
  const forSize = (size: number) => ({ ...plan, size, pipeline: pipelineFor(size, options, effective) });
  const steps: Record<BenchmarkCase, () => Step[]> = {
    throughput: () =>
      sizes.map((size) => ({ case: 'throughput', size, measure: () => measureThroughput(forSize(size)) })),
    latency: () => {
      const size = sizes[0]!;
      const rate = ratePerSecond === 'automatic' ? null : ratePerSecond;
      const measure = () => measureLatency({ ...plan, size, ratePerSecond: rate });
      return [{ case: 'latency', size, measure }];
    },
    connect: () => [
      { case: 'connect', size: null, measure: () => measureConnect({ ...plan, idleConnections }) },
    ],
    deflate: () =>
      sizes.map((size) => ({ case: 'deflate', size, measure: () => measureDeflate(forSize(size)) })),
  };
  return effective.cases.flatMap((name) => steps[name]());
}

async function outcomeOf({ case: name, size, measure }: Step): Promise<Measurement> {
  try {
    const declined = 'not supported by the server: it declined permessage-deflate';
    return (await measure()) ?? { case: name, size: null, status: 'skipped', reason: declined };
  } catch (error) {
    if (!(error instanceof BenchmarkFailure)) throw error;
    return { case: name, size, status: 'failed', reason: error.message };
  }
}

function problemsOf(measurement: Measurement): string[] {
  const size = 'size' in measurement && measurement.size !== null ? ` ${formatSize(measurement.size)}` : '';
  const problem = (text: string): string => `${measurement.case}${size}: ${text}`;
  if (measurement.status !== 'measured') {
    return measurement.status === 'skipped' ? [] : [problem(measurement.reason)];
  }
  const problems: string[] = [];
  const { lost } = measurement;
  const connections = measurement.case === 'connect' ? measurement.idle.connections : measurement.connections;
  if (lost.count > 0) {
    const reasons = lost.reasons.join('; ');
    problems.push(problem(`${lost.count} of ${connections} connections ended mid-way: ${reasons}`));
  }
  if (measurement.case !== 'connect') return problems;
  const { failedHandshakes, firstFailure, idle } = measurement;
  if (failedHandshakes > 0) {
    problems.push(
      problem(`${failedHandshakes} opening handshakes failed, the first one so: ${firstFailure}`),
    );
  }
  const silent = idle.connections - lost.count - idle.answering;
  if (silent > 0) problems.push(problem(`${silent} idle connections did not answer a message afterwards`));
  return problems;
}

/** One connection and one message: whether there is something to measure. */
async function findFault(target: BenchTarget, timeoutMs: number): Promise<string | null> {
  try {
    const load = await Load.open({ target, connections: 1, warmupMs: 0, durationMs: 0, timeoutMs });
    try {
      await echoOnce(load, load.connections[0]!);
      return null;
    } finally {
      await load.close();
    }
  } catch (error) {
    if (!(error instanceof BenchmarkFailure)) throw error;
    return error.message;
  }
}

async function echoOnce(load: Load, connection: BenchConnection): Promise<void> {
  const messages = new PlainMessages(64, 1);
  const check = new PlainEchoCheck(messages);
  check.onBlock = () => load.wake();
  check.sent = 1;
  connection.sink = check;
  connection.write(messages.block().bytes);
  try {
    await load.drain(() => check.echoes === 1);
  } catch (error) {
    if (!(error instanceof BenchmarkFailure && error.kind === 'timeout')) throw error;
    const text = `the server does not echo: a binary message of 64 bytes did not come back (${error.message})`;
    throw new BenchmarkFailure('timeout', text);
  }
}
