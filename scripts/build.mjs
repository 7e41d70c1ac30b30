// Builds dist/ from src/: one `tsc` run, then the files that are not TypeScript.
// `--if-needed` skips the work when dist/ is newer than everything it is made from.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const stamp = join(dist, '.built');

function newestIn(dir) {
  let newest = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newest;
}

function isFresh() {
  if (!existsSync(stamp)) return false;
  const inputs = [
    newestIn(join(root, 'src')),
    ...['tsconfig.json', 'package.json'].map((f) => statSync(join(root, f)).mtimeMs),
  ];
  return statSync(stamp).mtimeMs >= Math.max(...inputs);
}

if (!(process.argv.includes('--if-needed') && isFresh())) {
  rmSync(dist, { recursive: true, force: true });
  const tsc = createRequire(import.meta.url).resolve('typescript/package.json');
  execFileSync(process.execPath, [join(dirname(tsc), 'bin', 'tsc'), '-p', join(root, 'tsconfig.json')], {
    stdio: 'inherit',
  });
  const page = join(root, 'src', 'cli', 'page');
  if (existsSync(page)) cpSync(page, join(dist, 'cli', 'page'), { recursive: true });
  const main = join(dist, 'cli', 'main.js');
  if (existsSync(main)) chmodSync(main, 0o755);
  writeFileSync(stamp, '');
}
