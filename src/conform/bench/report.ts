// What is known after the measurements, as plain data, and as rows for a table of several agents.

export type BenchmarkCase = 'throughput' | 'latency' | 'connect' | 'deflate';

/** How much of the machine the load took for itself in the window. */
export interface ClientShare {
  /** CPU time of the thread, or of the process where Node does not tell the thread's, in percent of the time. */
  cpuPercent: number;
  of: 'thread' | 'process';
}

/** Connections that the server ended while it was measured, and why; one reason for each kind of end. */
export interface LostConnections {
  count: number;
  reasons: string[];
}

interface Measured {
  status: 'measured';
  /** Length of the window in which was counted. */
  seconds: number;
  /** Those that were open, or at most being opened, at a time. */
  connections: number;
  client: ClientShare;
  lost: LostConnections;
}

export interface ThroughputMeasurement extends Measured {
  case: 'throughput' | 'deflate';
  /** Bytes of a message. */
  size: number;
  /** Messages that one connection sends in one write; it sends as many again when all have come back. */
  pipeline: number;
  /** Messages that came back within the window. */
  messages: number;
  messagesPerSecond: number;
  /** Payload, uncompressed, in one direction. */
  mebibytesPerSecond: number;
  /** True when the load used more than 90 % of its thread: then the server may well be faster than this. */
  isClientBound: boolean;
  /** Only in `deflate`. */
  compression?: {
    /** Size of a message as it was sent, and as it came back, in percent of the message. */
    sentPercent: number;
    receivedPercent: number;
    /** Echoes that came compressed. Servers may leave small messages as they are. */
    compressedEchoesPercent: number;
    keepsContext: boolean;
  };
}

