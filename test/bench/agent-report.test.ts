// What bench/agent/ makes of measurements: percentiles over all rounds, ratios within each, tables.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const bench = join(__dirname, '../../bench/agent');
// biome-ignore lint/suspicious/noExplicitAny: the programs of bench/ have no declarations
type Program = any;
let push: Program;
let overhead: Program;
let rpc: Program;

beforeAll(async () => {
  [push, overhead, rpc] = await Promise.all(
    ['push-report', 'overhead-report', 'rpc-report'].map(
      (name) => import(pathToFileURL(join(bench, `${name}.mjs`)).href),
    ),
  );
});

/** A measurement of one message a second at 40 ms, with these latencies. */
function pushed(transport: string, round: number, latencies: number[], cpuUs = 100) {
  const costs = { messages: latencies.length, cpuUs, fromClients: 10, toClients: 200 };
  return { transport, ratePerSecond: 1, rttMs: 40, round, latencies, lateness: [0.1], ...costs };
}

describe('push latency', () => {
  it('a percentile -> the least value that so large a share does not exceed', () => {
    expect(push.percentile([4, 1, 3, 2], 0.5)).toBe(2);
    expect(push.percentile([4, 1, 3, 2], 0.51)).toBe(3);
    expect(push.percentile([4, 1, 3, 2], 1)).toBe(4);
    expect(push.percentile([7], 0.01)).toBe(7);
    expect(push.percentile([], 0.5)).toBeNaN();
  });

  it('two rounds -> percentiles of both together, the range of their p50, and the median of their costs', () => {
    const rounds = [pushed('sse', 0, [1, 1, 1, 9], 100), pushed('sse', 1, [3, 3, 3, 3, 3, 3], 300)];
    const [summary] = push.summarizePush(rounds);
    expect(summary).toMatchObject({ messages: 10, p50Ms: 3, p90Ms: 3, maxMs: 9, p50RangeMs: [1, 3] });
    expect(summary).toMatchObject({ cpuUs: 200, bytesToClient: 200, bytesFromClient: 10 });
  });

  it('results -> a Markdown table for each rate and distance; no latency where nobody listens', () => {
    const measured = [pushed('none', 0, []), pushed('websocket', 0, [20.5]), pushed('poll-1000', 0, [500])];
    const far = { ...pushed('websocket', 0, [21]), rttMs: 80 };
    const plan = { subscribers: 10, size: 200, rounds: 1, seconds: 5, warmup: 1 };
    const text = push.formatPushReport({
      plan,
      load: 0,
      summary: push.summarizePush([...measured, far]),
    });
    expect(text.match(/^\*\*1 a second/gm)).toHaveLength(2);
    expect(text).toContain('| nobody listens |  |  |  |  |  |  | 100 |');
    expect(text).toContain('| WebSocket | 20.5 (20.5-20.5) | 20.5 | 20.5 | 20.5 | 200 | 10 | 100 |');
    expect(text).toContain('| polling, 1 s | 500.0 (500.0-500.0) |');
    // All of them at a glance; what was not measured stays empty.
    expect(text).toContain('| p50 in ms | 1/s, 40 ms | 1/s, 80 ms |');
    expect(text).toContain('| WebSocket | 20.5 | 21.0 |\n| polling, 1 s | 500.0 |  |');
  });
});

describe('overhead of sessions', () => {
  const measured = (layer: string, round: number, serverUs: number, p50Ms?: number) => {
    const costs = {
      messages: 1000,
      serverUs,
      clientUs: 1,
      bytes: layer === 'plain' ? 100 : 101,
      perSecond: 1,
    };
    return { case: 'lone-64', layer, round, ...costs, ...(p50Ms !== undefined && { p50Ms }) };
  };

  it('a machine that was slow in one round -> ratios of that round alone, and their median', () => {
    const [summary] = overhead.summarizeMessages([
      measured('plain', 0, 1, 2),
      measured('session', 0, 1.2, 2),
      // The layers take turns in who begins.
      measured('session', 1, 9.9, 3),
      measured('plain', 1, 9, 2),
      measured('plain', 2, 1, 2),
      measured('session', 2, 1.2, 2.2),
    ]);
    expect(summary.cpuUs).toEqual([2, 2.2]);
    expect(summary.cpuRatio).toEqual([1.1, 1.09, 1.1]);
    expect(summary.serverRatio).toEqual([1.2, 1.1, 1.2]);
    expect(summary.bytesRatio).toEqual([1.01, 1.01, 1.01]);
    expect(summary.p50Ratio).toEqual([1.1, 1, 1.5]);
  });

  it('results -> one row for each case; what was not measured is not mentioned', () => {
    const messages = overhead.summarizeMessages([measured('plain', 0, 1), measured('session', 0, 1.5)]);
    const plan = { rounds: 1, seconds: 1, warmup: 0, sessions: 0, resumes: 0 };
    const text = overhead.formatOverheadReport({ plan, load: 0, messages });
    expect(text).toContain('| lone-64 | 2.00 | 2.50 | 1.250 (1.25-1.25) | 1.500 (1.50-1.50) |');
    expect(text).toContain('+1.00 %');
    expect(text).not.toContain('round trip');
    expect(text).not.toContain('without a connection');

    const memory = { detached: 9_999, heapBytes: 700.4, externalBytes: 20, rssBytes: 900 };
    expect(overhead.formatOverheadReport({ plan, load: 0, memory }).split('\n\n')).toEqual([
      '1 rounds of 1 s, load 0.0 before.',
      '9,999 sessions without a connection: 700 B of heap and 20 B of external memory each (RSS 900 B)',
    ]);
  });
});

