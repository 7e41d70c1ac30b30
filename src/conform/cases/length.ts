// Payload lengths (RFC 6455 §5.2): the shortest of three forms, the high byte first, the top bit of the longest clear; and
// lengths that are announced and never come.

import { BINARY, CONTINUATION, opcodeName, PING, PONG, TEXT } from '../../wire/opcode.js';
import type { ConformanceCase } from '../case.js';
import { takeSteps } from '../exchange.js';
import type { FrameSpec } from '../frame.js';
import { cycled, repeated } from '../payload.js';
import {
  awaitMessages,
  binaryMessage,
  breaks,
  conforms,
  echoedCase,
  hasEnded,
  informational,
  nonStrict,
  PATIENCE_MS,
  promptlyRefusedCase,
  type RuleFacts,
  refusedCase,
  ruleCase,
  stillServes,
} from '../rule-case.js';
import { binary, frame, text, unfinished } from '../step.js';

const SECTION = 'RFC 6455 §5.2';

const minimal = [0, 1, 125, 126, 127, 65_535, 65_536].map((length) =>
  ruleCase(
    {
      id: `length.peer-writes-${length}-minimally`,
      title: `Sends a binary message of ${length} bytes and looks at the length in the header of the echo.`,
      rule: 'A length takes the shortest of the three forms that can hold it, in every frame.',
      section: SECTION,
      requirements: ['RFC6455-5.2-6', 'RFC6455-5.2-5'],
      expectation:
        'No frame of the peer has a longer length field than it needs, nor one with the top bit set.',
    },
    async (tester) => {
      const payload = cycled('length ', length);
      await takeSteps(tester, [binary(payload)]);
      await awaitMessages(tester, 1);
      const violation = tester.hasViolated('length-not-minimal');
      if (violation !== undefined) return breaks(`The peer sent ${violation.detail}.`);
      if (tester.messages.length > 0) return conforms('Every length has the shortest form.');
      if (tester.peerClose?.code === 1009) return informational('The peer takes no message of that size.');
      return informational('No echo came: how the peer writes lengths cannot be told.');
    },
  ),
);

const NOT_MINIMAL: readonly [length: number, lengthForm: 16 | 64][] = [
  [0, 16],
  [5, 16],
  [125, 16],
  [0, 64],
  [5, 64],
  [125, 64],
  [300, 64],
  [65_535, 64],
];

const notMinimal = NOT_MINIMAL.map(([length, lengthForm]) =>
  refusedCase(
    {
      id: `length.${length}-in-${lengthForm}-bits`,
      title: `Sends a binary frame whose length ${length} is written in ${lengthForm} bits.`,
      rule: 'The sender has to use the shortest form; a receiver that takes another one lets a rule be broken.',
      section: SECTION,
      requirements: ['RFC6455-5.2-6', 'RFC6455-10.7-1'],
      expectation: 'The connection is failed. A peer that takes the frame is lenient (NON-STRICT).',
    },
    { steps: [binary(repeated('*', length), { lengthForm })], whenAccepted: 'NON-STRICT' },
  ),
);

const CONTROL_NOT_MINIMAL: readonly (readonly [number, 16 | 64])[] = [
  [PING, 16],
  [PING, 64],
  [PONG, 16],
  [PONG, 64],
];

const controlNotMinimal = CONTROL_NOT_MINIMAL.map(([opcode, lengthForm]) =>
  refusedCase(
    {
      id: `length.${opcodeName(opcode).toLowerCase()}-of-5-in-${lengthForm}-bits`,
      title: `Sends a ${opcodeName(opcode)} of 5 bytes whose length is written in ${lengthForm} bits.`,
      rule: 'Control frames are short, so that the 7-bit length is the only form that they ever need.',
      section: 'RFC 6455 §5.2, §5.5',
      requirements: ['RFC6455-5.2-6', 'RFC6455-5.5-1'],
      expectation: 'The connection is failed. A peer that takes the frame is lenient (NON-STRICT).',
    },
    { steps: [frame(opcode, 'hello', { lengthForm })], whenAccepted: 'NON-STRICT' },
  ),
);

const byteOrder = [258, 0x0100, 0x01_0002, 0x01_0203].map((length) =>
  echoedCase(
    {
      id: `length.high-byte-first-${length}`,
      title: `Sends binary messages of ${length} and of 3 bytes, one right behind the other.`,
      rule: 'The bytes of a length go from the highest to the lowest, and count the payload exactly.',
      section: SECTION,
      requirements: ['RFC6455-5.2-7'],
      expectation: 'Both messages come back unchanged.',
    },
    [binary(cycled('abcdefghijk', length)), binary('end')],
    [binaryMessage(cycled('abcdefghijk', length)), binaryMessage('end')],
  ),
);

