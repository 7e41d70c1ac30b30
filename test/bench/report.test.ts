// What bench/ makes of measurements and of its command line: medians, ratios within rounds, options, what is left to do.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const bench = join(__dirname, '../../bench');
// biome-ignore lint/suspicious/noExplicitAny: the programs of bench/ have no declarations
type Program = any;
const load = (name: string): Promise<Program> => import(pathToFileURL(join(bench, `${name}.mjs`)).href);
let report: Program;
let options: Program;
let charts: Program;
let progress: Program;

beforeAll(async () => {
  [report, options, charts, progress] = await Promise.all(
    ['report', 'options', 'charts', 'progress'].map(load),
  );
});

/** Measurements of one case; a library's numbers are those of its rounds. */
function measurements(cpuUs: Record<string, number[]>, name = 'echo-64') {
  return Object.entries(cpuUs).flatMap(([lib, rounds]) =>
    rounds.map((value, round) => ({ case: name, kind: 'echo', lib, round, numbers: { cpuUs: value } })),
  );
}

const HEADER = {
  date: '2026-01-02T03:04:05.000Z',
  machine: '2 x Fast <CPU>',
  node: 'v20.0.0',
  v8: '11',
  commit: 'abc',
  loadAverage: 0.1,
  method: '3 rounds',
  peers: { hawser: 'hawser 1.2.3', ws: 'ws 8.0.0' },
};

describe('summarize', () => {
  it('a machine that was slow in one round -> ratios of that round alone, and their median', () => {
    const lines = report.summarize(measurements({ hawser: [1, 10, 2], ws: [4, 50, 12] }), 'hawser');
    expect(lines[1].ratio).toEqual({ median: 5, least: 4, most: 6 });
    expect(lines[1].median.cpuUs).toBe(12);
    expect([lines[1].least, lines[1].most]).toEqual([4, 50]);
  });

  it('a round that the reference lacks -> no ratio for it', () => {
    const all = measurements({ hawser: [1, 1], ws: [3, 5] });
    const lines = report.summarize(
      all.filter((one) => one.lib === 'ws' || one.round === 0),
      'hawser',
    );
    expect(lines[1].ratio.median).toBe(3);
    const alone = report.summarize(measurements({ ws: [3] }), 'hawser');
    expect(alone[0].ratio).toBeNull();
  });

  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
    [[7], 7],
  ])('the median of %j -> %d', (values, middle) => expect(report.median(values)).toBe(middle));
});

describe('formatRatios', () => {
  it('a row per case, a column per library; a tilde where the rounds do not agree', () => {
    const all = [
      ...measurements({ hawser: [1, 1, 1], ws: [20, 21, 19], raw: [0.9, 1.1, 0.8] }),
      ...measurements({ hawser: [2], ws: [3] }, 'echo-1k'),
    ];
    const rows = report.formatRatios(report.summarize(all, 'hawser'), 'hawser').split('\n');
    expect(rows.map((row: string) => row.trim().split(/ {2,}/))).toEqual([
      ['in short', 'hawser', 'ws / hawser', 'raw / hawser'],
      ['echo-64', '1.00 µs', '20.0x', '~0.90x'],
      ['echo-1k', '2.00 µs', '1.50x', '-'],
    ]);
  });

  it('one library -> no table of ratios', () => {
    expect(report.formatRatios(report.summarize(measurements({ ws: [1] }), 'ws'), 'ws')).toBe('');
  });
});

describe('drawCharts', () => {
  it('CPU times of two libraries -> one chart, with machine, versions, the absolute number and the ratio', () => {
    const summary = report.summarize(measurements({ hawser: [0.5, 0.5], ws: [10, 11] }), 'hawser');
    const drawn = charts.drawCharts({ header: HEADER, reference: 'hawser', summary });
    expect(Object.keys(drawn)).toEqual(['']);
    for (const part of ['2 x Fast &lt;CPU&gt;', 'hawser 1.2.3 · ws 8.0.0', '0.50 µs', '21.0x', '3 rounds']) {
      expect(drawn['']).toContain(part);
    }
  });

  it('one library -> no chart of ratios', () => {
    const summary = report.summarize(measurements({ hawser: [0.5] }), 'hawser');
    expect(charts.drawCharts({ header: HEADER, summary })).toEqual({});
  });

  it('idle connections and latencies -> charts of their own', () => {
    const idle = { case: 'idle', kind: 'idle', lib: 'hawser', round: 0, numbers: { rssBytes: 8192 } };
    const numbers = { cpuUs: 9, p50: 80, p99: 200, p999: 900 };
    const late = { case: 'latency-64', kind: 'latency', lib: 'hawser', round: 0, numbers };
    const drawn = charts.drawCharts({ header: HEADER, summary: report.summarize([idle, late], 'hawser') });
    expect(Object.keys(drawn)).toEqual(['-memory', '-latency']);
    expect(drawn['-memory']).toContain('8.00 KiB');
    expect(drawn['-latency']).toContain('900 µs');
  });
});

