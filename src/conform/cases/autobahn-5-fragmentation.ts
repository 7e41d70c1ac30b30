// Autobahn 5: messages in fragments, in order and out of order (RFC 6455 §5.4).

import type { ConformanceCase } from '../case.js';
import { alone, chopped, continuation, pause, ping, pong, type Step, text, unfinished } from '../step.js';
import { answered, pongBack, refused, type Topic, textBack } from './autobahn-case.js';

const SPLIT_CONTROL: Topic = {
  rule: 'Control frames are never split.',
  section: 'RFC 6455 §5.4',
  requirements: ['RFC6455-5.4-4'],
  expectation: 'The peer fails the connection.',
};

const JOINED: Topic = {
  rule: 'A message may come in frames: its opcode on the first, continuations behind it, FIN on the last.',
  section: 'RFC 6455 §5.4',
  requirements: ['RFC6455-5.4-2', 'RFC6455-5.4-9'],
  expectation: 'The fragments come back as one text.',
};

const INJECTED: Topic = {
  rule: 'A control frame may stand between two fragments, and is handled at once.',
  section: 'RFC 6455 §5.4',
  requirements: ['RFC6455-5.4-3', 'RFC6455-5.4-7', 'RFC6455-5.5.2-2'],
  expectation: 'The Pong comes back before the text.',
};

const NOTHING_TO_CONTINUE: Topic = {
  rule: 'A continuation frame belongs to a message that has begun and has not ended.',
  section: 'RFC 6455 §5.4',
  requirements: ['RFC6455-5.4-2'],
  expectation: 'The peer fails the connection; what came before the frame is still answered.',
};

const MIXED: Topic = {
  rule: 'While a message is under way no other one begins: the next data frame continues it.',
  section: 'RFC 6455 §5.4',
  requirements: ['RFC6455-5.4-2', 'RFC6455-5.4-6'],
  expectation: 'The peer fails the connection.',
};

/** The three ways in which the same frames travel. */
const TOGETHER = { words: '', over: (step: Step): Step => step };
const ALONE = { words: ', each frame in a TCP write of its own', over: alone };
const CHOPPED = { words: ', byte by byte', over: (step: Step): Step => chopped(1, step) };
const WAYS = [TOGETHER, ALONE, CHOPPED];

const SILENT = { endsWith: 'no code' } as const;
const firstText = unfinished(text('fragment1'));
const last = (payload: string): Step => continuation(payload);
const middle = (payload: string): Step => unfinished(continuation(payload));

/** Three cases in a row: the same frames, each time delivered in another way. */
function inEachWay(
  firstNumber: number,
  one: (id: string, words: string, over: (step: Step) => Step) => ConformanceCase,
): ConformanceCase[] {
  return WAYS.map(({ words, over }, index) => one(`5.${firstNumber + index}`, words, over));
}

const lone = (firstNumber: number, kind: string, orphan: Step): ConformanceCase[] =>
  inEachWay(firstNumber, (id, words, over) =>
    refused(
      id,
      `sends a ${kind} continuation frame with nothing to continue, and a text${words}`,
      NOTHING_TO_CONTINUE,
      [orphan, text('Hello, world!')].map(over),
    ),
  );

/** Twice the same: a continuation frame of nothing, and a good text in two fragments. */
const orphanTwice = (orphan: Step): Step[] => {
  const once = [orphan, unfinished(text('fragment2')), last('fragment3')];
  return [...once, ...once];
};

const FIVE_WITH_PINGS: Step[] = [
  firstText,
  middle('fragment2'),
  ping('pongme 1!'),
  pause(1000),
  middle('fragment3'),
  middle('fragment4'),
  ping('pongme 2!'),
  last('fragment5'),
];

const fiveFragments = (id: string, { words, over }: typeof TOGETHER): ConformanceCase =>
  answered(
    id,
    `sends five fragments with two Pings between them and a pause of 1 s${words}`,
    { ...INJECTED, expectation: 'Both Pongs come back, then the text.' },
    FIVE_WITH_PINGS.map(over),
    [pongBack('pongme 1!'), pongBack('pongme 2!'), textBack('fragment1fragment2fragment3fragment4fragment5')],
    SILENT,
  );

export const AUTOBAHN_FRAGMENTATION: readonly ConformanceCase[] = [
  refused('5.1', 'sends a Ping in two fragments', SPLIT_CONTROL, [
    unfinished(ping('fragment1')),
    last('fragment2'),
  ]),
  refused('5.2', 'sends a Pong in two fragments', SPLIT_CONTROL, [
    unfinished(pong('fragment1')),
    last('fragment2'),
  ]),
  ...inEachWay(3, (id, words, over) =>
    answered(
      id,
      `sends a text in two fragments${words}`,
      JOINED,
      [firstText, last('fragment2')].map(over),
      [textBack('fragment1fragment2')],
      SILENT,
    ),
  ),
  ...inEachWay(6, (id, words, over) =>
    answered(
      id,
      `sends a text in two fragments with a Ping between them${words}`,
      INJECTED,
      [firstText, ping('ping payload'), last('fragment2')].map(over),
      [pongBack('ping payload'), textBack('fragment1fragment2')],
      SILENT,
    ),
  ),
  ...lone(9, 'final', last('non-continuation payload')),
  ...lone(12, 'non-final', middle('non-continuation payload')),
  refused(
    '5.15',
    'sends a good text in two fragments, then a non-final continuation frame and a text',
    NOTHING_TO_CONTINUE,
    [firstText, last('fragment2'), middle('fragment3'), text('fragment4')],
    [textBack('fragment1fragment2')],
  ),
  refused(
    '5.16',
    'sends, twice, a non-final continuation frame and a text in two fragments',
    NOTHING_TO_CONTINUE,
    orphanTwice(middle('fragment1')),
  ),
  refused(
    '5.17',
    'sends, twice, a final continuation frame and a text in two fragments',
    NOTHING_TO_CONTINUE,
    orphanTwice(last('fragment1')),
  ),
  refused('5.18', 'sends two fragments, both with the opcode of a text', MIXED, [
    firstText,
    text('fragment2'),
  ]),
  fiveFragments('5.19', TOGETHER),
  fiveFragments('5.20', ALONE),
];
