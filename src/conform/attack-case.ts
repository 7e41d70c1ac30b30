// Cases that attack a peer: what counts is that it survives. A server has to serve others, while the attack lasts and after
// it; a client has to answer a Ping, or to have ended the connection. Limits of time are generous, so that no verdict hangs
// on the speed of a machine; whatever the tester sends or holds is bounded.

import type { ConformanceCase, Encounter } from './case.js';
import type { FrameSpec } from './frame.js';
import { serializeFrame } from './frame.js';
import { describeObservation, endOf, observe } from './judgement.js';
import {
  type HeaderList,
  headBytes,
  type OpenOptions,
  open,
  randomHandshakeKey,
  requestHeaders,
  requestTarget,
} from './opening.js';
import type { RawConnection } from './raw-connection.js';
import {
  BOTH,
  breaks,
  conforms,
  hasEnded,
  informational,
  leave,
  type RuleFacts,
  type Ruling,
} from './rule-case.js';
import type { Tester } from './tester.js';

/** How long a peer may take to show that it is alive. */
export const ALIVE_LIMIT_MS = 5000;
/** How long the tester goes on to send when the peer does not read. */
export const FLOOD_LIMIT_MS = 3000;
const LIMIT_MS = 30_000;
const BLOCK_BYTES = 64 * 1024;

/** The facts of an attack, but for those that most attacks have in common. */
interface AttackFacts extends Pick<RuleFacts, 'title' | 'rule'> {
  section?: string;
  requirements?: readonly string[];
  expectation?: string;
  subjects?: RuleFacts['subjects'];
}

export const SURVIVES =
  'A server serves others all the while. A client answers a Ping, or has ended the connection.';

export function attackFacts(id: string, { subjects, ...facts }: AttackFacts): RuleFacts {
  return {
    section: 'RFC 6455 §10.4, §10.7',
    requirements: ['RFC6455-10.4-1', 'RFC6455-10.7-1'],
    expectation: SURVIVES,
    ...facts,
    ...(subjects !== undefined && { subjects }),
    id: `robustness.${id}`,
  };
}

/** What an attack comes to; undefined where survival is all that counts. */
type Attacked = Promise<Ruling | undefined>;

/** An attack over an established connection. */
export function attackCase(
  facts: RuleFacts,
  attack: (tester: Tester, encounter: Encounter) => Attacked,
  options: OpenOptions = {},
): ConformanceCase {
  return testerAttackCase(facts, async (encounter) => (await open(encounter, options)).tester, attack);
}

/** The same, over a connection that is established in another way; undefined where that is not to be had. */
export function testerAttackCase(
  facts: RuleFacts,
  establish: (encounter: Encounter) => Promise<Tester | undefined>,
  attack: (tester: Tester, encounter: Encounter) => Attacked,
): ConformanceCase {
  return {
    subjects: BOTH,
    limitMs: LIMIT_MS,
    ...facts,
    group: 'robustness',
    run: async (encounter) => {
      const tester = await establish(encounter);
      if (tester === undefined) {
        const finding = 'The peers did not agree on permessage-deflate.';
        return { behavior: 'UNIMPLEMENTED', behaviorClose: 'OK', finding };
      }
      const attacked = await attack(tester, encounter);
      const { behavior, why, behaviorClose = 'OK' } = await afterAttack(attacked, tester, encounter);
      const finding = `${why} ${describeObservation(observe(tester))}`;
      await leave(tester);
      return { behavior, behaviorClose, finding, ...endOf(observe(tester)) };
    },
  };
}

async function afterAttack(
  attacked: Ruling | undefined,
  tester: Tester,
  encounter: Encounter,
): Promise<Ruling> {
  if (attacked?.behavior === 'FAILED') return attacked;
  // A client whose connection the tester has ended cannot be asked for more.
  if (attacked !== undefined && encounter.subject === 'client' && tester.connection.droppedBy === 'tester')
    return attacked;
  const survived =
    encounter.subject === 'server' ? await serverSurvival(tester, encounter) : await clientSurvival(tester);
  if (survived.behavior === 'FAILED' || attacked === undefined) return survived;
  return { ...attacked, why: `${attacked.why} ${survived.why}` };
}

async function serverSurvival(tester: Tester, encounter: Encounter): Promise<Ruling> {
  if (!(await servesOthers(encounter))) return breaks(NOT_SERVED);
  return conforms(
    `${hasEnded(tester) ? 'The server ended the connection' : 'The server went on'}, and serves others.`,
  );
}

const NOT_SERVED = `The server did not serve another connection within ${ALIVE_LIMIT_MS / 1000} s.`;

async function clientSurvival(tester: Tester): Promise<Ruling> {
  if (!hasEnded(tester) && tester.isOpen) await tester.send({ opcode: 9, payload: 'alive' });
  const isAnswered = (): boolean =>
    tester.events.some((event) => event.type === 'pong' && Buffer.from(event.payload).toString() === 'alive');
  await tester.until(() => hasEnded(tester) || isAnswered(), ALIVE_LIMIT_MS);
  if (isAnswered()) return conforms('The client went on, and answers a Ping.');
  if (hasEnded(tester)) return conforms('The client ended the connection.');
  return breaks(
    `The client neither answered a Ping nor ended the connection within ${ALIVE_LIMIT_MS / 1000} s.`,
  );
}

