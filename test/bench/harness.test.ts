// The benchmark programs of bench/, run for moments: each case must yield numbers, and a server that does not echo
// what it was sent must yield none. What the numbers are is not tested: the machine that runs tests is busy.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

  it('a server that does not compress in a compressed case -> a failure', async () => {
    const lib = libraryThatSends('plain', 'send.call(this, data, { ...options, compress: false });');
    const { results } = await benchmark('--lib', lib, '--case', 'deflate-json-1k', '--connections', '4');
    expect(results.failures[0]).toContain('not compressed');
  });
});

describe('bench/frames.mjs', () => {
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
