// permessage-deflate (RFC 7692) in the use: what the peer inflates, what it has to refuse, and what it compresses. What is
// said about the extension in the opening handshake is in `server-negotiation.ts` and `client-negotiation.ts`.

import type { ConformanceCase } from '../case.js';
import { DEFLATE_RECEIVING } from './deflate-receiving.js';
import { DEFLATE_REFUSING } from './deflate-refusing.js';
import { DEFLATE_SENDING } from './deflate-sending.js';

export const DEFLATE_CASES: readonly ConformanceCase[] = [
  ...DEFLATE_RECEIVING,
  ...DEFLATE_REFUSING,
  ...DEFLATE_SENDING,
];
