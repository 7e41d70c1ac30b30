// `hawser bench`: measures any WebSocket server that echoes. The measuring is in `conform/bench`; here are its options, and
// where the numbers go.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import {
  BENCHMARK_CASES,
  BENCHMARK_LIMITS,
  type BenchmarkCase,
  type BenchmarkOptions,
  type BenchmarkReport,
  type MachineInfo,
  runBenchmark,
} from '../conform/bench/benchmark.js';
import { isLoopbackHost, parseTarget } from '../conform/bench/target.js';
import { type CommandSpec, EXIT, type ParsedArguments, parseInteger, UsageError } from './arguments.js';
import { BenchPrinter, formatHeading } from './bench-report.js';
import { paletteFor } from './terminal.js';

export const benchCommand: CommandSpec = {
  name: 'bench',
  summary: 'Measure a WebSocket server that echoes: throughput, latency, connections, compression.',
  operands: 'URL',
  minOperands: 1,
  maxOperands: 1,
  options: {
    case: {
      value: 'CASE',
      isRepeatable: true,
      help: 'throughput, latency, connect or deflate (default: all of them)',
    },
    size: {
      value: 'SIZE',
      isRepeatable: true,
      help: 'bytes of a message: 64, 1k, 1m (default 64, 1k, 64k, 1m)',
    },
    connections: { value: 'N', help: 'connections (default 8; connect holds 256 idle ones)' },
    pipeline: { value: 'N', help: 'messages that a connection sends before it waits for them (default 64)' },
    duration: { value: 'SECONDS', help: 'of each measurement, after its warm-up (default 3)' },
    rate: { value: 'N', help: 'latency: messages a second (default: half of what a closed loop reaches)' },
    timeout: { value: 'MS', help: 'give up when the server is silent for longer (default 5000)' },
    agent: { value: 'NAME', help: 'what the report calls the server (default: its host and port)' },
    json: { value: 'FILE', help: 'write the report to FILE' },
    out: { value: 'DIR', help: 'write the report to DIR/bench-NAME.json' },
    insecure: { short: 'k', help: 'accept any TLS certificate' },
    'i-own-this-host': { help: 'send load to a host that is not this machine' },
  },
  notes: `
URL is ws:// or wss://HOST[:PORT][/PATH]. The server must send every message back as it came; echoes are checked:
each for its type, its length and its first octet, and every octet in the first block of a connection, in every 32nd
and in the last. A server that echoes anything else has no result.

throughput  A closed loop: each connection sends --pipeline messages in one write, and again when all have come back.
            Fewer in a block where they would be more than 1 MiB (64 MiB if --pipeline is given).
            MiB/s counts payload in one direction.
latency     An open loop at a fixed rate, with messages of the first --size: messages are due at fixed times, and each
            latency counts from when the message was due, so that a server which stalls is billed for all that it kept
            waiting. "sent late" is how late this program itself was: where that is not much smaller than the latency,
            the numbers say little about the server. Percentiles are at most 1/128 too high; max is exact.
connect     Opening handshakes in a second, 32 being opened at a time and each dropped with a reset once it is open;
            then idle connections are opened, held for --duration, and asked for one echo each.
deflate     The throughput case with permessage-deflate and messages of JSON records, sent compressed. Skipped when the
            server declines.

This program is one thread. "client CPU" is its share of a core: above 90 % it is the bottleneck and the server may be
faster than the number. For numbers to quote: an idle machine, two cores or more, and the heading along with them.

Load goes only to this machine (localhost, 127.0.0.0/8, ::1) unless --i-own-this-host is given.

Exit code: 0 measured (or skipped), 1 something went wrong, 2 bad arguments.

Examples:
  hawser bench ws://127.0.0.1:8787/echo
  hawser bench --case throughput --size 64 --size 16k --pipeline 32 ws://127.0.0.1:8787/echo
  hawser bench --case latency --rate 5000 --duration 10 --json latency.json ws://127.0.0.1:8787/echo`,
};

