// Runs scenarios of a model by their seeds: each seed is one scenario, the same on every machine. fast-check prints the seed of
// one that fails, and a smaller scenario that fails, too.
import fc from 'fast-check';

/** What is run, and with what. */
export interface Scenarios<Scenario, Implementation> {
  scenario: fc.Arbitrary<Scenario>;
  /** @throws when a promise is broken */
  run(drawn: Scenario, implementation: Implementation): Promise<void>;
}

export function scenarioRunner<Scenario, Implementation>({
  scenario,
  run,
}: Scenarios<Scenario, Implementation>) {
  const propertyOf = (implementation: Implementation) =>
    fc.asyncProperty(scenario, (drawn) => run(drawn, implementation));
  return {
    /** @throws Error that names the seed, when a promise is broken */
    async assertScenario(implementation: Implementation, seed: number): Promise<void> {
      await fc.assert(propertyOf(implementation), { seed, numRuns: 1 });
    },
    /** @returns how the first of so many scenarios fails that does so in this way; undefined when none does */
    async findFailure(
      implementation: Implementation,
      seeds: number,
      symptom: RegExp,
    ): Promise<string | undefined> {
      for (let seed = 0; seed < seeds; seed++) {
        const tried = await fc.check(propertyOf(implementation), { seed, numRuns: 1, endOnFailure: true });
        const text = tried.failed ? (tried.errorInstance as Error).message : '';
        if (tried.failed && symptom.test(text)) return `seed ${seed}: ${text}`;
      }
      return undefined;
    },
  };
}
