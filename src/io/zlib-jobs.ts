// How much zlib does at once, in the whole process. In the thread pool, because the threads are shared with the file
// system and DNS, and many large compressors at the same time fragment the memory; on the calling thread, because
// everybody waits for it.

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

/**
 * What zlib may put out on the calling thread in one turn of the event loop: 5 to 15 ms. Node.js reads up to 32 times from
 * one socket before it looks at another, and 64 KiB may stand for 60 MB: without a limit that is two seconds.
 */
const MOST_BYTES_IN_A_TURN = 4 * 1024 * 1024;
/** What a message costs besides its bytes, as bytes. */
const BYTES_PER_MESSAGE = 1024;

let spentInTurn = 0;

function beginTurn(): void {
  spentInTurn = 0;
}

/** True when the calling thread has done its share: the next message is for the thread pool, and the others have a turn. */
export function isTurnSpent(): boolean {
  return spentInTurn >= MOST_BYTES_IN_A_TURN;
}

/** Counts a message that put out `length` bytes on the calling thread. */
export function spendTurn(length: number): void {
  if (spentInTurn === 0) setImmediate(beginTurn);
  spentInTurn += length + BYTES_PER_MESSAGE;
}
