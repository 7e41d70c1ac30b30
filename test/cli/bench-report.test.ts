import { describe, expect, it } from 'vitest';
import { BenchPrinter, formatHeading } from '../../src/cli/bench-report.js';
import { paletteFor } from '../../src/cli/terminal.js';
import type { Measurement } from '../../src/conform/bench/benchmark.js';

const plain = paletteFor({});
const machine = { node: 'v20.19.0', platform: 'linux x64', cpu: 'A CPU', cores: 2, loadAverage: 0.3 };
const heading = { url: 'ws://127.0.0.1:1/', agent: 'it', machine };

const loop = {
  case: 'throughput' as const,
  status: 'measured' as const,
  seconds: 3,
  connections: 8,
  size: 64,
  pipeline: 64,
  messages: 3_000_000,
  messagesPerSecond: 1_000_000.4,
  mebibytesPerSecond: 61.04,
  client: { cpuPercent: 97.2, of: 'process' as const },
  isClientBound: true,
  lost: { count: 0, reasons: [] },
};

describe('formatHeading', () => {
  it('idle machine -> who and where', () => {
    const text = 'it  ws://127.0.0.1:1/\nNode.js v20.19.0, linux x64, A CPU, 2 cores\n';
    expect(formatHeading(heading, plain)).toBe(text);
  });

  it('busy machine -> a warning', () => {
    const text = formatHeading({ ...heading, machine: { ...machine, loadAverage: 1.5 } }, plain);
    expect(text).toContain(
      '\nThe machine is not idle (load average 1.5): these numbers are not to be quoted.\n',
    );
  });

  it('control characters in a name -> made visible', () => {
    expect(formatHeading({ ...heading, agent: '\x1b[2J' }, plain)).toContain('\\x1b[2J');
  });
});

describe('BenchPrinter', () => {
  it('two sizes of one case -> one heading; a full thread -> the client was the bottleneck', () => {
    const printer = new BenchPrinter(plain);
    const first = printer.format(loop);
    const second = printer.format({
      ...loop,
      size: 1024,
      client: { cpuPercent: 4, of: 'process' },
      isClientBound: false,
    });
    expect(first).toBe(`
throughput  8 connections, closed loop, 3.0 s for each size
      size in flight    messages/s     MiB/s  client CPU
      64 B        64     1,000,000      61.0        97 %  the client was the bottleneck
`);
    expect(second).toBe('     1 KiB        64     1,000,000      61.0       4.0 %\n');
  });

  it('connections lost -> said so under the numbers', () => {
    const text = new BenchPrinter(plain).format({ ...loop, lost: { count: 2, reasons: ['gone', 'reset'] } });
    expect(text).toMatch(/bottleneck\n {2}2 connections lost: gone; reset\n$/);
  });

  it('the load was late itself -> said so', () => {
    const us = { p50: 40, p90: 1500, p99: 12_000, p999: 999_999, max: 2_000_000 };
    const latency: Measurement = {
      ...loop,
      case: 'latency',
      ratePerSecond: 500,
      isAutomaticRate: true,
      latencyUs: us,
      latenessUs: us,
    };
    expect(new BenchPrinter(plain).format(latency)).toBe(`
latency
  64 B, 500 messages/s (chosen) over 8 connections, from when each message was due
  p50 40 µs   p90 1.50 ms   p99 12.0 ms   p99.9 1000.0 ms   max 2.00 s
  sent late: p50 40 µs   p90 1.50 ms   p99 12.0 ms   p99.9 1000.0 ms   max 2.00 s
  client CPU 97 % (it spins to be on time)
  The client was late itself: these numbers say little about the server.
`);
  });

  it('failed and skipped -> loud', () => {
    const printer = new BenchPrinter(plain);
    const failed = printer.format({ case: 'throughput', size: 64, status: 'failed', reason: 'it broke' });
    const skipped = printer.format({
      case: 'deflate',
      size: null,
      status: 'skipped',
      reason: 'not supported',
    });
    expect(failed).toBe('\nthroughput\n  64 B: FAILED: it broke\n');
    expect(skipped).toBe('\ndeflate\n  SKIPPED: not supported\n');
  });
});
