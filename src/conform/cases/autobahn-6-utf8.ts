// Autobahn 6: text that is UTF-8, and text that is not (RFC 6455 §5.6, §8.1; RFC 3629). 6.1 to 6.4 are about text in
// fragments; from 6.5 on one sequence of bytes after the other is sent in one frame.

import type { ConformanceCase } from '../case.js';
import type { Exchange } from '../exchange.js';
import type { ExpectedClose } from '../judgement.js';
import { fromHex } from '../payload.js';
import { continuation, pause, type Step, text, unfinished } from '../step.js';
import { hex } from '../wire-log.js';
import { answered, autobahnCase, marked, refused, type Topic, textBack } from './autobahn-case.js';

const EMPTY_FRAGMENTS: Topic = {
  rule: 'A text may be empty, and so may each of its fragments.',
  section: 'RFC 6455 §5.4',
  requirements: ['RFC6455-5.4-8', 'RFC6455-5.6-1'],
  expectation: 'The text comes back.',
};

const SPLIT_CHARACTERS: Topic = {
  rule: 'A text is UTF-8 as a whole: a character may begin in one fragment and end in the next.',
  section: 'RFC 6455 §5.6',
  requirements: ['RFC6455-5.6-1'],
  expectation: 'The text comes back.',
};

const VALID: Topic = {
  rule: 'Every code point that UTF-8 can express may stand in a text, noncharacters too.',
  section: 'RFC 6455 §5.6',
  requirements: ['RFC6455-5.6-1'],
  expectation: 'The text comes back.',
};

const INVALID: Topic = {
  rule: 'A text that is not UTF-8 fails the connection.',
  section: 'RFC 6455 §8.1',
  requirements: ['RFC6455-5.6-1', 'RFC6455-8.1-1'],
  expectation: 'The peer fails the connection, with code 1007 if with any.',
};

const EARLY: Topic = {
  ...INVALID,
  rule: 'A text that is not UTF-8 fails the connection, best as soon as no further byte could make it so.',
  expectation:
    'The peer fails the connection before the rest is sent; one that waits for the end of the message is NON-STRICT.',
};

const SILENT = { endsWith: 'no code' } as const;
/** To fail the connection is what these cases are about: a peer that does it otherwise has failed the case. */
const FAILS_WITH_1007: ExpectedClose = {
  by: 'peer',
  codes: [1007],
  isClean: false,
  endIsBehavior: 'wrong side',
};

/** `Hello-µ@ßöäüàá-UTF-8!!` */
const HELLO = fromHex('48656c6c6f2dc2b540c39fc3b6c3a4c3bcc3a0c3a12d5554462d382121');
/** `κόσμε`, whose second character takes three bytes. */
const KOSME = fromHex('cebae1bdb9cf83cebcceb5');
/** The same with a surrogate behind it, which UTF-8 must not have, and a word. */
const KOSME_BROKEN = fromHex('cebae1bdb9cf83cebcceb5eda080656469746564');

/** One byte in each fragment, and an empty one that ends the message. */
function bytewise(bytes: Uint8Array): Step[] {
  const [first, ...others] = Array.from(bytes, (byte) => Uint8Array.of(byte));
  return [
    unfinished(text(first!)),
    ...others.map((byte) => unfinished(continuation(byte))),
    continuation(''),
  ];
}

const sentBack = (
  id: string,
  title: string,
  topic: Topic,
  steps: Step[],
  whole: string | Uint8Array,
): ConformanceCase => answered(id, title, topic, steps, [textBack(whole)], SILENT);

/** The steps up to mark A are fine; then comes what cannot be UTF-8, mark B, and the rest. */
function earlyFailure(id: string, title: string, steps: Exchange['steps']): ConformanceCase {
  return autobahnCase(id, title, EARLY, {
    steps,
    outcomes: [
      { behavior: 'OK', events: [marked('A')] },
      { behavior: 'NON-STRICT', events: [marked('A'), marked('B')] },
    ],
    close: FAILS_WITH_1007,
  });
}

/** `before`, a second, `breaking`, a second, `rest`: three fragments of a text. */
function inThreeFragments(before: string, breaking: string, rest: string): Step[] {
  return [
    unfinished(text(fromHex(before))),
    pause(1000, 'A'),
    unfinished(continuation(fromHex(breaking))),
    pause(1000, 'B'),
    continuation(fromHex(rest)),
  ];
}

