// The closing handshake (RFC 6455 §5.5.1): one Close frame from each side, and nothing behind it. How TCP ends is in
// `closing-tcp.ts`.

import { CLOSE, PONG } from '../../wire/opcode.js';
import type { ConformanceCase } from '../case.js';
import { cycled, fromHex } from '../payload.js';
import {
  breaks,
  conforms,
  hasEnded,
  informational,
  isEcho,
  nonStrict,
  PATIENCE_MS,
  type Ruling,
  ruleCase,
  textMessage,
} from '../rule-case.js';
import {
  binary,
  chopped,
  close,
  closeWith,
  continuation,
  ping,
  type Step,
  text,
  unfinished,
} from '../step.js';
import type { Tester } from '../tester.js';
import { closing, FAULT, NO_CLOSE, readToEnd, TCP_END_CASES } from './closing-tcp.js';

const HANDSHAKE = 'RFC 6455 §5.5.1';

const ANSWERED: readonly [id: string, title: string, steps: readonly Step[], code: number | null][] = [
  ['at-once-after-opening', 'Sends a Close frame as the first frame of the connection.', [close(1000)], 1000],
  ['empty', 'Sends a Close frame without a code.', [close()], null],
  [
    'private-code-and-reason',
    'Sends a Close frame with code 4321 and a reason.',
    [close(4321, 'private')],
    4321,
  ],
  [
    'longest-reason',
    'Sends a Close frame with a reason of 41 3-byte characters.',
    [close(3000, '☃'.repeat(41))],
    3000,
  ],
  [
    'chopped',
    'Sends a Close frame with a reason, one byte per TCP write.',
    [chopped(1, close(1001, 'away'))],
    1001,
  ],
  [
    'inside-message',
    'Sends a first fragment, then a Close frame.',
    [unfinished(text('first')), close(1000)],
    1000,
  ],
  [
    'inside-character',
    'Sends a first fragment that ends in the middle of a character, then a Close frame.',
    [unfinished(text(fromHex('61e298'))), close(1000)],
    1000,
  ],
];

const answered = ANSWERED.map(([id, title, steps, code]) =>
  ruleCase(
    {
      id: `closing.answered-${id}`,
      title,
      rule: 'A Close frame is answered with a Close frame, soon, mostly with the same code. An unfinished message is lost.',
      section: HANDSHAKE,
      requirements: [
        'RFC6455-5.5.1-7',
        'RFC6455-5.5.1-8',
        'RFC6455-5.5.1-9',
        'RFC6455-5.5.1-1',
        'RFC6455-5.4-7',
        'RFC6455-7.3-3',
      ],
      expectation: 'A Close frame comes within a second, with that code, 1000, or none; no message does.',
    },
    async (tester) => {
      const isAnswered = await closing(tester, steps);
      if (tester.messages.length > 0) return breaks('A message came that was never finished.');
      if (!isAnswered) {
        if (tester.isOver) return breaks('The peer ended TCP without a Close frame.');
        await tester.until(() => hasEnded(tester), PATIENCE_MS);
        return tester.peerClose === null
          ? breaks(NO_CLOSE)
          : nonStrict('The answer took more than a second.');
      }
      const answer = tester.peerClose?.code ?? null;
      if (answer === code || answer === 1000 || answer === null)
        return conforms('The Close frame was answered.');
      if (answer === 1002 || answer === 1007)
        return breaks(`The answer to a good Close frame was ${answer}.`);
      return informational(`The answer has code ${answer}.`);
    },
  ),
);

/** What came, frame by frame, may hold one Close frame, and it is the last. */
function rulingOnFrames(tester: Tester): Ruling {
  if (tester.peerClose === null) return informational(NO_CLOSE);
  const at = tester.frames.findIndex(({ opcode }) => opcode === CLOSE);
  const behind = tester.frames.slice(at + 1);
  if (behind.length === 0) return conforms('One Close frame came, and nothing behind it.');
  if (behind.every(({ opcode }) => opcode === PONG)) return nonStrict('Pongs came behind the Close frame.');
  const closes = behind.filter(({ opcode }) => opcode === CLOSE).length;
  return breaks(
    closes > 0 ? `${closes + 1} Close frames came.` : `${behind.length} frames came behind the Close frame.`,
  );
}

const TWENTY = Array.from({ length: 20 }, (_, index) => `message ${index + 1}`);

