import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // Many tests wait more than they work: with vitest's one worker fewer than processors, two processors take more than a quarter of an hour.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
