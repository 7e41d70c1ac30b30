// Installs a folder that has its own lock file, once per lock, and puts the packed hawser in the place of npm `ws` there.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { isHawser, ROOT } from './subject.js';

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end; it is killed when `timeoutMs` have passed. */
export function run(
  command: string,
  args: string[],
  {
    cwd = ROOT,
    env = {},
    timeoutMs = 60_000,
  }: { cwd?: string; env?: NodeJS.ProcessEnv; timeoutMs?: number } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    const outcome: Outcome = { code: null, stdout: '', stderr: '' };
    child.stdout.on('data', (text) => {
      outcome.stdout += text;
    });
    child.stderr.on('data', (text) => {
      outcome.stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (signal) outcome.stderr += `\n${command} was ended by ${signal} after at most ${timeoutMs} ms`;
      resolve({ ...outcome, code });
    });
  });
}

async function npm(args: string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await run('npm', args, { cwd, timeoutMs: 280_000 });
  if (code !== 0) throw new Error(`npm ${args.join(' ')} in ${cwd} ended with ${code}:\n${stderr || stdout}`);
  return stdout;
}

/**
 * `npm ci` in `folder`, unless what is there was installed from the same lock. False when it would have to install
 * and HAWSER_OFFLINE=1 forbids that; a registry that cannot be reached is an error, and so is a file of `expected`
 * that did not come (npm passes over an optional package that it cannot get).
 */
export async function installLocked(folder: string, expected: string[] = []): Promise<boolean> {
  const lock = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  const stamp = join(folder, 'node_modules', '.installed-from');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return true;
  if (process.env.HAWSER_OFFLINE === '1') {
    console.warn(`SKIPPED: ${folder} is not installed and HAWSER_OFFLINE=1 forbids the network`);
    return false;
  }
  await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], folder);
  const missing = expected.filter((file) => !existsSync(join(folder, file)));
  if (missing.length > 0) throw new Error(`npm ci in ${folder} left out ${missing.join(', ')}`);
  writeFileSync(stamp, lock);
  return true;
}

/** Replaces node_modules/ws of `folder` with the package that `npm publish` would upload, or with npm `ws` again. */
export async function replaceWs(folder: string): Promise<void> {
  const ws = join(folder, 'node_modules', 'ws');
  const original = join(folder, 'node_modules', '.ws-of-npm');
  const copies = readdirSync(join(folder, 'node_modules'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith(`${sep}node_modules${sep}ws`),
  );
  if (copies.length > 0) throw new Error(`more than one ws is installed: ${copies.join(', ')}`);
  if (!existsSync(original)) renameSync(ws, original);
  rmSync(ws, { recursive: true, force: true });
  if (!isHawser) cpSync(original, ws, { recursive: true });
  else await unpackHawser(ws);
}

async function unpackHawser(destination: string): Promise<void> {
  if (!existsSync(join(ROOT, 'dist', 'index.js')))
    throw new Error('dist/ is missing: run `npm run build` first');
  const packed = mkdtempSync(join(tmpdir(), 'hawser-packed-'));
  try {
    await npm(['pack', '--ignore-scripts', '--silent', '--pack-destination', packed], ROOT);
    const [tarball] = readdirSync(packed);
    const { code, stderr } = await run('tar', ['-xzf', `${tarball}`], { cwd: packed });
    if (code !== 0) throw new Error(`tar failed: ${stderr}`);
    cpSync(join(packed, 'package'), destination, { recursive: true });
  } finally {
    rmSync(packed, { recursive: true, force: true });
  }
}