const LAST: readonly [id: string, title: string, steps: readonly Step[], limitMs?: number][] = [
  ['after-close', 'Sends a Close frame, and reads on until TCP ends.', [close(1000)]],
  [
    'after-messages-and-close',
    'Sends 20 texts and a Close frame in one TCP write.',
    [...TWENTY.map((message) => text(message)), close(1000)],
  ],
  [
    'after-large-message-and-close',
    'Sends 500,000 bytes of binary and a Close frame in one TCP write.',
    [binary(cycled('large', 500_000)), close(1000)],
    10 * PATIENCE_MS,
  ],
  [
    'after-close-and-messages',
    'Sends a Close frame, 20 texts, a Ping and another Close frame in one TCP write.',
    [close(1000), ...TWENTY.map((message) => text(message)), ping('behind'), closeWith('')],
  ],
  [
    'after-close-and-fault',
    'Sends a Close frame and a frame with a reserved opcode in one TCP write.',
    [close(1000), FAULT],
  ],
  [
    'after-crossing-close',
    'Sends a frame with a reserved opcode and a Close frame at once, so that two Close frames cross.',
    [FAULT, close(1000)],
  ],
  [
    'after-its-own-close',
    'Sends a frame with a reserved opcode, and answers the Close frame that it brings.',
    [FAULT],
  ],
];

const last = LAST.map(([id, title, steps, limitMs = 2 * PATIENCE_MS]) =>
  ruleCase(
    {
      id: `closing.nothing-${id}`,
      title,
      rule: 'An endpoint sends one Close frame, also where two cross, and nothing behind it.',
      section: HANDSHAKE,
      requirements: [
        'RFC6455-5.5.1-6',
        'RFC6455-5.5.1-7',
        'RFC6455-5.5.1-15',
        'RFC6455-6.1-2',
        'RFC6455-6.1-3',
        'RFC6455-7.1.3-1',
      ],
      expectation: 'Exactly one Close frame comes, as the last frame.',
    },
    async (tester) => {
      await closing(tester, steps, limitMs);
      await readToEnd(tester);
      return rulingOnFrames(tester);
    },
  ),
);

const echoesBefore = ruleCase(
  {
    id: 'closing.messages-before-close-are-echoed',
    title: 'Sends 20 texts and a Close frame in one TCP write, and counts the echoes.',
    rule: 'What came before the Close frame may still be answered, and the answer to the Close frame may wait for that.',
    section: HANDSHAKE,
    requirements: ['RFC6455-5.5.1-10', 'RFC6455-5.1-7'],
    expectation:
      'All 20 come back before the Close frame. Fewer are INFORMATIONAL, as long as their order is right.',
  },
  async (tester) => {
    await closing(tester, [...TWENTY.map((message) => text(message)), close(1000)]);
    const { messages } = tester;
    let next = 0;
    for (const message of messages) {
      const at = TWENTY.findIndex((sent, index) => index >= next && isEcho(message, textMessage(sent)));
      if (at === -1) return breaks('An echo came that was not sent, or out of order.');
      next = at + 1;
    }
    if (messages.length === TWENTY.length) return conforms('All messages came back.');
    return informational(`${messages.length} of ${TWENTY.length} messages came back.`);
  },
);

const clientMasksClose = ruleCase(
  {
    id: 'closing.client-masks-close',
    title: 'Sends a Close frame, and looks at the header of the answer.',
    rule: "A client's Close frame is masked like its other frames.",
    section: HANDSHAKE,
    requirements: ['RFC6455-5.5.1-5', 'RFC6455-5.1-1', 'RFC6455-5.3-1'],
    expectation: 'The Close frame has the MASK bit.',
    subjects: ['client'],
  },
  async (tester) => {
    if (!(await closing(tester, [close(1000, 'mask')]))) return informational(NO_CLOSE);
    const header = tester.frames.find(({ opcode }) => opcode === CLOSE);
    return header?.isMasked === true ? conforms('It is masked.') : breaks('The Close frame is not masked.');
  },
);

const closedBetweenFragments = ruleCase(
  {
    id: 'closing.fragment-behind-close-is-dropped',
    title: 'Sends a first fragment, a Close frame and the last fragment in one TCP write.',
    rule: 'Behind a Close frame no data counts, also none that would finish a message.',
    section: 'RFC 6455 §5.5.1, §7.1.1',
    requirements: ['RFC6455-5.5.1-6', 'RFC6455-7.1.1-1', 'RFC6455-7.1.3-1'],
    expectation: 'The message does not come back.',
  },
  async (tester) => {
    await closing(tester, [unfinished(text('first, ')), close(1000), continuation('last')]);
    await readToEnd(tester);
    if (tester.messages.length + tester.framesAfterClose > 0) return breaks('The message came back.');
    return hasEnded(tester) ? conforms('The message was dropped.') : informational(NO_CLOSE);
  },
);

export const CLOSING_CASES: readonly ConformanceCase[] = [
  ...answered,
  ...last,
  closedBetweenFragments,
  echoesBefore,
  clientMasksClose,
  ...TCP_END_CASES,
];
