// The opening handshake of servers (RFC 6455 §4.2, §4.4), group `handshake`: requests that have to be accepted, requests
// that have to be refused, the form of the response, and what may travel before and behind it.

import type { ConformanceCase } from '../case.js';
import { ACCEPTED_CASES } from './server-handshake-accepted.js';
import { SERVER_FLOW_CASES } from './server-handshake-flow.js';
import { REFUSED_CASES } from './server-handshake-refused.js';
import { SERVER_RESPONSE_CASES } from './server-handshake-response.js';

export const SERVER_HANDSHAKE_CASES: readonly ConformanceCase[] = [
  ...ACCEPTED_CASES,
  ...REFUSED_CASES,
  ...SERVER_RESPONSE_CASES,
  ...SERVER_FLOW_CASES,
];
