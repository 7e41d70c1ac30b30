// The charts of bench/svg.mjs: well-formed whatever the labels say, and drawn inside of the picture whatever the values are.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const bench = join(__dirname, '../../bench');
// biome-ignore lint/suspicious/noExplicitAny: the programs of bench/ have no declarations
type Program = any;
let svg: Program;
let parts: Program;

beforeAll(async () => {
  svg = await import(pathToFileURL(join(bench, 'svg.mjs')).href);
  parts = await import(pathToFileURL(join(bench, 'svg-parts.mjs')).href);
});

/** Throws unless every element is closed by its own name, and text and attributes are escaped. */
function expectWellFormed(xml: string): void {
  const open: string[] = [];
  const rest = xml.replace(
    /<(\/?)([a-z]+)((?: [a-zA-Z0-9:-]+="[^"<&]*(?:&[a-z]+;[^"<&]*)*")*)(\/?)>/g,
    (_, closes, name, _attributes, isEmpty) => {
      if (closes) expect(open.pop()).toBe(name);
      else if (!isEmpty) open.push(name);
      return '';
    },
  );
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]|&(?!(amp|lt|gt|quot);)/);
}

/** Every place that is drawn, as numbers of the attributes that hold places. */
function placesIn(xml: string): number[] {
  const single = [...xml.matchAll(/ (?:x|y|x1|y1|x2|y2|cx|cy|width|height)="([^"]*)"/g)].map((match) =>
    Number(match[1]),
  );
  const points = [...xml.matchAll(/ points="([^"]*)"/g)].flatMap((match) =>
    match[1]!.split(/[ ,]/).map(Number),
  );
  return [...single, ...points];
}

function expectInside(xml: string): void {
  const height = Number(/height="([^"]*)"/.exec(xml)?.[1]);
  for (const place of placesIn(xml)) {
    expect(place).toBeGreaterThanOrEqual(0);
    expect(place).toBeLessThanOrEqual(Math.max(800, height));
  }
}

const HOSTILE = 'a<b> & "c" \u0000\u0008\ud800\ufffe </text><script>';

