// The first half of DEFLATE (RFC 1951 §2, §4): a message becomes literals and matches, that is references to bytes that
// stood before. Where a match may begin is found in a hash table of four bytes; the longest of a few candidates is
// taken, unless the next byte begins a longer one (lazy matching). One message at a time, and none refers to another.

import {
  DISTANCE_SYMBOL as DISTANCE_SYMBOL_,
  END_OF_BLOCK as END_OF_BLOCK_,
  LENGTH_SYMBOL as LENGTH_SYMBOL_,
  MAX_MATCH as MAX_MATCH_,
} from './symbols.js';

/** The longest message. */
const MAX_MESSAGE_BYTES = 32 * 1024;

/** A match is a token: its distance above nine bits with its length. */
const DISTANCE_SHIFT = 9;
const LENGTH_MASK = 0x1ff;

/** Three bytes are found by chance too often, and save little. */
const MIN_MATCH = 4;
/** How many bits of a hash count: of a message that would fill the smaller table by itself, two more. 16 KiB take 10% less time. */
const SMALL_HASH_BITS = 12;
const LARGE_HASH_BITS = 14;
const LARGE_MESSAGE_BYTES = 4096;
/** 2^32 divided by the golden ratio: consecutive values fall far apart (Knuth). */
const HASH_FACTOR = 0x9e3779b1;
/** Leads out of the message from wherever it is. */
const END_OF_CHAIN = 0xffff;
const MAX_ORIGIN = 2 ** 31 - 1;
/** How many candidates are looked at: */
const MAX_CHAIN = 8;
/** A match of this length is good enough to look at no more of them, */
const NICE_LENGTH = 64;
/** one of this length good enough not to try the next byte. */
const MAX_LAZY = 16;
/** Of the bytes inside of a match so many can begin another. All of them: 2% smaller for 16 KiB of text, 25% slower. */
const ENTERED_BYTES = 4;

// Arrays that are constants of the module: the compiler then writes their addresses and sizes into the code. As
// members of an object they made finding matches take 1.4 times as long.
const END_OF_BLOCK = END_OF_BLOCK_;
const MAX_MATCH = MAX_MATCH_;
const LENGTH_SYMBOL = LENGTH_SYMBOL_;
const DISTANCE_SYMBOL = DISTANCE_SYMBOL_;
/** The message, with space for reading four bytes at its last one. */
const bytes = new Uint8Array(MAX_MESSAGE_BYTES + 8);
const view = new DataView(bytes.buffer);
/** For each hash `origin` + where it was seen last. */
const head = new Int32Array(1 << LARGE_HASH_BITS);
/** For each place of the message how far before it the same hash was seen. */
const chain = new Uint16Array(MAX_MESSAGE_BYTES);

/** What the message became: literals as they are, and matches. */
const tokens = new Int32Array(MAX_MESSAGE_BYTES + 1);
const literalFrequencies = new Uint16Array(288);
const distanceFrequencies = new Uint16Array(32);

// Not `export const`: in CommonJS each use would become a look-up in `exports`.
export {
  DISTANCE_SHIFT,
  distanceFrequencies,
  END_OF_CHAIN,
  ENTERED_BYTES,
  HASH_FACTOR,
  LENGTH_MASK,
  literalFrequencies,
  MAX_LAZY,
  MAX_MESSAGE_BYTES,
  MIN_MATCH,
  NICE_LENGTH,
  tokens,
};

/** What stands in `head` and is less than this is of an earlier message: as good as empty, and so nothing is wiped. */
let origin = 1;

/**
 * Turns `message` into `tokens` and counts their symbols.
 *
 * @param message at most `MAX_MESSAGE_BYTES`
 * @param maxDistance how far back a match may refer
 * @returns how many tokens there are
 */
