// Runs an exchange: opens the connection, takes the steps, waits for what has to come, ends the connection, and has the
// verdict found. Most cases are nothing but the data that this takes.

import { CONTINUATION } from '../wire/opcode.js';
import type { ConformanceCase, Encounter, Judgement } from './case.js';
import { type ExpectedClose, judge, matches, type Observation, type Outcome, observe } from './judgement.js';
import { type OpenOptions, open } from './opening.js';
import { payloadBytes } from './payload.js';
import { turn } from './raw-connection.js';
import type { Step } from './step.js';
import { fragments, type Tester } from './tester.js';

/** How long the tester waits for the answer to its Close frame, and then for a server to end TCP. */
export const CLOSE_LIMIT_MS = 1000;

/** Writes of a fragmented message are gathered up to so many bytes. */
const WRITE_BYTES = 64 * 1024;

export interface Exchange {
  steps: readonly Step[];
  outcomes: readonly Outcome[];
  close: ExpectedClose;
  /** Once the events equal every outcome the tester closes with 1000. */
  closesOnMatch?: boolean;
  /** How long, counted from the last step, the tester waits before it ends the connection. Default: 1000. */
  patienceMs?: number;
  /** How it does that: with code 1001, or with a Close frame without a code. Default: 1001. */
  endsWith?: 1001 | 'no code';
  open?: OpenOptions;
  /** For cases that only show what the peer does: both verdicts are INFORMATIONAL, however it ends. */
  isInformational?: boolean;
  /** What else must hold, looked at when all is over: a sentence on what is wrong fails the behavior. */
  alsoCheck?: (tester: Tester, seen: Observation) => string | undefined;
}

/** The facts about a case that are not in what it does. */
export type CaseFacts = Omit<ConformanceCase, 'run' | 'limitMs'> & { limitMs?: number };

const DEFAULT_LIMIT_MS = 15_000;

/** A case that is an exchange. */
export function exchangeCase(facts: CaseFacts, exchange: Exchange): ConformanceCase {
  return { limitMs: DEFAULT_LIMIT_MS, ...facts, run: (encounter) => runExchange(encounter, exchange) };
}

export async function runExchange(encounter: Encounter, exchange: Exchange): Promise<Judgement> {
  const { tester } = await open(encounter, exchange.open);
  await takeSteps(tester, exchange.steps);
  await awaitEvents(tester, exchange);
  await finishClosing(tester);
  const seen = observe(tester);
  const judgement = judge(seen, exchange.outcomes, exchange.close);
  if (exchange.isInformational === true) {
    return { ...judgement, behavior: 'INFORMATIONAL', behaviorClose: 'INFORMATIONAL' };
  }
  const fault = exchange.alsoCheck?.(tester, seen);
  return fault === undefined
    ? judgement
    : { ...judgement, behavior: 'FAILED', finding: `${fault} ${judgement.finding}` };
}

/** Takes the steps; frames that follow each other share a TCP write. */
export async function takeSteps(tester: Tester, steps: readonly Step[]): Promise<void> {
  const writes: Uint8Array[] = [];
  const flush = async (): Promise<void> => {
    if (writes.length > 0) await tester.connection.write(Buffer.concat(writes.splice(0)));
  };
  /** What is left of a frame whose header went out alone. */
  let body: Uint8Array = new Uint8Array(0);
  for (const step of steps) {
    if (step.do === 'send' && step.chop === undefined && step.isAlone !== true) {
      writes.push(tester.serialize(step.frame).bytes);
      continue;
    }
    await flush();
    if (step.do === 'send') {
      await tester.send(step.frame, step.chop);
      await turn();
    } else if (step.do === 'send-fragmented') {
      await sendFragmented(tester, step);
    } else if (step.do === 'head') {
      const frame = tester.serialize(step.frame);
      body = frame.bytes.subarray(frame.headerLength);
      await tester.connection.write(frame.bytes.subarray(0, frame.headerLength));
    } else if (step.do === 'body') {
      await tester.connection.write(body.subarray(0, step.bytes));
      body = body.subarray(step.bytes);
    } else if (step.do === 'bytes') {
      tester.connection.log.bytes('tester', step.bytes);
      await tester.connection.write(step.bytes);
    } else {
      await tester.until(() => !tester.isOpen, step.ms);
      if (!tester.isOpen && step.mark !== undefined) return;
      if (step.mark !== undefined) tester.mark(step.mark);
    }
  }
  await flush();
}

async function sendFragmented(
  tester: Tester,
  { opcode, payload, fragmentBytes }: Extract<Step, { do: 'send-fragmented' }>,
): Promise<void> {
  let writes: Uint8Array[] = [];
  let length = 0;
  for (const fragment of fragments(payloadBytes(payload), fragmentBytes)) {
    const { bytes } = tester.serialize({
      opcode: fragment.at === 0 ? opcode : CONTINUATION,
      payload: fragment.bytes,
      isFinal: fragment.isLast,
    });
    writes.push(bytes);
    length += bytes.length;
    if (length < WRITE_BYTES && !fragment.isLast) continue;
    await tester.connection.write(Buffer.concat(writes, length));
    writes = [];
    length = 0;
  }
}

/** Waits until the events are complete, the peer begins to close, or patience ends; then the tester begins. */
async function awaitEvents(tester: Tester, exchange: Exchange): Promise<void> {
  const isComplete = (): boolean =>
    exchange.closesOnMatch === true && exchange.outcomes.every((outcome) => matches(outcome, tester.events));
  // After a Close frame of its own the tester still listens: what comes late is an event.
  const isSettled = (): boolean =>
    tester.isOver || tester.peerClose !== null || (tester.isOpen && isComplete());
  await tester.until(isSettled, exchange.patienceMs ?? CLOSE_LIMIT_MS);
  if (!tester.isOpen) return;
  if (isComplete()) await tester.close(1000);
  else if (exchange.endsWith === 'no code') await tester.close();
  else await tester.close(1001);
}

/**
 * Sees the closing handshake through (§7.1.1): the server ends TCP, be it the peer or the tester.
 *
 * @param limitMs how long the peer may take for its Close frame, and then for the end of TCP
 */
export async function finishClosing(tester: Tester, limitMs = CLOSE_LIMIT_MS): Promise<void> {
  const { connection } = tester;
  if (!tester.isOver) await tester.until(() => tester.peerClose !== null || tester.isOver, limitMs);
  if (tester.subject === 'server' && !tester.isOver && tester.hasClosed) {
    await tester.until(() => tester.isOver, limitMs);
  }
  connection.end();
  await connection.until(() => connection.isOver, limitMs);
  connection.destroy();
}
