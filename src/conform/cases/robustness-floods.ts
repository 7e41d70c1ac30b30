// Attacks over an established connection (RFC 6455 §10.4): more of something than a peer can hold, compressed bombs, and
// peers that do not read.

import { constants, deflateRawSync } from 'node:zlib';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../../wire/opcode.js';
import {
  attackCase,
  drain,
  FLOOD_LIMIT_MS,
  flood,
  floodFrames,
  isPong,
  servesOthers,
  testerAttackCase,
} from '../attack-case.js';
import type { ConformanceCase, Encounter } from '../case.js';
import { compressedBinary, compressedFragments, noise, openDeflate } from '../deflate-case.js';
import { takeSteps } from '../exchange.js';
import { serializeFrame } from '../frame.js';
import { cycled, repeated } from '../payload.js';
import { breaks, conforms, hasEnded, informational, type RuleFacts, type Ruling } from '../rule-case.js';
import { binary, chopped, text, unfinished } from '../step.js';
import type { Tester } from '../tester.js';

const MIB = 1 << 20;

const SURVIVES =
  'A server serves others all the while. A client answers a Ping, or has ended the connection.';

interface AttackFacts extends Pick<RuleFacts, 'title'> {
  rule: string;
  requirements?: readonly string[];
  section?: string;
  expectation?: string;
  subjects?: RuleFacts['subjects'];
}

function attackFacts(id: string, facts: AttackFacts): RuleFacts & { isHeavy: boolean } {
  const { subjects, ...others } = facts;
  return {
    section: 'RFC 6455 §10.4',
    requirements: ['RFC6455-10.4-1'],
    expectation: SURVIVES,
    ...others,
    ...(subjects !== undefined && { subjects }),
    id: `robustness.${id}`,
    isHeavy: true,
  };
}

const FRAGMENTS = 'The memory that a message takes is bounded, also by the number of its fragments.';
const FRAGMENT_IDS = ['RFC6455-10.4-1', 'RFC6455-10.4-2'];

const fragments: readonly [id: string, bytes: number, title: string][] = [
  ['fragments-of-one-byte', 1, 'Begins a message and sends 200,000 fragments of one byte, and no end.'],
  ['empty-fragments', 0, 'Begins a message and sends 200,000 empty fragments, and no end.'],
];

const fragmentFloods = fragments.map(([id, bytes, title]) =>
  attackCase(attackFacts(id, { title, rule: FRAGMENTS, requirements: FRAGMENT_IDS }), async (tester) => {
    await takeSteps(tester, [unfinished(text('a'))]);
    await floodFrames(
      tester,
      { opcode: CONTINUATION, payload: repeated('a', bytes), isFinal: false },
      200_000,
    );
    return undefined;
  }),
);

const endlessMessage = attackCase(
  attackFacts('message-without-end', {
    title: 'Begins a message and sends 200 MiB of it in fragments of 64 KiB, and no end.',
    rule: 'A limit holds for the message as a whole, not for each frame.',
    requirements: FRAGMENT_IDS,
    expectation: `${SURVIVES} A peer that has not ended the connection is INFORMATIONAL.`,
  }),
  async (tester) => {
    await takeSteps(tester, [unfinished(binary('a'))]);
    await floodFrames(tester, { opcode: CONTINUATION, payload: repeated('a', 65_536), isFinal: false }, 3200);
    if (await tester.until(() => hasEnded(tester), FLOOD_LIMIT_MS)) return undefined;
    return informational('The peer holds the 200 MiB, or has stopped to read.');
  },
);

const unread: readonly [id: string, opcode: number, bytes: number, count: number, what: string][] = [
  ['pings-unread', PING, 100, 200_000, '200,000 Pings'],
  ['empty-pings-unread', PING, 0, 200_000, '200,000 empty Pings'],
  ['messages-unread', TEXT, 0, 100_000, '100,000 empty messages'],
  ['large-messages-unread', BINARY, MIB, 40, '40 messages of 1 MiB'],
];

const unreadFloods = unread.map(([id, opcode, bytes, count, what]) =>
  attackCase(
    attackFacts(id, {
      title: `Sends ${what} without reading anything, then reads again.`,
      rule: 'What a peer does not read is not piled up without a bound; a Pong for the latest Ping is enough.',
      requirements: ['RFC6455-10.4-1', 'RFC6455-5.5.3-2'],
      section: 'RFC 6455 §5.5.3, §10.4',
    }),
    async (tester, encounter) => {
      tester.connection.pause();
      await floodFrames(tester, { opcode, payload: cycled('ping', bytes) }, count);
      const during = await whileUnderAttack(encounter);
      if (during !== undefined) return during;
      await readAgain(tester);
      return undefined;
    },
  ),
);

async function whileUnderAttack(encounter: Encounter): Promise<Ruling | undefined> {
  if (encounter.subject === 'client' || (await servesOthers(encounter))) return undefined;
  return breaks('While it was under attack the server served no other connection within 5 s.');
}

/** Takes what had been left, up to the answer to a last Ping, so that the peer can go on. */
async function readAgain(tester: Tester): Promise<void> {
  const reading = drain(tester, isPong('last'));
  await Promise.race([tester.send({ opcode: PING, payload: 'last' }), reading]);
  await reading;
}

