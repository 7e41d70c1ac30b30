// The second half of DEFLATE (RFC 1951 §3.2.3-§3.2.7): tokens become one block, with whichever codes make it the shortest: those
// of the standard, its own, or none, with the bytes as they are.

import { type History, tokenizeAfter } from './history.js';
import { buildCode, CODE_LENGTH_MASK as CODE_LENGTH_MASK_, codesOf, listSymbols } from './huffman.js';
import {
  CODE_LENGTH_EXTRA_BITS as CODE_LENGTH_EXTRA_BITS_,
  CODE_LENGTH_ORDER as CODE_LENGTH_ORDER_,
  CODE_LENGTH_SYMBOLS,
  DISTANCE_BASE as DISTANCE_BASE_,
  DISTANCE_EXTRA_BITS as DISTANCE_EXTRA_BITS_,
  DISTANCE_SYMBOL as DISTANCE_SYMBOL_,
  DISTANCE_SYMBOLS,
  END_OF_BLOCK as END_OF_BLOCK_,
  FIXED_DISTANCE_LENGTHS,
  FIXED_LITERAL_LENGTHS,
  LENGTH_BASE as LENGTH_BASE_,
  LENGTH_EXTRA_BITS as LENGTH_EXTRA_BITS_,
  LENGTH_SYMBOL as LENGTH_SYMBOL_,
  LITERAL_SYMBOLS,
} from './symbols.js';
import {
  DISTANCE_SHIFT as DISTANCE_SHIFT_,
  distanceFrequencies as distanceFrequencies_,
  LENGTH_MASK as LENGTH_MASK_,
  literalFrequencies as literalFrequencies_,
  MAX_MESSAGE_BYTES,
  tokenize,
  tokens as tokens_,
} from './tokens.js';

const STORED = 0;
const FIXED = 1;
const DYNAMIC = 2;
/** What goes out besides the bytes of a stored block: its header, and the beginning of the empty one. */
const STORED_EXTRA_BYTES = 6;

/** §3.2.7 */
const MAX_CODE_BITS = 15;
const MAX_RUN_CODE_BITS = 7;
/** The first symbol for a length. */
const FIRST_LENGTH = 257;

// As in `tokens.ts`: constants of this module.
const tokens = tokens_;
const DISTANCE_SHIFT = DISTANCE_SHIFT_;
const LENGTH_MASK = LENGTH_MASK_;
const CODE_LENGTH_MASK = CODE_LENGTH_MASK_;
const CODE_LENGTH_EXTRA_BITS = CODE_LENGTH_EXTRA_BITS_;
const CODE_LENGTH_ORDER = CODE_LENGTH_ORDER_;
const END_OF_BLOCK = END_OF_BLOCK_;
const literalFrequencies = literalFrequencies_;
const distanceFrequencies = distanceFrequencies_;
const DISTANCE_BASE = DISTANCE_BASE_;
const DISTANCE_EXTRA_BITS = DISTANCE_EXTRA_BITS_;
const DISTANCE_SYMBOL = DISTANCE_SYMBOL_;
const LENGTH_BASE = LENGTH_BASE_;
const LENGTH_EXTRA_BITS = LENGTH_EXTRA_BITS_;
const LENGTH_SYMBOL = LENGTH_SYMBOL_;

const literalSymbols = new Uint16Array(LITERAL_SYMBOLS);
const distanceSymbols = new Uint16Array(DISTANCE_SYMBOLS);
let literalCount = 0;
let distanceCount = 0;
const literalCodes = new Int32Array(288);
const distanceCodes = new Int32Array(DISTANCE_SYMBOLS);

/** §3.2.7: the lengths of the codes: a symbol for each, or for a run of them, and above its five bits how long the run is. */
const runs = new Uint16Array(LITERAL_SYMBOLS + DISTANCE_SYMBOLS);
let runCount = 0;
/** The run that is not listed yet. */
let run = 0;
let runLength = 0;
const runFrequencies = new Uint16Array(CODE_LENGTH_SYMBOLS);
const runSymbols = new Uint16Array(CODE_LENGTH_SYMBOLS);
const runCodes = new Int32Array(CODE_LENGTH_SYMBOLS);
/** How many of the lengths of these codes are sent. */
let orderEnd = 0;

const FIXED_LITERAL_CODES = codesOf(FIXED_LITERAL_LENGTHS);
const FIXED_DISTANCE_CODES = codesOf(FIXED_DISTANCE_LENGTHS);

/** The block, with space for writing four bytes at its last one. */
const output = new Uint8Array(MAX_MESSAGE_BYTES + 64);
const view = new DataView(output.buffer);

/**
 * Compresses a message.
 *
 * @param message at least one byte, at most `MAX_MESSAGE_BYTES`
 * @param maxDistance how far back a match may refer
 * @returns a block and the first bits of an empty stored one, whose other bytes, 00 00 FF FF, are not sent (RFC 7692
 *   §7.2.1); it is overwritten by the next call
 */
