// Compressed messages that are in order, in all the shapes that RFC 7692 §6.2 and §7.2 allow: the peer inflates them, and
// echoes what they stand for.

import { constants, deflateRawSync } from 'node:zlib';
import { BINARY, TEXT } from '../../wire/opcode.js';
import type { ConformanceCase } from '../case.js';
import { corpusFile } from '../corpus.js';
import {
  bytesOf,
  compressedBinary,
  compressedFragments,
  compressedText,
  cutAt,
  type DeflateWish,
  deflateCase,
  inflatedCase,
  noise,
  rulingOnEchoes,
} from '../deflate-case.js';
import { DeflateWriter } from '../deflate-writer.js';
import { takeSteps } from '../exchange.js';
import { cycled, fromHex, repeated } from '../payload.js';
import { RawDeflater } from '../raw-deflate.js';
import {
  binaryMessage,
  breaks,
  type ExpectedMessage,
  faultOfEchoes,
  informational,
  type RuleFacts,
  textMessage,
} from '../rule-case.js';
import { binary, continuation, ping, type Step, text, unfinished } from '../step.js';

const EXPECTATION = 'What the messages stand for comes back unchanged, compressed or not.';

/** "Hello" as RFC 7692 §7.2.3 compresses it. */
const HELLO = fromHex('f248cdc9c90700');
const HELLO_AGAIN = fromHex('f200110000');
const HELLO_STORED = fromHex('000500faff48656c6c6f00');
const HELLO_FINAL = fromHex('f348cdc9c9070000');
const HELLO_IN_TWO_BLOCKS = fromHex('f24805000000ffffcac9c90700');
const EMPTY = fromHex('00');
/** An empty stored block with nothing left out. */
const FLUSH = fromHex('000000ffff');

const NOTHING = new Uint8Array(0);
const hello = textMessage('Hello');
const writer = (): DeflateWriter => new DeflateWriter();

interface Shape {
  id: string;
  title: string;
  rule: string;
  requirements: readonly string[];
  section?: string;
  steps: () => readonly Step[];
  expected: readonly ExpectedMessage[];
  wish?: DeflateWish;
}

function shapeCase({
  id,
  title,
  rule,
  requirements,
  section,
  steps,
  expected,
  wish,
}: Shape): ConformanceCase {
  const facts: RuleFacts = {
    id: `deflate.${id}`,
    title,
    rule,
    section: section ?? 'RFC 7692 §7.2.2',
    requirements: ['RFC7692-7.2.2-1', ...requirements],
    expectation: EXPECTATION,
  };
  return inflatedCase(facts, steps, expected, wish);
}

const BLOCKS = 'A message may be made of any number of DEFLATE blocks, of any type.';
const BLOCK_IDS = ['RFC7692-7.2.1-2', 'RFC7692-7.2.1-3'];
const FINAL =
  'A block may have BFINAL set: it ends neither the message nor the compression of the connection.';
const WINDOW = 'Unless it was agreed otherwise, the window reaches back into earlier compressed messages.';
const WINDOW_IDS = ['RFC7692-7.2.2-3', 'RFC7692-7.2.2-5', 'RFC7692-7.2.1-9', 'RFC7692-7.2.1-11'];
const FULL = 'Unless a smaller one was agreed on, the window of the receiver has 32 KiB.';
const FULL_IDS = ['RFC7692-7.2.2-7', 'RFC7692-7.2.2-9', 'RFC7692-7.2.1-7'];
const FRAMES =
  'The payloads of the frames are joined before they are inflated; where they were cut means nothing.';
const FRAME_IDS = ['RFC7692-6.2-1', 'RFC7692-6.1-1', 'RFC6455-5.4-8'];
const EMPTY_RULE =
  'A message of no bytes can be compressed, too: it is an empty block, of which one byte 00 is left.';
const MIXED = 'Whether a message is compressed is told by RSV1 of its first frame, for each message anew.';
const MIXED_IDS = ['RFC7692-6-1', 'RFC7692-6.1-2', 'RFC7692-6.2-2'];

