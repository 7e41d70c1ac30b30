// The verdict over an exchange: a pure function of what the tester saw and what the case expects. The rules are those of
// Autobahn|Testsuite: what the peer did has to match one of the listed outcomes event by event, and the end of the
// connection is judged on its own.

import type { Judgement } from './case.js';
import { describePayload, equalBytes, type Payload, payloadBytes } from './payload.js';
import type { CloseRecord, Side, Subject } from './result.js';
import type { Tester, TesterEvent, Violation } from './tester.js';
import type { Behavior, CloseBehavior } from './verdict.js';

/** A message, a Pong or a mark that has to come. */
export type ExpectedEvent =
  | { type: 'text' | 'binary' | 'pong'; payload: Payload }
  | { type: 'mark'; mark: string };

/** Everything that may have happened if the verdict is to be `behavior`: these events, in this order, and no other. */
export interface Outcome {
  behavior: Behavior;
  events: readonly ExpectedEvent[];
}

export interface ExpectedClose {
  /** Who has to send the first Close frame; ending TCP without one counts as sending it. */
  by: Side;
  /** Codes that the peer's Close frame may carry. None at all is fine always. */
  codes: readonly number[];
  /** The closing handshake has to be complete, and TCP ended in time. */
  isClean: boolean;
  /** Where the wrong side begins to close, or the code is wrong, the behavior has FAILED too. */
  endIsBehavior?: 'wrong side' | 'wrong code';
}

/** What remains of an exchange when it is over. */
export interface Observation {
  subject: Subject;
  events: readonly TesterEvent[];
  violations: readonly Violation[];
  firstClose: Side | null;
  peerClose: CloseRecord | null;
  testerClose: CloseRecord | null;
  droppedBy: Side | null;
  wasReset: boolean;
}

export function observe(tester: Tester): Observation {
  const { droppedBy, wasReset } = tester.connection;
  const { subject, events, violations, firstClose, peerClose, testerClose } = tester;
  return { subject, events, violations, firstClose, peerClose, testerClose, droppedBy, wasReset };
}

export function matches(outcome: Outcome, events: readonly TesterEvent[]): boolean {
  return (
    outcome.events.length === events.length &&
    outcome.events.every((expected, index) => isEvent(expected, events[index]!))
  );
}

function isEvent(expected: ExpectedEvent, event: TesterEvent): boolean {
  if (expected.type === 'mark' || event.type === 'mark') {
    return expected.type === 'mark' && event.type === 'mark' && expected.mark === event.mark;
  }
  return expected.type === event.type && equalBytes(payloadBytes(expected.payload), event.payload);
}

/** Who began to close. Ending TCP while no Close frame has gone either way counts. */
export function closeBegunBy(seen: Observation): Side | null {
  return seen.firstClose ?? seen.droppedBy;
}

/** Whether the closing handshake is complete, and TCP was ended by the side that should do so. */
export function isCleanEnd(seen: Observation): boolean {
  const hasClosed = seen.peerClose !== null && seen.testerClose !== null;
  // §7.1.1: the server ends TCP. A tester that plays the client had to wait in vain if it did so itself.
  return hasClosed && !(seen.subject === 'server' && seen.droppedBy === 'tester');
}

/** How the connection ended; the first rule that holds. */
export function judgeClose(seen: Observation, expected: ExpectedClose): CloseBehavior {
  if (closeBegunBy(seen) !== expected.by) return 'FAILED';
  if (expected.isClean && !isCleanEnd(seen)) return 'UNCLEAN';
  if (hasWrongCode(seen, expected)) return 'WRONG CODE';
  if (seen.subject === 'server' && seen.droppedBy === 'tester') return 'FAILED BY CLIENT';
  return 'OK';
}

function hasWrongCode(seen: Observation, expected: ExpectedClose): boolean {
  const code = seen.peerClose?.code ?? null;
  return code !== null && !expected.codes.includes(code);
}

/** What the peer did: the verdict of the outcome that matches, FAILED if none does. */
export function judgeBehavior(
  seen: Observation,
  outcomes: readonly Outcome[],
  close: ExpectedClose,
): Behavior {
  if (close.endIsBehavior === 'wrong side' && closeBegunBy(seen) !== close.by) return 'FAILED';
  if (close.endIsBehavior === 'wrong code' && hasWrongCode(seen, close)) return 'FAILED';
  return outcomes.find((outcome) => matches(outcome, seen.events))?.behavior ?? 'FAILED';
}

/** The verdicts with a sentence on what happened. */
export function judge(seen: Observation, outcomes: readonly Outcome[], close: ExpectedClose): Judgement {
  return {
    behavior: judgeBehavior(seen, outcomes, close),
    behaviorClose: judgeClose(seen, close),
    finding: describeObservation(seen),
    ...endOf(seen),
  };
}

/** The part of a judgement that says how the connection ended. */
export function endOf(seen: Observation): Pick<Judgement, 'peerClose' | 'testerClose' | 'droppedBy'> {
  const { peerClose, testerClose, droppedBy } = seen;
  const record = (close: CloseRecord | null) => close && { code: close.code, reason: close.reason };
  return { peerClose: record(peerClose), testerClose: record(testerClose), droppedBy };
}

/** What happened, in sentences. */
export function describeObservation(seen: Observation): string {
  const sentences = [`The peer sent ${describeEvents(seen.events)}.`];
  for (const { detail } of seen.violations.slice(0, 3)) sentences.push(`It broke a rule: ${detail}.`);
  sentences.push(describeEnd(seen));
  return sentences.join(' ');
}

/** The messages in their order. A mark divides them: what came before that pause was over, and what came later. */
function describeEvents(events: readonly TesterEvent[]): string {
  const stretches: string[] = [];
  let messages: string[] = [];
  for (const event of events.slice(0, 4)) {
    if (event.type !== 'mark') messages.push(`${event.type} (${describePayload(event.payload)})`);
    else {
      stretches.push(`${describeMessages(messages)} until the end of pause ${event.mark}`);
      messages = [];
    }
  }
  if (events.length > 4) messages.push(`${events.length - 4} more`);
  return [...stretches, describeMessages(messages)].join(', then ');
}

function describeMessages(messages: readonly string[]): string {
  return messages.length === 0 ? 'no message' : messages.join(', ');
}

/** How the connection ended, in one sentence. */
export function describeEnd(seen: Observation): string {
  const { peerClose, testerClose, droppedBy, firstClose } = seen;
  const order = firstClose === null ? '' : firstClose === 'peer' ? ', first' : ', in answer';
  const frame =
    peerClose === null
      ? 'It sent no Close frame'
      : `It sent a Close frame with ${peerClose.code === null ? 'no code' : `code ${peerClose.code}`}${order}`;
  const tester =
    testerClose === null ? '' : `; the tester sent ${testerClose.code ?? 'a Close frame with no code'}`;
  const drop = seen.wasReset
    ? 'TCP was reset'
    : droppedBy === null
      ? 'TCP stayed open'
      : `TCP was ended by the ${droppedBy}`;
  return `${frame}${tester}; ${drop}.`;
}
