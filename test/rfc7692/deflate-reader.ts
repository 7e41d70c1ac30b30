// Reads DEFLATE data (RFC 1951) only to see what it is made of: the blocks, and how far back their matches refer.

export interface DeflateBlock {
  isFinal: boolean;
  type: 'stored' | 'fixed' | 'dynamic';
  /** Bytes that the block stands for. */
  length: number;
  /** The largest distance of a match; 0 when there is none. */
  maxDistance: number;
}

const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
];
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

class BitReader {
  #at = 0;
  constructor(readonly bytes: Uint8Array) {}

  get isAtEnd(): boolean {
    return this.#at >= this.bytes.length * 8;
  }

  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.#at++) {
      if (this.isAtEnd) throw new RangeError('DEFLATE data ends within a block');
      value |= ((this.bytes[this.#at >> 3]! >> (this.#at & 7)) & 1) << i;
    }
    return value;
  }

  /** Skips to the next byte, then over `count` bytes. */
  skipBytes(count: number): void {
    this.#at = (Math.ceil(this.#at / 8) + count) * 8;
  }
}

/** Huffman code: from '1' followed by the bits of a code word, as a number, to its symbol. */
type Code = Map<number, number>;

function codeFrom(lengths: number[]): Code {
  const code: Code = new Map();
  let word = 0;
  for (let length = 1; length <= 15; length++, word <<= 1) {
    lengths.forEach((other, symbol) => {
      if (other === length) code.set((1 << length) | word++, symbol);
    });
  }
  return code;
}

function symbolOf(reader: BitReader, code: Code): number {
  for (let word = 1; word < 1 << 16; ) {
    word = (word << 1) | reader.bits(1);
    const symbol = code.get(word);
    if (symbol !== undefined) return symbol;
  }
  throw new RangeError('DEFLATE data has an unknown code word');
}

const FIXED_LITERALS = codeFrom(
  Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)),
);
const FIXED_DISTANCES = codeFrom(new Array(30).fill(5));

function dynamicCodes(reader: BitReader): [literals: Code, distances: Code] {
  const literalCount = reader.bits(5) + 257;
  const distanceCount = reader.bits(5) + 1;
  const codeLengths = new Array(19).fill(0);
  const codeLengthCount = reader.bits(4) + 4;
  for (let i = 0; i < codeLengthCount; i++) codeLengths[CODE_LENGTH_ORDER[i]!] = reader.bits(3);
  const codeLengthCode = codeFrom(codeLengths);
  const lengths: number[] = [];
  while (lengths.length < literalCount + distanceCount) {
    const symbol = symbolOf(reader, codeLengthCode);
    if (symbol < 16) lengths.push(symbol);
    else if (symbol === 16) lengths.push(...new Array(reader.bits(2) + 3).fill(lengths.at(-1)));
    else lengths.push(...new Array(symbol === 17 ? reader.bits(3) + 3 : reader.bits(7) + 11).fill(0));
  }
  return [codeFrom(lengths.slice(0, literalCount)), codeFrom(lengths.slice(literalCount))];
}

/** The blocks of a compressed message, to which the 00 00 FF FF was appended again. */
export function readBlocks(message: Uint8Array): DeflateBlock[] {
  const reader = new BitReader(message);
  const blocks: DeflateBlock[] = [];
  while (!reader.isAtEnd) {
    const isFinal = reader.bits(1) === 1;
    const type = (['stored', 'fixed', 'dynamic'] as const)[reader.bits(2)];
    if (type === undefined) throw new RangeError('DEFLATE data has a block of type 3');
    const block: DeflateBlock = { isFinal, type, length: 0, maxDistance: 0 };
    blocks.push(block);
    if (type === 'stored') {
      reader.skipBytes(0);
      block.length = reader.bits(16);
      reader.skipBytes(2 + block.length);
    } else {
      readMatches(reader, type === 'fixed' ? [FIXED_LITERALS, FIXED_DISTANCES] : dynamicCodes(reader), block);
    }
    if (isFinal) reader.skipBytes(0);
  }
  return blocks;
}

function readMatches(reader: BitReader, [literals, distances]: [Code, Code], block: DeflateBlock): void {
  for (let symbol = symbolOf(reader, literals); symbol !== 256; symbol = symbolOf(reader, literals)) {
    if (symbol < 256) {
      block.length++;
      continue;
    }
    const lengthCode = symbol - 257;
    block.length += LENGTH_BASE[lengthCode]!;
    block.length += reader.bits(lengthCode < 8 || lengthCode === 28 ? 0 : (lengthCode >> 2) - 1);
    const code = symbolOf(reader, distances);
    const extra = code < 4 ? 0 : (code >> 1) - 1;
    const base = code < 4 ? code + 1 : ((2 + (code & 1)) << extra) + 1;
    block.maxDistance = Math.max(block.maxDistance, base + reader.bits(extra));
  }
}