describe('parseOptions', () => {
  it('nothing -> the table, in short rounds; with a case, the longer ones', () => {
    const table = options.parseOptions([]);
    expect(table.isTable).toBe(true);
    expect(table.names).toContain('echo-64');
    expect(table.plan).toMatchObject({ rounds: 3, seconds: 1 });
    expect(options.parseOptions(['--case', 'echo-1k']).plan).toMatchObject({ rounds: 5, seconds: 3 });
  });

  it('--peer and --lib, several times and with commas -> one list', () => {
    expect(options.parseOptions(['--peer', 'hawser,ws', '--lib', 'raw']).libs).toEqual([
      'hawser',
      'ws',
      'raw',
    ]);
  });

  it('kinds, beginnings and names -> cases, each once', () => {
    const { names } = options.parseOptions(['--case', 'idle,deflate-json-1k*,echo-64', '--case', 'echo-64']);
    expect(names.slice(0, 1)).toEqual(['idle']);
    expect(names).toContain('deflate-json-1k-takeover');
    expect(names.filter((name: string) => name === 'echo-64')).toHaveLength(1);
  });

  it('--size, --depth, --connections -> overrides of the case', () => {
    const { plan } = options.parseOptions(['--case', 'echo-64', '--size', '100', '--depth', '2']);
    expect(plan.overrides).toMatchObject({ payloadBytes: 100, depth: 2, connections: undefined });
  });

  it.each([
    [['--case', 'nope'], 'no case is called nope'],
    [['--rounds', '0'], '--rounds must be between'],
    [['--rounds', ''], '--rounds must be between'],
    [['--seconds', 'x'], '--seconds must be between'],
    [['--depth', '-1'], 'depth'],
    [['--connections', '1e9'], 'connections must be between'],
    [['--what'], '--what'],
    [['word'], 'word'],
  ])('%j -> an error that says %s', (args, message) => {
    expect(() => options.parseOptions(args)).toThrow(message);
  });

  it('peers that are not installed -> hawser and raw', () => {
    expect(options.tablePeers(() => false)).toEqual(['hawser', 'raw']);
    expect(options.tablePeers((name: string) => name === 'ws')).toEqual(['hawser', 'ws', 'raw']);
  });
});

describe('progress', () => {
  it('the time left is the mean of what was done, and a guess before', () => {
    expect(progress.secondsLeft(0, 10, 0, 2)).toBe(20);
    expect(progress.secondsLeft(5, 10, 15, 2)).toBe(15);
  });

  it.each([
    [0, '0 s'],
    [61, '1 min 01 s'],
    [3660, '1 h 01 min'],
  ])('%d seconds -> %s', (seconds, text) => expect(progress.formatDuration(seconds)).toBe(text));

  function written(isTTY: boolean): string {
    let all = '';
    const stream = { isTTY, columns: 40, write: (text: string) => (all += text) };
    const shown = new progress.Progress(4, 1, stream);
    for (const name of ['echo-64', 'echo-64', 'echo-1k', 'echo-1k']) {
      shown.begin(name, 'round 1');
      shown.end();
    }
    shown.clear();
    return all;
  }

  it('on a terminal -> one line that is written over, never wider than the terminal', () => {
    const lines = written(true).split('\r\x1b[2K').slice(1);
    expect(lines).toHaveLength(5);
    expect(lines.at(-1)).toBe('');
    expect(lines[2]).toMatch(/^\[#{12}\.{12}\] 2\/4/);
    for (const line of lines) expect(line.length).toBeLessThan(40);
  });

  it('elsewhere -> a plain line for each case', () => {
    expect(written(false).trimEnd().split('\n')).toHaveLength(2);
    expect(written(false)).not.toContain('\x1b');
  });
});