/** Microseconds. Each is at least the true value and at most 1/128 above it; `max` is exact. */
export interface Percentiles {
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

export interface LatencyMeasurement extends Measured {
  case: 'latency';
  size: number;
  /** Messages that were due in each second, over all connections. */
  ratePerSecond: number;
  /** Whether the rate was half of what a closed loop of one message a connection reached. */
  isAutomaticRate: boolean;
  /** Echoes that the percentiles stand for. */
  messages: number;
  /** From the moment a message was due until it had come back. */
  latencyUs: Percentiles;
  /** How late the load itself was to send: a part of the latency that is not the server's. */
  latenessUs: Percentiles;
  /** True when that part is more than a quarter, at the 99th percentile: then the run says little about the server. */
  isClientBound: boolean;
}

export interface ConnectMeasurement extends Measured {
  case: 'connect';
  handshakes: number;
  handshakesPerSecond: number;
  failedHandshakes: number;
  /** Why the first of those failed; empty when none did. */
  firstFailure: string;
  /** From the first step of TCP until the 101 was checked; with TLS, that is in it. */
  openingUs: Percentiles;
  isClientBound: boolean;
  idle: {
    connections: number;
    /** Time to open all of them. */
    openedMs: number;
    heldSeconds: number;
    /** Those that answered a message after they had been held. */
    answering: number;
  };
}

/** A measurement that did not come about. */
export interface MissingMeasurement {
  case: BenchmarkCase;
  /** Bytes of a message, where it was about one. */
  size: number | null;
  status: 'skipped' | 'failed';
  /** A sentence in lower case, without a full stop. */
  reason: string;
}

export type Measurement =
  | ThroughputMeasurement
  | LatencyMeasurement
  | ConnectMeasurement
  | MissingMeasurement;

/** Where it was measured. What the library cannot know itself is empty or 0 unless its caller says so. */
export interface MachineInfo {
  node: string;
  platform: string;
  cpu: string;
  cores: number;
  /** Of one minute, before the first measurement. Above 0 other programs took part in the numbers. */
  loadAverage: number;
}

/** The options as they took effect. */
export interface EffectiveOptions {
  cases: BenchmarkCase[];
  sizes: number[];
  connections: number;
  idleConnections: number;
  pipeline: number;
  seconds: number;
  warmupSeconds: number;
  ratePerSecond: number | 'automatic';
  timeoutMs: number;
}

export interface BenchmarkReport {
  /** Says what this file is. */
  format: 'hawser-bench/1';
  agent: string;
  url: string;
  /** ISO 8601. */
  startedAt: string;
  machine: MachineInfo;
  options: EffectiveOptions;
  measurements: Measurement[];
  /** What went wrong, in sentences; empty when nothing did. */
  problems: string[];
}

/** Whether a value that was read from a file is a report that this version wrote. */
export function isBenchmarkReport(value: unknown): value is BenchmarkReport {
  return (value as BenchmarkReport | null)?.format === 'hawser-bench/1';
}

/** One number of one agent. `value` is null where there is none; `details` says why, or under what conditions. */
export interface BenchmarkRow {
  agent: string;
  name: string;
  unit: string;
  value: number | null;
  details: string;
}

/** The numbers of a report, one a row; rows of several agents with the same name and unit can be compared. */
export function benchmarkRows(report: BenchmarkReport): BenchmarkRow[] {
  return report.measurements.flatMap(rowsOf).map((row) => ({ agent: report.agent, ...row }));
}

type Row = Omit<BenchmarkRow, 'agent'>;

function rowsOf(measurement: Measurement): Row[] {
  if (measurement.status !== 'measured') {
    const size = measurement.size === null ? '' : ` ${formatSize(measurement.size)}`;
    const details = `${measurement.status}: ${measurement.reason}`;
    return [{ name: `${measurement.case}${size}`, unit: UNITS[measurement.case], value: null, details }];
  }
  const rows = measuredRows(measurement);
  const { count, reasons } = measurement.lost;
  if (count > 0) for (const row of rows) row.details += `; ${count} lost: ${reasons.join('; ')}`;
  return rows;
}

const UNITS: Record<BenchmarkCase, string> = {
  throughput: 'messages/s',
  deflate: 'messages/s',
  latency: 'µs',
  connect: 'handshakes/s',
};

function measuredRows(measurement: ThroughputMeasurement | LatencyMeasurement | ConnectMeasurement): Row[] {
  const { connections } = measurement;
  const bound = measurement.isClientBound ? '; the client was the bottleneck' : '';
  switch (measurement.case) {
    case 'throughput':
    case 'deflate': {
      const name = `${measurement.case} ${formatSize(measurement.size)}`;
      const details = `${connections} connections, ${measurement.pipeline} messages in flight on each${bound}`;
      return [
        { name, unit: 'messages/s', value: measurement.messagesPerSecond, details },
        { name, unit: 'MiB/s', value: measurement.mebibytesPerSecond, details },
      ];
    }
    case 'latency': {
      const late = measurement.isClientBound ? '; the client was late itself' : '';
      const details = `${measurement.ratePerSecond} messages/s over ${connections} connections${late}`;
      const name = `latency ${formatSize(measurement.size)}`;
      const { p50, p90, p99, p999, max } = measurement.latencyUs;
      return Object.entries({ p50, p90, p99, 'p99.9': p999, max }).map(([percentile, value]) => ({
        name: `${name} ${percentile}`,
        unit: 'µs',
        value,
        details,
      }));
    }
    case 'connect': {
      const details = `${connections} at a time${bound}`;
      return [
        { name: 'connect', unit: 'handshakes/s', value: measurement.handshakesPerSecond, details },
        { name: 'connect p50', unit: 'µs', value: measurement.openingUs.p50, details },
        { name: 'connect p99', unit: 'µs', value: measurement.openingUs.p99, details },
      ];
    }
  }
}

/** `64 B`, `1 KiB`, `1.5 MiB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const [size, unit] = bytes < 1024 ** 2 ? [bytes / 1024, 'KiB'] : [bytes / 1024 ** 2, 'MiB'];
  return `${Math.round(size * 100) / 100} ${unit}`;
}
