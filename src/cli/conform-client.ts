// `hawser conform client`: a fuzzing server, and if wanted the client under test as a child process.

import { type ChildProcess, spawn } from 'node:child_process';
import { createSecureContext } from 'node:tls';
import type { ConformanceCase } from '../conform/case.js';
import { ClientJudge } from '../conform/client-judge.js';
import type { CaseResult } from '../conform/result.js';
import { EXIT, type ParsedArguments, UsageError } from './arguments.js';
import { type BaselineOption, conclude, prepareOutputs, readBaselineOption } from './conform-files.js';
import { chooseCases, readLimits } from './conform-options.js';
import { formatSummary, Progress } from './conform-progress.js';
import { readPem } from './conform-server.js';

/** How long a child that was asked to end may take. */
const KILL_AFTER_MS = 2000;
const LONGEST_IDLE_MS = 2 ** 31 - 1;

/** Runs until the client has ended, `/stopServer` was asked for, or Ctrl+C. @returns the exit code */
export async function judgeClientCommand(parsed: ParsedArguments, command: string[]): Promise<number> {
  const cases = chooseCases(parsed, 'client');
  const baseline = readBaselineOption(parsed, parsed.value('agent'));
  prepareOutputs(parsed);
  const progress = new Progress(cases.length);
  let endRun = (): void => {};
  const isOver = new Promise<void>((resolve) => {
    endRun = resolve;
  });
  const agent = parsed.value('agent');
  const judge = new ClientJudge({
    cases,
    host: parsed.value('host') ?? '127.0.0.1',
    port: parsed.integer('port', 0, 65_535, 9001),
    ...readTls(parsed),
    ...readLimits(parsed),
    ...(agent !== undefined && { agent }),
    onResult: (result) => progress.result(result),
    onUpdateReports: () => {
      // A client of its own may ask for reports many times; one that is our child gets them at its end.
      if (command.length === 0) report(parsed, judge.results, cases, undefined);
    },
    onStop: () => endRun(),
  });
  const url = await listen(judge);
  process.stderr.write(`listening on ${url} with ${cases.length} cases\n`);
  process.once('SIGINT', () => endRun());
  process.once('SIGTERM', () => endRun());
  const child = command.length === 0 ? undefined : startClient(command, url, endRun);
  const watch = child && endWhenIdle(judge, parsed.integer('idle', 1, LONGEST_IDLE_MS, 60_000), endRun);
  await isOver;
  clearInterval(watch);
  await stop(child);
  await judge.close();
  progress.end();
  if (judge.results.length === 0) {
    process.stderr.write('hawser: no client ran a case. Nothing was judged.\n');
    return EXIT.FAILED;
  }
  return report(parsed, judge.results, cases, baseline);
}

async function listen(judge: ClientJudge): Promise<string> {
  try {
    return await judge.listen();
  } catch (error) {
    throw new UsageError(`cannot listen: ${(error as Error).message}`);
  }
}

function startClient(command: string[], url: string, endRun: () => void): ChildProcess {
  const [program, ...args] = command.map((part) => part.replaceAll('{url}', url));
  const child = spawn(program!, args, {
    // Its output is no part of ours.
    stdio: ['ignore', 2, 2],
    env: { ...process.env, HAWSER_CONFORM_URL: url },
  });
  child.on('error', (error) => {
    process.stderr.write(`hawser: cannot start ${program}: ${error.message}\n`);
    endRun();
  });
  child.on('exit', (code, signal) => {
    if (code !== 0) process.stderr.write(`hawser: the client ended with ${signal ?? `exit code ${code}`}\n`);
    endRun();
  });
  return child;
}

/** A client that has stopped asking is not waited for. */
function endWhenIdle(judge: ClientJudge, limitMs: number, endRun: () => void): NodeJS.Timeout {
  return setInterval(
    () => {
      if (judge.idleMs < limitMs) return;
      process.stderr.write(`hawser: the client has asked for nothing for ${limitMs / 1000} s\n`);
      endRun();
    },
    Math.min(limitMs, 1000),
  );
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const hasExited = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
  await hasExited;
  clearTimeout(timer);
}

function report(
  parsed: ParsedArguments,
  results: readonly CaseResult[],
  cases: readonly ConformanceCase[],
  baseline: BaselineOption,
): number {
  const agents = [...new Set(results.map(({ agent }) => agent))];
  for (const agent of agents) {
    const own = results.filter((result) => result.agent === agent);
    process.stdout.write(formatSummary(agent, own, cases.length));
  }
  return conclude(parsed, results, cases.length * agents.length, baseline);
}

function readTls(parsed: ParsedArguments): { tls?: { cert: Buffer; key: Buffer } } {
  const [cert, key] = [parsed.value('cert'), parsed.value('key')];
  if (cert === undefined && key === undefined) return {};
  if (cert === undefined || key === undefined) throw new UsageError('--cert and --key belong together');
  const tls = { cert: readPem(cert), key: readPem(key) };
  try {
    createSecureContext(tls);
  } catch (error) {
    throw new UsageError(`--cert ${cert}, --key ${key}: ${(error as Error).message}`);
  }
  return { tls };
}
