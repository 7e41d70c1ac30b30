// Being written.

import type { ConformanceCase } from '../case.js';

export const CONTROL_CASES: readonly ConformanceCase[] = [];
