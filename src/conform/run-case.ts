// Runs one case to its end, whatever the peer does: a limit of time, a verdict also where no connection came about, and
// no socket left behind.

import type { ConformanceCase, Encounter, Judgement } from './case.js';
import { OpeningFailed } from './opening.js';
import type { RawConnection } from './raw-connection.js';
import type { CaseResult } from './result.js';
import { WireLog } from './wire-log.js';

export interface RunCaseOptions {
  agent: string;
  /** Bounds the case's own limit. */
  limitMs?: number;
  /** @param own is to be called with each connection, so that it is closed when the case is over */
  encounter: (log: WireLog, own: (connection: RawConnection) => RawConnection) => Encounter;
}

/** Never rejects. */
export async function runCase(one: ConformanceCase, options: RunCaseOptions): Promise<CaseResult> {
  const log = new WireLog();
  const startedAt = new Date().toISOString();
  const connections: RawConnection[] = [];
  let isOver = false;
  const encounter = options.encounter(log, (connection) => {
    connections.push(connection);
    if (isOver) connection.destroy();
    return connection;
  });
  const limitMs = Math.min(one.limitMs, options.limitMs ?? Number.POSITIVE_INFINITY);
  const judgement = await withinLimit(one, encounter, limitMs);
  const durationMs = log.elapsedMs;
  isOver = true;
  for (const connection of connections) connection.destroy();
  return {
    id: one.id,
    agent: options.agent,
    subject: encounter.subject,
    peerClose: null,
    testerClose: null,
    droppedBy: null,
    ...judgement,
    startedAt,
    durationMs,
    wire: log.records,
  };
}

/** @internal the verdict of a case that did not get to one itself. */
export function failed(finding: string): Judgement {
  return { behavior: 'FAILED', behaviorClose: 'FAILED', finding };
}

async function withinLimit(one: ConformanceCase, encounter: Encounter, limitMs: number): Promise<Judgement> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<Judgement>((resolve) => {
    timer = setTimeout(() => resolve(failed(`The case did not end within ${limitMs / 1000} s.`)), limitMs);
  });
  try {
    return await Promise.race([one.run(encounter), expired]);
  } catch (error) {
    if (error instanceof OpeningFailed) return failed(error.message);
    // A fault of the suite: it shows as a failure that says so, and the run goes on.
    return failed(`The case itself broke: ${error instanceof Error ? error.stack : String(error)}`);
  } finally {
    clearTimeout(timer);
  }
}
