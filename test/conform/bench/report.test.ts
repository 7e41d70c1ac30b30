import { describe, expect, it } from 'vitest';
import {
  type BenchmarkReport,
  benchmarkRows,
  formatSize,
  type Measurement,
} from '../../../src/conform/bench/report.js';

const measured = {
  status: 'measured' as const,
  seconds: 3,
  connections: 8,
  client: { cpuPercent: 50, of: 'process' as const },
  lost: { count: 0, reasons: [] },
  isClientBound: false,
};

function reportOf(...measurements: Measurement[]): BenchmarkReport {
  return {
    format: 'hawser-bench/1',
    agent: 'it',
    url: 'ws://127.0.0.1:1/',
    startedAt: '2026-01-01T00:00:00.000Z',
    machine: { node: 'v20.19.0', platform: 'linux x64', cpu: '', cores: 2, loadAverage: 0 },
    options: {
      cases: ['throughput'],
      sizes: [64],
      connections: 8,
      idleConnections: 256,
      pipeline: 64,
      seconds: 3,
      warmupSeconds: 1,
      ratePerSecond: 'automatic',
      timeoutMs: 5000,
    },
    measurements,
    problems: [],
  };
}

describe('benchmarkRows', () => {
  it('throughput -> messages and MiB, and what went wrong in the details', () => {
    const report = reportOf({
      ...measured,
      case: 'throughput',
      size: 1024,
      pipeline: 64,
      messages: 3000,
      messagesPerSecond: 1000,
      mebibytesPerSecond: 0.98,
      isClientBound: true,
      lost: { count: 2, reasons: ['gone'] },
    });
    const details =
      '8 connections, 64 messages in flight on each; the client was the bottleneck; 2 lost: gone';
    expect(benchmarkRows(report)).toEqual([
      { agent: 'it', name: 'throughput 1 KiB', unit: 'messages/s', value: 1000, details },
      { agent: 'it', name: 'throughput 1 KiB', unit: 'MiB/s', value: 0.98, details },
    ]);
  });

  it('latency -> one row a percentile', () => {
    const us = { p50: 1, p90: 2, p99: 3, p999: 4, max: 5 };
    const report = reportOf({
      ...measured,
      case: 'latency',
      size: 64,
      ratePerSecond: 500,
      isAutomaticRate: false,
      messages: 1500,
      latencyUs: us,
      latenessUs: us,
      isClientBound: true,
    });
    const rows = benchmarkRows(report);
    expect(rows.map(({ name, value }) => `${name} ${value}`)).toEqual([
      'latency 64 B p50 1',
      'latency 64 B p90 2',
      'latency 64 B p99 3',
      'latency 64 B p99.9 4',
      'latency 64 B max 5',
    ]);
    expect(rows[0]!.details).toBe('500 messages/s over 8 connections; the client was late itself');
  });

  it('connect -> handshakes and the time of one', () => {
    const report = reportOf({
      ...measured,
      case: 'connect',
      handshakes: 300,
      handshakesPerSecond: 100,
      failedHandshakes: 0,
      firstFailure: '',
      openingUs: { p50: 1, p90: 2, p99: 3, p999: 4, max: 5 },
      idle: { connections: 256, openedMs: 1, heldSeconds: 3, answering: 256 },
    });
    expect(benchmarkRows(report).map(({ name, unit, value }) => `${name} ${value} ${unit}`)).toEqual([
      'connect 100 handshakes/s',
      'connect p50 1 µs',
      'connect p99 3 µs',
    ]);
  });

  it('what was not measured -> a row without a value that says why', () => {
    const report = reportOf(
      { case: 'deflate', size: null, status: 'skipped', reason: 'not supported' },
      { case: 'throughput', size: 64, status: 'failed', reason: 'silent' },
    );
    expect(benchmarkRows(report)).toEqual([
      { agent: 'it', name: 'deflate', unit: 'messages/s', value: null, details: 'skipped: not supported' },
      { agent: 'it', name: 'throughput 64 B', unit: 'messages/s', value: null, details: 'failed: silent' },
    ]);
  });
});

describe('formatSize', () => {
  it.each([
    [1, '1 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [1024 * 1024, '1 MiB'],
  ])('%i -> %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});
