// The measurements of `hawser bench` as text, each as soon as it is known.
import {
  type BenchmarkOptions,
  type ConnectMeasurement,
  formatSize,
  type LatencyMeasurement,
  type MachineInfo,
  type Measurement,
  type MissingMeasurement,
  type Percentiles,
  type ThroughputMeasurement,
} from '../conform/bench/benchmark.js';
import { escapeLine, type Palette } from './terminal.js';

/** From this load average on, other programs take too much of the machine. */
const BUSY_FROM_LOAD_PER_CORE = 0.5;

/** Who is measured, and on what. */
export function formatHeading(
  { url, agent, machine }: BenchmarkOptions & { agent: string; machine: MachineInfo },
  { bold, dim, red }: Palette,
): string {
  const { node, platform, cpu, cores, loadAverage } = machine;
  const where = [`Node.js ${node}`, platform, cpu || 'unknown CPU', `${cores} cores`].join(', ');
  const busy =
    loadAverage > cores * BUSY_FROM_LOAD_PER_CORE
      ? `${red(`The machine is not idle (load average ${loadAverage}): these numbers are not to be quoted.`)}\n`
      : '';
  return `${bold(escapeLine(agent))}  ${escapeLine(url)}\n${dim(where)}\n${busy}`;
}

/** Puts measurements of one case under one heading. */
export class BenchPrinter {
  readonly #palette: Palette;
  #table = '';

  constructor(palette: Palette) {
    this.#palette = palette;
  }

  format(measurement: Measurement): string {
    const heading = this.#table === measurement.case ? '' : this.#heading(measurement);
    this.#table = measurement.case;
    return heading + this.#body(measurement);
  }

  #heading(measurement: Measurement): string {
    const title = `\n${this.#palette.bold(measurement.case)}`;
    switch (measurement.status === 'measured' ? measurement.case : 'missing') {
      case 'throughput':
      case 'deflate':
        return `${title}  ${describeLoop(measurement as ThroughputMeasurement)}\n${this.#palette.dim(TABLE_HEAD)}\n`;
      default:
        return `${title}\n`;
    }
  }

  #body(measurement: Measurement): string {
    if (measurement.status !== 'measured') return this.#missing(measurement);
    const { lost } = measurement;
    const loss =
      lost.count === 0
        ? ''
        : this.#palette.red(`  ${lost.count} connections lost: ${lost.reasons.join('; ')}\n`);
    switch (measurement.case) {
      case 'throughput':
      case 'deflate':
        return throughputLines(measurement) + loss;
      case 'latency':
        return latencyLines(measurement) + loss;
      case 'connect':
        return connectLines(measurement) + loss;
    }
  }

  #missing({ size, status, reason }: MissingMeasurement): string {
    const what = size === null ? '' : `${formatSize(size)}: `;
    return `  ${what}${this.#palette.red(`${status.toUpperCase()}: ${reason}`)}\n`;
  }
}

const COLUMNS = [10, 10, 14, 10, 12];
const TABLE_HEAD = row('size', 'in flight', 'messages/s', 'MiB/s', 'client CPU');

function row(...cells: string[]): string {
  return cells.map((cell, column) => cell.padStart(COLUMNS[column] ?? 0)).join('');
}

function describeLoop({ connections, seconds }: ThroughputMeasurement): string {
  return `${connections} connections, closed loop, ${seconds.toFixed(1)} s for each size`;
}

function throughputLines(measurement: ThroughputMeasurement): string {
  const { size, pipeline, messagesPerSecond, mebibytesPerSecond, client, compression } = measurement;
  const line = row(
    formatSize(size),
    String(pipeline),
    formatNumber(messagesPerSecond),
    formatNumber(mebibytesPerSecond),
    formatPercent(client.cpuPercent),
  );
  const bound = measurement.isClientBound ? '  the client was the bottleneck' : '';
  if (compression === undefined) return `${line}${bound}\n`;
  const { sentPercent, receivedPercent, compressedEchoesPercent } = compression;
  const note = `sent at ${formatPercent(sentPercent)} of its size, came back at ${formatPercent(receivedPercent)}`;
  const share = `${formatPercent(compressedEchoesPercent)} of the echoes compressed`;
  return `${line}${bound}\n${' '.repeat(COLUMNS[0]!)}  ${note}; ${share}\n`;
}

function latencyLines(measurement: LatencyMeasurement): string {
  const { size, connections, ratePerSecond, isAutomaticRate, latencyUs, latenessUs, client } = measurement;
  const rate = `${formatNumber(ratePerSecond)} messages/s${isAutomaticRate ? ' (chosen)' : ''}`;
  const bound = measurement.isClientBound
    ? '\n  The client was late itself: these numbers say little about the server.'
    : '';
  return `  ${formatSize(size)}, ${rate} over ${connections} connections, from when each message was due
  ${formatPercentiles(latencyUs)}
  sent late: ${formatPercentiles(latenessUs)}
  client CPU ${formatPercent(client.cpuPercent)} (it spins to be on time)${bound}\n`;
}

function connectLines(measurement: ConnectMeasurement): string {
  const { handshakesPerSecond, connections, failedHandshakes, openingUs, client, idle } = measurement;
  const bound = measurement.isClientBound ? ', the client was the bottleneck' : '';
  const failed = failedHandshakes === 0 ? '' : `, ${failedHandshakes} failed`;
  const rate = `${formatNumber(handshakesPerSecond)} opening handshakes/s, ${connections} at a time${failed}`;
  const opened = `${idle.connections} idle connections: open after ${formatUs(idle.openedMs * 1000)}`;
  return `  ${rate}; client CPU ${formatPercent(client.cpuPercent)}${bound}
  opening: ${formatPercentiles(openingUs)}
  ${opened}, held ${idle.heldSeconds.toFixed(1)} s, ${idle.answering} answered afterwards\n`;
}

function formatPercentiles({ p50, p90, p99, p999, max }: Percentiles): string {
  const named = { p50, p90, p99, 'p99.9': p999, max };
  return Object.entries(named)
    .map(([name, value]) => `${name} ${formatUs(value)}`)
    .join('   ');
}

function formatUs(microseconds: number): string {
  if (microseconds < 1000) return `${microseconds.toFixed(0)} µs`;
  const ms = microseconds / 1000;
  return ms < 1000 ? `${ms.toFixed(ms < 10 ? 2 : 1)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** Three digits or more, and commas between thousands. */
function formatNumber(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function formatPercent(percent: number): string {
  return `${percent.toFixed(percent > 0 && percent < 10 ? 1 : 0)} %`;
}
