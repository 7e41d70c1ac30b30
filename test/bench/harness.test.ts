// The benchmark programs of bench/, run for moments: each case must yield numbers, and a server that does not echo
// what it was sent must yield none. What the numbers are is not tested: the machine that runs tests is busy.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const bench = join(__dirname, '../../bench');
const run = promisify(execFile);
let folder: string;

interface Results {
  header: { peers: Record<string, string> };
  measurements: { case: string; lib: string; kind: string; round: number; numbers: Record<string, number> }[];
  summary: { case: string; lib: string; ratio: { median: number } | null }[];
  failures: string[];
}

/** Runs the command line and reads what it wrote; `status` is its exit code. */
async function benchmark(...args: string[]): Promise<{ status: number; results: Results; table: string }> {
  const out = join(folder, `${Math.random()}.json`);
  const common = ['--rounds', '1', '--seconds', '0.1', '--warmup', '0.05', '--no-addons', '--out', out];
  let status = 0;
  const { stdout } = await run(process.execPath, [join(bench, 'run.mjs'), ...common, ...args]).catch(
    (error) => {
      status = error.code;
      return { stdout: String(error.stdout) };
    },
  );
  return { status, results: JSON.parse(readFileSync(out, 'utf8')), table: stdout };
}

/** A library that is `ws` except that its `send` is this statement. */
function libraryThatSends(name: string, statement: string): string {
  const file = join(folder, `${name}.cjs`);
  writeFileSync(
    file,
    `const ws = require(${JSON.stringify(require.resolve('ws'))});
     const send = ws.WebSocket.prototype.send;
     let count = 0;
     ws.WebSocket.prototype.send = function (data, options) { count++; ${statement} };
     module.exports = ws;`,
  );
  return `${name}=${file}`;
}

function expectSane({ status, results }: { status: number; results: Results }, cases: number): void {
  expect(results.failures).toEqual([]);
  expect(status).toBe(0);
  expect(results.measurements).toHaveLength(cases);
  for (const { case: name, kind, numbers } of results.measurements) {
    // With few connections the pages of the heap outweigh them: the growth may be negative, but is a number.
    if (kind === 'idle') {
      expect(Number.isFinite(numbers.heapBytes), `heapBytes of ${name}`).toBe(true);
      continue;
    }
    const latencies = kind === 'latency' ? ['p50', 'p99', 'p999'] : [];
    const positive = ['cpuUs', 'perSecond', 'serverCores', 'generatorCores', ...latencies];
    for (const key of positive) expect(numbers[key], `${key} of ${name}`).toBeGreaterThan(0);
  }
}

