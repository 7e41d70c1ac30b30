// Compressed messages whose bytes are no DEFLATE data, or end too early, and text that turns out not to be UTF-8 once it is
// inflated (RFC 7692 §6.1, §7.2.2): the peer has to fail the connection.

import { TEXT } from '../../wire/opcode.js';
import type { ConformanceCase } from '../case.js';
import {
  bytesOf,
  compressedBinary,
  compressedFragments,
  compressedText,
  type DeflateRefusal,
  refusedDeflateCase,
} from '../deflate-case.js';
import { DeflateWriter } from '../deflate-writer.js';
import { noise } from '../noise.js';
import { fromHex } from '../payload.js';
import { type RuleFacts, textMessage } from '../rule-case.js';
import { binary, type Step } from '../step.js';

const HELLO = fromHex('f248cdc9c90700');
const writer = (): DeflateWriter => new DeflateWriter();

/** The RFC gives no code for compressed bytes that are none: the message is not consistent, or the protocol is broken. */
const CORRUPT = [1002, 1003, 1007, 1011];
/** Which of the two it is, is for `close-code.fault-bad-text` to judge. */
const NOT_UTF8 = [1002, 1007];

interface Fault extends Pick<DeflateRefusal, 'before' | 'whenAccepted'> {
  id: string;
  title: string;
  steps: () => readonly Step[];
}

/** Nothing that an inflater could make sense of. */
const corrupt: readonly Fault[] = [
  {
    id: 'reserved-block-type',
    title: 'Sends a compressed message whose block has the reserved type 3.',
    steps: () => [compressedBinary(fromHex('0600'))],
  },
  {
    id: 'stored-lengths-that-differ',
    title: 'Sends a stored block whose two lengths do not agree.',
    steps: () => [compressedBinary(fromHex('000500fafe48656c6c6f00'))],
  },
  {
    id: 'match-before-the-first-byte',
    title: 'Sends, as the very first, a message that refers to what was before it.',
    steps: () => [compressedBinary(writer().fixed().literals(bytesOf('ab')).match(5, 3).end().message())],
  },
  {
    id: 'match-behind-the-window',
    title: 'Sends 1000 bytes, and a message that refers to what was 1001 bytes ago.',
    steps: () => [
      binary('first'),
      compressedBinary(writer().stored(noise(1000)).fixed().match(3, 1001).end().message()),
    ],
    before: [{ type: 'binary', payload: 'first' }],
  },
  {
    id: 'unused-distance-code',
    title: 'Sends a match with distance code 30, which stands for nothing.',
    steps: () => [
      compressedBinary(
        writer().fixed().literals(bytesOf('abc')).symbol(257).distanceCode(30).end().message(),
      ),
    ],
  },
  {
    id: 'unused-length-code',
    title: 'Sends a match with length code 286, which stands for nothing.',
    steps: () => [
      compressedBinary(writer().fixed().literals(bytesOf('abc')).symbol(286).distanceCode(0).end().message()),
    ],
  },
  {
    id: 'impossible-codes',
    title: 'Sends a dynamic block whose code for code lengths has more code words than fit.',
    steps: () => [
      compressedBinary(writer().bits(4, 3).bits(0, 10).bits(15, 4).bits(0o1111111, 21).bits(0, 60).cut()),
    ],
  },
  {
    id: 'plain-text-with-rsv1',
    title: 'Sends a text message with RSV1 that was not compressed.',
    steps: () => [compressedText('this was never compressed')],
  },
  {
    id: 'zlib-header',
    title: 'Sends a message in the zlib format, which puts two bytes in front of the DEFLATE data.',
    steps: () => [compressedText(Buffer.concat([fromHex('789c'), HELLO]))],
  },
  {
    id: 'fault-in-the-second-frame',
    title: 'Sends a compressed message whose first frame is in order and whose second is not.',
    steps: () => compressedFragments(TEXT, [Buffer.concat([HELLO, fromHex('0000ffff')]), fromHex('0600')]),
  },
  {
    id: 'fault-behind-good-messages',
    title: 'Sends three compressed messages that are in order, and one that is not.',
    steps: () => [
      ...[HELLO, HELLO, HELLO].map((payload) => compressedText(payload)),
      compressedText(fromHex('0600')),
    ],
    before: [textMessage('Hello'), textMessage('Hello'), textMessage('Hello')],
  },
];

