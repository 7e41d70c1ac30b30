// Reads DEFLATE data (RFC 1951) only to see what it is made of: the blocks, and how far back their matches refer. zlib
// does not tell that, and its inflater follows a match that lies outside of the agreed window wherever it still has the
// bytes. Nothing is decompressed, so the time is linear in the compressed bytes, whatever they claim to stand for.

export interface DeflateBlock {
  isFinal: boolean;
  type: 'stored' | 'fixed' | 'dynamic';
  /** Bytes that the block stands for. */
  length: number;
  /** The largest distance of a match; 0 when there is none. */
  maxDistance: number;
  /** How far before the first byte of the data the farthest match begins; 0 when none does. */
  reach: number;
  /** The bits between the end of a final block and the next byte, as a number. RFC 7692 §7.2.1 wants them to be 0. */
  padding: number;
}

/** What a compressed message needs of the window, and what it is made of. */
export interface UsedWindow {
  blocks: DeflateBlock[];
  /** Bytes that the message stands for. */
  length: number;
  /** The largest distance of a match: what `…_max_window_bits` limits. */
  maxDistance: number;
  /** How many bytes of earlier messages are referred to: 0 where `…_no_context_takeover` is honoured. */
  reach: number;
  hasFinalBlock: boolean;
}

/** The data ends within a block, or no DEFLATE compressor can have written it. */
export class DeflateSyntaxError extends Error {
  override name = 'DeflateSyntaxError';
}

const TYPES = ['stored', 'fixed', 'dynamic'] as const;
const MAX_CODE_BITS = 15;
const END_OF_BLOCK = 256;
const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
];
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** What the last four bytes of each message are before a sender removes them (RFC 7692 §7.2.1). */
const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

/**
 * Reads a compressed message as it stood on the wire, without the 00 00 FF FF.
 *
 * @throws DeflateSyntaxError
 */
export function usedWindow(payload: Uint8Array): UsedWindow {
  const bytes = new Uint8Array(payload.length + TAIL.length);
  bytes.set(payload);
  bytes.set(TAIL, payload.length);
  const used: UsedWindow = {
    blocks: readUntil(bytes, payload.length),
    length: 0,
    maxDistance: 0,
    reach: 0,
    hasFinalBlock: false,
  };
  for (const block of used.blocks) {
    used.length += block.length;
    used.maxDistance = Math.max(used.maxDistance, block.maxDistance);
    used.reach = Math.max(used.reach, block.reach);
    used.hasFinalBlock ||= block.isFinal;
  }
  return used;
}

/**
 * The blocks of DEFLATE data; behind a final one the next begins at the next byte (RFC 7692 §7.2.1).
 *
 * @throws DeflateSyntaxError
 */
export function readBlocks(bytes: Uint8Array): DeflateBlock[] {
  return readUntil(bytes, bytes.length);
}

/** Reads to the end, or to a final block that ends at `finalEnd`: what is behind that was not the sender's. */
function readUntil(bytes: Uint8Array, finalEnd: number): DeflateBlock[] {
  const reader = new BitReader(bytes);
  const blocks: DeflateBlock[] = [];
  for (let start = 0; !reader.isAtEnd; ) {
    const block = readBlock(reader, start);
    blocks.push(block);
    start += block.length;
    if (block.isFinal && reader.byteOffset === finalEnd) break;
  }
  return blocks;
}

function readBlock(reader: BitReader, start: number): DeflateBlock {
  const isFinal = reader.bits(1) === 1;
  const type = TYPES[reader.bits(2)];
  if (type === undefined) throw new DeflateSyntaxError('A block has the reserved type 3');
  const block: DeflateBlock = { isFinal, type, length: 0, maxDistance: 0, reach: 0, padding: 0 };
  if (type === 'stored') {
    reader.toNextByte();
    block.length = reader.bits(16);
    if ((reader.bits(16) ^ block.length) !== 0xffff) {
      throw new DeflateSyntaxError('The two lengths of a stored block do not agree');
    }
    reader.skipBytes(block.length);
  } else {
    const [literals, distances] = type === 'fixed' ? FIXED_CODES : dynamicCodes(reader);
    readSymbols(reader, literals, distances, block, start);
  }
  if (isFinal) block.padding = reader.toNextByte();
  return block;
}

function readSymbols(
  reader: BitReader,
  literals: HuffmanCode,
  distances: HuffmanCode,
  block: DeflateBlock,
  start: number,
): void {
  for (let symbol = literals.read(reader); symbol !== END_OF_BLOCK; symbol = literals.read(reader)) {
    if (symbol < END_OF_BLOCK) {
      block.length++;
      continue;
    }
    const lengthCode = symbol - END_OF_BLOCK - 1;
    const base = LENGTH_BASE[lengthCode];
    if (base === undefined) throw new DeflateSyntaxError(`A match has the unused length code ${symbol}`);
    const length = base + reader.bits(lengthCode < 8 || lengthCode === 28 ? 0 : (lengthCode >> 2) - 1);
    const distance = readDistance(reader, distances);
    block.maxDistance = Math.max(block.maxDistance, distance);
    block.reach = Math.max(block.reach, distance - start - block.length);
    block.length += length;
  }
}

