// The second half of DEFLATE (RFC 1951 §3.2.3-§3.2.7): tokens become one block, with whichever codes make it the shortest: those
// of the standard, its own, or none, with the bytes as they are.

import { assignCodes, findCodeLengths } from './huffman.js';
import {
  CODE_LENGTH_EXTRA_BITS,
  CODE_LENGTH_ORDER,
  CODE_LENGTH_SYMBOLS,
  DISTANCE_BASE as DISTANCE_BASE_,
  DISTANCE_EXTRA_BITS as DISTANCE_EXTRA_BITS_,
  DISTANCE_SYMBOL as DISTANCE_SYMBOL_,
  DISTANCE_SYMBOLS,
  END_OF_BLOCK,
  FIXED_DISTANCE_LENGTHS,
  FIXED_LITERAL_LENGTHS,
  LENGTH_BASE as LENGTH_BASE_,
  LENGTH_EXTRA_BITS as LENGTH_EXTRA_BITS_,
  LENGTH_SYMBOL as LENGTH_SYMBOL_,
  LITERAL_SYMBOLS,
} from './symbols.js';
import {
  distanceFrequencies as distanceFrequencies_,
  literalFrequencies as literalFrequencies_,
  MAX_MESSAGE_BYTES,
  tokenize,
  tokens as tokens_,
} from './tokens.js';

const STORED = 0;
const FIXED = 1;
const DYNAMIC = 2;
/** §3.2.4: a stored block has a length of 16 bits. */
const MAX_STORED_BYTES = 0xffff;

// As in `tokens.ts`: constants of this module.
const tokens = tokens_;
const literalFrequencies = literalFrequencies_;
const distanceFrequencies = distanceFrequencies_;
const DISTANCE_BASE = DISTANCE_BASE_;
const DISTANCE_EXTRA_BITS = DISTANCE_EXTRA_BITS_;
const DISTANCE_SYMBOL = DISTANCE_SYMBOL_;
const LENGTH_BASE = LENGTH_BASE_;
const LENGTH_EXTRA_BITS = LENGTH_EXTRA_BITS_;
const LENGTH_SYMBOL = LENGTH_SYMBOL_;

const lengths = new Uint8Array(LITERAL_SYMBOLS + DISTANCE_SYMBOLS);
const literalLengths = new Uint8Array(288);
const distanceLengths = new Uint8Array(32);
const literalCodes = new Int32Array(288);
const distanceCodes = new Int32Array(32);
const codeLengthTokens = new Uint16Array(LITERAL_SYMBOLS + DISTANCE_SYMBOLS);
const codeLengthFrequencies = new Uint16Array(CODE_LENGTH_SYMBOLS);
const codeLengthLengths = new Uint8Array(CODE_LENGTH_SYMBOLS);
const codeLengthCodes = new Int32Array(CODE_LENGTH_SYMBOLS);

const fixedLiteralCodes = new Int32Array(288);
const fixedDistanceCodes = new Int32Array(32);
assignCodes(FIXED_LITERAL_LENGTHS, 288, fixedLiteralCodes);
assignCodes(FIXED_DISTANCE_LENGTHS, DISTANCE_SYMBOLS, fixedDistanceCodes);

/** The block, with space for writing four bytes at its last one. */
const output = new Uint8Array(MAX_MESSAGE_BYTES + 64);
const view = new DataView(output.buffer);

/** Bits that do not fill a byte yet, and how many. */
let held = 0;
let heldBits = 0;
/** Where the next byte goes. */
let position = 0;

/** Appends up to 24 bits. */
function put(bits: number, count: number): void {
  held |= bits << heldBits;
  heldBits += count;
  view.setUint32(position, held, true);
  position += heldBits >> 3;
  held >>>= heldBits & 0x18;
  heldBits &= 7;
}

