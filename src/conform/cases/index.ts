// All cases, in suite order: those of Autobahn by number, then our own groups.

import type { ConformanceCase } from '../case.js';
import { AUTOBAHN_CASES } from './autobahn.js';
import { CLIENT_HANDSHAKE_CASES } from './client-handshake.js';
import { CLIENT_NEGOTIATION_CASES } from './client-negotiation.js';
import { CLOSE_CODE_CASES } from './close-code.js';
import { CLOSING_CASES } from './closing.js';
import { CONTROL_CASES } from './control.js';
import { DEFLATE_CASES } from './deflate.js';
import { FRAGMENTATION_CASES } from './fragmentation.js';
import { FRAMING_CASES } from './framing.js';
import { LENGTH_CASES } from './length.js';
import { MASKING_CASES } from './masking.js';
import { ROBUSTNESS_CASES } from './robustness.js';
import { SERVER_HANDSHAKE_CASES } from './server-handshake.js';
import { SERVER_NEGOTIATION_CASES } from './server-negotiation.js';
import { UTF8_CASES } from './utf8.js';

export const CASES: readonly ConformanceCase[] = [
  ...AUTOBAHN_CASES,
  ...SERVER_HANDSHAKE_CASES,
  ...CLIENT_HANDSHAKE_CASES,
  ...SERVER_NEGOTIATION_CASES,
  ...CLIENT_NEGOTIATION_CASES,
  ...MASKING_CASES,
  ...LENGTH_CASES,
  ...FRAMING_CASES,
  ...FRAGMENTATION_CASES,
  ...CONTROL_CASES,
  ...UTF8_CASES,
  ...CLOSING_CASES,
  ...CLOSE_CODE_CASES,
  ...DEFLATE_CASES,
  ...ROBUSTNESS_CASES,
];
