// The `hawser` program as a child process: its output, and how it ended.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

// HAWSER_DIST names another build than the one of `npm run build`.
const MAIN = join(process.env.HAWSER_DIST ?? 'dist', 'cli', 'main.js');

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Program {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves when standard output matches; rejects when the program ends before that. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
}

/** @param input what is piped in; `null` leaves standard input open */
export function startHawser(
  argv: string[],
  input: string | Buffer | null = '',
  env: NodeJS.ProcessEnv = {},
): Program {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run "npm run build" first`);
  const child = spawn(process.execPath, [MAIN, ...argv], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr!.on('data', (chunk) => {
    stderr += chunk;
  });
  // A program that ends without reading its input is no failure of the test.
  child.stdin!.on('error', () => {});
  if (input !== null) child.stdin!.end(input);
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const printed = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(stdout);
        if (match !== null) resolve(match);
      };
      child.stdout!.on('data', look);
      ended.then(() => reject(new Error(`ended without printing ${pattern}: ${stdout}${stderr}`)));
      look();
    });
  return { child, ended, printed };
}

export function runHawser(argv: string[], input?: string | Buffer, env?: NodeJS.ProcessEnv): Promise<Ended> {
  return startHawser(argv, input, env).ended;
}
