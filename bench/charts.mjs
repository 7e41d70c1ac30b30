// The charts of a run, from its JSON: CPU time and memory as multiples of the first library's, and latency.
import { writeFileSync } from 'node:fs';
import { CASES } from './cases.mjs';
import { formatMain, short, times } from './report.mjs';
import { barChart } from './svg.mjs';

/**
 * @typedef {object} Results
 * @property {ReturnType<typeof import('./report.mjs').describeRun>} header
 * @property {string} [reference]
 * @property {import('./report.mjs').Line[]} summary
 */

/** Machine, versions and method, as they stand under each title. @param {Results['header']} header */
function subtitleOf(header) {
  return [
    `${header.machine} · Node ${header.node} · commit ${header.commit} · ${header.date.slice(0, 10)}`,
    Object.values(header.peers).join(' · '),
    header.method,
  ].join('\n');
}

/**
 * A group for each case: what the reference needs, and how many times that the others need.
 *
 * @param {import('./report.mjs').Line[]} lines
 * @param {string} reference
 */
function ratioGroups(lines, reference) {
  return [...new Set(lines.map((line) => line.case))].map((name) => ({
    label: name,
    note: CASES[name]?.about ?? '',
    bars: lines
      .filter((line) => line.case === name && line.ratio !== null)
      .map(({ lib, ratio, rounds, ...line }) => {
        if (ratio === null || lib === reference) return { label: lib, value: 1, text: formatMain(line) };
        const { median, least, most } = ratio;
        const bar = { label: lib, value: median, text: times(median) };
        return rounds > 1 ? { ...bar, range: /** @type {[number, number]} */ ([least, most]) } : bar;
      }),
  }));
}

/**
 * @param {Results} results
 * @returns {Record<string, string>} SVG by what comes after the name of the results' file
 */
export function drawCharts({ header, summary, reference = summary[0]?.lib ?? '' }) {
  /** @type {Record<string, string>} */ const charts = {};
  const subtitle = subtitleOf(header);
  const ratios = (/** @type {string} */ title, /** @type {string} */ unit, /** @type {string} */ main) => {
    const lines = summary.filter((line) => line.main === main);
    if (!lines.some(({ lib, ratio }) => lib !== reference && ratio !== null)) return undefined;
    return barChart({
      title,
      subtitle,
      unit: `${unit}, as a multiple of what ${reference} needs; thin lines: least and most of the rounds`,
      log: true,
      format: (value) => `${short(value).replace(/\.0+$/, '')}x`,
      baseline: { value: 1, label: reference },
      groups: ratioGroups(lines, reference),
    });
  };
  const cpu = ratios('CPU time for the same work: shorter is better', 'CPU time per message', 'cpuUs');
  if (cpu !== undefined) charts[''] = cpu;
  const memory = ratios('Memory of an open connection: shorter is better', 'RSS per connection', 'rssBytes');
  if (memory !== undefined) charts['-memory'] = memory;
  const latencies = summary.filter((line) => line.kind === 'latency');
  if (latencies.length > 0) {
    charts['-latency'] = barChart({
      title: 'Latency, counted from when a message was due',
      subtitle,
      unit: 'µs',
      log: true,
      groups: latencyGroups(latencies),
    });
  }
  return charts;
}

/** @param {import('./report.mjs').Line[]} lines */
function latencyGroups(lines) {
  const quantiles = /** @type {const} */ ([
    ['p50', 'median'],
    ['p99', '99 of 100 are faster'],
    ['p999', '999 of 1,000 are faster'],
  ]);
  return [...new Set(lines.map((line) => line.case))].flatMap((name) =>
    quantiles.map(([key, note]) => ({
      label: `${name}, ${key}`,
      note,
      bars: lines
        .filter((line) => line.case === name)
        .map(({ lib, median }) => ({
          label: lib,
          value: median[key] ?? Number.NaN,
          text: `${short(median[key] ?? Number.NaN)} µs`,
        })),
    })),
  );
}

/** @param {Results} results @param {string} file the JSON, beside which they go @returns {string[]} the files */
export function writeCharts(results, file) {
  return Object.entries(drawCharts(results)).map(([suffix, svg]) => {
    const target = `${file.replace(/\.json$/, '')}${suffix}.svg`;
    writeFileSync(target, svg);
    return target;
  });
}
