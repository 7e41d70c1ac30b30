// Being written.

import type { ConformanceCase } from '../case.js';

export const MASKING_CASES: readonly ConformanceCase[] = [];
