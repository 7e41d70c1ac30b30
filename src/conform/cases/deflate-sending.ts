// What the peer compresses (RFC 7692 §6.1, §7.2.1), seen from outside: RSV1, the blocks, the end of a message, and whether
// the window that was agreed on is kept. A peer is free to compress nothing; then there is nothing to judge.

import { randomBytes } from 'node:crypto';
import type { ConformanceCase } from '../case.js';
import { corpusFile } from '../corpus.js';
import {
  bytesOf,
  type DeflateSession,
  type DeflateWish,
  deflateCase,
  LARGE_ECHO_LIMIT_MS,
  rulingOnEchoes,
} from '../deflate-case.js';
import { DeflateSyntaxError, type UsedWindow, usedWindow } from '../deflate-reader.js';
import { takeSteps } from '../exchange.js';
import { noise, scatteredRepeats } from '../noise.js';
import { describePayload } from '../payload.js';
import {
  binaryMessage,
  breaks,
  conforms,
  hasEnded,
  informational,
  nonStrict,
  type RuleFacts,
  type Ruling,
  ruleCase,
  unimplemented,
} from '../rule-case.js';
import { binary, ping, text } from '../step.js';
import type { Tester } from '../tester.js';

const NOTHING_COMPRESSED = 'The peer compressed no message, as it may; there is nothing to judge.';

/**
 * Sends the messages, not compressed, so that nothing hangs on how the peer inflates, one after the echo of the other.
 *
 * @returns what the peer's compressed echoes are made of, or the ruling
 */
async function echoes(
  { tester, payloads }: DeflateSession,
  messages: readonly Uint8Array[],
): Promise<Ruling | UsedWindow[]> {
  for (const [index, message] of messages.entries()) {
    await takeSteps(tester, [binary(message)]);
    const ruling = await rulingOnEchoes(
      tester,
      messages.slice(0, index + 1).map((one) => binaryMessage(one)),
      message.length > 250_000 ? LARGE_ECHO_LIMIT_MS : undefined,
    );
    if (ruling.behavior !== 'OK') return ruling;
  }
  if (payloads.length === 0) return informational(NOTHING_COMPRESSED);
  try {
    return payloads.map(usedWindow);
  } catch (error) {
    if (!(error instanceof DeflateSyntaxError)) throw error;
    return breaks(`What the peer compressed is not complete DEFLATE data: ${error.message}.`);
  }
}

/** A case that looks at how the peer compresses its echoes of some messages. */
function compressingCase(
  facts: RuleFacts,
  wish: DeflateWish,
  messages: () => readonly Uint8Array[],
  rule: (used: UsedWindow[], session: DeflateSession) => Ruling,
): ConformanceCase {
  return deflateCase(facts, wish, async (session) => {
    const used = await echoes(session, messages());
    if (Array.isArray(used)) return rule(used, session);
    return refusesSmallestWindow(session.tester, wish)
      ? unimplemented('The client refused a window of 8 bits, which its compressor may not have.')
      : used;
  });
}

/** zlib has no window of 8 bits. A client that builds on it can only fail the connection when it is to have one. */
function refusesSmallestWindow(tester: Tester, { peerWindowBits }: DeflateWish): boolean {
  const { subject, messages, violations } = tester;
  const saysNothing = messages.length === 0 && violations.length === 0;
  return subject === 'client' && peerWindowBits === 8 && saysNothing && hasEnded(tester);
}

const repeats = scatteredRepeats(100_000);
const pages = (): Uint8Array[] => {
  const { bytes } = corpusFile('pg2229.txt');
  return Array.from({ length: 8 }, (_, n) => bytes.subarray(5000 * n, 5000 * n + 5000));
};

const WHOLE: readonly [id: string, what: string, messages: () => Uint8Array[]][] = [
  ['short-text', 'six short messages', () => Array.from({ length: 6 }, (_, n) => bytesOf(`Hello ${n}`))],
  ['prose', 'eight pages of prose', pages],
  ['empty', 'three empty messages and one that is not', () => ['', '', 'Hello', ''].map(bytesOf)],
  ['noise', 'three messages of 20,000 random bytes', () => [1, 2, 3].map((seed) => noise(20_000, seed))],
  ['zeros', '300,000 bytes that are all the same', () => [new Uint8Array(300_000)]],
  ['picture', 'the 250 KB of a picture', () => [corpusFile('lena512.bmp').bytes]],
];

