// The files that `hawser conform` reads and writes: the directory of results, the reports, the baseline.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type BenchmarkRow, benchmarkRows, isBenchmarkReport } from '../conform/bench/report.js';
import { CASES } from '../conform/cases/index.js';
import {
  type AutobahnIndex,
  caseFiles,
  indexOf,
  mergeIndex,
  parseCaseFile,
  parseIndex,
  reportDataOf,
  type StoredCase,
} from '../conform/report/autobahn-json.js';
import {
  baselineOf,
  checkBaseline,
  formatDifferences,
  parseBaseline,
  serializeBaseline,
} from '../conform/report/baseline.js';
import { renderHtml } from '../conform/report/html.js';
import { renderJUnit } from '../conform/report/junit.js';
import { renderMarkdown } from '../conform/report/markdown.js';
import type { ReportData } from '../conform/report/report-data.js';
import type { CaseResult } from '../conform/result.js';
import { isPass } from '../conform/verdict.js';
import { EXIT, type ParsedArguments, UsageError } from './arguments.js';
import { readVersion } from './version.js';

/** Read early, so that a file that cannot be read is known before an hour of cases. @throws UsageError */
export function readBaselineOption(parsed: ParsedArguments, agent: string | undefined) {
  const file = parsed.value('baseline');
  if (file === undefined) return undefined;
  return readFile(file, (text) => parseBaseline(JSON.parse(text), agent));
}

export type BaselineOption = ReturnType<typeof readBaselineOption>;

/** Makes the directories of what is to be written, and reads the index that is there: early too. @throws UsageError */
export function prepareOutputs(parsed: ParsedArguments): void {
  const directory = parsed.value('out');
  if (directory !== undefined) {
    makeDirectory(directory);
    readIndex(directory);
  }
  for (const option of [...REPORTS.map((report) => report.option), 'write-baseline']) {
    const file = parsed.value(option);
    if (file === undefined) continue;
    makeDirectory(dirname(file));
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
      throw new UsageError(`--${option} ${file}: this is a directory`);
  }
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw new UsageError(`${directory}: ${(error as Error).message}`);
  }
}

/**
 * Writes what the options ask for, and says where.
 *
 * @param total how many cases were to run: fewer results are a failure
 * @returns the exit code of the run
 */
export function conclude(
  parsed: ParsedArguments,
  results: readonly CaseResult[],
  total: number,
  baseline: BaselineOption,
): number {
  const isWhole = writeAll(parsed, results, baseline) && results.length === total;
  if (baseline === undefined) return isWhole && results.every(isPass) ? EXIT.OK : EXIT.FAILED;
  const ran = new Set(results.map(({ id }) => id));
  const known = new Set(CASES.map(({ id }) => id));
  // An entry for a case that was not chosen is none of this run's business; one for a case that is gone is stale.
  const differences = checkBaseline(baseline, results, (id) => ran.has(id) || !known.has(id));
  process.stdout.write(formatDifferences(differences));
  return differences.length === 0 && isWhole ? EXIT.OK : EXIT.FAILED;
}

/** @returns whether everything that was asked for is written */
function writeAll(
  parsed: ParsedArguments,
  results: readonly CaseResult[],
  baseline: BaselineOption,
): boolean {
  let data = freshData(results);
  const directory = parsed.value('out');
  const isStored =
    directory === undefined ||
    attempt(directory, () => {
      writeDirectory(directory, data);
      data = readDirectory(directory);
    });
  const areReported = writeReports(parsed, data);
  const baselineFile = parsed.value('write-baseline');
  const known = new Set(CASES.map(({ id }) => id));
  const expected = (): string => serializeBaseline(baselineOf(results, baseline, known));
  const isKept = baselineFile === undefined || writeTo(baselineFile, expected);
  return isStored && areReported && isKept;
}

