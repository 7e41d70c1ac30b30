// The charts of a run, from its JSON: CPU time as multiples of the first library's, memory, and latency.
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
  const ofCpu = summary.filter((line) => line.main === 'cpuUs');
  if (ofCpu.some(({ lib, ratio }) => lib !== reference && ratio !== null)) {
    charts[''] = barChart({
      title: `CPU time per message, compared with ${reference}`,
      subtitle,
      unit: `multiple of what ${reference} needs: to the right costs more, to the left less (logarithmic; thin lines: least and most of the rounds)`,
      log: true,
      format: (value) => `${Number(value.toPrecision(3))}x`,
      baseline: { value: 1, label: reference },
      groups: ratioGroups(ofCpu, reference),
    });
  }
  const ofMemory = summary.filter((line) => line.main === 'rssBytes');
  if (ofMemory.length > 0) {
    charts['-memory'] = barChart({
      title: 'Memory of the server per open connection',
      subtitle,
      unit: 'KiB of RSS per connection (thin lines: least and most of the rounds)',
      groups: memoryGroups(ofMemory),
    });
  }
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
function memoryGroups(lines) {
  return [...new Set(lines.map((line) => line.case))].map((name) => ({
    label: name,
    note: CASES[name]?.about ?? '',
    bars: lines
      .filter((line) => line.case === name)
      .map((line) => ({
        label: line.lib,
        value: (line.median.rssBytes ?? Number.NaN) / 1024,
        text: formatMain(line),
        range: /** @type {[number, number]} */ ([line.least / 1024, line.most / 1024]),
      })),
  }));
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
