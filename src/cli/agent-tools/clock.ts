// The tool that tells the time, again and again: a stream that takes as long as it takes.

import { setTimeout as sleep } from 'node:timers/promises';
import { defineTool } from './tool.js';

export const clock = defineTool({
  name: 'clock',
  title: 'Clock',
  description: 'Tells the time of the server, a number of times, as a stream of lines.',
  parameters: {
    count: { type: 'integer', description: 'how many times', minimum: 1, maximum: 1000, default: 10 },
    everyMs: {
      type: 'integer',
      description: 'milliseconds between two of them',
      minimum: 1,
      maximum: 10_000,
      default: 1000,
    },
  },
  async *run({ count, everyMs }, { signal }) {
    for (let tick = 1; tick <= count; tick++) {
      if (tick > 1) await sleep(everyMs, undefined, { signal });
      yield `${tick}  ${new Date().toISOString().slice(11, 23)}\n`;
    }
  },
});
