// Fragmentation (RFC 6455 §5.4): messages in any number of frames of any size, with control frames in between.
// Sequences that make no message are in `fragmentation-refused.ts`.

import { BINARY, TEXT } from '../../wire/opcode.js';
import type { ConformanceCase } from '../case.js';
import { takeSteps } from '../exchange.js';
import { cycled, type Payload } from '../payload.js';
import {
  awaitMessages,
  binaryMessage,
  breaks,
  conforms,
  ECHO_LIMIT_MS,
  type ExpectedMessage,
  echoedCase,
  faultOfEchoes,
  informational,
  nonStrict,
  ruleCase,
  textMessage,
} from '../rule-case.js';
import {
  alone,
  binary,
  chopped,
  continuation,
  fragmented,
  frame,
  ping,
  pong,
  type Step,
  text,
  unfinished,
} from '../step.js';
import { FRAGMENTATION_REFUSED_CASES } from './fragmentation-refused.js';

const SECTION = 'RFC 6455 §5.4';

/** A message in these fragments. */
function inFragments(opcode: number, fragments: readonly Payload[]): Step[] {
  return fragments.map((payload, index) =>
    frame(index === 0 ? opcode : 0, payload, { isFinal: index === fragments.length - 1 }),
  );
}

interface Whole {
  id: string;
  title: string;
  rule: string;
  requirements?: readonly string[];
  steps: readonly Step[];
  messages: readonly ExpectedMessage[];
}

const ANY_SIZE = 'Fragments may have any size, zero too; an empty last one ends a message.';
const CONTROL_BETWEEN = 'Between fragments control frames may pass, and change nothing in the message.';
const ONE_TYPE = 'The first fragment gives the type of the message, also where it is empty.';
const NEW_MESSAGE = 'The fragment with FIN ends a message; what follows is the next one.';

const LONG_SIZES = [125, 126, 127, 65_535, 65_536, 1, 0, 7];
const MULTI_BYTE = 'κόσμε – ☃ – 𝄞 – ключ';

const wholes: readonly Whole[] = [
  {
    id: 'empty-first-fragment',
    title: 'Sends a text whose first fragment is empty.',
    rule: ANY_SIZE,
    steps: inFragments(TEXT, ['', 'Hello']),
    messages: [textMessage('Hello')],
  },
  {
    id: 'empty-middle-fragments',
    title: 'Sends a text with three empty fragments in its middle.',
    rule: ANY_SIZE,
    steps: inFragments(TEXT, ['Hel', '', '', '', 'lo']),
    messages: [textMessage('Hello')],
  },
  {
    id: 'empty-last-fragment',
    title: 'Sends a text whose last fragment is empty.',
    rule: ANY_SIZE,
    steps: inFragments(TEXT, ['Hello', '']),
    messages: [textMessage('Hello')],
  },
  {
    id: 'all-empty-text',
    title: 'Sends a text in three empty fragments.',
    rule: ANY_SIZE,
    steps: inFragments(TEXT, ['', '', '']),
    messages: [textMessage('')],
  },
  {
    id: 'all-empty-binary',
    title: 'Sends a binary message in two empty fragments, then another in one frame.',
    rule: ANY_SIZE,
    steps: [...inFragments(BINARY, ['', '']), binary('next')],
    messages: [binaryMessage(''), binaryMessage('next')],
  },
  {
    id: 'one-byte-fragments',
    title: 'Sends a text of 1- to 4-byte characters in fragments of one byte.',
    rule: 'A character may be split between fragments; only the whole text has to be UTF-8.',
    requirements: ['RFC6455-5.4-8', 'RFC6455-5.6-1'],
    steps: [fragmented(TEXT, MULTI_BYTE, 1)],
    messages: [textMessage(MULTI_BYTE)],
  },
  {
    id: 'sizes-mixed',
    title: `Sends a binary message in fragments of ${LONG_SIZES.join(', ')} bytes.`,
    rule: ANY_SIZE,
    steps: inFragments(
      BINARY,
      LONG_SIZES.map((length) => cycled('x', length)),
    ),
    messages: [
      binaryMessage(
        cycled(
          'x',
          LONG_SIZES.reduce((sum, length) => sum + length),
        ),
      ),
    ],
  },
  {
    id: 'thousand-empty-fragments',
    title: 'Sends a text with 1,000 empty fragments between its first and its last.',
    rule: ANY_SIZE,
    steps: inFragments(TEXT, ['first, ', ...Array<string>(1000).fill(''), 'last']),
    messages: [textMessage('first, last')],
  },
  {
    id: 'pings-between-all-fragments',
    title: 'Sends a text in five fragments, a Ping behind each but the last.',
    rule: CONTROL_BETWEEN,
    requirements: ['RFC6455-5.4-3', 'RFC6455-5.4-7', 'RFC6455-6.2-2'],
    steps: inFragments(TEXT, ['a', 'b', 'c', 'd', 'e'])
      .flatMap((step) => [step, ping('between')])
      .slice(0, -1),
    messages: [textMessage('abcde')],
  },
  {
    id: 'pongs-between-all-fragments',
    title: 'Sends a binary message in five fragments, each in its own TCP write, Pongs in between.',
    rule: CONTROL_BETWEEN,
    requirements: ['RFC6455-5.4-3', 'RFC6455-5.4-7', 'RFC6455-5.5.3-3'],
    steps: inFragments(BINARY, ['a', 'b', 'c', 'd', 'e'])
      .flatMap((step) => [alone(step), pong('between')])
      .slice(0, -1),
    messages: [binaryMessage('abcde')],
  },
  {
    id: 'control-payload-stays-out',
    title: 'Sends halves of a 3-byte character in two fragments, a Ping and a Pong with text between them.',
    rule: CONTROL_BETWEEN,
    requirements: ['RFC6455-5.4-7', 'RFC6455-5.6-1'],
    steps: [
      unfinished(text(Uint8Array.of(0xe2, 0x98))),
      ping('ping'),
      pong('pong'),
      continuation(Uint8Array.of(0x83)),
    ],
    messages: [textMessage('☃')],
  },
  {
    id: 'control-frames-chopped',
    title: 'Sends two fragments with a Ping between them, one byte per TCP write.',
    rule: CONTROL_BETWEEN,
    requirements: ['RFC6455-5.4-7'],
    steps: [
      chopped(1, unfinished(text('one, '))),
      chopped(1, ping('between')),
      chopped(1, continuation('two')),
    ],
    messages: [textMessage('one, two')],
  },
  {
    id: 'binary-stays-binary',
    title: 'Sends a binary message that is ASCII in three fragments.',
    rule: ONE_TYPE,
    requirements: ['RFC6455-5.4-14', 'RFC6455-6.2-3'],
    steps: inFragments(BINARY, ['a', 'b', 'c']),
    messages: [binaryMessage('abc')],
  },
  {
    id: 'type-from-an-empty-fragment',
    title: 'Sends a binary and a text message, each with an empty first fragment.',
    rule: ONE_TYPE,
    requirements: ['RFC6455-5.4-14', 'RFC6455-6.2-3'],
    steps: [...inFragments(BINARY, ['', 'bytes']), ...inFragments(TEXT, ['', 'text'])],
    messages: [binaryMessage('bytes'), textMessage('text')],
  },
  {
    id: 'messages-back-to-back',
    title: 'Sends a fragmented text, a fragmented binary message and a text in one frame, in one TCP write.',
    rule: NEW_MESSAGE,
    requirements: ['RFC6455-6.2-4', 'RFC6455-5.4-2'],
    steps: [...inFragments(TEXT, ['a', 'b']), ...inFragments(BINARY, ['c', 'd']), text('ef')],
    messages: [textMessage('ab'), binaryMessage('cd'), textMessage('ef')],
  },
  {
    id: 'fragments-of-several-in-a-segment',
    title: 'Sends the last fragment of one text and the first of the next in the same TCP write.',
    rule: NEW_MESSAGE,
    requirements: ['RFC6455-6.2-4', 'RFC6455-5.4-1'],
    steps: [alone(unfinished(text('a'))), continuation('b'), unfinished(text('c')), alone(continuation('d'))],
    messages: [textMessage('ab'), textMessage('cd')],
  },
];

