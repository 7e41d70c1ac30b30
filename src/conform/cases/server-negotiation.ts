// What servers choose of what a client offers (RFC 6455 §4.2.2, §9.1, RFC 7692 §5, §7.1): subprotocols, extensions, and
// the parameters of permessage-deflate. What is then compressed is the matter of the group `deflate`.

import type { ConformanceCase } from '../case.js';
import { SERVER_DEFLATE_DECLINE_CASES } from './server-deflate-decline.js';
import { SERVER_DEFLATE_OFFER_CASES } from './server-deflate-offer.js';
import { SERVER_EXTENSION_CASES } from './server-extension.js';
import { SERVER_SUBPROTOCOL_CASES } from './server-subprotocol.js';

export const SERVER_NEGOTIATION_CASES: readonly ConformanceCase[] = [
  ...SERVER_SUBPROTOCOL_CASES,
  ...SERVER_EXTENSION_CASES,
  ...SERVER_DEFLATE_OFFER_CASES,
  ...SERVER_DEFLATE_DECLINE_CASES,
];
