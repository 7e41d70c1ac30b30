// What is to be seen while cases run: on a terminal a bar, and a line for each case that is not OK; elsewhere a line for
// each case. And the summary at the end.

import { verdictText } from '../conform/report/verdict-table.js';
import type { CaseResult } from '../conform/result.js';
import { isPass, overallVerdict } from '../conform/verdict.js';
import { escapeLine, paletteFor } from './terminal.js';

const BAR_WIDTH = 24;
const VERDICT_WIDTH = 13;

export interface ProgressStream {
  isTTY?: boolean;
  /** Some terminals that have no size say 0. */
  columns?: number;
  write(text: string): unknown;
}

export class Progress {
  readonly #stream: ProgressStream;
  readonly #total: number;
  readonly #isLive: boolean;
  #done = 0;
  #failed = 0;

  constructor(total: number, stream: ProgressStream = process.stderr) {
    this.#total = total;
    this.#stream = stream;
    this.#isLive = stream.isTTY === true && process.env.TERM !== 'dumb';
  }

  result(result: CaseResult): void {
    this.#done++;
    if (!isPass(result)) this.#failed++;
    if (!this.#isLive || overallVerdict(result) !== 'OK') this.#line(describe(result, this.#stream));
    if (this.#isLive) this.#stream.write(this.#bar(result.id));
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#isLive) this.#stream.write('\r\x1b[K');
  }

  #line(text: string): void {
    this.#stream.write(`${this.#isLive ? '\r\x1b[K' : ''}${text}\n`);
  }

  #bar(id: string): string {
    const filled = Math.floor((this.#done / Math.max(1, this.#total)) * BAR_WIDTH);
    const bar = `${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}`;
    const failed = this.#failed === 0 ? '' : `, ${this.#failed} not passed`;
    const text = `[${bar}] ${this.#done}/${this.#total}${failed}  ${id}`;
    return `\r\x1b[K${text.slice(0, Math.max(20, (this.#stream.columns || 80) - 1))}`;
  }
}

function describe(result: CaseResult, stream: ProgressStream): string {
  const palette = paletteFor(stream);
  const word = overallVerdict(result).padEnd(VERDICT_WIDTH);
  const coloured = isPass(result)
    ? word.startsWith('OK')
      ? palette.green(word)
      : palette.cyan(word)
    : palette.red(word);
  const seconds = `${(result.durationMs / 1000).toFixed(2)} s`;
  return `${coloured} ${result.id}  ${palette.dim(seconds)}`;
}

/** The end of a run in words: how many of which verdict, and what happened in each case that did not pass. */
export function formatSummary(agent: string, results: readonly CaseResult[], total: number): string {
  const counts = new Map<string, number>();
  for (const result of results) {
    const word = overallVerdict(result);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const faults = results.filter((result) => !isPass(result));
  const lines = faults.map(
    (result) => `  ${result.id}  ${verdictText(result)}\n      ${escapeLine(result.finding)}\n`,
  );
  const words = [...counts].map(([word, count]) => `${count} ${word}`);
  if (results.length < total) words.push(`${total - results.length} did not run`);
  const passed = `${results.length - faults.length} of ${total} passed`;
  return `${lines.length === 0 ? '' : `\nNot passed:\n${lines.join('')}\n`}${escapeLine(agent)}: ${passed} (${words.join(', ')})\n`;
}
