// Cases about the opening handshake of a client (RFC 6455 §4.1): its request is judged, or it gets a response, right or
// wrong, and a message behind it. A client that took the connection as established shows it by sending frames: it echoes.
// One that failed the connection ends TCP and says nothing, except perhaps in a Close frame.

import { parseFrameHeader } from '../wire/frame-header.js';
import { isToken, splitList } from '../wire/http-grammar.js';
import type { RequestHead } from '../wire/http-head.js';
import { CLOSE, opcodeName, TEXT } from '../wire/opcode.js';
import type { ConformanceCase, Encounter, Group, Judgement } from './case.js';
import { type CaseFacts, finishClosing } from './exchange.js';
import { type FrameSpec, serializeFrame } from './frame.js';
import { describeEnd, endOf, observe } from './judgement.js';
import {
  type HeaderList,
  headBytes,
  linesOf,
  OpeningFailed,
  readRequest,
  responseHeaders,
  sendHead,
} from './opening.js';
import { payloadBytes } from './payload.js';
import type { RawConnection } from './raw-connection.js';
import { Tester } from './tester.js';
import type { Behavior } from './verdict.js';

/** How long a client may take to end a connection that it has to fail, or to echo the first message. */
const REACTION_LIMIT_MS = 1500;
const CASE_LIMIT_MS = 10_000;

export const SWITCHING = 'HTTP/1.1 101 Switching Protocols';

/** What a client asked for. */
export interface Asked {
  readonly connection: RawConnection;
  readonly encounter: Encounter;
  readonly head: RequestHead;
  /** The first Sec-WebSocket-Key. */
  readonly key: string;
  /** The fields of a response that accepts it, with the first of the offered subprotocols and no extension. */
  readonly accepting: HeaderList;
  /** Sec-WebSocket-Protocol and Sec-WebSocket-Extensions, several lines joined to one list. */
  readonly protocols: string | undefined;
  readonly extensions: string | undefined;
}

/** Why a case has nothing to judge in this client. */
export interface NotJudged {
  behavior: 'UNIMPLEMENTED' | 'INFORMATIONAL';
  finding: string;
}

type Respond = (asked: Asked) => Uint8Array | NotJudged;

type OpeningFacts = Omit<CaseFacts, 'group' | 'subjects' | 'expectation'> & { expectation?: string };

export interface Refusal extends OpeningFacts {
  /** The head of the wrong response. */
  respond: Respond;
  /** The verdict on a client that takes the connection as established. Default: FAILED. */
  ifTaken?: Behavior;
  /** HTTP lets a connection go on after a response that opens nothing; then leaving TCP open is no fault. */
  mayStayOpen?: boolean;
}

/** Answers wrongly: the client must not take the connection as established. */
export function refusal(one: Refusal): ConformanceCase {
  return {
    ...factsOf(one, 'The client fails the connection: it ends TCP, and echoes nothing.'),
    run: (encounter) => runRefusal(encounter, one),
  };
}

export interface Acceptance extends OpeningFacts {
  respond: Respond;
  /** The verdict on a client that fails the connection. Default: FAILED. */
  ifRefused?: Behavior;
  /** What the tester sends first. Default: a text message. */
  first?: FrameSpec;
  /** The first frame leaves in one TCP write with the head. */
  isTogether?: boolean;
  /** Bytes of each TCP write of the head. */
  chop?: number;
}

/** Answers correctly, if unusually: the client has to take the connection as established, and echo. */
export function acceptance(one: Acceptance): ConformanceCase {
  return {
    ...factsOf(one, 'The client takes the connection as established, and echoes.'),
    run: (encounter) => runAcceptance(encounter, one),
  };
}

export interface RequestCheck extends OpeningFacts {
  /** What is wrong with the request, as a sentence; undefined when nothing is. */
  check: (asked: Asked) => string | undefined | Promise<string | undefined>;
  /** The verdict when something is. Default: FAILED. */
  ifWrong?: Behavior;
  /** The verdict when nothing is. Default: OK. */
  ifRight?: (asked: Asked) => Behavior;
  /** What the tester has seen to be right. */
  finding?: (asked: Asked) => string;
}

/** Judges the request; then the connection is accepted and closed. */
export function requestCheck(one: RequestCheck): ConformanceCase {
  return {
    ...factsOf(one, 'The request keeps to the rule.'),
    run: (encounter) => runRequestCheck(encounter, one),
  };
}

function factsOf(one: OpeningFacts, expectation: string): Omit<ConformanceCase, 'run'> {
  const { id, title, rule, section, requirements } = one;
  const group = id.slice(0, id.indexOf('.')) as Group;
  return {
    id,
    group,
    subjects: ['client'],
    title,
    rule,
    section,
    requirements,
    expectation: one.expectation ?? expectation,
    limitMs: one.limitMs ?? CASE_LIMIT_MS,
  };
}

/** @throws OpeningFailed when no response to this request could open anything */
async function readAsked(encounter: Encounter): Promise<Asked> {
  const connection = await encounter.connect();
  const head = readRequest(connection);
  const [key] = linesOf(head, 'sec-websocket-key');
  if (key === undefined) throw new OpeningFailed('The request has no Sec-WebSocket-Key.');
  const listOf = (name: string): string | undefined => {
    const lines = linesOf(head, name);
    return lines.length === 0 ? undefined : lines.join(', ');
  };
  const accepting = responseHeaders(key);
  const protocols = listOf('sec-websocket-protocol');
  // Some clients insist on a subprotocol once they have offered some.
  const chosen = splitList(protocols ?? '').find(isToken);
  return {
    connection,
    encounter,
    head,
    key,
    accepting: chosen === undefined ? accepting : [...accepting, ['Sec-WebSocket-Protocol', chosen]],
    protocols,
    extensions: listOf('sec-websocket-extensions'),
  };
}