/** Runs the command. @returns the exit code */
export async function bench(parsed: ParsedArguments): Promise<number> {
  const options = readOptions(parsed);
  const files = outputFiles(parsed, options);
  const printer = new BenchPrinter(paletteFor(process.stdout));
  process.stdout.write(formatHeading(options, paletteFor(process.stdout)));
  const report = await runBenchmark({
    ...options,
    onMeasurement: (measurement) => process.stdout.write(printer.format(measurement)),
  });
  const { red } = paletteFor(process.stderr);
  for (const problem of report.problems) process.stderr.write(`${red('hawser:')} ${problem}\n`);
  for (const file of files) {
    if (!save(report, file)) return EXIT.FAILED;
  }
  return report.problems.length === 0 ? EXIT.OK : EXIT.FAILED;
}

function readOptions(parsed: ParsedArguments): BenchmarkOptions & { agent: string; machine: MachineInfo } {
  const url = parsed.operands[0]!;
  const target = readTarget(url);
  if (!isLoopbackHost(target.host) && !parsed.has('i-own-this-host')) {
    throw new UsageError(
      `${target.host} is not this machine; load on a host that is not one's own is an attack (if it is yours: --i-own-this-host)`,
    );
  }
  const { connections, pipeline, ratePerSecond } = BENCHMARK_LIMITS;
  const cases = parsed.values('case').map(readCase);
  const sizes = parsed.values('size').map(readSize);
  const whole = (option: string, { min, max }: { min: number; max: number }): number | undefined =>
    parsed.value(option) === undefined ? undefined : parsed.integer(option, min, max, min);
  return {
    url,
    agent: parsed.value('agent') ?? target.authority,
    machine: readMachine(),
    isOwnHost: parsed.has('i-own-this-host'),
    acceptsAnyCertificate: parsed.has('insecure'),
    timeoutMs: parsed.integer('timeout', 1, 600_000, 5000),
    ...(cases.length > 0 && { cases }),
    ...(sizes.length > 0 && { sizes }),
    ...optional('connections', whole('connections', connections)),
    ...optional('pipeline', whole('pipeline', pipeline)),
    ...optional('ratePerSecond', whole('rate', ratePerSecond)),
    ...optional('seconds', readSeconds(parsed.value('duration'))),
  };
}

function optional<K extends string>(name: K, value: number | undefined): { [key in K]?: number } {
  return value === undefined ? {} : ({ [name]: value } as { [key in K]: number });
}

function readTarget(url: string): ReturnType<typeof parseTarget> {
  try {
    return parseTarget(url);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readCase(text: string): BenchmarkCase {
  const found = BENCHMARK_CASES.find((name) => name === text);
  if (found !== undefined) return found;
  throw new UsageError(`--case must be one of ${BENCHMARK_CASES.join(', ')}, not ${JSON.stringify(text)}`);
}

const UNITS: Record<string, number> = { '': 1, k: 1024, m: 1024 * 1024 };

function readSize(text: string): number {
  const [, digits, unit] = /^(\d+)([km]?)$/i.exec(text) ?? [];
  if (digits === undefined || unit === undefined) {
    throw new UsageError(
      `--size must be a number of bytes such as 64, 1k or 1m, not ${JSON.stringify(text)}`,
    );
  }
  const factor = UNITS[unit.toLowerCase()]!;
  const { min, max } = BENCHMARK_LIMITS.size;
  return parseInteger('--size', digits, Math.ceil(min / factor), max / factor) * factor;
}

function readSeconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const { min, max } = BENCHMARK_LIMITS.seconds;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= min && seconds <= max) return seconds;
  throw new UsageError(
    `--duration must be a number of seconds from ${min} to ${max}, not ${JSON.stringify(text)}`,
  );
}

function readMachine(): MachineInfo {
  const cores = cpus();
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cores[0]?.model.trim() ?? '',
    cores: cores.length,
    loadAverage: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

function outputFiles(parsed: ParsedArguments, { agent }: { agent: string }): string[] {
  const file = parsed.value('json');
  const directory = parsed.value('out');
  return [
    ...(file === undefined ? [] : [file]),
    ...(directory === undefined ? [] : [join(directory, `bench-${agent.replace(/[^\w.-]+/g, '_')}.json`)]),
  ];
}

function save(report: BenchmarkReport, file: string): boolean {
  try {
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
    return true;
  } catch (error) {
    process.stderr.write(`hawser: cannot write ${file}: ${(error as Error).message}\n`);
    return false;
  }
}
