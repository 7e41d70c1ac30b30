// The whole benchmark against servers in this process, right ones and wrong ones. Numbers are looked at for their sense, not
// for their size: nothing here depends on how fast anything is.
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import {
  type BenchmarkOptions,
  type BenchmarkReport,
  type Measurement,
  runBenchmark,
} from '../../../src/conform/bench/benchmark.js';
import { CERTIFICATE, PRIVATE_KEY } from '../../support/certificate.js';

const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    cleanups.push(() => server.close());
  });
}

async function serve(
  onConnection: (socket: WebSocket) => void,
  options: ServerOptions = {},
): Promise<string> {
  const http = createHttpServer();
  const server = new WebSocketServer({ ...options, server: http });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  });
  cleanups.push(() => {
    for (const client of server.clients) client.terminate();
  });
  return `ws://127.0.0.1:${await listen(http)}/`;
}

function echo(socket: WebSocket): void {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
}

function measure(url: string, options: Partial<BenchmarkOptions> = {}): Promise<BenchmarkReport> {
  const quick = { seconds: 0.05, sizes: [64, 70_000], connections: 2, pipeline: 4, timeoutMs: 10_000 };
  return runBenchmark({ url, ...quick, ...options });
}

function only<C extends Measurement['case']>(report: BenchmarkReport, name: C) {
  return report.measurements.filter((measurement) => measurement.case === name);
}

describe('runBenchmark, a server that echoes', () => {
  it('every case -> measured, without problems', async () => {
    const url = await serve(echo, { perMessageDeflate: true });
    const seen: Measurement[] = [];
    const report = await measure(url, {
      agent: 'it',
      onMeasurement: (measurement) => seen.push(measurement),
    });
    expect(report).toMatchObject({ format: 'hawser-bench/1', agent: 'it', url, problems: [] });
    expect(report.measurements).toEqual(seen);
    expect(seen.map(({ case: name, status }) => `${name} ${status}`)).toEqual([
      'throughput measured',
      'throughput measured',
      'latency measured',
      'connect measured',
      'deflate measured',
      'deflate measured',
    ]);
    expect(only(report, 'throughput')).toMatchObject([
      { size: 64, pipeline: 4, connections: 2, lost: { count: 0, reasons: [] } },
      { size: 70_000, pipeline: 4 },
    ]);
    expect(only(report, 'latency')).toMatchObject([{ size: 64, isAutomaticRate: true }]);
    expect(only(report, 'connect')).toMatchObject([
      { failedHandshakes: 0, idle: { connections: 2, answering: 2 } },
    ]);
    // npm ws leaves messages below 1024 bytes as they are.
    expect(only(report, 'deflate')).toMatchObject([
      { size: 64, compression: { compressedEchoesPercent: 0, receivedPercent: 100 } },
      { size: 70_000, compression: { compressedEchoesPercent: 100, keepsContext: false } },
    ]);
  });

  it('messages in the window, divided by its seconds -> the rate', async () => {
    const report = await measure(await serve(echo), { cases: ['throughput'], sizes: [1024], seconds: 0.2 });
    const [measurement] = report.measurements;
    if (measurement?.status !== 'measured' || measurement.case !== 'throughput')
      throw new Error('not measured');
    const { messages, seconds, messagesPerSecond, mebibytesPerSecond } = measurement;
    expect(messages).toBeGreaterThan(0);
    expect(seconds).toBeGreaterThanOrEqual(0.2);
    expect(messagesPerSecond).toBeCloseTo(messages / seconds, 6);
    expect(mebibytesPerSecond).toBeCloseTo(messagesPerSecond / 1024, 6);
  });

  it('latency at a given rate -> as many messages as were due, percentiles in order', async () => {
    const options = { cases: ['latency'], ratePerSecond: 200, seconds: 0.25 } as const;
    const report = await measure(await serve(echo), options);
    const [measurement] = report.measurements;
    if (measurement?.status !== 'measured' || measurement.case !== 'latency') throw new Error('not measured');
    const { messages, seconds, latencyUs, isAutomaticRate, ratePerSecond } = measurement;
    expect([ratePerSecond, isAutomaticRate]).toEqual([200, false]);
    expect(Math.abs(messages - seconds * 200)).toBeLessThanOrEqual(10);
    const { p50, p90, p99, p999, max } = latencyUs;
    expect([p50, p90, p99, p999, max].toSorted((a, b) => a - b)).toEqual([p50, p90, p99, p999, max]);
    expect(p50).toBeGreaterThan(0);
  });

  it('that pings -> gets its Pongs, and is measured', async () => {
    let pongs = 0;
    const url = await serve((socket) => {
      echo(socket);
      socket.on('pong', (data) => {
        if (String(data) === 'still there?') pongs++;
      });
      for (let i = 0; i < 3; i++) socket.ping('still there?');
    });
    expect((await measure(url, { cases: ['throughput'] })).problems).toEqual([]);
    expect(pongs).toBeGreaterThan(0);
  });

  it('and keeps its context from message to message -> measured, and said so', async () => {
    const http = createHttpServer();
    const server = new WebSocketServer({ noServer: true, perMessageDeflate: { threshold: 0 } });
    http.on('upgrade', (request, socket, head) => {
      // As a server that knows only the last offer, which lets it keep its context.
      const isOffered = request.headers['sec-websocket-extensions'] !== undefined;
      if (isOffered) request.headers['sec-websocket-extensions'] = 'permessage-deflate';
      server.handleUpgrade(request, socket, head, echo);
    });
    const url = `ws://127.0.0.1:${await listen(http)}/`;
    const report = await measure(url, { cases: ['deflate'] });
    const compression = { keepsContext: true, compressedEchoesPercent: 100 };
    expect(report.measurements).toMatchObject([{ compression }, { compression }]);
    expect(report.problems).toEqual([]);
  });

  it('that declines permessage-deflate -> skipped once, which is no problem', async () => {
    const report = await measure(await serve(echo), { cases: ['deflate'] });
    const reason = 'not supported by the server: it declined permessage-deflate';
    expect(report.measurements).toEqual([{ case: 'deflate', size: null, status: 'skipped', reason }]);
    expect(report.problems).toEqual([]);
  });

  it('over TLS -> measured when any certificate is accepted, refused otherwise', async () => {
    const plain = new URL(await serve(echo));
    const tls = createTlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, (socket) => {
      const inner = connect(Number(plain.port), '127.0.0.1');
      socket.on('error', () => inner.destroy());
      inner.on('error', () => socket.destroy());
      socket.pipe(inner).pipe(socket);
    });
    const url = `wss://127.0.0.1:${await listen(tls)}/`;
    const cases = ['throughput', 'connect'] as const;
    const accepted = await measure(url, { cases, acceptsAnyCertificate: true });
    expect(accepted.problems).toEqual([]);
    expect(accepted.measurements).toHaveLength(3);
    const [problem] = (await measure(url, { cases })).problems;
    expect(problem).toMatch(/^the server's certificate is not trusted \(/);
  });
});