export function encode(message: Uint8Array, maxDistance: number): number {
  const tokenCount = tokenize(message, maxDistance);
  held = 0;
  heldBits = 0;
  position = 0;

  const literalBits = findCodeLengths(literalFrequencies, LITERAL_SYMBOLS, 15, literalLengths);
  const distanceBits = findCodeLengths(distanceFrequencies, DISTANCE_SYMBOLS, 15, distanceLengths);
  let literalCount = LITERAL_SYMBOLS;
  while (literalLengths[literalCount - 1] === 0) literalCount--;
  let distanceCount = DISTANCE_SYMBOLS;
  while (distanceCount > 1 && distanceLengths[distanceCount - 1] === 0) distanceCount--;
  const codeLengthTokenCount = tokenizeCodeLengths(literalCount, distanceCount);
  const codeLengthBits = findCodeLengths(codeLengthFrequencies, CODE_LENGTH_SYMBOLS, 7, codeLengthLengths);
  let codeLengthCount = CODE_LENGTH_SYMBOLS;
  while (codeLengthLengths[CODE_LENGTH_ORDER[codeLengthCount - 1]!] === 0) codeLengthCount--;
  if (codeLengthCount < 4) codeLengthCount = 4;

  const dynamicBits =
    14 + 3 * codeLengthCount + codeLengthBits + codeLengthExtraBits() + literalBits + distanceBits;
  const fixedBits = fixedSize();
  const extraBits = countExtraBits();
  const best = dynamicBits < fixedBits ? dynamicBits : fixedBits;
  const bytes = (3 + best + extraBits + 3 + 7) >> 3;
  if (bytes >= message.length + 5 * Math.ceil(message.length / MAX_STORED_BYTES) + 1) {
    return store(message);
  }
  if (fixedBits <= dynamicBits) {
    put(FIXED << 1, 3);
    writeTokens(tokenCount, fixedLiteralCodes, fixedDistanceCodes);
  } else {
    put(DYNAMIC << 1, 3);
    assignCodes(literalLengths, LITERAL_SYMBOLS, literalCodes);
    assignCodes(distanceLengths, DISTANCE_SYMBOLS, distanceCodes);
    assignCodes(codeLengthLengths, CODE_LENGTH_SYMBOLS, codeLengthCodes);
    put((literalCount - 257) | ((distanceCount - 1) << 5) | ((codeLengthCount - 4) << 10), 14);
    for (let i = 0; i < codeLengthCount; i++) put(codeLengthLengths[CODE_LENGTH_ORDER[i]!]!, 3);
    for (let i = 0; i < codeLengthTokenCount; i++) {
      const token = codeLengthTokens[i]!;
      const symbol = token & 31;
      const code = codeLengthCodes[symbol]!;
      put((code >> 4) | ((token >> 5) << (code & 15)), (code & 15) + CODE_LENGTH_EXTRA_BITS[symbol]!);
    }
    writeTokens(tokenCount, literalCodes, distanceCodes);
  }
  put(STORED << 1, 3);
  if (heldBits > 0) position++;
  return position;
}

export function encoded(): Uint8Array {
  return output;
}

function store(message: Uint8Array): number {
  let at = 0;
  for (let start = 0; start < message.length; start += MAX_STORED_BYTES) {
    const end = Math.min(start + MAX_STORED_BYTES, message.length);
    output[at] = STORED << 1;
    view.setUint16(at + 1, end - start, true);
    view.setUint16(at + 3, ~(end - start), true);
    output.set(message.subarray(start, end), at + 5);
    at += 5 + end - start;
  }
  output[at] = STORED << 1;
  return at + 1;
}

function fixedSize(): number {
  let bits = 0;
  for (let symbol = 0; symbol < LITERAL_SYMBOLS; symbol++) bits += literalFrequencies[symbol]! * FIXED_LITERAL_LENGTHS[symbol]!;
  for (let symbol = 0; symbol < DISTANCE_SYMBOLS; symbol++) bits += distanceFrequencies[symbol]! * 5;
  return bits;
}