describe('lineChart', () => {
  it.each<[string, [number, number][], boolean]>([
    ['no point', [], false],
    ['one point', [[5, 3]], false],
    ['one point, logarithmic', [[5, 3]], true],
    [
      'zeros',
      [
        [0, 0],
        [1, 0],
      ],
      false,
    ],
    [
      'zeros on axes that should be logarithmic',
      [
        [0, 0],
        [1, 0],
      ],
      true,
    ],
    [
      'equal values',
      [
        [1, 7],
        [2, 7],
        [3, 7],
      ],
      false,
    ],
    [
      'equal values, logarithmic',
      [
        [1, 7],
        [10, 7],
        [100, 7],
      ],
      true,
    ],
    [
      'negative values',
      [
        [1, -5],
        [2, 5],
      ],
      false,
    ],
    [
      'nine decades',
      [
        [1, 1e-4],
        [1e6, 1e5],
      ],
      true,
    ],
    [
      'what is no number',
      [
        [1, Number.NaN],
        [2, 3],
        [Number.POSITIVE_INFINITY, 4],
      ],
      false,
    ],
  ])('%s -> well-formed, inside of the picture', (_, points, log) => {
    const series = [
      { label: 'one', points },
      { label: 'two', points },
    ];
    const xml = svg.lineChart({ title: 't', x: { label: 'x', log }, y: { label: 'y', log }, series });
    expectWellFormed(xml);
    expectInside(xml);
    expect(xml).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('labels that are markup -> text, in title, description and legend', () => {
    const xml = svg.lineChart({
      title: HOSTILE,
      subtitle: HOSTILE,
      x: { label: HOSTILE },
      series: [{ label: HOSTILE, points: [[1, 1]] }],
    });
    expectWellFormed(xml);
    expect(xml).not.toContain('<script>');
    expect(xml).toContain('a&lt;b&gt; &amp; &quot;c&quot;');
    expect(xml).not.toMatch(/[\x00-\x08\ud800-\udfff\ufffe]/);
  });

  it('lines that end in one place -> names that do not overlap', () => {
    const series = ['a', 'b', 'c', 'd'].map((label) => ({
      label,
      points: [
        [1, 1],
        [2, 5],
      ],
    }));
    const xml: string = svg.lineChart({ title: 't', series });
    const heights = ['a', 'b', 'c', 'd'].map((label) =>
      Number(new RegExp(`y="([^"]*)"[^>]*>${label}<`).exec(xml)?.[1]),
    );
    heights.sort((a, b) => a - b);
    const highestLine = Math.min(
      ...[...xml.matchAll(/class="grid"[^>]* y1="([^"]*)"/g)].map((match) => Number(match[1])),
    );
    expect(heights[0]).toBeGreaterThanOrEqual(highestLine);
    for (let i = 1; i < heights.length; i++) expect(heights[i]! - heights[i - 1]!).toBeGreaterThanOrEqual(14);
  });

  it('is an image with a title and a description that has the numbers', () => {
    const xml = svg.lineChart({ title: 'Cost', series: [{ label: 'one', points: [[64, 0.37]] }] });
    expect(xml).toMatch(/^<svg [^>]*role="img">\n<title>Cost<\/title>\n<desc>[^<]*one: 64 0.37<\/desc>/);
    expect(xml).toContain('prefers-color-scheme: dark');
  });
});

describe('barChart', () => {
  const groups = (...values: number[]) => [
    { label: 'g', bars: values.map((value, i) => ({ label: `lib${i}`, value })) },
  ];

  it.each<[string, number[], boolean]>([
    ['no bar', [], false],
    ['one bar', [4], false],
    ['zeros', [0, 0], false],
    ['zeros on a logarithmic axis', [0, 0], true],
    ['equal values', [3, 3], true],
    ['ones, with the baseline at one', [1, 1], true],
    ['a value that is missing', [Number.NaN, 2], false],
    ['much less and much more', [0.001, 40_000], true],
  ])('%s -> well-formed, inside of the picture, with and without a baseline', (_, values, log) => {
    for (const baseline of [undefined, { value: 1, label: 'lib0' }]) {
      const xml = svg.barChart({
        title: 't',
        unit: 'u',
        log,
        groups: groups(...values),
        ...(baseline && { baseline }),
      });
      expectWellFormed(xml);
      expectInside(xml);
      expect(xml).not.toMatch(/NaN|Infinity|undefined/);
    }
  });

  it('with a baseline, half as much and twice as much -> bars of one length on either side of it', () => {
    const xml: string = svg.barChart({
      title: 't',
      log: true,
      groups: groups(0.5, 2),
      baseline: { value: 1, label: 'x' },
    });
    const bars = [...xml.matchAll(/<rect class="f\d" x="([^"]*)" y="[^"]*" width="([^"]*)"/g)];
    const [left, right] = bars.map((match) => ({ x: Number(match[1]), width: Number(match[2]) }));
    expect(left!.width).toBeCloseTo(right!.width, 0);
    expect(left!.x + left!.width).toBeCloseTo(right!.x, 0);
  });

  it('labels that are markup, or longer than their place -> text that is cut or wrapped', () => {
    const long = 'a very long name of a case '.repeat(6);
    const bars = [{ label: `${HOSTILE}${'w'.repeat(99)}`, value: 1, text: HOSTILE }];
    const xml = svg.barChart({ title: long, subtitle: long, groups: [{ label: long, note: HOSTILE, bars }] });
    expectWellFormed(xml);
    expect(xml).toContain('…');
  });
});

describe('scaleFor', () => {
  it.each([
    [[1, 20], true, [1, 2, 5, 10, 20]],
    [[0, 9], false, [0, 2, 4, 6, 8, 10]],
    [[-3, 4], false, [-4, -2, 0, 2, 4]],
    [[1e-3, 1e6], true, [1e-3, 0.1, 10, 1e3, 1e5]],
  ])('%j, log %s -> ticks %j', (values, log, ticks) => {
    const scale = parts.scaleFor(values, { log }, [0, 100]);
    expect(scale.ticks.map((tick: number) => Number(tick.toPrecision(6)))).toEqual(ticks);
    expect([scale.at(scale.low), scale.at(scale.high)]).toEqual([0, 100]);
  });
});