/** An attack below the frames: what goes over TCP instead of an opening handshake, or around it. */
export function rawAttackCase(
  facts: RuleFacts,
  attack: (connection: RawConnection, encounter: Encounter) => Promise<Ruling>,
): ConformanceCase {
  return {
    subjects: ['server'],
    limitMs: LIMIT_MS,
    ...facts,
    group: 'robustness',
    run: async (encounter) => {
      const connection = await encounter.connect();
      const attacked = await attack(connection, encounter);
      const isDead =
        attacked.behavior !== 'FAILED' && encounter.subject === 'server' && !(await servesOthers(encounter));
      const { behavior, why } = isDead ? breaks(NOT_SERVED) : attacked;
      connection.destroy();
      return { behavior, behaviorClose: 'OK', finding: why, droppedBy: connection.droppedBy };
    },
  };
}

/** Whether a server takes a new connection and echoes on it, in time. */
export async function servesOthers(encounter: Encounter): Promise<boolean> {
  try {
    const { tester } = await open(encounter);
    await tester.send({ opcode: 1, payload: 'still there?' });
    await tester.until(() => tester.messages.length > 0 || hasEnded(tester), ALIVE_LIMIT_MS);
    const isServed = tester.messages.length > 0;
    await leave(tester);
    return isServed;
  } catch {
    // OpeningFailed: it does not.
    return false;
  }
}

/**
 * The same frame over and over, until the peer ends the connection or reads no more.
 *
 * @returns how many of them were sent
 */
export async function floodFrames(
  tester: Tester,
  spec: FrameSpec,
  count: number,
  limitMs?: number,
): Promise<number> {
  const { bytes } = serializeFrame(spec, tester.subject);
  const perBlock = Math.min(count, Math.max(1, Math.floor(BLOCK_BYTES / bytes.length)));
  tester.connection.log.note(`the tester sends ${count} frames of ${bytes.length} bytes`);
  const block = Buffer.alloc(perBlock * bytes.length, bytes);
  const blocks = await flood(tester, block, Math.ceil(count / perBlock), limitMs);
  return blocks * perBlock;
}

/** The same with any bytes. */
export async function flood(
  tester: Tester,
  block: Uint8Array,
  times: number,
  limitMs = FLOOD_LIMIT_MS,
): Promise<number> {
  const { connection } = tester;
  const endsAt = performance.now() + limitMs;
  const stop = tester.until(() => hasEnded(tester), limitMs);
  let sent = 0;
  for (; sent < times && !hasEnded(tester) && performance.now() < endsAt; sent++) {
    await Promise.race([connection.write(block), stop]);
  }
  return sent;
}

/** Reads what comes and forgets it, until `isDone` says so of one event, or the peer ends the connection. */
export async function drain(
  tester: Tester,
  isDone: (event: Tester['events'][number]) => boolean,
  limitMs = ALIVE_LIMIT_MS,
): Promise<boolean> {
  let wasDone = false;
  const look = (): boolean => {
    wasDone ||= tester.events.some(isDone);
    tester.events.length = 0;
    tester.frames.length = 0;
    return wasDone || hasEnded(tester);
  };
  const waiting = tester.until(look, limitMs);
  tester.connection.resume();
  await waiting;
  return wasDone;
}

/** The Pong with that payload. */
export function isPong(payload: string): (event: Tester['events'][number]) => boolean {
  return (event) => event.type === 'pong' && Buffer.from(event.payload).toString() === payload;
}

/** A plain request for an upgrade, with more header fields in front. */
export function requestWith(
  encounter: Encounter,
  fields: readonly (readonly [string, string])[],
): Uint8Array {
  const { url } = encounter;
  const headers = requestHeaders(url, randomHandshakeKey());
  return headBytes(`GET ${requestTarget(url)} HTTP/1.1`, [headers[0]!, ...fields, ...headers.slice(1)]);
}

/** Sends without waiting for a peer that does not read. */
export async function sendWithin(connection: RawConnection, bytes: Uint8Array): Promise<void> {
  connection.log.bytes('tester', bytes);
  await Promise.race([connection.write(bytes), connection.until(() => connection.isOver, FLOOD_LIMIT_MS)]);
}

/** The status line of what a server answered within `limitMs`, or how it ended, in words. */
async function awaitAnswer(connection: RawConnection, limitMs: number): Promise<string | undefined> {
  const statusLine = (): string | undefined =>
    /^HTTP\/1\.[01] \d{3}[^\r\n]*(?=\r\n)/.exec(latin1(connection))?.[0];
  await connection.until(() => connection.isOver || statusLine() !== undefined, limitMs);
  return statusLine();
}

export function latin1(connection: RawConnection): string {
  return Buffer.from(connection.received).toString('latin1');
}

/** Any answer will do, and so does the end of TCP; silence is noted. */
export async function rulingOnAnswer(connection: RawConnection): Promise<Ruling> {
  const answer = await awaitAnswer(connection, ALIVE_LIMIT_MS / 2);
  if (answer !== undefined) return conforms(`The server answered ${answer}.`);
  if (connection.isOver) return conforms('The server ended the connection.');
  return informational('The server said nothing, and left the connection open.');
}

/** Header fields that mean nothing. */
export function fillers(count: number): HeaderList {
  return Array.from({ length: count }, (_, n) => [`X-${n}`, 'f'] as const);
}

/** Marks a case as one that moves megabytes. */
export const heavy = (one: ConformanceCase): ConformanceCase => ({ ...one, isHeavy: true });
