// What the engine needs from the outside and may not import: memory, randomness and native text functions. One object
// for a whole process; `io/platform.ts` is the one for Node.

export interface Platform {
  /** Space for `length` bytes with any content, not shared with anybody else. */
  allocate(length: number): Uint8Array;
  /** A copy of `bytes[start, end)`, not shared with anybody else. */
  copy(bytes: Uint8Array, start: number, end: number): Uint8Array;
  /** `bytes[start, end)` without copying. */
  view(bytes: Uint8Array, start: number, end: number): Uint8Array;
  /** True when all of `bytes` is UTF-8. */
  isUtf8(bytes: Uint8Array): boolean;
  /** True when both hold the same bytes. */
  isEqual(one: Uint8Array, other: Uint8Array): boolean;
  /** Length of `text` in UTF-8 bytes. */
  textLength(text: string): number;
  /** Writes `text` as UTF-8 at `offset`; the space is there. Returns the number of bytes. */
  writeText(target: Uint8Array, text: string, offset: number): number;
  /** 32 fresh, unpredictable bits (RFC 6455 §5.3, §10.3). */
  randomMaskingKey(): number;
}
