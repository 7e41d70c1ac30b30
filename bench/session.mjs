// A run: every library in turn, round by round and case by case; then a table on the terminal, and a file and charts in
// results/.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CASES, caseNamed } from './cases.mjs';
import { writeCharts } from './charts.mjs';
import { DoesNotApply, measure } from './measure.mjs';
import { formatDuration, Progress } from './progress.mjs';
import { describeRun, formatHeader, formatTables, summarize } from './report.mjs';

const BUILD = fileURLToPath(new URL('../scripts/build.mjs', import.meta.url));
/** Starting and ending the processes of one measurement, and connecting; for the first guess of the time left. */
const OVERHEAD_SECONDS = 0.6;

/** @typedef {ReturnType<typeof import('./options.mjs').parseOptions>} Options */

/** Builds this checkout's dist/ if it is not there or older than its sources. */
export function buildIfNeeded() {
  const { status } = spawnSync(process.execPath, [BUILD, '--if-needed'], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('hawser could not be built (npm ci installs what the build needs)');
}

/** @param {string[]} names @param {string[]} libs @param {import('./measure.mjs').Plan} plan */
async function runAll(names, libs, plan) {
  const header = describeRun(plan);
  /** @type {import('./report.mjs').Measurement[]} */ const measurements = [];
  /** @type {string[]} */ const failures = [];
  const broken = new Set();
  const progress = new Progress(
    names.length * plan.rounds * libs.length,
    plan.seconds + plan.warmup + OVERHEAD_SECONDS,
  );
  for (const name of names) {
    for (let round = 0; round < plan.rounds; round++) {
      for (let turn = 0; turn < libs.length; turn++) {
        // Another library begins in each round, so that none always runs after the same one.
        const lib = /** @type {string} */ (libs[(round + turn) % libs.length]);
        progress.begin(name, `round ${round + 1}  ${lib.split('=')[0]}`);
        try {
          if (broken.has(`${name} ${lib}`)) continue;
          const { label, description, numbers } = await measure(name, lib, plan);
          header.peers[label] = description;
          measurements.push({ case: name, kind: caseNamed(name).kind, lib: label, round, numbers });
        } catch (error) {
          broken.add(`${name} ${lib}`);
          const { message } = /** @type {Error} */ (error);
          // A peer that has not what a case is about did not fail.
          if (!(error instanceof DoesNotApply))
            failures.push(`${name}, ${lib}, round ${round + 1}: ${message}`);
        } finally {
          progress.end();
        }
      }
    }
  }
  progress.clear();
  return { header, measurements, failures };
}

/**
 * Measures, prints and writes.
 *
 * @param {Options} options
 * @param {string[]} libs
 * @param {{ prefix?: string, peers?: Record<string, string> }} [about] of the file's name; what to call the libraries
 */
export async function runBench({ names, plan, out, drawsCharts }, libs, { prefix = '', peers = {} } = {}) {
  const { header, measurements, failures } = await runAll(names, libs, plan);
  Object.assign(header.peers, peers);
  const reference = String(libs[0]).split('=')[0] ?? '';
  const summary = summarize(measurements, reference);
  const results = { header, reference, summary, measurements, failures };
  console.log(`${formatHeader(header)}\n\n${formatTables(summary, reference)}`);

  const date = header.date.replaceAll(':', '-').slice(0, 19);
  const file = out ?? join(import.meta.dirname, 'results', `${prefix}${date}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
  const written = [file, ...(drawsCharts ? writeCharts(results, file) : [])];
  console.log(`\nwritten  ${written.join('\n         ')}`);
  for (const failure of failures) console.error(`failed: ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}

/** @param {Options} options @param {number} libs */
export function announce({ names, plan }, libs) {
  const seconds = names.length * libs * plan.rounds * (plan.seconds + plan.warmup + OVERHEAD_SECONDS);
  console.error(
    `bench: ${names.length} cases, ${libs} libraries, ${plan.rounds} rounds of ${plan.seconds} s: about ${formatDuration(seconds)}`,
  );
}

/** The text of --help or of --list, if either was asked for. @param {Options} options @param {string} usage */
export function informationFor({ wantsHelp, wantsList }, usage) {
  if (wantsHelp) return usage;
  if (!wantsList) return undefined;
  return Object.entries(CASES)
    .map(([name, { about }]) => `${name.padEnd(26)} ${about}`)
    .join('\n');
}
