// Autobahn 3: reserved bits without an extension that gives them a meaning (RFC 6455 §5.2). RSV1 counts 4, RSV2 2, RSV3 1.

import type { ConformanceCase } from '../case.js';
import { fromHex } from '../payload.js';
import { alone, binary, chopped, frame, ping, type Step, text } from '../step.js';
import { refused, type Topic, textBack } from './autobahn-case.js';

const RESERVED: Topic = {
  rule: 'A reserved bit that is set while no extension uses it fails the connection.',
  section: 'RFC 6455 §5.2',
  requirements: ['RFC6455-5.2-2', 'RFC6455-5.2-3'],
  expectation: 'The peer fails the connection; what came before the frame is still answered.',
};

const HELLO = 'Hello, world!';
/** A good text, the same one with reserved bits, and a Ping that must not be answered any more. */
const goodThenBad = (rsv: number): Step[] => [text(HELLO), text(HELLO, { rsv }), ping()];

export const AUTOBAHN_RESERVED_BITS: readonly ConformanceCase[] = [
  refused('3.1', 'sends a text with RSV3', RESERVED, [text(HELLO, { rsv: 1 })]),
  refused('3.2', 'sends a good text, one with RSV2, and a Ping', RESERVED, goodThenBad(2), [textBack(HELLO)]),
  refused(
    '3.3',
    'sends a good text, one with RSV2 and RSV3, and a Ping, each in a TCP write of its own',
    RESERVED,
    goodThenBad(3).map(alone),
    [textBack(HELLO)],
  ),
  refused(
    '3.4',
    'sends a good text, one with RSV1, and a Ping, byte by byte',
    RESERVED,
    goodThenBad(4).map((step) => chopped(1, step)),
    [textBack(HELLO)],
  ),
  refused('3.5', 'sends a binary message with RSV1 and RSV3', RESERVED, [
    binary(fromHex('00fffefdfcfb00ff'), { rsv: 5 }),
  ]),
  refused('3.6', 'sends a binary message with RSV1 and RSV2', RESERVED, [binary(HELLO, { rsv: 6 })]),
  refused('3.7', 'sends a Close frame with all reserved bits', RESERVED, [frame(8, '', { rsv: 7 })]),
];