const examples: readonly Shape[] = [
  {
    id: 'one-fixed-block',
    title: 'Sends "Hello" in one block with the fixed codes.',
    rule: BLOCKS,
    requirements: BLOCK_IDS,
    section: 'RFC 7692 §7.2.3.1',
    steps: () => [compressedText(HELLO)],
    expected: [hello],
  },
  {
    id: 'two-fragments',
    title: 'Sends "Hello" in one block, of which the first frame has 3 bytes and the second 4.',
    rule: FRAMES,
    requirements: FRAME_IDS,
    section: 'RFC 7692 §7.2.3.1',
    steps: () => compressedFragments(TEXT, cutAt(HELLO, 3)),
    expected: [hello],
  },
  {
    id: 'window-of-the-message-before',
    title: 'Sends "Hello", and "Hello" again as nothing but a reference to it.',
    rule: WINDOW,
    requirements: WINDOW_IDS,
    section: 'RFC 7692 §7.2.3.2',
    steps: () => [compressedText(HELLO), compressedText(HELLO_AGAIN)],
    expected: [hello, hello],
    wish: { needsContext: true },
  },
  {
    id: 'window-not-used',
    title: 'Sends "Hello" three times in the same bytes.',
    rule: 'A sender need not refer to earlier messages.',
    requirements: WINDOW_IDS,
    section: 'RFC 7692 §7.2.3.2',
    steps: () => [compressedText(HELLO), compressedText(HELLO), compressedText(HELLO)],
    expected: [hello, hello, hello],
  },
  {
    id: 'stored-block',
    title: 'Sends "Hello" in a block without compression.',
    rule: BLOCKS,
    requirements: BLOCK_IDS,
    section: 'RFC 7692 §7.2.3.3',
    steps: () => [compressedText(HELLO_STORED)],
    expected: [hello],
  },
  {
    id: 'final-block',
    title: 'Sends "Hello" in a block with BFINAL set.',
    rule: FINAL,
    requirements: ['RFC7692-7.2.1-4', 'RFC7692-7.2.1-5'],
    section: 'RFC 7692 §7.2.3.4',
    steps: () => [compressedText(HELLO_FINAL)],
    expected: [hello],
  },
  {
    id: 'two-blocks',
    title: 'Sends "Hello" in two blocks with a flush in between.',
    rule: BLOCKS,
    requirements: BLOCK_IDS,
    section: 'RFC 7692 §7.2.3.5',
    steps: () => [compressedText(HELLO_IN_TWO_BLOCKS)],
    expected: [hello],
  },
  {
    id: 'empty-message',
    title: 'Sends an empty text message, which is the one byte 00.',
    rule: EMPTY_RULE,
    requirements: ['RFC7692-6.2-1'],
    section: 'RFC 7692 §7.2.3.6',
    steps: () => [compressedText(EMPTY)],
    expected: [textMessage('')],
  },
];

const finalBlocks: readonly Shape[] = [
  {
    id: 'messages-behind-a-final-block',
    title: 'Sends "Hello" with BFINAL set, without, with, and without again.',
    rule: FINAL,
    requirements: ['RFC7692-7.2.1-4'],
    steps: () => [HELLO_FINAL, HELLO, HELLO_FINAL, HELLO].map((payload) => compressedText(payload)),
    expected: [hello, hello, hello, hello],
  },
  {
    id: 'final-block-in-the-middle',
    title: 'Sends a message whose first block has BFINAL set, and a second block behind it.',
    rule: FINAL,
    requirements: ['RFC7692-7.2.1-4', 'RFC7692-7.2.1-2'],
    steps: () => [compressedText(Buffer.concat([HELLO_FINAL.subarray(0, 7), HELLO])), compressedText(HELLO)],
    expected: [textMessage('HelloHello'), hello],
  },
  {
    id: 'final-block-of-zlib',
    title: 'Sends 5000 bytes as the plain DEFLATE stream of a compressor, with the byte 00 behind it; twice.',
    rule: FINAL,
    requirements: ['RFC7692-7.2.1-4', 'RFC7692-7.2.1-5'],
    steps: () => {
      const payload = Buffer.concat([deflateRawSync(Buffer.alloc(5000, 'final ')), EMPTY]);
      return [compressedText(payload), compressedText(payload)];
    },
    expected: [textMessage(cycled('final ', 5000)), textMessage(cycled('final ', 5000))],
  },
  {
    id: 'final-block-that-is-empty',
    title: 'Sends an empty message whose block has BFINAL set, and "Hello" behind it.',
    rule: FINAL,
    requirements: ['RFC7692-7.2.1-4'],
    steps: () => [compressedText(fromHex('030000')), compressedText(HELLO)],
    expected: [textMessage(''), hello],
  },
];

