// The traceability check fails where a requirement is lost between code, tests and conformance cases, and keeps its table
// fresh. No id of a fixture is written out here: this file is searched for ids too.

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
const requirement = (number: string, more: object = {}) => ({
  id: id(number),
  section: '5',
  level: 'MUST',
  role: 'both',
  testable: true,
  summary: `summary of ${number}`,
  ...more,
});
const requirements = (...list: object[]) => ({
  'docs/requirements.json': JSON.stringify({ requirements: list }),
});

/** The module of a built list of cases, each written as its id and the requirements that it lists. */
const cases = (list: Record<string, string[]>) =>
  `exports.LIST = ${JSON.stringify(Object.entries(list).map(([id, requirements]) => ({ id, requirements })))};`;
const builtCases = (list: Record<string, string[]>) => ({
  'dist/conform/cases/framing.js': cases(list),
  'dist/conform/cases/framing.d.ts': 'export declare const LIST: readonly { id: string }[];',
});

/** A tree in which one requirement has everything, one has reasons, and one is not testable. */
const complete = {
  ...requirements(
    requirement('5.1-1'),
    requirement('5.1-2', { reasons: { code: 'Nothing to do.', test: 'Not seen.', case: 'Not | seen.' } }),
    requirement('5.1-3', { testable: false }),
  ),
  'src/wire/a.ts': `// [${id('5.1-1')}]`,
  'test/wire/a.test.ts': `it('[${id('5.1-1')}] x')`,
  'dist/conform/cases/index.js': `exports.CASES = [...require('./framing.js').LIST];`,
  ...builtCases({ 'framing.one': [id('5.1-1')] }),
};

function makeTree(files: Record<string, string>): string {
  const tree = mkdtempSync(join(trees, 'tree-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, name)), { recursive: true });
    writeFileSync(join(tree, name), text);
  }
  return tree;
}

function run(tree: string, ...options: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...options, tree], {
    encoding: 'utf8',
  });
  return { status, stdout, problems: stderr };
}

const runOn = (files: Record<string, string>) => run(makeTree(files));
const without = (name: keyof typeof complete) => ({ ...complete, [name]: '' });

function tableOf(files: Record<string, string>): string[] {
  const tree = makeTree(files);
  run(tree);
  return readFileSync(join(tree, 'docs/traceability.md'), 'utf8').split('\n');
}

describe('what a requirement has', () => {
  it('code, test and case, or reasons -> passes and counts', () => {
    const { status, stdout, problems } = runOn(complete);
    expect(problems).toBe('');
    expect(stdout).toBe(
      'RFC6455: 2 testable requirements, 1 with code, test and case' +
        ' (code 1, a reason 1, neither 0; test 1, a reason 1, neither 0; case 1, a reason 1, neither 0)\n',
    );
    expect(status).toBe(0);
  });

  it.each([
    ['code', without('src/wire/a.ts')],
    ['test', without('test/wire/a.test.ts')],
    ['case', { ...complete, ...builtCases({}) }],
  ])('no %s and no reason -> fails and says which', (column, files) => {
    expect(runOn(files)).toMatchObject({
      status: 1,
      problems: `${id('5.1-1')}: it has no ${column}, and docs/requirements.json does not say why\n`,
    });
  });

  it.each(['src/conform/a.ts', 'src/cli/a.ts'])('code only in %s -> does not count', (name) => {
    const files = { ...without('src/wire/a.ts'), [name]: `// [${id('5.1-1')}]` };
    expect(runOn(files).problems).toContain(`${id('5.1-1')}: it has no code,`);
  });

  it.each(['test/conform/a.test.ts', 'test/cli/a.test.ts'])('a test only in %s -> does not count', (name) => {
    const files = { ...without('test/wire/a.test.ts'), [name]: `it('[${id('5.1-1')}] x')` };
    expect(runOn(files).problems).toContain(`${id('5.1-1')}: it has no test,`);
  });

  it('the cases are not built -> fails and says so', () => {
    const { 'dist/conform/cases/index.js': _, ...unbuilt } = complete;
    const { status, problems } = runOn(unbuilt);
    expect(problems).toContain('dist/conform/cases/index.js is not there');
    expect(problems).toContain('build first');
    expect(status).toBe(1);
  });
});

describe('reasons', () => {
  const withReasons = (reasons: object) => ({
    ...complete,
    ...requirements(requirement('5.1-1', { reasons })),
  });

  it.each([
    ['code', 'wire/a.ts'],
    ['test', 'wire/a.test.ts'],
    ['case', 'framing.one'],
  ])('a reason for no %s where there is one -> stale, fails', (column, first) => {
    expect(runOn(withReasons({ [column]: 'It cannot be.' }))).toMatchObject({
      status: 1,
      problems: `${id('5.1-1')}: the reason for having no ${column} is stale: there is ${first}\n`,
    });
  });

  it('a reason without words -> fails', () => {
    const files = { ...withReasons({ code: ' ' }), 'src/wire/a.ts': '' };
    expect(runOn(files)).toMatchObject({
      status: 1,
      problems: `${id('5.1-1')}: the reason for having no code is empty\n`,
    });
  });

  it('a reason for something else -> fails', () => {
    expect(runOn(withReasons({ tests: 'Plural.' }))).toMatchObject({
      status: 1,
      problems: `${id('5.1-1')}: "tests" is neither code, test nor case\n`,
    });
  });
});

