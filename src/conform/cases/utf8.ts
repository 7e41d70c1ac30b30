// Text that is UTF-8 (RFC 6455 §5.6, §8.1) comes back unchanged, wherever frames and TCP cut it, and binary is not looked
// at. What is no UTF-8 is in `utf8-refused.ts`.

import { BINARY, CONTINUATION, TEXT } from '../../wire/opcode.js';
import type { ConformanceCase } from '../case.js';
import { takeSteps } from '../exchange.js';
import { fromHex } from '../payload.js';
import { turn } from '../raw-connection.js';
import {
  awaitMessages,
  binaryMessage,
  breaks,
  conforms,
  echoedCase,
  faultOfEchoes,
  informational,
  ruleCase,
  textMessage,
} from '../rule-case.js';
import { alone, binary, continuation, fragmented, frame, ping, text, unfinished } from '../step.js';
import { UTF8_REFUSED_CASES } from './utf8-refused.js';

const SECTION = 'RFC 6455 §5.6, §8.1';
const IS_UTF8 = 'A text message is UTF-8 as a whole, as RFC 3629 defines it.';
const IS_TEXT = 'Every sequence that is UTF-8 is text, and comes back byte for byte.';

const codePoints = (...points: number[]): string[] => points.map((point) => String.fromCodePoint(point));

const PLANES = Array.from({ length: 17 }, (_, plane) => plane * 0x1_0000);
const ARABIC_FORMS = Array.from({ length: 32 }, (_, index) => 0xfdd0 + index);

const VALID: readonly [id: string, title: string, messages: readonly string[]][] = [
  [
    'boundary-code-points',
    'Sends the first and the last code point of each length in bytes, and those around the surrogates.',
    codePoints(0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfffd, 0xffff, 0x1_0000, 0x10_ffff),
  ],
  [
    'noncharacters',
    'Sends the 66 code points that will never be characters.',
    codePoints(...ARABIC_FORMS, ...PLANES.flatMap((plane) => [plane + 0xfffe, plane + 0xffff])),
  ],
  [
    'byte-order-mark-kept',
    'Sends texts with U+FEFF at the start, in the middle and alone.',
    ['\ufefftext', 'te\ufeffxt', '\ufeff', '\ufeff\ufeff'],
  ],
  [
    'control-characters-kept',
    'Sends NUL, CR, LF, DEL, line and paragraph separators.',
    ['a\0b', '\r\n\n\r', '\x7f\x85', '\u2028\u2029'],
  ],
  [
    'not-normalized',
    'Sends composed and decomposed letters, compatibility forms and joined emoji.',
    ['\u00e9', 'e\u0301', '\u212b', '\ufb01', '\u{1f469}\u200d\u{1f680}'],
  ],
  ['empty', 'Sends two empty texts, and one that is not.', ['', '', 'end']],
];

const valid = VALID.map(([id, title, messages]) =>
  echoedCase(
    {
      id: `utf8.${id}`,
      title,
      rule: IS_TEXT,
      section: SECTION,
      requirements: ['RFC6455-5.6-1'],
      expectation: 'Every message comes back unchanged.',
    },
    messages.map((message) => text(message)),
    messages.map(textMessage),
  ),
);

const CHARACTERS: readonly [bytes: number, character: string][] = [
  [2, 'é'],
  [3, '☃'],
  [4, '𝄞'],
];

const straddling = CHARACTERS.flatMap(([length, character]) => {
  const message = Buffer.from(`ab${character}${character}cd`);
  const cuts = Array.from({ length: message.length - 1 }, (_, index) => index + 1);
  const facts = {
    rule: 'A character may be split between frames, and between TCP segments.',
    section: SECTION,
    requirements: ['RFC6455-5.6-1', 'RFC6455-5.4-1'],
    expectation: 'Every message comes back unchanged.',
  };
  return [
    echoedCase(
      {
        ...facts,
        id: `utf8.${length}-byte-character-split-between-fragments`,
        title: `Sends a text with ${length}-byte characters in two fragments, cut at every place, a Ping in between.`,
      },
      cuts.flatMap((cut) => [
        unfinished(text(message.subarray(0, cut))),
        ping('between'),
        continuation(message.subarray(cut)),
      ]),
      cuts.map(() => textMessage(message)),
    ),
    ruleCase(
      {
        ...facts,
        id: `utf8.${length}-byte-character-split-between-writes`,
        title: `Sends a text with ${length}-byte characters in two TCP writes, cut at every place of the payload.`,
      },
      async (tester) => {
        for (const cut of cuts) {
          const { bytes, headerLength } = tester.serialize({ opcode: TEXT, payload: message });
          await tester.connection.write(bytes.subarray(0, headerLength + cut));
          await turn();
          await tester.connection.write(bytes.subarray(headerLength + cut));
          await turn();
        }
        await awaitMessages(tester, cuts.length);
        const fault = faultOfEchoes(
          tester,
          cuts.map(() => textMessage(message)),
        );
        return fault === undefined ? conforms('Every message came back.') : breaks(fault);
      },
    ),
    echoedCase(
      {
        ...facts,
        id: `utf8.${length}-byte-characters-in-one-byte-fragments`,
        title: `Sends ${length}-byte characters in fragments of one byte, each in its own TCP write.`,
      },
      [...message].map((byte, index) =>
        alone(
          frame(index === 0 ? TEXT : CONTINUATION, Uint8Array.of(byte), {
            isFinal: index === message.length - 1,
          }),
        ),
      ),
      [textMessage(message)],
    ),
  ];
});

const NO_TEXT = fromHex('fffe80c0eda080f490808000');

const unchecked = [
  echoedCase(
    {
      id: 'utf8.binary-is-not-checked',
      title:
        'Sends bytes that are no UTF-8 as binary: in one frame, in fragments of one byte, and a text behind.',
      rule: 'Binary messages are any bytes.',
      section: 'RFC 6455 §5.6',
      requirements: ['RFC6455-5.6-1', 'RFC6455-6.2-3'],
      expectation: 'All messages come back unchanged.',
    },
    [binary(NO_TEXT), fragmented(BINARY, NO_TEXT, 1), text('text')],
    [binaryMessage(NO_TEXT), binaryMessage(NO_TEXT), textMessage('text')],
  ),
  ruleCase(
    {
      id: 'utf8.peer-sends-utf8',
      title: 'Sends 60,000 bytes of 3-byte characters and looks at the echo as a whole.',
      rule: IS_UTF8,
      section: SECTION,
      requirements: ['RFC6455-5.6-1', 'RFC6455-8.1-1'],
      expectation: 'What the peer sends as text is UTF-8, in however many frames.',
    },
    async (tester) => {
      await takeSteps(tester, [fragmented(TEXT, '☃'.repeat(20_000), 999)]);
      await awaitMessages(tester, 1);
      const violation = tester.hasViolated('invalid-utf8');
      if (violation !== undefined) return breaks(`The peer sent ${violation.detail}.`);
      return tester.messages.length > 0 ? conforms('The echo is UTF-8.') : informational('No echo came.');
    },
  ),
];

export const UTF8_CASES: readonly ConformanceCase[] = [
  ...valid,
  ...straddling,
  ...unchecked,
  ...UTF8_REFUSED_CASES,
];
