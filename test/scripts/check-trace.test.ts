// The traceability check fails where a requirement is lost between code and tests, and keeps its table fresh.
// No id of a fixture is written out here: this file is searched for ids too.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const root = resolve(__dirname, '../..');
const script = join(root, 'scripts', 'check-trace.mjs');
const trees = mkdtempSync(join(tmpdir(), 'hawser-trace-'));
afterAll(() => rmSync(trees, { recursive: true, force: true }));

const id = (number: string) => `RFC${6455}-${number}`;
const requirement = (number: string, testable = true) => ({
  id: id(number),
  section: '5',
  level: 'MUST',
  role: 'both',
  testable,
  summary: `summary of ${number}`,
});

function makeTree(files: Record<string, string>): string {
  const tree = mkdtempSync(join(trees, 'tree-'));
  const requirements = [requirement('5.1-1'), requirement('5.1-2'), requirement('5.1-3', false)];
  const everything = { 'docs/requirements.json': JSON.stringify({ requirements }), ...files };
  for (const [name, text] of Object.entries(everything)) {
    mkdirSync(dirname(join(tree, name)), { recursive: true });
    writeFileSync(join(tree, name), text);
  }
  return tree;
}

function run(tree: string, ...options: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...options, tree], {
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

const cited = { 'src/wire/a.ts': `// [${id('5.1-1')}]`, 'test/wire/a.test.ts': `it('[${id('5.1-1')}] x')` };

describe('check-trace', () => {
  it('every cited requirement has code and test -> passes and counts', () => {
    const { status, output } = run(makeTree(cited));
    expect(output).toBe(
      'RFC6455: 2 testable requirements, 1 with code and test, 0 with test only, 0 with code only, 1 with neither\n',
    );
    expect(status).toBe(0);
  });

  it('code cites an id that does not exist -> fails and says where', () => {
    const { status, output } = run(makeTree({ ...cited, 'src/wire/b.ts': `\n// [${id('5.9-1')}]` }));
    expect(output).toContain(`src/wire/b.ts:2: there is no requirement ${id('5.9-1')}`);
    expect(status).toBe(1);
  });

  it('code cites a section instead of a requirement -> fails', () => {
    const { status, output } = run(makeTree({ ...cited, 'src/wire/b.ts': `// [${id('5.1')}]` }));
    expect(output).toContain(`there is no requirement ${id('5.1')} in`);
    expect(status).toBe(1);
  });

  it('a test cites an id that does not exist -> fails', () => {
    const { status, output } = run(makeTree({ ...cited, 'test/a.test.ts': `// ${id('5.9-1')}.` }));
    expect(output).toContain(`test/a.test.ts:1: there is no requirement ${id('5.9-1')} in`);
    expect(status).toBe(1);
  });

  it('code cites what no test cites -> fails and names the code', () => {
    const { status, output } = run(
      makeTree({ ...cited, 'src/wire/b.ts': `// [${id('5.1-1')}, ${id('5.1-2')}]` }),
    );
    expect(output).toContain(`${id('5.1-2')} is enforced in src/wire/b.ts, but no test cites it`);
    expect(output).not.toContain(`${id('5.1-1')} is enforced`);
    expect(status).toBe(1);
  });

  it('installed packages below test/ cite anything -> not looked at', () => {
    const installed = { 'test/interop/node_modules/x/index.js': `// ${id('5.9-1')}` };
    expect(run(makeTree({ ...cited, ...installed }))).toMatchObject({ status: 0 });
  });

  it('the table lists each requirement with its files', () => {
    const tree = makeTree(cited);
    run(tree);
    const lines = readFileSync(join(tree, 'docs/traceability.md'), 'utf8').split('\n');
    expect(lines).toContain(
      `| ${id('5.1-1')} | MUST | both | summary of 5.1-1 | [wire/a.ts](../src/wire/a.ts) | [wire/a.test.ts](../test/wire/a.test.ts) |`,
    );
    expect(lines).toContain(`| ${id('5.1-3')} | MUST | both | summary of 5.1-3 *(not testable)* |  |  |`);
  });

  it('--check, the table is fresh -> passes', () => {
    const tree = makeTree(cited);
    run(tree);
    expect(run(tree, '--check')).toMatchObject({ status: 0 });
  });

  it('--check, a citation came since -> fails and leaves the table alone', () => {
    const tree = makeTree(cited);
    run(tree);
    const before = readFileSync(join(tree, 'docs/traceability.md'), 'utf8');
    writeFileSync(join(tree, 'test/wire/b.test.ts'), `// ${id('5.1-2')}`);
    const { status, output } = run(tree, '--check');
    expect(output).toContain('docs/traceability.md is stale');
    expect(status).toBe(1);
    expect(readFileSync(join(tree, 'docs/traceability.md'), 'utf8')).toBe(before);
  });

  it('--check, there is no table -> fails', () => {
    expect(run(makeTree(cited), '--check')).toMatchObject({ status: 1 });
  });
});

it('hawser itself: each requirement that its code cites is tested, and the table is fresh', () => {
  expect(run(root, '--check')).toMatchObject({ status: 0 });
});