describe('runBenchmark, something else', () => {
  async function problemsOf(url: string, options?: Partial<BenchmarkOptions>): Promise<string[]> {
    const report = await measure(url, { timeoutMs: 1000, ...options });
    return report.problems;
  }

  it('nothing listens -> connection refused', async () => {
    const server = createServer();
    const port = await listen(server);
    server.close();
    expect(await problemsOf(`ws://127.0.0.1:${port}/`)).toEqual([
      `connection refused: nothing listens at 127.0.0.1:${port}`,
    ]);
  });

  it.each([
    ['HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', 'with 404 Not Found'],
    ['HTTP/1.1 101 Switching Protocols\r\n\r\n', 'with 101, but without the right Sec-WebSocket-Accept'],
    ['220 mail.example.org ESMTP\r\n', 'with something that is not HTTP'],
  ])('answers with %j -> not a WebSocket server', async (answer, how) => {
    const port = await listen(createServer((socket) => socket.on('error', () => {}).write(answer)));
    expect(await problemsOf(`ws://127.0.0.1:${port}/`)).toEqual([
      `the server answered the opening handshake ${how}`,
    ]);
  });

  it('accepts and says nothing -> no answer to the handshake', async () => {
    const port = await listen(createServer((socket) => socket.on('error', () => {})));
    expect(await problemsOf(`ws://127.0.0.1:${port}/`)).toEqual([
      'no answer to the opening handshake within 1000 ms',
    ]);
  });

  it('accepts and closes -> said so', async () => {
    const port = await listen(createServer((socket) => socket.end()));
    expect(await problemsOf(`ws://127.0.0.1:${port}/`)).toEqual([
      'the server closed the connection during the opening handshake',
    ]);
  });

  it('does not echo -> said so', async () => {
    const [problem] = await problemsOf(await serve(() => {}));
    expect(problem).toMatch(/^the server does not echo: /);
  });

  it('echoes something else -> said so, nothing measured', async () => {
    const url = await serve((socket) => socket.on('message', () => socket.send(Buffer.alloc(64, 1))));
    const report = await measure(url);
    expect(report.measurements).toEqual([]);
    expect(report.problems).toEqual(['a message came back with other content, or out of order']);
  });

  it('falls silent in the middle -> the measurement fails', async () => {
    const url = await serve((socket) => {
      let count = 0;
      socket.on('message', (data, isBinary) => {
        if (++count <= 20) socket.send(data, { binary: isBinary });
      });
    });
    const problems = await problemsOf(url, { cases: ['throughput', 'latency'], sizes: [64] });
    expect(problems).toEqual([
      'throughput 64 B: the server did not answer for 1000 ms',
      'latency 64 B: the server did not answer for 1000 ms',
    ]);
  });

  it('closes all connections in the middle -> the measurement fails, and the code is told', async () => {
    const url = await serve(echo, { maxPayload: 1024 });
    const report = await measure(url, { cases: ['throughput'] });
    expect(report.measurements.map(({ status }) => status)).toEqual(['measured', 'failed']);
    expect(report.problems).toEqual([
      'throughput 68.36 KiB: the server closed the connection with code 1009 (Message Too Big) (all 2 connections)',
    ]);
  });

  it('closes some connections in the middle -> counted, the others are measured', async () => {
    let connections = 0;
    const url = await serve((socket) => {
      const isBad = connections++ % 3 === 2;
      let count = 0;
      socket.on('message', (data, isBinary) => {
        if (isBad && ++count > 8) socket.close(1011, 'no more');
        else socket.send(data, { binary: isBinary });
      });
    });
    const reason = 'the server closed the connection with code 1011 (Internal Error)';
    const cases = ['throughput', 'latency'] as const;
    const report = await measure(url, {
      cases,
      sizes: [64],
      connections: 3,
      ratePerSecond: 500,
      seconds: 0.3,
    });
    expect(report.measurements).toMatchObject([
      { status: 'measured', lost: { count: 1, reasons: [reason] } },
      { status: 'measured', lost: { count: 1, reasons: [reason] } },
    ]);
    expect(report.problems).toEqual([
      `throughput 64 B: 1 of 3 connections ended mid-way: ${reason}`,
      `latency 64 B: 1 of 3 connections ended mid-way: ${reason}`,
    ]);
  });

  it('does not keep up with the rate -> the measurement fails', async () => {
    const options = { cases: ['latency'], sizes: [64], ratePerSecond: 1_000_000, seconds: 60 } as const;
    const [problem] = await problemsOf(await serve(echo), { ...options, timeoutMs: 10_000 });
    expect(problem).toMatch(/^latency 64 B: the server does not keep up with 1000000 messages\/s: \d+ wait/);
  });

  it('takes idle connections and does not answer on them -> counted', async () => {
    let first = true;
    const url = await serve((socket) => {
      if (first) echo(socket);
      first = false;
    });
    const problems = await problemsOf(url, { cases: ['connect'], connections: 5 });
    expect(problems).toEqual(['connect: 5 idle connections did not answer a message afterwards']);
  });

  it('refuses some handshakes -> counted, and the first reason told', async () => {
    let count = 0;
    const url = await serve(echo, { verifyClient: () => ++count !== 5 });
    const report = await measure(url, { cases: ['connect'] });
    const why = 'the server answered the opening handshake with 401 Unauthorized';
    expect(report.problems).toEqual([`connect: 1 opening handshakes failed, the first one so: ${why}`]);
  });
});

