// The programs of examples/ run as they are, in a copy of the package that holds the sources of now; each checks itself.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compiledSources } from '../support/compiled.js';

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'hawser-examples-'));
  cpSync('package.json', join(copy, 'package.json'));
  cpSync('examples', join(copy, 'examples'), { recursive: true });
  symlinkSync(compiledSources(), join(copy, 'dist'), 'junction');
  symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'), 'junction');
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

function run(name: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join('examples', name)], {
    cwd: copy,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

/** What the last line says; it shows that the check ran. */
const CONCLUSIONS: Record<string, RegExp> = {
  'agent-through-flaky-proxy.mjs': /^300 updates, each once and in order, [1-9]\d* drops survived$/,
  'market-data.mjs': /^every symbol ended with its latest price, and never went back in time$/,
  'mcp-client.mjs': /^counted to 10, told in 10 steps$/,
  'shared-state.mjs': /^all 7 agents know the latest of all; the slow one read \d+ of 500 changes$/,
  'tool-calling-agent.mjs':
    /^an answer with every word in its place; 3 tools ran once, 1 of them cancelled; 2 drops survived$/,
};

/** For other programs to import. */
const MODULES = ['mcp-server.mjs', 'opentelemetry.mjs'];

it('every program has its test', () => {
  const programs = readdirSync('examples').filter((name) => name.endsWith('.mjs') && !MODULES.includes(name));
  expect(programs).toEqual(Object.keys(CONCLUSIONS));
});

it.each(Object.entries(CONCLUSIONS))('%s succeeds, and says why', { timeout: 90_000 }, (name, conclusion) => {
  const { status, stdout, stderr } = run(name);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(conclusion);
});
