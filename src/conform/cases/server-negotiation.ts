// Being written.

import type { ConformanceCase } from '../case.js';

export const SERVER_NEGOTIATION_CASES: readonly ConformanceCase[] = [];