export function encode(message: Uint8Array, maxDistance: number): Uint8Array {
  return encodeTokens(message, tokenize(message, maxDistance));
}

/** The same for a message that may refer to those before it. */
export function encodeAfter(history: History, message: Uint8Array): Uint8Array {
  return encodeTokens(message, tokenizeAfter(history, message));
}

function encodeTokens(message: Uint8Array, tokenCount: number): Uint8Array {
  literalCount = listSymbols(literalFrequencies, LITERAL_SYMBOLS, literalSymbols);
  distanceCount = listSymbols(distanceFrequencies, DISTANCE_SYMBOLS, distanceSymbols);
  const dynamicBits = buildDynamicCodes();
  const fixedBits = countFixedBits();
  const extraBits = countExtraBits();
  clearFrequencies();
  const bits = 3 + Math.min(dynamicBits, fixedBits) + extraBits + 3;
  if (bits > 8 * (message.length + STORED_EXTRA_BYTES)) return output.subarray(0, store(message));
  if (fixedBits <= dynamicBits) {
    literalCodes.set(FIXED_LITERAL_CODES);
    distanceCodes.set(FIXED_DISTANCE_CODES);
    return output.subarray(0, writeBlock(FIXED, tokenCount));
  }
  return output.subarray(0, writeBlock(DYNAMIC, tokenCount));
}

/** §3.2.7: codes for this message alone, and codes for their lengths. Returns the bits they take, less the extra bits. */
function buildDynamicCodes(): number {
  const literalBits = buildCode(
    literalFrequencies,
    literalSymbols,
    literalCount,
    MAX_CODE_BITS,
    literalCodes,
  );
  const distanceBits = buildCode(
    distanceFrequencies,
    distanceSymbols,
    distanceCount,
    MAX_CODE_BITS,
    distanceCodes,
  );
  listRuns();
  const runSymbolCount = listSymbols(runFrequencies, CODE_LENGTH_SYMBOLS, runSymbols);
  runCodes.fill(0);
  const runBits = buildCode(runFrequencies, runSymbols, runSymbolCount, MAX_RUN_CODE_BITS, runCodes);
  orderEnd = CODE_LENGTH_SYMBOLS;
  while (orderEnd > 4 && runCodes[CODE_LENGTH_ORDER[orderEnd - 1]!] === 0) orderEnd--;
  const runExtraBits = 2 * runFrequencies[16]! + 3 * runFrequencies[17]! + 7 * runFrequencies[18]!;
  return 14 + 3 * orderEnd + runBits + runExtraBits + literalBits + distanceBits;
}

/** §3.2.6: the same with the codes of the standard. */
function countFixedBits(): number {
  let bits = 0;
  for (let i = 0; i < literalCount; i++) {
    const symbol = literalSymbols[i]!;
    bits += literalFrequencies[symbol]! * FIXED_LITERAL_LENGTHS[symbol]!;
  }
  for (let i = 0; i < distanceCount; i++) {
    const symbol = distanceSymbols[i]!;
    bits += distanceFrequencies[symbol]! * FIXED_DISTANCE_LENGTHS[symbol]!;
  }
  return bits;
}

/** What lengths and distances need besides their codes. */
function countExtraBits(): number {
  let bits = 0;
  for (let i = literalCount - 1; literalSymbols[i]! > END_OF_BLOCK; i--) {
    const symbol = literalSymbols[i]!;
    bits += literalFrequencies[symbol]! * LENGTH_EXTRA_BITS[symbol - FIRST_LENGTH]!;
  }
  for (let i = 0; i < distanceCount; i++) {
    const symbol = distanceSymbols[i]!;
    bits += distanceFrequencies[symbol]! * DISTANCE_EXTRA_BITS[symbol]!;
  }
  return bits;
}

function clearFrequencies(): void {
  for (let i = 0; i < literalCount; i++) literalFrequencies[literalSymbols[i]!] = 0;
  for (let i = 0; i < distanceCount; i++) distanceFrequencies[distanceSymbols[i]!] = 0;
}

/** §3.2.4. */
function store(message: Uint8Array): number {
  const { length } = message;
  output[0] = STORED << 1;
  view.setUint16(1, length, true);
  view.setUint16(3, ~length, true);
  output.set(message, 5);
  output[5 + length] = STORED << 1;
  return 6 + length;
}

/** Lists the lengths of the codes of all symbols, those of distances behind the others: a run may go across (§3.2.7). */
function listRuns(): void {
  for (let i = 0; i < CODE_LENGTH_SYMBOLS; i++) runFrequencies[i] = 0;
  runCount = 0;
  run = 0;
  listRunsOf(literalSymbols, literalCount, literalCodes);
  if (distanceCount > 0) listRunsOf(distanceSymbols, distanceCount, distanceCodes);
  pushRun(runLength, run);
  // Without matches there is one distance, without a code.
  if (distanceCount === 0) pushZeros(1);
}