/** Whether a peer of bench/package.json is there, which `npm ci` in the root does not install. */
function isInstalled(name: string): boolean {
  const isThere = existsSync(join(bench, 'node_modules', name));
  if (!isThere)
    console.warn(`\n!!! SKIPPED: ${name} is missing (npm ci --prefix bench); its test does not run\n`);
  return isThere;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Processes start slowly on a machine that does other things.
vi.setConfig({ testTimeout: 60_000 });

describe('bench/run.mjs', () => {
  it('with npm ws, one case of every kind -> sane numbers', async () => {
    const cases =
      'echo-64,latency-64,deflate-json-1k-takeover,broadcast-128,handshake-http,idle-used,tls-echo-1k';
    expectSane(await benchmark('--lib', 'ws', '--connections', '40', '--case', cases), 7);
  });

  it('with the raw floor, the cases that need large messages, text or compression -> positive numbers', async () => {
    const cases = 'echo-64-single,echo-1k-text,echo-1m,deflate-json-16k,handshake,idle';
    expectSane(await benchmark('--lib', 'raw', '--connections', '4', '--case', cases), 6);
  });

  it.each(['ws', 'raw'])('%s as a client: receive, send, echo -> sane numbers', async (lib) => {
    const cases = 'client-receive-64,client-send-1k,client-echo-64';
    expectSane(await benchmark('--lib', lib, '--connections', '2', '--case', cases), 3);
  });

  it('with npm ws, a compressed broadcast, more latency cases -> sane numbers', async () => {
    const cases = 'broadcast-1k-deflate,latency-1k,drip-10k,tls-echo-64-single';
    expectSane(await benchmark('--lib', 'ws', '--connections', '20', '--rate', '500', '--case', cases), 4);
  });

  it.runIf(isInstalled('bun'))('with Bun, as a server and as a client -> sane numbers', async () => {
    const cases =
      'echo-64,broadcast-1k-deflate,broadcast-128-method,deflate-json-1k-takeover,idle,tls-echo-1k';
    const all = `${cases},client-receive-64,client-send-64`;
    expectSane(await benchmark('--lib', 'bun', '--connections', '4', '--case', all), 8);
  });

  it.runIf(isInstalled('websocket')).each(['websocket', 'faye-websocket'])(
    'with %s, as a server and as a client -> sane numbers',
    async (lib) => {
      const cases = 'echo-64k,echo-1k-text,broadcast-128,handshake-http,client-echo-64';
      expectSane(await benchmark('--lib', lib, '--connections', '4', '--case', cases), 5);
    },
  );

  it.runIf(isInstalled('undici'))('with undici, as a client -> sane numbers', async () => {
    const cases = 'client-receive-1k,client-send-64';
    expectSane(await benchmark('--lib', 'undici', '--connections', '4', '--case', cases), 2);
  });

  it('a case that a peer cannot do -> neither a number nor a failure', async () => {
    const { status, results } = await benchmark('--lib', 'undici', '--case', 'echo-64', '--connections', '4');
    expect({ status, failures: results.failures, measurements: results.measurements }).toEqual({
      status: 0,
      failures: [],
      measurements: [],
    });
  });

  it('two libraries -> the ratio of each to the first, in the file and in the table', async () => {
    const { results, table } = await benchmark('--lib', 'raw,ws', '--case', 'echo-64', '--connections', '4');
    expect(results.summary.map(({ lib }) => lib)).toEqual(['raw', 'ws']);
    expect(results.summary[0]?.ratio?.median).toBe(1);
    expect(table).toContain('/ raw');
  });

  it.each([
    [
      'alters a message',
      'if (count === 3) { data = Buffer.from(data); data[0] ^= 1; } send.call(this, data, options);',
    ],
    [
      'repeats a message',
      'if (count === 900) send.call(this, data, options); send.call(this, data, options);',
    ],
    ['sends binary as text', 'send.call(this, data, { binary: false });'],
    ['closes', 'if (count === 900) return this.terminate(); send.call(this, data, options);'],
    ['crashes', 'if (count === 900) process.exit(9); send.call(this, data, options);'],
  ])('a server that %s -> a failure, no number, exit code 1', async (_, statement) => {
    const { status, results } = await benchmark(
      '--lib',
      libraryThatSends('faulty', statement),
      '--connections',
      '4',
      '--case',
      'echo-64',
    );
    expect(status).toBe(1);
    expect(results.measurements).toEqual([]);
    expect(results.failures).toHaveLength(1);
  });

  it.each([
    ['alters a message', 'data = Buffer.from(data); data[0] ^= 1; send.call(this, data, options);'],
    ['repeats one', 'if (count === 3000) send.call(this, data, options); send.call(this, data, options);'],
  ])('a client that %s -> a failure, no number', async (_, statement) => {
    const lib = libraryThatSends('faulty-client', statement);
    const { results } = await benchmark('--lib', lib, '--case', 'client-send-64', '--connections', '2');
    expect(results.measurements).toEqual([]);
    expect(results.failures).toHaveLength(1);
  });

  it('a client that is given other bytes than were sent -> a failure', async () => {
    const file = join(folder, 'deaf.cjs');
    writeFileSync(
      file,
      `const ws = require(${JSON.stringify(require.resolve('ws'))});
       const { emit } = ws.WebSocket.prototype;
       ws.WebSocket.prototype.emit = function (name, ...args) {
         if (name === 'message' && args[0].length > 1) args[0][1] ^= 1;
         return emit.call(this, name, ...args);
       };
       module.exports = ws;`,
    );
    const { results } = await benchmark(
      '--lib',
      `deaf=${file}`,
      '--case',
      'client-receive-64',
      '--connections',
      '2',
    );
    expect(results.measurements).toEqual([]);
    expect(results.failures).toHaveLength(1);
  });

  it('a server that does not compress in a compressed case -> a failure', async () => {
    const lib = libraryThatSends('plain', 'send.call(this, data, { ...options, compress: false });');
    const { results } = await benchmark('--lib', lib, '--case', 'deflate-json-1k', '--connections', '4');
    expect(results.failures[0]).toContain('not compressed');
  });
});

describe('bench/cases.mjs', () => {
  const load = async () => import(pathToFileURL(join(bench, 'cases.mjs')).href);

  it.each([0, 1, 125, 126, 65_536, 1_000_000])(
    'payloadBytes %d -> messages of that size',
    async (payloadBytes) => {
      const { caseNamed, caseArguments } = await load();
      const frames = await import(pathToFileURL(join(bench, 'frames.mjs')).href);
      const exchange = await frames.buildExchange(caseNamed('echo-64-single', { payloadBytes }));
      expect(exchange.messages.map((message: Buffer) => message.length)).toEqual([payloadBytes]);
      frames.verifyReply(exchange.reply, exchange);
      const counter = new frames.ReplyCounter();
      expect(counter.count(exchange.reply, exchange.reply.length)).toBe(1);
      expect(caseArguments('echo-64', { payloadBytes })).toEqual([
        '--case',
        'echo-64',
        '--size',
        `${payloadBytes}`,
      ]);
    },
  );

  it.each([{ payloadBytes: -1 }, { payloadBytes: 1e9 }, { connections: 0 }, { depth: 1.5 }])(
    '%o -> refused',
    async (overrides) => {
      const { caseNamed } = await load();
      expect(() => caseNamed('echo-64', overrides)).toThrow('must be between');
    },
  );
});

describe('bench/frames.mjs', () => {
  it.each(['client-receive-64', 'client-send-1k', 'client-echo-64'])(
    '%s: what a client sends is counted and compared unmasked, and has to be masked',
    async (name) => {
      const { caseNamed } = await import(pathToFileURL(join(bench, 'cases.mjs')).href);
      const frames = await import(pathToFileURL(join(bench, 'frames.mjs')).href);
      const exchange = await frames.buildExchange(caseNamed(name, { depth: 5 }));
      const { reply, request, messages } = exchange;
      const counter = new frames.ReplyCounter(true);
      let count = 0;
      for (const byte of reply) count += counter.count(Buffer.from([byte]), 1);
      expect(count).toBe(messages.length);
      frames.verifyReply(Buffer.from(reply), exchange);
      const changed = Buffer.from(reply);
      changed[changed.length - 1]! ^= 1;
      expect(() => frames.verifyReply(changed, exchange)).toThrow();
      expect(() => new frames.ReplyCounter(true).count(request, request.length)).toThrow('did not mask');
      expect(() => new frames.ReplyCounter().count(reply, reply.length)).toThrow('masked a frame');
    },
  );

  it.each(['echo-1k', 'echo-64k', 'deflate-json-250', 'deflate-json-1k-takeover'])(
    '%s: replies are counted alike in any chunking, and a changed byte is noticed',
    async (name) => {
      const { caseNamed } = await import(pathToFileURL(join(bench, 'cases.mjs')).href);
      const frames = await import(pathToFileURL(join(bench, 'frames.mjs')).href);
      const spec = caseNamed(name);
      const exchange = await frames.buildExchange(spec);
      const { reply } = exchange;
      for (const size of [1, 7, 1000, reply.length]) {
        const counter = new frames.ReplyCounter();
        let count = 0;
        for (let at = 0; at < reply.length; at += size) {
          const piece = reply.subarray(at, at + size);
          count += counter.count(piece, piece.length);
        }
        expect(count).toBe(spec.depth);
      }
      frames.verifyReply(reply, exchange);
      const changed = Buffer.from(reply);
      changed[changed.length - 40]! ^= 1;
      expect(() => frames.verifyReply(changed, exchange)).toThrow();
      const retyped = Buffer.from(reply);
      retyped[0]! ^= 3;
      expect(() => frames.verifyReply(retyped, exchange)).toThrow('text');
    },
  );
});