const whole = WHOLE.map(([id, what, messages]) =>
  compressingCase(
    {
      id: `deflate.peer-ends-with-an-empty-block-${id}`,
      title: `Has the peer echo ${what}, and reads the DEFLATE data block by block.`,
      rule:
        'A message ends with an empty stored block, of which the last four bytes are left out. Where a block has ' +
        'BFINAL set, what is left of its last byte is zero.',
      section: 'RFC 7692 §7.2.1',
      requirements: ['RFC7692-7.2.1-1', 'RFC7692-7.2.1-5', 'RFC7692-7.2.2-1'],
      expectation:
        'With 00 00 FF FF behind it each compressed message is complete, and stands for what was sent.',
    },
    {},
    messages,
    (used) => {
      const bad = used.flatMap(({ blocks }) => blocks).find(({ padding }) => padding !== 0);
      if (bad !== undefined)
        return breaks('The byte in which a final block ends is not filled up with zeros.');
      if (used.some(({ blocks }) => blocks.at(-1)!.isFinal))
        return nonStrict('A message ends with a final block, without the byte 00 behind it.');
      return conforms(`${used.length} messages were compressed, each in whole blocks.`);
    },
  ),
);

function reachFault(used: UsedWindow[]): string | undefined {
  const index = used.findIndex(({ reach }) => reach > 0);
  if (index === -1) return undefined;
  return `Compressed message ${index + 1} refers ${used[index]!.reach} bytes back behind its own start.`;
}

const NO_CONTEXT: readonly [id: string, what: string, messages: () => Uint8Array[]][] = [
  ['same-message', 'the same message five times', () => Array.from({ length: 5 }, () => pages()[0]!)],
  [
    'nearly-the-same',
    '20 messages that are nearly the same',
    () => Array.from({ length: 20 }, (_, n) => Buffer.concat([bytesOf(`message ${n} `), pages()[0]!])),
  ],
  [
    'with-empty',
    'messages with empty ones in between',
    () => Array.from({ length: 8 }, (_, n) => (n % 2 === 1 ? bytesOf('') : pages()[0]!)),
  ],
];

const noContext = NO_CONTEXT.map(([id, what, messages]) =>
  compressingCase(
    {
      id: `deflate.peer-keeps-no-context-${id}`,
      title: `Agrees that the peer keeps no context, and has it echo ${what}.`,
      rule: 'An end that agreed to keep no context begins each message with an empty window.',
      section: 'RFC 7692 §7.1.1, §7.2.1',
      requirements: ['RFC7692-7.2.1-8', 'RFC7692-7.2.1-10', 'RFC7692-7.1.1.1-2', 'RFC7692-7.1.1.2-3'],
      expectation: 'No compressed message refers to anything before its own start.',
    },
    { peerNoContext: true },
    messages,
    (used) => {
      const fault = reachFault(used);
      return fault === undefined ? conforms('Each message stands on its own.') : breaks(fault);
    },
  ),
);

const WINDOW_BITS = [8, 9, 10, 11, 12, 13, 14, 15];

const windows = WINDOW_BITS.map((bits) =>
  compressingCase(
    {
      id: `deflate.peer-window-of-${bits}-bits`,
      title: `Agrees on a window of ${bits} bits for the peer, and has it echo data with repeats at all distances.`,
      rule: 'A window that was agreed on limits how far back a sender refers.',
      section: 'RFC 7692 §7.1.2, §7.2.1',
      requirements: ['RFC7692-7.2.1-12', 'RFC7692-7.2.1-14', 'RFC7692-7.1.2.1-3', 'RFC7692-7.1.2.2-4'],
      expectation: `No match has a distance above ${1 << bits}. A peer that does not agree is UNIMPLEMENTED${
        bits === 8 ? ', and so is a client that fails the connection.' : '.'
      }`,
    },
    { peerWindowBits: bits },
    () => [repeats, repeats.subarray(0, 20_000), repeats.subarray(50_000)],
    (used, { agreement }) => rulingOnDistance(used, 1 << Math.min(bits, agreement.peer.windowBits)),
  ),
);

function rulingOnDistance(used: UsedWindow[], limit: number): Ruling {
  const farthest = Math.max(...used.map(({ maxDistance }) => maxDistance));
  return farthest > limit
    ? breaks(`A match has the distance ${farthest}; ${limit} was the limit.`)
    : conforms(`The largest distance of a match is ${farthest}.`);
}

const both = compressingCase(
  {
    id: 'deflate.peer-keeps-no-context-and-a-small-window',
    title:
      'Agrees on a window of 10 bits and no context for the peer, and has it echo data with many repeats.',
    rule: 'Both limits may be agreed on at once.',
    section: 'RFC 7692 §7.1',
    requirements: ['RFC7692-7.2.1-8', 'RFC7692-7.2.1-10', 'RFC7692-7.2.1-12', 'RFC7692-7.2.1-14'],
    expectation: 'No match has a distance above 1024, and none begins before its message.',
  },
  { peerNoContext: true, peerWindowBits: 10 },
  () => [repeats.subarray(0, 30_000), repeats.subarray(0, 30_000), repeats.subarray(0, 30_000)],
  (used) => {
    const fault = reachFault(used);
    return fault === undefined ? rulingOnDistance(used, 1024) : breaks(fault);
  },
);

