// Takes the guards of the session away, one at a time, in copies of src/agent/, and shows that the model notices each: what
// the model does not see is not proven by it.
import { describe, expect, test } from 'vitest';
import type { Change } from '../support/mutant.js';
import { findFailureWithout } from './model/run.js';

/** Ten times as many as the rarest failure takes. */
const SEEDS = 2000;

const DEDUPE: Change = { file: 'channel.ts', from: 'if (number <= this.received) return;', to: '' };

interface Mutation {
  guard: string;
  changes: Change[];
  symptom: RegExp;
}

const MUTATIONS: Mutation[] = [
  {
    guard: 'takeover: a resume ends the connection that the session still has',
    changes: [
      {
        file: 'session-server.ts',
        from: '} else if (!session.isNewer(hello.gen)) {',
        to: `} else if (session.state === 'open') {
               closeLink(link, CLOSE.RESTART, 'the session has a connection', this.#wheel);
             } else if (!session.isNewer(hello.gen)) {`,
      },
    ],
    symptom: /ended by the server: close\(1012/,
  },
  {
    guard: 'generation: a hello that comes late takes nothing over',
    changes: [{ file: 'session-server.ts', from: '!session.isNewer(hello.gen)', to: 'false' }],
    symptom: /a healthy connection was ended by the server: release/,
  },
  {
    guard: 'fence and dedupe: a former connection is heard no more, and what has come does not count again',
    changes: [
      DEDUPE,
      {
        file: 'channel.ts',
        from: 'this.#forgetLink()?.release();',
        to: "this.#forgetLink()?.close(1000, '');",
      },
    ],
    symptom: /should be .* but .* came/,
  },
  {
    guard: 'dedupe alone: what has come does not count again',
    changes: [DEDUPE],
    symptom: /should be .* but .* came/,
  },
  {
    guard: 'pruning: what the peer has is not sent again',
    changes: [{ file: 'channel.ts', from: 'this.sent.prune(peerHas);', to: '' }],
    symptom: /close\(4500/,
  },
  {
    guard: 'acknowledged is what the application was given, not what has come',
    changes: [
      {
        file: 'channel.ts',
        from: 'this.received = number;',
        to: 'this.received = this.acknowledged = number;',
      },
    ],
    symptom: /lost and not reported/,
  },
  {
    guard: 'heartbeat: a connection without a sign of life is given up',
    changes: [{ file: 'liveness.ts', from: 'else this.#callbacks.onDead();', to: '' }],
    symptom: /stuck/,
  },
  {
    guard: 'a new session counts from the beginning',
    changes: [{ file: 'client-session.ts', from: 'resumed ? hello.recv : 0', to: 'hello.recv' }],
    symptom: /close\(4500/,
  },
];

describe('the model', () => {
  test(`the classes as they are -> no failure in ${SEEDS} scenarios`, async () => {
    expect(await findFailureWithout([], SEEDS, /./)).toBeUndefined();
  }, 300_000);

  test.each(MUTATIONS)(
    `without $guard -> fails within ${SEEDS} scenarios`,
    async ({ changes, symptom }) => {
      expect(await findFailureWithout(changes, SEEDS, symptom)).toBeDefined();
    },
    300_000,
  );
});
