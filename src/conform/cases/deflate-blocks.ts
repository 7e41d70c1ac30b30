// Messages of all the DEFLATE blocks that there are (RFC 7692 §7.2.1, §7.2.3): the examples of the RFC octet by octet, blocks
// of each type, blocks with BFINAL set. The peer inflates them, and echoes what they stand for.

import { deflateRawSync } from 'node:zlib';
import { TEXT } from '../../wire/opcode.js';
import type { ConformanceCase } from '../case.js';
import { bytesOf, compressedBinary, compressedFragments, compressedText, cutAt } from '../deflate-case.js';
import { cycled, fromHex, repeated } from '../payload.js';
import { binaryMessage, textMessage } from '../rule-case.js';
import {
  BLOCK_IDS,
  BLOCKS,
  dynamicBlock,
  EMPTY,
  FLUSH,
  FRAME_IDS,
  FRAMES,
  HELLO,
  HELLO_AGAIN,
  HELLO_FINAL,
  HELLO_IN_TWO_BLOCKS,
  HELLO_STORED,
  hello,
  PROSE,
  type Shape,
  shapeCase,
  unended,
  WINDOW,
  WINDOW_IDS,
  writer,
} from './deflate-shape.js';

const FINAL =
  'A block may have BFINAL set: it ends neither the message nor the compression of the connection.';
const EMPTY_RULE =
  'A message of no bytes can be compressed, too: it is an empty block, of which one byte 00 is left.';

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

const blocks: readonly Shape[] = [
  {
    id: 'dynamic-block',
    title: 'Sends 3000 bytes of words in a block with codes of its own.',
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

export const DEFLATE_BLOCKS: readonly ConformanceCase[] = [...examples, ...finalBlocks, ...blocks].map(
  shapeCase,
);
