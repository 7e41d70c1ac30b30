// Frames as such (RFC 6455 §5.2): reserved bits and opcodes, headers cut by TCP, many frames in one segment, and that
// nothing is looked at behind a fault (§7.1.7).

import type { FrameHeader } from '../../wire/frame-header.js';
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  isControlOpcode,
  opcodeName,
  PING,
  PONG,
  TEXT,
} from '../../wire/opcode.js';
import type { ConformanceCase } from '../case.js';
import { takeSteps } from '../exchange.js';
import { cycled, type Payload } from '../payload.js';
import { turn } from '../raw-connection.js';
import {
  awaitMessages,
  binaryMessage,
  breaks,
  conforms,
  ECHO_LIMIT_MS,
  echoedCase,
  faultOfEchoes,
  hasEnded,
  informational,
  PATIENCE_MS,
  refusedCase,
  ruleCase,
  textMessage,
} from '../rule-case.js';
import {
  alone,
  binary,
  chopped,
  close,
  continuation,
  frame,
  ping,
  type Step,
  text,
  unfinished,
} from '../step.js';
import type { Tester } from '../tester.js';

const SECTION = 'RFC 6455 §5.2';
const CODE_1000 = Uint8Array.of(3, 232);

/** Text with RSV3, binary with RSV1+3 and RSV1+2 are Autobahn's 3.1, 3.5 and 3.6, with nothing to add. */
const AUTOBAHN_HAS: ReadonlySet<string> = new Set(['1-on-text', '5-on-binary', '6-on-binary']);

const reservedBits = [TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG].flatMap((opcode) =>
  [1, 2, 3, 4, 5, 6, 7].flatMap((rsv) => {
    const name = opcodeName(opcode);
    if (AUTOBAHN_HAS.has(`${rsv}-on-${name}`)) return [];
    const payload = opcode === CLOSE ? CODE_1000 : 'reserved bit';
    return refusedCase(
      {
        id: `framing.rsv-${rsv}-on-${name}`,
        title: `Sends a ${name} frame with reserved bits ${rsv.toString(2).padStart(3, '0')}, no extension agreed on.`,
        rule: 'Reserved bits are clear unless an extension that was agreed on gives them a meaning.',
        section: SECTION,
        requirements: ['RFC6455-5.2-3', 'RFC6455-5.8-1'],
        expectation: 'The connection is failed.',
      },
      {
        steps: [
          ...(opcode === CONTINUATION ? [unfinished(text('start'))] : []),
          frame(opcode, payload, { rsv }),
        ],
        hasWitness: opcode !== CLOSE,
      },
    );
  }),
);

const RESERVED_OPCODES = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];

const reservedOpcodes = RESERVED_OPCODES.flatMap((opcode) => {
  const facts = {
    rule: 'An opcode that has no meaning fails the connection, wherever it stands.',
    section: SECTION,
    requirements: ['RFC6455-5.2-4'],
    expectation: 'The connection is failed.',
  };
  const kind = isControlOpcode(opcode) ? 'control' : 'data';
  return [
    refusedCase(
      {
        ...facts,
        id: `framing.opcode-${opcode}-without-fin`,
        title: `Sends a frame with the reserved ${kind} opcode ${opcode}, FIN clear.`,
      },
      { steps: [frame(opcode, 'reserved', { isFinal: false })] },
    ),
    refusedCase(
      {
        ...facts,
        id: `framing.opcode-${opcode}-inside-message`,
        title: `Sends a frame with the reserved ${kind} opcode ${opcode} between two fragments of a text.`,
      },
      { steps: [unfinished(text('first, ')), frame(opcode), continuation('last')] },
    ),
  ];
});

