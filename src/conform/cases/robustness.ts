// Attacks. They are only for peers that may be attacked; nothing here runs unless it was asked for.

import type { ConformanceCase } from '../case.js';
import { ROBUSTNESS_FLOODS } from './robustness-floods.js';
import { ROBUSTNESS_HANDSHAKE } from './robustness-handshake.js';

export const ROBUSTNESS_CASES: readonly ConformanceCase[] = [...ROBUSTNESS_HANDSHAKE, ...ROBUSTNESS_FLOODS];