const context = compressingCase(
  {
    id: 'deflate.peer-use-of-context',
    title: 'Has the peer echo the same page of prose five times.',
    rule: 'Unless it was agreed otherwise, a sender may refer to its earlier messages, and need not.',
    section: 'RFC 7692 §7.2.1',
    requirements: ['RFC7692-7.2.1-9', 'RFC7692-7.2.1-11'],
    expectation: 'The echoes are right, whether they refer to earlier ones or not.',
  },
  {},
  () => Array.from({ length: 5 }, () => pages()[0]!),
  (used) =>
    conforms(
      used.some(({ reach }) => reach > 0)
        ? 'The peer refers to earlier messages.'
        : 'The peer compresses each message on its own.',
    ),
);

const mixedSizes = compressingCase(
  {
    id: 'deflate.peer-mixes-compressed-and-not',
    title:
      'Has the peer echo messages from 0 to 5000 bytes, of which it may leave the short ones uncompressed.',
    rule: 'A sender decides for each message anew. Uncompressed ones do not change its window.',
    section: 'RFC 7692 §6.1, §7.2.3.2',
    requirements: ['RFC7692-6.1-1', 'RFC7692-6.1-2', 'RFC7692-6-1'],
    expectation: 'All echoes are right.',
  },
  {},
  () =>
    Array.from({ length: 24 }, (_, n) => pages()[n % 8]!.subarray(0, [0, 5, 5000, 130, 1023, 1025][n % 6])),
  (used) => conforms(`The peer compressed ${used.length} of 24 messages.`),
);

const rsv = deflateCase(
  {
    id: 'deflate.peer-sets-rsv1-on-first-frames-only',
    title:
      'Has the peer echo 100,000 bytes and short texts and answer Pings, and looks at RSV1 of each frame.',
    rule: 'RSV1 is set on the first frame of a compressed message, and on no other frame.',
    section: 'RFC 7692 §6.1',
    requirements: ['RFC7692-6.1-1', 'RFC7692-6.1-3', 'RFC7692-6-1'],
    expectation: 'No Pong, no Close frame and no continuation has RSV1; RSV2 and RSV3 are clear throughout.',
  },
  {},
  async ({ tester }) => {
    const large = Buffer.from(repeats);
    await takeSteps(tester, [binary(large)]);
    await takeSteps(tester, [ping('compressible compressible compressible compressible')]);
    await takeSteps(tester, [text('short')]);
    await takeSteps(tester, [ping()]);
    await tester.until(() => tester.events.length >= 4 || tester.isOver, 3000);
    const violation = tester.hasViolated('reserved-bit', 'compressed-continuation');
    if (violation !== undefined) return breaks(`The peer sent ${violation.detail}.`);
    const came = tester.messages.map(({ payload }) => describePayload(payload)).join(', ');
    if (tester.messages.length < 2) return breaks(`Of two echoes came: ${came || 'none'}.`);
    return conforms('RSV1 is set where it belongs, if at all.');
  },
);

const declined = ruleCase(
  {
    id: 'deflate.peer-compresses-only-by-agreement',
    title: 'Opens a connection without the extension, and has the peer echo 5000 bytes that compress well.',
    rule: 'An extension that was not agreed on is not used.',
    section: 'RFC 6455 §9.1, RFC 7692 §5',
    requirements: ['RFC6455-9.1-6', 'RFC7692-5-14', 'RFC6455-5.2-1'],
    expectation: 'The echo comes as it was sent, with RSV1 clear.',
  },
  async (tester) => {
    const content = 'compressible '.repeat(400);
    await takeSteps(tester, [text(content)]);
    const ruling = await rulingOnEchoes(tester, [{ type: 'text', payload: content }]);
    const violation = tester.hasViolated('reserved-bit');
    return violation === undefined ? ruling : breaks(`The peer sent ${violation.detail}.`);
  },
);

const takeover = deflateCase(
  {
    id: 'deflate.a-hundred-messages-both-ways',
    title:
      'Sends a hundred messages of 1 to 9000 bytes, random and not, each after the echo of the one before.',
    rule: 'Both windows are kept from message to message, unless that was agreed otherwise.',
    section: 'RFC 7692 §7.2',
    requirements: ['RFC7692-7.2.2-3', 'RFC7692-7.2.2-5', 'RFC7692-7.2.1-9', 'RFC7692-7.2.1-11'],
    expectation: 'Each comes back unchanged.',
  },
  {},
  async ({ tester }) => {
    const { bytes } = corpusFile('data1.json');
    for (let n = 0; n < 100; n++) {
      const size = 1 + ((n * 89) % 9000);
      const message = n % 10 === 9 ? randomBytes(size) : bytes.subarray(n * 1500, n * 1500 + size);
      await tester.sendMessage('binary', message);
      const ruling = await rulingOnEchoes(tester, [binaryMessage(message)]);
      if (ruling.behavior !== 'OK') return breaks(`Message ${n + 1}: ${ruling.why}`);
      tester.events.length = 0;
    }
    return conforms('Each message came back unchanged.');
  },
);

export const DEFLATE_SENDING: readonly ConformanceCase[] = [
  ...whole,
  ...noContext,
  ...windows,
  both,
  context,
  mixedSizes,
  rsv,
  declined,
  takeover,
];
