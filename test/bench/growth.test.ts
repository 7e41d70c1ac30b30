// The programs on growth, delay and memory, run for moments, and their judgement on numbers that are made up. What the
// numbers of a real run are is not tested: the machine that runs tests is busy.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const bench = join(__dirname, '../../bench');
const MiB = 1024 * 1024;
let folder: string;

interface Point {
  x: number;
  cost: number;
}
type Sample = Record<'heapUsed' | 'external' | 'rss', number>;
interface Pinned {
  arrival: string;
  lib: string;
  heap: number;
  external: number;
}

let chunksOf: (what: string, bytes: number) => Buffer[];
let cliffs: (points: Point[], floor: Point[]) => object[];
let within: (at: number[], most: number) => number[];
let hasReturned: (result: { baseline: Sample; after: Sample }) => boolean;
let pinRatio: (one: Pinned, all: Pinned[]) => number;
let growthOf: (samples: Sample[]) => { key: string; hasGrown: boolean }[];

/** Runs a program of bench/ against `ws`, and reads what it wrote; what it judges may be anything. */
async function run(program: string, ...args: string[]) {
  const out = join(folder, `${program}.json`);
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(bench, `${program}.mjs`),
    ...['--lib', 'ws', '--no-addons', '--out', out],
    ...args,
  ]).catch((error) => {
    if (error.code !== 1 || !existsSync(out)) throw error;
    return { stdout: String(error.stdout) };
  });
  return { stdout, results: JSON.parse(readFileSync(out, 'utf8')), out };
}

const load = (name: string) => import(pathToFileURL(join(bench, `${name}.mjs`)).href);

