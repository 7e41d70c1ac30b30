// bench:compare: what it makes of a revision, and that nothing of that stays or touches the repository.
import { execFile, execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const bench = join(__dirname, '../../bench');
const run = promisify(execFile);
// biome-ignore lint/suspicious/noExplicitAny: the programs of bench/ have no declarations
let revision: any;
let folder: string;
let repository: string;

function git(...args: string[]): string {
  const identity = [
    '-c',
    'user.name=test',
    '-c',
    'user.email=test@example.com',
    '-c',
    'commit.gpgsign=false',
  ];
  return execFileSync('git', [...identity, ...args], { cwd: repository, encoding: 'utf8' }).trim();
}

/** Commits a build script and returns the commit. */
function commitBuild(script: string | undefined): string {
  rmSync(join(repository, 'scripts'), { recursive: true, force: true });
  if (script !== undefined) {
    mkdirSync(join(repository, 'scripts'));
    writeFileSync(join(repository, 'scripts/build.mjs'), script);
  }
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message', 'a build');
  return git('rev-parse', 'HEAD');
}

beforeEach(async () => {
  revision = await import(pathToFileURL(join(bench, 'revision.mjs')).href);
  folder = mkdtempSync(join(tmpdir(), 'compare-'));
  repository = join(folder, 'repository');
  mkdirSync(repository);
  git('init', '--quiet');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Extracts and builds; returns where. */
function build(commit: string): string {
  const target = join(folder, 'revision');
  mkdirSync(target);
  revision.extractRevision(repository, commit, target);
  revision.buildRevision(repository, target, 'it');
  return target;
}

const WORKS = `import { mkdirSync, writeFileSync } from 'node:fs';
mkdirSync('dist'); writeFileSync('dist/index.js', 'old');`;

describe('a revision', () => {
  it('with a build script -> built in its folder; index and working tree stay as they are', () => {
    const commit = commitBuild(WORKS);
    commitBuild('throw new Error("new")');
    writeFileSync(join(repository, 'scripts/build.mjs'), 'changed');
    writeFileSync(join(repository, 'staged'), '');
    git('add', 'staged');
    const before = git('status', '--porcelain');
    expect(readFileSync(join(build(commit), 'dist/index.js'), 'utf8')).toBe('old');
    expect(git('status', '--porcelain')).toBe(before);
    expect(git('worktree', 'list').split('\n')).toHaveLength(1);
  });

  it('by branch, by part of its commit -> the whole commit', () => {
    const commit = commitBuild(WORKS);
    git('branch', 'side');
    expect(revision.resolveRevision(repository, 'side')).toBe(commit);
    expect(revision.resolveRevision(repository, commit.slice(0, 8))).toBe(commit);
  });

  it.each(['nope', '--since=yesterday', ''])('called "%s" -> an error that names it', (name) => {
    commitBuild(WORKS);
    expect(() => revision.resolveRevision(repository, name)).toThrow(`no revision is called ${name}`);
  });

  it.each([
    ['no build script', undefined, 'it has no scripts/build.mjs'],
    [
      'a build that fails',
      'console.log("type error"); process.exit(1)',
      'the build of it failed:\ntype error',
    ],
    ['a build that leaves nothing', '', 'the build of it failed'],
  ])('with %s -> an error that says so', (_, script, message) => {
    expect(() => build(commitBuild(script))).toThrow(message);
  });
});

describe('bench/compare.mjs', () => {
  it.each([
    [['no-such-revision'], 'no revision is called no-such-revision'],
    [[], 'name one revision'],
    [['a', 'b'], 'name one revision'],
    [['HEAD', '--case', 'nope'], 'no case is called nope'],
  ])('%j -> exit code 2 and why, and no folder stays', async (args, message) => {
    const temporary = join(folder, 'tmp');
    mkdirSync(temporary);
    const env = { ...process.env, TMPDIR: temporary, TEMP: temporary };
    await expect(run(process.execPath, [join(bench, 'compare.mjs'), ...args], { env })).rejects.toMatchObject(
      {
        code: 2,
        stderr: expect.stringContaining(message),
      },
    );
    expect(existsSync(temporary) && readdirSync(temporary)).toEqual([]);
  });
});
