// Autobahn 10: a text that the sender cut into frames by itself, as endpoints do that send while they produce (RFC 6455 §5.4).

import type { ConformanceCase } from '../case.js';
import { repeated } from '../payload.js';
import { fragmented } from '../step.js';
import { answered, type Topic, textBack } from './autobahn-case.js';

const AUTO_FRAGMENTS: Topic = {
  rule: 'A sender may cut a message anywhere: the number of frames has no meaning.',
  section: 'RFC 6455 §5.4',
  requirements: ['RFC6455-5.4-1', 'RFC6455-5.4-2', 'RFC6455-5.4-9'],
  expectation: 'The text comes back unchanged.',
};

const WHOLE = repeated('*', 65_536);

/** The tester itself is watched as well here: the text leaves in 1 + 50 frames, the last of them of 536 bytes. */
export const AUTOBAHN_MISC: readonly ConformanceCase[] = [
  answered(
    '10.1.1',
    'sends a text of 65536 bytes in fragments of 1300',
    AUTO_FRAGMENTS,
    [fragmented(1, WHOLE, 1300)],
    [textBack(WHOLE)],
    { patienceMs: 10_000 },
  ),
];
