// What can happen to one session and its two applications: settings and steps, drawn by fast-check, which also makes them
// fewer when a scenario fails.
import fc from 'fast-check';
import type { QueueOptions } from '../../../src/agent/queue-options.js';
import type { Admission, Fault, Side } from './fake-network.js';

export interface Scenario {
  /** For latencies, jitter and ids. */
  seed: number;
  maxLatencyMs: number;
  /** Whether a protocol Ping can be sent by the client. */
  clientHasPing: boolean;
  /** Whether a session may be lost: the server restarts, and keeps sessions for seconds only. */
  isMortal: boolean;
  heartbeat: { intervalMs: number; timeoutMs: number };
  /** Whether only the client looks for dead connections: the server learns of them when it comes back. */
  isServerPatient: boolean;
  /** What of a lost session the client sends again by itself. */
  resend: 'none' | 'unsent' | 'all';
  client: SideSettings;
  server: SideSettings;
  /** How the client ends the session: when everything has come right, or in the midst of the faults. */
  ending: 'settled' | 'close' | 'terminate';
  steps: Step[];
}

/** How long servers keep sessions without a connection. */
export const WINDOW_MS = { mortal: 8000, immortal: 10_000_000 };

export interface SideSettings {
  /** Bounds of what it sends, and of what it takes. */
  queue: QueueOptions;
  /** How the application takes messages. */
  consumer: 'listener' | 'iterator';
  acknowledge: 'auto' | 'manual';
}

export type Step =
  | { do: 'send'; side: Side; kind: PayloadKind; size: number; count: number; key: number; ttlMs: number }
  | { do: 'flush'; side: Side }
  | { do: 'wait'; ms: number }
  /** To the newest connection (0), or an older one. */
  | { do: 'damage'; fault: Fault; age: number }
  | { do: 'stall' | 'congest'; side: Side; ms: number; age: number }
  | { do: 'admit'; admission: Admission }
  | { do: 'block'; side: Side; ms: number }
  /** The application takes nothing any more, or goes on. */
  | { do: 'hold'; side: Side; isHeld: boolean }
  | { do: 'acknowledge'; side: Side }
  | { do: 'restart'; downMs: number; isMachineGone: boolean }
  /** The server asks its clients to leave, for another one that is there at once, or when this one is gone. */
  | { do: 'drain'; deadlineMs: number; spreadMs: number; hasSuccessor: boolean };

export type PayloadKind = 'text' | 'binary' | 'marked' | 'empty';

const side = fc.constantFrom<Side>('client', 'server');

const sideSettings: fc.Arbitrary<SideSettings> = fc.record({
  queue: fc.record(
    {
      policy: fc.constantFrom(
        'block',
        'block',
        'block',
        'error',
        'drop-oldest',
        'drop-newest',
        'conflate',
        'volatile',
      ),
      maxMessages: fc.integer({ min: 1, max: 12 }),
      maxBytes: fc.oneof(fc.integer({ min: 30, max: 300 }), fc.constant(100_000)),
      ttlMs: fc.integer({ min: 50, max: 5000 }),
    },
    { requiredKeys: ['policy', 'maxMessages', 'maxBytes'] },
  ),
  consumer: fc.constantFrom('listener', 'iterator'),
  acknowledge: fc.constantFrom('auto', 'auto', 'manual'),
});

const send = fc.record({
  do: fc.constant('send' as const),
  side,
  kind: fc.constantFrom<PayloadKind>('text', 'text', 'binary', 'marked', 'empty'),
  /** Sometimes so much that the sender looks at what its socket holds. */
  size: fc.oneof(
    { weight: 20, arbitrary: fc.nat({ max: 30 }) },
    { weight: 1, arbitrary: fc.constant(17_000) },
  ),
  count: fc.integer({ min: 1, max: 4 }),
  key: fc.nat({ max: 2 }),
  ttlMs: fc.constantFrom(0, 0, 0, 0, 300, 3000),
});

/** Moments within a connection, moments within a heartbeat, and longer than both. */
const waitMs = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 60 }) },
  { weight: 3, arbitrary: fc.integer({ min: 60, max: 1000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1000, max: 8000 }) },
);

const age = fc.constantFrom(0, 0, 0, 1);

const weighted: [number, fc.Arbitrary<Step>][] = [
  [12, send],
  [12, fc.record({ do: fc.constant('wait' as const), ms: waitMs })],
  [
    4,
    fc.record({
      do: fc.constant('damage' as const),
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
  ],
  [2, fc.record({ do: fc.constantFrom('stall' as const, 'congest' as const), side, ms: waitMs, age })],
  [
    2,
    fc.record({
      do: fc.constant('admit' as const),
      admission: fc.constantFrom<Admission>(
        'open',
        'open',
        'refused',
        'unavailable',
        'silent',
        'slow',
        'late',
        'late',
      ),
    }),
  ],
  [1, fc.record({ do: fc.constant('block' as const), side, ms: waitMs })],
  [1, fc.record({ do: fc.constant('hold' as const), side, isHeld: fc.boolean() })],
  [2, fc.record({ do: fc.constant('acknowledge' as const), side })],
  [1, fc.record({ do: fc.constant('flush' as const), side })],
];

const goingAway: [number, fc.Arbitrary<Step>][] = [
  [
    1,
    fc.record({
      do: fc.constant('restart' as const),
      downMs: fc.nat({ max: 3000 }),
      isMachineGone: fc.boolean(),
    }),
  ],
  [
    1,
    fc.record({
      do: fc.constant('drain' as const),
      deadlineMs: fc.integer({ min: 1, max: 5000 }),
      spreadMs: fc.nat({ max: 1000 }),
      hasSuccessor: fc.boolean(),
    }),
  ],
];

function steps(choices: [number, fc.Arbitrary<Step>][]): fc.Arbitrary<Step[]> {
  const step = fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
  return fc.array(step, { minLength: 5, maxLength: 60, size: 'max' });
}

const common = {
  seed: fc.integer(),
  maxLatencyMs: fc.integer({ min: 1, max: 60 }),
  clientHasPing: fc.boolean(),
  heartbeat: fc.record({
    intervalMs: fc.integer({ min: 500, max: 3000 }),
    timeoutMs: fc.integer({ min: 500, max: 2000 }),
  }),
  isServerPatient: fc.boolean(),
  resend: fc.constantFrom('none' as const, 'none' as const, 'unsent' as const, 'all' as const),
  ending: fc.constantFrom('settled' as const, 'settled' as const, 'close' as const, 'terminate' as const),
  client: sideSettings,
  server: sideSettings,
};

export const scenario: fc.Arbitrary<Scenario> = fc.oneof(
  fc.record({ ...common, isMortal: fc.constant(false), steps: steps(weighted) }),
  fc.record({ ...common, isMortal: fc.constant(true), steps: steps([...weighted, ...goingAway]) }),
);
