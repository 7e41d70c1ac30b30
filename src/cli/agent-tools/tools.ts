// All tools that `hawser serve` offers, in the order in which they are listed.

import { join } from 'node:path';
import { calculate } from './calculate.js';
import { clock } from './clock.js';
import { explain } from './explain.js';
import { searchTool } from './search.js';
import type { Tool } from './tool.js';

/** The package's own directory, whether this runs from src/ or from dist/. */
const ROOT = join(__dirname, '..', '..', '..');

export const tools: readonly Tool[] = [explain, searchTool(ROOT), calculate, clock];
