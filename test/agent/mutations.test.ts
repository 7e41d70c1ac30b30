// Takes the guards of the session away, one at a time, in copies of src/agent/, and shows that the model notices each: what
// the model does not see is not proven by it.
import { describe, expect, test } from 'vitest';
import { type Change, withMutant } from './model/mutant.js';
import { findFailure } from './model/run.js';

/** Enough for the rarest; the first failure comes within a few seeds for most. */
const SEEDS = 1500;

const DEDUPE: Change = { file: 'channel.ts', from: 'if (number <= this.received) return;', to: '' };
const TAKEOVER: Change = {
  file: 'channel.ts',
  from: '    this.detach();\n    this.sent.prune(peerHas);',
  to: '    this.sent.prune(peerHas);',
};

const MUTATIONS: [guard: string, changes: Change[]][] = [
  [
    'a new connection takes the session over',
    [
      {
        file: 'session-server.ts',
        from: '} else if (!session.isNewer(hello.gen)) {',
        to: `} else if (session.state === 'open') {
               closeLink(link, CLOSE.RESTART, 'the session has a connection', this.#wheel);
             } else if (!session.isNewer(hello.gen)) {`,
      },
    ],
  ],
  ['the former connection is let go of', [TAKEOVER]],
  [
    'a generation must be newer',
    [{ file: 'session-server.ts', from: '!session.isNewer(hello.gen)', to: 'false' }],
  ],
  ['dedupe', [DEDUPE]],
  ['fence and dedupe', [DEDUPE, TAKEOVER]],
  ['pruning at resume', [{ file: 'channel.ts', from: 'this.sent.prune(peerHas);', to: '' }]],
];

describe('the model', () => {
  test(`the classes as they are -> no failure in ${SEEDS} seeds`, async () => {
    expect(await withMutant([], (mutant) => findFailure(mutant, SEEDS))).toBeUndefined();
  }, 120_000);

  test.each(MUTATIONS)(
    `without this guard: %s -> fails within ${SEEDS} seeds`,
    async (_guard, changes) => {
      const failure = await withMutant(changes, (mutant) => findFailure(mutant, SEEDS));
      expect(failure).toBeDefined();
    },
    120_000,
  );
});
