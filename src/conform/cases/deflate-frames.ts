// Compressed messages cut into frames, messages that are not compressed among them (RFC 7692 §6), and contents that are easy
// to get wrong.

import { BINARY, TEXT } from '../../wire/opcode.js';
import type { ConformanceCase } from '../case.js';
import { corpusFile } from '../corpus.js';
import {
  compressedBinary,
  compressedFragments,
  compressedText,
  cutAt,
  deflateCase,
  LARGE_ECHO_LIMIT_MS,
  rulingOnEchoes,
} from '../deflate-case.js';
import { binaryMessage, textMessage } from '../rule-case.js';
import { binary, continuation, ping, text, unfinished } from '../step.js';
import {
  dynamicBlock,
  EMPTY,
  EXPECTATION,
  FRAME_IDS,
  FRAMES,
  HELLO,
  HELLO_IN_TWO_BLOCKS,
  hello,
  NOISE_32K,
  NOTHING,
  PROSE,
  type Shape,
  shapeCase,
  unended,
  writer,
} from './deflate-shape.js';

const EMPTY_RULE =
  'A message of no bytes can be compressed, too: it is an empty block, of which one byte 00 is left.';
const MIXED = 'Whether a message is compressed is told by RSV1 of its first frame, for each message anew.';
const MIXED_IDS = ['RFC7692-6-1', 'RFC7692-6.1-2', 'RFC7692-6.2-2'];

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
    title: 'Sends 3000 bytes of words compressed, in a frame for each byte.',
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
      binary(NOISE_32K.subarray(0, 300)),
      unfinished(text('in ')),
      unfinished(continuation('three ')),
      continuation('frames'),
    ],
    expected: [
      textMessage('plain'),
      binaryMessage(NOISE_32K.subarray(0, 300)),
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
    steps: () => [compressedBinary(writer().fixed().literals(NOISE_32K.subarray(0, 1000)).end().message())],
    expected: [binaryMessage(NOISE_32K.subarray(0, 1000))],
  },
];

const large = deflateCase(
  {
    id: 'deflate.a-megabyte-in-frames',
    title: 'Sends a megabyte of a document, compressed as a whole, in frames of 1000 bytes.',
    rule: FRAMES,
    section: 'RFC 7692 §6.2',
    requirements: ['RFC7692-7.2.2-1', ...FRAME_IDS],
    expectation: EXPECTATION,
    limitMs: 20_000,
  },
  {},
  async ({ tester }) => {
    const { bytes } = corpusFile('10.1.1.105.5439.pdf');
    await tester.sendMessage('binary', bytes, 1000);
    return await rulingOnEchoes(tester, [binaryMessage(bytes)], LARGE_ECHO_LIMIT_MS);
  },
);

export const DEFLATE_FRAMES: readonly ConformanceCase[] = [...[...frames, ...contents].map(shapeCase), large];
