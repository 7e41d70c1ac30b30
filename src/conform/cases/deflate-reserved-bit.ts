// RSV1 where it does not belong, with the extension and without (RFC 7692 §6.1), and compressed frames out of order: the peer
// has to fail the connection.

import { BINARY, CONTINUATION, PONG, TEXT } from '../../wire/opcode.js';
import type { ConformanceCase } from '../case.js';
import {
  compressedBinary,
  compressedFragments,
  compressedText,
  cutAt,
  refusedDeflateCase,
} from '../deflate-case.js';
import { closeFrame } from '../frame.js';
import { fromHex } from '../payload.js';
import { type RuleFacts, refusedCase, textMessage } from '../rule-case.js';
import { continuation, frame, ping, type Step, text, unfinished } from '../step.js';

const HELLO = fromHex('f248cdc9c90700');
const EMPTY = fromHex('00');
const PROTOCOL_ERROR = [1002];

function rsvFacts(id: string, title: string): RuleFacts {
  return {
    id: `deflate.${id}`,
    title,
    rule: 'RSV1 says that a message is compressed, on its first frame. No other frame may have it.',
    section: 'RFC 7692 §6.1',
    requirements: ['RFC7692-6.1-3', 'RFC7692-6.1-4'],
    expectation: 'The connection is failed with 1002.',
  };
}

const MISPLACED: readonly [id: string, title: string, steps: readonly Step[]][] = [
  [
    'rsv1-on-continuation',
    'Sends a compressed message in three frames, RSV1 on the first and the second.',
    [
      unfinished(compressedText(HELLO.subarray(0, 2))),
      unfinished(continuation(HELLO.subarray(2, 4), { rsv: 4 })),
      continuation(HELLO.subarray(4)),
    ],
  ],
  [
    'rsv1-on-last-frame',
    'Sends a compressed message in two frames, RSV1 on both.',
    [unfinished(compressedText(HELLO.subarray(0, 3))), continuation(HELLO.subarray(3), { rsv: 4 })],
  ],
  [
    'rsv1-on-continuation-alone',
    'Sends a message in two frames, RSV1 on the second only.',
    [unfinished(text('Hel')), continuation('lo', { rsv: 4 })],
  ],
  [
    'rsv1-on-empty-continuation',
    'Sends "Hello" compressed, and a last frame that is empty but for RSV1.',
    [unfinished(compressedText(HELLO)), continuation('', { rsv: 4 })],
  ],
  ['rsv1-on-ping', 'Sends a Ping with RSV1.', [ping(HELLO, { rsv: 4 })]],
  ['rsv1-on-pong', 'Sends a Pong with RSV1.', [frame(PONG, HELLO, { rsv: 4 })]],
  [
    'rsv1-on-ping-inside-message',
    'Sends a Ping with RSV1 between the two frames of a compressed message.',
    [unfinished(compressedText(HELLO.subarray(0, 3))), ping('', { rsv: 4 }), continuation(HELLO.subarray(3))],
  ],
  ['rsv2-with-rsv1', 'Sends a compressed message with RSV2 set as well.', [text(HELLO, { rsv: 6 })]],
  ['rsv3-with-rsv1', 'Sends a compressed message with RSV3 set as well.', [text(HELLO, { rsv: 5 })]],
];

const misplaced = MISPLACED.map(([id, title, steps]) =>
  refusedDeflateCase(rsvFacts(id, title), { steps: () => steps, codes: PROTOCOL_ERROR }),
);

const rsvOnClose = refusedDeflateCase(rsvFacts('rsv1-on-close', 'Sends a Close frame with RSV1.'), {
  steps: () => [{ do: 'send', frame: { ...closeFrame(1000), rsv: 4 } }],
  hasWitness: false,
  codes: PROTOCOL_ERROR,
});

const NOT_AGREED: readonly [id: string, title: string, steps: readonly Step[]][] = [
  ['text', 'Sends "Hello" compressed as text', [compressedText(HELLO)]],
  ['binary', 'Sends "Hello" compressed as binary', [compressedBinary(HELLO)]],
  ['fragments', 'Sends "Hello" compressed in two frames', compressedFragments(TEXT, cutAt(HELLO, 3))],
];

const notAgreed = NOT_AGREED.map(([id, title, steps]) =>
  refusedCase(
    {
      id: `deflate.without-agreement-${id}`,
      title: `${title}, over a connection that was opened without the extension.`,
      rule: 'Without an extension that gives them a meaning the reserved bits are clear.',
      section: 'RFC 6455 §5.2, RFC 7692 §6',
      requirements: ['RFC6455-5.2-1', 'RFC6455-5.2-2', 'RFC7692-5-14'],
      expectation: 'The connection is failed with 1002.',
    },
    { steps, codes: PROTOCOL_ERROR },
  ),
);

const STARTS: readonly [id: string, opcode: number][] = [
  ['continuation', CONTINUATION],
  ['new-message', BINARY],
];

/** The rules of fragmentation (RFC 6455 §5.4) hold for compressed messages, too. */
const order = STARTS.map(([id, opcode]) =>
  refusedDeflateCase(
    {
      id: `deflate.out-of-order-${id}`,
      title:
        opcode === CONTINUATION
          ? 'Sends a compressed message, and a continuation that continues nothing.'
          : 'Begins a compressed message, and begins another before it is complete.',
      rule: 'Frames of a message stand in order, compressed or not.',
      section: 'RFC 6455 §5.4',
      requirements: ['RFC6455-5.4-2', 'RFC6455-5.4-6', 'RFC7692-6-1'],
      expectation: 'The connection is failed with 1002.',
    },
    {
      steps: () =>
        opcode === CONTINUATION
          ? [compressedText(HELLO), continuation(EMPTY)]
          : [unfinished(compressedText(HELLO.subarray(0, 3))), compressedBinary(HELLO)],
      ...(opcode === CONTINUATION && { before: [textMessage('Hello')] }),
      codes: PROTOCOL_ERROR,
    },
  ),
);

export const DEFLATE_RESERVED_BIT: readonly ConformanceCase[] = [
  ...misplaced,
  rsvOnClose,
  ...notAgreed,
  ...order,
];
