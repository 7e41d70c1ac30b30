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

/** A rule that leads from each key to the next: probability 500 × 2^-32 for the first three keys, and 0 for all. */
export function findProgression(keys: readonly MaskingKey[]): string | undefined {
  if (keys.length < 8) return undefined;
  const bigEndian = keys.map((key) => wordOf(key));
  const littleEndian = keys.map((key) => wordOf(key, true));
  for (const words of [bigEndian, littleEndian]) {
    if (isConstant(differences(words))) return 'Each masking key is the one before and a constant.';
    if (isConstant(differences(differences(words)))) return 'The masking keys grow by steps that grow evenly.';
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
 * Whether the keys come from a generator whose whole state is at most 128 bits, linear over single bits, such as
 * `Math.random()` of V8 (xorshift128+, of which only the first half is used). Windows of keys then span a space of 128
 * dimensions where random ones fill all 192: with 11 of them more than needed, by 2^-11 at most … see `hasFullRank`.
 */
export function findLinearGenerator(keys: readonly MaskingKey[]): string | undefined {
  for (const { callsPerKey, bitsOf, bits } of LINEAR_SOURCES) {
    // V8 makes 64 numbers in advance and hands them out backwards: inside such a block the rule holds.
    const block = 64 / callsPerKey;
    for (let offset = 0; offset < block; offset++) {
      if (isLinear(keys.map(bitsOf), bits, block, offset)) {
        return 'The masking keys follow a linear rule over their bits, as those of Math.random() do: they can be foreseen.';
      }
    }
  }
  return undefined;
}

const DIMENSIONS = 192;
/** Random rows more than the dimensions have full rank but for a probability of 2^-40. */
const SPARE_ROWS = 40;

const LINEAR_SOURCES: readonly {
  /** Numbers that are drawn for one key. */
  callsPerKey: number;
  /** The bits that are taken over from the generator unchanged, whatever the rounding does to the lower ones. */
  bitsOf: (key: MaskingKey) => bigint;
  bits: number;
}[] = [
  { callsPerKey: 1, bits: 16, bitsOf: (key) => BigInt((key[0]! << 8) | key[1]!) },
  { callsPerKey: 1, bits: 16, bitsOf: (key) => BigInt((key[3]! << 8) | key[2]!) },
  { callsPerKey: 4, bits: 32, bitsOf: (key) => BigInt(wordOf(key)) },
];

/** Whether windows of keys that lie within the blocks, the first of which begins at `offset`, lack full rank. */
function isLinear(words: readonly bigint[], bits: number, block: number, offset: number): boolean {
  const width = DIMENSIONS / bits;
  const rows: bigint[] = [];
  for (let at = 0; at + width <= words.length; at++) {
    if ((at - offset + block) % block > block - width) continue;
    let row = 0n;
    for (let next = at; next < at + width; next++) row = (row << BigInt(bits)) | words[next]!;
    rows.push(row);
  }
  return rows.length >= DIMENSIONS + SPARE_ROWS && !hasFullRank(rows);
}

/** Gaussian elimination over single bits. */
function hasFullRank(rows: readonly bigint[]): boolean {
  /** By the position of their highest bit. */
  const basis = new Map<number, bigint>();
  for (let row of rows) {
    while (row !== 0n) {
      const highest = row.toString(2).length;
      const other = basis.get(highest);
      if (other === undefined) {
        basis.set(highest, row);
        break;
      }
      row ^= other;
    }
    if (basis.size === DIMENSIONS) return true;
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