const received = wholes.map(({ id, title, rule, requirements = ['RFC6455-5.4-8'], steps, messages }) =>
  echoedCase(
    {
      id: `fragmentation.${id}`,
      title,
      rule,
      section: SECTION,
      requirements: ['RFC6455-5.4-9', ...requirements],
      expectation: `What was sent comes back, in ${messages.length === 1 ? 'one message' : `${messages.length} messages`}.`,
    },
    steps,
    messages,
  ),
);

const manyFragments = ruleCase(
  {
    id: 'fragmentation.five-thousand-fragments',
    title: 'Sends a binary message in 5,000 fragments of 3 bytes.',
    rule: 'Messages are received in any number of fragments. Limits are for what hurts, such as memory.',
    section: 'RFC 6455 §5.4, §10.4',
    requirements: ['RFC6455-5.4-9', 'RFC6455-5.4-5', 'RFC6455-10.4-2'],
    expectation:
      'The message comes back. A peer that has a limit and says so with 1008 or 1009 is NON-STRICT.',
  },
  async (tester) => {
    const payload = cycled('fragment ', 14_999);
    await takeSteps(tester, [fragmented(BINARY, payload, 3)]);
    await awaitMessages(tester, 1, 3 * ECHO_LIMIT_MS);
    const code = tester.peerClose?.code;
    if (code === 1008 || code === 1009) return nonStrict('The peer has a limit, and said so.');
    const fault = faultOfEchoes(tester, [binaryMessage(payload)]);
    return fault === undefined ? conforms('The message came back.') : breaks(fault);
  },
);

const peersFragments = ruleCase(
  {
    id: 'fragmentation.peer-fragments-properly',
    title: 'Sends 200,000 bytes, a Ping and a text, and looks at the frames that come back.',
    rule: 'Who fragments gives the type first, only continuations after it, FIN on the last, and lets in control frames alone.',
    section: SECTION,
    requirements: ['RFC6455-5.4-2', 'RFC6455-5.4-4', 'RFC6455-5.4-6', 'RFC6455-6.1-5', 'RFC6455-6.1-7'],
    expectation: 'The frames make messages, in one frame each or in several.',
  },
  async (tester) => {
    const payload = cycled('0123456789', 200_000);
    await takeSteps(tester, [binary(payload), ping('between'), text('behind')]);
    await awaitMessages(tester, 2, 2 * ECHO_LIMIT_MS);
    const violation = tester.hasViolated(
      'continuation-without-start',
      'data-inside-message',
      'control-fragmented',
    );
    if (violation !== undefined) return breaks(`The peer sent ${violation.detail}.`);
    const { messages, frames } = tester;
    if (messages.length < 2) return informational('The messages did not come back.');
    return conforms(`Two messages and a Pong came in ${frames.length} frames.`);
  },
);

export const FRAGMENTATION_CASES: readonly ConformanceCase[] = [
  ...received,
  manyFragments,
  peersFragments,
  ...FRAGMENTATION_REFUSED_CASES,
];
