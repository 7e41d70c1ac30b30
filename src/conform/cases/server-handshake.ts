// Being written.

import type { ConformanceCase } from '../case.js';

export const SERVER_HANDSHAKE_CASES: readonly ConformanceCase[] = [];
