// Messages that refer to earlier bytes, in the same message and in those before (RFC 7692 §7.2.1, §7.2.2), as far as was
// agreed on. The peer has to have kept its window.

import type { ConformanceCase } from '../case.js';
import {
  bytesOf,
  compressedBinary,
  compressedText,
  cutAt,
  type DeflateWish,
  deflateCase,
  inflatedCase,
} from '../deflate-case.js';
import { takeSteps } from '../exchange.js';
import { words } from '../noise.js';
import { repeated } from '../payload.js';
import { RawDeflater } from '../raw-deflate.js';
import { binaryMessage, faultOfEchoes, informational, textMessage } from '../rule-case.js';
import { binary, ping } from '../step.js';
import {
  BLOCK_IDS,
  dynamicBlock,
  EMPTY,
  HELLO,
  HELLO_AGAIN,
  HELLO_FINAL,
  hello,
  NOISE_32K,
  PROSE,
  type Shape,
  shapeCase,
  WINDOW,
  WINDOW_IDS,
  writer,
} from './deflate-shape.js';

const FULL = 'Unless a smaller one was agreed on, the window of the receiver has 32 KiB.';
const FULL_IDS = ['RFC7692-7.2.2-7', 'RFC7692-7.2.2-9', 'RFC7692-7.2.1-7'];
const MIXED_IDS = ['RFC7692-6-1', 'RFC7692-6.1-2', 'RFC7692-6.2-2'];

const windows: readonly Shape[] = [
  {
    id: 'farthest-match',
    title:
      'Sends 32,768 random bytes and the first ten again, as a match over the largest distance there is.',
    rule: FULL,
    requirements: FULL_IDS,
    steps: () => [compressedBinary(writer().stored(NOISE_32K).fixed().match(10, 32_768).end().message())],
    expected: [binaryMessage(Buffer.concat([NOISE_32K, NOISE_32K.subarray(0, 10)]))],
    wish: { needsWindow: true },
  },
  {
    id: 'farthest-match-into-the-message-before',
    title: 'Sends 32,768 random bytes, and in the next message their first ten, as a match over all of them.',
    rule: `${WINDOW} ${FULL}`,
    requirements: [...WINDOW_IDS, ...FULL_IDS],
    steps: () => [
      compressedBinary(writer().stored(NOISE_32K).message()),
      compressedBinary(writer().fixed().match(10, 32_768).end().message()),
    ],
    expected: [binaryMessage(NOISE_32K), binaryMessage(NOISE_32K.subarray(0, 10))],
    wish: { needsContext: true, needsWindow: true },
  },
  {
    id: 'window-over-many-messages',
    title: 'Sends 40 messages of 800 bytes each, and one that takes three bytes from every one of them.',
    rule: WINDOW,
    requirements: WINDOW_IDS,
    steps: () => {
      const parts = cutAt(
        NOISE_32K.subarray(0, 32_000),
        ...Array.from({ length: 39 }, (_, n) => 800 * (n + 1)),
      );
      const last = writer().fixed();
      // Each match makes the next one begin three bytes farther on.
      for (let n = 0; n < 40; n++) last.match(3, 32_000 - 800 * n + 3 * n);
      return [
        ...parts.map((part) => compressedBinary(writer().stored(part).message())),
        compressedBinary(last.end().message()),
      ];
    },
    expected: [
      ...Array.from({ length: 40 }, (_, n) => binaryMessage(NOISE_32K.subarray(800 * n, 800 * (n + 1)))),
      binaryMessage(
        Buffer.concat(Array.from({ length: 40 }, (_, n) => NOISE_32K.subarray(800 * n, 800 * n + 3))),
      ),
    ],
    wish: { needsContext: true, needsWindow: true },
  },
  {
    id: 'window-passes-over-uncompressed-messages',
    title: 'Sends "Hello" compressed, 40 KB that are not, and "Hello" as a reference to the first message.',
    rule: 'Uncompressed messages leave the window as it is.',
    requirements: [...WINDOW_IDS, ...MIXED_IDS],
    section: 'RFC 7692 §7.2.3.2',
    steps: () => [compressedText(HELLO), binary(repeated('u', 40_000)), compressedText(HELLO_AGAIN)],
    expected: [hello, binaryMessage(repeated('u', 40_000)), hello],
    wish: { needsContext: true },
  },
  {
    id: 'window-passes-over-empty-messages',
    title: 'Sends "Hello" compressed, an empty compressed message, and "Hello" as a reference to the first.',
    rule: WINDOW,
    requirements: WINDOW_IDS,
    steps: () => [compressedText(HELLO), compressedText(EMPTY), compressedText(HELLO_AGAIN)],
    expected: [hello, textMessage(''), hello],
    wish: { needsContext: true },
  },
  {
    id: 'overlapping-match',
    title: 'Sends one byte and four matches of 258 bytes over the distance 1.',
    rule: 'A match may reach into what it writes itself.',
    requirements: ['RFC7692-6.2-1'],
    steps: () => {
      const run = writer().fixed().literals(bytesOf('z'));
      for (let n = 0; n < 4; n++) run.match(258, 1);
      return [compressedText(run.end().message())];
    },
    expected: [textMessage(repeated('z', 1 + 4 * 258))],
  },
  {
    id: 'tester-keeps-no-context',
    title:
      'Agrees that the tester keeps no context, and sends 3000 bytes of words three times in the same bytes.',
    rule: 'An end that agreed to keep no context compresses each message on its own, and the other can inflate that.',
    requirements: ['RFC7692-7.2.2-2', 'RFC7692-7.2.2-4'],
    steps: () => [1, 2, 3].map(() => compressedBinary(dynamicBlock())),
    expected: [1, 2, 3].map(() => binaryMessage(PROSE)),
    wish: { testerNoContext: true },
  },
];

