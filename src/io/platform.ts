// The engine's platform on Node: memory that is not shared with Node's own buffer pool, native text functions, and
// masking keys from the operating system's random numbers.

import { isUtf8 } from 'node:buffer';
import { randomFillSync } from 'node:crypto';
import { OutputBlock } from '../protocol/frame-queue.js';
import type { Platform } from '../protocol/platform.js';
import { hasSimd, vectorWriteBlock } from '../wire/mask-simd.js';

/** Random words are drawn 2,048 at a time: one call for 4 bytes costs as much as one for 8 KiB. Each is used once. */
const keys = new Int32Array(2048);
let nextKey = keys.length;

function randomMaskingKey(): number {
  if (nextKey === keys.length) {
    // [RFC6455-5.3-3] [RFC6455-5.3-4] [RFC6455-10.3-1] a strong source, no key tells the next
    randomFillSync(keys);
    nextKey = 0;
  }
  return keys[nextKey++]!;
}

/** The class of all Buffers, which `Buffer` itself is not. */
const FastBuffer = (Buffer as unknown as { [Symbol.species]: typeof Uint8Array })[Symbol.species];

/** So many bytes V8 keeps in the object itself: 40 ns, where memory outside of its heap takes 600. */
const MOST_BYTES_ON_HEAP = 64;

/**
 * glibc returns freed memory to the system beyond 128 KiB, and the system provides the same pages anew for the next large
 * message: up to 250 page faults in an echo of 1 MiB, and half of its CPU time. Its limits rise to the size of a larger
 * piece that is freed, and to twice that, as mallopt(3) says of M_MMAP_THRESHOLD. This piece nobody touches, so that it takes
 * address space only, until the next garbage collection; twice its size is more than what one collection frees at once.
 * Other allocators do not care.
 */
const WARMING_BYTES = 24 * 1024 * 1024;
const WARMED_FROM_BYTES = 32 * 1024;
let isWarmed = false;

function allocate(length: number): Uint8Array {
  if (length <= MOST_BYTES_ON_HEAP) return new FastBuffer(length);
  if (length >= WARMED_FROM_BYTES && !isWarmed) {
    isWarmed = true;
    Buffer.allocUnsafeSlow(WARMING_BYTES);
  }
  return Buffer.allocUnsafeSlow(length);
}

export const platform: Platform = {
  allocate,
  copy: (bytes, start, end) => {
    const copied = allocate(end - start);
    copied.set(bytes.subarray(start, end));
    return copied;
  },
  // What `subarray` does, without its arithmetic on indices that are right already.
  view: (bytes, start, end) => new FastBuffer(bytes.buffer, bytes.byteOffset + start, end - start),
  isUtf8: (bytes) => isUtf8(bytes),
  isEqual: (one, other) => Buffer.compare(one, other) === 0,
  textLength: (text) => Buffer.byteLength(text),
  writeText: (target, text, offset) => (target as Buffer).write(text, offset),
  randomMaskingKey,
};

/** The one block in which all connections of the process gather what they send. */
export const outputBlock = new OutputBlock(platform, () => {
  if (!hasSimd()) return undefined;
  const { buffer, byteOffset, length } = vectorWriteBlock();
  return Buffer.from(buffer, byteOffset, length);
});
