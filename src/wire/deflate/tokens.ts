// The first half of DEFLATE (RFC 1951 §2, §4): a message becomes literals and matches, that is references to bytes that
// stood before. Where a match may begin is found in a hash table of four bytes; the longest of a few candidates is
// taken, unless the next byte begins a longer one (lazy matching). One message at a time, and none refers to another.

import {
  DISTANCE_SYMBOL as DISTANCE_SYMBOL_,
  END_OF_BLOCK,
  LENGTH_SYMBOL as LENGTH_SYMBOL_,
  MAX_MATCH,
} from './symbols.js';

/** The longest message. */
export const MAX_MESSAGE_BYTES = 32 * 1024;

const MIN_MATCH = 4;
const HASH_BITS = 12;
/** How many candidates are looked at: */
const MAX_CHAIN = 8;
/** A match of this length is good enough to look at no more of them, */
const NICE_LENGTH = 64;
/** one of this length good enough not to try the next byte. */
const MAX_LAZY = 16;

// Arrays that are constants of the module: the compiler then writes their addresses and sizes into the code. As
// members of an object they made the whole a third slower.
const LENGTH_SYMBOL = LENGTH_SYMBOL_;
const DISTANCE_SYMBOL = DISTANCE_SYMBOL_;
/** The message, with space for reading four bytes at its last one. */
const bytes = new Uint8Array(MAX_MESSAGE_BYTES + 8);
const view = new DataView(bytes.buffer);
/** For each hash `origin` + where it was seen last. */
const head = new Int32Array(1 << HASH_BITS);
/** For each place of the message how far before it the same hash was seen; a number that is too large ends the chain. */
const chain = new Uint16Array(MAX_MESSAGE_BYTES);

/** What the message became: literals as they are, and matches as `distance << 9 | length`. */
export const tokens = new Int32Array(MAX_MESSAGE_BYTES + 1);
export const literalFrequencies = new Uint16Array(288);
export const distanceFrequencies = new Uint16Array(32);

/** What stands in `head` and is less than this is of an earlier message: as good as empty, and so nothing is wiped. */
let origin = 1;

/**
 * Turns `message` into `tokens` and counts their symbols.
 *
 * @param message at most `MAX_MESSAGE_BYTES`
 * @param maxDistance the window
 * @returns how many tokens there are
 */
export function tokenize(message: Uint8Array, maxDistance: number): number {
  bytes.set(message);
  const end = message.length;
  if (origin + end > 0x7fffffff) {
    head.fill(0);
    origin = 1;
  }
  const base = origin;
  origin += end;
  literalFrequencies[END_OF_BLOCK] = 1;

  let count = 0;
  let at = 0;
  // The last place where four bytes are left.
  const last = end - MIN_MATCH;
  let length = 0;
  let distance = 0;
  while (at <= last) {
    // Insert `at`, and search
    const four = view.getUint32(at, true);
    const slot = Math.imul(four, 0x9e3779b1) >>> (32 - HASH_BITS);
    let candidate = head[slot]! - base;
    head[slot] = at + base;
    let bestLength = length < MIN_MATCH ? MIN_MATCH - 1 : length;
    let bestDistance = 0;
    if (candidate >= 0) {
      chain[at] = at - candidate;
      const lowest = at > maxDistance ? at - maxDistance : 0;
      const maxLength = end - at < MAX_MATCH ? end - at : MAX_MATCH;
      if (bestLength < maxLength) {
        let left = MAX_CHAIN;
        let tail = view.getUint32(at + bestLength - 3, true);
        while (candidate >= lowest) {
          if (view.getUint32(candidate + bestLength - 3, true) === tail) {
            let matched = 0;
            let difference = 0;
            do {
              difference = view.getUint32(candidate + matched, true) ^ view.getUint32(at + matched, true);
              if (difference !== 0) break;
              matched += 4;
            } while (matched < maxLength);
            if (difference !== 0) matched += (31 - Math.clz32(difference & -difference)) >> 3;
            if (matched > maxLength) matched = maxLength;
            if (matched > bestLength) {
              bestLength = matched;
              bestDistance = at - candidate;
              if (matched >= NICE_LENGTH || matched === maxLength) break;
              tail = view.getUint32(at + bestLength - 3, true);
            }
          }
          if (--left === 0) break;
          candidate -= chain[candidate]!;
        }
      }
    } else {
      chain[at] = 0xffff;
    }
    if (bestDistance === 0 && length !== 0) {
      // The match that began one byte before is the better one.
      tokens[count++] = (distance << 9) | length;
      literalFrequencies[END_OF_BLOCK + 1 + LENGTH_SYMBOL[length]!]!++;
      const symbol =
        distance <= 256 ? DISTANCE_SYMBOL[distance - 1]! : DISTANCE_SYMBOL[256 + ((distance - 1) >> 7)]!;
      distanceFrequencies[symbol]!++;
      at += length - 1;
      length = 0;
      continue;
    }
    if (length !== 0) {
      const literal = bytes[at - 1]!;
      tokens[count++] = literal;
      literalFrequencies[literal]!++;
      length = 0;
    }
    if (bestDistance === 0) {
      const literal = four & 0xff;
      tokens[count++] = literal;
      literalFrequencies[literal]!++;
      at++;
    } else if (bestLength >= MAX_LAZY) {
      tokens[count++] = (bestDistance << 9) | bestLength;
      literalFrequencies[END_OF_BLOCK + 1 + LENGTH_SYMBOL[bestLength]!]!++;
      const symbol =
        bestDistance <= 256
          ? DISTANCE_SYMBOL[bestDistance - 1]!
          : DISTANCE_SYMBOL[256 + ((bestDistance - 1) >> 7)]!;
      distanceFrequencies[symbol]!++;
      at += bestLength;
    } else {
      length = bestLength;
      distance = bestDistance;
      at++;
    }
  }
  if (length !== 0) {
    tokens[count++] = (distance << 9) | length;
    literalFrequencies[END_OF_BLOCK + 1 + LENGTH_SYMBOL[length]!]!++;
    const symbol =
      distance <= 256 ? DISTANCE_SYMBOL[distance - 1]! : DISTANCE_SYMBOL[256 + ((distance - 1) >> 7)]!;
    distanceFrequencies[symbol]!++;
    at += length - 1;
  }
  for (; at < end; at++) {
    const literal = bytes[at]!;
    tokens[count++] = literal;
    literalFrequencies[literal]!++;
  }
  return count;
}
