// Cases about masking (RFC 6455 §5.1, §5.3): a client masks every frame, with keys that nobody can foresee; a server masks
// none; each fails the connection when the other does it wrong; and payloads come out whole at every length.

import { CLOSE, CONTINUATION, opcodeName, PING, PONG, TEXT } from '../../wire/opcode.js';
import type { ConformanceCase } from '../case.js';
import { type CaseFacts, type Exchange, exchangeCase, finishClosing, takeSteps } from '../exchange.js';
import type { ExpectedClose } from '../judgement.js';
import { open } from '../opening.js';
import { cycled, fromHex, type Payload } from '../payload.js';
import { binary, chopped, continuation, frame, ping, pong, type Step, text, unfinished } from '../step.js';
import type { Tester } from '../tester.js';

import { MASKING_KEY_CASES, verdict } from './masking-keys.js';

const LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 125, 126, 127, 128, 129, 130, 65_535, 65_536];

/** Any end will do: these cases are not about it. */
const ANY_CODE = [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011];
const ENDED_BY_TESTER: ExpectedClose = { by: 'tester', codes: ANY_CODE, isClean: false };
const ENDED_BY_PEER: ExpectedClose = {
  by: 'peer',
  codes: ANY_CODE,
  isClean: false,
  endIsBehavior: 'wrong side',
};

type Facts = Omit<CaseFacts, 'group' | 'subjects'>;

/** Messages and Pings, and what the peer sends in return: each message, and a Pong for each Ping. */
function echoed(
  facts: Facts & Pick<CaseFacts, 'subjects'>,
  steps: readonly Step[],
  more: Partial<Exchange> = {},
) {
  return endingAnyhow(
    { ...facts, group: 'masking' },
    {
      steps,
      outcomes: [{ behavior: 'OK', events: steps.flatMap(returnOf) }],
      close: ENDED_BY_TESTER,
      closesOnMatch: true,
      ...more,
    },
  );
}

/** An exchange whose closing handshake is not looked at. */
function endingAnyhow(facts: CaseFacts, exchange: Exchange): ConformanceCase {
  const one = exchangeCase(facts, exchange);
  return { ...one, run: async (encounter) => ({ ...(await one.run(encounter)), behaviorClose: 'OK' }) };
}

function returnOf(step: Step) {
  if (step.do !== 'send' || step.frame.opcode === PONG) return [];
  const { opcode, payload = '' } = step.frame;
  const type = opcode === PING ? 'pong' : opcode === TEXT ? 'text' : 'binary';
  return [{ type, payload } as const];
}

/** Every frame of the client counts, whatever else it did: one without a mask fails the case. */
function clientMasks(
  id: string,
  facts: Omit<Facts, 'id' | 'rule' | 'section'>,
  steps: readonly Step[],
): ConformanceCase {
  return watched(
    {
      id: `masking.client-masks-${id}`,
      rule: 'A client masks every frame that it sends.',
      section: 'RFC 6455 §5.1, §5.3',
      subjects: ['client'],
      ...facts,
    },
    steps,
    ({ frames }) => {
      // The Close frame has a case of its own.
      const bare = frames.find(({ isMasked, opcode }) => !isMasked && opcode !== CLOSE);
      return bare && `The peer sent a ${opcodeName(bare.opcode)} frame without a mask.`;
    },
  );
}

/** Looks at the frames that come in return; whether they are the right ones is the matter of other cases. */
function watched(
  facts: Facts & Pick<CaseFacts, 'subjects'>,
  steps: readonly Step[],
  faultOf: (tester: Tester) => string | undefined,
): ConformanceCase {
  const due = steps.flatMap(returnOf).length;
  return {
    ...facts,
    group: 'masking',
    limitMs: 10_000,
    run: async (encounter) => {
      const { tester } = await open(encounter);
      await takeSteps(tester, steps);
      await tester.until(() => tester.events.length >= due || !tester.isOpen, 1000);
      await tester.close(1000);
      await finishClosing(tester);
      return verdict(tester, tester.frames.length === 0 ? 'No frame came to look at.' : faultOf(tester));
    },
  };
}

