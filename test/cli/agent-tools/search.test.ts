import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SearchResult, searchTool } from '../../../src/cli/agent-tools/search.js';
import { listTextFiles, readTextFile } from '../../../src/cli/agent-tools/text-files.js';
import { tools } from '../../../src/cli/agent-tools/tools.js';
import { testContext } from './context.js';

let base: string;
let root: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'hawser-search-'));
  root = join(base, 'root');
});

afterEach(() => rmSync(base, { recursive: true }));

function write(path: string, content: string): void {
  const file = join(base, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

function search(text: string, context = testContext()): Promise<SearchResult> {
  return searchTool(root).call({ text, paceMs: 0 }, context) as Promise<SearchResult>;
}

describe('search', () => {
  it('finds lines in any case, with file, line and excerpt, in order', async () => {
    write('root/src/b.ts', 'one\n  const Needle = 1;\r\nneedle');
    write('root/src/a/deep.md', '# NEEDLE\n');
    write('root/docs/c.json', '{}');
    const context = testContext();
    expect(await search('needle', context)).toEqual({
      files: 3,
      matches: [
        { file: 'src/a/deep.md', line: 1, excerpt: '# NEEDLE' },
        { file: 'src/b.ts', line: 2, excerpt: 'const Needle = 1;' },
        { file: 'src/b.ts', line: 3, excerpt: 'needle' },
      ],
      isTruncated: false,
    });
    expect(context.reports).toEqual([
      [0, 3, 'docs/c.json'],
      [1, 3, 'src/a/deep.md'],
      [2, 3, 'src/b.ts'],
    ]);
  });

  it('reads docs and src only, and there no hidden directory, no node_modules and no other kind of file', async () => {
    for (const path of [
      'src/.git/a.ts',
      'src/node_modules/b/c.js',
      'src/d.png',
      '.git/e.ts',
      'other/f.ts',
      'g.ts',
    ])
      write(`root/${path}`, 'needle');
    write('root/src/only.ts', 'needle');
    expect((await search('needle')).matches).toEqual([{ file: 'src/only.ts', line: 1, excerpt: 'needle' }]);
  });

  it('follows no links: neither to a file, nor to a directory, nor as docs itself', async () => {
    write('outside/secret.ts', 'needle');
    write('root/src/inside.ts', 'nothing');
    symlinkSync(join(base, 'outside', 'secret.ts'), join(root, 'src', 'file.ts'));
    symlinkSync(join(base, 'outside'), join(root, 'src', 'directory'));
    symlinkSync(join(base, 'outside'), join(root, 'docs'));
    expect(await search('needle')).toEqual({ files: 1, matches: [], isTruncated: false });
  });

  it('a link that took the place of a file after it was listed -> not read', async () => {
    write('outside/secret.ts', 'needle');
    write('root/src/inside.ts', 'nothing');
    symlinkSync(join(base, 'outside', 'secret.ts'), join(root, 'src', 'file.ts'));
    expect(await readTextFile(root, 'src/file.ts')).toBeUndefined();
    expect(await readTextFile(root, 'src/inside.ts')).toBe('nothing');
  });

  it('a file of more than 1 MiB, or gone -> not read', async () => {
    write('root/src/large.ts', `needle${' '.repeat(2 ** 20)}`);
    write('root/src/small.ts', `needle${' '.repeat(2 ** 20 - 6)}`);
    expect((await search('needle')).matches).toMatchObject([{ file: 'src/small.ts' }]);
    expect(await readTextFile(root, 'src/gone.ts')).toBeUndefined();
  });

  it('more files than are searched -> the first ones', async () => {
    for (const path of ['src/a/1.ts', 'src/a/2.ts', 'src/b/3.ts', 'src/4.ts']) write(`root/${path}`, '');
    expect(await listTextFiles(root, ['src'], 2)).toEqual(['src/4.ts', 'src/a/1.ts']);
    expect(await listTextFiles(root, ['src'], 4)).toHaveLength(4);
  });

  it('more than 100 matches -> the first 100, and it says so', async () => {
    write('root/src/a.ts', 'needle\n'.repeat(100));
    expect(await search('needle')).toMatchObject({ isTruncated: false, matches: { length: 100 } });
    write('root/src/b.ts', 'needle');
    write('root/src/c.ts', '');
    expect(await search('needle')).toMatchObject({ isTruncated: true, matches: { length: 100 }, files: 2 });
  });

  it('a long line -> the part around the match', async () => {
    write('root/src/a.ts', `${'a'.repeat(5000)}needle${'b'.repeat(5000)}`);
    const [match] = (await search('needle')).matches;
    expect(match!.excerpt).toMatch(/^…a{40}needleb+…$/);
    expect(match!.excerpt.length).toBeLessThanOrEqual(122);
  });

  it('the caller gives up -> no other file is read', async () => {
    for (let index = 0; index < 5; index++) write(`root/src/${index}.ts`, '');
    const context = testContext();
    const reported: number[] = [];
    const progress = (done: number) => {
      reported.push(done);
      if (done === 2) context.abort();
    };
    await expect(search('x', { ...context, progress })).rejects.toMatchObject({ name: 'AbortError' });
    expect(reported).toEqual([0, 1, 2]);
  });

  it('the tool of this package searches this package', async () => {
    const tool = tools.find(({ name }) => name === 'search')!;
    const result = (await tool.call(
      { text: 'so that no PATH leads out', paceMs: 0 },
      testContext(),
    )) as SearchResult;
    expect(result.matches.map(({ file }) => file)).toEqual(['src/cli/agent-tools/text-files.ts']);
  });
});
