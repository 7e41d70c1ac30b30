// `hawser conform server URL`.

import { readFileSync } from 'node:fs';
import { open } from '../conform/opening.js';
import type { RawConnection } from '../conform/raw-connection.js';
import { dial, isAttackOnStranger, judgeServer, type TlsOptions } from '../conform/server-judge.js';
import { WireLog } from '../conform/wire-log.js';
import { EXIT, type ParsedArguments, UsageError } from './arguments.js';
import { conclude, prepareOutputs, readBaselineOption } from './conform-files.js';
import { chooseCases, readLimits } from './conform-options.js';
import { formatSummary, Progress } from './conform-progress.js';

const MAX_JOBS = 64;

/** @returns the exit code */
export async function judgeServerCommand(parsed: ParsedArguments, operands: string[]): Promise<number> {
  const url = readUrl(operands);
  const agent = parsed.value('agent') ?? url.host;
  const cases = chooseCases(parsed, 'server');
  const ownsHost = parsed.has('i-own-this-host');
  if (!ownsHost && isAttackOnStranger(url, cases)) {
    throw new UsageError(
      `the group robustness holds attacks, and ${url.hostname} is not loopback: say --i-own-this-host if it is yours`,
    );
  }
  const jobs = parsed.integer('jobs', 1, MAX_JOBS, 8);
  const tls = readTls(parsed);
  const baseline = readBaselineOption(parsed, agent);
  prepareOutputs(parsed);
  const refusal = await probe(url, tls);
  if (refusal !== undefined) {
    process.stderr.write(`hawser: ${refusal} Nothing was judged.\n`);
    return EXIT.FAILED;
  }
  const progress = new Progress(cases.length);
  const interruption = new AbortController();
  process.once('SIGINT', () => {
    progress.end();
    process.stderr.write('hawser: ending when the cases that run are over; Ctrl+C again ends at once\n');
    interruption.abort();
  });
  const results = await judgeServer({
    url,
    agent,
    cases,
    jobs,
    tls,
    ownsHost,
    ...readLimits(parsed),
    onResult: (result) => progress.result(result),
    signal: interruption.signal,
  });
  progress.end();
  process.stdout.write(formatSummary(agent, results, cases.length));
  return conclude(parsed, results, cases.length, baseline);
}

/** Whether there is anybody at all: a sentence if not. One who takes no plain handshake is judged; a path may be wrong. */
async function probe(url: URL, tls: TlsOptions): Promise<string | undefined> {
  const log = new WireLog();
  let connection: RawConnection;
  try {
    connection = await dial(url, tls, log);
  } catch (error) {
    return (error as Error).message;
  }
  try {
    const memory = { handshakeKeys: new Set<string>() };
    await open({ subject: 'server', url, log, memory, connect: () => Promise.resolve(connection) });
  } catch (error) {
    process.stderr.write(
      `hawser: ${(error as Error).message} Most cases need a handshake that is taken: is the URL right?\n`,
    );
  }
  connection.destroy();
  return undefined;
}

function readUrl(operands: string[]): URL {
  const [text] = operands;
  if (text === undefined || operands.length > 1) throw new UsageError('conform server takes one URL');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'ws:' && url.protocol !== 'wss:')) {
    throw new UsageError(`not a ws:// or wss:// URL: ${JSON.stringify(text)}`);
  }
  return url;
}

function readTls(parsed: ParsedArguments): TlsOptions {
  const ca = parsed.value('ca');
  return {
    rejectUnauthorized: !parsed.has('insecure'),
    ...(ca !== undefined && { ca: readPem(ca) }),
  };
}

/** @throws UsageError */
export function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}
