// Cases about masking keys (RFC 6455 §5.3, §10.3): a client draws a new one for every frame, and nobody can foresee it.
// How keys are looked at is in `key-statistics.ts`.

import { CLOSE, PING, TEXT } from '../../wire/opcode.js';
import type { AgentMemory, ConformanceCase, Encounter, Judgement } from '../case.js';
import { type CaseFacts, finishClosing } from '../exchange.js';
import { describeEnd, endOf, observe } from '../judgement.js';
import {
  findBias,
  findLinearGenerator,
  findProgression,
  findRepetition,
  KEYS_TO_JUDGE,
  type MaskingKey,
} from '../key-statistics.js';
import { open } from '../opening.js';
import type { Tester } from '../tester.js';
import { hex } from '../wire-log.js';

type Facts = Omit<CaseFacts, 'group' | 'subjects'>;

/** The first keys of earlier connections of an agent, for the case that compares connections. */
const firstKeys = new WeakMap<AgentMemory, Set<string>>();
const KEYS_TO_COMPARE = 4;

/** Gathers the masking keys of many echoes and has them judged. */
function keyCase(
  facts: Omit<Facts, 'section'>,
  find: (keys: MaskingKey[], memory: AgentMemory) => string | undefined,
  collect: (tester: Tester) => Promise<void> = collectEchoes,
): ConformanceCase {
  return {
    group: 'masking',
    subjects: ['client'],
    section: 'RFC 6455 §5.3, §10.3',
    limitMs: 20_000,
    ...facts,
    run: async (encounter: Encounter) => {
      const { tester } = await open(encounter);
      await collect(tester);
      const keys = tester.frames.flatMap(({ maskingKey }) => maskingKey ?? []);
      await tester.close(1000);
      await finishClosing(tester);
      // A peer that does not answer is blamed for that elsewhere.
      if (tester.frames.filter(({ opcode }) => opcode !== CLOSE).length < KEYS_TO_JUDGE) {
        const few = verdict(tester, undefined, 'Too few frames came to judge their masking keys.');
        return { ...few, behavior: 'INFORMATIONAL' };
      }
      if (keys.length < KEYS_TO_JUDGE) {
        return verdict(
          tester,
          `Only ${keys.length} masked frames came, where ${KEYS_TO_JUDGE} echoes were due.`,
        );
      }
      const fault = find(keys, encounter.memory);
      remember(encounter.memory, keys);
      const shown = keys.slice(0, 3).map((key) => hex(key));
      return verdict(
        tester,
        fault,
        `${keys.length} masking keys were looked at; they begin with ${shown.join(', ')}.`,
      );
    },
  };
}

async function collectEchoes(tester: Tester): Promise<void> {
  const messages: Uint8Array[] = [];
  for (let n = 0; n < KEYS_TO_JUDGE; n++) {
    messages.push(tester.serialize({ opcode: TEXT, payload: `message ${n}` }).bytes);
  }
  await tester.connection.write(Buffer.concat(messages));
  await tester.until(() => tester.frames.length >= KEYS_TO_JUDGE || tester.isOver, 10_000);
}

/** A Ping after the Pong of the one before: a client may pass over Pings that come too fast. */
async function collectPongs(tester: Tester): Promise<void> {
  for (let n = 1; n <= KEYS_TO_JUDGE; n++) {
    await tester.send({ opcode: PING, payload: `ping ${n}` });
    const isAnswered = await tester.until(() => tester.frames.length >= n || tester.isOver, 1000);
    if (!isAnswered || tester.isOver) return;
  }
}

function firstOf(keys: MaskingKey[]): string {
  return keys
    .slice(0, KEYS_TO_COMPARE)
    .map((key) => hex(key))
    .join(' ');
}

function remember(memory: AgentMemory, keys: MaskingKey[]): void {
  const known = firstKeys.get(memory) ?? new Set();
  firstKeys.set(memory, known.add(firstOf(keys)));
}

