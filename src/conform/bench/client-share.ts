// How much CPU time the load itself takes. Where it is nearly all of a thread, the load was what held things up.
import type { ClientShare } from './report.js';

/** Above this share of its thread the load counts as the bottleneck. */
export const BOUND_FROM_PERCENT = 90;

interface CpuUsage {
  user: number;
  system: number;
}

// Node 24 tells the time of the thread alone; before that there is only the process, whose other threads do little here.
const threadUsage = (process as { threadCpuUsage?: () => CpuUsage }).threadCpuUsage?.bind(process);

export class ClientShareMeter {
  readonly #startedMs = performance.now();
  readonly #startedUs = usedUs();

  /** The share since this meter was made. */
  read(): ClientShare {
    const elapsedUs = (performance.now() - this.#startedMs) * 1000;
    const cpuPercent = elapsedUs > 0 ? (100 * (usedUs() - this.#startedUs)) / elapsedUs : 0;
    return {
      cpuPercent: Math.round(cpuPercent * 10) / 10,
      of: threadUsage === undefined ? 'process' : 'thread',
    };
  }
}

function usedUs(): number {
  const { user, system } = threadUsage?.() ?? process.cpuUsage();
  return user + system;
}
