// Being written.

import type { ConformanceCase } from '../case.js';

export const FRAMING_CASES: readonly ConformanceCase[] = [];