const pieces = Array.from({ length: 10 }, (_, n) => words(20_000, n + 1));

const EACH_ALONE = { windowBits: 15, noContextTakeover: true };

/** What the same compressor makes of the same messages at different settings. */
const compressors = [
  ['level-0', { level: 0 }, 'with level 0, which only stores'],
  ['level-1', { level: 1 }, 'with level 1'],
  ['level-9', { level: 9 }, 'with level 9'],
  ['little-memory', { level: 6, memLevel: 1 }, 'with little memory, which makes many blocks'],
].map(([name, settings, what]) =>
  shapeCase({
    id: `compressor-${name as string}`,
    title: `Sends ten messages of 20,000 bytes of words, each on its own, ${what as string}.`,
    rule: 'How well a sender compresses is its own affair.',
    requirements: BLOCK_IDS,
    steps: () => {
      const deflater = new RawDeflater({ ...EACH_ALONE, ...(settings as object) });
      const messages = pieces.map((piece) => compressedBinary(deflater.message(piece)));
      deflater.close();
      return messages;
    },
    expected: pieces.map((piece) => binaryMessage(piece)),
  }),
);

const HINTS: readonly [name: string, wish: DeflateWish, what: string][] = [
  ['no-context', { testerNoContext: true, needsContext: true }, 'client_no_context_takeover'],
  ['window-bits', { testerWindowHint: 9 }, 'client_max_window_bits=9'],
];

const hints = HINTS.map(([name, wish, what]) =>
  inflatedCase(
    {
      id: `deflate.hint-of-${name}-binds-nobody`,
      subjects: ['server'],
      title: `Offers ${what}; where the server does not take that up, the tester makes use of the full window.`,
      rule: 'What a client says of its own compression is a hint. Only the answer of the server limits the client.',
      section: 'RFC 7692 §7.1.1.2, §7.1.2.2',
      requirements: [
        'RFC7692-7.2.2-5',
        'RFC7692-7.2.2-10',
        'RFC7692-7.2.1-9',
        'RFC7692-7.2.1-13',
        'RFC7692-5-6',
      ],
      expectation: 'What was sent comes back unchanged. A server that takes the hint up is UNIMPLEMENTED.',
    },
    () => [
      compressedBinary(writer().stored(NOISE_32K).message()),
      compressedBinary(writer().fixed().match(10, 32_768).end().message()),
    ],
    [binaryMessage(NOISE_32K), binaryMessage(NOISE_32K.subarray(0, 10))],
    { ...wish, needsContext: true, needsWindow: true },
  ),
);

const windowBehindFinal = deflateCase(
  {
    id: 'deflate.window-behind-a-final-block',
    title: 'Sends "Hello" with BFINAL set, and "Hello" as a reference to it.',
    rule: 'The RFC does not say whether the window outlives a block with BFINAL set.',
    section: 'RFC 7692 §7.2.1, §7.2.3.4',
    requirements: ['RFC7692-7.2.1-4'],
    expectation: 'Nothing in particular: the case only shows what the peer does.',
  },
  { needsContext: true },
  async ({ tester }) => {
    await takeSteps(tester, [compressedText(HELLO_FINAL), compressedText(HELLO_AGAIN), ping('end')]);
    await tester.until(() => tester.messages.length > 1 || tester.peerClose !== null || tester.isOver, 1000);
    const fault = faultOfEchoes(tester, [hello, hello]);
    if (fault === undefined) return informational('The peer keeps the window.');
    if (tester.peerClose !== null || tester.isOver)
      return informational('The peer begins with an empty window.');
    return informational(`The peer does neither: ${fault}`);
  },
);

export const DEFLATE_WINDOWS: readonly ConformanceCase[] = [
  ...windows.map(shapeCase),
  ...compressors,
  ...hints,
  windowBehindFinal,
];
