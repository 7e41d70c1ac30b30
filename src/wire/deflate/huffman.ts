// Huffman codes as DEFLATE has them (RFC 1951 §3.2.2): the best code lengths for given frequencies, none longer than a
// limit, and the codes, which follow from the lengths alone. A code goes out from its most significant bit on, into bytes
// that are filled from the least significant bit on (§3.1.1), so it is kept reversed.

/** In a code, how long it is; the code itself stands above, reversed. */
export const CODE_LENGTH_MASK = 0xf;

const MAX_SYMBOLS = 288;
/** No tree is deeper: for that the frequencies would have to add up to more than 2^20 (Fibonacci numbers do). */
const MAX_DEPTH = 30;
/** Frequencies below this are sorted by counting. */
const MAX_COUNTED = 512;

// Work space for one code at a time, as constants of the module: see `tokens.ts`.
const sorted = new Uint16Array(MAX_SYMBOLS);
const weights = new Uint16Array(MAX_SYMBOLS);
const nodes = new Int32Array(MAX_SYMBOLS);
const places = new Uint16Array(MAX_COUNTED + 1);
const lengthCounts = new Uint16Array(MAX_DEPTH + 1);
const nextCodes = new Uint16Array(16);

/** Each byte with its bits in the other order. */
const REVERSED = Uint8Array.from({ length: 256 }, (_, byte) => {
  let reversed = 0;
  for (let bit = 0; bit < 8; bit++) reversed |= ((byte >> bit) & 1) << (7 - bit);
  return reversed;
});

/** Lists the symbols below `end` that occur, in their order. Returns how many they are. */
export function listSymbols(frequencies: Uint16Array, end: number, symbols: Uint16Array): number {
  let count = 0;
  // Without a branch that nobody can predict: 0.1 us less.
  for (let symbol = 0; symbol < end; symbol++) {
    symbols[count] = symbol;
    count += -frequencies[symbol]! >>> 31;
  }
  return count;
}

/**
 * Builds a code for the first `count` of the `symbols`.
 *
 * @param codes is filled, for these symbols: a code, reversed, above four bits that say how long it is
 * @returns how many bits all occurrences take
 */
export function buildCode(
  frequencies: Uint16Array,
  symbols: Uint16Array,
  count: number,
  maxBits: number,
  codes: Int32Array,
): number {
  if (count <= 1) {
    // §3.2.7: one bit, as there is no code of zero bits
    if (count === 1) codes[symbols[0]!] = 1;
    return count === 1 ? frequencies[symbols[0]!]! : 0;
  }
  sortSymbols(frequencies, symbols, count);
  countLengths(count);
  limitLengths(maxBits);
  // The rarest symbols get the longest codes.
  let bits = 0;
  let at = 0;
  for (let length = maxBits; length > 0; length--) {
    for (let left = lengthCounts[length]!; left > 0; left--) {
      bits += length * weights[at]!;
      codes[sorted[at++]!] = length;
    }
  }
  assignCodes(symbols, count, codes);
  return bits;
}

/** Puts the symbols into `sorted` and their frequencies into `weights`, the rarest first. */
function sortSymbols(frequencies: Uint16Array, symbols: Uint16Array, count: number): void {
  let most = 0;
  for (let i = 0; i < count; i++) {
    const frequency = frequencies[symbols[i]!]!;
    if (frequency > most) most = frequency;
  }
  // By counting; those that are too frequent for that share the last place and are few.
  const last = Math.min(most, MAX_COUNTED);
  for (let i = 0; i <= last; i++) places[i] = 0;
  for (let i = 0; i < count; i++) {
    const frequency = frequencies[symbols[i]!]!;
    places[Math.min(frequency, last)]!++;
  }
  for (let i = 0, start = 0; i <= last; i++) {
    const next = start + places[i]!;
    places[i] = start;
    start = next;
  }
  const tail = places[last]!;
  for (let i = 0; i < count; i++) {
    const symbol = symbols[i]!;
    const frequency = frequencies[symbol]!;
    let at = places[Math.min(frequency, last)]!++;
    for (; at > tail && weights[at - 1]! > frequency; at--) {
      weights[at] = weights[at - 1]!;
      sorted[at] = sorted[at - 1]!;
    }
    weights[at] = frequency;
    sorted[at] = symbol;
  }
}

