// Bytes as hexadecimal text, the way people paste and read them.

/** `48 65 6c`: two digits per byte, one space between. */
export function formatHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');
}

/**
 * Reads hexadecimal text. Bytes may stand together or be separated by white space, `,`, `:` or `-`, and may carry
 * `0x` or `\x` in front.
 *
 * @throws SyntaxError that names the first piece that is not hexadecimal
 */
export function parseHex(text: string): Buffer {
  const pieces = text
    .replace(/(?:0|\\)x/gi, ' ')
    .split(/[\s,:-]+/)
    .filter((piece) => piece !== '');
  for (const piece of pieces) {
    const shown = piece.length > 24 ? `${piece.slice(0, 24)}…` : piece;
    if (!/^[0-9a-f]+$/i.test(piece)) throw new SyntaxError(`not hexadecimal: ${JSON.stringify(shown)}`);
    if (piece.length % 2 === 1)
      throw new SyntaxError(`odd number of hexadecimal digits: ${JSON.stringify(shown)}`);
  }
  return Buffer.from(pieces.join(''), 'hex');
}
