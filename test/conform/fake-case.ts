// Cases that the tests of judges make up: nothing in them but what they do.

import type { ConformanceCase, Encounter, Judgement } from '../../src/conform/case.js';

export function fakeCase(
  id: string,
  run: (encounter: Encounter) => Promise<Judgement>,
  facts: Partial<ConformanceCase> = {},
): ConformanceCase {
  return {
    id,
    group: 'framing',
    subjects: ['server', 'client'],
    title: `title of ${id}`,
    rule: '',
    section: '',
    requirements: [],
    expectation: '',
    limitMs: 10_000,
    run,
    ...facts,
  };
}

export const ok = (finding = 'well'): Judgement => ({ behavior: 'OK', behaviorClose: 'OK', finding });

export const never = <T>(): Promise<T> => new Promise(() => {});
