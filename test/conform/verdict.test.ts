import { describe, expect, it } from 'vitest';
import {
  BEHAVIORS,
  type Behavior,
  CLOSE_BEHAVIORS,
  type CloseBehavior,
  isPass,
  overallVerdict,
} from '../../src/conform/verdict.js';

const PASSING: Behavior[] = ['OK', 'NON-STRICT', 'INFORMATIONAL', 'UNIMPLEMENTED'];
const PASSING_ENDS: CloseBehavior[] = ['OK', 'INFORMATIONAL'];

describe.each(
  BEHAVIORS.flatMap((behavior) => CLOSE_BEHAVIORS.map((behaviorClose) => ({ behavior, behaviorClose }))),
)('$behavior, ended $behaviorClose', (verdict) => {
  const { behavior, behaviorClose } = verdict;
  const passes = PASSING.includes(behavior) && PASSING_ENDS.includes(behaviorClose);

  it(passes ? 'is a pass' : 'is no pass', () => {
    expect(isPass(verdict)).toBe(passes);
  });

  it('comes to one word that tells a pass from a failure', () => {
    const word = overallVerdict(verdict);
    if (behavior === 'FAILED') expect(word).toBe('FAILED');
    else expect(word).toBe(passes ? behavior : behaviorClose);
  });
});
