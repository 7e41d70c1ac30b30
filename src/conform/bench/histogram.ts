// Counts values in buckets whose width grows with the value, so that any number of latencies takes the same memory and
// a percentile is wrong by a known share at most. The idea is that of HdrHistogram.
//
// Values below 128 have a bucket each. From there on every doubling, [2^k, 2^(k+1)), is cut into 128 buckets of equal
// width, so a bucket is at most 1/128 as wide as its least value.

const SUB_BUCKETS = 128;
const SUB_BITS = 7;
/** Values are below 2^47: 39 hours in nanoseconds. Larger ones count as the largest. */
const MAX_BITS = 47;
const MAX_VALUE = 2 ** MAX_BITS - 1;

/** A percentile that is reported is at least the true one, and larger by this share of it at most. */
export const RELATIVE_ERROR = 1 / SUB_BUCKETS;

export class LogHistogram {
  /** 5,248 counters, which is 41 KiB. Doubles count exactly up to 2^53. */
  readonly #counts = new Float64Array((MAX_BITS - SUB_BITS + 1) * SUB_BUCKETS);
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  /** @param value is rounded to a whole number of 0 or more */
  record(value: number): void {
    const whole = Math.min(MAX_VALUE, Math.max(0, Math.round(value)));
    this.#counts[bucketOf(whole)]!++;
    this.#count++;
    this.#sum += whole;
    if (whole < this.#min) this.#min = whole;
    if (whole > this.#max) this.#max = whole;
  }

  get count(): number {
    return this.#count;
  }

  /** Exact; 0 without values. */
  get max(): number {
    return this.#max;
  }

  /** Exact; 0 without values. */
  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  /** Exact as far as doubles add exactly; 0 without values. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /**
   * The least value that at least `percent` of all values do not exceed, too large by {@link RELATIVE_ERROR} at most.
   *
   * @param percent from 0 to 100; 100 is the exact maximum
   * @returns 0 without values
   */
  percentile(percent: number): number {
    const rank = Math.max(1, Math.ceil((percent / 100) * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket]!;
      if (seen >= rank) return Math.min(this.#max, largestIn(bucket));
    }
    return this.#max;
  }
}

function bucketOf(value: number): number {
  if (value < SUB_BUCKETS) return value;
  const shift = bitLength(value) - SUB_BITS - 1;
  // The upper eight bits of the value, 128 to 255, in the row of its doubling.
  return shift * SUB_BUCKETS + Math.floor(value / 2 ** shift);
}

function largestIn(bucket: number): number {
  if (bucket < 2 * SUB_BUCKETS) return bucket;
  const shift = Math.floor(bucket / SUB_BUCKETS) - 1;
  return (bucket - shift * SUB_BUCKETS + 1) * 2 ** shift - 1;
}

function bitLength(value: number): number {
  const high = Math.floor(value / 2 ** 32);
  return high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(value);
}
