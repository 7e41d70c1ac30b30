// Builds dist/ from src/: one `tsc` run, then the files that are not TypeScript. The old dist/ stays until the new one is
// whole, so programs that run from it meanwhile do not lose their files.
// `--if-needed` skips the work when dist/ is newer than everything it is made from.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const src = join(root, 'src');
const dist = join(root, 'dist');
const stamp = '.built';

/** When anything at or below `path` changed last. Directories count, because they change when a file goes. */
function changedAt(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => changedAt(join(path, name))));
}

function isFresh() {
  if (!existsSync(join(dist, stamp))) return false;
  const inputs = [
    src,
    join(root, 'tsconfig.json'),
    join(root, 'package.json'),
    fileURLToPath(import.meta.url),
  ];
  return changedAt(join(dist, stamp)) >= Math.max(...inputs.map(changedAt));
}

/**
 * The types of `hawser` itself are written by hand (types/); those of the other subpaths are the compiler's, which must not
 * refer to files of other floors than these.
 */
const TYPED_BY_COMPILER = ['agent', 'conform', 'mcp', 'rpc', 'wire'];

function pruneDeclarations(target) {
  for (const path of readdirSync(target, { recursive: true })) {
    const isTyped = TYPED_BY_COMPILER.includes(path.split(sep)[0]);
    if (/\.d\.[mc]?ts$/.test(path) && !isTyped) rmSync(join(target, path));
  }
}

/** What the page of `hawser serve` uses of hawser itself. */
const CLIENT = `
export { connectSession } from './agent/browser.js';
export { RpcPeer } from './rpc/index.js';
`;

/** One module for browsers, about 60 KB, made here so that whoever installs the package needs no bundler. */
function bundleClient(file) {
  buildSync({
    stdin: { contents: CLIENT, resolveDir: src, sourcefile: 'client.ts', loader: 'ts' },
    bundle: true,
    format: 'esm',
    minify: true,
    platform: 'browser',
    target: 'es2022',
    outfile: file,
    logLevel: 'warning',
  });
}

function build(target) {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const compiled = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.json'), '--outDir', target], {
    stdio: 'inherit',
  });
  if (compiled.status !== 0) return false;
  pruneDeclarations(target);
  const page = join(target, 'cli', 'page');
  cpSync(join(src, 'cli', 'page'), page, { recursive: true });
  bundleClient(join(page, 'hawser.js'));
  chmodSync(join(target, 'cli', 'main.js'), 0o755);
  writeFileSync(join(target, stamp), '');
  return true;
}

if (!(process.argv.includes('--if-needed') && isFresh())) {
  const target = `${dist}-${process.pid}`;
  try {
    if (build(target)) {
      rmSync(dist, { recursive: true, force: true });
      renameSync(target, dist);
    } else process.exitCode = 1;
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}
