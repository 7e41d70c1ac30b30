// Control frames that are too long or in pieces (RFC 6455 §5.4, §5.5).

import type { ConformanceCase } from '../case.js';
import { cycled } from '../payload.js';
import { refusedCase } from '../rule-case.js';
import { close, closeWith, continuation, ping, pong, text, unfinished } from '../step.js';

const LONG = 'A control frame carries at most 125 bytes.';
const PIECES = 'A control frame is never split.';

export const CONTROL_REFUSED_CASES: readonly ConformanceCase[] = [
  { id: 'pong-of-126', title: 'Sends a Pong of 126 bytes.', rule: LONG, steps: [pong(cycled('p', 126))] },
  {
    id: 'ping-of-65536',
    title: 'Sends a Ping of 65,536 bytes.',
    rule: LONG,
    steps: [ping(cycled('p', 65_536))],
  },
  {
    id: 'pong-of-65536',
    title: 'Sends a Pong of 65,536 bytes.',
    rule: LONG,
    steps: [pong(cycled('p', 65_536))],
  },
  {
    id: 'close-of-65536',
    title: 'Sends a Close frame of 65,536 bytes.',
    rule: LONG,
    steps: [closeWith(cycled(Uint8Array.of(3, 232), 65_536))],
  },
  {
    id: 'ping-without-fin',
    title: 'Sends a Ping without FIN.',
    rule: PIECES,
    steps: [ping('first', { isFinal: false })],
  },
  {
    id: 'pong-without-fin',
    title: 'Sends a Pong without FIN.',
    rule: PIECES,
    steps: [pong('first', { isFinal: false })],
  },
  {
    id: 'close-without-fin',
    title: 'Sends a Close frame with code 1000 and without FIN.',
    rule: PIECES,
    steps: [unfinished(close(1000))],
  },
  {
    id: 'ping-without-fin-inside-message',
    title: 'Sends a Ping without FIN between two fragments of a text.',
    rule: PIECES,
    steps: [unfinished(text('first')), ping('ping', { isFinal: false }), continuation('last')],
  },
  {
    id: 'empty-pong-without-fin-inside-message',
    title: 'Sends an empty Pong without FIN between two fragments of a text.',
    rule: PIECES,
    steps: [unfinished(text('first')), pong('', { isFinal: false }), continuation('last')],
  },
].map(({ id, title, rule, steps }) =>
  refusedCase(
    {
      id: `control.${id}`,
      title,
      rule,
      section: rule === LONG ? 'RFC 6455 §5.5' : 'RFC 6455 §5.4, §5.5',
      requirements: [rule === LONG ? 'RFC6455-5.5-1' : 'RFC6455-5.4-4'],
      expectation: 'The connection is failed.',
    },
    { steps, hasWitness: !id.startsWith('close') },
  ),
);
