// Scenarios of this model, run by their seeds, on the sources as they are and with a guard taken out.
import { type Change, withMutant } from '../../../support/mutant.js';
import { scenarioRunner } from '../../../support/scenarios.js';
import { type Implementation, Model } from './model.js';
import { type Scenario, scenario } from './scenario.js';

const runner = scenarioRunner<Scenario, Implementation>({
  scenario,
  run: (drawn, implementation) => new Model(drawn, implementation).run(),
});

export const { assertScenario } = runner;

const SOURCE = { room: 'rpc', modules: ['index.ts'] };

/** @returns how a scenario fails in this way without these guards; undefined when none of so many does */
export function findFailureWithout(
  changes: readonly Change[],
  seeds: number,
  symptom: RegExp,
): Promise<string | undefined> {
  return withMutant(SOURCE, changes, (mutant: Implementation) => runner.findFailure(mutant, seeds, symptom));
}