/**
 * Builds the tree and counts its leaves at each depth. Inner nodes come into being in the order of their weights and so
 * are sorted like the leaves: the two lightest stand at the front of one of two lists (Moffat and Katajainen, 1995).
 * `nodes` holds the weight of an inner node until it gets a parent, then the parent's index, then its depth.
 */
function countLengths(count: number): void {
  const root = count - 2;
  let leaf = 0;
  let inner = 0;
  for (let next = 0; next <= root; next++) {
    let weight = 0;
    if (leaf >= count || (inner < next && nodes[inner]! < weights[leaf]!)) {
      weight = nodes[inner]!;
      nodes[inner++] = next;
    } else {
      weight = weights[leaf++]!;
    }
    if (leaf >= count || (inner < next && nodes[inner]! < weights[leaf]!)) {
      weight += nodes[inner]!;
      nodes[inner++] = next;
    } else {
      weight += weights[leaf++]!;
    }
    nodes[next] = weight;
  }
  for (let depth = 0; depth <= MAX_DEPTH; depth++) lengthCounts[depth] = 0;
  // From the root down: a leaf of one depth becomes two of the next.
  nodes[root] = 0;
  lengthCounts[1] = 2;
  for (let next = root - 1; next >= 0; next--) {
    const depth = nodes[nodes[next]!]! + 1;
    nodes[next] = depth;
    lengthCounts[depth]!--;
    lengthCounts[depth + 1]! += 2;
  }
}

/** Makes codes that are too long as long as is allowed, and others longer until there are codes for all (§3.2.2). */
function limitLengths(maxBits: number): void {
  let excess = 0;
  for (let length = MAX_DEPTH; length > maxBits; length--) {
    excess += lengthCounts[length]!;
    lengthCounts[length] = 0;
  }
  if (excess === 0) return;
  lengthCounts[maxBits]! += excess;
  let taken = 0;
  for (let length = 1; length <= maxBits; length++) taken += lengthCounts[length]! << (maxBits - length);
  // For each code that is one too many: one of the longest moves next to a shorter one, which gets a bit more for that.
  for (let missing = taken - (1 << maxBits); missing > 0; missing--) {
    let length = maxBits - 1;
    while (lengthCounts[length] === 0) length--;
    lengthCounts[length]!--;
    lengthCounts[length + 1]! += 2;
    lengthCounts[maxBits]!--;
  }
}

/** §3.2.2: turns the lengths in `codes` into codes, by the counts in `lengthCounts`. */
function assignCodes(symbols: Uint16Array, count: number, codes: Int32Array): void {
  for (let length = 1, code = 0; length < 16; length++) {
    nextCodes[length] = code;
    code = (code + lengthCounts[length]!) << 1;
  }
  for (let i = 0; i < count; i++) {
    const symbol = symbols[i]!;
    const length = codes[symbol]!;
    const code = nextCodes[length]!++;
    const reversed = ((REVERSED[code & 0xff]! << 8) | REVERSED[code >> 8]!) >> (16 - length);
    codes[symbol] = (reversed << 4) | length;
  }
}

/** The codes that follow from the lengths of the first symbols of an alphabet. */
export function codesOf(lengths: Uint8Array): Int32Array {
  const symbols = Uint16Array.from(lengths.keys());
  const codes = Int32Array.from(lengths);
  lengthCounts.fill(0);
  for (const length of lengths) lengthCounts[length]!++;
  assignCodes(symbols, symbols.length, codes);
  return codes;
}
