// permessage-deflate as the tester speaks it (RFC 7692): from what the two ends said to a codec for their messages.
// Which offers and answers there are is the matter of `deflate-negotiation.ts`, zlib that of `raw-deflate.ts`.

import type { MessageCodec } from './tester.js';

export interface DeflateProfile {
  /** What the tester offers to a server. */
  offer: string;
}

export function acceptAnswer(_answer: string): MessageCodec | undefined {
  return undefined;
}

export function acceptOffer(
  _offer: string,
  _profile: DeflateProfile,
): { answer: string; codec: MessageCodec } | undefined {
  return undefined;
}