beforeAll(async () => {
  ({ chunksOf } = await load('feed'));
  ({ cliffs, within } = await load('growth'));
  ({ hasReturned, pinRatio } = await load('memory'));
  ({ growthOf } = await load('soak'));
  folder = mkdtempSync(join(tmpdir(), 'bench-growth-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Processes start slowly on a machine that does other things.
vi.setConfig({ testTimeout: 60_000 });

describe('cliffs', () => {
  const points = (...costs: number[]) => costs.map((cost, i) => ({ x: 10 ** i, cost }));

  it('costs that fall or stay -> none', () => {
    expect(cliffs(points(9, 3, 3, 3.2), points(1, 1, 1, 1))).toEqual([]);
  });

  it('a step that doubles the cost -> that step', () => {
    expect(cliffs(points(3, 3, 6), points(1, 1, 1))).toEqual([{ from: 10, to: 100, growth: 2, ofFloor: 1 }]);
  });

  it('a step that doubles the cost of bare sockets as well -> none', () => {
    expect(cliffs(points(3, 3, 6), points(1, 1, 2))).toEqual([]);
  });

  it('sockets become cheaper -> is no excuse and no charge', () => {
    expect(cliffs(points(3, 4), points(2, 1))).toEqual([]);
  });

  it('nothing to compare with -> the step alone counts', () => {
    expect(cliffs(points(3, 6), [])).toHaveLength(1);
  });
});

describe('within', () => {
  it('more than the limit on open files allows -> as much as it allows, once', () => {
    expect(within([1, 100, 10_000, 20_000], 900)).toEqual([1, 100, 900]);
  });
});

describe('chunksOf', () => {
  it('a frame -> single bytes', () => {
    const chunks = chunksOf('frame', 1000);
    expect(chunks.map(({ length }) => length)).toEqual(new Array(1008).fill(1));
  });

  it('fragments -> masked frames of one byte; the first has a type, the last FIN', () => {
    const all = Buffer.concat(chunksOf('fragments', 20_000));
    expect(all.length).toBe(140_000);
    const firsts = Array.from({ length: 20_000 }, (_, i) => all[7 * i]);
    expect(firsts).toEqual([0x02, ...new Array(19_998).fill(0x00), 0x80]);
  });
});

describe('hasReturned', () => {
  const memory = (heapUsed: number, external: number, rss: number) => ({
    heapUsed: heapUsed * MiB,
    external: external * MiB,
    rss: rss * MiB,
  });

  it.each([
    ['the same', memory(10, 4, 100), true],
    ['less', memory(5, 1, 60), true],
    ['3 MiB more on the heap', memory(13, 4, 100), false],
    ['3 MiB more outside of it', memory(10, 7, 100), false],
    ['70 MiB more RSS', memory(10, 4, 170), false],
  ])('%s -> told', (_, after, expected) => {
    expect(hasReturned({ baseline: memory(10, 4, 100), after })).toBe(expected);
  });
});

describe('pinRatio', () => {
  it('bytes on the heap and outside -> together, over those of ws at the same arrival', () => {
    const one = { arrival: 'alone', lib: 'hawser', heap: 100, external: 500 };
    const other = { ...one, lib: 'ws', heap: 100, external: 100 };
    expect(pinRatio(one, [one, { ...other, arrival: 'tail' }, other])).toBe(3);
  });
});

describe('growthOf', () => {
  const sample = (mib: number) => ({ heapUsed: mib * MiB, external: MiB, rss: 100 * MiB });

  it('memory that grows at first and then stays -> did not grow', () => {
    expect(growthOf([5, 12, 20, 20, 21, 20, 20, 20, 21].map(sample)).some((one) => one.hasGrown)).toBe(false);
  });

  it('memory that grows on and on -> the heap grew, the rest did not', () => {
    const growth = growthOf([10, 12, 14, 16, 18, 20, 22, 24, 26].map(sample));
    expect(growth.map((one) => one.hasGrown)).toEqual([true, false, false]);
  });
});

describe('bench/growth.mjs', () => {
  it('one series over sockets and one in memory -> a cost for every step, a table and charts', async () => {
    const args = ['--rounds', '1', '--seconds', '0.05', '--warmup', '0'];
    const { results, stdout, out } = await run('growth', '--series', 'segment', '--at', '1,4', ...args);
    const costs = results.series.segment.rows.map((row: { cost: number }) => row.cost);
    expect(costs).toEqual([expect.any(Number), expect.any(Number)]);
    expect(Math.min(...costs)).toBeGreaterThan(0);
    expect(stdout).toContain('frames in a segment');
    expect(readFileSync(out.replace('.json', '-segment.svg'), 'utf8')).toContain('<svg');
    const second = await run('growth', '--series', 'frame', '--at', '2000', ...args);
    expect(second.results.series.frame.rows[0].cost).toBeGreaterThan(0);
    // What the first run found is still there.
    expect(second.results.series.segment.rows).toHaveLength(2);
  });

  it('a message in more fragments than a library takes -> measured without its limits, and said so', async () => {
    const { results } = await run('growth', '--series', 'fragments', '--at', '20000', '--rounds', '1');
    expect(results.series.fragments.rows[0].note).toContain('WS_ERR_TOO_MANY_BUFFERED_PARTS');
  });
});

describe('bench/delay.mjs', () => {
  it('every scenario in small -> replies to the small echoes, and what the event loop was late', async () => {
    const { results } = await run('delay', '--scale', '0.002', '--seconds', '0.05');
    expect(results.measurements.length).toBeGreaterThanOrEqual(12);
    for (const { scenario, echo, loop, times } of results.measurements) {
      expect(times, scenario).toBeGreaterThanOrEqual(3);
      expect(echo.count, scenario).toBeGreaterThan(0);
      expect(echo.max, scenario).toBeGreaterThan(0);
      expect(loop.max, scenario).toBeGreaterThan(0);
    }
  });
});

describe('bench/memory.mjs', () => {
  it('few messages -> memory before and after, and what kept ones pin', async () => {
    const { results } = await run('memory', '--messages', '500', '--connections', '3', '--kept', '128');
    expect(results.returns[0].messages).toBeGreaterThanOrEqual(550);
    expect(results.returns[0].after.heapUsed).toBeGreaterThan(0);
    for (const { arrival, kept } of results.pinned) expect(kept, arrival).toBe(128);
  });
});

describe('bench/soak.mjs', () => {
  it('moments of load -> samples while nobody is connected, of messages and connections of both kinds', async () => {
    const { results } = await run('soak', '--minutes', '0.01', '--samples', '6', '--connections', '3');
    expect(results.samples).toHaveLength(6);
    for (const sample of results.samples) expect(sample.connections).toBe(0);
    expect(results.samples.at(-1).messages).toBeGreaterThan(30_000);
    expect(results.samples.at(-1).opened).toBeGreaterThan(18);
  });
});