/** Text whose letters are so uneven that a compressor makes a code of its own for them. */
const PROSE = corpusFile('pg2229.txt').bytes.subarray(0, 3000);
const dynamicBlock = (): Uint8Array =>
  deflateRawSync(PROSE, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
const NO_LIMITS = { windowBits: 15, noContextTakeover: false };
/** With the four bytes that end a message, so that more can follow. */
const unended = (message: Uint8Array): Uint8Array => Buffer.concat([message, FLUSH.subarray(1)]);

const blocks: readonly Shape[] = [
  {
    id: 'dynamic-block',
    title: 'Sends 3000 bytes of prose in a block with codes of its own.',
    rule: BLOCKS,
    requirements: BLOCK_IDS,
    steps: () => [compressedBinary(dynamicBlock())],
    expected: [binaryMessage(PROSE)],
  },
  {
    id: 'blocks-of-all-types',
    title: 'Sends a message of a stored, a fixed and a dynamic block, one behind the other.',
    rule: BLOCKS,
    requirements: BLOCK_IDS,
    steps: () => [compressedBinary(Buffer.concat([unended(HELLO_STORED), unended(HELLO), dynamicBlock()]))],
    expected: [binaryMessage(Buffer.concat([Buffer.from('HelloHello'), PROSE]))],
  },
  {
    id: 'a-thousand-empty-blocks',
    title: 'Sends "Hello" between 500 empty stored blocks in front and 500 behind.',
    rule: BLOCKS,
    requirements: BLOCK_IDS,
    steps: () => {
      const flushes = Buffer.alloc(500 * FLUSH.length, FLUSH);
      return [compressedText(Buffer.concat([flushes, unended(HELLO), flushes, EMPTY]))];
    },
    expected: [hello],
  },
  {
    id: 'longest-stored-block',
    title: 'Sends a message of 65,540 bytes: a stored block of 65,535, the largest, and one of 5.',
    rule: BLOCKS,
    requirements: BLOCK_IDS,
    steps: () => [
      compressedBinary(writer().stored(Buffer.alloc(65_535, 's')).stored(bytesOf('sssss')).message()),
    ],
    expected: [binaryMessage(repeated('s', 65_540))],
  },
  {
    id: 'bytes-behind-the-flush',
    title: 'Sends "Hello" with the last four bytes left in place, and an empty block, cut as it has to be.',
    rule: 'Only the last four bytes of a message are left out; an empty block before them is a block like others.',
    requirements: ['RFC7692-7.2.1-1', 'RFC7692-7.2.1-6'],
    section: 'RFC 7692 §7.2.1',
    steps: () => [compressedText(Buffer.concat([unended(HELLO), EMPTY])), compressedText(HELLO)],
    expected: [hello, hello],
  },
];

const NEARLY_32K = Buffer.from(noise(32_768));

const windows: readonly Shape[] = [
  {
    id: 'farthest-match',
    title:
      'Sends 32,768 random bytes and the first ten again, as a match over the largest distance there is.',
    rule: FULL,
    requirements: FULL_IDS,
    steps: () => [compressedBinary(writer().stored(NEARLY_32K).fixed().match(10, 32_768).end().message())],
    expected: [binaryMessage(Buffer.concat([NEARLY_32K, NEARLY_32K.subarray(0, 10)]))],
    wish: { needsWindow: true },
  },
  {
    id: 'farthest-match-into-the-message-before',
    title: 'Sends 32,768 random bytes, and in the next message their first ten, as a match over all of them.',
    rule: `${WINDOW} ${FULL}`,
    requirements: [...WINDOW_IDS, ...FULL_IDS],
    steps: () => [
      compressedBinary(writer().stored(NEARLY_32K).message()),
      compressedBinary(writer().fixed().match(10, 32_768).end().message()),
    ],
    expected: [binaryMessage(NEARLY_32K), binaryMessage(NEARLY_32K.subarray(0, 10))],
    wish: { needsContext: true, needsWindow: true },
  },
  {
    id: 'window-over-many-messages',
    title: 'Sends 40 messages of 800 bytes each, and one that takes three bytes from every one of them.',
    rule: WINDOW,
    requirements: WINDOW_IDS,
    steps: () => {
      const parts = cutAt(
        NEARLY_32K.subarray(0, 32_000),
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
      ...Array.from({ length: 40 }, (_, n) => binaryMessage(NEARLY_32K.subarray(800 * n, 800 * (n + 1)))),
      binaryMessage(
        Buffer.concat(Array.from({ length: 40 }, (_, n) => NEARLY_32K.subarray(800 * n, 800 * n + 3))),
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
      'Agrees that the tester keeps no context, and sends 3000 bytes of prose three times in the same bytes.',
    rule: 'An end that agreed to keep no context compresses each message on its own, and the other can inflate that.',
    requirements: ['RFC7692-7.2.2-2', 'RFC7692-7.2.2-4'],
    steps: () => [1, 2, 3].map(() => compressedBinary(dynamicBlock())),
    expected: [1, 2, 3].map(() => binaryMessage(PROSE)),
    wish: { testerNoContext: true },
  },
];

const everyCut = Array.from({ length: HELLO_IN_TWO_BLOCKS.length - 1 }, (_, index) => index + 1);

const frames: readonly Shape[] = [
  {
    id: 'cut-anywhere',
    title: 'Sends "Hello" in two blocks twelve times, each time cut in two frames at another byte.',
    rule: FRAMES,
    requirements: [...FRAME_IDS, 'RFC7692-7.2.1-6'],
    steps: () => everyCut.flatMap((place) => compressedFragments(TEXT, cutAt(HELLO_IN_TWO_BLOCKS, place))),
    expected: everyCut.map(() => hello),
  },
  {
    id: 'one-byte-each',
    title: 'Sends 3000 bytes of prose compressed, in a frame for each byte.',
    rule: FRAMES,
    requirements: FRAME_IDS,
    steps: () =>
      compressedFragments(
        BINARY,
        [...dynamicBlock()].map((byte) => Uint8Array.of(byte)),
      ),
    expected: [binaryMessage(PROSE)],
  },
  {
    id: 'empty-first-frame',
    title: 'Sends "Hello" compressed, the first frame empty but for RSV1.',
    rule: FRAMES,
    requirements: FRAME_IDS,
    steps: () => compressedFragments(TEXT, [NOTHING, HELLO]),
    expected: [hello],
  },
  {
    id: 'empty-last-frame',
    title: 'Sends "Hello" compressed, with empty frames in the middle and at the end.',
    rule: FRAMES,
    requirements: FRAME_IDS,
    steps: () => compressedFragments(TEXT, [HELLO.subarray(0, 4), NOTHING, HELLO.subarray(4), NOTHING]),
    expected: [hello],
  },
  {
    id: 'last-frame-is-an-empty-block',
    title: 'Sends "Hello" with its flush in the first frame, and in the last nothing but the byte 00.',
    rule: 'Only the last frame lacks the four bytes. Where there was nothing left to compress, it is an empty block.',
    requirements: [...FRAME_IDS, 'RFC7692-7.2.1-6'],
    section: 'RFC 7692 §7.2.3.6',
    steps: () => compressedFragments(TEXT, [unended(HELLO), EMPTY]),
    expected: [hello],
  },
  {
    id: 'empty-message-in-four-frames',
    title: 'Sends an empty compressed message in four frames: three are empty, the last is the byte 00.',
    rule: EMPTY_RULE,
    requirements: FRAME_IDS,
    steps: () => compressedFragments(TEXT, [NOTHING, NOTHING, NOTHING, EMPTY]),
    expected: [textMessage('')],
  },
  {
    id: 'pings-between-frames',
    title: 'Sends "Hello" compressed in seven frames, with a Ping behind each of the first six.',
    rule: 'Control frames stand between the frames of a compressed message as between those of another.',
    requirements: ['RFC7692-6-1', 'RFC6455-5.4-7'],
    section: 'RFC 7692 §6',
    steps: () => {
      const parts = compressedFragments(
        TEXT,
        [...HELLO].map((byte) => Uint8Array.of(byte)),
      );
      return parts.flatMap((part, index) =>
        index < parts.length - 1 ? [part, ping(`ping ${index}`)] : [part],
      );
    },
    expected: [hello],
  },
];

const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);
/** U+1F6A2, four bytes in UTF-8. */
const SHIP = Buffer.from('🚢');

const contents: readonly Shape[] = [
  {
    id: 'not-compressed',
    title: 'Sends messages with RSV1 clear: a text message, a binary one, and one in three frames.',
    rule: MIXED,
    requirements: MIXED_IDS,
    section: 'RFC 7692 §6',
    steps: () => [
      text('plain'),
      binary(NEARLY_32K.subarray(0, 300)),
      unfinished(text('in ')),
      unfinished(continuation('three ')),
      continuation('frames'),
    ],
    expected: [
      textMessage('plain'),
      binaryMessage(NEARLY_32K.subarray(0, 300)),
      textMessage('in three frames'),
    ],
  },
  {
    id: 'compressed-and-not-in-turn',
    title: 'Sends messages that are compressed and such that are not, in turn.',
    rule: MIXED,
    requirements: MIXED_IDS,
    section: 'RFC 7692 §6',
    steps: () => [text('one'), compressedText(HELLO), text(''), compressedText(HELLO), binary('five')],
    expected: [textMessage('one'), hello, textMessage(''), hello, binaryMessage('five')],
  },
  {
    id: 'looks-like-deflate',
    title: 'Sends a binary message that is not compressed, whose bytes are those of a compressed one.',
    rule: MIXED,
    requirements: MIXED_IDS,
    section: 'RFC 7692 §6',
    steps: () => [binary(HELLO), binary(HELLO_IN_TWO_BLOCKS)],
    expected: [binaryMessage(HELLO), binaryMessage(HELLO_IN_TWO_BLOCKS)],
  },
  {
    id: 'code-point-across-frames',
    title:
      'Sends a text of one code point in four bytes; each byte in a stored block and in a frame of its own.',
    rule: 'Text is UTF-8 once it is inflated; where frames and blocks are cut means nothing for it.',
    requirements: ['RFC7692-6.1-5', 'RFC6455-8.1-1'],
    section: 'RFC 7692 §6.1',
    steps: () => {
      const parts = [...SHIP].map((byte) => writer().stored(Uint8Array.of(byte)).cut());
      return compressedFragments(TEXT, [...parts, EMPTY]);
    },
    expected: [textMessage(SHIP)],
  },
  {
    id: 'binary-that-is-no-text',
    title: 'Sends all 256 bytes in a compressed binary message.',
    rule: 'Only text has to be UTF-8.',
    requirements: ['RFC7692-6.1-5'],
    section: 'RFC 7692 §6.1',
    steps: () => [compressedBinary(writer().fixed().literals(ALL_BYTES).end().message())],
    expected: [binaryMessage(ALL_BYTES)],
  },
  {
    id: 'larger-than-its-contents',
    title: 'Sends 1000 random bytes compressed into more than 1000.',
    rule: 'Nothing says that compression makes a message smaller.',
    requirements: ['RFC7692-6.2-1'],
    steps: () => [compressedBinary(writer().fixed().literals(NEARLY_32K.subarray(0, 1000)).end().message())],
    expected: [binaryMessage(NEARLY_32K.subarray(0, 1000))],
  },
];

const pieces = cutAt(
  corpusFile('pg2229.txt').bytes.subarray(0, 200_000),
  ...Array.from({ length: 9 }, (_, n) => 20_000 * (n + 1)),
);

/** What the same compressor makes of the same messages at different settings. */
const compressors = [
  ['level-0', { level: 0 }, 'with level 0, which only stores'],
  ['level-1', { level: 1 }, 'with level 1'],
  ['level-9', { level: 9 }, 'with level 9'],
  ['little-memory', { level: 6, memLevel: 1 }, 'with little memory, which makes many blocks'],
].map(([name, settings, what]) =>
  shapeCase({
    id: `compressor-${name as string}`,
    title: `Sends ten pieces of prose of 20,000 bytes, compressed ${what as string}.`,
    rule: 'How well a sender compresses is its own affair.',
    requirements: [...BLOCK_IDS, ...WINDOW_IDS],
    steps: () => {
      const deflater = new RawDeflater({ ...NO_LIMITS, ...(settings as object) });
      const messages = pieces.map((piece) => compressedBinary(deflater.message(piece)));
      deflater.close();
      return messages;
    },
    expected: pieces.map((piece) => binaryMessage(piece)),
    wish: { needsContext: true, needsWindow: true },
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
      compressedBinary(writer().stored(NEARLY_32K).message()),
      compressedBinary(writer().fixed().match(10, 32_768).end().message()),
    ],
    [binaryMessage(NEARLY_32K), binaryMessage(NEARLY_32K.subarray(0, 10))],
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
    return breaks(fault);
  },
);

const large = deflateCase(
  {
    id: 'deflate.a-megabyte-in-frames',
    title: 'Sends a megabyte of a document, compressed as a whole, in frames of 1000 bytes.',
    rule: FRAMES,
    section: 'RFC 7692 §6.2',
    requirements: ['RFC7692-7.2.2-1', ...FRAME_IDS],
    expectation: EXPECTATION,
  },
  {},
  async ({ tester }) => {
    const { bytes } = corpusFile('10.1.1.105.5439.pdf');
    await tester.sendMessage('binary', bytes, 1000);
    return await rulingOnEchoes(tester, [binaryMessage(bytes)]);
  },
);

export const DEFLATE_RECEIVING: readonly ConformanceCase[] = [
  ...[...examples, ...finalBlocks, ...blocks, ...windows, ...frames, ...contents].map(shapeCase),
  ...compressors,
  ...hints,
  windowBehindFinal,
  large,
];