/** The same within one frame, which an empty one follows. */
function inOneFrame(before: string, breaking: string, rest: string): Step[] {
  const body = (part: string): Step => ({ do: 'body', bytes: part.length / 2 });
  return [
    { do: 'head', frame: { opcode: 1, payload: fromHex(before + breaking + rest), isFinal: false } },
    body(before),
    pause(1000, 'A'),
    body(breaking),
    pause(1000, 'B'),
    body(rest),
    continuation(''),
  ];
}

const KOSME_HEX = hex(KOSME);

const IN_FRAGMENTS: readonly ConformanceCase[] = [
  sentBack('6.1.1', 'sends an empty text', EMPTY_FRAGMENTS, [text('')], ''),
  sentBack(
    '6.1.2',
    'sends a text in three empty fragments',
    EMPTY_FRAGMENTS,
    [unfinished(text('')), unfinished(continuation('')), continuation('')],
    '',
  ),
  sentBack(
    '6.1.3',
    'sends a text in three fragments, of which only the second is not empty',
    EMPTY_FRAGMENTS,
    [unfinished(text('')), unfinished(continuation('middle frame payload')), continuation('')],
    'middle frame payload',
  ),
  sentBack(
    '6.2.1',
    'sends a text with characters of one and two bytes',
    SPLIT_CHARACTERS,
    [text(HELLO)],
    HELLO,
  ),
  sentBack(
    '6.2.2',
    'sends that text in two fragments, cut between two characters',
    SPLIT_CHARACTERS,
    [unfinished(text(HELLO.subarray(0, 15))), continuation(HELLO.subarray(15))],
    HELLO,
  ),
  sentBack('6.2.3', 'sends that text in fragments of one byte', SPLIT_CHARACTERS, bytewise(HELLO), HELLO),
  sentBack('6.2.4', 'sends a Greek word in fragments of one byte', SPLIT_CHARACTERS, bytewise(KOSME), KOSME),
  refused('6.3.1', 'sends a text with a surrogate in it', INVALID, [text(KOSME_BROKEN)], [], {
    close: FAILS_WITH_1007,
  }),
  refused('6.3.2', 'sends that text in fragments of one byte', INVALID, bytewise(KOSME_BROKEN), [], {
    close: FAILS_WITH_1007,
  }),
  earlyFailure(
    '6.4.1',
    'sends three fragments a second apart; the second has a code point beyond the last one',
    inThreeFragments(KOSME_HEX, 'f4908080', '656469746564'),
  ),
  earlyFailure(
    '6.4.2',
    'sends three fragments a second apart; the second is the one byte that breaks the text',
    inThreeFragments(`${KOSME_HEX}f4`, '90', '8080656469746564'),
  ),
  earlyFailure(
    '6.4.3',
    'sends a frame in three parts a second apart; the second has a code point beyond the last one',
    inOneFrame(KOSME_HEX, 'f4908080', '656469746564'),
  ),
  earlyFailure(
    '6.4.4',
    'sends a frame in three parts a second apart; the second is the one byte that breaks the text',
    inOneFrame(`${KOSME_HEX}f4`, '90', '8080656469746564'),
  ),
];

interface Sample {
  bytes: Uint8Array;
  isValid: boolean;
}

const invalid = (...sequences: string[]): Sample[] =>
  sequences.map((sequence) => ({ bytes: fromHex(sequence), isValid: false }));
const codePoints = (...points: number[]): Sample[] =>
  points.map((point) => ({ bytes: Buffer.from(String.fromCodePoint(point)), isValid: true }));

/** Each beginning of a text; those that end within a character are not UTF-8. */
const beginnings = (bytes: Uint8Array): Sample[] =>
  Array.from(bytes, (_, index) => {
    const next = bytes[index + 1];
    return { bytes: bytes.subarray(0, index + 1), isValid: next === undefined || (next & 0xc0) !== 0x80 };
  });

/** Every byte from `first` to `last`, each with a space behind it. */
const spaced = (first: number, last: number): string =>
  Array.from({ length: last - first + 1 }, (_, index) => `${(first + index).toString(16)}20`).join('');

/** Surrogates in the form that UTF-8 would give them if it had them. */
const surrogates = (...units: number[]): string =>
  units
    .map((unit) => `ed${(0x80 | ((unit >> 6) & 0x3f)).toString(16)}${(0x80 | (unit & 0x3f)).toString(16)}`)
    .join('');

const PLANES = Array.from({ length: 17 }, (_, plane) => plane << 16);
const HIGH_SURROGATES = [0xd800, 0xdb7f, 0xdb80, 0xdbff];

/** The smallest and the largest sequence of each length, two to six bytes, without its last byte. */
const CUT_SHORT = [
  ...['c0', 'e080', 'f08080', 'f8808080', 'fc80808080'],
  ...['df', 'efbf', 'f7bfbf', 'fbbfbfbf', 'fdbfbfbfbf'],
];