describe('ids that do not exist', () => {
  it.each(['src/wire/b.ts', 'src/cli/b.ts', 'src/conform/b.ts', 'test/b.test.ts', 'test/cli/b.test.ts'])(
    'cited in %s -> fails and says where',
    (name) => {
      const { status, problems } = runOn({ ...complete, [name]: `\n// [${id('5.9-1')}].` });
      expect(problems).toBe(`${name}:2: there is no requirement ${id('5.9-1')} in docs/requirements.json\n`);
      expect(status).toBe(1);
    },
  );

  it('a section instead of a requirement -> fails', () => {
    const { status, problems } = runOn({ ...complete, 'src/wire/b.ts': `// [${id('5.1')}]` });
    expect(problems).toContain(`there is no requirement ${id('5.1')} in`);
    expect(status).toBe(1);
  });

  it('the beginning of one that is put together -> not looked up', () => {
    for (const start of ['10.', '10.1-', '1']) {
      const text = `\`${id(start)}\${n}\``;
      expect(runOn({ ...complete, 'test/b.test.ts': text })).toMatchObject({ status: 0 });
    }
  });

  it('listed by a case -> fails and names the case', () => {
    const list = builtCases({ 'framing.one': [id('5.1-1'), id('5.9-1')] });
    const { status, problems } = runOn({ ...complete, ...list });
    expect(problems).toBe(
      `case framing.one: there is no requirement ${id('5.9-1')} in docs/requirements.json\n`,
    );
    expect(status).toBe(1);
  });

  it('cited by installed packages below test/ -> not looked at', () => {
    const installed = { 'test/interop/node_modules/x/index.js': `// ${id('5.9-1')}` };
    expect(runOn({ ...complete, ...installed })).toMatchObject({ status: 0 });
  });
});

describe('the table', () => {
  it('leads from each requirement to its files and cases', () => {
    expect(tableOf(complete)).toContain(
      `| ${id('5.1-1')} | MUST | both | summary of 5.1-1 | [wire/a.ts](../src/wire/a.ts) | ` +
        `[wire/a.test.ts](../test/wire/a.test.ts) | [framing.one](../src/conform/cases/framing.ts) |`,
    );
  });

  it('shows reasons in place of what is missing, with bars that do not end the cell', () => {
    const row = `| ${id('5.1-2')} | MUST | both | summary of 5.1-2 | *Nothing to do.* | *Not seen.* | *Not \\| seen.* |`;
    expect(tableOf(complete)).toContain(row);
  });

  it('says what is not testable', () => {
    expect(tableOf(complete)).toContain(
      `| ${id('5.1-3')} | MUST | both | summary of 5.1-3 *(not testable)* |  |  |  |`,
    );
  });

  it('a list that gathers others has the case too -> leads to where it was written down', () => {
    const gathering = { 'dist/conform/cases/all.js': `exports.ALL = [{}, ...require('./framing.js').LIST];` };
    const row = tableOf({ ...complete, ...gathering }).find((line) => line.startsWith(`| ${id('5.1-1')}`));
    expect(row).toContain('[framing.one](../src/conform/cases/framing.ts)');
  });

  it('more than six cases -> six and a number', () => {
    const list = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`1.1.${n}`, [id('5.1-1')]]));
    const row = tableOf({ ...complete, ...builtCases(list) }).find((line) =>
      line.startsWith(`| ${id('5.1-1')}`),
    );
    expect(row).toMatch(/\[1\.1\.5\]\(\S+\) and 2 more \|$/);
  });

  it('a case that no list of a module has -> shown without a link', () => {
    const index = {
      'dist/conform/cases/index.js': `exports.CASES = [{ id: 'x', requirements: ['${id('5.1-1')}'] }];`,
    };
    const row = tableOf({ ...complete, ...index }).find((line) => line.startsWith(`| ${id('5.1-1')}`));
    expect(row).toMatch(/ \| x \|$/);
  });

  it('--check, it is fresh -> passes', () => {
    const tree = makeTree(complete);
    run(tree);
    expect(run(tree, '--check')).toMatchObject({ status: 0 });
  });

  it('--check, a citation came since -> fails and leaves it alone', () => {
    const tree = makeTree(complete);
    run(tree);
    const before = readFileSync(join(tree, 'docs/traceability.md'), 'utf8');
    writeFileSync(join(tree, 'test/wire/b.test.ts'), `// ${id('5.1-1')}`);
    const { status, problems } = run(tree, '--check');
    expect(problems).toContain('docs/traceability.md is stale');
    expect(status).toBe(1);
    expect(readFileSync(join(tree, 'docs/traceability.md'), 'utf8')).toBe(before);
  });

  it('--check, there is none -> fails', () => {
    expect(run(makeTree(complete), '--check')).toMatchObject({ status: 1 });
  });
});

it('hawser itself: each requirement has code, test and case or says why not, and the table is fresh', () => {
  expect(run(root, '--check')).toMatchObject({ problems: '', status: 0 });
});
