// Judges a server: dials it for each case, several at a time, and hands each result on as it comes.

import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { isLoopbackHost } from './bench/target.js';
import type { AgentMemory, ConformanceCase, Encounter } from './case.js';
import { OpeningFailed } from './opening.js';
import { RawConnection } from './raw-connection.js';
import type { CaseResult } from './result.js';
import { runCase } from './run-case.js';
import type { WireLog } from './wire-log.js';

const CONNECT_LIMIT_MS = 5000;
/** Heavy cases are bound by the processor and by memory: more of them at once only makes each slower. */
const MAX_HEAVY_JOBS = 3;

export interface TlsOptions {
  /** Certificates to trust, PEM. */
  ca?: string | Buffer;
  /** False takes any certificate. Default: true. */
  rejectUnauthorized?: boolean;
}

export interface JudgeServerOptions {
  url: URL;
  /** What the server is called in reports. */
  agent: string;
  cases: readonly ConformanceCase[];
  /** The group robustness holds attacks: it needs this, unless the host is loopback. */
  ownsHost?: boolean;
  /** How many cases run at a time; attacks run one by one. Default: 8. */
  jobs?: number;
  /** An upper bound for the time of every case, in milliseconds. */
  limitMs?: number;
  tls?: TlsOptions;
  /** Everything that the tester sends goes out in TCP writes of that many bytes. */
  chopBytes?: number;
  onResult?: (result: CaseResult) => void;
  /** Ends the run early: cases that have not begun are left out. */
  signal?: AbortSignal;
}

function isAttack({ group }: ConformanceCase): boolean {
  return group === 'robustness';
}

/** Whether attacks are among the cases, and the host is not this machine. */
export function isAttackOnStranger(url: URL, cases: readonly ConformanceCase[]): boolean {
  return cases.some(isAttack) && !isLoopbackHost(url.hostname.replace(/^\[|\]$/g, ''));
}

/**
 * Runs cases against a server that echoes messages.
 *
 * @throws RangeError for a number of jobs that is none
 * @throws TypeError for attacks on a host that is neither loopback nor declared to be one's own
 * @returns the results in the order of `cases`; those of cases that were not begun before `signal` are left out
 */
export async function judgeServer(options: JudgeServerOptions): Promise<CaseResult[]> {
  const { cases, jobs = 8 } = options;
  if (!(Number.isInteger(jobs) && jobs > 0))
    throw new RangeError(`jobs must be a whole number above 0: ${jobs}`);
  if (options.ownsHost !== true && isAttackOnStranger(options.url, cases)) {
    throw new TypeError(`${options.url.hostname} is not loopback: attacks need ownsHost`);
  }
  const memory: AgentMemory = { handshakeKeys: new Set() };
  const results = new Map<string, CaseResult>();
  const work = async (queue: ConformanceCase[]): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !options.signal?.aborted; next = queue.shift()) {
      const result = await judgeOne(next, options, memory);
      results.set(next.id, result);
      options.onResult?.(result);
    }
  };
  const runAll = async (chosen: ConformanceCase[], workers: number): Promise<void> => {
    await Promise.all(Array.from({ length: workers }, () => work(chosen)));
  };
  // An attack may keep everybody else out while it lasts, which no other case is to suffer from: each runs alone.
  const attacks = cases.filter(isAttack);
  const others = cases.filter((one) => !isAttack(one));
  await runAll(
    others.filter(({ isHeavy }) => isHeavy !== true),
    jobs,
  );
  await runAll(
    others.filter(({ isHeavy }) => isHeavy === true).sort(byBatch),
    Math.min(jobs, MAX_HEAVY_JOBS),
  );
  await runAll(attacks, 1);
  return cases.flatMap(({ id }) => results.get(id) ?? []);
}

function byBatch({ batch: one = '' }: ConformanceCase, { batch: other = '' }: ConformanceCase): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function judgeOne(
  one: ConformanceCase,
  options: JudgeServerOptions,
  memory: AgentMemory,
): Promise<CaseResult> {
  const { url, agent, limitMs, tls = {} } = options;
  return runCase(one, {
    agent,
    ...(limitMs !== undefined && { limitMs }),
    encounter: (log, own): Encounter => ({
      subject: 'server',
      url,
      log,
      memory,
      connect: async () => own(await dial(url, tls, log, options.chopBytes)),
    }),
  });
}

/**
 * Opens TCP, and TLS for `wss:`.
 *
 * @throws OpeningFailed
 */
export function dial(url: URL, tls: TlsOptions, log: WireLog, chopBytes?: number): Promise<RawConnection> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isSecure = url.protocol === 'wss:';
  const port = Number(url.port || (isSecure ? 443 : 80));
  return new Promise((resolve, reject) => {
    const onConnect = (): void => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      log.note(`TCP${isSecure ? ' and TLS' : ''} connected`);
      resolve(new RawConnection(socket, log, { chopBytes }));
    };
    const socket: Socket = isSecure
      ? connectTls(
          {
            host,
            port,
            ...(isIP(host) === 0 && { servername: host }),
            ...tls,
            allowHalfOpen: true,
          } as object,
          onConnect,
        )
      : connectTcp({ host, port, allowHalfOpen: true }, onConnect);
    const fail = (why: string): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new OpeningFailed(`No connection to ${url.host}: ${why}.`));
    };
    const timer = setTimeout(() => fail(`nothing within ${CONNECT_LIMIT_MS / 1000} s`), CONNECT_LIMIT_MS);
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
  });
}
