// Status codes (RFC 6455 §7.4): which of them a peer takes, which it sends itself, and what it says about each fault.

import { isSendableCloseCode } from '../../wire/close-code.js';
import { BINARY } from '../../wire/opcode.js';
import type { ConformanceCase } from '../case.js';
import { takeSteps } from '../exchange.js';
import { cycled, fromHex } from '../payload.js';
import type { Subject } from '../result.js';
import {
  breaks,
  conforms,
  hasEnded,
  informational,
  nonStrict,
  PATIENCE_MS,
  refusedCase,
  ruleCase,
} from '../rule-case.js';
import { binary, close, closeWith, continuation, frame, ping, type Step, text, unfinished } from '../step.js';
import type { Behavior } from '../verdict.js';

const SECTION = 'RFC 6455 §7.4';

/** Autobahn's 7.7 has the codes that stand in RFC 6455 itself and the ends of the ranges, without reasons. */
const ACCEPTED: readonly [code: number, requirement: string, whenRefused: Behavior][] = [
  [1000, 'RFC6455-7.4.1-1', 'FAILED'],
  [1011, 'RFC6455-7.4.1-1', 'FAILED'],
  // Registered after the RFC: a peer may not know them.
  [1012, 'RFC6455-7.4.1-1', 'NON-STRICT'],
  [1013, 'RFC6455-7.4.1-1', 'NON-STRICT'],
  [1014, 'RFC6455-7.4.1-1', 'NON-STRICT'],
  [3001, 'RFC6455-7.4.2-1', 'FAILED'],
  [3500, 'RFC6455-7.4.2-1', 'FAILED'],
  [4001, 'RFC6455-7.4.2-1', 'FAILED'],
  [4500, 'RFC6455-7.4.2-1', 'FAILED'],
];

const accepted = ACCEPTED.map(([code, requirement, whenRefused]) =>
  ruleCase(
    {
      id: `close-code.${code}-with-reason`,
      title: `Sends a Close frame with code ${code} and a reason.`,
      rule: 'Codes that are defined, registered or left to applications may come, with a reason or without.',
      section: SECTION,
      requirements: [requirement, 'RFC6455-7.4-1', 'RFC6455-5.5.1-3'],
      expectation: `The answer is not 1002 or 1007.${whenRefused === 'FAILED' ? '' : ' One that is, is NON-STRICT.'}`,
    },
    async (tester) => {
      await takeSteps(tester, [close(code, 'a reason')]);
      await tester.until(() => hasEnded(tester), PATIENCE_MS);
      const answer = tester.peerClose?.code;
      if (answer === undefined)
        return informational('No Close frame came: how the code was taken cannot be told.');
      if ((answer === 1002 && code !== 1002) || (answer === 1007 && code !== 1007)) {
        return { behavior: whenRefused, why: `The peer refused the code with ${answer}.` };
      }
      return conforms('The peer took the code.');
    },
  ),
);

/** Those that Autobahn's 7.9 and 7.13 leave out. */
const REFUSED: readonly [code: number, whenAccepted: Behavior, note: string][] = [
  [1, 'FAILED', 'unused'],
  [255, 'FAILED', 'unused'],
  [256, 'FAILED', 'unused'],
  [998, 'FAILED', 'unused'],
  [1015, 'FAILED', 'for local use'],
  [1017, 'FAILED', 'not assigned'],
  [1500, 'FAILED', 'not assigned'],
  [2001, 'FAILED', 'not assigned'],
  [5001, 'INFORMATIONAL', 'outside all ranges'],
  [10_000, 'INFORMATIONAL', 'outside all ranges'],
  [32_768, 'INFORMATIONAL', 'outside all ranges'],
  // 1000 with its bytes in the wrong order.
  [0xe803, 'INFORMATIONAL', 'outside all ranges'],
];

const refused = REFUSED.map(([code, whenAccepted, note]) =>
  refusedCase(
    {
      id: `close-code.${code}-refused`,
      title: `Sends a Close frame with code ${code}, which is ${note}.`,
      rule: 'Codes below 1000 are unused, those up to 2999 belong to the protocol; 1005, 1006 and 1015 never travel.',
      section: SECTION,
      requirements: [
        code === 1015 ? 'RFC6455-7.4.1-7' : 'RFC6455-7.4.2-1',
        'RFC6455-10.7-1',
        'RFC6455-5.5.1-2',
      ],
      expectation:
        whenAccepted === 'FAILED'
          ? 'The answer is not that of a good Close frame: 1002, or the end of TCP.'
          : 'The code is refused. A peer that takes it is INFORMATIONAL: the RFC defines nothing above 4999.',
    },
    { steps: [close(code)], hasWitness: false, whenAccepted },
  ),
);

