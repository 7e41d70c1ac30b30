// All faults of the broken peers.

import type { Fault } from './fault.js';
import { FRAME_FAULTS } from './faults-frames.js';
import { MESSAGE_FAULTS } from './faults-messages.js';
import { OPENING_FAULTS } from './faults-opening.js';

export const FAULTS: readonly Fault[] = [...OPENING_FAULTS, ...FRAME_FAULTS, ...MESSAGE_FAULTS];
