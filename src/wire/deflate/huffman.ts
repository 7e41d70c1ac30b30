// Huffman codes as DEFLATE has them (RFC 1951 §3.2.2): the best code lengths for given frequencies, none longer than a
// limit, and the codes that follow from the lengths alone. A code goes out from its most significant bit on, into bytes
// that are filled from the least significant bit on (§3.1.1), so it is kept reversed.

const MAX_SYMBOLS = 288;
const MAX_BITS = 15;
/** Frequencies below this are sorted by counting. */
const MAX_COUNTED = 1024;

// Work space, for one code at a time. As constants of the module the compiler knows where they are and how long:
// with arrays that are members of an object building a code takes a third longer.
const used = new Uint16Array(MAX_SYMBOLS);
const sorted = new Uint16Array(MAX_SYMBOLS);
const node = new Int32Array(MAX_SYMBOLS);
const place = new Uint16Array(MAX_COUNTED + 1);
const lengthCount = new Uint16Array(64);
const nextCode = new Uint16Array(MAX_BITS + 2);

/** Each byte with its bits in the other order. */
const REVERSED = Uint8Array.from({ length: 256 }, (_, byte) => {
  let reversed = 0;
  for (let bit = 0; bit < 8; bit++) reversed |= ((byte >> bit) & 1) << (7 - bit);
  return reversed;
});

/**
 * Finds code lengths of at most `maxBits` for the first `count` symbols of an alphabet.
 *
 * @param frequencies each at most 65,535; of 0 the symbol has no code
 * @param lengths is filled: for each symbol the length of its code, or 0
 * @returns how many bits all of them take
 */
export function findCodeLengths(
  frequencies: Uint16Array,
  count: number,
  maxBits: number,
  lengths: Uint8Array,
): number {
  const total = sortUsed(frequencies, count, lengths);
  // §3.2.7: one code of one bit, as there is none of zero bits
  if (total <= 1) {
    if (total === 1) lengths[sorted[0]!] = 1;
    return total === 1 ? frequencies[sorted[0]!]! : 0;
  }
  countLengths(frequencies, total);
  limitLengths(maxBits);
  // The rarest symbols get the longest codes.
  let bits = 0;
  let at = 0;
  for (let length = maxBits; length > 0; length--) {
    for (let left = lengthCount[length]!; left > 0; left--) {
      const symbol = sorted[at++]!;
      lengths[symbol] = length;
      bits += length * frequencies[symbol]!;
    }
  }
  return bits;
}

/** Puts the symbols that occur into `sorted`, the rarest first, and sets all lengths to 0. */
function sortUsed(frequencies: Uint16Array, count: number, lengths: Uint8Array): number {
  let total = 0;
  let most = 0;
  for (let symbol = 0; symbol < count; symbol++) {
    lengths[symbol] = 0;
    const frequency = frequencies[symbol]!;
    if (frequency === 0) continue;
    used[total++] = symbol;
    if (frequency > most) most = frequency;
  }
  // By counting; those that are too frequent for that share the last place and are few.
  const last = most < MAX_COUNTED ? most : MAX_COUNTED;
  for (let i = 0; i <= last; i++) place[i] = 0;
  for (let i = 0; i < total; i++) {
    const frequency = frequencies[used[i]!]!;
    place[frequency < last ? frequency : last]!++;
  }
  for (let i = 0, sum = 0; i <= last; i++) {
    const start = sum;
    sum += place[i]!;
    place[i] = start;
  }
  for (let i = 0; i < total; i++) {
    const symbol = used[i]!;
    const frequency = frequencies[symbol]!;
    sorted[place[frequency < last ? frequency : last]!++] = symbol;
  }
  if (most > MAX_COUNTED) sortTail(frequencies, place[last - 1]!, total);
  return total;
}

/** By insertion. */
function sortTail(frequencies: Uint16Array, start: number, end: number): void {
  for (let i = start + 1; i < end; i++) {
    const symbol = sorted[i]!;
    const frequency = frequencies[symbol]!;
    let at = i;
    for (; at > start && frequencies[sorted[at - 1]!]! > frequency; at--) sorted[at] = sorted[at - 1]!;
    sorted[at] = symbol;
  }
}

/**
 * Builds the tree and counts its leaves at each depth. In place, after Moffat and Katajainen (1995): inner nodes come
 * into being in the order of their weights, so that they form a sorted list like the leaves; `node` holds the weight
 * of an inner node until it gets a parent, then the parent's index, then its depth.
 */
function countLengths(frequencies: Uint16Array, total: number): void {
  const root = total - 2;
  let leaf = 0;
  let inner = 0;
  for (let next = 0; next <= root; next++) {
    let weight = 0;
    for (let child = 0; child < 2; child++) {
      const leafWeight = leaf < total ? frequencies[sorted[leaf]!]! : 0x7fffffff;
      if (inner < next && node[inner]! < leafWeight) {
        weight += node[inner]!;
        node[inner++] = next;
      } else {
        weight += leafWeight;
        leaf++;
      }
    }
    node[next] = weight;
  }
  for (let i = 0; i < lengthCount.length; i++) lengthCount[i] = 0;
  // From the root down: an inner node is a leaf of its depth that has become two of the next.
  node[root] = 0;
  lengthCount[1] = 2;
  for (let next = root - 1; next >= 0; next--) {
    const depth = node[node[next]!]! + 1;
    node[next] = depth;
    lengthCount[depth]!--;
    lengthCount[depth + 1]! += 2;
  }
}

/** Makes codes that are too long as long as is allowed, and others longer until there are codes for all (§3.2.2). */
function limitLengths(maxBits: number): void {
  let excess = 0;
  for (let length = lengthCount.length - 1; length > maxBits; length--) {
    excess += lengthCount[length]!;
    lengthCount[length] = 0;
  }
  if (excess === 0) return;
  lengthCount[maxBits]! += excess;
  // How many codes of `maxBits` are missing.
  let taken = 0;
  for (let length = 1; length <= maxBits; length++) taken += lengthCount[length]! << (maxBits - length);
  for (let missing = taken - (1 << maxBits); missing > 0; missing--) {
    // One code of the greatest length moves next to a shorter one, which becomes a bit longer for that.
    let length = maxBits - 1;
    while (lengthCount[length] === 0) length--;
    lengthCount[length]!--;
    lengthCount[length + 1]! += 2;
    lengthCount[maxBits]!--;
  }
}

/**
 * §3.2.2: the codes that code lengths stand for.
 *
 * @param codes is filled: a code, reversed, above four bits that say how long it is
 */
export function assignCodes(lengths: Uint8Array, count: number, codes: Int32Array): void {
  for (let length = 0; length <= MAX_BITS; length++) lengthCount[length] = 0;
  for (let symbol = 0; symbol < count; symbol++) lengthCount[lengths[symbol]!]!++;
  let code = 0;
  lengthCount[0] = 0;
  for (let length = 1; length <= MAX_BITS; length++) {
    code = (code + lengthCount[length - 1]!) << 1;
    nextCode[length] = code;
  }
  for (let symbol = 0; symbol < count; symbol++) {
    const length = lengths[symbol]!;
    if (length === 0) continue;
    code = nextCode[length]!++;
    const reversed = ((REVERSED[code & 0xff]! << 8) | REVERSED[code >> 8]!) >> (16 - length);
    codes[symbol] = (reversed << 4) | length;
  }
}