const CLIENT_MASKS_CASES: readonly ConformanceCase[] = [
  clientMasks(
    'messages',
    {
      title: 'Sends text and binary messages, and looks at MASK in the echoes.',
      requirements: ['RFC6455-5.1-1', 'RFC6455-5.3-1', 'RFC6455-6.1-8'],
      expectation: 'Each echo is masked.',
    },
    [text('masked?'), binary(fromHex('00ff80')), text(cycled('long', 300)), binary(cycled('longer', 70_000))],
  ),
  clientMasks(
    'empty-frames',
    {
      title: 'Sends empty messages and an empty Ping, and looks at MASK in what comes back.',
      requirements: ['RFC6455-5.1-1', 'RFC6455-5.3-1', 'RFC6455-5.3-6'],
      expectation: 'Frames without payload have MASK set and a masking key too.',
    },
    [ping(''), text(''), binary('')],
  ),
  clientMasks(
    'pongs',
    {
      title: 'Sends Pings of 0, 4 and 125 bytes, each after the Pong of the one before.',
      requirements: ['RFC6455-5.1-1', 'RFC6455-5.3-1'],
      expectation: 'Each Pong is masked.',
    },
    [ping(''), pingAfterPong('ping'), pingAfterPong(cycled('x', 125))].flat(),
  ),
  {
    id: 'masking.client-masks-close',
    group: 'masking',
    subjects: ['client'],
    title: 'Sends a Close frame, and looks at MASK in the answer.',
    rule: 'A client masks every frame that it sends, the Close frame too.',
    section: 'RFC 6455 §5.1, §5.5.1',
    requirements: ['RFC6455-5.1-1', 'RFC6455-5.3-1', 'RFC6455-5.5.1-5'],
    expectation: 'The Close frame of the client is masked.',
    limitMs: 10_000,
    run: async (encounter) => {
      const { tester } = await open(encounter);
      await tester.close(1000, 'bye');
      await finishClosing(tester);
      const answer = tester.frames.find(({ opcode }) => opcode === CLOSE);
      if (answer === undefined) {
        const nothing = verdict(tester, undefined, 'The client sent no Close frame to look at.');
        return { ...nothing, behavior: 'INFORMATIONAL' };
      }
      return verdict(tester, answer.isMasked ? undefined : 'The Close frame is not masked.');
    },
  },
];

/** Clients may answer the last of several Pings only, so some time passes in between. */
function pingAfterPong(payload: Payload): Step[] {
  return [{ do: 'pause', ms: 20 }, ping(payload)];
}

/** Messages of many lengths: the echo is the same octets, so that both directions were masked by the rule. */
const LENGTH_CASES: readonly ConformanceCase[] = [
  echoed(
    {
      id: 'masking.every-length',
      subjects: ['server', 'client'],
      title: `Sends binary messages of ${LENGTHS.join(', ')} bytes.`,
      rule: 'Octet i of the payload is XORed with octet i mod 4 of the key, and the length stays what it is.',
      section: 'RFC 6455 §5.3',
      requirements: ['RFC6455-5.3-5', 'RFC6455-5.3-6'],
      expectation: 'Each message comes back as it was.',
    },
    LENGTHS.map((length) => binary(cycled(fromHex('00017f80feff5a'), length))),
    { patienceMs: 3000 },
  ),
  echoed(
    {
      id: 'masking.server-unmasks-in-pieces',
      subjects: ['server'],
      title: 'Sends masked messages in TCP writes of 1, 2, 3, 5 and 7 bytes.',
      rule: 'Which octet of the key belongs to an octet depends on its place in the payload, not in what TCP delivers.',
      section: 'RFC 6455 §5.3',
      requirements: ['RFC6455-5.3-5', 'RFC6455-6.2-7'],
      expectation: 'Each message comes back as it was.',
    },
    [1, 2, 3, 5, 7].map((size) => chopped(size, binary(cycled('abcdefghijklmnopqrstuvwxyz', 40 + size)))),
    { patienceMs: 3000 },
  ),
  endingAnyhow(
    {
      id: 'masking.server-unmasks-each-fragment',
      group: 'masking',
      subjects: ['server'],
      title: 'Sends a text in five fragments of 1 to 5 bytes, each with a masking key of its own.',
      rule: 'Each frame is unmasked with its own key, from the first octet of the key on.',
      section: 'RFC 6455 §5.3',
      requirements: ['RFC6455-5.3-5'],
      expectation: 'The message comes back as it was.',
    },
    {
      steps: [
        unfinished(text('a')),
        unfinished(continuation('bc')),
        unfinished(continuation('def')),
        unfinished(continuation('ghij')),
        continuation('klmno'),
      ],
      outcomes: [{ behavior: 'OK', events: [{ type: 'text', payload: 'abcdefghijklmno' }] }],
      close: ENDED_BY_TESTER,
      closesOnMatch: true,
    },
  ),
  echoed(
    {
      id: 'masking.server-takes-any-key',
      subjects: ['server'],
      title: 'Sends messages with the masking keys 00000000, ffffffff and 00ff00ff, and with one key twice.',
      rule: 'A server unmasks with whatever key it gets; zero is a key like the others.',
      section: 'RFC 6455 §5.3',
      requirements: ['RFC6455-5.3-5'],
      expectation: 'Each message comes back as it was.',
    },
    ['00000000', 'ffffffff', '00ff00ff', '12345678', '12345678'].map((key) =>
      text(`key ${key}`, { maskingKey: fromHex(key) }),
    ),
  ),
];

