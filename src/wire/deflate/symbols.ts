// The alphabets of DEFLATE (RFC 1951 §3.2.5-§3.2.7): how literals, lengths and distances become symbols with extra bits.

/** Literals 0 to 255, 256 for the end of a block, and 29 symbols for lengths. */
export const LITERAL_SYMBOLS = 286;
export const END_OF_BLOCK = 256;
export const DISTANCE_SYMBOLS = 30;
/** The lengths of codes, 0 to 15, and three ways to repeat one. */
export const CODE_LENGTH_SYMBOLS = 19;

export const MAX_MATCH = 258;

/** §3.2.5: the first length that each symbol from 257 on stands for, and how many bits say which one it is. */
export const LENGTH_BASE = new Uint16Array(29);
export const LENGTH_EXTRA_BITS = new Uint8Array(29);
/** Which of these symbols, counted from 257, a length has. */
export const LENGTH_SYMBOL = new Uint8Array(512);

/** §3.2.5: the same for distances. */
export const DISTANCE_BASE = new Uint16Array(DISTANCE_SYMBOLS);
export const DISTANCE_EXTRA_BITS = new Uint8Array(DISTANCE_SYMBOLS);
/** Which symbol `distance - 1` has: at that place below 256, else at 256 + a 128th of it. */
export const DISTANCE_SYMBOL = new Uint8Array(512);

/** §3.2.6: code lengths of a block with fixed codes; no distance is longer or shorter than 5 bits. */
export const FIXED_LITERAL_LENGTHS = new Uint8Array(288)
  .fill(8, 0, 144)
  .fill(9, 144, 256)
  .fill(7, 256, 280)
  .fill(8, 280);
export const FIXED_DISTANCE_LENGTHS = new Uint8Array(DISTANCE_SYMBOLS).fill(5);

/** §3.2.7: in which order the lengths of the codes for code lengths are sent. */
export const CODE_LENGTH_ORDER = Uint8Array.of(
  16,
  17,
  18,
  0,
  8,
  7,
  9,
  6,
  10,
  5,
  11,
  4,
  12,
  3,
  13,
  2,
  14,
  1,
  15,
);
/** §3.2.7: how many bits follow a code length symbol. */
export const CODE_LENGTH_EXTRA_BITS = new Uint8Array(CODE_LENGTH_SYMBOLS);
CODE_LENGTH_EXTRA_BITS.set([2, 3, 7], 16);

// Each group of four length symbols has one extra bit more than the one before, from the ninth symbol on.
for (let symbol = 0, base = 3; symbol < 28; symbol++) {
  const extraBits = symbol < 8 ? 0 : (symbol >> 2) - 1;
  LENGTH_BASE[symbol] = base;
  LENGTH_EXTRA_BITS[symbol] = extraBits;
  LENGTH_SYMBOL.fill(symbol, base, base + (1 << extraBits));
  base += 1 << extraBits;
}
// The greatest length has a symbol of its own.
LENGTH_BASE[28] = MAX_MATCH;
LENGTH_SYMBOL[MAX_MATCH] = 28;

// Each pair of distance symbols has one extra bit more, from the fifth symbol on.
for (let symbol = 0, base = 1; symbol < DISTANCE_SYMBOLS; symbol++) {
  const extraBits = symbol < 4 ? 0 : (symbol >> 1) - 1;
  const end = base + (1 << extraBits);
  DISTANCE_BASE[symbol] = base;
  DISTANCE_EXTRA_BITS[symbol] = extraBits;
  if (base <= 256) DISTANCE_SYMBOL.fill(symbol, base - 1, end - 1);
  else DISTANCE_SYMBOL.fill(symbol, 256 + ((base - 1) >> 7), 256 + ((end - 1) >> 7));
  base = end;
}