const shortPayloads = ['00', '03', 'ff'].map((hex) =>
  refusedCase(
    {
      id: `close-code.one-byte-${hex}`,
      title: `Sends a Close frame whose payload is the one byte ${hex.toUpperCase()}.`,
      rule: 'The payload of a Close frame is empty, or starts with two bytes of code.',
      section: 'RFC 6455 §5.5.1',
      requirements: ['RFC6455-5.5.1-2'],
      expectation: 'The answer is not that of a good Close frame: 1002, or the end of TCP.',
    },
    { steps: [closeWith(fromHex(hex))], hasWitness: false },
  ),
);

const LOCAL_CODES: readonly (number | null)[] = [1005, 1006, 1015];

/** Situations for which a library has one of the local codes at hand. */
const TEMPTATIONS: readonly [id: string, title: string, steps: readonly Step[], endsTcp: boolean][] = [
  ['empty-close', 'Sends a Close frame without a code.', [close()], false],
  ['close-with-1005', 'Sends a Close frame with code 1005.', [close(1005)], false],
  ['close-with-1006', 'Sends a Close frame with code 1006.', [close(1006)], false],
  ['close-with-1015', 'Sends a Close frame with code 1015.', [close(1015)], false],
  ['end-of-tcp', 'Ends its side of TCP without a Close frame, and reads on.', [text('last')], true],
  [
    'end-inside-message',
    'Ends its side of TCP inside a message, and reads on.',
    [unfinished(text('first'))],
    true,
  ],
  ['fault', 'Sends a frame with a reserved opcode.', [frame(3)], false],
  ['bad-text', 'Sends a text that is not UTF-8.', [text(fromHex('ff'))], false],
];

const local = TEMPTATIONS.map(([id, title, steps, endsTcp]) =>
  ruleCase(
    {
      id: `close-code.no-local-code-after-${id}`,
      title,
      rule: 'The codes 1005, 1006 and 1015 are for local use and never travel.',
      section: 'RFC 6455 §7.4.1',
      requirements: ['RFC6455-7.4.1-3', 'RFC6455-7.4.1-4', 'RFC6455-7.4.1-7', 'RFC6455-7.1.5-1'],
      expectation: 'If a Close frame comes, it has none of these codes.',
    },
    async (tester) => {
      await takeSteps(tester, steps);
      if (endsTcp) tester.connection.end();
      const { connection } = tester;
      await connection.until(() => hasEnded(tester), PATIENCE_MS);
      const code = tester.peerClose?.code ?? null;
      if (LOCAL_CODES.includes(code)) return breaks(`The peer sent code ${code}.`);
      return conforms(
        tester.peerClose === null ? 'No Close frame came.' : 'The Close frame has no such code.',
      );
    },
  ),
);

const noMandatoryExtension = ruleCase(
  {
    id: 'close-code.server-never-sends-1010',
    title: 'Sends a Close frame with code 1010, as a client may that misses an extension.',
    rule: 'Code 1010 is for clients: a server never uses it.',
    section: 'RFC 6455 §7.4.1',
    requirements: ['RFC6455-7.4.1-6', 'RFC6455-7.4.1-5', 'RFC6455-5.5.1-8'],
    expectation:
      'The answer has another code, or none. One that only repeats the code is INFORMATIONAL (§5.5.1).',
    subjects: ['server'],
  },
  async (tester) => {
    await takeSteps(tester, [close(1010, 'permessage-deflate')]);
    await tester.until(() => hasEnded(tester), PATIENCE_MS);
    if (tester.peerClose === null) return informational('No Close frame came.');
    if (tester.peerClose.code === 1010) return informational('The server repeated the code.');
    if (tester.peerClose.code === 1002) return nonStrict('The server took 1010 for a fault.');
    return conforms('The server did not send 1010.');
  },
);

interface Fault {
  id: string;
  title: string;
  steps: readonly Step[];
  codes: readonly number[];
  subjects?: readonly Subject[];
  requirements?: readonly string[];
}