const TOP_BIT: readonly [name: string, length: bigint, what: string][] = [
  ['alone', 1n << 63n, 'the length 2^63'],
  ['and-5', (1n << 63n) + 5n, 'the length 2^63 + 5, and 5 bytes'],
  ['and-all-others', (1n << 64n) - 1n, 'the length 2^64 - 1'],
];

const topBit = TOP_BIT.flatMap(([name, length, what]) =>
  [TEXT, BINARY, CONTINUATION].map((opcode) =>
    refusedCase(
      {
        id: `length.top-bit-${name}-on-${opcodeName(opcode).toLowerCase()}`,
        title: `Sends a ${opcodeName(opcode)} frame that announces ${what}.`,
        rule: 'The highest bit of a 64-bit length is clear.',
        section: SECTION,
        requirements: ['RFC6455-5.2-5'],
        expectation: 'The connection is failed; the peer neither waits for the payload nor ignores the bit.',
      },
      {
        steps: [
          ...(opcode === CONTINUATION ? [unfinished(text('start'))] : []),
          frame(opcode, 'hello', { announcedLength: length }),
        ],
        hasWitness: false,
      },
    ),
  ),
);

const ANNOUNCED: readonly [name: string, length: bigint, isBeyondAnyMachine: boolean][] = [
  ['2-31', 1n << 31n, false],
  ['2-32-minus-1', (1n << 32n) - 1n, false],
  ['2-32', 1n << 32n, false],
  ['2-32-plus-5', (1n << 32n) + 5n, false],
  ['2-53', 1n << 53n, true],
  ['2-53-plus-1', (1n << 53n) + 1n, true],
  ['2-62', 1n << 62n, true],
  ['2-63-minus-1', (1n << 63n) - 1n, true],
];

const announced = ANNOUNCED.map(([name, length, isBeyondAnyMachine]) =>
  ruleCase(announcedFacts(name, length), async (tester, encounter) => {
    await tester.send({ opcode: BINARY, payload: 'hello', announcedLength: length });
    await tester.until(() => hasEnded(tester) || tester.messages.length > 0, PATIENCE_MS / 2);
    if (tester.messages.length > 0) return breaks('The peer echoed a message that is not complete.');
    const isRefused = hasEnded(tester);
    // The payload is never completed: a Close frame would only be more of it.
    tester.connection.end();
    if (encounter.subject === 'server' && !(await stillServes(encounter))) {
      return breaks('The server took no new connection afterwards.');
    }
    if (isRefused) return conforms('The peer failed the connection.');
    const why = 'The peer waits for the payload.';
    return isBeyondAnyMachine ? nonStrict(why) : informational(why);
  }),
);

function announcedFacts(name: string, length: bigint): RuleFacts {
  return {
    id: `length.announced-${name}`,
    title: `Sends a binary frame that announces ${length} bytes, and 5 of them. A server is then dialled again.`,
    rule: 'A length is a claim. It is taken whole, is not cut to 32 bits or rounded, and a peer that has limits keeps them.',
    section: 'RFC 6455 §5.2, §10.4',
    requirements: ['RFC6455-5.2-7', 'RFC6455-10.4-1', 'RFC6455-10.4-2', 'RFC6455-10.7-1'],
    expectation:
      'The connection is failed, mostly with 1009, and a server goes on serving others. A peer that waits is ' +
      'INFORMATIONAL, and NON-STRICT from 2^53 on, which nobody can hold.',
  };
}

const CONTROL_ANNOUNCED: readonly Required<Pick<FrameSpec, 'opcode' | 'payload'>>[] = [
  { opcode: PING, payload: repeated('p', 126) },
  { opcode: PING, payload: repeated('p', 65_536) },
  { opcode: PONG, payload: repeated('p', 126) },
  { opcode: PONG, payload: repeated('p', 65_536) },
];

const controlAnnounced = CONTROL_ANNOUNCED.map((spec) => {
  const name = opcodeName(spec.opcode);
  const { length } = spec.payload as { length: number };
  return promptlyRefusedCase(
    {
      id: `length.${name.toLowerCase()}-announces-${length}`,
      title: `Sends the header of a ${name} frame of ${length} bytes, and its payload only half a second later.`,
      rule: 'A control frame carries at most 125 bytes, which its header alone tells.',
      section: 'RFC 6455 §5.5',
      requirements: ['RFC6455-5.5-1'],
      expectation:
        'The connection is failed over the header. A peer that waits for the payload first is NON-STRICT.',
    },
    [{ do: 'head', frame: spec }],
    [{ do: 'body', bytes: length }],
  );
});

export const LENGTH_CASES: readonly ConformanceCase[] = [
  ...minimal,
  ...notMinimal,
  ...controlNotMinimal,
  ...byteOrder,
  ...topBit,
  ...announced,
  ...controlAnnounced,
];
