// Autobahn 7: the closing handshake, and what a Close frame may carry (RFC 6455 §5.5.1, §7.1, §7.4). The tester begins to
// close; what the peer answers is what counts, so a wrong code fails both verdicts.

import type { ConformanceCase } from '../case.js';
import { cycled, fromHex } from '../payload.js';
import { close, closeWith, continuation, ping, type Step, text, unfinished } from '../step.js';
import { answered, autobahnCase, type Topic, textBack } from './autobahn-case.js';

const HANDSHAKE: Topic = {
  rule: 'A Close frame is answered with a Close frame, and then TCP is closed.',
  section: 'RFC 6455 §5.5.1',
  requirements: ['RFC6455-5.5.1-7', 'RFC6455-5.5.1-11'],
  expectation: 'The peer answers the Close frame, and the connection ends cleanly.',
};

const NOTHING_AFTER: Topic = {
  ...HANDSHAKE,
  rule: 'Behind a Close frame nothing is looked at any more.',
  requirements: ['RFC6455-5.5.1-6', 'RFC6455-5.5.1-7', 'RFC6455-7.1.2-2'],
  expectation: 'The peer answers the Close frame and nothing else.',
};

const FLUSHED: Topic = {
  rule: 'What a peer does with messages that came just before a Close frame is left open.',
  section: 'RFC 6455 §5.5.1',
  requirements: ['RFC6455-5.5.1-7'],
  expectation: 'Nothing in particular: the case shows what the peer does.',
};

const PAYLOAD: Topic = {
  ...HANDSHAKE,
  rule: 'The payload of a Close frame is empty, or a code of two bytes and a reason in UTF-8, 125 bytes in all.',
  requirements: ['RFC6455-5.5.1-1', 'RFC6455-5.5.1-2', 'RFC6455-5.5.1-7'],
};

const BAD_PAYLOAD: Topic = {
  ...PAYLOAD,
  requirements: ['RFC6455-5.5.1-2', 'RFC6455-5.5-1'],
  expectation: 'The peer fails the connection, with code 1002 if with any.',
};

const BAD_REASON: Topic = {
  rule: 'The reason in a Close frame is UTF-8.',
  section: 'RFC 6455 §8.1',
  requirements: ['RFC6455-5.5.1-3', 'RFC6455-8.1-1'],
  expectation: 'The peer fails the connection, with code 1007 or 1002 if with any.',
};

const GOOD_CODE: Topic = {
  rule: 'A Close frame may carry a code that is defined for that, or one from 3000 to 4999.',
  section: 'RFC 6455 §7.4',
  requirements: ['RFC6455-7.4-1', 'RFC6455-7.4.2-1'],
  expectation: 'The peer answers with 1000 or with the same code, and the connection ends cleanly.',
};

const BAD_CODE: Topic = {
  rule: 'Codes below 1000 are not used, and of those up to 2999 only those that are defined; some never travel.',
  section: 'RFC 6455 §7.4',
  requirements: ['RFC6455-7.4.1-3', 'RFC6455-7.4.1-4', 'RFC6455-7.4.2-1'],
  expectation: 'The peer fails the connection, with code 1002 if with any.',
};

const UNSPECIFIED_CODE: Topic = {
  rule: 'What a code above 4999 means is not defined.',
  section: 'RFC 6455 §7.4.2',
  requirements: ['RFC6455-7.4.2-1'],
  expectation: 'Nothing in particular: the case shows what the peer does.',
};

/** The tester closes in one of its steps; nothing has to come but the answer. */
function closing(
  id: string,
  title: string,
  topic: Topic,
  steps: readonly Step[],
  codes: readonly number[] = [1000],
  isClean = true,
): ConformanceCase {
  return autobahnCase(id, title, topic, {
    steps,
    outcomes: [{ behavior: 'OK', events: [] }],
    close: { by: 'tester', codes, isClean, endIsBehavior: 'wrong code' },
  });
}

const HELLO = 'Hello World!';

const GOOD_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
const BAD_CODES = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
const UNSPECIFIED_CODES = [5000, 65_535];

export const AUTOBAHN_CLOSE: readonly ConformanceCase[] = [
  answered(
    '7.1.1',
    'sends a text, and closes when it has come back',
    HANDSHAKE,
    [text(HELLO)],
    [textBack(HELLO)],
    {
      close: { by: 'tester', codes: [1000], isClean: true, endIsBehavior: 'wrong code' },
    },
  ),
  closing('7.1.2', 'sends two Close frames', NOTHING_AFTER, [close(1000), close()]),
  closing('7.1.3', 'sends a Close frame and a Ping', NOTHING_AFTER, [close(1000), ping()]),
  closing('7.1.4', 'sends a Close frame and a text', NOTHING_AFTER, [close(1000), text(HELLO)]),
  closing('7.1.5', 'sends a fragment of a text, a Close frame, and the other fragment', NOTHING_AFTER, [
    unfinished(text('fragment1')),
    close(1000),
    continuation('fragment2'),
  ]),
  autobahnCase(
    '7.1.6',
    'sends a text of 256 KiB, a small one, a Close frame and a Ping, all at once',
    FLUSHED,
    {
      steps: [text(cycled('BAsd7&jh23', 262_144)), text(HELLO), close(1000), ping()],
      outcomes: [
        { behavior: 'OK', events: [textBack(HELLO)] },
        { behavior: 'NON-STRICT', events: [] },
      ],
      close: { by: 'tester', codes: [1000], isClean: true },
      isInformational: true,
    },
  ),
  closing('7.3.1', 'sends a Close frame without payload', PAYLOAD, [close()]),
  closing(
    '7.3.2',
    'sends a Close frame with one byte of payload',
    BAD_PAYLOAD,
    [closeWith('a')],
    [1002],
    false,
  ),
  closing('7.3.3', 'sends a Close frame with a code', PAYLOAD, [close(1000)]),
  closing('7.3.4', 'sends a Close frame with a code and a reason', PAYLOAD, [close(1000, HELLO)]),
  closing('7.3.5', 'sends a Close frame with the longest reason, 123 bytes', PAYLOAD, [
    close(1000, '*'.repeat(123)),
  ]),
  closing(
    '7.3.6',
    'sends a Close frame with a reason of 124 bytes, one too many',
    BAD_PAYLOAD,
    [close(1000, '*'.repeat(124))],
    [1002],
    false,
  ),
  closing(
    '7.5.1',
    'sends a Close frame whose reason is not UTF-8',
    BAD_REASON,
    [close(1000, fromHex('cebae1bdb9cf83cebcceb5eda080656469746564'))],
    [1002, 1007],
    false,
  ),
  ...GOOD_CODES.map((code, index) =>
    closing(
      `7.7.${index + 1}`,
      `sends a Close frame with code ${code}`,
      GOOD_CODE,
      [close(code)],
      [1000, code],
    ),
  ),
  ...BAD_CODES.map((code, index) =>
    closing(
      `7.9.${index + 1}`,
      `sends a Close frame with code ${code}`,
      BAD_CODE,
      [close(code)],
      [1002],
      false,
    ),
  ),
  ...UNSPECIFIED_CODES.map((code, index) =>
    autobahnCase(`7.13.${index + 1}`, `sends a Close frame with code ${code}`, UNSPECIFIED_CODE, {
      steps: [close(code)],
      outcomes: [{ behavior: 'OK', events: [] }],
      close: { by: 'tester', codes: [1000, code, 1002], isClean: false },
      isInformational: true,
    }),
  ),
];
