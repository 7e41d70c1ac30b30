// Masking in place: octet by octet, word by word, and the native addon of the peers.
import { compare, explain, loadOptional, loadWire, someBytes } from './suite.mjs';

const { applyMask, applyMaskBytewise, readMaskingKey, wordsOf } = loadWire('mask');
const bufferutil = loadOptional('bufferutil');
const key = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
const keyWord = readMaskingKey(key, 0);

explain(
  'mask',
  'XOR with the masking key in place. applyMask: hawser, with a view of 32-bit words that it makes, or that is at hand from\n' +
    'the chunk before; octet by octet: the loop of the RFC; bufferutil: the native addon of ws.',
);

for (const size of [6, 16, 64, 1024, 65_536, 1_048_576]) {
  for (const misalignment of [0, 3]) {
    const bytes = someBytes(size + 8).subarray(misalignment, misalignment + size);
    const words = wordsOf(bytes);
    await compare(`mask ${size} B, ${misalignment} B off a word boundary`, size, {
      'applyMask, view at hand': () => applyMask(bytes, 0, size, keyWord, words),
      'applyMask, makes its view': () => applyMask(bytes, 0, size, keyWord),
      'octet by octet': () => applyMaskBytewise(bytes, 0, size, keyWord),
      bufferutil: bufferutil && (() => bufferutil.mask(bytes, key, bytes, 0, size)),
    });
  }
}
