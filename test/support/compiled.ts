// The sources as JavaScript, for tests that run a child process: compiled once for each state of src/, into the
// system's directory for temporary files, so that no test depends on when `dist` was built.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Returns the directory that mirrors src/. */
export function compiledSources(): string {
  const root = process.cwd();
  const target = join(tmpdir(), `hawser-compiled-${digestOf(join(root, 'src'))}`);
  if (existsSync(target)) return target;
  const made = mkdtempSync(join(tmpdir(), 'hawser-compiling-'));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', root, '--outDir', made, '--noCheck'], { stdio: 'ignore' });
  try {
    renameSync(made, target);
  } catch (error) {
    // Another test file was faster.
    if (!existsSync(target)) throw error;
  }
  return target;
}

function digestOf(directory: string): string {
  const hash = createHash('sha256');
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  for (const name of files.sort()) hash.update(name).update(readFileSync(join(directory, name)));
  return hash.digest('hex').slice(0, 16);
}
