// UTF-8 validation: the plain loop, the streaming validator with the native check behind it, and native
// checks alone.
import { isUtf8 } from 'node:buffer';
import { compare, explain, loadOptional, loadWire } from './suite.mjs';

const { isValidUtf8, Utf8Validator } = loadWire('utf8');
const addon = loadOptional('utf-8-validate');
const plain = new Utf8Validator();
const fast = new Utf8Validator(isUtf8);

explain(
  'utf8',
  'Is this text valid? Utf8Validator: hawser, which also takes text in pieces, with and without the check of node:buffer\n' +
    'behind it; isValidUtf8: its loop for text in one piece; utf-8-validate: the native addon that ws prefers on old Node.js;\n' +
    'TextDecoder decodes as well.',
);
const decoder = new TextDecoder('utf-8', { fatal: true });

const ALPHABETS = { ASCII: 'The quick brown fox. ', mixed: 'The naïve façade: 語 € 🚀 ' };

for (const [name, alphabet] of Object.entries(ALPHABETS)) {
  for (const size of [20, 64, 1024, 65_536]) {
    // Whole repetitions only, so that no character is cut and every contestant sees valid text.
    const bytes = Buffer.from(alphabet.repeat(Math.max(1, Math.round(size / Buffer.byteLength(alphabet)))));
    await compare(`${name}, ${bytes.length} B`, bytes.length, {
      'Utf8Validator over isUtf8': () => fast.push(bytes),
      'Utf8Validator, plain': () => plain.push(bytes),
      isValidUtf8: () => isValidUtf8(bytes),
      'isUtf8 of node:buffer': () => isUtf8(bytes),
      'utf-8-validate': addon && (() => addon(bytes)),
      'TextDecoder, fatal': () => decoder.decode(bytes),
    });
  }
}
