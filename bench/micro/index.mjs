// All micro benchmarks one after the other, or those that are named: npm run bench:micro -- mask utf8
import { wanted } from './suite.mjs';

const NAMES = [
  'parser',
  'frame-writer',
  'mask',
  'utf8',
  'close-payload',
  'header-grammar',
  'deflate',
  'session',
  'rpc',
];

const unknown = wanted.filter((name) => !NAMES.includes(name));
if (unknown.length > 0) {
  console.error(`bench: no micro benchmark is called ${unknown.join(', ')}; there are ${NAMES.join(', ')}`);
  process.exitCode = 2;
} else {
  for (const name of wanted.length > 0 ? wanted : NAMES) await import(`./${name}.mjs`);
}
