// The 517 cases of Autobahn|Testsuite, in its order and under its numbers, by chapter. There is no chapter 8 or 11.

import type { ConformanceCase } from '../case.js';
import { AUTOBAHN_FRAMING } from './autobahn-1-framing.js';
import { AUTOBAHN_PINGS } from './autobahn-2-pings.js';
import { AUTOBAHN_RESERVED_BITS } from './autobahn-3-reserved-bits.js';
import { AUTOBAHN_OPCODES } from './autobahn-4-opcodes.js';
import { AUTOBAHN_FRAGMENTATION } from './autobahn-5-fragmentation.js';
import { AUTOBAHN_UTF8 } from './autobahn-6-utf8.js';
import { AUTOBAHN_CLOSE } from './autobahn-7-close.js';
import { AUTOBAHN_LIMITS } from './autobahn-9-limits.js';
import { AUTOBAHN_MISC } from './autobahn-10-misc.js';
import { AUTOBAHN_COMPRESSION } from './autobahn-12-13-compression.js';

export const AUTOBAHN_CASES: readonly ConformanceCase[] = [
  ...AUTOBAHN_FRAMING,
  ...AUTOBAHN_PINGS,
  ...AUTOBAHN_RESERVED_BITS,
  ...AUTOBAHN_OPCODES,
  ...AUTOBAHN_FRAGMENTATION,
  ...AUTOBAHN_UTF8,
  ...AUTOBAHN_CLOSE,
  ...AUTOBAHN_LIMITS,
  ...AUTOBAHN_MISC,
  ...AUTOBAHN_COMPRESSION,
];
