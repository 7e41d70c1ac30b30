// Sequences of frames that make no message (RFC 6455 §5.4): continuations of nothing, and messages inside messages.

import type { ConformanceCase } from '../case.js';
import { binaryMessage, type ExpectedMessage, refusedCase, textMessage } from '../rule-case.js';
import { binary, continuation, pong, type Step, text, unfinished } from '../step.js';

const SECTION = 'RFC 6455 §5.4';
const LONE = 'A continuation needs a message that has begun and has not ended.';
const MIXED = 'While a message is under way, no other may begin.';

const sequences: readonly {
  id: string;
  title: string;
  rule: string;
  steps: Step[];
  before?: ExpectedMessage[];
}[] = [
  {
    id: 'empty-continuation-alone',
    title: 'Sends an empty continuation with FIN, and nothing before.',
    rule: LONE,
    steps: [continuation('')],
  },
  {
    id: 'continuation-behind-binary',
    title: 'Sends a binary message, then a continuation with FIN.',
    rule: LONE,
    steps: [binary('whole'), continuation('more')],
    before: [binaryMessage('whole')],
  },
  {
    id: 'continuation-behind-fragmented',
    title: 'Sends a text in two fragments, then an empty continuation with FIN.',
    rule: LONE,
    steps: [unfinished(text('a')), continuation('b'), continuation('')],
    before: [textMessage('ab')],
  },
  {
    id: 'continuation-behind-ping',
    title: 'Sends a Pong, then a continuation without FIN.',
    rule: LONE,
    steps: [pong('pong'), unfinished(continuation('more'))],
  },
  {
    id: 'text-inside-binary',
    title: 'Sends a first fragment of binary, then a text in one frame.',
    rule: MIXED,
    steps: [unfinished(binary('first')), text('other')],
  },
  {
    id: 'binary-inside-text',
    title: 'Sends a first fragment of text, then a binary message in one frame.',
    rule: MIXED,
    steps: [unfinished(text('first')), binary('other')],
  },
  {
    id: 'unfinished-text-inside-text',
    title: 'Sends first fragments of two texts, then a continuation with FIN.',
    rule: MIXED,
    steps: [unfinished(text('first')), unfinished(text('other')), continuation('last')],
  },
  {
    id: 'text-inside-empty-start',
    title: 'Sends an empty first fragment of text, then a text in one frame.',
    rule: MIXED,
    steps: [unfinished(text('')), text('other')],
  },
  {
    id: 'text-behind-continuation',
    title: 'Sends two fragments without FIN, then a text in one frame.',
    rule: MIXED,
    steps: [unfinished(text('first')), unfinished(continuation('second')), text('other')],
  },
];

const refused = sequences.map(({ id, title, rule, steps, before }) =>
  refusedCase(
    {
      id: `fragmentation.${id}`,
      title,
      rule,
      section: SECTION,
      requirements: ['RFC6455-5.4-2', rule === MIXED ? 'RFC6455-5.4-6' : 'RFC6455-10.7-1'],
      expectation: 'The connection is failed.',
    },
    { steps, ...(before !== undefined && { before }) },
  ),
);

export const FRAGMENTATION_REFUSED_CASES: readonly ConformanceCase[] = refused;
