// Attacks. They are for peers that may be attacked; none of them runs unless it was asked for.

import type { ConformanceCase } from '../case.js';
import { ROBUSTNESS_ANSWERS } from './robustness-answers.js';
import { ROBUSTNESS_BOMBS } from './robustness-bombs.js';
import { ROBUSTNESS_CONNECTIONS } from './robustness-connections.js';
import { ROBUSTNESS_FLOODS } from './robustness-floods.js';
import { ROBUSTNESS_REQUESTS } from './robustness-requests.js';

export const ROBUSTNESS_CASES: readonly ConformanceCase[] = [
  ...ROBUSTNESS_REQUESTS,
  ...ROBUSTNESS_ANSWERS,
  ...ROBUSTNESS_CONNECTIONS,
  ...ROBUSTNESS_FLOODS,
  ...ROBUSTNESS_BOMBS,
];
