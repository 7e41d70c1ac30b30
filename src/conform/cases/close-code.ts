// Being written.

import type { ConformanceCase } from '../case.js';

export const CLOSE_CODE_CASES: readonly ConformanceCase[] = [];