/** A server fails the connection over a frame without a mask, whatever kind it is of. */
function serverRefuses(id: string, what: string, steps: readonly Step[], before?: string): ConformanceCase {
  return endingAnyhow(
    {
      id: `masking.server-refuses-${id}`,
      group: 'masking',
      subjects: ['server'],
      title: `Sends ${what}.`,
      rule: 'A server ends the connection when it gets a frame that is not masked, and does nothing with its payload.',
      section: 'RFC 6455 §5.1',
      requirements: ['RFC6455-5.1-2', 'RFC6455-5.1-3'],
      expectation: 'The server ends the connection, with a Close frame such as 1002 or without.',
    },
    refused(steps, before),
  );
}

/** The same for a client that gets a frame with a mask. */
function clientRefuses(id: string, what: string, steps: readonly Step[], before?: string): ConformanceCase {
  return endingAnyhow(
    {
      id: `masking.client-refuses-${id}`,
      group: 'masking',
      subjects: ['client'],
      title: `Sends ${what}.`,
      rule: 'A client ends the connection when it gets a frame that is masked, and does nothing with its payload.',
      section: 'RFC 6455 §5.1',
      requirements: ['RFC6455-5.1-5', 'RFC6455-5.1-6'],
      expectation: 'The client ends the connection, with a Close frame such as 1002 or without.',
    },
    refused(steps, before),
  );
}

function refused(steps: readonly Step[], before: string | undefined): Exchange {
  const echo = before === undefined ? [] : [{ type: 'text', payload: before } as const];
  return {
    steps,
    // The echo of a good message may be overtaken by the end.
    outcomes: [
      { behavior: 'OK', events: echo },
      ...(echo.length > 0 ? [{ behavior: 'OK' as const, events: [] }] : []),
    ],
    close: ENDED_BY_PEER,
  };
}

const unmasked = { isMasked: false };
const masked = { isMasked: true };

const REFUSAL_CASES: readonly ConformanceCase[] = [
  serverRefuses('unmasked-text', 'a text frame without a mask', [text('no mask', unmasked)]),
  serverRefuses('unmasked-binary', 'a binary frame of 126 bytes without a mask', [
    binary(cycled('no mask', 126), unmasked),
  ]),
  serverRefuses('unmasked-empty-frame', 'an empty text frame without a mask', [text('', unmasked)]),
  serverRefuses('unmasked-ping', 'a Ping without a mask', [ping('no mask', unmasked)]),
  serverRefuses('unmasked-pong', 'a Pong without a mask', [pong('no mask', unmasked)]),
  serverRefuses('unmasked-fragment', 'the first half of a message with a mask, and the second half without', [
    unfinished(text('half ')),
    continuation('no mask', unmasked),
  ]),
  serverRefuses(
    'unmasked-frame-later',
    'a text message with a mask, and then one without',
    [text('good'), text('no mask', unmasked)],
    'good',
  ),
  clientRefuses('masked-text', 'a text frame with a mask', [text('mask', masked)]),
  clientRefuses('masked-text-with-zero-key', 'a text frame with the mask 00000000, which changes no octet', [
    text('mask', { isMasked: true, maskingKey: fromHex('00000000') }),
  ]),
  clientRefuses('masked-empty-frame', 'an empty binary frame with a mask', [binary('', masked)]),
  clientRefuses('masked-ping', 'a Ping with a mask', [ping('mask', masked)]),
  clientRefuses('masked-pong', 'a Pong with a mask', [pong('mask', masked)]),
  clientRefuses(
    'masked-fragment',
    'the first half of a message without a mask, and the second half with one',
    [unfinished(text('half ')), frame(CONTINUATION, 'mask', masked)],
  ),
  clientRefuses(
    'masked-frame-later',
    'a text message without a mask, and then one with',
    [text('good'), text('mask', masked)],
    'good',
  ),
];

const SERVER_MASKS_CASES: readonly ConformanceCase[] = [
  watched(
    {
      id: 'masking.server-masks-nothing',
      subjects: ['server'],
      title:
        'Sends messages and a Ping, empty ones too, and a Close frame, and looks at MASK in what comes back.',
      rule: 'A server masks no frame.',
      section: 'RFC 6455 §5.1',
      requirements: ['RFC6455-5.1-4'],
      expectation: 'No frame of the server has MASK set.',
    },
    [ping('mask?'), text('mask?'), binary(''), text(cycled('long', 300)), binary(cycled('longer', 70_000))],
    ({ violations }) => {
      const masked = violations.find(({ kind }) => kind === 'masked-frame');
      return masked && `The peer sent ${masked.detail}.`;
    },
  ),
];

export const MASKING_CASES: readonly ConformanceCase[] = [
  ...CLIENT_MASKS_CASES,
  ...MASKING_KEY_CASES,
  ...LENGTH_CASES,
  ...SERVER_MASKS_CASES,
  ...REFUSAL_CASES,
];
