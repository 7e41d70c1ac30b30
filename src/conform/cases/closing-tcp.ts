// How TCP ends (RFC 6455 §7.1): by the server and in good order after the closing handshake, soon after a failure, and
// never with one half left open.

import type { ConformanceCase } from '../case.js';
import { takeSteps } from '../exchange.js';
import { cycled, fromHex } from '../payload.js';
import {
  breaks,
  conforms,
  hasEnded,
  informational,
  nonStrict,
  PATIENCE_MS,
  type RuleFacts,
  ruleCase,
} from '../rule-case.js';
import { bytes, close, frame, type Step, text, unfinished } from '../step.js';
import type { Tester } from '../tester.js';

const TCP_END = 'RFC 6455 §7.1.1';
export const NO_CLOSE = 'The peer sent no Close frame.';
/** A reserved opcode: what every peer has to fail the connection over. */
export const FAULT = frame(3);

/** Sends `steps`, the last of which closes, and waits for the peer's Close frame. */
export async function closing(
  tester: Tester,
  steps: readonly Step[],
  limitMs = PATIENCE_MS,
): Promise<boolean> {
  await takeSteps(tester, steps);
  await tester.until(() => hasEnded(tester), limitMs);
  return tester.peerClose !== null;
}

/** Reads on until the peer ends TCP, without ending it first. */
export async function readToEnd(tester: Tester, limitMs = PATIENCE_MS / 2): Promise<boolean> {
  // A server ends TCP by itself; a client may wait for the tester to do so, which `leave()` does later.
  return tester.until(() => tester.isOver, tester.subject === 'server' ? limitMs : limitMs / 5);
}

const serverEndsTcp = ruleCase(
  {
    id: 'closing.server-ends-tcp',
    title: 'Sends a Close frame, and once it is answered does nothing for a second.',
    rule: 'After Close frames both ways the server ends TCP, at once and before the client does.',
    section: 'RFC 6455 §5.5.1, §7.1.1',
    requirements: [
      'RFC6455-5.5.1-11',
      'RFC6455-5.5.1-12',
      'RFC6455-7.1.1-3',
      'RFC6455-7.1.1-5',
      'RFC6455-7.1.2-2',
    ],
    expectation: 'The server ends TCP within a second.',
    subjects: ['server'],
  },
  async (tester) => {
    if (!(await closing(tester, [close(1000)]))) return informational(NO_CLOSE);
    const hasEndedTcp = await readToEnd(tester, PATIENCE_MS);
    return hasEndedTcp ? conforms('The server ended TCP.') : breaks('The server left TCP open.');
  },
);

const serverEndsTcpAfterFailure = ruleCase(
  {
    id: 'closing.server-ends-tcp-after-failure',
    title: 'Sends a frame with a reserved opcode, and answers the Close frame that it brings.',
    rule: 'A server that fails a connection ends TCP, at the latest when its Close frame is answered.',
    section: 'RFC 6455 §7.1.7',
    requirements: ['RFC6455-7.1.7-3', 'RFC6455-5.5.1-12', 'RFC6455-7.1.1-5'],
    expectation: 'The server ends TCP within a second.',
    subjects: ['server'],
  },
  async (tester) => {
    await closing(tester, [FAULT]);
    if (!hasEnded(tester)) return informational('The server did not fail the connection.');
    return (await readToEnd(tester, PATIENCE_MS))
      ? conforms('The server ended TCP.')
      : breaks('The server left TCP open.');
  },
);

const CLIENT_WAITS_MS = 300;

const clientWaits: RuleFacts = {
  id: 'closing.client-leaves-tcp-to-server',
  title: 'Sends a Close frame, and ends TCP 300 ms after it is answered.',
  rule: 'After the closing handshake a client waits for the server to end TCP, and then ends it too.',
  section: 'RFC 6455 §5.5.1, §7.1.1',
  requirements: ['RFC6455-5.5.1-13', 'RFC6455-5.5.1-14', 'RFC6455-7.1.1-6', 'RFC6455-7.1.1-4'],
  expectation:
    'The client leaves TCP open for that time (one that does not is NON-STRICT), and ends it afterwards.',
  subjects: ['client'],
};

const clientLeavesTcp = ruleCase(clientWaits, async (tester) => {
  if (!(await closing(tester, [close(1000)]))) return informational(NO_CLOSE);
  const { connection } = tester;
  if (await connection.until(() => connection.isOver, CLIENT_WAITS_MS)) {
    return nonStrict('The client ended TCP before the server did.');
  }
  connection.end();
  return (await connection.until(() => connection.isOver, PATIENCE_MS))
    ? conforms('The client waited, and ended TCP after the server.')
    : breaks('The client left its side of TCP open after the server had ended it.');
});

