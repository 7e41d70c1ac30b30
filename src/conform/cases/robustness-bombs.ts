// Attacks with compressed messages that inflate to a thousand times their size (RFC 7692 §8, RFC 6455 §10.4).

import { constants, deflateRawSync } from 'node:zlib';
import { BINARY } from '../../wire/opcode.js';
import { attackFacts, drain, heavy, SURVIVES, testerAttackCase } from '../attack-case.js';
import type { ConformanceCase } from '../case.js';
import { compressedBinary, compressedFragments, openDeflate } from '../deflate-case.js';
import { takeSteps } from '../exchange.js';
import { hasEnded, informational, type Ruling } from '../rule-case.js';
import type { Tester } from '../tester.js';

const MIB = 1 << 20;

/** A mebibyte of zeros in a block that ends on a byte, so that it can be repeated. */
const mebibyteOfZeros = (): Uint8Array =>
  deflateRawSync(new Uint8Array(MIB), { level: 9, finishFlush: constants.Z_SYNC_FLUSH });

const BOMB =
  'What comes out of the inflater is counted while it comes out, and the limit for messages holds for it.';
const BOMB_MIB = 300;

interface Bomb {
  id: string;
  title: string;
  attack: (tester: Tester) => Promise<Ruling | undefined>;
}

const bombs: readonly Bomb[] = [
  {
    id: 'bomb',
    title: `Sends a compressed message of ${BOMB_MIB} KiB that inflates to ${BOMB_MIB} MiB.`,
    attack: async (tester) => {
      const block = mebibyteOfZeros();
      const payload = Buffer.alloc(BOMB_MIB * block.length + 1, block).fill(0, BOMB_MIB * block.length);
      await tester.send({ opcode: BINARY, payload, rsv: 4 });
      return await rulingOnBomb(tester);
    },
  },
  {
    id: 'bomb-in-fragments',
    title: `Sends a compressed message in ${BOMB_MIB} fragments of 1 KiB, each of which inflates to 1 MiB.`,
    attack: async (tester) => {
      const parts = Array.from({ length: BOMB_MIB }, mebibyteOfOnce());
      await takeSteps(tester, compressedFragments(BINARY, [...parts, new Uint8Array(1)]));
      return await rulingOnBomb(tester);
    },
  },
  {
    id: 'small-bombs',
    title: 'Sends 40 compressed messages of 1 KiB that inflate to 1 MiB each.',
    attack: async (tester) => {
      const block = mebibyteOfZeros();
      await takeSteps(
        tester,
        Array.from({ length: 40 }, () => compressedBinary(block.subarray(0, -4))),
      );
      let echoes = 0;
      await drain(tester, (event) => event.type === 'binary' && ++echoes === 40, 10_000);
      return hasEnded(tester) || echoes === 40
        ? undefined
        : informational(`Of 40 echoes ${echoes} came within 10 s.`);
    },
  },
];

/** Makes it once, and gives it again and again. */
function mebibyteOfOnce(): () => Uint8Array {
  const block = mebibyteOfZeros();
  return () => block;
}

async function rulingOnBomb(tester: Tester): Promise<Ruling | undefined> {
  await tester.until(() => hasEnded(tester) || tester.messages.length > 0 || tester.isOver, 8000);
  if (tester.hasViolated('too-long', 'invalid-deflate', 'flood') !== undefined || tester.messages.length > 0)
    return informational('The peer inflated it, and sent it back.');
  if (hasEnded(tester)) return undefined;
  return { behavior: 'NON-STRICT', why: 'The peer neither refused the message nor sent it back within 8 s.' };
}

const bombCases = bombs.map(({ id, title, attack }) =>
  testerAttackCase(
    attackFacts(id, {
      title,
      rule: BOMB,
      section: 'RFC 7692 §8, RFC 6455 §10.4',
      requirements: ['RFC6455-10.4-1', 'RFC6455-10.4-2'],
      expectation: `${SURVIVES} A peer that takes the message and sends it back is INFORMATIONAL.`,
    }),
    async (encounter) => {
      const { tester, agreement } = await openDeflate(encounter, {});
      return agreement && tester;
    },
    attack,
  ),
);

export const ROBUSTNESS_BOMBS: readonly ConformanceCase[] = bombCases.map(heavy);
