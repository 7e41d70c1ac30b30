// Autobahn 1: messages in one frame, of the lengths at which the length field changes its form (RFC 6455 §5.2).

import type { ConformanceCase } from '../case.js';
import type { ExpectedEvent } from '../judgement.js';
import { type Payload, repeated } from '../payload.js';
import { binary, chopped, type Step, text } from '../step.js';
import { answered, binaryBack, type Topic, textBack } from './autobahn-case.js';

const LENGTHS: Topic = {
  rule: 'A length up to 125 stands in 7 bits, up to 65,535 in 16 further bits, and above that in 64.',
  section: 'RFC 6455 §5.2',
  requirements: ['RFC6455-5.2-1', 'RFC6455-5.2-6', 'RFC6455-5.2-7'],
  expectation: 'The message comes back unchanged, and the closing handshake follows.',
};

const SIZES = [0, 125, 126, 127, 128, 65_535, 65_536];
const LARGE_FROM = 65_535;
const CHOP = 997;

function echoes(
  section: string,
  kind: string,
  send: (payload: Payload) => Step,
  back: (payload: Payload) => ExpectedEvent,
  fill: number,
): ConformanceCase[] {
  const cases = SIZES.map((size, index) => {
    const payload = repeated(fill, size);
    const more = size < LARGE_FROM ? {} : { patienceMs: 10_000 };
    const title = `sends ${kind} of ${size} bytes`;
    return answered(`${section}.${index + 1}`, title, LENGTHS, [send(payload)], [back(payload)], more);
  });
  const largest = repeated(fill, 65_536);
  const title = `sends ${kind} of 65536 bytes in TCP writes of ${CHOP}`;
  const steps = [chopped(CHOP, send(largest))];
  cases.push(answered(`${section}.8`, title, LENGTHS, steps, [back(largest)], { patienceMs: 10_000 }));
  return cases;
}

export const AUTOBAHN_FRAMING: readonly ConformanceCase[] = [
  ...echoes('1.1', 'a text', text, textBack, 0x2a),
  ...echoes('1.2', 'a binary message', binary, binaryBack, 0xfe),
];
