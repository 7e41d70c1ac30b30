// Being written.

import type { ConformanceCase } from '../case.js';

export const CLOSING_CASES: readonly ConformanceCase[] = [];