const frameFloods: readonly [id: string, title: string, attack: (tester: Tester) => Promise<void>][] = [
  [
    'pongs',
    'Sends 200,000 Pongs that nobody asked for.',
    (tester) => floodFrames(tester, { opcode: PONG, payload: 'pong' }, 200_000),
  ],
  [
    'close-frames',
    'Sends 10,000 Close frames in a row.',
    (tester) => floodFrames(tester, { opcode: CLOSE, payload: Uint8Array.of(3, 232) }, 10_000),
  ],
  [
    'masked-the-wrong-way',
    'Sends 50,000 frames with a mask to a client, and without one to a server.',
    (tester) =>
      floodFrames(tester, { opcode: TEXT, payload: 'wrong', isMasked: tester.subject === 'client' }, 50_000),
  ],
  [
    'reserved-opcodes',
    'Sends 50,000 frames with an opcode that means nothing.',
    (tester) => floodFrames(tester, { opcode: 11, payload: 'reserved' }, 50_000),
  ],
  [
    'garbage-for-frames',
    'Sends a mebibyte of random bytes instead of frames.',
    (tester) => flood(tester, noise(65_536, 99), 16),
  ],
];

const others = frameFloods.map(([id, title, attack]) =>
  attackCase(
    attackFacts(id, {
      title,
      rule: 'Whatever comes, it harms nobody but the connection that it came on.',
      section: 'RFC 6455 §10.7',
      requirements: ['RFC6455-10.7-1', 'RFC6455-7.1.7-7'],
    }),
    async (tester) => {
      await attack(tester);
      // A client may take the rest of random bytes for a frame that is still to come: TCP tells it that nothing is.
      if (tester.subject === 'client') await endOfTcp(tester);
      return undefined;
    },
  ),
);

async function endOfTcp(tester: Tester): Promise<void> {
  if (await tester.until(() => hasEnded(tester), 500)) return;
  tester.connection.end();
}

const dribble = attackCase(
  attackFacts('a-byte-at-a-time', {
    title: 'Sends a message of 20,000 bytes, each byte in a TCP write of its own.',
    rule: 'How bytes are spread over TCP segments means nothing, and costs a receiver no more than it has to.',
    section: 'RFC 6455 §5.4, §10.4',
    expectation: 'The message comes back, and others are served.',
  }),
  async (tester) => {
    const payload = cycled('dribble', 20_000);
    await takeSteps(tester, [chopped(1, text(payload))]);
    await tester.until(() => tester.messages.length > 0 || hasEnded(tester), FLOOD_LIMIT_MS);
    return tester.messages.length > 0 ? conforms('The echo came.') : breaks('No echo came.');
  },
);

const ENDINGS: readonly [id: string, title: string, start: Uint8Array | undefined][] = [
  ['fin-behind-the-handshake', 'Ends TCP with FIN right behind the opening handshake.', undefined],
  ['fin-inside-a-header', 'Ends TCP with FIN behind the first byte of a frame.', Uint8Array.of(0x82)],
  [
    'fin-inside-a-payload',
    'Ends TCP with FIN in the middle of a frame.',
    serializeFrame({ opcode: BINARY, payload: 'half', announcedLength: 8n, isMasked: true }, 'server').bytes,
  ],
];

const endings = ENDINGS.map(([id, title, start]) =>
  attackCase(
    attackFacts(id, {
      title,
      rule: 'When TCP is ended the WebSocket connection is over, whatever state it was in.',
      section: 'RFC 6455 §7.1.4, §7.1.5',
      requirements: ['RFC6455-10.7-1'],
      expectation: 'The peer ends TCP, too. One that keeps its half open for 5 s is NON-STRICT.',
    }),
    async (tester) => {
      if (start !== undefined) await tester.connection.write(start);
      tester.connection.end();
      if (await tester.until(() => tester.connection.isOver, 5000)) return conforms('The peer ended TCP.');
      return { behavior: 'NON-STRICT', why: 'The peer kept its half of TCP open.' };
    },
  ),
);

const resets: readonly [id: string, title: string, attack: (tester: Tester) => Promise<void>][] = [
  [
    'reset-inside-a-frame',
    'Resets TCP in the middle of a frame.',
    (tester) => tester.send({ opcode: BINARY, payload: 'half', announcedLength: 1000n }),
  ],
  [
    'reset-while-echoes-are-under-way',
    'Sends 20 messages of 1 MiB and resets TCP without reading their echoes.',
    async (tester) => {
      tester.connection.pause();
      await floodFrames(tester, { opcode: BINARY, payload: repeated('r', MIB) }, 20);
    },
  ],
];

const resetCases = resets.map(([id, title, attack]) =>
  attackCase(
    attackFacts(id, {
      title,
      rule: 'A connection that breaks off harms nobody but itself.',
      section: 'RFC 6455 §7.1.7',
      requirements: ['RFC6455-10.7-1'],
      subjects: ['server'],
    }),
    async (tester) => {
      await attack(tester);
      tester.connection.reset();
      return undefined;
    },
  ),
);

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
      await tester.send({
        opcode: BINARY,
        payload: Buffer.alloc(BOMB_MIB * block.length + 1, block),
        rsv: 4,
      });
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

export const ROBUSTNESS_FLOODS: readonly ConformanceCase[] = [
  ...fragmentFloods,
  endlessMessage,
  ...unreadFloods,
  ...others,
  dribble,
  ...endings,
  ...resetCases,
  ...bombCases,
];
