// Every listed difference from npm `ws` is stated by a test, with what either package does.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DIFFERENCES, ROOT } from './implementations.js';

const directory = join(ROOT, 'test', 'behaviour');
const sources = readdirSync(directory)
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => readFileSync(join(directory, file), 'utf8'))
  .join('\n');

it.each(Object.keys(DIFFERENCES))('difference "%s" has a test that states both outcomes', (difference) => {
  const isStated = new RegExp(`differs\\(\\s*implementation,\\s*'${difference}',`).test(sources);
  expect(isStated).toBe(true);
});
