// UTF-8 validation: the plain loop, the streaming validator with the native check behind it, and native
// checks alone.
import { isUtf8 } from 'node:buffer';
import { compare, loadOptional, loadWire } from './suite.mjs';

const { isValidUtf8, Utf8Validator } = loadWire('utf8');
const addon = loadOptional('utf-8-validate');
const plain = new Utf8Validator();
const fast = new Utf8Validator(isUtf8);

const ALPHABETS = { ASCII: 'The quick brown fox. ', mixed: 'The naïve façade: 語 € 🚀 ' };

for (const [name, alphabet] of Object.entries(ALPHABETS)) {
  for (const size of [20, 64, 1024, 65_536]) {
    // Whole repetitions only, so that no character is cut and every contestant sees valid text.
    const bytes = Buffer.from(alphabet.repeat(Math.max(1, Math.round(size / Buffer.byteLength(alphabet)))));
    compare(`${name}, ${bytes.length} B`, bytes.length, {
      isValidUtf8: () => isValidUtf8(bytes),
      'Utf8Validator, plain': () => plain.push(bytes),
      'Utf8Validator over isUtf8': () => fast.push(bytes),
      'isUtf8 of node:buffer': () => isUtf8(bytes),
      'utf-8-validate': addon && (() => addon(bytes)),
    });
  }
}
