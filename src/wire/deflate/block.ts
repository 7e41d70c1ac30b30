// The second half of DEFLATE (RFC 1951 §3.2.3-§3.2.7): tokens become one block, with whichever codes make it the shortest: those
// of the standard, its own, or none, with the bytes as they are.

import { buildCode, codesOf, listSymbols } from './huffman.js';
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

const literalSymbols = new Uint16Array(LITERAL_SYMBOLS);
const distanceSymbols = new Uint16Array(DISTANCE_SYMBOLS);
const literalCodes = new Int32Array(288);
const distanceCodes = new Int32Array(DISTANCE_SYMBOLS);

/** §3.2.7: the lengths of the codes: a symbol for each, or for a run of them, and above its five bits how long the run is. */
const runs = new Uint16Array(LITERAL_SYMBOLS + DISTANCE_SYMBOLS);
let runCount = 0;
const runFrequencies = new Uint16Array(CODE_LENGTH_SYMBOLS);
const runSymbols = new Uint16Array(CODE_LENGTH_SYMBOLS);
const runCodes = new Int32Array(CODE_LENGTH_SYMBOLS);

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
  return output.subarray(0, encodeInto(message, maxDistance));
}

function encodeInto(message: Uint8Array, maxDistance: number): number {
  const tokenCount = tokenize(message, maxDistance);

  const literalCount = listSymbols(literalFrequencies, LITERAL_SYMBOLS, literalSymbols);
  const distanceCount = listSymbols(distanceFrequencies, DISTANCE_SYMBOLS, distanceSymbols);
  const literalBits = buildCode(literalFrequencies, literalSymbols, literalCount, 15, literalCodes);
  const distanceBits = buildCode(distanceFrequencies, distanceSymbols, distanceCount, 15, distanceCodes);
  const literalEnd = literalSymbols[literalCount - 1]! + 1;
  const distanceEnd = distanceCount === 0 ? 1 : distanceSymbols[distanceCount - 1]! + 1;
  listRuns(literalCount, distanceCount);
  for (let i = 0; i < CODE_LENGTH_SYMBOLS; i++) runCodes[i] = 0;
  const runSymbolCount = listSymbols(runFrequencies, CODE_LENGTH_SYMBOLS, runSymbols);
  const runBits = buildCode(runFrequencies, runSymbols, runSymbolCount, 7, runCodes);
  let orderEnd = CODE_LENGTH_SYMBOLS;
  while (orderEnd > 4 && runCodes[CODE_LENGTH_ORDER[orderEnd - 1]!] === 0) orderEnd--;

  const dynamicBits = 14 + 3 * orderEnd + runBits + runExtraBits() + literalBits + distanceBits;
  let fixedBits = 5 * tokenCount;
  let extraBits = 0;
  for (let i = 0; i < literalCount; i++) {
    const symbol = literalSymbols[i]!;
    const frequency = literalFrequencies[symbol]!;
    literalFrequencies[symbol] = 0;
    fixedBits += (FIXED_LITERAL_LENGTHS[symbol]! - (symbol <= END_OF_BLOCK ? 5 : 0)) * frequency;
    if (symbol > END_OF_BLOCK) extraBits += LENGTH_EXTRA_BITS[symbol - 257]! * frequency;
  }
  fixedBits += 5;
  for (let i = 0; i < distanceCount; i++) {
    const symbol = distanceSymbols[i]!;
    extraBits += DISTANCE_EXTRA_BITS[symbol]! * distanceFrequencies[symbol]!;
    distanceFrequencies[symbol] = 0;
  }
  const best = dynamicBits < fixedBits ? dynamicBits : fixedBits;
  const bytes = (3 + best + extraBits + 3 + 7) >> 3;
  if (bytes >= message.length + 6) return store(message);
  if (fixedBits <= dynamicBits) {
    literalCodes.set(FIXED_LITERAL_CODES);
    distanceCodes.set(FIXED_DISTANCE_CODES);
    return writeBlock(FIXED, tokenCount, 0, 0, 0);
  }
  return writeBlock(DYNAMIC, tokenCount, literalEnd, distanceEnd, orderEnd);
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

function runExtraBits(): number {
  return runFrequencies[16]! * 2 + runFrequencies[17]! * 3 + runFrequencies[18]! * 7;
}

/** §3.2.7: lists the code lengths of all symbols, those of distances behind the others; a run may begin in one and end in the other. */
function listRuns(literalCount: number, distanceCount: number): void {
  for (let i = 0; i < CODE_LENGTH_SYMBOLS; i++) runFrequencies[i] = 0;
  runCount = 0;
  let next = 0;
  let runLength = 0;
  let run = 0;
  for (let i = 0; i < literalCount; i++) {
    const symbol = literalSymbols[i]!;
    const length = literalCodes[symbol]! & 15;
    if (symbol !== next || length !== runLength) {
      if (run !== 0) pushRun(runLength, run);
      if (symbol !== next) pushZeros(symbol - next);
      run = 0;
      runLength = length;
    }
    run++;
    next = symbol + 1;
  }
  next = 0;
  if (distanceCount === 0) {
    pushRun(runLength, run);
    pushZeros(1);
    return;
  }
  for (let i = 0; i < distanceCount; i++) {
    const symbol = distanceSymbols[i]!;
    const length = distanceCodes[symbol]! & 15;
    if (symbol !== next || length !== runLength) {
      if (run !== 0) pushRun(runLength, run);
      if (symbol !== next) pushZeros(symbol - next);
      run = 0;
      runLength = length;
    }
    run++;
    next = symbol + 1;
  }
  pushRun(runLength, run);
}

function pushZeros(run: number): void {
  while (run >= 11) {
    const step = run < 138 ? run : 138;
    push(18, step - 11);
    run -= step;
  }
  if (run >= 3) {
    push(17, run - 3);
    return;
  }
  for (; run > 0; run--) push(0, 0);
}

function pushRun(length: number, run: number): void {
  push(length, 0);
  run--;
  while (run >= 3) {
    const step = run < 6 ? run : 6;
    push(16, step - 3);
    run -= step;
  }
  for (; run > 0; run--) push(length, 0);
}

function push(symbol: number, extra: number): void {
  runs[runCount++] = symbol | (extra << 5);
  runFrequencies[symbol]!++;
}

/** Writes the block and the first bits of the next, an empty one. Longer than others, so that the bits at hand are local variables. */
function writeBlock(
  type: number,
  tokenCount: number,
  literalEnd: number,
  distanceEnd: number,
  orderEnd: number,
): number {
  let bits = type << 1;
  let bitCount = 3;
  let at = 0;
  if (type === DYNAMIC) {
    bits |= ((literalEnd - 257) << 3) | ((distanceEnd - 1) << 8) | ((orderEnd - 4) << 13);
    bitCount = 17;
    for (let i = 0; i < orderEnd; i++) {
      view.setUint32(at, bits, true);
      at += bitCount >> 3;
      bits >>>= bitCount & 0x18;
      bitCount &= 7;
      bits |= (runCodes[CODE_LENGTH_ORDER[i]!]! & 15) << bitCount;
      bitCount += 3;
    }
    for (let i = 0; i < runCount; i++) {
      view.setUint32(at, bits, true);
      at += bitCount >> 3;
      bits >>>= bitCount & 0x18;
      bitCount &= 7;
      const run = runs[i]!;
      const code = runCodes[run & 31]!;
      bits |= ((code >> 4) | ((run >> 5) << (code & 15))) << bitCount;
      bitCount += (code & 15) + CODE_LENGTH_EXTRA_BITS[run & 31]!;
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
      bitCount += code & 15;
      continue;
    }
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
    const symbol =
      distance <= 256 ? DISTANCE_SYMBOL[distance - 1]! : DISTANCE_SYMBOL[256 + ((distance - 1) >> 7)]!;
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
  // three bits of an empty stored block
  bitCount += 3;
  view.setUint32(at, bits, true);
  return at + ((bitCount + 7) >> 3);
}
