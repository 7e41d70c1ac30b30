// Being written.

import type { ConformanceCase } from '../case.js';

export const UTF8_CASES: readonly ConformanceCase[] = [];
