// Being written.

import type { ConformanceCase } from '../case.js';

export const ROBUSTNESS_CASES: readonly ConformanceCase[] = [];
