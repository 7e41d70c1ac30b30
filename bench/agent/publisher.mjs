// A thread that says when something happens: for every subscriber as independent events (a Poisson process), whether or not
// the last one has arrived. It sleeps between them to a fraction of a millisecond, which timers cannot, and takes no CPU
// time meanwhile, which spinning would.
import { parentPort, workerData } from 'node:worker_threads';

/** @typedef {{ subscribers: number, ratePerSecond: number, seed: number, stop: SharedArrayBuffer }} Plan */

const { subscribers, ratePerSecond, seed, stop } = /** @type {Plan} */ (workerData);
const stopped = new Int32Array(stop);

/** The same numbers for the same seed, at least 0 and below 1 (mulberry32). @param {number} state */
function randomNumbers(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Milliseconds on the machine's clock, which all processes share. */
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

const random = randomNumbers(seed);
// Independent events of several sources are independent events of all together, each for a source chosen by chance.
const gapMs = () => (-Math.log(1 - random()) * 1000) / (ratePerSecond * subscribers);

for (let dueMs = nowMs() + gapMs(); Atomics.load(stopped, 0) === 0; dueMs += gapMs()) {
  const aheadMs = dueMs - nowMs();
  if (aheadMs > 0 && Atomics.wait(stopped, 0, 0, aheadMs) !== 'timed-out') break;
  parentPort?.postMessage({ subscriber: Math.floor(random() * subscribers), dueMs });
}
