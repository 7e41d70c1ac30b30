// How much zlib does in the thread pool at once, in the whole process: the threads are shared with the file system and
// DNS, and many large compressors at the same time fragment the memory.

const DEFAULT_CONCURRENCY = 10;

let limit: number | undefined;
let running = 0;
const waiting: (() => void)[] = [];

/** Sets the limit of the process, unless that was done before; `undefined` is the default, 0 no limit. */
export function limitJobs(concurrencyLimit: number | undefined): void {
  limit ??= (concurrencyLimit ?? DEFAULT_CONCURRENCY) || Number.POSITIVE_INFINITY;
}

/** Does `work` as soon as fewer jobs are under way than the limit allows, in the order of the calls. */
export async function runJob<T>(work: () => Promise<T>): Promise<T> {
  if (running < (limit ?? DEFAULT_CONCURRENCY)) running++;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await work();
  } finally {
    // The place passes to the one that waits longest.
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}