const ABANDONED: readonly [id: string, title: string, steps: readonly Step[]][] = [
  ['idle', 'Ends TCP without a Close frame, nothing under way.', []],
  ['inside-message', 'Sends a first fragment, then ends TCP.', [unfinished(text('first'))]],
  [
    'inside-frame',
    'Sends the header and 5 bytes of a frame of 100, then ends TCP.',
    [
      { do: 'head', frame: { opcode: 1, payload: cycled('x', 100) } },
      { do: 'body', bytes: 5 },
    ],
  ],
  ['inside-header', 'Sends the first byte of a frame, then ends TCP.', [bytes(fromHex('81'))]],
];

const abandoned = ABANDONED.map(([id, title, steps]) =>
  ruleCase(
    {
      id: `closing.tcp-ended-${id}`,
      title,
      rule: 'When the other side ends TCP, the connection is lost: no half of it is kept open.',
      section: 'RFC 6455 §7.1.4, §7.2.1',
      requirements: ['RFC6455-7.2.1-2', 'RFC6455-7.1.4-1', 'RFC6455-7.1.7-1'],
      expectation:
        'The peer ends its side within a second. A server that does not is NON-STRICT, a client has FAILED.',
    },
    async (tester) => {
      const { connection } = tester;
      await takeSteps(tester, steps);
      connection.end();
      if (await connection.until(() => connection.isOver, PATIENCE_MS)) {
        return tester.messages.length > 0
          ? breaks('A message came that was never finished.')
          : conforms('The peer ended its side of TCP.');
      }
      const why = 'The peer left its side of TCP open.';
      return tester.subject === 'client' ? breaks(why) : nonStrict(why);
    },
  ),
);

const orderlyEnd = ruleCase(
  {
    id: 'closing.tcp-ends-orderly',
    title: 'Sends a text and a Close frame, and looks at how TCP ends.',
    rule: 'TCP is closed in an orderly way, so that nothing that was sent is lost; cutting it off is for emergencies.',
    section: TCP_END,
    requirements: ['RFC6455-7.1.1-1', 'RFC6455-7.1.1-2'],
    expectation: 'TCP ends with FIN. A peer that resets it is NON-STRICT.',
  },
  async (tester) => {
    if (!(await closing(tester, [text('last'), close(1000)]))) return informational(NO_CLOSE);
    const { connection } = tester;
    if (tester.subject === 'client') connection.end();
    await connection.until(() => connection.isOver, PATIENCE_MS);
    if (connection.wasReset) return nonStrict('The peer reset TCP.');
    return connection.isOver ? conforms('TCP ended in good order.') : informational('TCP stayed open.');
  },
);

const FAILURES: readonly [id: string, title: string, behind: readonly Step[]][] = [
  ['', 'Sends a frame with a reserved opcode.', []],
  [
    '-behind-which-data-follows',
    'Sends a frame with a reserved opcode, and 20 texts of 10,000 bytes behind it.',
    Array.from({ length: 20 }, () => text(cycled('more ', 10_000))),
  ],
];

const failures = FAILURES.map(([id, title, behind]) =>
  ruleCase(
    {
      id: `closing.failure-is-told-first${id}`,
      title,
      rule: 'Who fails a connection that was established sends a Close frame first, and ends TCP so that it arrives.',
      section: 'RFC 6455 §7.1.7, §7.1.1, §10.7',
      requirements: [
        'RFC6455-7.1.7-5',
        'RFC6455-7.1.7-6',
        'RFC6455-10.7-3',
        'RFC6455-7.1.1-1',
        'RFC6455-10.7-2',
      ],
      expectation: 'A Close frame comes before TCP ends. Without one it is NON-STRICT.',
    },
    async (tester) => {
      if (await closing(tester, [FAULT, ...behind])) return conforms('A Close frame said why.');
      if (!tester.isOver) return informational('The peer did not fail the connection.');
      return nonStrict('TCP ended, and no Close frame had come.');
    },
  ),
);

const failureEnds = ruleCase(
  {
    id: 'closing.failure-ends-tcp-unanswered',
    title: 'Sends a frame with a reserved opcode, and never answers the Close frame that it brings.',
    rule: 'A connection that has failed is closed; that does not hang on the other side.',
    section: 'RFC 6455 §7.1.7',
    requirements: ['RFC6455-7.1.7-1', 'RFC6455-7.1.7-3'],
    expectation: 'The peer ends TCP within a second. One that waits longer for an answer is INFORMATIONAL.',
  },
  async (tester) => {
    await closing(tester, [FAULT]);
    if (!hasEnded(tester)) return informational('The peer did not fail the connection.');
    return (await tester.until(() => tester.isOver, PATIENCE_MS))
      ? conforms('The peer ended TCP.')
      : informational('The peer waits for an answer to its Close frame.');
  },
  { answersClose: false },
);

export const TCP_END_CASES: readonly ConformanceCase[] = [
  serverEndsTcp,
  serverEndsTcpAfterFailure,
  clientLeavesTcp,
  ...abandoned,
  orderlyEnd,
  ...failures,
  failureEnds,
];
