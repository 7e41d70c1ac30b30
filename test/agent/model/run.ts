import fc from 'fast-check';
import { type Implementation, Model } from './model.js';
import { scenario } from './scenario.js';

export async function assertScenarios(implementation: Implementation, from: number, to: number): Promise<void> {
  const property = fc.asyncProperty(scenario, (drawn) => new Model(drawn, implementation).run());
  for (let seed = from; seed < to; seed++) await fc.assert(property, { seed, numRuns: 1 });
}