function listRunsOf(symbols: Uint16Array, count: number, codes: Int32Array): void {
  let next = 0;
  for (let i = 0; i < count; i++) {
    const symbol = symbols[i]!;
    const length = codes[symbol]! & CODE_LENGTH_MASK;
    if (symbol !== next || length !== runLength) {
      if (run > 0) pushRun(runLength, run);
      if (symbol !== next) pushZeros(symbol - next);
      run = 0;
      runLength = length;
    }
    run++;
    next = symbol + 1;
  }
}

function pushZeros(count: number): void {
  let left = count;
  for (; left >= 11; left -= Math.min(left, 138)) push(18, Math.min(left, 138) - 11);
  if (left >= 3) push(17, left - 3);
  else for (; left > 0; left--) push(0, 0);
}

function pushRun(length: number, count: number): void {
  push(length, 0);
  let left = count - 1;
  for (; left >= 3; left -= Math.min(left, 6)) push(16, Math.min(left, 6) - 3);
  for (; left > 0; left--) push(length, 0);
}

function push(symbol: number, extra: number): void {
  runs[runCount++] = symbol | (extra << 5);
  runFrequencies[symbol]!++;
}

/** Writes the block and the first bits of the next, an empty one. Longer than others, so that the bits at hand are local variables. */
function writeBlock(type: number, tokenCount: number): number {
  let bits = type << 1;
  let bitCount = 3;
  let at = 0;
  if (type === DYNAMIC) {
    const literalEnd = literalSymbols[literalCount - 1]! + 1;
    const distanceEnd = distanceCount === 0 ? 1 : distanceSymbols[distanceCount - 1]! + 1;
    bits |= ((literalEnd - FIRST_LENGTH) << 3) | ((distanceEnd - 1) << 8) | ((orderEnd - 4) << 13);
    bitCount = 17;
    for (let i = 0; i < orderEnd; i++) {
      view.setUint32(at, bits, true);
      at += bitCount >> 3;
      bits >>>= bitCount & 0x18;
      bitCount &= 7;
      bits |= (runCodes[CODE_LENGTH_ORDER[i]!]! & CODE_LENGTH_MASK) << bitCount;
      bitCount += 3;
    }
    for (let i = 0; i < runCount; i++) {
      view.setUint32(at, bits, true);
      at += bitCount >> 3;
      bits >>>= bitCount & 0x18;
      bitCount &= 7;
      const run = runs[i]!;
      const code = runCodes[run & 31]!;
      bits |= ((code >> 4) | ((run >> 5) << (code & CODE_LENGTH_MASK))) << bitCount;
      bitCount += (code & CODE_LENGTH_MASK) + CODE_LENGTH_EXTRA_BITS[run & 31]!;
    }
  }
  tokens[tokenCount] = END_OF_BLOCK;
  for (let i = 0; i <= tokenCount; i++) {
    view.setUint32(at, bits, true);
    at += bitCount >> 3;
    bits >>>= bitCount & 0x18;
    bitCount &= 7;
    const token = tokens[i]!;
    if (token <= END_OF_BLOCK) {
      const code = literalCodes[token]!;
      bits |= (code >>> 4) << bitCount;
      bitCount += code & CODE_LENGTH_MASK;
      continue;
    }
    const length = token & LENGTH_MASK;
    const distance = token >>> DISTANCE_SHIFT;
    const lengthSymbol = LENGTH_SYMBOL[length]!;
    let code = literalCodes[FIRST_LENGTH + lengthSymbol]!;
    bits |= ((code >>> 4) | ((length - LENGTH_BASE[lengthSymbol]!) << (code & CODE_LENGTH_MASK))) << bitCount;
    bitCount += (code & CODE_LENGTH_MASK) + LENGTH_EXTRA_BITS[lengthSymbol]!;
    view.setUint32(at, bits, true);
    at += bitCount >> 3;
    bits >>>= bitCount & 0x18;
    bitCount &= 7;
    const symbol =
      distance <= 256 ? DISTANCE_SYMBOL[distance - 1]! : DISTANCE_SYMBOL[256 + ((distance - 1) >> 7)]!;
    code = distanceCodes[symbol]!;
    bits |= (code >>> 4) << bitCount;
    bitCount += code & CODE_LENGTH_MASK;
    view.setUint32(at, bits, true);
    at += bitCount >> 3;
    bits >>>= bitCount & 0x18;
    bitCount &= 7;
    bits |= (distance - DISTANCE_BASE[symbol]!) << bitCount;
    bitCount += DISTANCE_EXTRA_BITS[symbol]!;
  }
  // three bits of an empty stored block
  bitCount += 3;
  view.setUint32(at, bits, true);
  return at + ((bitCount + 7) >> 3);
}