describe('runBenchmark, options', () => {
  it('a host that is not this machine -> refused before anything is sent', async () => {
    await expect(measure('ws://example.invalid/')).rejects.toThrow(
      'example.invalid is not this machine: load goes only to hosts that are one',
    );
  });

  it('the same, declared to be one’s own -> tried', async () => {
    const { problems } = await measure('ws://example.invalid/', { isOwnHost: true });
    expect(problems).toEqual(['no address is known for example.invalid']);
  });

  it.each<[Partial<BenchmarkOptions>, string]>([
    [{ sizes: [0] }, 'size must be a whole number from 1 to 67108864, not 0'],
    [{ sizes: [1.5] }, 'size must be a whole number'],
    [{ sizes: [] }, 'at least one size is needed'],
    [{ connections: 0 }, 'connections must be a whole number from 1 to 20000, not 0'],
    [{ pipeline: 0 }, 'pipeline must be'],
    [{ ratePerSecond: 0 }, 'rate must be from 1 to 1000000, not 0'],
    [{ seconds: Number.NaN }, 'seconds must be from 0.01 to 3600, not NaN'],
  ])('%j -> refused', async (options, message) => {
    await expect(measure('ws://127.0.0.1/', options)).rejects.toThrow(message);
  });

  it('large messages -> fewer in flight than asked for, within 64 MiB or 1 MiB', async () => {
    const url = await serve(echo, { maxPayload: 2 ** 28 });
    const cases = ['throughput'] as const;
    const run = { cases, sizes: [400_000], connections: 1 };
    const asked = await measure(url, { ...run, pipeline: 5 });
    expect(asked.measurements).toMatchObject([{ pipeline: 5 }]);
    const { measurements } = await runBenchmark({ url, ...run, seconds: 0.05 });
    expect(measurements).toMatchObject([{ pipeline: 2 }]);
  });
});
