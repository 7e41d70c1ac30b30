// What masking keys give away (RFC 6455 §5.3, §10.3). Each check finds one way in which keys can be foreseen, and says so
// in a sentence. Random keys fail a check with a probability below 10^-9, which stands beside each.

/** Below this many keys the checks say little. */
export const KEYS_TO_JUDGE = 500;

/** A key as its four bytes. */
export type MaskingKey = Uint8Array;

/**
 * Keys that come twice. Two equal ones among 500 come about with a probability of 3 × 10^-5, and are let pass; two such
 * pairs with one of 4 × 10^-10.
 */
export function findRepetition(keys: readonly MaskingKey[]): string | undefined {
  const words = keys.map((key) => wordOf(key));
  const repeated = words.length - new Set(words).size;
  return repeated > 1 ? `Only ${words.length - repeated} of ${words.length} masking keys differ.` : undefined;
}

/** A rule that leads from each key to the next. Random keys follow one with a probability below 2^-50. */
export function findProgression(keys: readonly MaskingKey[]): string | undefined {
  if (keys.length < 16) return undefined;
  const bigEndian = keys.map((key) => wordOf(key));
  const littleEndian = keys.map((key) => wordOf(key, true));
  for (const words of [bigEndian, littleEndian]) {
    if (isConstant(differences(words))) return 'Each masking key is the one before and a constant.';
    if (isConstant(differences(differences(words))))
      return 'The masking keys grow by steps that grow evenly.';
  }
  if (isConstant(bigEndian.slice(1).map((word, at) => word ^ bigEndian[at]!)))
    return 'Each masking key is the one before, XORed with a constant.';
  const period = periodOf(keys);
  return period === undefined ? undefined : `A byte of the masking keys repeats itself every ${period} keys.`;
}

/**
 * Chi-square over the 16 values that each half of each byte takes. With 15 degrees of freedom a value above 100 has a
 * probability of 10^-14, and there are 8 of them.
 */
export function findBias(keys: readonly MaskingKey[]): string | undefined {
  for (let half = 0; half < 8; half++) {
    const counts = new Array<number>(16).fill(0);
    for (const key of keys) counts[(key[half >> 1]! >> (half % 2 === 0 ? 4 : 0)) & 15]!++;
    const expected = keys.length / 16;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    if (chiSquare > 100) {
      const bits = half % 2 === 0 ? 'upper' : 'lower';
      return `The ${bits} half of byte ${half >> 1} of the masking keys is not evenly spread: chi-square ${chiSquare.toFixed(0)}.`;
    }
  }
  return undefined;
}

/**
 * Keys from a generator with a state of at most 128 bits that is linear over single bits, such as `Math.random()` of V8
 * (xorshift128+, whose sum is left out). Runs of such keys, taken as vectors of 192 bits, span 128 dimensions at most;
 * random ones span all 192, but for a probability of 2^-40 in each of the 144 ways to look.
 */
export function findLinearGenerator(keys: readonly MaskingKey[]): string | undefined {
  for (const source of LINEAR_SOURCES) {
    // V8 makes 64 numbers in advance and hands them out backwards: the rule holds within such a block.
    const block = 64 / source.callsPerKey;
    for (let offset = 0; offset < block; offset++) {
      if (isLinear(keys, source, block, offset)) {
        return 'The masking keys follow a linear rule over their bits, as those made of Math.random() do.';
      }
    }
  }
  return undefined;
}

interface LinearSource {
  /** Numbers that are drawn for one key. */
  callsPerKey: number;
  /** How many of its bits a key is looked at by, and which: those that rounding leaves alone. */
  bits: 16 | 32;
  bitsOf: (key: MaskingKey) => number;
}

const LINEAR_SOURCES: readonly LinearSource[] = [
  { callsPerKey: 1, bits: 16, bitsOf: (key) => wordOf(key) >>> 16 },
  { callsPerKey: 1, bits: 16, bitsOf: (key) => wordOf(key, true) >>> 16 },
  { callsPerKey: 4, bits: 32, bitsOf: (key) => wordOf(key) },
];

const ROW_WORDS = 6;
const DIMENSIONS = 32 * ROW_WORDS;
const SPARE_ROWS = 40;

/** Whether the runs of keys that lie within the blocks, the first of which begins at `offset`, lack full rank. */
function isLinear(keys: readonly MaskingKey[], source: LinearSource, block: number, offset: number): boolean {
  const { bits, bitsOf } = source;
  const length = DIMENSIONS / bits;
  const rows: Uint32Array[] = [];
  for (let at = 0; at + length <= keys.length; at++) {
    if ((at + block - offset) % block > block - length) continue;
    const row = new Uint32Array(ROW_WORDS);
    for (let n = 0; n < length; n++) {
      const word = (n * bits) >> 5;
      row[word] = (bits === 32 ? 0 : row[word]! << 16) | bitsOf(keys[at + n]!);
    }
    rows.push(row);
  }
  return rows.length >= DIMENSIONS + SPARE_ROWS && !hasFullRank(rows);
}

/** Gaussian elimination over single bits; the rows are used up. */
function hasFullRank(rows: readonly Uint32Array[]): boolean {
  /** By the position of their first set bit. */
  const basis: Uint32Array[] = [];
  let rank = 0;
  for (const row of rows) {
    for (let word = 0; word < ROW_WORDS; ) {
      if (row[word] === 0) {
        word++;
        continue;
      }
      const first = word * 32 + Math.clz32(row[word]!);
      const other = basis[first];
      if (other === undefined) {
        basis[first] = row;
        rank++;
        break;
      }
      for (let at = word; at < ROW_WORDS; at++) row[at]! ^= other[at]!;
    }
    if (rank === DIMENSIONS) return true;
  }
  return false;
}

function wordOf(key: MaskingKey, isLittleEndian = false): number {
  return new DataView(key.buffer, key.byteOffset, 4).getUint32(0, isLittleEndian);
}

function differences(words: readonly number[]): number[] {
  return words.slice(1).map((word, at) => (word - words[at]!) >>> 0);
}

function isConstant(words: readonly number[]): boolean {
  return words.every((word) => word === words[0]);
}

/** The distance at which one byte of every key is equal to that byte of an earlier one, as in a congruential generator. */
function periodOf(keys: readonly MaskingKey[]): number | undefined {
  for (let period = 1; period <= 256 && period + 8 <= keys.length; period++) {
    for (let byte = 0; byte < 4; byte++) {
      if (keys.every((key, at) => at < period || key[byte] === keys[at - period]![byte])) return period;
    }
  }
  return undefined;
}
