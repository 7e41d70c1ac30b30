// Being written.

import type { ConformanceCase } from '../case.js';

export const LENGTH_CASES: readonly ConformanceCase[] = [];
