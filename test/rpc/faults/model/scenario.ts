// What can happen to two peers over one session: calls of all kinds, and faults between them; drawn by fast-check, which also
// makes them fewer when a scenario fails.
import fc from 'fast-check';
import type { Admission, Fault, Side } from '../../../agent/model/fake-network.js';

export interface Scenario {
  /** For latencies, jitter and ids. */
  seed: number;
  maxLatencyMs: number;
  clientHasPing: boolean;
  /** Whether the session may be lost, or left for another server. */
  isMortal: boolean;
  heartbeat: { intervalMs: number; timeoutMs: number };
  queue: { maxMessages: number; maxBytes: number };
  limits: { calls: number; streams: number };
  ending: 'settled' | 'close';
  steps: Step[];
}

export type Kind =
  | 'value'
  | 'fail'
  | 'stream'
  | 'stream that fails'
  | 'sum'
  | 'echo'
  | 'progress'
  | 'forever';

/** A call, and how both ends behave. */
export interface CallStep {
  do: 'call';
  side: Side;
  kind: Kind;
  /** Items, or reports of progress. */
  count: number;
  /** Characters of each item, or of the result. */
  size: number;
  /** How long a handler, or the producer of a stream, takes for each piece; 0 for as fast as it can. */
  paceMs: number;
  /** How long the consumer of a stream takes for an item. */
  readPaceMs: number;
  /** After so many items the consumer leaves; 0 for never. */
  leaveAfter: number;
  /** 0 for never. */
  cancelAfterMs: number;
  timeoutMs: number;
  maxTotalMs: number;
}

export type Step =
  | CallStep
  | { do: 'notify'; side: Side }
  | { do: 'wait'; ms: number }
  | { do: 'damage'; fault: Fault; age: number }
  | { do: 'stall' | 'congest'; side: Side; ms: number; age: number }
  | { do: 'admit'; admission: Admission }
  | { do: 'block'; side: Side; ms: number }
  | { do: 'restart'; downMs: number }
  | { do: 'drain'; deadlineMs: number };

const side = fc.constantFrom<Side>('client', 'server');
const ms = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 60 }) },
  { weight: 3, arbitrary: fc.integer({ min: 60, max: 1000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1000, max: 8000 }) },
);
const rarely = (arbitrary: fc.Arbitrary<number>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary });

const call: fc.Arbitrary<CallStep> = fc.record({
  do: fc.constant('call' as const),
  side,
  kind: fc.constantFrom<Kind>(
    'value',
    'value',
    'fail',
    'stream',
    'stream',
    'stream that fails',
    'sum',
    'sum',
    'echo',
    'echo',
    'progress',
    'forever',
  ),
  count: fc.oneof(
    { weight: 4, arbitrary: fc.nat({ max: 12 }) },
    { weight: 1, arbitrary: fc.nat({ max: 200 }) },
  ),
  size: fc.oneof({ weight: 8, arbitrary: fc.nat({ max: 40 }) }, { weight: 1, arbitrary: fc.constant(7000) }),
  paceMs: fc.constantFrom(0, 0, 0, 1, 20, 300),
  readPaceMs: fc.constantFrom(0, 0, 0, 5, 100),
  leaveAfter: fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 1, max: 12 })),
  cancelAfterMs: rarely(ms),
  timeoutMs: rarely(ms),
  maxTotalMs: rarely(ms),
});

const age = fc.constantFrom(0, 0, 0, 1);
const step = <T>(name: T, fields: object = {}) => fc.record({ do: fc.constant(name), ...fields });

const weighted = [
  { weight: 14, arbitrary: call },
  { weight: 2, arbitrary: step('notify', { side }) },
  { weight: 10, arbitrary: step('wait', { ms }) },
  {
    weight: 4,
    arbitrary: step('damage', {
      fault: fc.constantFrom<Fault>(
        'reset',
        'fin',
        'client-learns',
        'server-learns',
        'black-hole',
        'deaf-server',
        'deaf-client',
      ),
      age,
    }),
  },
  { weight: 1, arbitrary: step('stall', { side, ms, age }) },
  { weight: 2, arbitrary: step('congest', { side, ms, age }) },
  {
    weight: 1,
    arbitrary: step('admit', {
      admission: fc.constantFrom<Admission>('open', 'open', 'refused', 'silent', 'slow', 'late'),
    }),
  },
  { weight: 1, arbitrary: step('block', { side, ms }) },
];

const goingAway = [
  { weight: 1, arbitrary: step('restart', { downMs: fc.nat({ max: 3000 }) }) },
  { weight: 2, arbitrary: step('drain', { deadlineMs: fc.integer({ min: 100, max: 10_000 }) }) },
];

function steps(choices: { weight: number; arbitrary: fc.Arbitrary<unknown> }[]): fc.Arbitrary<Step[]> {
  const one = fc.oneof(...choices) as fc.Arbitrary<Step>;
  return fc.array(one, { minLength: 5, maxLength: 40, size: 'max' });
}

const common = {
  seed: fc.integer(),
  maxLatencyMs: fc.integer({ min: 1, max: 60 }),
  clientHasPing: fc.boolean(),
  heartbeat: fc.record({
    intervalMs: fc.integer({ min: 500, max: 3000 }),
    timeoutMs: fc.integer({ min: 500, max: 2000 }),
  }),
  queue: fc.record({
    maxMessages: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(1000)),
    maxBytes: fc.oneof(fc.integer({ min: 8000, max: 9000 }), fc.constant(2 ** 20)),
  }),
  limits: fc.record({
    calls: fc.constantFrom(3, 1024, 1024, 1024),
    streams: fc.constantFrom(2, 256, 256, 256),
  }),
  ending: fc.constantFrom('settled' as const, 'settled' as const, 'close' as const),
};

export const scenario: fc.Arbitrary<Scenario> = fc.oneof(
  fc.record({ ...common, isMortal: fc.constant(false), steps: steps(weighted) }),
  fc.record({ ...common, isMortal: fc.constant(true), steps: steps([...weighted, ...goingAway]) }),
);