const FIRST_MESSAGE: FrameSpec = { opcode: TEXT, payload: 'Hello' };

async function runRefusal(encounter: Encounter, one: Refusal): Promise<Judgement> {
  const asked = await readAsked(encounter);
  const { connection } = asked;
  const response = one.respond(asked);
  if (!(response instanceof Uint8Array)) return notJudged(asked, response);
  await sendHead(connection, response);
  await connection.write(logged(connection, FIRST_MESSAGE));
  await connection.until(() => connection.received.length > 0 || connection.isOver, REACTION_LIMIT_MS);
  if (connection.received.length === 0) return judgeSilence(connection, one);
  if (one.mayStayOpen === true && Buffer.from(connection.received).toString('latin1', 0, 4) === 'GET ') {
    connection.log.bytes('peer', connection.received);
    return fine('The client opened nothing, and sent another request over the same connection.');
  }
  const first = parseFrameHeader(connection.received);
  const tester = new Tester(connection, 'client');
  await tester.close(1000);
  await finishClosing(tester);
  const seen = observe(tester);
  if (first?.opcode === CLOSE) {
    return { ...fine(`The client failed the connection. ${describeEnd(seen)}`), ...endOf(seen) };
  }
  const sent = first === undefined ? 'bytes' : `a ${opcodeName(first.opcode)} frame`;
  const behavior = one.ifTaken ?? 'FAILED';
  return {
    behavior,
    behaviorClose: behavior === 'FAILED' ? 'FAILED' : 'OK',
    finding: `The client took the connection as established: it sent ${sent}. ${describeEnd(seen)}`,
    ...endOf(seen),
  };
}

function judgeSilence(connection: RawConnection, { mayStayOpen }: Refusal): Judgement {
  const { droppedBy } = connection;
  if (connection.isOver) return { ...fine('The client ended TCP, and sent nothing before.'), droppedBy };
  const limit = `within ${REACTION_LIMIT_MS / 1000} s`;
  if (mayStayOpen === true)
    return fine(`The client sent nothing ${limit}, and left TCP open, as HTTP allows.`);
  return {
    behavior: 'FAILED',
    behaviorClose: 'FAILED',
    finding: `The client did not end the connection ${limit}; it sent nothing either.`,
  };
}

async function runAcceptance(encounter: Encounter, one: Acceptance): Promise<Judgement> {
  const asked = await readAsked(encounter);
  const { connection } = asked;
  const response = one.respond(asked);
  if (!(response instanceof Uint8Array)) return notJudged(asked, response);
  const tester = new Tester(connection, 'client');
  const first = one.first ?? FIRST_MESSAGE;
  const isClose = first.opcode === CLOSE;
  connection.log.bytes('tester', response);
  if (one.isTogether === true) {
    await connection.write(Buffer.concat([response, tester.serialize(first).bytes]));
  } else {
    await connection.writeChopped(response, one.chop ?? response.length);
    await tester.send(first);
  }
  const hasReacted = (): boolean => (isClose ? tester.peerClose !== null : tester.messages.length > 0);
  await tester.until(() => hasReacted() || tester.isOver || tester.peerClose !== null, REACTION_LIMIT_MS);
  const isTaken = hasReacted();
  if (isTaken && tester.isOpen) await tester.close(1000);
  if (isTaken) await finishClosing(tester);
  else connection.end();
  const seen = observe(tester);
  const reaction = isClose ? 'answered the Close frame' : 'echoed';
  if (isTaken) return { ...fine(`The client ${reaction}. ${describeEnd(seen)}`), ...endOf(seen) };
  const behavior = one.ifRefused ?? 'FAILED';
  return {
    behavior,
    behaviorClose: behavior === 'FAILED' ? 'FAILED' : 'OK',
    finding: `The client never ${reaction}. ${describeEnd(seen)}`,
    ...endOf(seen),
  };
}

async function runRequestCheck(encounter: Encounter, one: RequestCheck): Promise<Judgement> {
  const asked = await readAsked(encounter);
  const fault = await one.check(asked);
  const finding = fault ?? one.finding?.(asked) ?? 'The request is as it has to be.';
  const behavior = fault === undefined ? (one.ifRight?.(asked) ?? 'OK') : (one.ifWrong ?? 'FAILED');
  return acceptAndClose(asked, { behavior, finding });
}

function notJudged(asked: Asked, verdict: NotJudged): Promise<Judgement> {
  return acceptAndClose(asked, verdict);
}

/** Ends a case that is decided already, in a way that a client can go on from. How it closes is not judged here. */
async function acceptAndClose(
  { connection, accepting }: Asked,
  verdict: Pick<Judgement, 'behavior' | 'finding'>,
): Promise<Judgement> {
  await sendHead(connection, headBytes(SWITCHING, accepting));
  const tester = new Tester(connection, 'client');
  await tester.close(1000);
  await finishClosing(tester);
  return { ...verdict, behaviorClose: 'OK', ...endOf(observe(tester)) };
}

function fine(finding: string): Judgement {
  return { behavior: 'OK', behaviorClose: 'OK', finding };
}

/** A frame that leaves before anything of the peer is read as frames. */
function logged(connection: RawConnection, spec: FrameSpec): Uint8Array {
  const payload = payloadBytes(spec.payload ?? '');
  connection.log.frame({
    from: 'tester',
    opcode: spec.opcode,
    isFinal: true,
    rsv: 0,
    length: payload.length,
    payload,
  });
  return serializeFrame(spec, 'client').bytes;
}

/** A head that accepts the request, with the fields changed as a case wants. */
export function switching(headers: HeaderList): Uint8Array {
  return headBytes(SWITCHING, headers);
}