/** Section, what its sequences are, and the sequences. */
const SEQUENCES: readonly (readonly [string, string, readonly Sample[]])[] = [
  [
    '6.5',
    'characters of one to four bytes',
    [
      ...['$', '¢', '€', '\u{24b62}'].map((sign) => ({
        bytes: Buffer.from(`hello${sign}world`),
        isValid: true,
      })),
      { bytes: KOSME, isValid: true },
    ],
  ],
  ['6.6', 'the beginning of a Greek word', beginnings(KOSME)],
  ['6.7', 'the smallest code point of a length', codePoints(0, 0x80, 0x800, 0x10000)],
  ['6.8', 'the smallest sequence of five or six bytes', invalid('f888808080', 'fc8480808080')],
  ['6.9', 'the largest code point of a length', codePoints(0x7f, 0x7ff, 0xffff, 0x10ffff)],
  ['6.10', 'the largest sequence of a length', invalid('f7bfbfbf', 'fbbfbfbfbf', 'fdbfbfbfbfbf')],
  [
    '6.11',
    'a code point at an edge',
    [...codePoints(0xd7ff, 0xe000, 0xfffd, 0x10ffff), ...invalid('f4908080')],
  ],
  [
    '6.12',
    'continuation bytes with nothing to continue',
    [
      ...invalid('80', 'bf', '80bf', '80bf80', '80bf80bf', '80bf80bf80', '80bf80bf80bf'),
      { bytes: Uint8Array.from({ length: 63 }, (_, index) => 0x80 + index), isValid: false },
    ],
  ],
  [
    '6.13',
    'first bytes of characters, each with a space behind it',
    invalid(
      spaced(0xc0, 0xde),
      spaced(0xe0, 0xee),
      spaced(0xf0, 0xf6),
      spaced(0xf8, 0xfa),
      spaced(0xfc, 0xfc),
    ),
  ],
  ['6.14', 'a sequence without its last byte', invalid(...CUT_SHORT)],
  ['6.15', 'sequences without their last bytes', invalid(CUT_SHORT.join(''))],
  ['6.16', 'bytes that UTF-8 does not have', invalid('fe', 'ff', 'fefeffff')],
  [
    '6.17',
    'a slash in more bytes than it takes',
    invalid('c0af', 'e080af', 'f08080af', 'f8808080af', 'fc80808080af'),
  ],
  [
    '6.18',
    'the largest code point that takes a byte less',
    invalid('c1bf', 'e09fbf', 'f08fbfbf', 'f887bfbfbf', 'fc83bfbfbfbf'),
  ],
  [
    '6.19',
    'a NUL in more bytes than it takes',
    invalid('c080', 'e08080', 'f0808080', 'f880808080', 'fc8080808080'),
  ],
  [
    '6.20',
    'a surrogate',
    invalid(...[...HIGH_SURROGATES, 0xdc00, 0xdf80, 0xdfff].map((unit) => surrogates(unit))),
  ],
  [
    '6.21',
    'a pair of surrogates',
    invalid(...HIGH_SURROGATES.flatMap((high) => [0xdc00, 0xdfff].map((low) => surrogates(high, low)))),
  ],
  [
    '6.22',
    'a noncharacter, which is as good as any',
    PLANES.flatMap((plane) => codePoints(plane + 0xfffe, plane + 0xffff)),
  ],
  [
    '6.23',
    'a code point at the end of the first plane',
    codePoints(0xfff9, 0xfffa, 0xfffb, 0xfffc, 0xfffd, 0xfffe, 0xffff),
  ],
];

function sequenceCases(section: string, what: string, samples: readonly Sample[]): ConformanceCase[] {
  return samples.map(({ bytes, isValid }, index) => {
    const id = `${section}.${index + 1}`;
    const title = `sends a text of ${what}: ${bytes.length > 16 ? `${bytes.length} bytes` : hex(bytes)}`;
    const steps = [text(bytes)];
    return isValid
      ? // Autobahn waits half a second here, too. Who echoes in time is not kept waiting, who is slow is not wrong.
        answered(id, title, VALID, steps, [textBack(bytes)])
      : refused(id, title, INVALID, steps, [], { patienceMs: 500, close: FAILS_WITH_1007 });
  });
}

export const AUTOBAHN_UTF8: readonly ConformanceCase[] = [
  ...IN_FRAGMENTS,
  ...SEQUENCES.flatMap((row) => sequenceCases(...row)),
];
