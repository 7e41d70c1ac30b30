// Attacks with frames (RFC 6455 §10.4): more of something than a peer can hold, and peers that do not read.

import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../../wire/opcode.js';
import {
  attackCase,
  attackFacts,
  drain,
  FLOOD_LIMIT_MS,
  flood,
  floodFrames,
  heavy,
  isPong,
  SURVIVES,
  servesOthers,
} from '../attack-case.js';
import type { ConformanceCase, Encounter } from '../case.js';
import { takeSteps } from '../exchange.js';
import { noise } from '../noise.js';
import { cycled, repeated } from '../payload.js';
import { breaks, conforms, hasEnded, informational, type Ruling } from '../rule-case.js';
import { binary, chopped, text, unfinished } from '../step.js';
import type { Tester } from '../tester.js';

const MIB = 1 << 20;

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
    const sent = await floodFrames(
      tester,
      { opcode: CONTINUATION, payload: repeated('a', 65_536), isFinal: false },
      3200,
      5000,
    );
    if (await tester.until(() => hasEnded(tester), 1000)) return undefined;
    return informational(`The peer did not end the connection; it read ${sent >> 4} MiB.`);
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

const frameFloods: readonly [id: string, title: string, attack: (tester: Tester) => Promise<unknown>][] = [
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

export const ROBUSTNESS_FLOODS: readonly ConformanceCase[] = [
  ...fragmentFloods,
  endlessMessage,
  ...unreadFloods,
  ...others,
  dribble,
].map(heavy);