function readDistance(reader: BitReader, distances: HuffmanCode): number {
  const code = distances.read(reader);
  if (code > 29) throw new DeflateSyntaxError(`A match has the unused distance code ${code}`);
  if (code < 4) return code + 1;
  const extraBits = (code >> 1) - 1;
  return ((2 + (code & 1)) << extraBits) + 1 + reader.bits(extraBits);
}

class BitReader {
  readonly #bytes: Uint8Array;
  /** Index of the next bit; DEFLATE begins with the lowest of each byte. */
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length * 8;
  }

  /** Index of the byte that the next bit is in. */
  get byteOffset(): number {
    return Math.floor(this.#at / 8);
  }

  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value |= this.bit() << i;
    return value;
  }

  bit(): number {
    const byte = this.#bytes[Math.floor(this.#at / 8)];
    if (byte === undefined) throw new DeflateSyntaxError('The data ends within a block');
    return (byte >> (this.#at++ % 8)) & 1;
  }

  /** The bits that are left of the current byte. */
  toNextByte(): number {
    return this.bits((8 - (this.#at % 8)) % 8);
  }

  skipBytes(count: number): void {
    this.#at += count * 8;
    if (this.#at > this.#bytes.length * 8) throw new DeflateSyntaxError('The data ends within a block');
  }
}

/** RFC 1951 §3.2.2: code words of one length are consecutive numbers, so counts and the order of symbols say it all. */
class HuffmanCode {
  /** How many code words there are of each length. */
  readonly #counts = new Uint16Array(MAX_CODE_BITS + 1);
  /** By length of the code word, then by value. */
  readonly #symbols: number[] = [];

  constructor(lengths: readonly number[]) {
    for (let length = 1; length <= MAX_CODE_BITS; length++) {
      lengths.forEach((other, symbol) => {
        if (other === length) this.#symbols.push(symbol);
      });
    }
    for (const length of lengths) this.#counts[length]!++;
    this.#counts[0] = 0;
    this.#check();
  }

  read(reader: BitReader): number {
    let word = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= MAX_CODE_BITS; length++) {
      word |= reader.bit();
      const count = this.#counts[length]!;
      if (word - first < count) return this.#symbols[index + word - first]!;
      index += count;
      first = (first + count) << 1;
      word <<= 1;
    }
    throw new DeflateSyntaxError('A code word stands for nothing');
  }

  #check(): void {
    let free = 1;
    for (let length = 1; length <= MAX_CODE_BITS; length++) {
      free = free * 2 - this.#counts[length]!;
      if (free < 0) throw new DeflateSyntaxError('A Huffman code has more code words than fit');
    }
  }
}

const FIXED_CODES: [literals: HuffmanCode, distances: HuffmanCode] = [
  new HuffmanCode(Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))),
  new HuffmanCode(new Array(32).fill(5)),
];

/** RFC 1951 §3.2.7: the lengths of both codes are themselves run-length coded with a third code. */
function dynamicCodes(reader: BitReader): [literals: HuffmanCode, distances: HuffmanCode] {
  const literalCount = reader.bits(5) + 257;
  const total = literalCount + reader.bits(5) + 1;
  const codeLengths: number[] = new Array(19).fill(0);
  const codeLengthCount = reader.bits(4) + 4;
  for (let i = 0; i < codeLengthCount; i++) codeLengths[CODE_LENGTH_ORDER[i]!] = reader.bits(3);
  const codeLengthCode = new HuffmanCode(codeLengths);
  const lengths: number[] = [];
  while (lengths.length < total) {
    const symbol = codeLengthCode.read(reader);
    if (symbol < 16) lengths.push(symbol);
    else lengths.push(...repeatedLength(reader, symbol, lengths.at(-1)));
  }
  if (lengths.length > total) throw new DeflateSyntaxError('There are more code lengths than announced');
  return [new HuffmanCode(lengths.slice(0, literalCount)), new HuffmanCode(lengths.slice(literalCount))];
}

function repeatedLength(reader: BitReader, symbol: number, previous: number | undefined): number[] {
  if (symbol === 17) return new Array(reader.bits(3) + 3).fill(0);
  if (symbol === 18) return new Array(reader.bits(7) + 11).fill(0);
  if (previous === undefined) throw new DeflateSyntaxError('The first code length repeats one before it');
  return new Array(reader.bits(2) + 3).fill(previous);
}
