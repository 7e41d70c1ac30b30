// What most cases of Autobahn|Testsuite have in common: the tester sends a few frames, and then either everything comes
// back and the tester closes, or the peer has to fail the connection. The tester is a strict one throughout.

import type { ConformanceCase } from '../case.js';
import { type CaseFacts, type Exchange, exchangeCase } from '../exchange.js';
import type { ExpectedClose, ExpectedEvent, Outcome } from '../judgement.js';
import type { Payload } from '../payload.js';
import type { Step } from '../step.js';

/** What the cases of a section are about. */
export interface Topic {
  rule: string;
  section: string;
  requirements: readonly string[];
  expectation: string;
}

export const textBack = (payload: Payload): ExpectedEvent => ({ type: 'text', payload });
export const binaryBack = (payload: Payload): ExpectedEvent => ({ type: 'binary', payload });
export const pongBack = (payload: Payload): ExpectedEvent => ({ type: 'pong', payload });
export const marked = (mark: string): ExpectedEvent => ({ type: 'mark', mark });

/** @param title without the capital letter and the full stop that make a sentence of it */
export function autobahnFacts(id: string, title: string, topic: Topic): CaseFacts {
  const sentence = `${title[0]!.toUpperCase()}${title.slice(1)}.`;
  return { id, group: 'autobahn', subjects: ['server', 'client'], title: sentence, ...topic };
}

export function autobahnCase(id: string, title: string, topic: Topic, exchange: Exchange): ConformanceCase {
  return exchangeCase(autobahnFacts(id, title, topic), { open: { isStrict: true }, ...exchange });
}

type More = Partial<Exchange>;

const TESTER_CLOSES: ExpectedClose = { by: 'tester', codes: [1000], isClean: true };

/** All is well with what is sent: these events have to come, no others, and then the tester closes. */
export function answered(
  id: string,
  title: string,
  topic: Topic,
  steps: readonly Step[],
  events: readonly ExpectedEvent[],
  more: More = {},
): ConformanceCase {
  const outcomes: Outcome[] = [{ behavior: 'OK', events }];
  return autobahnCase(id, title, topic, {
    steps,
    outcomes,
    close: TESTER_CLOSES,
    closesOnMatch: true,
    ...more,
  });
}

/**
 * Something is wrong with what is sent: the peer has to fail the connection.
 *
 * @param before what has to come before that. A peer that fails the connection without it is NON-STRICT: it read all that
 *   had arrived, saw the fault, and dropped what came before.
 */
export function refused(
  id: string,
  title: string,
  topic: Topic,
  steps: readonly Step[],
  before: readonly ExpectedEvent[] = [],
  more: More = {},
): ConformanceCase {
  const outcomes: Outcome[] = [{ behavior: 'OK', events: before }];
  if (before.length > 0) outcomes.push({ behavior: 'NON-STRICT', events: [] });
  return autobahnCase(id, title, topic, {
    steps,
    outcomes,
    close: { by: 'peer', codes: [1002], isClean: false },
    ...more,
  });
}
