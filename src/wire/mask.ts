// Masking (RFC 6455 §5.3): octet i of the payload is XORed with octet i mod 4 of the masking key. The same operation
// masks and unmasks. A key is handled here as one 32-bit integer whose lowest byte is the key's first octet.

import { copyMaskedSimd, hasSimd, isInVectorBlock } from './mask-simd.js';

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Below this many bytes the loop over single bytes is the faster one. */
const WORDWISE_FROM_BYTES = 16;

/** Up to this many bytes a loop that copies and masks costs less than the views that anything else needs. */
const BYTEWISE_COPY_UP_TO_BYTES = 128;

/** From this many bytes on they are masked by vector instructions where they are, if those reach them. */
const IN_PLACE_FROM_BYTES = 96;

/** From this many bytes on vector instructions win, though the bytes have to be copied in and out. */
const SIMD_FROM_BYTES = 512;

/** Reads the four octets of a masking key that stand at `offset`. */
export function readMaskingKey(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24);
}

/** Writes the four octets of a masking key at `offset`. */
export function writeMaskingKey(bytes: Uint8Array, offset: number, key: number): void {
  bytes[offset] = key;
  bytes[offset + 1] = key >>> 8;
  bytes[offset + 2] = key >>> 16;
  bytes[offset + 3] = key >>> 24;
}

/** The key as seen from payload octet `position` on: rotated so that its lowest byte belongs to that octet. */
export function rotateMaskingKey(key: number, position: number): number {
  const shift = (position & 3) << 3;
  return shift === 0 ? key : (key >>> shift) | (key << (32 - shift));
}

/**
 * A view of `bytes` as 32-bit words, from the first address that is a multiple of 4. Making a view costs about as much
 * as masking 100 bytes, so it is made once for a buffer that holds many frames.
 */
export function wordsOf(bytes: Uint8Array): Int32Array {
  const skipped = -bytes.byteOffset & 3;
  const length = bytes.length - skipped;
  return length < 4 ? EMPTY : new Int32Array(bytes.buffer, bytes.byteOffset + skipped, length >> 2);
}

const EMPTY = new Int32Array(0);

/**
 * Masks or unmasks `bytes[start, end)` in place.
 *
 * @param key the masking key; its lowest byte belongs to `bytes[start]`
 * @param words `wordsOf(bytes)`, where the caller has it already
 */
export function applyMask(
  bytes: Uint8Array,
  start: number,
  end: number,
  key: number,
  words?: Int32Array,
): void {
  if (end - start < WORDWISE_FROM_BYTES) {
    applyMaskBytewise(bytes, start, end, key);
    return;
  }
  if (
    end - start >= IN_PLACE_FROM_BYTES &&
    (isInVectorBlock(bytes) || end - start >= SIMD_FROM_BYTES) &&
    hasSimd()
  ) {
    copyMaskedSimd(bytes, start, end, bytes, start, key);
    return;
  }
  // Up to three bytes bring us to a word boundary, then four octets go at a time: 7 GB/s instead of 0.9 at 64 KiB.
  const origin = -bytes.byteOffset & 3;
  const firstWord = start + ((origin - start) & 3);
  applyMaskBytewise(bytes, start, firstWord, key);
  const rotated = rotateMaskingKey(key, firstWord - start);
  const native = IS_LITTLE_ENDIAN ? rotated : swapBytes(rotated);
  const view = words ?? wordsOf(bytes);
  const from = (firstWord - origin) >> 2;
  const to = (end - origin) >> 2;
  for (let i = from; i < to; i++) view[i]! ^= native;
  applyMaskBytewise(bytes, origin + (to << 2), end, rotated);
}

/** The definition of §5.3, octet by octet; what the fast path is tested against. [RFC6455-5.3-5] */
export function applyMaskBytewise(bytes: Uint8Array, start: number, end: number, key: number): void {
  let octets = key;
  for (let i = start; i < end; i++) {
    bytes[i]! ^= octets;
    octets = (octets >>> 8) | (octets << 24);
  }
}

/**
 * Copies `source[start, end)` to `target[at, …)`, masked or unmasked.
 *
 * @param key the masking key; its lowest byte belongs to `source[start]`
 */
export function copyMasked(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
  key: number,
): void {
  if (end - start >= SIMD_FROM_BYTES && hasSimd()) {
    copyMaskedSimd(source, start, end, target, at, key);
    return;
  }
  if (end - start > BYTEWISE_COPY_UP_TO_BYTES) {
    target.set(source.subarray(start, end), at);
    applyMask(target, at, at + end - start, key);
    return;
  }
  let octets = key;
  for (let from = start, to = at; from < end; ) {
    target[to++] = source[from++]! ^ octets;
    octets = (octets >>> 8) | (octets << 24);
  }
}

function swapBytes(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
