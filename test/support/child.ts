// Runs a small program in a child process, for what only a whole process shows: module loading and crashes.
import { spawn } from 'node:child_process';

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `source` with node in `cwd` (the repository's root by default). */
export function runProgram(
  source: string,
  {
    module = false,
    env = {},
    cwd = process.cwd(),
  }: { module?: boolean; env?: Record<string, string>; cwd?: string } = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [...(module ? ['--input-type=module'] : []), '-e', source], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}