const FAULTS: readonly Fault[] = [
  { id: 'reserved-opcode', title: 'Sends opcode 3.', steps: [frame(3)], codes: [1002] },
  { id: 'reserved-bit', title: 'Sends a text with RSV2.', steps: [text('x', { rsv: 2 })], codes: [1002] },
  { id: 'long-ping', title: 'Sends a Ping of 126 bytes.', steps: [ping(cycled('p', 126))], codes: [1002] },
  {
    id: 'split-ping',
    title: 'Sends a Ping without FIN.',
    steps: [ping('p', { isFinal: false })],
    codes: [1002],
  },
  {
    id: 'lone-continuation',
    title: 'Sends a continuation alone.',
    steps: [continuation('x')],
    codes: [1002],
  },
  {
    id: 'message-inside-message',
    title: 'Sends a text inside a fragmented text.',
    steps: [unfinished(text('x')), text('y')],
    codes: [1002],
  },
  {
    id: 'top-bit-of-length',
    title: 'Sends a binary frame that announces 2^63 bytes.',
    steps: [binary('x', { announcedLength: 1n << 63n })],
    codes: [1002, 1009],
  },
  {
    id: 'missing-mask',
    title: 'Sends a text without a mask.',
    steps: [text('x', { isMasked: false })],
    codes: [1002],
    subjects: ['server'],
    requirements: ['RFC6455-5.1-2', 'RFC6455-5.1-3'],
  },
  {
    id: 'mask-from-server',
    title: 'Sends a text with a mask.',
    steps: [text('x', { isMasked: true })],
    codes: [1002],
    subjects: ['client'],
    requirements: ['RFC6455-5.1-5', 'RFC6455-5.1-6'],
  },
  { id: 'bad-text', title: 'Sends a text that is not UTF-8.', steps: [text(fromHex('61ff'))], codes: [1007] },
  {
    id: 'bad-text-in-fragments',
    title: 'Sends a text whose last fragment is not UTF-8.',
    steps: [unfinished(text('a')), continuation(fromHex('ff'))],
    codes: [1007],
  },
  {
    id: 'size',
    title: 'Sends a binary frame that announces 2^62 bytes.',
    steps: [{ do: 'head', frame: { opcode: BINARY, announcedLength: 1n << 62n } }],
    codes: [1009],
    requirements: ['RFC6455-10.4-2'],
  },
];

/** Whether a code may travel, and is neither the one of a normal end nor that of an endpoint which goes away (§7.4). */
function saysFailure(code: number): boolean {
  return isSendableCloseCode(code) && code !== 1000 && code !== 1001;
}

const faults = FAULTS.map(({ id, title, steps, codes, subjects, requirements = [] }) =>
  ruleCase(
    {
      id: `close-code.fault-${id}`,
      title,
      rule:
        'A code, if there is one, fits the fault: 1002 is about the protocol, 1007 about the contents of a text, 1009 ' +
        'about the size.',
      section: 'RFC 6455 §7.1.7, §7.4.1',
      requirements: ['RFC6455-7.4.1-1', 'RFC6455-7.4-1', 'RFC6455-7.1.2-1', ...requirements],
      expectation:
        `If a Close frame comes, its code is ${codes.join(' or ')}. Another code of a failure is NON-STRICT; one that ` +
        'stands for no failure, or never travels, is the WRONG CODE.',
      ...(subjects !== undefined && { subjects }),
    },
    async (tester) => {
      await takeSteps(tester, steps);
      await tester.until(() => hasEnded(tester), PATIENCE_MS);
      if (tester.peerClose === null) return informational('No Close frame came that could say why.');
      const { code } = tester.peerClose;
      if (code === null) return informational('The Close frame has no code.');
      if (codes.includes(code)) return conforms(`The code is ${code}.`);
      const why = `The code is ${code}, not ${codes.join(' or ')}.`;
      // §7.1.7 says no more than that the code should be appropriate, and §7.4.1 that the defined ones may be used.
      return saysFailure(code) ? nonStrict(why) : { behavior: 'OK', why, behaviorClose: 'WRONG CODE' };
    },
  ),
);

export const CLOSE_CODE_CASES: readonly ConformanceCase[] = [
  ...accepted,
  ...refused,
  ...shortPayloads,
  ...local,
  noMandatoryExtension,
  ...faults,
];
