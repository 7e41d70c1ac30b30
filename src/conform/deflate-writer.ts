// Writes DEFLATE data (RFC 1951) symbol by symbol, for messages that no compressor would make: matches of any distance, blocks
// of chosen types, and faults. Only what the cases need: stored blocks, and blocks with the fixed codes.

export const END_OF_BLOCK = 256;

export class DeflateWriter {
  readonly #bytes: number[] = [];
  /** Bits that do not fill a byte yet; the first is the lowest. */
  #pending = 0;
  #pendingBits = 0;

  /** Numbers, such as extra bits and block headers, begin with the lowest bit. */
  bits(value: number, count: number): this {
    for (let i = 0; i < count; i++) this.#bit((value >> i) & 1);
    return this;
  }

  /** A block without compression; `length` is what its header says, where that is not the truth. */
  stored(contents: Uint8Array, length = contents.length): this {
    this.bits(0, 3).toNextByte();
    this.bits(length, 16).bits(~length & 0xffff, 16);
    for (const byte of contents) this.bits(byte, 8);
    return this;
  }

  /** Begins a block with the fixed codes: symbols follow, and `end()`. */
  fixed(isFinal = false): this {
    return this.bits(isFinal ? 1 : 0, 1).bits(1, 2);
  }

  literals(contents: Uint8Array): this {
    for (const byte of contents) this.symbol(byte);
    return this;
  }

  /** @param length from 3 to 10, or 258: the lengths that take no extra bits */
  match(length: number, distance: number): this {
    return this.symbol(length === 258 ? 285 : 254 + length).distance(distance);
  }

  /** A literal, the end of the block, or a length: RFC 1951 §3.2.6. */
  symbol(symbol: number): this {
    if (symbol < 144) return this.#code(0x30 + symbol, 8);
    if (symbol < 256) return this.#code(0x190 + symbol - 144, 9);
    if (symbol < 280) return this.#code(symbol - 256, 7);
    return this.#code(0xc0 + symbol - 280, 8);
  }

  /** RFC 1951 §3.2.5: two codes for each power of two, and the rest in extra bits. */
  distance(distance: number): this {
    const offset = distance - 1;
    if (offset < 4) return this.distanceCode(offset);
    const extraBits = 30 - Math.clz32(offset);
    return this.distanceCode(2 * extraBits + 2 + ((offset >> extraBits) & 1)).bits(offset, extraBits);
  }

  distanceCode(code: number): this {
    return this.#code(code, 5);
  }

  end(): this {
    return this.symbol(END_OF_BLOCK);
  }

  toNextByte(): this {
    return this.bits(0, (8 - this.#pendingBits) % 8);
  }

  /** The payload of a message: an empty stored block, whose last four bytes are left out (RFC 7692 §7.2.1). */
  message(): Uint8Array {
    this.bits(0, 3);
    return this.cut();
  }

  /** What was written so far, filled up with zeros to a whole byte. */
  cut(): Uint8Array {
    this.toNextByte();
    return Uint8Array.from(this.#bytes);
  }

  /** Code words begin with their highest bit. */
  #code(word: number, length: number): this {
    for (let i = length - 1; i >= 0; i--) this.#bit((word >> i) & 1);
    return this;
  }

  #bit(bit: number): void {
    this.#pending |= bit << this.#pendingBits++;
    if (this.#pendingBits < 8) return;
    this.#bytes.push(this.#pending);
    this.#pending = 0;
    this.#pendingBits = 0;
  }
}