export function tokenize(message: Uint8Array, maxDistance: number): number {
  bytes.set(message);
  const end = message.length;
  if (origin + end > MAX_ORIGIN) {
    head.fill(0);
    origin = 1;
  }
  const base = origin;
  origin += end;
  const hashShift = 32 - (end < LARGE_MESSAGE_BYTES ? SMALL_HASH_BITS : LARGE_HASH_BITS);
  literalFrequencies[END_OF_BLOCK] = 1;
  let count = 0;
  let at = 0;
  // The match that begins one byte before `at`, if there is one: it is taken unless a longer one begins here.
  let pending = 0;
  for (const last = end - MIN_MATCH; at <= last; ) {
    const slot = Math.imul(view.getUint32(at, true), HASH_FACTOR) >>> hashShift;
    const candidate = head[slot]! - base;
    head[slot] = base + at;
    let match = 0;
    if (candidate >= 0) {
      chain[at] = at - candidate;
      match = longestMatch(at, end, candidate, Math.max(at - maxDistance, 0), pending & LENGTH_MASK);
    } else {
      chain[at] = END_OF_CHAIN;
    }
    if (pending !== 0 && match === 0) {
      tokens[count++] = countMatch(pending);
      const next = at + (pending & LENGTH_MASK) - 1;
      enter(at + 1, Math.min(next, last + 1), base, hashShift);
      at = next;
      pending = 0;
      continue;
    }
    if (pending !== 0) tokens[count++] = countLiteral(bytes[at - 1]!);
    pending = 0;
    if (match === 0) {
      tokens[count++] = countLiteral(bytes[at++]!);
    } else if ((match & LENGTH_MASK) < MAX_LAZY) {
      pending = match;
      at++;
    } else {
      tokens[count++] = countMatch(match);
      const next = at + (match & LENGTH_MASK);
      enter(at + 1, Math.min(next, last + 1), base, hashShift);
      at = next;
    }
  }
  if (pending !== 0) {
    tokens[count++] = countMatch(pending);
    at += (pending & LENGTH_MASK) - 1;
  }
  while (at < end) tokens[count++] = countLiteral(bytes[at++]!);
  return count;
}

/**
 * The longest match at `at` among the candidates, as a token; 0 when none is longer than `least`. What lies behind the
 * end may be compared too, but does not count.
 */
function longestMatch(at: number, end: number, candidate: number, lowest: number, least: number): number {
  const maxLength = Math.min(end - at, MAX_MATCH);
  let length = Math.max(least, MIN_MATCH - 1);
  if (length >= maxLength) return 0;
  let match = 0;
  // A match that is longer than the best so far has the same four bytes at its end.
  let tail = view.getUint32(at + length - 3, true);
  for (let place = candidate, left = MAX_CHAIN; place >= lowest && left > 0; left--) {
    if (view.getUint32(place + length - 3, true) === tail) {
      let equal = 0;
      let difference = 0;
      while (equal < maxLength) {
        difference = view.getUint32(place + equal, true) ^ view.getUint32(at + equal, true);
        if (difference !== 0) break;
        equal += 4;
      }
      // The lowest bit that differs lies in the first byte that does.
      if (difference !== 0) equal += (31 - Math.clz32(difference & -difference)) >> 3;
      if (equal > maxLength) equal = maxLength;
      if (equal > length) {
        length = equal;
        match = ((at - place) << DISTANCE_SHIFT) | length;
        if (length >= NICE_LENGTH || length === maxLength) break;
        tail = view.getUint32(at + length - 3, true);
      }
    }
    place -= chain[place]!;
  }
  return match;
}

/** Enters the first bytes inside of a match into the table. */
function enter(start: number, matchEnd: number, base: number, hashShift: number): void {
  const end = Math.min(start + ENTERED_BYTES, matchEnd);
  for (let at = start; at < end; at++) {
    const slot = Math.imul(view.getUint32(at, true), HASH_FACTOR) >>> hashShift;
    const candidate = head[slot]! - base;
    head[slot] = base + at;
    chain[at] = candidate < 0 ? END_OF_CHAIN : at - candidate;
  }
}

export function countLiteral(literal: number): number {
  literalFrequencies[literal]!++;
  return literal;
}

export function countMatch(match: number): number {
  literalFrequencies[END_OF_BLOCK + 1 + LENGTH_SYMBOL[match & LENGTH_MASK]!]!++;
  const distance = match >>> DISTANCE_SHIFT;
  distanceFrequencies[
    distance <= 256 ? DISTANCE_SYMBOL[distance - 1]! : DISTANCE_SYMBOL[256 + ((distance - 1) >> 7)]!
  ]!++;
  return match;
}
