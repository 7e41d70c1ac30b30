// The command `bench` as a process, against `hawser serve` and npm ws; what is measured is in test/conform/bench/.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import type { BenchmarkReport } from '../../src/conform/bench/benchmark.js';
import { runHawser, startHawser } from './program.js';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

async function serveHawser(): Promise<string> {
  const { child, ended, printed } = startHawser(['serve', '--port', '0'], null);
  cleanups.push(() => {
    child.kill('SIGKILL');
    return ended;
  });
  const [, url] = await printed(/^(ws:\S+echo)$/m);
  return url!;
}

function serveWs(): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  cleanups.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  return new Promise((resolve) => {
    server.on('listening', () => resolve(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`));
  });
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'hawser-bench-'));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  return directory;
}

function readReport(...path: string[]): BenchmarkReport {
  return JSON.parse(readFileSync(join(...path), 'utf8')) as BenchmarkReport;
}

const QUICK = ['--duration', '0.05', '--connections', '2'];

describe('hawser bench', () => {
  it('hawser serve -> every case measured, exit code 0, the report in both files', async () => {
    const url = await serveHawser();
    const directory = temporaryDirectory();
    const sizes = ['--size', '64', '--size', '2k', '--pipeline', '4'];
    const files = [
      '--json',
      join(directory, 'deep', 'report.json'),
      '--out',
      directory,
      '--agent',
      'hawser 1/2',
    ];
    const { code, stdout, stderr } = await runHawser(['bench', url, ...QUICK, ...sizes, ...files]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`hawser 1/2  ${url}\nNode.js ${process.version}, `);
    for (const line of [
      /^throughput {2}2 connections, closed loop, 0\.1 s for each size$/m,
      /^ +size +in flight +messages\/s +MiB\/s +client CPU$/m,
      /^ +64 B +4 +[\d,.]+ +[\d.]+ +[\d.]+ %/m,
      /^ +2 KiB +4 /m,
      /^ {2}64 B, [\d,.]+ messages\/s \(chosen\) over 2 connections, from when each message was due$/m,
      /^ {2}p50 .+ {3}p90 .+ {3}p99 .+ {3}p99\.9 .+ {3}max /m,
      /^ {2}sent late: p50 /m,
      /^ {2}[\d,.]+ opening handshakes\/s, 32 at a time; client CPU /m,
      /^ {2}2 idle connections: open after .+, held .+ s, 2 answered afterwards$/m,
      /% of the echoes compressed$/m,
    ]) {
      expect(stdout).toMatch(line);
    }
    const report = readReport(directory, 'deep', 'report.json');
    expect(readReport(directory, 'bench-hawser_1_2.json')).toEqual(report);
    expect(report).toMatchObject({
      format: 'hawser-bench/1',
      agent: 'hawser 1/2',
      url,
      machine: { node: process.version, cores: expect.any(Number), cpu: expect.any(String) },
      options: { sizes: [64, 2048], connections: 2, pipeline: 4, seconds: 0.05, ratePerSecond: 'automatic' },
      problems: [],
    });
    expect(report.measurements.map(({ case: name, status }) => `${name} ${status}`)).toEqual([
      'throughput measured',
      'throughput measured',
      'latency measured',
      'connect measured',
      'deflate measured',
      'deflate measured',
    ]);
  });

  it('npm ws, chosen cases -> those, and deflate is skipped loudly, exit code 0', async () => {
    const cases = ['--case', 'deflate', '--case', 'throughput', '--size', '1k'];
    const { code, stdout, stderr } = await runHawser(['bench', await serveWs(), ...QUICK, ...cases]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^ +1 KiB +64 +[\d,.]+ /m);
    expect(stdout).toContain(
      'deflate\n  SKIPPED: not supported by the server: it declined permessage-deflate\n',
    );
    expect(stdout).not.toContain('latency');
  });

  it('nothing listens -> one line on standard error, exit code 1', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
    server.close();
    expect(await runHawser(['bench', `ws://127.0.0.1:${port}/`])).toMatchObject({
      code: 1,
      stderr: `hawser: connection refused: nothing listens at 127.0.0.1:${port}\n`,
    });
  });

  it('a path without a WebSocket -> one line on standard error, exit code 1', async () => {
    const url = await serveHawser();
    expect(await runHawser(['bench', `${url}/nowhere`])).toMatchObject({
      code: 1,
      stderr: 'hawser: the server answered the opening handshake with 404 Not Found\n',
    });
  });

  it('a file that cannot be written -> said so, exit code 1', async () => {
    const args = ['bench', await serveWs(), ...QUICK, '--case', 'throughput', '--size', '64'];
    const { code, stderr } = await runHawser([...args, '--json', '/dev/null/report.json']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^hawser: cannot write \/dev\/null\/report\.json: /);
  });

  it.each([
    [['ws://example.invalid/'], /^hawser: example\.invalid is not this machine; .*--i-own-this-host\)\n$/],
    [['http://127.0.0.1/'], /not a ws:\/\/ or wss:\/\/ URL/],
    [['ws://127.0.0.1/', '--case', 'speed'], /--case must be one of throughput, latency, connect, deflate/],
    [['ws://127.0.0.1/', '--size', '1g'], /--size must be a number of bytes such as 64, 1k or 1m, not "1g"/],
    [['ws://127.0.0.1/', '--size', '0'], /--size must be a whole number from 1 to 67108864, not "0"/],
    [['ws://127.0.0.1/', '--size', '65m'], /--size must be a whole number from 1 to 64, not "65"/],
    [
      ['ws://127.0.0.1/', '--duration', 'x'],
      /--duration must be a number of seconds from 0.01 to 3600, not "x"/,
    ],
    [['ws://127.0.0.1/', '--connections', '0'], /--connections must be a whole number from 1 to 20000/],
    [['ws://127.0.0.1/', '--rate', '0'], /--rate must be a whole number from 1 to 1000000/],
    [[], /missing argument URL \(see hawser bench --help\)/],
  ])('%j -> one line on standard error, exit code 2', async (args, message) => {
    const { code, stdout, stderr } = await runHawser(['bench', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});
