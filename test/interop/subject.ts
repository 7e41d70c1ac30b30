// What the interop tests judge: the built hawser. HAWSER_INTEROP_WS=ws judges npm `ws` instead, which shows whether a
// failure is hawser's or the test's own.
import { join } from 'node:path';
import type { Package } from '../behaviour/implementations.js';

export const ROOT = process.cwd();
export const subjectName = process.env.HAWSER_INTEROP_WS === 'ws' ? 'ws' : 'hawser';
/** True where the exchange uses what hawser has and `ws` has not. */
export const isHawser = subjectName === 'hawser';

/** The files that `require` and `import` load. */
export const entries = isHawser
  ? { require: join(ROOT, 'dist', 'index.js'), import: join(ROOT, 'dist', 'index.mjs') }
  : {
      require: join(ROOT, 'node_modules', 'ws', 'index.js'),
      import: join(ROOT, 'node_modules', 'ws', 'wrapper.mjs'),
    };

/** The WebSocket class with everything else as its properties. */
export const subject: Package = require(entries.require);

/** Payload lengths on both sides of each length form (125/126, 65535/65536) and of the usual buffer sizes, to 1 MiB. */
export const LENGTHS = [
  0,
  1,
  124,
  125,
  126,
  127,
  1023,
  1024,
  65_534,
  65_535,
  65_536,
  65_537,
  262_144,
  1 << 20,
];

/** Bytes that differ from place to place, so that a shifted or wrongly unmasked part shows. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7) & 0xff;
  return bytes;
}

/** Text whose UTF-8 form has exactly `length` bytes, with characters of 1 to 4 bytes. */
export function textOf(length: number): string {
  const unit = 'aé☃😀';
  return unit.repeat(Math.floor(length / 10)) + 'x'.repeat(length % 10);
}
