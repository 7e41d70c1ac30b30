// What the programs on growth, delay and memory leave behind: a table, a file of numbers, charts.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';

const folder = join(import.meta.dirname, 'results');

/** Columns of equal width; the first two are words. @param {string[][]} rows */
export function formatRows(rows) {
  const widths = /** @type {string[]} */ (rows[0]).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const pad = (/** @type {string} */ cell, /** @type {number} */ i) =>
    i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/**
 * @param {string} name
 * @param {object} numbers
 * @param {string} [out]
 */
export function writeResults(name, numbers, out = join(folder, `${name}.json`)) {
  mkdirSync(dirname(out), { recursive: true });
  const header = {
    date: new Date().toISOString(),
    machine: `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    node: process.version,
  };
  writeFileSync(out, `${JSON.stringify({ header, ...numbers }, null, 1)}\n`);
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