/** Sends each message with its frame cut in two: `cuts` are offsets into the frame. */
async function sendCut(tester: Tester, payload: Payload, cuts: readonly number[]): Promise<void> {
  for (const cut of cuts) {
    const { bytes } = tester.serialize({ opcode: BINARY, payload });
    await tester.connection.write(bytes.subarray(0, cut));
    await turn();
    await tester.connection.write(bytes.subarray(cut));
    await turn();
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const cutFrames = [
  { id: 'header-with-7-bit-length', length: 5, cuts: 6 },
  { id: 'header-with-16-bit-length', length: 126, cuts: 8 },
  { id: 'header-with-64-bit-length', length: 65_536, cuts: 14 },
  { id: 'payload', length: 67, cuts: 72 },
].map(({ id, length, cuts }) =>
  ruleCase(
    {
      id: `framing.${id}-cut-anywhere`,
      title: `Sends ${cuts} messages of ${length} bytes, each in two TCP writes: the first after 1 byte, the next after 2, and so on.`,
      rule: 'Where TCP cuts the stream means nothing.',
      section: 'RFC 6455 §6.2',
      requirements: ['RFC6455-6.2-1', 'RFC6455-5.3-5', 'RFC6455-5.2-7'],
      expectation: 'Every message comes back unchanged.',
    },
    async (tester) => {
      const payload = cycled('cut anywhere ', length);
      await sendCut(tester, payload, upTo(cuts));
      await awaitMessages(tester, cuts, 2 * ECHO_LIMIT_MS);
      const fault = faultOfEchoes(tester, Array(cuts).fill(binaryMessage(payload)));
      return fault === undefined ? conforms('Every message came back.') : breaks(fault);
    },
  ),
);

const numbered = (count: number): string[] => upTo(count).map((number) => `message ${number}`);

const segments = [
  echoedCase(
    {
      id: 'framing.many-frames-in-one-segment',
      title: 'Sends 200 binary messages in one TCP write.',
      rule: 'A segment may hold any number of frames; each is a message of its own, and their order stays.',
      section: 'RFC 6455 §6.2',
      requirements: ['RFC6455-6.1-1', 'RFC6455-6.1-4', 'RFC6455-6.1-9', 'RFC6455-6.2-1', 'RFC6455-6.2-4'],
      expectation: 'All 200 come back in order.',
    },
    numbered(200).map((message) => binary(message)),
    numbered(200).map(binaryMessage),
    2 * ECHO_LIMIT_MS,
  ),
  echoedCase(
    {
      id: 'framing.every-byte-a-segment',
      title: 'Sends a binary message, an empty one and one in two fragments, one byte per TCP write.',
      rule: 'Where TCP cuts the stream means nothing.',
      section: 'RFC 6455 §6.2',
      requirements: ['RFC6455-6.2-1'],
      expectation: 'All three come back unchanged.',
    },
    [
      chopped(1, binary('byte by byte')),
      chopped(1, binary('')),
      chopped(1, unfinished(binary('one, '))),
      chopped(1, continuation('two')),
    ],
    [binaryMessage('byte by byte'), binaryMessage(''), binaryMessage('one, two')],
    2 * ECHO_LIMIT_MS,
  ),
  echoedCase(
    {
      id: 'framing.types-alternate',
      title: 'Sends the same ASCII bytes as text and as binary in turn, ten times, and both empty.',
      rule: "The opcode of a message's first frame tells its type; what is in it does not.",
      section: 'RFC 6455 §5.6, §6.2',
      requirements: ['RFC6455-6.2-3', 'RFC6455-6.1-6'],
      expectation: 'Each comes back in the type in which it was sent.',
    },
    [...upTo(10).flatMap(() => [text('same'), binary('same')]), text(''), binary('')],
    [
      ...upTo(10).flatMap(() => [textMessage('same'), binaryMessage('same')]),
      textMessage(''),
      binaryMessage(''),
    ],
  ),
];

const BEHIND = numbered(20).map((message) => text(message));

const FAULTS: readonly [name: string, what: string, fault: Step][] = [
  ['reserved-opcode', 'a reserved opcode', frame(3)],
  ['reserved-bit', 'a reserved bit', text('reserved', { rsv: 2 })],
  ['long-ping', 'a Ping of 126 bytes', ping(cycled('p', 126))],
  ['lone-continuation', 'a continuation with nothing to continue', continuation('lone')],
  ['bad-text', 'text that is not UTF-8', text(Uint8Array.of(0xff))],
];

const behindFault = FAULTS.flatMap(([name, what, fault]) => {
  const facts = {
    rule: 'Once the connection has failed, nothing that the peer sends is processed any more.',
    section: 'RFC 6455 §7.1.7',
    requirements: ['RFC6455-7.1.7-7'],
    expectation: 'None of the messages is echoed, and the Ping is not answered.',
  };
  return [
    ruleCase(
      {
        ...facts,
        id: `framing.nothing-behind-${name}`,
        title: `Sends ${what}, 20 texts and a Ping in one TCP write.`,
      },
      (tester) => nothingProcessed(tester, [fault, ...BEHIND, ping('behind')]),
    ),
    ruleCase(
      {
        ...facts,
        id: `framing.nothing-behind-${name}-later`,
        title: `Sends ${what}; once the Close frame has come, 20 texts and a Ping.`,
      },
      async (tester) => {
        await takeSteps(tester, [alone(fault)]);
        await tester.until(() => hasEnded(tester), PATIENCE_MS / 2);
        return nothingProcessed(tester, [...BEHIND, ping('behind')]);
      },
      { answersClose: false },
    ),
  ];
});

async function nothingProcessed(tester: Tester, steps: readonly Step[]) {
  await takeSteps(tester, steps);
  await tester.until(() => hasEnded(tester), PATIENCE_MS / 2);
  // Echoes that a peer still has in its queue come with the Close frame, or right behind.
  await tester.until(() => tester.isOver, 100);
  if (!hasEnded(tester)) return informational('The peer did not fail the connection: there is no "behind".');
  const processed = tester.events.length + answersBehindClose(tester);
  if (processed > 0)
    return breaks(`The peer sent ${processed} frames in answer to what came behind the fault.`);
  return conforms('Nothing was processed behind the fault.');
}

/** Frames behind the Close frame that can be answers to what was sent: others are the matter of other cases. */
function answersBehindClose({ frames }: Tester): number {
  const close = frames.findIndex(({ opcode }) => opcode === CLOSE);
  const isAnswer = ({ opcode, payloadLength }: FrameHeader): boolean =>
    opcode === PONG || (opcode === TEXT && payloadLength >= 'message 1'.length);
  return close === -1 ? 0 : frames.slice(close).filter(isAnswer).length;
}

const peersFrames = ruleCase(
  {
    id: 'framing.peer-keeps-reserved-values-clear',
    title:
      'Has text, binary, a fragmented message, a Ping and a Close frame answered, and looks at the headers.',
    rule: 'Who sends keeps the reserved bits clear, and uses no opcode without meaning.',
    section: SECTION,
    requirements: ['RFC6455-5.2-2', 'RFC6455-5.2-4', 'RFC6455-5.8-1'],
    expectation: 'No frame of the peer has a reserved bit or a reserved opcode.',
  },
  async (tester) => {
    const fragmented = [unfinished(text('one, ')), continuation('two')];
    await takeSteps(tester, [text('text'), binary('binary'), ...fragmented, ping('ping'), close(1000)]);
    await tester.until(() => hasEnded(tester), PATIENCE_MS);
    const violation = tester.hasViolated('reserved-bit', 'reserved-opcode');
    if (violation !== undefined) return breaks(`The peer sent ${violation.detail}.`);
    if (tester.frames.length === 0) return informational('The peer sent no frame.');
    return conforms(`${tester.frames.length} frames came, all with values that have a meaning.`);
  },
);

export const FRAMING_CASES: readonly ConformanceCase[] = [
  ...reservedBits,
  ...reservedOpcodes,
  ...cutFrames,
  ...segments,
  ...behindFault,
  peersFrames,
];