describe('calls and streams', () => {
  const costs = { messages: 1000, perSecond: 100, handlerMs: 0, work: 'calls' };
  /** CPU time of both ends together, half of it at each. */
  const called = (layer: string, round: number, cpuUs: number, depth = 64) => {
    return { ...costs, part: 'calls', layer, round, depth, serverUs: cpuUs / 2, clientUs: cpuUs / 2 };
  };
  const summarize = (measured: object) =>
    rpc.summarizeRpc({ measurements: [], tools: [], churn: [], ...measured });
  const plan = { rounds: 1, repeats: 1, seconds: 1 };

  it('a call -> against echo and JSON of the same round, whatever the order', () => {
    const { calls } = summarize({
      measurements: [
        ...[called('json', 0, 1), called('echo', 0, 3), called('rpc', 0, 5)],
        ...[called('session-echo', 0, 4), called('session-rpc', 0, 10)],
        // Three times as slow.
        ...[called('rpc', 1, 18), called('session-rpc', 1, 30), called('json', 1, 3)],
        ...[called('session-echo', 1, 12), called('echo', 1, 9)],
      ],
    });
    expect(calls).toMatchObject([
      { carrier: 'socket', depth: 64, echoUs: 6, jsonUs: 2, rpcUs: 11.5, ratio: [1.375, 1.25, 1.5] },
      { carrier: 'session', depth: 64, echoUs: 8, jsonUs: 2, rpcUs: 20, ratio: [2, 2, 2] },
    ]);
    const text = rpc.formatRpcReport({ plan, load: 0, ...summarize({}), calls });
    expect(text).toContain('| socket, 64 in flight | 6.00 | 2.00 | 11.5 | 1.38 (1.25-1.50) |');
  });

  it('tool calls -> the time of all from nothing, of the first, and of a later one, for each distance', () => {
    const run = (way: string, rttMs: number, times: number[]) => ({ way, rttMs, isSecure: false, times });
    const summary = summarize({
      tools: [
        run('session', 40, [160, 200, 240]),
        run('session', 120, [480, 600, 720]),
        run('keep-alive', 40, [80, 120, 160]),
        run('session', 40, [162, 202, 246]),
      ],
    });
    expect(summary.tools[0]).toMatchObject({ calls: 3, totalMs: [243, 240, 246], firstMs: 161, laterMs: 40 });
    const text = rpc.formatRpcReport({ plan, load: 0, ...summary });
    expect(text).toContain('| 3 calls, one after the other, without TLS | ms at 40 ms | ms at 120 ms |');
    expect(text).toContain('| calls over one session | 243 | 720 | 161.0 / 40.0 | 480.0 / 120.0 |');
    expect(text).not.toContain('with TLS |');
  });

  it('a stream -> what one core would do for both ends; a crowd -> all calls, and the tail of one crowd', () => {
    const streamed = { ...called('rpc', 0, 4), part: 'streams', work: 'numbers' };
    const crowd = {
      ...called('rpc', 0, 1, 1000),
      part: 'crowd',
      work: 'crowd',
      p50Ms: 10,
      p99Ms: 35,
      tail: 2.5,
    };
    const summary = summarize({ measurements: [streamed, crowd] });
    expect(summary.streams).toMatchObject([{ items: 'numbers', perCoreSecond: [250_000, 250_000, 250_000] }]);
    expect(summary.crowd).toMatchObject([{ p50Ms: [10, 10, 10], tail: [2.5, 2.5, 2.5] }]);
    const text = rpc.formatRpcReport({ plan, load: 0, ...summary });
    expect(text).toContain(
      '| over a socket, handler 0 ms | 10.0 (10.0-10.0) | 35.0 (35.0-35.0) | 2.50 (2.50-2.50) |',
    );
  });

  it('nothing left of cancelled streams -> says so, and how the heap changed', () => {
    const churn = [
      { layer: 'rpc', begun: 10_000, ended: 10_000, inFlight: 0, active: [2, 2], heapBytes: -1200 },
    ];
    expect(rpc.formatRpcReport({ plan, load: 0, ...summarize({ churn }) })).toContain(
      '10,000 streams opened and cancelled over a socket: 10,000 generators ended, 0 calls and streams left, ' +
        'debug.active() 2 before and 2 after, heap -1,200 B in all',
    );
  });
});
