// The search of `tokens.ts` where messages refer to those before them (RFC 7692 §7.1.1: context takeover). What a connection
// has sent belongs to the connection alone: the bytes as far as a window reaches, and where to look in them. That is less
// than zlib needs, and it grows with what is sent.
//
// It is the same algorithm in the same lines. On arrays that are constants of the module they take 10% less time for a message
// of 1 KiB, 25% less for 16 KiB; so there are two of them, and a test compares what they find.

import { END_OF_BLOCK as END_OF_BLOCK_, MAX_MATCH as MAX_MATCH_ } from './symbols.js';
import {
  countLiteral as countLiteral_,
  countMatch as countMatch_,
  DISTANCE_SHIFT as DISTANCE_SHIFT_,
  END_OF_CHAIN as END_OF_CHAIN_,
  ENTERED_BYTES as ENTERED_BYTES_,
  HASH_FACTOR as HASH_FACTOR_,
  LENGTH_MASK as LENGTH_MASK_,
  literalFrequencies as literalFrequencies_,
  MAX_LAZY as MAX_LAZY_,
  MAX_MESSAGE_BYTES,
  MIN_MATCH as MIN_MATCH_,
  NICE_LENGTH as NICE_LENGTH_,
  tokens as tokens_,
} from './tokens.js';

// As in `tokens.ts`: constants of this module.
const countLiteral = countLiteral_;
const countMatch = countMatch_;
const DISTANCE_SHIFT = DISTANCE_SHIFT_;
const END_OF_CHAIN = END_OF_CHAIN_;
const ENTERED_BYTES = ENTERED_BYTES_;
const HASH_FACTOR = HASH_FACTOR_;
const LENGTH_MASK = LENGTH_MASK_;
const literalFrequencies = literalFrequencies_;
const MAX_LAZY = MAX_LAZY_;
const MIN_MATCH = MIN_MATCH_;
const NICE_LENGTH = NICE_LENGTH_;
const tokens = tokens_;
const END_OF_BLOCK = END_OF_BLOCK_;
const MAX_MATCH = MAX_MATCH_;

const HASH_BITS = 13;
/** More than in `tokens.ts`, as there is more to find: 1% smaller, 10% slower than with 8. */
const MAX_CHAIN = 12;
const FIRST_CAPACITY = 4096;
/** Far enough from 2^31 for what is at hand. */
const MAX_ORIGIN = 2 ** 30;

/** What went out on one connection, as far as what follows may refer to it. */
export class History {
  /** How far back a match may refer. */
  readonly window: number;
  /** What was sent, with space for reading four bytes at the last one. */
  bytes = new Uint8Array(FIRST_CAPACITY + 8);
  view = new DataView(this.bytes.buffer);
  /** For each hash `origin` + where it was seen last. */
  readonly head: Int32Array;
  readonly hashShift: number;
  /** How many candidates are looked at. */
  readonly maxChain: number;
  /** For each place how far before it the same hash was seen. No way back is longer than the window that is left. */
  chain = new Uint16Array(FIRST_CAPACITY);
  /** What stands in `head` and is less than this was dropped. */
  origin = 1;
  #end = 0;

  constructor(window: number, hashBits = HASH_BITS, maxChain = MAX_CHAIN) {
    this.window = window;
    this.maxChain = maxChain;
    this.head = new Int32Array(1 << hashBits);
    this.hashShift = 32 - hashBits;
  }

  /** Appends a message of at most `MAX_MESSAGE_BYTES`. Returns where it stands now. */
  append(message: Uint8Array): number {
    const { length } = message;
    if (this.#end + length > this.chain.length) this.#makeRoom(length);
    const start = this.#end;
    this.bytes.set(message, start);
    this.#end = start + length;
    return start;
  }

  /** Takes in what somebody else has compressed, without reference to what was here. */
  replace(message: Uint8Array): void {
    this.#drop(this.#end);
    const seen = message.subarray(-this.window);
    const start = this.append(seen);
    enter(this, start, start + seen.length - MIN_MATCH + 1);
  }

  /** Drops what is farther away than the window once that is much, and grows as far as that allows. */
  #makeRoom(length: number): void {
    const most = this.window + MAX_MESSAGE_BYTES;
    if (this.#end + length > most) this.#drop(this.#end - this.window);
    const { bytes, chain } = this;
    if (this.#end + length <= chain.length) return;
    const capacity = Math.min(Math.max(this.#end + length, 2 * chain.length), most);
    this.bytes = new Uint8Array(capacity + 8);
    this.bytes.set(bytes);
    this.view = new DataView(this.bytes.buffer);
    this.chain = new Uint16Array(capacity);
    this.chain.set(chain);
  }

  /** Drops the first `count` bytes. */
  #drop(count: number): void {
    this.bytes.copyWithin(0, count, this.#end);
    this.chain.copyWithin(0, count, this.#end);
    this.#end -= count;
    this.origin += count;
    if (this.origin < MAX_ORIGIN) return;
    // Once in a GiB: where to look is forgotten.
    this.head.fill(0);
    this.origin = 1;
  }
}

/**
 * Turns `message` into `tokens` and counts their symbols; afterwards it is part of the history.
 *
 * @param message at most `MAX_MESSAGE_BYTES`
 * @returns how many tokens there are
 */
export function tokenizeAfter(history: History, message: Uint8Array): number {
  let at = history.append(message);
  const { bytes, view, head, chain, origin, hashShift, maxChain, window: maxDistance } = history;
  const end = at + message.length;
  literalFrequencies[END_OF_BLOCK] = 1;
  let count = 0;
  // The match that begins one byte before `at`, if there is one: it is taken unless a longer one begins here.
  let pending = 0;
  for (const last = end - MIN_MATCH; at <= last; ) {
    const slot = Math.imul(view.getUint32(at, true), HASH_FACTOR) >>> hashShift;
    const candidate = head[slot]! - origin;
    head[slot] = origin + at;
    let match = 0;
    if (candidate >= 0) {
      chain[at] = at - candidate;
      match = longestMatch(
        view,
        chain,
        at,
        end,
        candidate,
        Math.max(at - maxDistance, 0),
        maxChain,
        pending & LENGTH_MASK,
      );
    } else {
      chain[at] = END_OF_CHAIN;
    }
    if (pending !== 0 && match === 0) {
      tokens[count++] = countMatch(pending);
      const next = at + (pending & LENGTH_MASK) - 1;
      enter(history, at + 1, Math.min(next, at + 1 + ENTERED_BYTES, last + 1));
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
      enter(history, at + 1, Math.min(next, at + 1 + ENTERED_BYTES, last + 1));
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
function longestMatch(
  view: DataView,
  chain: Uint16Array,
  at: number,
  end: number,
  candidate: number,
  lowest: number,
  maxChain: number,
  least: number,
): number {
  const maxLength = Math.min(end - at, MAX_MATCH);
  let length = Math.max(least, MIN_MATCH - 1);
  if (length >= maxLength) return 0;
  let match = 0;
  // A match that is longer than the best so far has the same four bytes at its end.
  let tail = view.getUint32(at + length - 3, true);
  for (let place = candidate, left = maxChain; place >= lowest && left > 0; left--) {
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

/** Enters the bytes from `start` to `end` into the table. */
function enter({ view, head, chain, origin, hashShift }: History, start: number, end: number): void {
  for (let at = start; at < end; at++) {
    const slot = Math.imul(view.getUint32(at, true), HASH_FACTOR) >>> hashShift;
    const candidate = head[slot]! - origin;
    head[slot] = origin + at;
    chain[at] = candidate < 0 ? END_OF_CHAIN : at - candidate;
  }
}