function countExtraBits(): number {
  let bits = 0;
  for (let i = 0; i < LENGTH_EXTRA_BITS.length; i++) bits += LENGTH_EXTRA_BITS[i]! * literalFrequencies[257 + i]!;
  for (let i = 0; i < DISTANCE_SYMBOLS; i++) bits += DISTANCE_EXTRA_BITS[i]! * distanceFrequencies[i]!;
  return bits;
}

function codeLengthExtraBits(): number {
  return codeLengthFrequencies[16]! * 2 + codeLengthFrequencies[17]! * 3 + codeLengthFrequencies[18]! * 7;
}

/** §3.2.7: run lengths of the code lengths: a symbol and, above its five bits, how often. */
function tokenizeCodeLengths(literalCount: number, distanceCount: number): number {
  const total = literalCount + distanceCount;
  for (let i = 0; i < literalCount; i++) lengths[i] = literalLengths[i]!;
  for (let i = 0; i < distanceCount; i++) lengths[literalCount + i] = distanceLengths[i]!;
  for (let i = 0; i < CODE_LENGTH_SYMBOLS; i++) codeLengthFrequencies[i] = 0;
  let count = 0;
  for (let start = 0; start < total; ) {
    const length = lengths[start]!;
    let end = start + 1;
    while (end < total && lengths[end] === length) end++;
    let run = end - start;
    start = end;
    if (length === 0) {
      while (run >= 11) {
        const step = run < 138 ? run : 138;
        codeLengthTokens[count++] = 18 | ((step - 11) << 5);
        codeLengthFrequencies[18]!++;
        run -= step;
      }
      if (run >= 3) {
        codeLengthTokens[count++] = 17 | ((run - 3) << 5);
        codeLengthFrequencies[17]!++;
        run = 0;
      }
    } else {
      codeLengthTokens[count++] = length;
      codeLengthFrequencies[length]!++;
      run--;
      while (run >= 3) {
        const step = run < 6 ? run : 6;
        codeLengthTokens[count++] = 16 | ((step - 3) << 5);
        codeLengthFrequencies[16]!++;
        run -= step;
      }
    }
    for (; run > 0; run--) {
      codeLengthTokens[count++] = length;
      codeLengthFrequencies[length]!++;
    }
  }
  return count;
}

function writeTokens(count: number, literalCodes: Int32Array, distanceCodes: Int32Array): void {
  let bits = held;
  let bitCount = heldBits;
  let at = position;
  tokens[count] = END_OF_BLOCK;
  for (let i = 0; i <= count; i++) {
    const token = tokens[i]!;
    if (token <= END_OF_BLOCK) {
      const code = literalCodes[token]!;
      bits |= (code >>> 4) << bitCount;
      bitCount += code & 15;
    } else {
      const length = token & 0x1ff;
      const distance = token >>> 9;
      const lengthSymbol = LENGTH_SYMBOL[length]!;
      let code = literalCodes[257 + lengthSymbol]!;
      bits |= ((code >>> 4) | ((length - LENGTH_BASE[lengthSymbol]!) << (code & 15))) << bitCount;
      bitCount += (code & 15) + LENGTH_EXTRA_BITS[lengthSymbol]!;
      view.setUint32(at, bits, true);
      at += bitCount >> 3;
      bits >>>= bitCount & 0x18;
      bitCount &= 7;
      const symbol = distance <= 256 ? DISTANCE_SYMBOL[distance - 1]! : DISTANCE_SYMBOL[256 + ((distance - 1) >> 7)]!;
      code = distanceCodes[symbol]!;
      bits |= (code >>> 4) << bitCount;
      bitCount += code & 15;
      view.setUint32(at, bits, true);
      at += bitCount >> 3;
      bits >>>= bitCount & 0x18;
      bitCount &= 7;
      bits |= (distance - DISTANCE_BASE[symbol]!) << bitCount;
      bitCount += DISTANCE_EXTRA_BITS[symbol]!;
    }
    view.setUint32(at, bits, true);
    at += bitCount >> 3;
    bits >>>= bitCount & 0x18;
    bitCount &= 7;
  }
  held = bits;
  heldBits = bitCount;
  position = at;
}
