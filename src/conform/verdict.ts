// The verdicts of a case, in the words that Autobahn|Testsuite made known: one on what the peer did, one on how the
// connection ended. No other judgement exists; a report only ever shows these.

/** What is thought of what the peer did in between. */
export type Behavior = 'OK' | 'NON-STRICT' | 'INFORMATIONAL' | 'UNIMPLEMENTED' | 'FAILED';

/** What is thought of how the connection ended. */
export type CloseBehavior = 'OK' | 'INFORMATIONAL' | 'UNCLEAN' | 'WRONG CODE' | 'FAILED BY CLIENT' | 'FAILED';

export const BEHAVIORS: readonly Behavior[] = [
  'OK',
  'NON-STRICT',
  'INFORMATIONAL',
  'UNIMPLEMENTED',
  'FAILED',
];

export const CLOSE_BEHAVIORS: readonly CloseBehavior[] = [
  'OK',
  'INFORMATIONAL',
  'UNCLEAN',
  'WRONG CODE',
  'FAILED BY CLIENT',
  'FAILED',
];

export interface Verdict {
  behavior: Behavior;
  behaviorClose: CloseBehavior;
}

/**
 * Whether a verdict counts as a pass. NON-STRICT is one (the RFC leaves room there), and so is UNIMPLEMENTED (an
 * extension may be left out); a wrong end is none.
 */
export function isPass({ behavior, behaviorClose }: Verdict): boolean {
  return behavior !== 'FAILED' && (behaviorClose === 'OK' || behaviorClose === 'INFORMATIONAL');
}

/** One word for both: the behavior, unless only the end was wrong. */
export function overallVerdict(verdict: Verdict): Behavior | CloseBehavior {
  return verdict.behavior === 'FAILED' || isPass(verdict) ? verdict.behavior : verdict.behaviorClose;
}
