// Being written.

import type { ConformanceCase } from '../case.js';

export const FRAGMENTATION_CASES: readonly ConformanceCase[] = [];
