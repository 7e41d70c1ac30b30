// Cases about one rule. The peer is blamed for that rule and for no other: whatever else it does is let pass, also at the
// end of the connection. Cases that follow an exchange event by event, and judge its end, are in `exchange.ts`.

import { CLOSE } from '../wire/opcode.js';
import type { ConformanceCase, Encounter, Group } from './case.js';
import { takeSteps } from './exchange.js';
import { describeObservation, endOf, observe } from './judgement.js';
import { type OpenOptions, open } from './opening.js';
import { describePayload, equalBytes, type Payload, payloadBytes } from './payload.js';
import type { Subject } from './result.js';
import { pause, ping, type Step } from './step.js';
import type { MessageEvent, Tester } from './tester.js';
import type { Behavior, CloseBehavior } from './verdict.js';

/** How long the peer may take for what it has to do. */
export const PATIENCE_MS = 1000;
/** How long for messages to come back, which is not about speed either: a busy machine may be slow. */
export const ECHO_LIMIT_MS = 2000;
/** A peer that has shown that it went on behind a fault gets so long to think better of it. */
const GRACE_MS = 150;
/** Names the pause in which the peer should have failed the connection. */
const WAITED = 'A';
/** What the end of a connection may cost once the rule is decided. */
const LEAVE_LIMIT_MS = 300;
const LIMIT_MS = 15_000;

export const BOTH: readonly Subject[] = ['server', 'client'];

/** The facts about a case; the group is the part of the id before the dot. */
export interface RuleFacts
  extends Omit<ConformanceCase, 'group' | 'subjects' | 'limitMs' | 'isHeavy' | 'run'> {
  /** Default: both. */
  subjects?: readonly Subject[];
  limitMs?: number;
}

/** What a rule comes to. */
export interface Ruling {
  behavior: Behavior;
  /** One sentence. */
  why: string;
  /** Default: OK. */
  behaviorClose?: CloseBehavior;
}

export const conforms = (why: string): Ruling => ({ behavior: 'OK', why });
export const breaks = (why: string): Ruling => ({ behavior: 'FAILED', why });
export const nonStrict = (why: string): Ruling => ({ behavior: 'NON-STRICT', why });
export const informational = (why: string): Ruling => ({ behavior: 'INFORMATIONAL', why });
export const unimplemented = (why: string): Ruling => ({ behavior: 'UNIMPLEMENTED', why });

/** A case that opens a connection, has `decide` find out about the rule, and leaves. */
export function ruleCase(
  facts: RuleFacts,
  decide: (tester: Tester, encounter: Encounter) => Promise<Ruling>,
  options: OpenOptions = {},
): ConformanceCase {
  return {
    subjects: BOTH,
    limitMs: LIMIT_MS,
    ...facts,
    group: facts.id.slice(0, facts.id.indexOf('.')) as Group,
    run: async (encounter) => {
      const { tester } = await open(encounter, options);
      const { behavior, why, behaviorClose = 'OK' } = await decide(tester, encounter);
      // What the tester does to get away is not the peer's, and not in the sentence on what happened.
      const finding = `${why} ${describeObservation(observe(tester))}`;
      await leave(tester);
      return { behavior, behaviorClose, finding, ...endOf(observe(tester)) };
    },
  };
}

/** Ends a connection in an orderly way where the peer takes part, and in any case soon. */
export async function leave(tester: Tester): Promise<void> {
  const { connection } = tester;
  if (!tester.isOver) await tester.close(1000);
  await tester.until(() => tester.peerClose !== null || tester.isOver, LEAVE_LIMIT_MS);
  // §7.1.1: the server ends TCP.
  if (tester.subject === 'server') await tester.until(() => tester.isOver, LEAVE_LIMIT_MS);
  connection.end();
  await connection.until(() => connection.isOver, LEAVE_LIMIT_MS);
  connection.destroy();
}

/** The peer has sent its Close frame, or ended TCP. */
export function hasEnded(tester: Tester): boolean {
  return tester.peerClose !== null || tester.connection.isOver;
}

export interface ExpectedMessage {
  type: 'text' | 'binary';
  payload: Payload;
}

export const textMessage = (payload: Payload): ExpectedMessage => ({ type: 'text', payload });
export const binaryMessage = (payload: Payload): ExpectedMessage => ({ type: 'binary', payload });

/** The first difference between the messages that came and those that had to, as a sentence. */
export function faultOfEchoes(tester: Tester, expected: readonly ExpectedMessage[]): string | undefined {
  const { messages } = tester;
  for (const [index, message] of messages.entries()) {
    const wanted = expected[index];
    if (wanted === undefined) return `A message came that had not been sent: ${describeMessage(message)}.`;
    if (!isEcho(message, wanted))
      return `Echo ${index + 1} is ${describeMessage(message)}, not ${describeMessage(wanted)}.`;
  }
  if (messages.length === expected.length) return undefined;
  return `${messages.length} of ${expected.length} messages came back.`;
}

export function isEcho(message: MessageEvent, { type, payload }: ExpectedMessage): boolean {
  return message.type === type && equalBytes(message.payload, payloadBytes(payload));
}

function describeMessage({ type, payload }: ExpectedMessage): string {
  return `${type} (${describePayload(payload)})`;
}

/** Waits for that many messages, as long as more can come. */
export async function awaitMessages(tester: Tester, count: number, limitMs = ECHO_LIMIT_MS): Promise<void> {
  await tester.until(() => tester.messages.length >= count || hasEnded(tester), limitMs);
}

