// Being written.

import type { ConformanceCase } from '../case.js';

export const DEFLATE_CASES: readonly ConformanceCase[] = [];
