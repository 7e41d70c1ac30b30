// Draws the charts of a run again, from its file: node bench/chart.mjs bench/results/X.json
import { readFileSync } from 'node:fs';
import { writeCharts } from './charts.mjs';

const files = process.argv.slice(2);
try {
  if (files.length === 0) throw new Error('name the JSON that a run has written, bench/results/X.json');
  for (const file of files) console.log(writeCharts(JSON.parse(readFileSync(file, 'utf8')), file).join('\n'));
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 2;
}
