// Being written.

import type { ConformanceCase } from '../case.js';

export const CLIENT_HANDSHAKE_CASES: readonly ConformanceCase[] = [];