/** The messages that `steps` sends come back unchanged. Pongs are not looked at. */
export function echoedCase(
  facts: RuleFacts,
  steps: readonly Step[],
  expected: readonly ExpectedMessage[],
  limitMs = ECHO_LIMIT_MS,
): ConformanceCase {
  return ruleCase(facts, async (tester) => {
    await takeSteps(tester, steps);
    await awaitMessages(tester, expected.length, limitMs);
    const fault = faultOfEchoes(tester, expected);
    return fault === undefined ? conforms('What was sent came back unchanged.') : breaks(fault);
  });
}

export interface Refusal {
  /** The last of them is the fault. */
  steps: readonly Step[];
  /** Messages in `steps` that are in order: they may come back, and need not. */
  before?: readonly ExpectedMessage[];
  /** Behind the fault goes a Ping, whose answer shows early that the peer went on. Default: true. */
  hasWitness?: boolean;
  /** Codes that the peer's Close frame may carry. Default: any. */
  codes?: readonly number[];
  /** What it comes to when the peer goes on. Default: FAILED. */
  whenAccepted?: Behavior;
}

/** A fault, over which the peer has to fail the connection: with a Close frame, or by ending TCP. */
export function refusedCase(facts: RuleFacts, refusal: Refusal): ConformanceCase {
  return ruleCase(facts, (tester) => commitFault(tester, refusal));
}

/** Takes the steps, and finds out what the peer makes of them. */
export async function commitFault(tester: Tester, refusal: Refusal): Promise<Ruling> {
  const witness = refusal.hasWitness === false ? [] : [ping('witness')];
  await takeSteps(tester, [...refusal.steps, ...witness]);
  return await rulingOnRefusal(tester, refusal);
}

async function rulingOnRefusal(tester: Tester, refusal: Refusal): Promise<Ruling> {
  const { before = [], whenAccepted = 'FAILED' } = refusal;
  const goesOn = (): boolean =>
    tester.messages.length > before.length || tester.events.some(({ type }) => type === 'pong');
  await tester.until(() => hasEnded(tester) || goesOn(), PATIENCE_MS);
  await tester.until(() => hasEnded(tester), goesOn() ? GRACE_MS : 0);
  const { messages } = tester;
  const isPrefix = messages.every(
    (message, index) => before[index] !== undefined && isEcho(message, before[index]),
  );
  if (!isPrefix)
    return { behavior: whenAccepted, why: 'The peer took what was wrong for a message and echoed it.' };
  if (!hasEnded(tester)) {
    if (goesOn()) return { behavior: whenAccepted, why: 'The peer went on as if nothing were wrong.' };
    return breaks(`The peer did not fail the connection within ${PATIENCE_MS / 1000} s.`);
  }
  const sent = closePayloadOf(refusal.steps.at(-1));
  if (sent !== undefined && tester.peerClose !== null) {
    // A Close frame is answered in any case: the code tells how it was taken.
    const { code, payload } = tester.peerClose;
    if (sent.length === 1 && payload.length === 1)
      return { behavior: whenAccepted, why: 'The peer sent the one byte back.' };
    if (code === null)
      return nonStrict('The answer has no code: whether the fault was noticed cannot be told.');
    if (code === 1000 || (sent.length >= 2 && code === ((sent[0]! << 8) | sent[1]!)))
      return { behavior: whenAccepted, why: 'The peer answered as if the Close frame were in order.' };
  }
  return rulingOnCode(tester, refusal.codes);
}

/** What a Close frame carries, where the step sends one. */
function closePayloadOf(step: Step | undefined): Uint8Array | undefined {
  const isClose = step?.do === 'send' && step.frame.opcode === CLOSE;
  return isClose ? payloadBytes(step.frame.payload ?? '') : undefined;
}

/** The connection was failed; whether for the right reason. */
function rulingOnCode({ peerClose }: Tester, codes: readonly number[] | undefined): Ruling {
  const ruling = conforms('The peer failed the connection.');
  const code = peerClose?.code ?? null;
  if (code === null || codes === undefined || codes.includes(code)) return ruling;
  return {
    ...ruling,
    why: `The peer gave code ${code}, not ${codes.join(' or ')}.`,
    behaviorClose: 'WRONG CODE',
  };
}

/**
 * A fault that shows before all of it has come: the peer should fail the connection over `first`. One that does so only
 * after `rest` is NON-STRICT. Not for Close frames: behind one of its own the tester does not pause.
 */
export function promptlyRefusedCase(
  facts: RuleFacts,
  first: readonly Step[],
  rest: readonly Step[],
  refusal: Pick<Refusal, 'codes'> = {},
): ConformanceCase {
  const steps = [...first, pause(PATIENCE_MS / 2, WAITED), ...rest];
  return ruleCase(facts, async (tester) => {
    await takeSteps(tester, steps);
    const ruling = await rulingOnRefusal(tester, { ...refusal, steps });
    const isLate = tester.events.some((event) => event.type === 'mark');
    if (!isLate || ruling.behavior !== 'OK') return ruling;
    return { ...ruling, ...nonStrict('The peer failed the connection only when everything had come.') };
  });
}

/** Whether a server takes a new connection and echoes on it. */
export async function stillServes(encounter: Encounter): Promise<boolean> {
  try {
    const { tester } = await open(encounter);
    await tester.send({ opcode: 1, payload: 'still there' });
    await awaitMessages(tester, 1);
    const echoes = tester.messages.length === 1;
    await leave(tester);
    return echoes;
  } catch {
    // OpeningFailed: it does not.
    return false;
  }
}