/** Data that ends too early: an inflater just waits for more, unless it is asked whether it is done. */
const unfinishedData: readonly Fault[] = [
  {
    id: 'no-bytes',
    title: 'Sends a compressed message without any byte.',
    steps: () => [compressedBinary('')],
  },
  {
    id: 'cut-in-a-fixed-block',
    title: 'Sends the first five of the seven bytes of "Hello", compressed.',
    steps: () => [compressedBinary(HELLO.subarray(0, 5))],
  },
  {
    id: 'cut-in-a-stored-block',
    title: 'Sends a stored block of 100 bytes, of which 10 come.',
    steps: () => [compressedBinary(writer().stored(bytesOf('0123456789'), 100).cut())],
  },
  {
    id: 'tail-in-place',
    title: 'Sends "Hello" compressed without removing the last four bytes.',
    steps: () => [compressedBinary(Buffer.concat([HELLO, fromHex('0000ffff')]))],
  },
  {
    id: 'no-empty-block',
    title: 'Sends "Hello" in a stored block, without the beginning of the empty block behind it.',
    steps: () => [compressedBinary(fromHex('000500faff48656c6c6f'))],
  },
];

function corruptCase(fault: Fault, why: string): ConformanceCase {
  const { id, title, ...refusal } = fault;
  const isLenient = refusal.whenAccepted === 'NON-STRICT';
  return refusedDeflateCase(
    {
      id: `deflate.${id}`,
      title,
      rule: why,
      section: 'RFC 7692 §7.2.2, RFC 6455 §10.7',
      requirements: ['RFC7692-7.2.2-1', 'RFC6455-10.7-1'],
      expectation: isLenient
        ? 'The connection is failed, mostly with 1007 or 1002. A peer that delivers what it has is NON-STRICT.'
        : 'The connection is failed, mostly with 1007 or 1002; the RFC names no code.',
    },
    { codes: CORRUPT, ...refusal },
  );
}

const CORRUPT_RULE = 'What comes from a peer is checked: bytes that are no DEFLATE data make no message.';
const UNFINISHED_RULE =
  'A compressed message and 00 00 FF FF behind it make DEFLATE data that is complete; data that is not makes no message.';

/** Each with what comes out of the inflater, in hexadecimal. */
const BAD_TEXT: readonly [id: string, hex: string, what: string][] = [
  ['single-byte', '48ff', 'with a byte FF'],
  ['overlong', '48c0af', 'with "/" in two bytes'],
  ['surrogate', '48eda080', 'with half of a surrogate pair'],
  ['too-high', '48f4908080', 'with a code point above U+10FFFF'],
  ['cut-at-end', '48f09f9a', 'that ends within a code point'],
];

function textFacts(id: string, title: string): RuleFacts {
  return {
    id: `deflate.bad-text-${id}`,
    title,
    rule: 'What holds for text holds once it is inflated: it is UTF-8.',
    section: 'RFC 7692 §6.1, RFC 6455 §8.1',
    requirements: ['RFC7692-6.1-5', 'RFC6455-8.1-1'],
    expectation: 'The connection is failed, with code 1007 or 1002 if there is a Close frame.',
  };
}

const badText = [
  ...BAD_TEXT.map(([id, hex, what]) =>
    refusedDeflateCase(textFacts(id, `Sends a compressed text ${what}.`), {
      steps: () => [compressedText(writer().fixed().literals(fromHex(hex)).end().message())],
      codes: NOT_UTF8,
    }),
  ),
  refusedDeflateCase(
    textFacts(
      'across-frames',
      'Sends a compressed text in which a code point is broken off where a frame and a block end.',
    ),
    {
      steps: () =>
        compressedFragments(TEXT, [
          writer().stored(fromHex('48f09f')).cut(),
          writer().stored(bytesOf('ello')).message(),
        ]),
      codes: NOT_UTF8,
    },
  ),
  refusedDeflateCase(
    textFacts(
      'by-reference',
      'Sends a compressed binary message that is no UTF-8, and a text that refers to it.',
    ),
    {
      steps: () => [
        compressedBinary(writer().stored(fromHex('fffefdfc')).message()),
        compressedText(writer().fixed().match(4, 4).end().message()),
      ],
      before: [{ type: 'binary', payload: fromHex('fffefdfc') }],
      codes: NOT_UTF8,
    },
    { needsContext: true },
  ),
];

export const DEFLATE_CORRUPT: readonly ConformanceCase[] = [
  ...corrupt.map((fault) => corruptCase(fault, CORRUPT_RULE)),
  ...unfinishedData.map((fault) => corruptCase({ ...fault, whenAccepted: 'NON-STRICT' }, UNFINISHED_RULE)),
  ...badText,
];
