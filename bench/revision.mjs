// A revision of a repository as files in a folder of their own, built. The repository's index, branches and working
// tree are not touched: git reads the revision into an index beside the files.
import { spawnSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param {string} root
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
function git(root, args, env = {}) {
  const result = spawnSync('git', args, { cwd: root, encoding: 'utf8', env: { ...process.env, ...env } });
  if (result.error !== undefined) throw new Error(`git cannot be run: ${result.error.message}`);
  return result;
}

/** The commit that a name stands for. @param {string} root @param {string} name */
export function resolveRevision(root, name) {
  const { status, stdout } = git(root, ['rev-parse', '--verify', '--quiet', `${name}^{commit}`]);
  if (status !== 0) throw new Error(`no revision is called ${name}`);
  return stdout.trim();
}

/** Writes the files of a commit into a folder. @param {string} root @param {string} commit @param {string} folder */
export function extractRevision(root, commit, folder) {
  const env = { GIT_INDEX_FILE: join(folder, '.index') };
  for (const args of [
    ['read-tree', commit],
    ['checkout-index', '--all', `--prefix=${folder}/`],
  ]) {
    const { status, stderr } = git(root, args, env);
    if (status !== 0) throw new Error(`git ${args[0]} failed: ${stderr.trim()}`);
  }
}

/**
 * Builds what was extracted, with the compiler of this checkout.
 *
 * @param {string} root whose node_modules is used
 * @param {string} folder
 * @param {string} name of the revision
 */
export function buildRevision(root, folder, name) {
  const script = join(folder, 'scripts', 'build.mjs');
  if (!existsSync(script)) throw new Error(`${name} cannot be built: it has no scripts/build.mjs`);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' });
  if (status !== 0 || !existsSync(join(folder, 'dist', 'index.js'))) {
    throw new Error(`the build of ${name} failed:\n${stdout}${stderr}`.trimEnd());
  }
}