export const MASKING_KEY_CASES: readonly ConformanceCase[] = [
  keyCase(
    {
      id: 'masking.client-fresh-keys',
      title: `Has ${KEYS_TO_JUDGE} messages echoed, and compares their masking keys.`,
      rule: 'Every frame gets a new masking key, drawn from all 2^32.',
      requirements: ['RFC6455-5.3-2', 'RFC6455-10.3-1'],
      expectation:
        'All keys differ, but for one pair at most. That random keys have two such pairs has a probability of 4 × 10^-10.',
    },
    findRepetition,
  ),
  keyCase(
    {
      id: 'masking.client-fresh-keys-of-pongs',
      title: `Has ${KEYS_TO_JUDGE} Pings answered, and compares the masking keys of the Pongs.`,
      rule: 'Every frame gets a new masking key, a control frame too, and no key says anything about the next.',
      requirements: ['RFC6455-5.3-2', 'RFC6455-5.3-4', 'RFC6455-10.3-1'],
      expectation: 'All keys differ, but for one pair at most, and no constant leads from one to the next.',
    },
    (keys) => findRepetition(keys) ?? findProgression(keys),
    collectPongs,
  ),
  keyCase(
    {
      id: 'masking.client-keys-say-nothing-of-the-next',
      title: `Has ${KEYS_TO_JUDGE} messages echoed, and looks for a rule that leads from each masking key to the next.`,
      rule: 'A masking key says nothing about the next: keys do not count, and do not repeat.',
      requirements: ['RFC6455-5.3-4', 'RFC6455-10.3-1'],
      expectation:
        'Neither the differences of the keys nor their XOR are constant, no byte has a period of 256 or less. ' +
        'For random keys the probability of any of this is below 10^-100.',
    },
    findProgression,
  ),
  keyCase(
    {
      id: 'masking.client-keys-are-evenly-spread',
      title: `Has ${KEYS_TO_JUDGE} messages echoed, and counts the values of each half byte of the masking keys.`,
      rule: 'Masking keys are drawn from a strong source of randomness, which favours no value.',
      requirements: ['RFC6455-5.3-3', 'RFC6455-10.3-1'],
      expectation:
        'Chi-square over the 16 values of each of the 8 half bytes stays below 100, which random keys exceed with a ' +
        'probability below 10^-12.',
    },
    findBias,
  ),
  keyCase(
    {
      id: 'masking.client-keys-are-not-math-random',
      title: `Has ${KEYS_TO_JUDGE} messages echoed, and looks for a generator that is linear over the bits of the keys.`,
      rule:
        'Masking keys are drawn from a strong source of randomness. Math.random() and its like are none: from a few ' +
        'keys all others can be computed.',
      requirements: ['RFC6455-5.3-3', 'RFC6455-5.3-4', 'RFC6455-10.3-1'],
      expectation:
        'No generator with a state of 128 bits or less, linear over single bits, makes these keys. Random keys look as ' +
        'if one did with a probability below 10^-9.',
    },
    findLinearGenerator,
  ),
  keyCase(
    {
      id: 'masking.client-fresh-keys-on-each-connection',
      title: 'Compares the first masking keys with those of earlier connections of this client.',
      rule: 'The source of masking keys does not begin anew with each connection.',
      requirements: ['RFC6455-5.3-2', 'RFC6455-5.3-3', 'RFC6455-10.3-1'],
      expectation: `The first ${KEYS_TO_COMPARE} keys are not those of an earlier connection. By chance they are with 2^-128.`,
    },
    (keys, memory) =>
      firstKeys.get(memory)?.has(firstOf(keys)) === true
        ? `This connection began with the masking keys ${firstOf(keys)}, as an earlier one did.`
        : undefined,
  ),
];

/** A verdict on frames alone, however the connection ended. */
export function verdict(tester: Tester, fault: string | undefined, fine = 'All as it has to be.'): Judgement {
  const seen = observe(tester);
  return {
    behavior: fault === undefined ? 'OK' : 'FAILED',
    behaviorClose: 'OK',
    finding: `${fault ?? fine} ${describeEnd(seen)}`,
    ...endOf(seen),
  };
}