/** `hawser conform report DIR`. */
export function renderDirectory(parsed: ParsedArguments, operands: string[]): number {
  const [directory] = operands;
  if (directory === undefined || operands.length > 1) throw new UsageError('report takes one directory');
  const data = readDirectory(directory);
  if (data.results.length === 0) throw new UsageError(`${directory} has no results that hawser wrote`);
  if (!REPORTS.some(({ option }) => parsed.value(option) !== undefined)) {
    throw new UsageError('report needs --html, --junit or --markdown');
  }
  return writeReports(parsed, data) ? EXIT.OK : EXIT.FAILED;
}

const REPORTS: readonly { option: string; render: (data: ReportData) => string }[] = [
  { option: 'html', render: renderHtml },
  { option: 'junit', render: renderJUnit },
  { option: 'markdown', render: renderMarkdown },
];

/** @returns whether all that were asked for are written */
function writeReports(parsed: ParsedArguments, data: ReportData): boolean {
  const outcomes = REPORTS.map(({ option, render }) => {
    const file = parsed.value(option);
    return file === undefined || writeTo(file, () => render(data));
  });
  return outcomes.every(Boolean);
}

function made(): Pick<ReportData, 'generator' | 'createdAt'> {
  return { generator: `hawser ${readVersion()}`, createdAt: new Date().toISOString() };
}

function freshData(results: readonly CaseResult[]): ReportData {
  const ran = new Set(results.map(({ id }) => id));
  const agents = new Map(
    results.map(({ agent, subject }) => [`${subject} ${agent}`, { name: agent, subject }]),
  );
  return { ...made(), agents: [...agents.values()], cases: CASES.filter(({ id }) => ran.has(id)), results };
}

function writeDirectory(directory: string, data: ReportData): void {
  const index = mergeIndex(readIndex(directory), indexOf(data));
  mkdirSync(directory, { recursive: true });
  for (const { name, text } of caseFiles(data)) writeFileSync(join(directory, name), text);
  const indexFile = join(directory, 'index.json');
  writeFileSync(indexFile, `${JSON.stringify(index, null, 2)}\n`);
  process.stderr.write(`written: ${indexFile}\n`);
}

/** The index of a directory; without one, an empty index. */
function readIndex(directory: string): AutobahnIndex {
  const file = join(directory, 'index.json');
  return existsSync(file) ? readFile(file, (text) => parseIndex(JSON.parse(text))) : {};
}

/** All results of a directory, and the measurements of `hawser bench --out`. */
function readDirectory(directory: string): ReportData {
  const indexFile = join(directory, 'index.json');
  const index = readFile(indexFile, (text) => parseIndex(JSON.parse(text)));
  const files: StoredCase[] = [];
  for (const { reportfile } of Object.values(index).flatMap((cases) => Object.values(cases))) {
    files.push(readFile(join(directory, reportfile), (text) => parseCaseFile(JSON.parse(text))));
  }
  return { ...reportDataOf(files, made(), CASES), benchmarks: readBenchmarks(directory) };
}

function readBenchmarks(directory: string): BenchmarkRow[] {
  const names = readdirSync(directory).filter((name) => /^bench-.*\.json$/.test(name));
  return names.flatMap((name) => readFile(join(directory, name), parseBenchmark));
}

function parseBenchmark(text: string): BenchmarkRow[] {
  const report: unknown = JSON.parse(text);
  if (!isBenchmarkReport(report)) throw new Error('this is no report of hawser bench');
  return benchmarkRows(report);
}

/** @throws UsageError that names the file */
function readFile<T>(file: string, parse: (text: string) => T): T {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

/** @returns whether it worked */
function writeTo(file: string, text: () => string): boolean {
  return attempt(file, () => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text());
    process.stderr.write(`written: ${file}\n`);
  });
}

/** A file that cannot be written is said and passed over: what else there is to show for a long run is written all the same. */
function attempt(file: string, write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    process.stderr.write(`hawser: cannot write ${file}: ${(error as Error).message}\n`);
    return false;
  }
}
