// Being written.

import type { ConformanceCase } from '../case.js';

export const CLIENT_NEGOTIATION_CASES: readonly ConformanceCase[] = [];
