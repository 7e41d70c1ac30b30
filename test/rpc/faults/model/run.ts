// Runs scenarios by their seeds: each seed is one scenario, the same on every machine. fast-check prints the seed of one that
// fails, and a smaller scenario that fails, too.
import fc from 'fast-check';
import { type Implementation, Model } from './model.js';
import { scenario } from './scenario.js';

/** @throws Error that names the seed, when a promise is broken */
export async function assertScenario(implementation: Implementation, seed: number): Promise<void> {
  await fc.assert(propertyOf(implementation), { seed, numRuns: 1 });
}

/** @returns how the first of so many scenarios fails that does so in this way; undefined when none does */
export async function findFailure(
  implementation: Implementation,
  seeds: number,
  symptom: RegExp,
): Promise<string | undefined> {
  for (let seed = 0; seed < seeds; seed++) {
    const run = await fc.check(propertyOf(implementation), { seed, numRuns: 1, endOnFailure: true });
    const text = run.failed ? (run.errorInstance as Error).message : '';
    if (run.failed && symptom.test(text)) return `seed ${seed}: ${text}`;
  }
  return undefined;
}

function propertyOf(implementation: Implementation) {
  return fc.asyncProperty(scenario, (drawn) => new Model(drawn, implementation).run());
}
