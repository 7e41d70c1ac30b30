// permessage-deflate (RFC 7692) in use: what the peer inflates, what it has to refuse, and what it compresses. What is said
// about the extension in the opening handshake is in `server-negotiation.ts` and `client-negotiation.ts`.

import type { ConformanceCase } from '../case.js';
import { DEFLATE_BLOCKS } from './deflate-blocks.js';
import { DEFLATE_CORRUPT } from './deflate-corrupt.js';
import { DEFLATE_FRAMES } from './deflate-frames.js';
import { DEFLATE_RESERVED_BIT } from './deflate-reserved-bit.js';
import { DEFLATE_SENDING } from './deflate-sending.js';
import { DEFLATE_WINDOWS } from './deflate-windows.js';

export const DEFLATE_CASES: readonly ConformanceCase[] = [
  ...DEFLATE_BLOCKS,
  ...DEFLATE_FRAMES,
  ...DEFLATE_WINDOWS,
  ...DEFLATE_RESERVED_BIT,
  ...DEFLATE_CORRUPT,
  ...DEFLATE_SENDING,
];
