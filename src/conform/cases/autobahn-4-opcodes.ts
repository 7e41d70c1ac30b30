// Autobahn 4: opcodes that mean nothing: 3 to 7 would be data frames, 11 to 15 control frames (RFC 6455 §5.2).

import type { ConformanceCase } from '../case.js';
import { chopped, frame, ping, text } from '../step.js';
import { refused, type Topic, textBack } from './autobahn-case.js';

const UNKNOWN: Topic = {
  rule: 'An opcode that means nothing fails the connection.',
  section: 'RFC 6455 §5.2',
  requirements: ['RFC6455-5.2-4'],
  expectation: 'The peer fails the connection; what came before the frame is still answered.',
};

const HELLO = 'Hello, world!';

/** The same five cases for a range of opcodes that begins with `first`. */
function unknownOpcodes(section: string, first: number): ConformanceCase[] {
  const behindText = (n: number, payload: string, isChopped: boolean): ConformanceCase => {
    const opcode = first + n - 1;
    const what = payload === '' ? 'an empty frame' : 'a frame with payload';
    const title = `sends a good text, ${what} of opcode ${opcode}, and a Ping${isChopped ? ', byte by byte' : ''}`;
    const steps = [text(HELLO), frame(opcode, payload), ping()];
    const delivered = isChopped ? steps.map((step) => chopped(1, step)) : steps;
    return refused(`${section}.${n}`, title, UNKNOWN, delivered, [textBack(HELLO)]);
  };
  return [
    refused(`${section}.1`, `sends an empty frame of opcode ${first}`, UNKNOWN, [frame(first)]),
    refused(`${section}.2`, `sends a frame with payload of opcode ${first + 1}`, UNKNOWN, [
      frame(first + 1, 'reserved opcode payload'),
    ]),
    behindText(3, '', false),
    behindText(4, HELLO, false),
    behindText(5, HELLO, true),
  ];
}

export const AUTOBAHN_OPCODES: readonly ConformanceCase[] = [
  ...unknownOpcodes('4.1', 3),
  ...unknownOpcodes('4.2', 11),
];
